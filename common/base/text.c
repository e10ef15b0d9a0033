/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.c - slices, JSON escapes, numbers, and what text may do to a terminal.
 */
#include "text.h"

#include <float.h>
#include <limits.h>
#include <string.h>

bool fg_slice_is(struct fg_slice s, const char *text)
{
	size_t len = strlen(text);

	return s.len == len && (!len || memcmp(s.ptr, text, len) == 0);
}

static inline char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool fg_slice_is_nocase(struct fg_slice s, const char *text)
{
	uint32_t i;

	for (i = 0; i < s.len; i++)
		if (text[i] == '\0' || lower(s.ptr[i]) != lower(text[i]))
			return false;
	return text[i] == '\0';
}

/* ---------------------------------------------------------- characters */

/* One more than the digit; 0: none. */
static const uint8_t hex[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int fg_hex_digit(char c)
{
	return hex[(uint8_t)c] - 1;
}

/* \uXXXX at p; -1 when it is none. */
static int32_t unicode_escape(const char *p, const char *end)
{
	int32_t v = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int d = fg_hex_digit(p[i]);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

size_t fg_text_char(const char *p, const char *end, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = (uint8_t)*p;
	size_t len;
	uint32_t c;

	if (first < 0x80) {
		*out = first;
		return 1;
	}
	if (first < 0xc2 || first > 0xf4)
		return 0;
	len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if ((size_t)(end - p) < len)
		return 0;
	c = first & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (((uint8_t)p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((uint8_t)p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return len;
}

/*
 * The escape at p, as UTF-8 in out. Returns how many bytes of text it was. A
 * backslash that begins no escape (the parser refuses those) is itself.
 */
static size_t unescape(const char *p, const char *end, char out[4],
		       size_t *out_len)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *simple;
	int32_t c, low;

	*out_len = 1;
	if (end - p >= 2 && p[1] != '\0') {
		simple = strchr(from, p[1]);
		if (simple) {
			out[0] = to[simple - from];
			return 2;
		}
	}
	c = unicode_escape(p, end);
	if (c < 0) {
		out[0] = *p;
		return 1;
	}
	if (c >= 0xd800 && c < 0xdc00) {
		low = unicode_escape(p + 6, end);
		if (low >= 0xdc00 && low <= 0xdfff) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			*out_len = put_utf8(out, (uint32_t)c);
			return 12;
		}
	}
	/* a NUL would end the text for whoever reads it as a C string */
	if (c == 0 || (c >= 0xd800 && c <= 0xdfff))
		c = 0xfffd;
	*out_len = put_utf8(out, (uint32_t)c);
	return 6;
}

/*
 * The next character of a slice, escapes taken out: up to four bytes in *c,
 * valid UTF-8 or one byte that is not (then *code is UINT32_MAX).
 */
static size_t next_char(const char **p, const char *end, bool escaped,
			char buf[4], const char **c, uint32_t *code)
{
	size_t len;

	if (escaped && **p == '\\') {
		*p += unescape(*p, end, buf, &len);
		*c = buf;
		fg_text_char(buf, buf + len, code);
		return len;
	}
	*c = *p;
	len = fg_text_char(*p, end, code);
	if (!len) {
		*code = UINT32_MAX;
		len = 1;
	}
	*p += len;
	return len;
}

size_t fg_text_decode(struct fg_slice in, char *out, size_t size)
{
	const char *p = in.len ? in.ptr : "", *end = p + in.len, *c;
	bool escaped = in.flags & FG_SLICE_ESCAPED;
	size_t need = 0, len;
	uint32_t code;
	char buf[4];

	/* the usual case, in one copy */
	if (!escaped && in.len <= size) {
		if (in.len)
			memcpy(out, in.ptr, in.len);
		return in.len;
	}
	while (p < end) {
		len = next_char(&p, end, escaped, buf, &c, &code);
		/* once full, nothing shorter may follow */
		if (need + len > size)
			size = 0;
		else
			memcpy(out + need, c, len);
		need += len;
	}
	return need;
}

bool fg_text_shows(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	if (c < 0x600)
		return true;
	return c != 0x61c && c != 0x200e && c != 0x200f &&
	       !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) &&
	       c != UINT32_MAX;
}

size_t fg_text_printable(struct fg_slice in, char *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = in.len ? in.ptr : "", *end = p + in.len, *c;
	bool escaped = in.flags & FG_SLICE_ESCAPED;
	size_t n = 0, len;
	uint32_t code;
	char buf[4];

	if (size == 0)
		return 0;
	while (p < end) {
		len = next_char(&p, end, escaped, buf, &c, &code);
		if (fg_text_shows(code)) {
			if (n + len >= size)
				break;
			memcpy(out + n, c, len);
			n += len;
			continue;
		}
		if (n + 4 * len >= size)
			break;
		for (size_t i = 0; i < len; i++) {
			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = digits[(uint8_t)c[i] >> 4];
			out[n++] = digits[(uint8_t)c[i] & 15];
		}
	}
	out[n] = '\0';
	return n;
}

size_t fg_text_json(struct fg_slice in, char *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = in.len ? in.ptr : "", *end = p + in.len, *c;
	bool escaped = in.flags & FG_SLICE_ESCAPED;
	char buf[4], as[6] = "\\u";
	size_t need = 0, len;
	uint32_t code;

	if (size)
		out[0] = '"';
	need = 1;
	while (p < end) {
		len = next_char(&p, end, escaped, buf, &c, &code);
		if (code == UINT32_MAX) {
			c = "\xef\xbf\xbd";
			len = 3;
		} else if (code == '"' || code == '\\') {
			as[1] = (char)code;
			c = as;
			len = 2;
		} else if (!fg_text_shows(code)) {
			as[1] = 'u';
			for (unsigned i = 0; i < 4; i++)
				as[5 - i] = digits[code >> 4 * i & 15];
			c = as;
			len = 6;
		}
		/* once full, nothing shorter may follow */
		if (need + len > size)
			size = 0;
		else
			memcpy(out + need, c, len);
		need += len;
	}
	if (need < size)
		out[need] = '"';
	return need + 1;
}

/* ------------------------------------------------------------- numbers */

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool fg_text_uint(const char *p, size_t len, uint64_t *out)
{
	uint64_t v = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned d = (unsigned)(p[i] - '0');

		if (!is_digit(p[i]))
			return false;
		v = v > (UINT64_MAX - d) / 10 ? UINT64_MAX : v * 10 + d;
	}
	*out = v;
	return true;
}

bool fg_text_uint_any(const char *p, size_t len, uint64_t *out)
{
	uint64_t v = 0;

	if (len < 2 || p[0] != '0' || (p[1] | 0x20) != 'x')
		return fg_text_uint(p, len, out);
	if (len == 2)
		return false;
	for (size_t i = 2; i < len; i++) {
		int d = fg_hex_digit(p[i]);

		if (d < 0)
			return false;
		v = v >> 60 ? UINT64_MAX : v << 4 | (unsigned)d;
	}
	*out = v;
	return true;
}

/*
 * m * 10^e. One rounding (correct) where both are exact in a double, which is
 * every number that an agent writes; a few more beyond.
 */
static double scale10(uint64_t m, int e)
{
	static const double ten[] = {1e0,  1e1,	 1e2,  1e3,  1e4,  1e5,
				     1e6,  1e7,	 1e8,  1e9,  1e10, 1e11,
				     1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
				     1e18, 1e19, 1e20, 1e21, 1e22};
	double v = (double)m;

	/* beyond 10^400 it is the largest or zero, whatever the digits */
	if (e > 400)
		e = 400;
	if (e < -400)
		e = -400;
	for (; e > 0; e -= e < 22 ? e : 22)
		v *= ten[e < 22 ? e : 22];
	for (; e<0; e += e> - 22 ? -e : 22)
		v /= ten[e > -22 ? -e : 22];
	return v > DBL_MAX ? DBL_MAX : v;
}

bool fg_text_real(const char *p, size_t len, double *out)
{
	const char *end = p + len, *word;
	uint64_t m = 0;
	int64_t e = 0;
	bool negative = false, down = false;

	if (p < end && *p == '-') {
		negative = true;
		p++;
	}
	word = p;
	for (; p < end && is_digit(*p); p++) {
		/* 19 digits always fit; the rest is below a double's */
		if (m < UINT64_MAX / 10 - 1)
			m = m * 10 + (unsigned)(*p - '0');
		else
			e++;
	}
	if (p == word || (*word == '0' && p - word > 1))
		return false;
	if (p < end && *p == '.') {
		word = ++p;
		for (; p < end && is_digit(*p); p++) {
			if (m >= UINT64_MAX / 10 - 1)
				continue;
			m = m * 10 + (unsigned)(*p - '0');
			e--;
		}
		if (p == word)
			return false;
	}
	if (p < end && (*p | 0x20) == 'e') {
		int64_t x = 0;

		p++;
		if (p < end && (*p == '+' || *p == '-'))
			down = *p++ == '-';
		word = p;
		for (; p < end && is_digit(*p); p++)
			if (x < INT32_MAX)
				x = x * 10 + (*p - '0');
		if (p == word)
			return false;
		e += down ? -x : x;
	}
	if (p != end)
		return false;
	if (e > INT_MAX)
		e = INT_MAX;
	if (e < INT_MIN)
		e = INT_MIN;
	*out = m ? scale10(m, (int)e) : 0;
	if (negative)
		*out = -*out;
	return true;
}

bool fg_text_hex(const char *p, size_t len, uint8_t *out, size_t n)
{
	unsigned wrong = 0;

	if (len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned hi = hex[(uint8_t)p[2 * i]] - 1u;
		unsigned lo = hex[(uint8_t)p[2 * i + 1]] - 1u;

		wrong |= hi | lo;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return wrong < 16;
}

/* --------------------------------------------------------- near misses */

#define WORD_MAX 64

static bool same_nocase(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

static bool is_alnum(char c)
{
	c = lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Is word the first or last part of other, such as "vpn" of "vpn-and-proxy"? */
static bool is_part(const char *word, size_t len, const char *other,
		    size_t other_len)
{
	const char *last;

	if (len < 3 || other_len < len + 2)
		return false;
	last = other + other_len - len;
	return (!is_alnum(other[len]) && same_nocase(word, other, len)) ||
	       (!is_alnum(last[-1]) && same_nocase(word, last, len));
}

unsigned fg_text_distance(const char *word, size_t len, const char *other,
			  size_t other_len)
{
	/* the row above the last, the last, and the one in work */
	uint8_t rows[3][WORD_MAX + 1];
	uint8_t *above = rows[0], *last = rows[1], *row = rows[2];
	size_t limit = (len + 2) / 3;

	if (is_part(word, len, other, other_len))
		return (unsigned)limit;
	if (len > WORD_MAX || other_len > WORD_MAX || len > other_len + limit ||
	    other_len > len + limit)
		return UINT_MAX;
	for (size_t j = 0; j <= other_len; j++)
		last[j] = (uint8_t)j;
	for (size_t i = 1; i <= len; i++) {
		char a = lower(word[i - 1]);
		uint8_t *oldest = above;

		row[0] = (uint8_t)i;
		for (size_t j = 1; j <= other_len; j++) {
			char b = lower(other[j - 1]);
			uint8_t best = last[j - 1] + (a != b);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a == lower(other[j - 2]) &&
			    b == lower(word[i - 2]) && above[j - 2] + 1 < best)
				best = above[j - 2] + 1;
			row[j] = best;
		}
		above = last;
		last = row;
		row = oldest;
	}
	/* a one-letter word is not one letter away from all others */
	if (last[other_len] > limit || (len && last[other_len] >= len))
		return UINT_MAX;
	return last[other_len];
}

const char *fg_text_nearest(const char *word, size_t len,
			    const char *const *candidates, size_t n)
{
	const char *nearest = NULL;
	unsigned least = UINT_MAX, d;

	for (size_t i = 0; i < n; i++) {
		if (!candidates[i])
			continue;
		d = fg_text_distance(word, len, candidates[i],
				     strlen(candidates[i]));
		if (d < least) {
			least = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}
