/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr.c - reading and writing of IP and MAC addresses, by hand: the hot path
 * reads two addresses and two MACs a message out of text without a NUL. */
#include "addr.h"
#include "text.h"

#include <string.h>

static bool parse4(const char *p, size_t len, uint8_t out[4])
{
	const char *end = p + len;

	for (int i = 0; i < 4; i++) {
		unsigned v = 0;
		int digits = 0;

		if (i > 0 && (p == end || *p++ != '.'))
			return false;
		for (; p < end && *p >= '0' && *p <= '9'; p++) {
			/* "010" is 8 to some readers: refuse it */
			if (digits++ && v == 0)
				return false;
			v = v * 10 + (unsigned)(*p - '0');
			if (v > 255)
				return false;
		}
		if (!digits)
			return false;
		out[i] = (uint8_t)v;
	}
	return p == end;
}

static bool parse6(const char *p, size_t len, uint8_t out[16])
{
	const char *end = p + len;
	size_t n = 0, gap = SIZE_MAX;

	if (len >= 2 && p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	while (p < end) {
		const char *word = p;
		unsigned v = 0;

		if (n == 16)
			return false;
		for (; p < end; p++) {
			int digit = fg_hex_digit(*p);

			if (digit < 0)
				break;
			if (p - word == 4)
				return false;
			v = v << 4 | (unsigned)digit;
		}
		if (p < end && *p == '.') {
			if (n > 12 ||
			    !parse4(word, (size_t)(end - word), out + n))
				return false;
			n += 4;
			break;
		}
		if (p == word)
			return false;
		out[n++] = (uint8_t)(v >> 8);
		out[n++] = (uint8_t)v;
		if (p == end)
			break;
		if (*p++ != ':' || p == end)
			return false;
		if (*p == ':') {
			if (gap != SIZE_MAX)
				return false;
			gap = n;
			p++;
		}
	}
	if (gap == SIZE_MAX)
		return n == 16;
	/* "::" stands for at least one group */
	if (n > 14)
		return false;
	memmove(out + 16 - (n - gap), out + gap, n - gap);
	memset(out + gap, 0, 16 - n);
	return true;
}

int fg_addr_parse(const char *p, size_t len, uint8_t out[16])
{
	uint8_t addr[16] = {0};
	int version;

	if (len >= FG_ADDR_TEXT)
		return 0;
	if (parse4(p, len, addr)) {
		version = 4;
	} else if (parse6(p, len, addr)) {
		version = 6;
	} else {
		return 0;
	}
	memcpy(out, addr, sizeof(addr));
	return version;
}

static char *put_decimal(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

static char *put4(char *p, const uint8_t *addr)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*p++ = '.';
		p = put_decimal(p, addr[i]);
	}
	return p;
}

static const char hex_digits[] = "0123456789abcdef";

static char *put_group(char *p, unsigned v)
{
	for (int shift = 12; shift >= 0; shift -= 4)
		if (v >> shift || shift == 0)
			*p++ = hex_digits[v >> shift & 15];
	return p;
}

static char *put6(char *p, const uint8_t *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	int best = -1, best_len = 1;

	if (memcmp(addr, mapped, sizeof(mapped)) == 0)
		return put4(stpcpy(p, "::ffff:"), addr + 12);
	for (int i = 0, run = 0; i < 8; i++) {
		run = addr[2 * i] || addr[2 * i + 1] ? 0 : run + 1;
		if (run > best_len) {
			best_len = run;
			best = i - run + 1;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			*p++ = ':';
			i += best_len - 1;
			if (i == 7)
				*p++ = ':';
			continue;
		}
		if (i)
			*p++ = ':';
		p = put_group(p, (unsigned)addr[2 * i] << 8 | addr[2 * i + 1]);
	}
	return p;
}

const char *fg_addr_format(int version, const uint8_t addr[16],
			   char text[FG_ADDR_TEXT])
{
	char *p = text;

	if (version == 4)
		p = put4(p, addr);
	else if (version == 6)
		p = put6(p, addr);
	else
		*p++ = '-';
	*p = '\0';
	return text;
}

int fg_prefix_parse(const char *p, size_t len, uint8_t out[16], uint8_t *prefix)
{
	const char *slash = memchr(p, '/', len);
	size_t head = slash ? (size_t)(slash - p) : len;
	uint8_t addr[16];
	uint64_t bits, max;
	int version;

	version = fg_addr_parse(p, head, addr);
	if (!version)
		return 0;
	max = version == 4 ? 32 : 128;
	bits = max;
	if (slash) {
		size_t n = len - head - 1;

		if (!fg_text_uint(slash + 1, n, &bits) || bits > max || n > 3 ||
		    (n > 1 && slash[1] == '0'))
			return 0;
	}
	memcpy(out, addr, sizeof(addr));
	*prefix = (uint8_t)bits;
	return version;
}

bool fg_prefix_match(const uint8_t a[16], const uint8_t b[16], uint8_t prefix)
{
	unsigned bits = prefix < 128 ? prefix : 128;
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

bool fg_mac_parse(const char *p, size_t len, uint8_t out[6])
{
	char digits[12];
	uint8_t mac[6];

	if (len != 17 || (p[2] != ':' && p[2] != '-'))
		return false;
	for (int i = 0; i < 6; i++) {
		if (i && p[3 * i - 1] != p[2])
			return false;
		digits[2 * i] = p[3 * i];
		digits[2 * i + 1] = p[3 * i + 1];
	}
	if (!fg_text_hex(digits, sizeof(digits), mac, sizeof(mac)))
		return false;
	memcpy(out, mac, sizeof(mac));
	return true;
}

const char *fg_mac_format(const uint8_t mac[6], char text[FG_MAC_TEXT])
{
	char *p = text;

	for (int i = 0; i < 6; i++) {
		if (i)
			*p++ = ':';
		*p++ = hex_digits[mac[i] >> 4];
		*p++ = hex_digits[mac[i] & 15];
	}
	*p = '\0';
	return text;
}
