/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/mqtt/payload.c plugins/mqtt/recent.c */
/* LIBS: -lz */
/* test_mqtt_payload - gzip, whole and hostile; purges that are remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "../../plugins/mqtt/payload.h"
#include "../../plugins/mqtt/recent.h"

#define LIMIT (1u << 20)

struct fed {
	size_t len, calls, largest;
	char text[65536];
};

static void feed(void *ctx, const char *bytes, size_t len)
{
	struct fed *f = ctx;

	if (f->len + len <= sizeof(f->text))
		memcpy(f->text + f->len, bytes, len);
	f->len += len;
	f->calls++;
	if (len > f->largest)
		f->largest = len;
}

static size_t pack(const char *bytes, size_t len, char *out, size_t size)
{
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, 0), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)bytes;
	z.avail_in = (unsigned)len;
	z.next_out = (unsigned char *)out;
	z.avail_out = (unsigned)size;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	len = z.total_out;
	deflateEnd(&z);
	return len;
}

static int setup(void **state)
{
	struct fg_payload *p;

	if (fg_payload_new(&p, LIMIT) < 0)
		return -1;
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	fg_payload_free(*state);
	return 0;
}

static void test_plain(void **state)
{
	struct fed f = {0};

	assert_int_equal(fg_payload_read(*state, "{}", 2, feed, &f), 0);
	assert_int_equal(fg_payload_read(*state, "\x1f", 1, feed, &f), 0);
	assert_int_equal(fg_payload_read(*state, "", 0, feed, &f), 0);
	assert_memory_equal(f.text, "{}\x1f", 3);
	assert_int_equal(f.len, 3);
}

static void test_gzip(void **state)
{
	static char text[60000], packed[65536];
	struct fed f = {0};
	size_t len, one;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 % 251);
	len = pack(text, sizeof(text), packed, sizeof(packed));
	assert_int_equal(fg_payload_read(*state, packed, len, feed, &f), 0);
	assert_int_equal(f.len, sizeof(text));
	assert_memory_equal(f.text, text, sizeof(text));
	/* in pieces, however much there is */
	assert_in_range(f.largest, 1, 16384);

	/* several files in a row are one; the same reader, time and again */
	memset(&f, 0, sizeof(f));
	one = pack("abc", 3, packed, sizeof(packed));
	len = one + pack("def", 3, packed + one, sizeof(packed) - one);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fg_payload_read(*state, packed, len, feed, &f),
				 0);
	assert_memory_equal(f.text, "abcdefabcdefabcdef", 18);
	assert_int_equal(f.len, 18);
	/* none at all */
	len = pack("", 0, packed, sizeof(packed));
	assert_int_equal(fg_payload_read(*state, packed, len, feed, &f), 0);
	assert_int_equal(f.len, 18);
}

static void test_damaged(void **state)
{
	static char packed[4096], other[4096];
	const char *text = "{\"type\":\"flow\"} and more of the same kind";
	size_t len = pack(text, strlen(text), packed, sizeof(packed));
	struct fed f = {0};

	for (size_t cut = 2; cut < len; cut++)
		assert_int_equal(fg_payload_read(*state, packed, cut, feed, &f),
				 -EBADMSG);
	/* what is behind it must be another file */
	memcpy(other, packed, len);
	memcpy(other + len, "tail", 4);
	assert_int_equal(fg_payload_read(*state, other, len + 4, feed, &f),
			 -EBADMSG);
	/* each byte changed: read in another way, or not, and an end to it */
	for (size_t i = 2; i < len; i++) {
		memcpy(other, packed, len);
		other[i] = (char)(other[i] ^ 0x55);
		(void)fg_payload_read(*state, other, len, feed, &f);
	}
	assert_string_equal(fg_payload_why(-EBADMSG),
			    "gzip that is damaged or cut short");
}

/* 64 MiB in 64 KiB: no more than the limit is fed, in the same pieces. */
static void test_bomb(void **state)
{
	size_t size = 64u << 20, len;
	char *text = calloc(1, size), *packed = malloc(1u << 20);
	struct fed f = {0};

	assert_non_null(text);
	assert_non_null(packed);
	len = pack(text, size, packed, 1u << 20);
	assert_in_range(len, 1, 100000);
	assert_int_equal(fg_payload_read(*state, packed, len, feed, &f),
			 -EFBIG);
	assert_in_range(f.len, 1, LIMIT);
	assert_in_range(f.largest, 1, 16384);
	free(text);
	free(packed);
	assert_non_null(strstr(fg_payload_why(-EFBIG), "more than is allowed"));
}

/* ----------------------------------------------------------------- purges */

static struct fg_message say(enum fg_message_type type, uint8_t digest,
			     uint64_t first, uint64_t last)
{
	struct fg_message m = {
		.size = sizeof(m), .type = type, .digest_count = 1};

	memset(m.digest[0], digest, FG_DIGEST_SIZE);
	m.has[FG_ATTR_FIRST_SEEN / 64] |= UINT64_C(1)
					  << (FG_ATTR_FIRST_SEEN % 64);
	m.has[FG_ATTR_LAST_SEEN / 64] |= UINT64_C(1)
					 << (FG_ATTR_LAST_SEEN % 64);
	m.value[FG_ATTR_FIRST_SEEN].u = first;
	m.value[FG_ATTR_LAST_SEEN].u = last;
	return m;
}

static void test_purges(void **state)
{
	static const struct {
		uint32_t probe;
		uint8_t digest;
		uint64_t first, last;
		int64_t now;
		bool late;
	} cases[] = {
		{1, 7, 1000, 1999, 10, true},  /* said before the purge */
		{1, 7, 1000, 2000, 10, false}, /* not before */
		{1, 7, 1000, 2001, 10, false}, /* a member again */
		{1, 7, 999, 5000, 10, true},   /* of a connection before */
		{1, 7, 1001, 1500, 10, false}, /* of the next one */
		{2, 7, 1000, 1999, 10, false}, /* another probe's */
		{1, 8, 1000, 1999, 10, false}, /* another flow */
		{1, 7, 1000, 1999, 5 + FG_RECENT_MS + 1, false}, /* long ago */
	};
	struct fg_message m = say(FG_MESSAGE_FLOW_PURGE, 7, 1000, 2000);
	struct fg_recent *r;

	(void)state;
	assert_int_equal(fg_recent_new(&r, 42), 0);
	fg_recent_purged(r, 1, &m, 5);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		m = say(FG_MESSAGE_FLOW, cases[i].digest, cases[i].first,
			cases[i].last);
		assert_int_equal(
			fg_recent_is_late(r, cases[i].probe, &m, cases[i].now),
			cases[i].late);
	}
	/* one that does not say when is never late */
	memset(m.has, 0, sizeof(m.has));
	assert_false(fg_recent_is_late(r, 1, &m, 10));
	fg_recent_purged(r, 1, &m, 10);
	fg_recent_free(r);
}

/* A million purges: the youngest are remembered, and no memory is taken. */
static void test_many_purges(void **state)
{
	struct fg_recent *r;
	struct fg_message m;
	unsigned late = 0;

	(void)state;
	assert_int_equal(fg_recent_new(&r, 1), 0);
	for (uint32_t i = 0; i < 1000000; i++) {
		m = say(FG_MESSAGE_FLOW_PURGE, 1, 10, 20);
		memcpy(m.digest[0], &i, sizeof(i));
		fg_recent_purged(r, 3, &m, 1000 + i / 1000);
	}
	for (uint32_t i = 999000; i < 1000000; i++) {
		m = say(FG_MESSAGE_FLOW, 1, 10, 19);
		memcpy(m.digest[0], &i, sizeof(i));
		late += fg_recent_is_late(r, 3, &m, 2000);
	}
	assert_in_range(late, 990, 1000);
	fg_recent_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gzip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bomb, setup, teardown),
		cmocka_unit_test(test_purges),
		cmocka_unit_test(test_many_purges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
