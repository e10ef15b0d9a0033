/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_text.c - readers of text against those of the C library, which are as
 * strict where they are used here, and against what each promises.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

static void addresses(const char *p, size_t len)
{
	char copy[256], text[FG_ADDR_TEXT], mac_text[FG_MAC_TEXT];
	uint8_t addr[16] = {0}, want[16] = {0}, again[16], prefix, mac[6];
	int version = fg_addr_parse(p, len, addr);

	/* they would stop at a NUL, and glibc takes any number of zeros */
	if (len < FG_ADDR_TEXT && !memchr(p, '\0', len)) {
		memcpy(copy, p, len);
		copy[len] = '\0';
		CHECK((version == 4) == (inet_pton(AF_INET, copy, want) == 1));
		CHECK((version == 6) == (inet_pton(AF_INET6, copy, want) == 1));
		CHECK(!version || memcmp(addr, want, 16) == 0);
	}
	if (version) {
		fg_addr_format(version, addr, text);
		CHECK(fg_addr_parse(text, strlen(text), again) == version);
		CHECK(memcmp(addr, again, 16) == 0);
	}
	version = fg_prefix_parse(p, len, addr, &prefix);
	CHECK(!version || prefix <= (version == 4 ? 32 : 128));
	CHECK(!version || fg_prefix_match(addr, addr, prefix));
	if (fg_mac_parse(p, len, mac)) {
		fg_mac_format(mac, mac_text);
		CHECK(fg_mac_parse(mac_text, 17, again));
		CHECK(memcmp(mac, again, 6) == 0);
	}
}

static void numbers(const char *p, size_t len)
{
	uint64_t u, any;
	double real;

	if (fg_text_uint(p, len, &u)) {
		CHECK(fg_text_uint_any(p, len, &any) && any == u);
		for (size_t i = 0; i < len; i++)
			CHECK(p[i] >= '0' && p[i] <= '9');
	}
	/* neither NaN nor infinite */
	if (fg_text_real(p, len, &real))
		CHECK(real - real <= 0 && real - real >= 0);
}

static void texts(const char *p, size_t len, size_t room, bool escaped)
{
	struct fg_slice s = {p, (uint32_t)len, escaped ? FG_SLICE_ESCAPED : 0};
	char *out = malloc(room ? room : 1), *whole;
	size_t need = fg_text_decode(s, out, room), n;

	CHECK(need <= len + 2 || escaped);
	whole = malloc(need ? need : 1);
	CHECK(fg_text_decode(s, whole, need) == need);
	free(whole);
	n = fg_text_printable(s, out, room);
	CHECK(room ? n < room && out[n] == '\0' : n == 0);
	for (size_t i = 0; i < n; i++)
		CHECK((uint8_t)out[i] >= 0x20 && out[i] != 0x7f);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 2;
	uint8_t hex[4];

	if (size < 2 || size > 4096)
		return 0;
	size -= 2;
	addresses(p, size);
	numbers(p, size);
	texts(p, size, data[0], data[1] & 1);
	fg_text_hex(p, size, hex, sizeof(hex));
	fg_text_distance(p, size / 2, p + size / 2, size - size / 2);
	return 0;
}
