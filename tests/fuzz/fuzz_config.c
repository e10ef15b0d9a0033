/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_config.c - any bytes as a configuration: errors or settings. */
/* LINK: common/policy/json.c common/policy/node.c common/policy/syntax.c */
/* LINK: common/policy/config.c common/policy/source.c common/policy/action.c */
/* LINK: common/policy/url.c */
#include <stdlib.h>
#include <string.h>

#include "policy/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct said {
	unsigned errors;
};

static void say(void *ctx, enum fg_level level, const char *text)
{
	static const char refused[] = ": this is not JSON";
	struct said *said = ctx;
	size_t len = strlen(text);

	said->errors += level == FG_LOG_ERROR;
	/* the checker takes nothing that jsmn does not */
	if (len > sizeof(refused) &&
	    strcmp(text + len - (sizeof(refused) - 1), refused) == 0)
		abort();
	/* one line, fit for a terminal */
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort();
}

/* Asks every value of everything, as plugins may. */
static void ask(const struct fg_node *n, unsigned depth)
{
	const struct fg_node *out;
	const char *key, *text;
	uint64_t number;
	bool b;

	if (depth > 64)
		abort();
	fg_node_as_text(n);
	fg_node_as_uint(n, &number);
	fg_node_error_at(n, depth, "x");
	for (size_t i = 0; i < fg_node_count(n); i++) {
		key = fg_node_key_at(n, i);
		if (key) {
			if (fg_node_any(n, key, &out) != 1 ||
			    out != fg_node_at(n, i))
				abort();
			fg_node_text(n, key, &text);
			fg_node_uint(n, key, 1, 1000, &number);
			fg_node_boolean(n, key, &b);
		}
		ask(fg_node_at(n, i), depth + 1);
	}
}

/* What is read twice is the same. */
static void check_equal(const char *text, size_t len, struct said *said)
{
	struct fg_report report = {say, said};
	struct fg_json *a, *b;

	if (fg_json_parse(&a, "a", text, len, report) ||
	    fg_json_parse(&b, "b", text, len, report) ||
	    !fg_node_equal(fg_json_root(a), fg_json_root(b)))
		abort();
	fg_json_free(a);
	fg_json_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct said said = {0};
	struct fg_settings *s;
	int ret;

	ret = fg_settings_parse(&s, "f", (const char *)data, size, NULL, 0,
				(struct fg_report){say, &said});
	/* refused if, and only if, it was said why */
	if ((ret == 0) != (said.errors == 0))
		abort();
	if (ret)
		return 0;
	check_equal((const char *)data, size, &said);
	for (size_t i = 0; i < s->action_count; i++) {
		const struct fg_action_config *a = &s->actions[i];

		if (!a->criteria)
			abort();
		for (size_t k = 0; k < a->target_count; k++)
			if (a->targets[k].target >= s->target_count)
				abort();
	}
	fg_json_unknown_keys(s->doc);
	ask(fg_json_root(s->doc), 0);
	fg_settings_free(s);
	return 0;
}
