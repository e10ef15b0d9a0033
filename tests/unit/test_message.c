/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd tests/fuzz/reference.c */
/*
 * test_message - values by kind, what versions write differently, refusals;
 * and every recorded message, whole and damaged, read another way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/netifyd/check.h"
#include "../../plugins/netifyd/frame.h"
#include "../../plugins/netifyd/key.h"
#include "../../plugins/netifyd/names.h"
#include "../fuzz/reference.h"
#include "base/text.h"

#define DIGEST "0123456789abcdef0123456789ABCDEF01234567"
#define OTHER  "ffffffffffffffffffffffffffffffffffffffff"

static struct fg_reader *reader(void)
{
	struct fg_reader *r;

	assert_int_equal(fg_reader_new(&r, 65536), 0);
	return r;
}

/* Read, and by the reference too. */
static int read_text(struct fg_reader *r, const char *text,
		     const struct fg_message **m)
{
	const char *why;
	int result;

	why = reference_compare(r, text, strlen(text), &result);
	if (why)
		fail_msg("%s: %s", text, why);
	return fg_message_read(r, text, strlen(text), m);
}

/* A value as text: "" when the message has none. */
static void show(const struct fg_message *m, enum fg_attr attr, char *out,
		 size_t size)
{
	static const uint8_t kinds[] = {
#define KIND(name, path, kind, store) FG_KIND_##kind,
		FG_ATTRIBUTES(KIND)
#undef KIND
	};
	const union fg_value *v = &m->value[attr];
	char text[FG_ADDR_TEXT];

	*out = '\0';
	if (!fg_message_has(m, attr))
		return;
	switch (kinds[attr]) {
	case FG_KIND_REAL:
		snprintf(out, size, "%g", v->r);
		break;
	case FG_KIND_TEXT:
	case FG_KIND_LIST:
		snprintf(out, size, "%.*s%s", (int)v->text.len, v->text.ptr,
			 v->text.flags & FG_SLICE_ESCAPED ? " (escaped)" : "");
		break;
	case FG_KIND_ADDR:
		/* IPv4 when only the first four bytes are there */
		fg_addr_format(
			memcmp(v->addr + 4, "\0\0\0\0\0\0\0\0\0\0\0\0", 12) ? 6
									    : 4,
			v->addr, text);
		snprintf(out, size, "%s", text);
		break;
	case FG_KIND_MAC:
		fg_mac_format(v->mac, text);
		snprintf(out, size, "%s", text);
		break;
	default:
		snprintf(out, size, "%llu", (unsigned long long)v->u);
	}
}

static void values(void **state)
{
	static const struct {
		const char *flow; /* what is in the flow beside the digest */
		enum fg_attr attr;
		const char *want;
		const char *why;
	} tests[] = {
		{"\"local_port\":443", FG_ATTR_LOCAL_PORT, "443", "number"},
		{"\"local_port\" : 443 ", FG_ATTR_LOCAL_PORT, "443", "blanks"},
		{"\"local_port\":0", FG_ATTR_LOCAL_PORT, "0", "zero is there"},
		{"\"local_port\":-1", FG_ATTR_LOCAL_PORT, "", "a sign"},
		{"\"local_port\":1.5", FG_ATTR_LOCAL_PORT, "", "a fraction"},
		{"\"local_port\":1e3", FG_ATTR_LOCAL_PORT, "", "an exponent"},
		{"\"local_port\":\"443\"", FG_ATTR_LOCAL_PORT, "", "text"},
		{"\"local_port\":null", FG_ATTR_LOCAL_PORT, "", "null"},
		{"\"local_port\":true", FG_ATTR_LOCAL_PORT, "", "a bool"},
		{"\"local_port\":[443]", FG_ATTR_LOCAL_PORT, "", "a list"},
		{"\"local_port\":{\"a\":1}", FG_ATTR_LOCAL_PORT, "",
		 "an object"},
		{"\"local_port\":1,\"local_port\":1", FG_ATTR_LOCAL_PORT, "",
		 "twice"},
		{"\"local_port\":1,\"local_port\":1,\"local_port\":1",
		 FG_ATTR_LOCAL_PORT, "", "three times"},
		{"\"local_port\":\"x\",\"local_port\":1", FG_ATTR_LOCAL_PORT,
		 "", "twice, once of another kind"},
		{"\"total_bytes\":18446744073709551615", FG_ATTR_TOTAL_BYTES,
		 "18446744073709551615", "the largest"},
		{"\"total_bytes\":18446744073709551616", FG_ATTR_TOTAL_BYTES,
		 "18446744073709551615", "one more is capped"},
		{"\"total_bytes\":10000000000000000000000000000",
		 FG_ATTR_TOTAL_BYTES, "18446744073709551615", "much more"},
		{"\"ip_nat\":true", FG_ATTR_IP_NAT, "1", "true"},
		{"\"ip_nat\":false", FG_ATTR_IP_NAT, "0", "false is there"},
		{"\"detection_guessed\":0", FG_ATTR_DETECTION_GUESSED, "0",
		 "v3: a number"},
		{"\"detection_guessed\":1", FG_ATTR_DETECTION_GUESSED, "1",
		 "v3: a number"},
		{"\"detection_guessed\":2", FG_ATTR_DETECTION_GUESSED, "1",
		 "any number but 0"},
		{"\"ip_nat\":\"true\"", FG_ATTR_IP_NAT, "", "text"},
		{"\"local_rate\":1959.5", FG_ATTR_LOCAL_RATE, "1959.5",
		 "a fraction"},
		{"\"local_rate\":3", FG_ATTR_LOCAL_RATE, "3", "none"},
		{"\"local_rate\":-1.5e3", FG_ATTR_LOCAL_RATE, "-1500", "all"},
		{"\"local_rate\":\"3\"", FG_ATTR_LOCAL_RATE, "", "text"},
		{"\"ssl\":{\"version\":\"0x0303\"}", FG_ATTR_TLS_VERSION, "771",
		 "hexadecimal text"},
		{"\"ssl\":{\"version\":771}", FG_ATTR_TLS_VERSION, "771",
		 "or a number"},
		{"\"ssl\":{\"version\":\"TLS\"}", FG_ATTR_TLS_VERSION, "",
		 "other text"},
		{"\"host_server_name\":\"www.example.com\"",
		 FG_ATTR_HOST_SERVER_NAME, "www.example.com", "text"},
		{"\"host_server_name\":\"\"", FG_ATTR_HOST_SERVER_NAME, "",
		 "empty text"},
		{"\"http\":{\"url\":\"/a\\\\b\\\"c\\u00e4\"}", FG_ATTR_HTTP_URL,
		 "/a\\\\b\\\"c\\u00e4 (escaped)",
		 "escapes stay, and are told of"},
		{"\"host_server_name\":5", FG_ATTR_HOST_SERVER_NAME, "",
		 "a number"},
		{"\"local_ip\":\"192.0.2.1\"", FG_ATTR_LOCAL_IP, "192.0.2.1",
		 "IPv4"},
		{"\"local_ip\":\"2001:db8::1\"", FG_ATTR_LOCAL_IP,
		 "2001:db8::1", "IPv6"},
		{"\"local_ip\":\"192.0.2.256\"", FG_ATTR_LOCAL_IP, "", "none"},
		{"\"local_ip\":\"\"", FG_ATTR_LOCAL_IP, "", "empty"},
		{"\"local_mac\":\"02:00:5E:00:53:01\"", FG_ATTR_LOCAL_MAC,
		 "02:00:5e:00:53:01", "MAC"},
		{"\"local_mac\":\"02:00:5e:00:53\"", FG_ATTR_LOCAL_MAC, "",
		 "too short"},
		{"\"other_type\":\"unknown\"", FG_ATTR_OTHER_TYPE, "0", ""},
		{"\"other_type\":\"local\"", FG_ATTR_OTHER_TYPE, "1", ""},
		{"\"other_type\":\"remote\"", FG_ATTR_OTHER_TYPE, "2", ""},
		{"\"other_type\":\"multicast\"", FG_ATTR_OTHER_TYPE, "3", ""},
		{"\"other_type\":\"broadcast\"", FG_ATTR_OTHER_TYPE, "4", ""},
		{"\"other_type\":\"unsupported\"", FG_ATTR_OTHER_TYPE, "5", ""},
		{"\"other_type\":\"error\"", FG_ATTR_OTHER_TYPE, "6", ""},
		{"\"other_type\":\"remotely\"", FG_ATTR_OTHER_TYPE, "",
		 "a word that is not known"},
		{"\"ssl\":{\"alpn\":[\"h2\",\"http/1.1\"]}", FG_ATTR_TLS_ALPN,
		 "[\"h2\",\"http/1.1\"]", "a list, as it is"},
		{"\"tags\":[]", FG_ATTR_TAGS, "[]", "an empty list"},
		{"\"tags\":[[{\"local_port\":1}],2]", FG_ATTR_TAGS,
		 "[[{\"local_port\":1}],2]", "a list of anything"},
		{"\"tags\":[[{\"local_port\":1}],2]", FG_ATTR_LOCAL_PORT, "",
		 "a key elsewhere is another one"},
		{"\"x\":{\"local_port\":1}", FG_ATTR_LOCAL_PORT, "",
		 "a key elsewhere is another one"},
		{"\"tags\":\"a\"", FG_ATTR_TAGS, "", "text"},
		{"\"tags\":{}", FG_ATTR_TAGS, "", "an object"},
		{"\"detected_application_name\":\"133.netify.netflix\"",
		 FG_ATTR_APPLICATION_NAME, "netify.netflix", "v3"},
		{"\"detected_application_name\":\"netify.netflix\"",
		 FG_ATTR_APPLICATION_NAME, "netify.netflix", "v4, v5"},
		{"\"detected_application_name\":\"9gag\"",
		 FG_ATTR_APPLICATION_NAME, "9gag", "a digit of its own"},
		{"\"detected_application_name\":\"133.\"",
		 FG_ATTR_APPLICATION_NAME, "133.", "nothing would be left"},
		{"\"ssdp\":{\"user-agent\":\"a\"}", FG_ATTR_SSDP_USER_AGENT,
		 "a", "v4"},
		{"\"ssdp\":{\"user_agent\":\"a\"}", FG_ATTR_SSDP_USER_AGENT,
		 "a", "v5"},
		{"\"gtp\":{\"other_type\":\"remote\"}", FG_ATTR_GTP_OTHER_TYPE,
		 "2", "the tunnel's"},
		{"\"gtp\":{\"other_type\":\"remote\"}", FG_ATTR_OTHER_TYPE, "",
		 "not the flow's"},
		{"\"conntrack\":{\"reply_dst_ip\":\"192.0.2.9\"}",
		 FG_ATTR_REPLY_DST_IP, "192.0.2.9", "two objects down"},
		{"\"unknown\":[1,{\"a\":null}],\"vlan_id\":7", FG_ATTR_VLAN_ID,
		 "7", "behind what nobody knows"},
		{"\"a_key_that_is_much_longer_than_any_that_is_known\":1,"
		 "\"vlan_id\":7",
		 FG_ATTR_VLAN_ID, "7", "behind a long key"},
		{"\"\":1,\"vlan_id\":7", FG_ATTR_VLAN_ID, "7", "an empty key"},
	};
	struct fg_reader *r = reader();
	const struct fg_message *m;
	char text[600], got[200];

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		/* before and behind the digest; keys come in any order */
		for (int before = 0; before < 2; before++) {
			snprintf(text, sizeof(text),
				 before ? "{\"flow\":{%s,\"digest\":\"%s\"},"
					  "\"type\":\"flow\"}"
					: "{\"type\":\"flow\",\"flow\":"
					  "{\"digest\":\"%2$s\",%1$s}}",
				 tests[i].flow, DIGEST);
			assert_int_equal(read_text(r, text, &m), 0);
			show(m, tests[i].attr, got, sizeof(got));
			if (strcmp(got, tests[i].want) != 0)
				fail_msg("%s (%s): got \"%s\"", tests[i].flow,
					 tests[i].why, got);
			assert_int_equal(m->digest_count, 1);
			assert_int_equal(m->digest[0][7], 0xef);
		}
	}
	fg_reader_free(r);
}

/* What is guessed from the message before is still checked. */
static void guesses(void **state)
{
	static const char *const texts[] = {
		"{\"gtp\":{\"version\":1,\"local_ip\":\"192.0.2.1\"},",
		/* the same keys in a row, the second in another object */
		"{\"gtp\":{\"version\":1},\"local_ip\":\"192.0.2.2\",",
		"{\"gtp\":{\"version\":1,\"local_ip\":\"192.0.2.1\"},",
		/* and now one is known to follow, another one before it */
		"{\"gtp\":{\"version\":1},\"local_port\":1,",
		"{\"gtp\":{\"version\":1},\"local_ip\":\"192.0.2.2\",",
		"{\"gtp\":{\"version\":1,\"local_port\":1},\"vlan_id\":1,",
	};
	static const enum fg_attr attrs[] = {
		FG_ATTR_GTP_LOCAL_IP,	FG_ATTR_LOCAL_IP,
		FG_ATTR_GTP_LOCAL_IP,	FG_ATTR_LOCAL_PORT,
		FG_ATTR_LOCAL_IP,	FG_ATTR_GTP_LOCAL_PORT,
	};
	struct fg_reader *r = reader();
	const struct fg_message *m;
	char text[300];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		static const enum fg_attr all[] = {
			FG_ATTR_LOCAL_IP, FG_ATTR_GTP_LOCAL_IP,
			FG_ATTR_LOCAL_PORT, FG_ATTR_GTP_LOCAL_PORT};

		snprintf(text, sizeof(text),
			 "{\"flow\":%s\"digest\":\"" DIGEST
			 "\"},\"type\":\"flow\"}",
			 texts[i]);
		assert_int_equal(read_text(r, text, &m), 0);
		for (size_t a = 0; a < sizeof(all) / sizeof(*all); a++)
			assert_int_equal(fg_message_has(m, all[a]),
					 all[a] == attrs[i]);
	}
	fg_reader_free(r);
}

static void top_level(void **state)
{
	static const struct {
		const char *text;
		enum fg_attr attr;
		const char *want;
	} tests[] = {
		{"{\"agent_version\":3.07,\"type\":\"agent_hello\"}",
		 FG_ATTR_AGENT_VERSION, "3.07"},
		{"{\"agent_version\":\"4.4.7\",\"type\":\"agent_hello\"}",
		 FG_ATTR_AGENT_VERSION, "4.4.7"},
		{"{\"json_version\":1.9,\"type\":\"agent_hello\"}",
		 FG_ATTR_JSON_VERSION, "1.9"},
		{"{\"type\":\"agent_status\",\"uptime\":7}", FG_ATTR_UPTIME,
		 "7"},
		{"{\"interface\":\"eth0\",\"type\":\"x\"}", FG_ATTR_INTERFACE,
		 "eth0"},
		{"{\"internal\":true,\"type\":\"x\"}", FG_ATTR_INTERNAL, "1"},
		{"{\"reason\":\"expired\",\"type\":\"x\"}", FG_ATTR_REASON,
		 "expired"},
	};
	struct fg_reader *r = reader();
	const struct fg_message *m;
	char got[100];

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		assert_int_equal(read_text(r, tests[i].text, &m), 0);
		show(m, tests[i].attr, got, sizeof(got));
		assert_string_equal(got, tests[i].want);
	}
	fg_reader_free(r);
}

static void types(void **state)
{
	static const struct {
		const char *name;
		enum fg_message_type type;
	} tests[] = {
		{"agent_hello", FG_MESSAGE_AGENT_HELLO},
		{"agent_status", FG_MESSAGE_AGENT_STATUS},
		{"definitions", FG_MESSAGE_DEFINITIONS},
		{"protocols", FG_MESSAGE_PROTOCOLS},
		{"flow", FG_MESSAGE_FLOW},
		{"flow_dpi_update", FG_MESSAGE_FLOW_DPI_UPDATE},
		{"flow_dpi_complete", FG_MESSAGE_FLOW_DPI_COMPLETE},
		{"flow_stats", FG_MESSAGE_FLOW_STATS},
		{"flow_purge", FG_MESSAGE_FLOW_PURGE},
		{"flow_", FG_MESSAGE_OTHER},
		{"flo", FG_MESSAGE_OTHER},
		{"global_stats", FG_MESSAGE_OTHER},
	};
	struct fg_reader *r = reader();
	const struct fg_message *m;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		snprintf(text, sizeof(text),
			 "{\"flow\":{\"digest\":\"" DIGEST
			 "\"},\"type\":\"%s\"} \n",
			 tests[i].name);
		assert_int_equal(read_text(r, text, &m), 0);
		assert_int_equal(m->type, tests[i].type);
		assert_true(fg_slice_is(m->type_name, tests[i].name));
		/* the object, without the space behind it */
		assert_int_equal(m->text.len, strlen(text) - 2);
	}
	fg_reader_free(r);
}

static void refusals(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *why;
	} tests[] = {
		{"", -EBADMSG, "nothing"},
		{" ", -EBADMSG, "a blank"},
		{"{", -EBADMSG, "an opening brace"},
		{"}", -EBADMSG, "a closing one"},
		{"{}", -ENOMSG, "empty"},
		{" {}", -EBADMSG, "does not begin with the object"},
		{"{} {}", -EBADMSG, "two"},
		{"{\"type\":\"x\"}x", -EBADMSG, "something behind it"},
		{"{\"type\":\"x\"}}", -EBADMSG, "a brace behind it"},
		{"{\"type\":\"x\"]}", -EBADMSG, "crossed"},
		{"{\"type\":\"x\",\"a\":{}", -EBADMSG, "the end is missing"},
		{"{\"type\":\"}", -EBADMSG, "ends in a string"},
		{"{\"type\":\"\\}", -EBADMSG, "ends in an escape"},
		{"{\"type\":\"\\\"}", -EBADMSG, "ends behind an escape"},
		{"{\"type\":\"\\u00}", -EBADMSG, "ends in a long escape"},
		{"{\"type\"}", -EBADMSG, "a key alone"},
		{"{\"type\":}", -EBADMSG, "a key and a colon"},
		{"{\"type\":\"x\",}", -EBADMSG, "a comma too many"},
		{"{\"type\":\"x\" \"a\":1}", -EBADMSG, "a comma too few"},
		{"{\"type\":\"x\",\"a\":t}", -EBADMSG, "a word cut short"},
		{"{\"type\":\"x\",\"a\":-}", -EBADMSG, "a sign"},
		{"{\"type\":5}", -ENOMSG, "a number for a type"},
		{"{\"type\":\"\"}", -ENOMSG, "an empty type"},
		{"{\"type\":null}", -ENOMSG, "no type"},
		{"{\"a\":{\"type\":\"x\"}}", -ENOMSG, "the type of a part"},
		{"{\"type\":\"x\",\"type\":\"x\"}", -EEXIST, "two types"},
		{"{\"type\":\"flow\"}", -ENOKEY, "a flow of nothing"},
		{"{\"type\":\"flow_purge\",\"flow\":5}", -ENOKEY, "a number"},
		{"{\"type\":\"flow\",\"flow\":{}}", -ENOKEY, "no digest"},
		{"{\"type\":\"flow\",\"flow\":{\"digest\":5}}", -ENOKEY,
		 "a number for one"},
		{"{\"type\":\"flow\",\"flow\":{\"digest\":\"ab\"}}", -ENOKEY,
		 "a short one"},
		{"{\"type\":\"flow\",\"flow\":{\"digest\":\"" DIGEST "0\"}}",
		 -ENOKEY, "a long one"},
		{"{\"type\":\"flow\",\"digest\":\"" DIGEST "\"}", -ENOKEY,
		 "one elsewhere"},
		{"{\"type\":\"flow\",\"flow\":[{\"digest\":\"" DIGEST "\"}]}",
		 -ENOKEY, "one in a list"},
		{"{\"type\":\"flow\",\"flow\":{\"digest\":\"" DIGEST
		 "\",\"digest\":\"" OTHER "\"}}",
		 -EEXIST, "two"},
		{"{\"flow\":{\"digest\":\"" DIGEST
		 "\"},\"flow\":{\"local_port\":1},\"type\":\"flow\"}",
		 -EEXIST, "two flows"},
	};
	struct fg_reader *r = reader();
	const struct fg_message *m;

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		int err = read_text(r, tests[i].text, &m);

		if (err != tests[i].want)
			fail_msg("%s (%s): %d", tests[i].text, tests[i].why,
				 err);
		assert_true(strlen(fg_message_why(err)) > 10);
	}
	fg_reader_free(r);
}

static void deep(void **state)
{
	struct fg_reader *r = reader();
	const struct fg_message *m;
	char text[200];
	size_t n;

	(void)state;
	for (int more = 0; more < 2; more++) {
		n = (size_t)sprintf(text, "{\"type\":\"x\",\"a\":");
		for (int i = 0; i < FG_JSON_DEPTH_MAX - 1 + more; i++)
			text[n++] = '[';
		for (int i = 0; i < FG_JSON_DEPTH_MAX - 1 + more; i++)
			text[n++] = ']';
		memcpy(text + n, "}", 2);
		assert_int_equal(read_text(r, text, &m), more ? -EBADMSG : 0);
	}
	fg_reader_free(r);
}

static void token_limit(void **state)
{
	/* 21: the object, 2 * 2 for the others, key and list, and 14 in it */
	static const char text[] = "{\"type\":\"x\",\"b\":1,\"a\":"
				   "[1,2,3,4,5,6,7,8,9,10,{\"c\":true},[]]}";
	struct fg_reader *r;
	const struct fg_message *m;
	uint32_t count;

	(void)state;
	assert_int_equal(fg_reader_new(&r, 15), -EINVAL);
	assert_int_equal(fg_reader_new(&r, 20), 0);
	assert_int_equal(fg_message_read(r, text, strlen(text), &m), -E2BIG);
	/* and the next one is read */
	assert_int_equal(fg_message_read(r, "{\"type\":\"x\"}", 12, &m), 0);
	assert_non_null(fg_message_tokens(m, &count));
	assert_int_equal(count, 3);
	fg_reader_free(r);
	assert_int_equal(fg_reader_new(&r, 21), 0);
	assert_int_equal(fg_message_read(r, text, strlen(text), &m), 0);
	assert_non_null(fg_message_tokens(m, &count));
	assert_int_equal(count, 21);
	/* asked twice, made once */
	assert_non_null(fg_message_tokens(m, &count));
	assert_int_equal(count, 21);
	fg_reader_free(r);
	fg_reader_free(NULL);
}

static void digest_prev(void **state)
{
	static const struct {
		const char *list;
		unsigned count;
		const char *why;
	} tests[] = {
		{"[]", 1, "none"},
		{"[\"" OTHER "\"]", 2, "one"},
		{"[ \"" OTHER "\" , \"" DIGEST "\" ]", 3, "two"},
		{"[\"x\",\"" OTHER "\",5,{\"a\":\"b\"}]", 2,
		 "what is none is left out"},
		{"[\"" OTHER "\",\"" OTHER "\",\"" OTHER "\",\"" OTHER
		 "\",\"" OTHER "\"]",
		 5, "as many as there is room for"},
		{"\"" OTHER "\"", 1, "no list"},
	};
	struct fg_reader *r = reader();
	const struct fg_message *m;
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		snprintf(text, sizeof(text),
			 "{\"flow\":{\"digest_prev\":%s,\"digest\":\"" DIGEST
			 "\"},\"type\":\"flow_purge\"}",
			 tests[i].list);
		assert_int_equal(read_text(r, text, &m), 0);
		if (m->digest_count != tests[i].count)
			fail_msg("%s: %u", tests[i].why, m->digest_count);
		assert_int_equal(m->digest[0][0], 0x01);
		if (m->digest_count > 1)
			assert_int_equal(m->digest[1][0], 0xff);
	}
	fg_reader_free(r);
}

/* ---------------------------------------------------------------- names */

static void on_name(void *ctx, enum fg_name kind, uint32_t id,
		    struct fg_slice tag)
{
	char *out = ctx;

	sprintf(out + strlen(out), "%c%u=%.*s ",
		kind == FG_NAME_APPLICATION ? 'a' : 'p', id, (int)tag.len,
		tag.ptr);
}

static void on_role(void *ctx, struct fg_slice name, struct fg_slice role)
{
	char *out = ctx;

	sprintf(out + strlen(out), "%.*s=%.*s ", (int)name.len, name.ptr,
		(int)role.len, role.ptr);
}

static void names(void **state)
{
	static const struct {
		const char *text;
		const char *want;
		const char *why;
	} tests[] = {
		{"\"protocols\":[{\"id\":0,\"tag\":\"Unknown\"},{\"id\":7,"
		 "\"tag\":\"HTTP\"}]",
		 "p0=Unknown p7=HTTP ", "v3"},
		{"\"applications\":[{\"id\":7,\"tag\":\"HTTP\"},{\"id\":156,"
		 "\"tag\":\"Spotify\"},{\"id\":156,\"tag\":\"netify.spotify\"}]"
		 ",\"protocols\":[{\"id\":7,\"tag\":\"HTTP\"},{\"id\":156,"
		 "\"tag\":\"Spotify\"}]",
		 "p7=HTTP p156=Spotify a156=netify.spotify ",
		 "v4: the copy is left out, the same id is not"},
		{"\"applications\":[{\"id\":7,\"tag\":\"HTTP\"}],\"protocols\":"
		 "[{\"id\":7,\"tag\":\"HTTP\"}]",
		 "p7=HTTP ", "nothing but the copy"},
		{"\"applications\":[{\"id\":7,\"tag\":\"netify.x\"}],"
		 "\"protocols\":[{\"id\":7,\"tag\":\"HTTP\"}]",
		 "p7=HTTP a7=netify.x ", "no copy"},
		{"\"applications\":[{\"id\":7,\"tag\":\"netify.x\"}],"
		 "\"protocols\":[]",
		 "a7=netify.x ", "no protocols"},
		{"\"applications\":[{\"id\":133,\"tag\":\"133.netify.x\"}]",
		 "a133=netify.x ", "the number in front"},
		{"\"protocols\" : [ { \"tag\" : \"A\" , \"id\" : 1 } , "
		 "{\"id\":2,\"x\":[{}],\"tag\":\"B\"}]",
		 "p1=A p2=B ", "written in another way"},
		{"\"protocols\":[{\"id\":1},{\"tag\":\"A\"},5,[],{},\"x\","
		 "{\"id\":\"1\",\"tag\":\"A\"},{\"id\":1,\"tag\":5},{\"id\":"
		 "4294967296,\"tag\":\"A\"},{\"id\":-1,\"tag\":\"A\"},{\"id\":"
		 "1,\"tag\":\"a\\n\"},{\"id\":4294967295,\"tag\":\"B\"}]",
		 "p4294967295=B ", "what is no name is left out"},
		{"\"protocols\":{\"id\":1,\"tag\":\"A\"}", "", "no list"},
		{"\"protocols\":[],\"applications\":[]", "", "empty lists"},
		{"\"interfaces\":{\"eth0\":{\"addr\":[\"a\"],\"mac\":\"m\","
		 "\"role\":\"LAN\",\"state\":1},\"eth1\":{\"role\":\"WAN\"}}",
		 "eth0=LAN eth1=WAN ", "roles"},
		{"\"interfaces\":{\"eth0\":{},\"eth1\":{\"role\":5},\"eth2\":5,"
		 "\"e\\u0041\":{\"role\":\"LAN\"}}",
		 "", "no roles"},
		{"\"interfaces\":[{\"role\":\"LAN\"}]", "", "a list"},
		{"\"interfaces\":{\"eth0\":\"{\\\"role\\\":\\\"LAN\\\"}\","
		 "\"eth1\":\"{{{{\",\"eth2\":{\"role\":\"WAN\"}}",
		 "eth2=WAN ", "a text that looks like an object"},
		{"\"protocols\":[\"{{{{\",\"{\\\"id\\\":1,\\\"tag\\\":"
		 "\\\"A\\\"}\",{\"id\":2,\"tag\":\"B\"}]",
		 "p2=B ", "likewise"},
		{"\"interfaces\":{}", "", "an empty object"},
		{"\"stats\":{\"eth0\":{\"role\":\"LAN\"}}", "", "elsewhere"},
	};
	struct fg_reader *r = reader();
	const struct fg_message *m;
	char text[800], got[400];

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		snprintf(text, sizeof(text), "{%s,\"type\":\"definitions\"}",
			 tests[i].text);
		assert_int_equal(read_text(r, text, &m), 0);
		*got = '\0';
		fg_names_each(fg_message_part(r, FG_PART_PROTOCOLS),
			      fg_message_part(r, FG_PART_APPLICATIONS), on_name,
			      got);
		fg_roles_each(fg_message_part(r, FG_PART_INTERFACES), on_role,
			      got);
		if (strcmp(got, tests[i].want) != 0)
			fail_msg("%s: got \"%s\"", tests[i].why, got);
	}
	fg_reader_free(r);
}

/* Every key is found, and by its own object only. */
static void keys(void **state)
{
	static const char *const paths[] = {
#define PATH(name, path, kind, store) path,
		FG_ATTRIBUTES(PATH)
#undef PATH
	};
	struct fg_key *key = NULL;
	struct fg_keys *k;

	(void)state;
	assert_int_equal(fg_keys_new(&k), 0);
	for (unsigned a = 0; a < FG_ATTR_COUNT; a++) {
		unsigned parent = FG_NODE_ROOT;

		for (const char *p = paths[a];; p += strcspn(p, ".") + 1) {
			key = fg_keys_find(k, parent, p, strcspn(p, "."));
			assert_non_null(key);
			assert_int_equal(key->parent, parent);
			parent = key->node;
			if (!strchr(p, '.'))
				break;
		}
		assert_int_equal(key->subject, a);
	}
	assert_null(fg_keys_find(k, FG_NODE_ROOT, "digest", 6));
	assert_null(fg_keys_find(k, FG_NODE_ROOT, "", 0));
	fg_keys_free(k);
}

/* ----------------------------------------------------------- recordings */

struct recorded {
	struct fg_reader *reader;
	uint64_t messages;
	uint64_t damaged;
	uint64_t random;
	char broken[1 << 20];
};

static uint32_t random32(struct recorded *d)
{
	/* xorshift64*: the same damage every time */
	d->random ^= d->random >> 12;
	d->random ^= d->random << 25;
	d->random ^= d->random >> 27;
	return (uint32_t)((d->random * 0x2545f4914f6cdd1du) >> 32);
}

static void compare(struct recorded *d, const char *text, size_t len)
{
	const char *why;
	int result;

	why = reference_compare(d->reader, text, len, &result);
	if (why)
		fail_msg("%s: %.*s", why, (int)len, text);
}

/* As it is, then damaged in ways that leave much of it valid. */
static int on_object(void *ctx, const char *text, size_t len)
{
	static const char bytes[] = "{}[]\",:\\ 0189-.eutfn\n\x01\xff";
	struct recorded *d = ctx;

	compare(d, text, len);
	d->messages++;
	if (len > 4096)
		return 0;
	for (int i = 0; i < 20; i++) {
		size_t at = random32(d) % len, to = random32(d) % len;
		size_t n = len;

		memcpy(d->broken, text, len);
		switch (random32(d) % 4) {
		case 0: /* another byte */
			d->broken[at] = bytes[random32(d) % sizeof(bytes)];
			break;
		case 1: /* one missing */
			memmove(d->broken + at, d->broken + at + 1,
				len - at - 1);
			n--;
			break;
		case 2: /* cut */
			n = at;
			break;
		default: /* a part of it elsewhere */
			memmove(d->broken + at, d->broken + to,
				len - (at > to ? at : to));
		}
		compare(d, d->broken, n);
		d->damaged++;
	}
	return 0;
}

static void on_skipped(void *ctx, const char *why, size_t bytes)
{
	(void)ctx;
	fail_msg("skipped %zu bytes of a recording: %s", bytes, why);
}

static void read_files(struct recorded *d, const char *pattern)
{
	struct fg_frame_sink sink = {on_object, on_skipped, d};
	static char text[1 << 20];
	struct fg_frame *f;
	glob_t found;
	size_t len;

	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *file = fopen(found.gl_pathv[i], "re");

		assert_non_null(file);
		len = fread(text, 1, sizeof(text), file);
		fclose(file);
		assert_int_equal(fg_frame_new(&f, 1 << 20, &sink), 0);
		fg_frame_feed(f, text, len);
		fg_frame_end(f);
		fg_frame_free(f);
	}
	globfree(&found);
}

static void recordings(void **state)
{
	static struct recorded d = {.random = 1};
	const char *streams = getenv("FG_STREAMS");
	char pattern[4096];

	(void)state;
	d.reader = reader();
	read_files(&d, "tests/data/v[345].stream");
	assert_true(d.messages > 100);
	snprintf(pattern, sizeof(pattern), "%s/*.stream",
		 streams ? streams : "../shared/streams");
	read_files(&d, pattern);
	printf("%llu messages, %llu damaged ones\n",
	       (unsigned long long)d.messages, (unsigned long long)d.damaged);
	fg_reader_free(d.reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),      cmocka_unit_test(top_level),
		cmocka_unit_test(guesses),     cmocka_unit_test(types),
		cmocka_unit_test(refusals),    cmocka_unit_test(deep),
		cmocka_unit_test(token_limit), cmocka_unit_test(digest_prev),
		cmocka_unit_test(names),       cmocka_unit_test(keys),
		cmocka_unit_test(recordings),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
