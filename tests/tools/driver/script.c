/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script.c - lines of text -> what a driver does with its targets.
 */
#include "script.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "member.h"
#include "target.h"

#define COUNT(a)  (sizeof(a) / sizeof(*(a)))
#define WORDS_MAX 64

/* A line, of which the first word is the command. */
struct line {
	char *w[WORDS_MAX];
	int n;
	struct target *t; /* that the second word names, or NULL */
};

/* ----------------------------------------------------------------- words */

/* "~xNN" becomes a byte: a line of input can't hold them all. */
static void unescape(char *s)
{
	char *to = s;
	uint8_t byte;

	for (; *s; s++)
		if (s[0] == '~' && s[1] == 'x' &&
		    fg_text_hex(s + 2, strnlen(s + 2, 2), &byte, 1)) {
			*to++ = (char)byte;
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = '\0';
}

static int word_index(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return (int)i;
	return -1;
}

/* The value of KEY=VALUE after the third word, or NULL. */
static const char *option(const struct line *l, const char *key)
{
	size_t len = strlen(key);

	for (int i = 3; i < l->n; i++)
		if (!strncmp(l->w[i], key, len) && l->w[i][len] == '=')
			return l->w[i] + len + 1;
	return NULL;
}

/* reason=R, or what it is without; false: no such reason, said. */
static bool reason_of(struct driver *d, const struct line *l,
		      enum fg_reason without, enum fg_reason *out)
{
	static const char *const words[] = {
		"detected", "reclassified", "rekeyed",	"purged", "idle",
		"evicted",  "lost",	    "schedule", "reload", "names",
		"target",   "stop",	    "restart"};
	_Static_assert(COUNT(words) == FG_REASON_COUNT, "a word for each");
	const char *word = option(l, "reason");
	int i = word ? word_index(word, words, COUNT(words)) : (int)without;

	if (i < 0)
		driver_complain(d, "%s: no such reason", word);
	*out = (enum fg_reason)i;
	return i >= 0;
}

/* The flow that the third word names; NULL: there is none, said. */
static struct flow *flow_in(struct driver *d, const struct line *l)
{
	struct flow *f = flow_named(&d->flows, l->w[2], false);

	if (!f)
		driver_complain(d, "%s: no flow %s", l->w[0], l->w[2]);
	return f;
}

/* KEY=VALUE from the nth word on. */
static void change(struct driver *d, struct flow *f, struct line *l, int n)
{
	for (; n < l->n; n++)
		if (!flow_set(&d->flows, f, l->w[n]))
			driver_complain(d, "flow %s: %s?", f->id, l->w[n]);
}

static void print_line(void *ctx, const char *text)
{
	(void)ctx;
	puts(text);
}

/* -------------------------------------------------------------- commands */

static void do_name(struct driver *d, struct line *l)
{
	if (d->names == NAMES_MAX) {
		driver_complain(d, "more than %d names", NAMES_MAX);
		return;
	}
	d->name[d->names++] = (struct name){
		*l->w[1] == 'a' ? FG_NAME_APPLICATION : FG_NAME_PROTOCOL,
		(uint32_t)atoi(l->w[2]), strdup(l->w[3])};
}

static void do_flow(struct driver *d, struct line *l)
{
	struct flow *f = flow_named(&d->flows, l->w[1], true);

	if (f)
		change(d, f, l, 2);
	else
		driver_complain(d, "more than %d flows", FLOWS_MAX);
}

static void do_enter(struct driver *d, struct line *l)
{
	struct flow *f = flow_in(d, l);
	enum fg_reason reason;

	if (f && reason_of(d, l, FG_REASON_DETECTED, &reason))
		member_enter(d, l->t, f, option(l, "action"),
			     option(l, "observe"), reason);
}

static void do_leave(struct driver *d, struct line *l)
{
	struct flow *f = flow_in(d, l);
	enum fg_reason reason;

	if (f && reason_of(d, l, FG_REASON_PURGED, &reason))
		member_leave(d, l->t, f, reason);
}

static void do_rekey(struct driver *d, struct line *l)
{
	struct flow *f = flow_in(d, l);
	struct fg_flow old;

	if (!f)
		return;
	old = f->f;
	change(d, f, l, 3);
	member_rekey(d, l->t, f, &old);
}

static void do_crowd(struct driver *d, struct line *l)
{
	member_crowd(d, l->t, (uint32_t)atoi(l->w[3]), (uint32_t)atoi(l->w[4]),
		     !strcmp(l->w[2], "enter"));
}

static void do_event(struct driver *d, struct line *l)
{
	static const char *const words[] = {"announced", "updated", "counted",
					    "removed"};
	int event = word_index(l->w[1], words, COUNT(words));
	const struct flow *f = flow_in(d, l);
	enum fg_reason reason;

	if (event < 0)
		driver_complain(d, "%s: no such event", l->w[1]);
	if (!f || event < 0 || !reason_of(d, l, FG_REASON_DETECTED, &reason))
		return;
	for (int i = 0; i < d->targets; i++) {
		const struct target *t = &d->target[i];

		if (t->type->event)
			t->type->event(t->instance, (enum fg_event)event, &f->f,
				       reason);
	}
}

static void do_flush(struct driver *d, struct line *l)
{
	(void)l;
	targets_flush(d);
}

static void do_status(struct driver *d, struct line *l)
{
	for (int i = 0; i < d->targets; i++)
		if (l->n == 1 || l->t == &d->target[i])
			target_status(&d->target[i], stdout);
}

static void do_until(struct driver *d, struct line *l)
{
	int ms = l->n > 4 ? atoi(l->w[4]) : 5000;
	int64_t end = driver_now() + ms;

	while (!target_is(l->t, l->w[2], l->w[3])) {
		if (driver_now() >= end) {
			driver_complain(d, "%s is not %s after %d ms:", l->w[2],
					l->w[3], ms);
			target_status(l->t, stderr);
			return;
		}
		driver_serve(d, 20);
		targets_flush(d);
	}
}

static void do_run(struct driver *d, struct line *l)
{
	int64_t end = driver_now() + atoi(l->w[1]), left;

	while ((left = end - driver_now()) > 0) {
		driver_serve(d, left);
		targets_flush(d);
	}
}

static void do_explain(struct driver *d, struct line *l)
{
	const struct flow *f = flow_in(d, l);

	if (f && l->t->type->explain)
		l->t->type->explain(l->t->instance, &f->f, print_line, NULL);
}

static void do_lingering(struct driver *d, struct line *l)
{
	uint16_t port = l->n > 3 ? (uint16_t)atoi(l->w[3]) : 0;
	uint8_t addr[16] = {0};
	int version = fg_addr_parse(l->w[2], strlen(l->w[2]), addr);

	(void)d;
	if (l->t->type->explain_lingering)
		l->t->type->explain_lingering(l->t->instance, version, addr,
					      port, print_line, NULL);
}

static void do_never(struct driver *d, struct line *l)
{
	d->never_version = fg_addr_parse(l->w[1], strlen(l->w[1]), d->never);
}

static void do_reload(struct driver *d, struct line *l)
{
	(void)l;
	for (int i = 0; i < d->targets; i++) {
		const struct target *t = &d->target[i];

		if (t->type->reload)
			t->type->reload(t->instance);
	}
}

static void do_echo(struct driver *d, struct line *l)
{
	(void)d;
	puts(l->w[1]);
}

static const struct command {
	const char *name;
	int words;   /* at least, its own included */
	bool target; /* the second word must name one */
	void (*run)(struct driver *d, struct line *l);
} commands[] = {
	{"crowd", 5, true, do_crowd},	      {"echo", 2, false, do_echo},
	{"enter", 3, true, do_enter},	      {"event", 3, false, do_event},
	{"explain", 3, true, do_explain},     {"flow", 2, false, do_flow},
	{"flush", 1, false, do_flush},	      {"leave", 3, true, do_leave},
	{"lingering", 3, true, do_lingering}, {"name", 4, false, do_name},
	{"never", 2, false, do_never},	      {"rekey", 3, true, do_rekey},
	{"reload", 1, false, do_reload},      {"run", 2, false, do_run},
	{"status", 1, false, do_status},      {"until", 4, true, do_until},
};

/* In a shell, as it is. */
static void shell(struct driver *d, const char *command)
{
	fflush(NULL);
	if (system(command))
		driver_complain(d, "failed: %s", command);
}

static void obey(struct driver *d, char *text)
{
	const struct command *c = NULL;
	struct line l = {0};
	char *save = NULL;

	if (!strncmp(text, "sh ", 3)) {
		shell(d, text + 3);
		return;
	}
	for (char *p = strtok_r(text, " \t\n", &save); p && l.n < WORDS_MAX;
	     p = strtok_r(NULL, " \t\n", &save)) {
		unescape(p);
		l.w[l.n++] = p;
	}
	if (!l.n || *l.w[0] == '#')
		return;
	l.t = l.n > 1 ? target_named(d, l.w[1]) : NULL;
	for (size_t i = 0; i < COUNT(commands); i++)
		if (!strcmp(commands[i].name, l.w[0]))
			c = &commands[i];
	if (!c || l.n < c->words) {
		driver_complain(d, "%s: not understood", l.w[0]);
	} else if (c->target && !l.t) {
		driver_complain(d, "%s: no target %s", l.w[0], l.w[1]);
	} else {
		c->run(d, &l);
		fflush(stdout);
	}
}

/*
 * While there is no line, time passes for targets as it does in flowgated;
 * standard input has no buffer, so that poll() knows.
 */
static bool next_line(struct driver *d, char *text, int size)
{
	struct pollfd in = {STDIN_FILENO, POLLIN, 0};

	while (poll(&in, 1, 100) == 0)
		driver_serve(d, 0);
	return fgets(text, size, stdin) != NULL;
}

void script_run(struct driver *d)
{
	char text[4096];

	setvbuf(stdin, NULL, _IONBF, 0);
	while (next_line(d, text, sizeof(text)) && strcmp(text, "stop\n"))
		obey(d, text);
}
