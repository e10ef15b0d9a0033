/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clang-format off */
/*
 * target-driver.c - opens the targets of one plugin in the smallest host there
 * can be, and tells them what it reads on standard input.
 *
 *	target-driver [-n|-t] [-a] [-v] [-m MAX_FLOWS] PLUGIN.so CONFIG.json
 *
 * -a: jobs are not run by submit(), but later, as a busy host would.
 *
 * "ready PLUGIN" is the first line that it prints, but for those of a dry run:
 * targets are open and in force, lines of input are obeyed from here on.
 *
 * CONFIG.json is an ordinary configuration file: of "targets" those are opened
 * whose type the plugin has, and of "actions" only the names and overrides are
 * used. Lines of input, "#" starts a comment:
 *
 *	name application|protocol ID TAG
 *	flow ID KEY=VALUE...		defines a flow, or changes it
 *	enter TARGET ID [action=A] [reason=R] [observe=1]
 *	leave TARGET ID [reason=R]	mirrors the enter
 *	rekey TARGET ID KEY=VALUE...	changes a flow that is a member
 *	event EVENT ID [reason=R]	announced updated counted removed
 *	crowd TARGET enter|leave FROM COUNT	many flows without a name
 *	flush				the end of a burst
 *	status [TARGET]			"status NAME KEY=VALUE...", a line each
 *	until TARGET KEY VALUE [MS]	serves timers, descriptors and jobs
 *					until the status says so; fails after
 *					5 s, or MS
 *	run MS				serves them for that long
 *	explain TARGET ID
 *	lingering TARGET ADDRESS [PORT]
 *	echo WORD			prints it: all before it is done
 *	never ADDRESS			is the never list
 *	reload				as at SIGHUP
 *	sh COMMAND			in a shell; must succeed
 *	stop				close(stopping); so does end of input
 *
 * Keys of flow: local, other (ADDRESS:PORT or [ADDRESS]:PORT), proto (number,
 * tcp, udp, icmp), local_mac, other_mac, origin (local, other), internal,
 * other_type (number; remote unless said), nat, ct_id, mark, iface, app,
 * protocol, and any attribute path of plugin.h with a text, number or address
 * value, such as flow.host_server_name=example.net.
 * "~xNN" in a value is the byte NN.
 *
 * Exit status: 0, or 1 when a target refused its configuration, a line made no
 * sense, "until" ran out of time, or a callback changed what is allocated.
 */
/* clang-format on */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "driver/host.h"
#include "driver/script.h"
#include "driver/target.h"
#include "policy/json.h"

/* LINK: tests/tools/driver */
/* LINK: common/policy/json.c common/policy/node.c common/policy/syntax.c */
/* LIBS: -ldl */

static void say(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx;
	fprintf(stderr, "<%d>%s\n", (int)level, text);
}

static bool options(struct driver *d, int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "antvm:")) != -1)
		switch (opt) {
		case 'a':
			d->later = true;
			break;
		case 'n':
			d->host.flags |= FG_HOST_DRY_RUN;
			break;
		case 't':
			d->host.flags |= FG_HOST_CHECK;
			break;
		case 'v':
			d->verbose = true;
			d->host.flags |= FG_HOST_VERBOSE;
			break;
		case 'm':
			d->host.max_flows = (uint32_t)atoi(optarg);
			break;
		default:
			return false;
		}
	return argc - optind == 2;
}

int main(int argc, char **argv)
{
	/* not on the heap, where it would be taken for a callback's */
	static char out[BUFSIZ];
	static struct driver d;
	const struct fg_plugin *plugin;
	void *so;
	int err;

	host_init(&d);
	if (!options(&d, argc, argv)) {
		fprintf(stderr, "usage: target-driver [-n|-t] [-a] [-v] "
				"[-m MAX_FLOWS] PLUGIN.so CONFIG.json\n");
		return 1;
	}
	so = dlopen(argv[optind], RTLD_NOW | RTLD_LOCAL);
	plugin = so ? dlsym(so, FG_PLUGIN_SYMBOL) : NULL;
	if (!plugin) {
		fprintf(stderr, "target-driver: %s\n", dlerror());
		return 1;
	}
	if (fg_json_load(&d.doc, argv[optind + 1],
			 (struct fg_report){say, NULL}))
		return 1;
	if (!flows_init(&d.flows))
		return 1;
	setvbuf(stdout, out, _IOFBF, sizeof(out));
	err = targets_open(&d, plugin);
	if (!err && !(d.host.flags & FG_HOST_CHECK)) {
		targets_flush(&d); /* into force */
		d.host.print(&d.host, "ready %s", plugin->name);
		script_run(&d);
	}
	targets_close(&d);
	fg_json_free(d.doc);
	flows_free(&d.flows);
	for (int i = 0; i < d.names; i++)
		free(d.name[i].tag);
	return err || d.failed;
}
