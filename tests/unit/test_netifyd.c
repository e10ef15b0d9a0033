/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd */
/* test_netifyd - the input as the host sees it: what is told, in what order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

extern const struct fg_plugin flowgate_plugin_v1;

#define DIGEST "0123456789abcdef0123456789abcdef01234567"
#define FLOW(app)                                                              \
	"{\"flow\":{\"detected_application\":133,"                             \
	"\"detected_application_name\":\"" app "\",\"digest\":\"" DIGEST       \
	"\"},\"type\":\"flow\"}\n"

/* What the host was told. */
struct host_log {
	char text[4096];
	size_t len;
	unsigned errors;
};

static struct host_log told;

static void FG_PRINTF(1, 2) tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	told.len += (size_t)vsnprintf(told.text + told.len,
				      sizeof(told.text) - told.len, fmt, ap);
	va_end(ap);
	assert_true(told.len < sizeof(told.text));
}

static void on_message(void *source, const struct fg_message *m)
{
	uint32_t count;

	assert_ptr_equal(source, &told);
	assert_int_equal(m->size, sizeof(*m));
	assert_non_null(fg_message_tokens(m, &count));
	assert_true(count >= 3);
	tell("message %.*s\n", (int)m->type_name.len, m->type_name.ptr);
}

static void on_skipped(void *source, const char *why, size_t bytes)
{
	assert_ptr_equal(source, &told);
	tell("skipped %zu: %s\n", bytes, why);
}

static void on_learn(void *source, enum fg_name kind, uint32_t id,
		     struct fg_slice tag)
{
	assert_ptr_equal(source, &told);
	tell("%s %u %.*s\n",
	     kind == FG_NAME_APPLICATION ? "application" : "protocol", id,
	     (int)tag.len, tag.ptr);
}

static void on_interface(void *source, struct fg_slice name,
			 struct fg_slice role)
{
	assert_ptr_equal(source, &told);
	tell("interface %.*s %.*s\n", (int)name.len, name.ptr, (int)role.len,
	     role.ptr);
}

static void on_log(const struct fg_host *host, enum fg_level level,
		   const char *fmt, ...)
{
	(void)host;
	assert_int_equal(level, FG_LOG_ERROR);
	assert_non_null(strstr(fmt, "limits.max_message"));
	told.errors++;
}

static struct fg_host host = {
	.size = sizeof(host),
	.max_message = 1024,
	.max_tokens = 64,
	.log = on_log,
	.message = on_message,
	.skipped = on_skipped,
	.learn = on_learn,
	.learn_interface = on_interface,
};

static const struct fg_input_type *type(void)
{
	return flowgate_plugin_v1.inputs[0];
}

static void expect(void *input, const char *bytes, const char *want)
{
	told.len = 0;
	told.text[0] = '\0';
	type()->feed(input, bytes, strlen(bytes));
	assert_string_equal(told.text, want);
}

static void declared(void **state)
{
	(void)state;
	assert_int_equal(flowgate_plugin_v1.size, sizeof(struct fg_plugin));
	assert_int_equal(flowgate_plugin_v1.abi_major, FG_ABI_MAJOR);
	assert_string_equal(flowgate_plugin_v1.name, "netifyd");
	assert_null(flowgate_plugin_v1.targets);
	assert_string_equal(type()->name, "netifyd");
	assert_null(type()->schemes);
	assert_null(flowgate_plugin_v1.inputs[1]);
}

static void names(void **state)
{
	void *input;

	(void)state;
	assert_int_equal(type()->open(&host, &told, "-", NULL, &input), 0);
	expect(input, FLOW("netify.netflix"),
	       "application 133 netify.netflix\nmessage flow\n");
	/* it is known now; v3's spelling says the same */
	expect(input, FLOW("netify.netflix"), "message flow\n");
	expect(input, FLOW("133.netify.netflix"), "message flow\n");
	expect(input, FLOW("netify.other"),
	       "application 133 netify.other\nmessage flow\n");
	/* escapes would have to be taken out: no name has any */
	expect(input, FLOW("netify\\u002ex"), "message flow\n");
	/* another agent may mean something else */
	type()->reset(input);
	expect(input, FLOW("netify.other"),
	       "application 133 netify.other\nmessage flow\n");
	expect(input,
	       "{\"protocols\":[{\"id\":7,\"tag\":\"HTTP\"}],"
	       "\"type\":\"protocols\"}",
	       "protocol 7 HTTP\nmessage protocols\n");
	expect(input,
	       "{\"interfaces\":{\"eth0\":{\"role\":\"LAN\"}},"
	       "\"type\":\"agent_status\"}",
	       "interface eth0 LAN\nmessage agent_status\n");
	/* only where they belong */
	expect(input,
	       "{\"interfaces\":{\"eth0\":{\"role\":\"LAN\"}},"
	       "\"protocols\":[{\"id\":7,\"tag\":\"HTTP\"}],\"type\":\"x\"}",
	       "message x\n");
	type()->close(input);
}

static void skips(void **state)
{
	void *input;

	(void)state;
	assert_int_equal(type()->open(&host, &told, "-", NULL, &input), 0);
	expect(input, "{\"flow\":{},\"type\":\"flow_purge\"}\n",
	       "skipped 31: flow message without a valid digest\n");
	expect(input,
	       "{\"type\":\"x\",\"a\":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,"
	       "1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,"
	       "1,2,3,4,5,6,7,8,9,0]}\n",
	       "skipped 138: message with more tokens than "
	       "limits.max_tokens\n");
	expect(input, "{\"type\":\"x\",\"type\":\"y\"}\n",
	       "skipped 23: message with a key twice\n");
	expect(input, "{\"a\":1}{\"type\":\"x\"}\n",
	       "message x\nskipped 7: object that is no message\n");
	/* what is half read at the end is void */
	expect(input, "{\"type\":\"x", "");
	type()->reset(input);
	assert_string_equal(told.text,
			    "skipped 10: message cut short or malformed\n");
	expect(input, "{\"type\":\"y\"}", "message y\n");
	type()->close(input);
}

static void sizes(void **state)
{
	struct fg_host other = host;
	void *input;

	(void)state;
	told.errors = 0;
	other.max_message = 10;
	assert_int_equal(type()->open(&other, &told, "-", NULL, &input),
			 -EINVAL);
	other.max_message = 1024;
	other.max_tokens = 0;
	assert_int_equal(type()->open(&other, &told, "-", NULL, &input),
			 -EINVAL);
	assert_int_equal(told.errors, 2);
	type()->close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(declared),
		cmocka_unit_test(names),
		cmocka_unit_test(skips),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests_name("netifyd", tests, NULL, NULL);
}
