/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - flowgatectl: what a running flowgated knows, for people and scripts.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "client.h"
#include "report.h"
#include "top.h"

#define DEFAULT_SOCKET FG_RUNDIR "/flowgate/control.sock"
#define REQUEST_MAX    4096

/* Exit status, as flowgated(8): 1 is the caller's mistake, 2 anything else. */
enum { EXIT_USAGE = 1, EXIT_OTHER = 2 };

struct options {
	const char *socket;
	bool json;
	bool colour;
};

struct command {
	const char *name;
	const char *arguments; /* for the usage */
	const char *summary;
	int min, max; /* words; max -1: any number, joined by spaces */
	bool colour;  /* its text has states to colour */
	int (*run)(const struct options *o, const struct command *c, int argc,
		   char **argv);
};

static int complain(int status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int complain(int status, const char *fmt, ...)
{
	char text[2048], shown[sizeof(text) + 1];
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* it may quote what was asked, or what somebody else answered */
	fg_text_printable(fg_slice(text, strlen(text)), shown, sizeof(shown));
	fprintf(stderr, "flowgatectl: %s\n", shown);
	return status;
}

static bool print(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	/* a pipe that was closed ends it, as with any filter */
	return fwrite(text, 1, len, stdout) == len && !fflush(stdout);
}

/* "[-j |-c ]COMMAND words"; false when that is longer than a request may be. */
static bool request_of(const struct options *o, const struct command *c,
		       int argc, char **argv, char out[REQUEST_MAX])
{
	const char *flag = o->json		    ? "-j "
			   : o->colour && c->colour ? "-c "
						    : "";
	int n = snprintf(out, REQUEST_MAX, "%s%s", flag, c->name);

	for (int i = 0; i < argc && n > 0 && n < REQUEST_MAX; i++)
		n += snprintf(out + n, (size_t)(REQUEST_MAX - n), " %s",
			      argv[i]);
	return n > 0 && n < REQUEST_MAX;
}

static int forward(const struct options *o, const struct command *c, int argc,
		   char **argv)
{
	char request[REQUEST_MAX], err[1024];
	int error;

	if (!request_of(o, c, argc, argv, request))
		return complain(EXIT_USAGE, "more than %d characters to ask",
				REQUEST_MAX - 1);
	error = fg_client_ask(o->socket, request, print, NULL, err,
			      sizeof(err));
	if (error)
		return complain(error == -EREMOTEIO ? EXIT_USAGE : EXIT_OTHER,
				"%s", err);
	return ferror(stdout) ? EXIT_OTHER : 0;
}

static int top(const struct options *o, const struct command *c, int argc,
	       char **argv)
{
	struct fg_top_options t = {.socket = o->socket, .interval_ms = 2000};
	char err[1024];
	char *end;
	int option, error;

	(void)c;
	/* argv[0] has to be a name for getopt() */
	argv--;
	argc++;
	optind = 0;
	while ((option = getopt(argc, argv, "+bn:d:")) != -1) {
		switch (option) {
		case 'b':
			t.batch = true;
			break;
		case 'n':
			t.count = strtoul(optarg, &end, 10);
			if (*end || !t.count)
				return complain(EXIT_USAGE,
						"top: -n wants a number of "
						"pages, not \"%s\"",
						optarg);
			break;
		case 'd':
			t.interval_ms = (unsigned)(strtod(optarg, &end) * 1000);
			if (*end || t.interval_ms < 100)
				return complain(EXIT_USAGE,
						"top: -d wants seconds, at "
						"least 0.1, not \"%s\"",
						optarg);
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return complain(EXIT_USAGE, "top takes no \"%s\"",
				argv[optind]);
	t.colour = o->colour;
	error = fg_top_run(&t, err, sizeof(err));
	return error ? complain(EXIT_OTHER, "%s", err) : 0;
}

static int report(const struct options *o, const struct command *c, int argc,
		  char **argv)
{
	const char *path = NULL;
	char err[1024], *body;
	size_t len;
	int error;

	if (argc == 2 && !strcmp(argv[0], "-o"))
		path = argv[1];
	else if (argc)
		return complain(EXIT_USAGE, "usage: flowgatectl %s %s", c->name,
				c->arguments);
	if (o->json && !path)
		return forward(o, c, 0, NULL);
	error = fg_client_body(o->socket, c->name, &body, &len, err,
			       sizeof(err));
	if (error)
		return complain(error == -EREMOTEIO ? EXIT_USAGE : EXIT_OTHER,
				"%s", err);
	error = path ? fg_report_save(path, body, len)
		     : fg_report_write(stdout, body, len);
	free(body);
	return error ? complain(EXIT_OTHER, "cannot write %s: %s",
				path ? path : "the page", strerror(-error))
		     : 0;
}

static const struct command commands[] = {
	{"status", "", "sources, flows and targets: is all well?", 0, 0, true,
	 forward},
	{"flows", "[-f] [EXPRESSION]",
	 "live flows, or with -f what happens to them", 0, -1, false, forward},
	{"targets", "", "every target with all its counters", 0, 0, true,
	 forward},
	{"explain", "ADDRESS [PORT]",
	 "why its flows are, or are not, in each target", 1, 2, false, forward},
	{"top", "[-b] [-n PAGES] [-d SECONDS]",
	 "applications and devices, live; q quits", 0, -1, false, top},
	{"metrics", "", "all counters as Prometheus text", 0, 0, false,
	 forward},
	{"report", "[-o FILE.html]",
	 "a page of the last 24 hours, to look at in a browser", 0, 2, false,
	 report},
	{"reload", "", "read the configuration again and say how it went", 0, 0,
	 false, forward},
	{"version", "", "of the flowgated that is running", 0, 0, false,
	 forward},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void usage(FILE *out)
{
	fputs("usage: flowgatectl [-S PATH] [-j] COMMAND [ARGUMENTS]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %-28s %s\n", commands[i].name,
			commands[i].arguments, commands[i].summary);
	fputs("\n  -S, --socket PATH   control socket (" DEFAULT_SOCKET ")\n"
	      "  -j, --json          JSON, for programs\n"
	      "  -V, --version       of this program\n"
	      "  -h, --help          this\n\n"
	      "Exit status: 0 done, 1 usage, or refused by flowgated, 2 "
	      "anything else.\nSee flowgatectl(1).\n",
	      out);
}

static int no_command(const char *name)
{
	const char *names[COMMANDS], *near;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	near = fg_text_nearest(name, strlen(name), names, COMMANDS);
	if (near)
		return complain(EXIT_USAGE,
				"no command \"%s\": did you mean %s?", name,
				near);
	return complain(EXIT_USAGE, "no command \"%s\": see flowgatectl -h",
			name);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"socket", required_argument, NULL, 'S'},
		{"json", no_argument, NULL, 'j'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *no_colour = getenv("NO_COLOR");
	struct options o = {.socket = DEFAULT_SOCKET};
	const struct command *c;
	int option;

	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt_long(argc, argv, "+S:jVh", longs, NULL)) !=
	       -1) {
		switch (option) {
		case 'S':
			o.socket = optarg;
			break;
		case 'j':
			o.json = true;
			break;
		case 'V':
			puts("flowgatectl " FG_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	c = find(argv[optind]);
	if (!c)
		return no_command(argv[optind]);
	argc -= optind + 1;
	argv += optind + 1;
	if (argc < c->min || (c->max >= 0 && argc > c->max))
		return complain(EXIT_USAGE, "usage: flowgatectl %s%s%s",
				c->name, *c->arguments ? " " : "",
				c->arguments);
	o.colour = isatty(STDOUT_FILENO) && (!no_colour || !*no_colour);
	return c->run(&o, c, argc, argv);
}
