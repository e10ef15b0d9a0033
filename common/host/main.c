/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - flowgated's command line. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "gate.h"

enum {
	EXIT_USAGE = 1, /* or the configuration */
	EXIT_OTHER = 2,
};

static const char usage[] =
	"usage: flowgated [-c FILE] [-t [--explain FILE]] [-n [-v]] [-s "
	"URL]...\n"
	"                 [-P DIR] [-S PATH] [-l LEVEL] [-V] [-h]\n";

static const char help[] =
	"Keeps nftables in step with what the netifyd DPI agent sees.\n"
	"\n"
	"  -c, --config FILE      the configuration (" FG_SYSCONFDIR
	"/flowgate/flowgate.json)\n"
	"  -t, --check            check everything, print a summary, exit\n"
	"      --explain FILE     with -t: what the configuration makes of the "
	"flows\n"
	"                         recorded in FILE\n"
	"  -n, --dry-run          change nothing: print what would be done as "
	"nft commands\n"
	"  -v, --verbose          with -n: say for each flow why\n"
	"  -s, --source URL       read this instead of the configuration's "
	"sources; may\n"
	"                         be repeated: unix:///path, tcp://host:port,\n"
	"                         file:///path, - (standard input)\n"
	"  -P, --plugin-path DIR  load plugins from there (" FG_PLUGIN_DIR ")\n"
	"  -S, --socket PATH      control socket (" FG_RUNDIR "/flowgate/control.sock)\n"
	"  -l, --log-level LEVEL  error, warning, notice (default), info, "
	"debug\n"
	"  -V, --version          print the version, exit\n"
	"  -h, --help             print this, exit\n"
	"\n"
	"SIGHUP reloads, SIGTERM and SIGINT stop. See flowgated(8), "
	"flowgate.json(5).\n";

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 't'},
	{"dry-run", no_argument, NULL, 'n'},
	{"explain", required_argument, NULL, 'e'},
	{"verbose", no_argument, NULL, 'v'},
	{"source", required_argument, NULL, 's'},
	{"plugin-path", required_argument, NULL, 'P'},
	{"socket", required_argument, NULL, 'S'},
	{"log-level", required_argument, NULL, 'l'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct arguments {
	struct fg_gate_options gate;
	const char *sources[FG_SOURCES_MAX];
	enum fg_level level;
};

static bool is_directory(const char *path)
{
	DIR *d = opendir(path);

	if (!d)
		return false;
	closedir(d);
	return true;
}

/* -1: go on; else the status to exit with. */
static int parse(struct arguments *a, int argc, char **argv)
{
	int c;

	a->level = FG_LOG_NOTICE;
	a->gate.sources = a->sources;
	while ((c = getopt_long(argc, argv, "c:tnvs:P:S:l:Vh", long_options,
				NULL)) != -1) {
		switch (c) {
		case 'c':
			a->gate.config = optarg;
			break;
		case 't':
			a->gate.flags |= FG_HOST_CHECK;
			break;
		case 'e':
			a->gate.explain = optarg;
			break;
		case 'n':
			a->gate.flags |= FG_HOST_DRY_RUN;
			break;
		case 'v':
			a->gate.flags |= FG_HOST_VERBOSE;
			break;
		case 's':
			if (a->gate.source_count == FG_SOURCES_MAX) {
				fprintf(stderr,
					"flowgated: -s: more than %d sources\n",
					FG_SOURCES_MAX);
				return EXIT_USAGE;
			}
			a->sources[a->gate.source_count++] = optarg;
			break;
		case 'P':
			a->gate.plugin_dir = optarg;
			if (is_directory(optarg))
				break;
			fprintf(stderr,
				"flowgated: -P: %s: %s: name the directory "
				"that has the plugins\n",
				optarg, strerror(errno));
			return EXIT_USAGE;
		case 'S':
			a->gate.socket = optarg;
			break;
		case 'l':
			if (fg_log_level(optarg, &a->level))
				break;
			fprintf(stderr,
				"flowgated: -l: \"%s\" is no level: error, "
				"warning, notice, info or debug\n",
				optarg);
			return EXIT_USAGE;
		case 'V':
			puts("flowgated " FG_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			fputs(help, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (a->gate.explain && !(a->gate.flags & FG_HOST_CHECK)) {
		fputs("flowgated: --explain goes with -t\n", stderr);
		return EXIT_USAGE;
	}
	if (optind < argc) {
		fprintf(stderr,
			"flowgated: \"%s\": no arguments but options%s\n%s",
			argv[optind],
			strchr(argv[optind], ':') ? " (a source: -s URL)" : "",
			usage);
		return EXIT_USAGE;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	struct fg_gate *gate;
	struct fg_log *log;
	int status = parse(&a, argc, argv);

	if (status >= 0)
		return status;
	if (fg_log_new(&log, a.level) < 0)
		return EXIT_OTHER;
	if (fg_gate_new(&gate, &a.gate, log) < 0) {
		status = EXIT_OTHER;
	} else {
		if (fg_gate_load(gate) < 0) {
			status = EXIT_USAGE;
		} else if (a.gate.explain) {
			status = fg_explain_file(gate, a.gate.explain) < 0
					 ? EXIT_USAGE
					 : EXIT_SUCCESS;
		} else if (a.gate.flags & FG_HOST_CHECK) {
			fg_gate_summary(gate);
			status = EXIT_SUCCESS;
		} else {
			status = fg_gate_run(gate);
		}
		fg_gate_free(gate);
	}
	fg_log_free(log);
	return status;
}
