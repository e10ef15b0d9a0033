/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame.c - finds the objects in a stream of bytes. */
#include "frame.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* netifyd's length headers are 14 to 22 bytes; a limit keeps blanks short. */
#define HEADER_MAX 64

/*
 * How much of a chunk joins what is kept, when it is not known how much the
 * object needs. What is read beyond it is read again in the chunk.
 */
#define JOIN 1024

static const char garbage[] = "no message begins here";
static const char broken[] = "message cut short or malformed";
static const char misfit[] = "length that does not fit its message";
static const char oversize[] = "message longer than limits.max_message";
static const char foreign[] = "object that is no message";

/*
 * The object that begins the window (what is kept, or the rest of the chunk)
 * has been checked as far as `checked`; if it is `whole`, only space may
 * follow, up to `want`.
 */
struct fg_frame {
	struct fg_frame_sink sink;
	size_t max;
	struct fg_check check;
	size_t checked;
	bool whole;
	bool discarding;  /* in an object that is too long to keep */
	size_t want;	  /* header and body, while a header is believed */
	const char *lost; /* why we look for an object; NULL: in step */
	size_t skipped;	  /* bytes of this run, not reported yet */
	size_t kept;
	char keep[];
};

int fg_frame_new(struct fg_frame **out, size_t max_message,
		 const struct fg_frame_sink *sink)
{
	struct fg_frame *f;

	if (max_message < HEADER_MAX || max_message > INT32_MAX)
		return -EINVAL;
	f = malloc(sizeof(*f) + max_message + HEADER_MAX);
	if (!f)
		return -ENOMEM;
	memset(f, 0, sizeof(*f));
	f->sink = *sink;
	f->max = max_message;
	*out = f;
	return 0;
}

void fg_frame_free(struct fg_frame *f)
{
	free(f);
}

/* ------------------------------------------------------------- skipping */

/* One run has one reason: the first. */
static size_t skip(struct fg_frame *f, const char *why, size_t bytes)
{
	if (!f->lost)
		f->lost = why;
	f->skipped += bytes;
	for (; f->skipped >= f->max; f->skipped -= f->max)
		f->sink.skipped(f->sink.ctx, f->lost, f->max);
	return bytes;
}

static void in_step(struct fg_frame *f)
{
	if (f->skipped)
		f->sink.skipped(f->sink.ctx, f->lost, f->skipped);
	f->skipped = 0;
	f->lost = NULL;
}

/* Skips n bytes and all that cannot begin an object. */
static size_t skip_to_brace(struct fg_frame *f, const char *why, const char *p,
			    size_t n, size_t len)
{
	const char *brace = memchr(p + n, '{', len - n);

	return skip(f, why, brace ? (size_t)(brace - p) : len);
}

/* -------------------------------------------------------------- framing */

static inline bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static size_t blanks(const char *p, size_t at, size_t len)
{
	while (at < len && (p[at] == ' ' || p[at] == '\t'))
		at++;
	return at;
}

/*
 * The length header at p: its size, with the line's end, and the length that
 * it gives (-1: none that could be one). 0: more bytes are needed to tell;
 * -ENOMSG: it is none.
 */
static int read_header(const char *p, size_t len, bool last, int64_t *length)
{
	static const char *const words[] = {"{", "\"length\"", ":"};
	size_t n = len < HEADER_MAX ? len : HEADER_MAX, at = 0, digits;
	int64_t v = 0;
	bool negative;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t size = strlen(words[i]);

		at = blanks(p, at, n);
		if (at + size > n) {
			if (memcmp(p + at, words[i], n - at) != 0)
				return -ENOMSG;
			goto more;
		}
		if (memcmp(p + at, words[i], size) != 0)
			return -ENOMSG;
		at += size;
	}
	at = blanks(p, at, n);
	negative = at < n && p[at] == '-';
	at += negative;
	for (digits = at; at < n && p[at] >= '0' && p[at] <= '9'; at++)
		v = v > INT32_MAX ? v : v * 10 + (p[at] - '0');
	if (at < n && at == digits)
		return -ENOMSG;
	at = blanks(p, at, n);
	if (at < n && p[at] != '}')
		return -ENOMSG;
	at++;
	if (at < n && p[at] == '\r')
		at++;
	if (at < n && p[at] == '\n')
		at++;
	else if (at >= n && !(last && at == n))
		goto more;
	*length = negative ? -1 : v;
	return (int)at;
more:
	return len < HEADER_MAX && !last ? 0 : -ENOMSG;
}

/* Goes on checking what begins at p, where it left off. */
static bool check(struct fg_frame *f, const char *p, size_t len)
{
	enum fg_checked checked;
	size_t used;

	if (f->whole)
		return true;
	if (!f->checked)
		fg_check_begin(&f->check);
	checked = fg_check_feed(&f->check, p + f->checked, len - f->checked,
				&used);
	f->checked += used;
	f->whole = checked == FG_CHECKED_WHOLE;
	return checked != FG_CHECKED_BAD;
}

/* An object without a length in front. */
static size_t bare(struct fg_frame *f, const char *p, size_t len, bool last)
{
	if (!check(f, p, len < f->max ? len : f->max))
		return skip_to_brace(f, broken, p, 1, len);
	if (f->whole) {
		switch (f->sink.object(f->sink.ctx, p, f->checked)) {
		case 0:
			in_step(f);
			return f->checked;
		case -ENOMSG:
			return skip(f, foreign, f->checked);
		}
		return skip_to_brace(f, broken, p, 1, len);
	}
	if (f->checked == f->max) {
		f->discarding = true;
		return skip(f, oversize, f->checked);
	}
	return last ? skip_to_brace(f, broken, p, 1, len) : 0;
}

/* What is here of the body could still become one whole object. */
static bool may_fit(struct fg_frame *f, const char *body, size_t len)
{
	if (!check(f, body, len))
		return false;
	while (f->whole && f->checked < len && is_space(body[f->checked]))
		f->checked++;
	return f->checked == len;
}

/*
 * An object with its length in front. When that turns out to be wrong, or the
 * header of another one, only the header is skipped: the body may be a message
 * all the same, or hold some.
 */
static size_t framed(struct fg_frame *f, const char *p, size_t len, bool last,
		     size_t header, int64_t length)
{
	const char *body = p + header;

	if (length > (int64_t)f->max)
		return skip(f, oversize, header);
	if (length < 2 || (len > header && *body != '{'))
		return skip(f, misfit, header);
	if (len - header < (size_t)length) {
		/*
		 * Looked at early, so that a length that is far too long does
		 * not hold up the messages which it swallows.
		 */
		if (last || !may_fit(f, body, len - header))
			return skip(f, misfit, header);
		f->want = header + (size_t)length;
		return 0;
	}
	switch (f->sink.object(f->sink.ctx, body, (size_t)length)) {
	case 0:
		in_step(f);
		return header + (size_t)length;
	case -ENOMSG:
		return skip(f, foreign, header + (size_t)length);
	}
	return skip(f, misfit, header);
}

/* Bytes of an object that is too long to keep, as far as they go. */
static size_t discard(struct fg_frame *f, const char *p, size_t len, bool last)
{
	enum fg_checked checked;
	size_t used;

	checked = fg_check_feed(&f->check, p, len, &used);
	f->discarding = checked == FG_CHECKED_PART && !last;
	return skip(f, oversize, used);
}

/* Uses up bytes at p, at least one; 0: more are needed (not when last). */
static size_t step(struct fg_frame *f, const char *p, size_t len, bool last)
{
	int64_t length;
	size_t used;
	int header;

	if (f->discarding) {
		used = discard(f, p, len, last);
		if (used)
			return used;
	}
	if (*p != '{') {
		if (f->lost || !is_space(*p))
			return skip_to_brace(f, garbage, p, 0, len);
		for (used = 1; used < len && is_space(p[used]);)
			used++;
		return used;
	}
	header = read_header(p, len, last, &length);
	if (header == 0)
		return 0;
	if (header < 0)
		return bare(f, p, len, last);
	return framed(f, p, len, last, (size_t)header, length);
}

static size_t run(struct fg_frame *f, const char *p, size_t len, bool last)
{
	size_t at = 0, used;

	while (at < len) {
		used = step(f, p + at, len - at, last);
		if (!used)
			break;
		at += used;
		f->checked = 0;
		f->whole = false;
		f->want = 0;
	}
	return at;
}

/* Adds from a chunk what the object that is kept in part may need. */
static size_t join(struct fg_frame *f, const char *bytes, size_t len)
{
	size_t room = f->max + HEADER_MAX - f->kept;
	size_t take = f->want ? f->want - f->kept : JOIN;

	if (take > room)
		take = room;
	if (take > len)
		take = len;
	memcpy(f->keep + f->kept, bytes, take);
	f->kept += take;
	return take;
}

void fg_frame_feed(struct fg_frame *f, const char *bytes, size_t len)
{
	size_t used, took;

	while (f->kept && len) {
		took = join(f, bytes, len);
		used = run(f, f->keep, f->kept, false);
		if (used >= f->kept - took) {
			/* what follows is all in the chunk: back to it */
			used -= f->kept - took;
			f->kept = 0;
			bytes += used;
			len -= used;
			break;
		}
		memmove(f->keep, f->keep + used, f->kept - used);
		f->kept -= used;
		bytes += took;
		len -= took;
	}
	if (!len)
		return;
	used = run(f, bytes, len, false);
	/* never too much: an object that is longer is being discarded */
	f->kept = len - used;
	memcpy(f->keep, bytes + used, f->kept);
}

void fg_frame_end(struct fg_frame *f)
{
	run(f, f->keep, f->kept, true);
	f->kept = 0;
	f->discarding = false;
	in_step(f);
}
