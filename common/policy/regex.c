/* SPDX-License-Identifier: GPL-2.0-or-later */
/* regex.c - regular expressions over text that strangers chose. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "regex.h"

/* Steps of one match. A host name needs some hundred, a bomb has no end. */
#define MATCH_LIMIT 100000
/*
 * Where the interpreter keeps its backtracking points when there is no JIT (a
 * service without write-execute memory). PCRE2 doubles the block as it grows,
 * and copies it, so that it gets to use half of this.
 */
#define ARENA_SIZE (2 * 1024 * 1024) /* touched only as needed */
#define JIT_STACK  (256 * 1024)

struct fg_regex_engine {
	pcre2_general_context *general;
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_jit_stack *stack;
	/* a bump allocator: all that matching can ever have */
	char *arena;
	size_t used, live;
	size_t base_used, base_live;
	uint64_t limited;
};

struct fg_regex {
	pcre2_code *code;
};

static void *arena_alloc(size_t size, void *ctx)
{
	struct fg_regex_engine *e = ctx;
	void *p = e->arena + e->used;

	size = (size + 15) & ~(size_t)15;
	if (size > ARENA_SIZE - e->used)
		return NULL;
	e->used += size;
	e->live++;
	return p;
}

static void arena_free(void *p, void *ctx)
{
	struct fg_regex_engine *e = ctx;

	if (p && --e->live == e->base_live)
		e->used = e->base_used;
}

int fg_regex_engine_new(struct fg_regex_engine **out)
{
	struct fg_regex_engine *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->arena = malloc(ARENA_SIZE);
	if (!e->arena)
		goto fail;
	e->general = pcre2_general_context_create(arena_alloc, arena_free, e);
	if (!e->general)
		goto fail;
	e->context = pcre2_match_context_create(e->general);
	/* one pair: only whether it matches is asked */
	e->data = pcre2_match_data_create(1, e->general);
	if (!e->context || !e->data)
		goto fail;
	pcre2_set_match_limit(e->context, MATCH_LIMIT);
	pcre2_set_heap_limit(e->context, ARENA_SIZE / 2 / 1024);
	/* NULL where there is no JIT; then the interpreter matches */
	e->stack = pcre2_jit_stack_create(32 * 1024, JIT_STACK, NULL);
	if (e->stack)
		pcre2_jit_stack_assign(e->context, NULL, e->stack);
	e->base_used = e->used;
	e->base_live = e->live;
	*out = e;
	return 0;
fail:
	fg_regex_engine_free(e);
	return -ENOMEM;
}

void fg_regex_engine_free(struct fg_regex_engine *e)
{
	if (!e)
		return;
	if (e->stack)
		pcre2_jit_stack_free(e->stack);
	pcre2_match_data_free(e->data);
	pcre2_match_context_free(e->context);
	pcre2_general_context_free(e->general);
	free(e->arena);
	free(e);
}

uint64_t fg_regex_engine_limited(const struct fg_regex_engine *e)
{
	return e->limited;
}

int fg_regex_new(struct fg_regex **out, const char *pattern, size_t len,
		 char *err, size_t errlen, size_t *at)
{
	struct fg_regex *r = calloc(1, sizeof(*r));
	PCRE2_SIZE offset = 0;
	int code = 0;

	if (!r)
		return -ENOMEM;
	r->code = pcre2_compile((PCRE2_SPTR)pattern, len,
				PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C, &code,
				&offset, NULL);
	if (!r->code) {
		free(r);
		if (pcre2_get_error_message(code, (PCRE2_UCHAR *)err, errlen) <
		    0)
			snprintf(err, errlen, "error %d", code);
		*at = offset;
		return -EINVAL;
	}
	/* fails where memory cannot be made executable: slower, not wrong */
	(void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
	*out = r;
	return 0;
}

void fg_regex_free(struct fg_regex *r)
{
	if (!r)
		return;
	pcre2_code_free(r->code);
	free(r);
}

bool fg_regex_match(struct fg_regex_engine *e, const struct fg_regex *r,
		    struct fg_slice text, uint64_t *limited)
{
	/* 0: matched, but the one pair was too small for its groups */
	int n = pcre2_match(r->code, (PCRE2_SPTR)text.ptr, text.len, 0, 0,
			    e->data, e->context);

	if (n < PCRE2_ERROR_NOMATCH) {
		++*limited;
		e->limited++;
	}
	return n >= 0;
}
