/* SPDX-License-Identifier: GPL-2.0-or-later */
/* topic.c - levels of topics. */
#include "topic.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* Longer ones are the template's own text, not names. */
#define LEVEL_MAX 64

static bool is_level(const char *level, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(level, word, len) == 0;
}

const char *fg_topic_check_filter(const char *text)
{
	const char *level = text;

	if (!*text || strlen(text) >= FG_TOPIC)
		return "a topic has 1 to 511 bytes";
	if (*text == '$')
		return "a topic that begins with $ is the broker's own";
	for (;;) {
		size_t len = strcspn(level, "/");

		if (memchr(level, '#', len) && (len != 1 || level[1]))
			return "# stands for all levels that follow: alone, "
			       "at the end";
		if (memchr(level, '+', len) && len != 1)
			return "+ stands for one whole level";
		if (!level[len])
			return NULL;
		level += len + 1;
	}
}

const char *fg_topic_check_template(const char *text)
{
	if (!*text || strlen(text) >= FG_TOPIC / 2)
		return "a topic to publish to has 1 to 255 bytes";
	if (*text == '$')
		return "a topic that begins with $ is the broker's own";
	for (const char *p = text; *p; p++)
		if (*p == '+' || *p == '#' || (unsigned char)*p < ' ' ||
		    *p == 0x7f)
			return "a topic to publish to has no +, no # and no "
			       "control characters";
	return NULL;
}

/* ---------------------------------------------------------------- match */

/* Appends a level to a name. */
static int add(char name[FG_TOPIC_NAME], const char *level, size_t len)
{
	size_t at = strlen(name);
	const char *p = level, *end = level + len;
	uint32_t code;

	if (len == 0 || at + 1 + len >= FG_TOPIC_NAME)
		return -EINVAL;
	while (p < end) {
		size_t n = fg_text_char(p, end, &code);

		if (n == 0 || !fg_text_shows(code))
			return -EINVAL;
		p += n;
	}
	if (at)
		name[at++] = '/';
	memcpy(name + at, level, len);
	name[at + len] = '\0';
	return 0;
}

int fg_topic_match(const char *filter, const char *topic,
		   struct fg_topic_match *out)
{
	const char *f = filter, *t = topic;
	bool wild = false, bad = false;

	memset(out, 0, sizeof(*out));
	for (;;) {
		size_t flen = strcspn(f, "/"), tlen = strcspn(t, "/");
		bool rest = is_level(f, flen, "#");

		if (rest)
			tlen = strlen(t);
		if (rest || is_level(f, flen, "+")) {
			if (!wild)
				bad |= add(out->site, t, strcspn(t, "/")) < 0;
			wild = true;
			bad |= add(out->name, t, tlen) < 0;
		} else if (flen != tlen || memcmp(f, t, flen) != 0) {
			return -ENOENT;
		}
		f += flen;
		t += tlen;
		if (rest || (!*f && !*t))
			break;
		if (!*f || !*t)
			return -ENOENT;
		f++;
		t++;
	}
	if (!wild)
		bad |= add(out->name, topic, strlen(topic)) < 0;
	return bad ? -EINVAL : 0;
}

/* ----------------------------------------------------------------- make */

static size_t put_name(char *out, const char *name)
{
	const char *p = name, *end = name + strlen(name);
	size_t at = 0;
	uint32_t code;

	while (p < end) {
		size_t n = fg_text_char(p, end, &code);
		bool fits = n && fg_text_shows(code) && code != '+' &&
			    code != '#' && code != '/';

		if (at + (fits ? n : 1) > LEVEL_MAX)
			break;
		if (fits)
			memcpy(out + at, p, n);
		else
			out[at] = '_';
		at += fits ? n : 1;
		p += n ? n : 1;
	}
	if (at == 0)
		out[at++] = '_';
	return at;
}

/* The template's own text is less than half of FG_TOPIC. */
void fg_topic_make(const char *template, const char *site, const char *source,
		   char out[FG_TOPIC])
{
	const char *level = template;
	size_t at = 0;

	for (;;) {
		size_t len = strcspn(level, "/");
		const char *name = is_level(level, len, "SITE")	    ? site
				   : is_level(level, len, "SOURCE") ? source
								    : NULL;

		if (at + LEVEL_MAX + len + 2 > FG_TOPIC)
			break;
		if (name) {
			at += put_name(out + at, name);
		} else {
			memcpy(out + at, level, len);
			at += len;
		}
		if (!level[len])
			break;
		out[at++] = '/';
		level += len + 1;
	}
	out[at] = '\0';
}
