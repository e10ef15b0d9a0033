/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message.c - reads one message: a strict scan of its text, in one pass. */
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "base/text.h"
#include "check.h"
#include "key.h"
#include "names.h"

struct fg_reader {
	struct fg_message m;
	struct fg_keys *keys;
	uint64_t seen[(FG_SUBJECT_MAX + 63) / 64];
	struct fg_slice part[FG_PART_COUNT];
	uint32_t max_tokens;
	uint32_t token_count; /* of m, once tokenised */
	bool tokenised;
	jsmntok_t tokens[];
};

static const void *tokens(const struct fg_message *m, uint32_t *count);

int fg_reader_new(struct fg_reader **out, uint32_t max_tokens)
{
	struct fg_reader *r;
	int err;

	if (max_tokens < 16 || max_tokens > INT32_MAX)
		return -EINVAL;
	r = malloc(sizeof(*r) + max_tokens * sizeof(*r->tokens));
	if (!r)
		return -ENOMEM;
	memset(r, 0, sizeof(*r));
	err = fg_keys_new(&r->keys);
	if (err < 0) {
		free(r);
		return err;
	}
	r->max_tokens = max_tokens;
	r->m.size = sizeof(r->m);
	r->m.tokens = tokens;
	r->m.input_private = r;
	*out = r;
	return 0;
}

void fg_reader_free(struct fg_reader *r)
{
	if (r)
		fg_keys_free(r->keys);
	free(r);
}

const char *fg_message_why(int error)
{
	switch (error) {
	case -EBADMSG:
		return "message cut short or malformed";
	case -ENOMSG:
		return "object without a type";
	case -E2BIG:
		return "message with more tokens than limits.max_tokens";
	case -EEXIST:
		return "message with a key twice";
	case -ENOKEY:
		return "flow message without a valid digest";
	default:
		return "message that cannot be read";
	}
}

/* --------------------------------------------------------------- lexing */

/*
 * All of these are given text whose last byte is '}', which ends whatever is
 * not a string: only strings and words look where they are.
 */
static inline bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *skip_space(const char *p)
{
	while (is_space(*p))
		p++;
	return p;
}

static const char *skip_escape(const char *p, const char *end)
{
	static const char simple[] = "\"\\/bfnrt";

	if (end - p < 2)
		return NULL;
	if (p[1] != 'u')
		return p[1] && strchr(simple, p[1]) ? p + 2 : NULL;
	if (end - p < 6)
		return NULL;
	for (int i = 2; i < 6; i++)
		if (fg_hex_digit(p[i]) < 0)
			return NULL;
	return p + 6;
}

/* The first quote, backslash or control character at or after p. */
static inline const char *string_stop(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'),
		      control = _mm_set1_epi8(0x1f);

	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		__m128i hit = _mm_or_si128(
			_mm_cmpeq_epi8(v, quote),
			_mm_or_si128(
				_mm_cmpeq_epi8(v, slash),
				_mm_cmpeq_epi8(_mm_min_epu8(v, control), v)));
		int mask = _mm_movemask_epi8(hit);

		if (mask)
			return p + __builtin_ctz((unsigned)mask);
	}
#else
	const uint64_t ones = UINT64_MAX / 255, high = ones << 7;

	/* the usual bit tricks; whichever byte it is, the loop below finds */
	for (; end - p >= 8; p += 8) {
		uint64_t v, q, s;

		memcpy(&v, p, 8);
		q = v ^ ones * '"';
		s = v ^ ones * '\\';
		if ((((q - ones) & ~q) | ((s - ones) & ~s) |
		     ((v - ones * 0x20) & ~v)) &
		    high)
			break;
	}
#endif
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		p++;
	return p;
}

/* From behind the opening quote to the closing one; NULL: not a string. */
static inline const char *string_end(const char *p, const char *end,
				     uint32_t *flags)
{
	for (;;) {
		p = string_stop(p, end);
		if (p == end)
			return NULL;
		if (*p == '"')
			return p;
		if (*p != '\\')
			return NULL;
		*flags |= FG_SLICE_ESCAPED;
		p = skip_escape(p, end);
		if (!p)
			return NULL;
	}
}

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static const char *skip_digits(const char *p)
{
	if (!is_digit(*p))
		return NULL;
	while (is_digit(*p))
		p++;
	return p;
}

/* The fraction and the exponent of a number. */
static const char *skip_fraction(const char *p)
{
	if (*p == '.') {
		p = skip_digits(p + 1);
		if (!p)
			return NULL;
	}
	if ((*p | 0x20) == 'e') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		p = skip_digits(p);
	}
	return p;
}

/* Sets *whole when it has digits only; *out is its value then. */
static inline const char *number_end(const char *p, bool *whole, uint64_t *out)
{
	const char *first;
	uint64_t v = 0;

	*whole = *p != '-';
	p += !*whole;
	first = p;
	while (is_digit(*p))
		v = v * 10 + (unsigned)(*p++ - '0');
	if (p == first || (*first == '0' && p - first > 1))
		return NULL;
	/* 19 digits always fit */
	if (p - first > 19)
		fg_text_uint(first, (size_t)(p - first), &v);
	*out = v;
	if (*p == '.' || (*p | 0x20) == 'e') {
		*whole = false;
		return skip_fraction(p);
	}
	return p;
}

static inline bool is_word(const char *p, const char *end, const char *word,
			   size_t len)
{
	return (size_t)(end - p) > len && memcmp(p, word, len) == 0;
}

/* --------------------------------------------------------------- values */

#define WORD(s) s, sizeof(s) - 1

static inline bool is_text(struct fg_slice s, const char *word, uint32_t len)
{
	return s.len == len && memcmp(s.ptr, word, len) == 0;
}

static inline union fg_value *set(struct fg_message *m, unsigned attr)
{
	m->has[attr / 64] |= 1ull << (attr % 64);
	return &m->value[attr];
}

static inline void unset(struct fg_message *m, unsigned attr)
{
	m->has[attr / 64] &= ~(1ull << (attr % 64));
}

static void read_digest(struct fg_message *m, struct fg_slice text)
{
	if (fg_text_hex(text.ptr, text.len, m->digest[0], FG_DIGEST_SIZE))
		m->digest_count = 1;
}

static void read_other_type(struct fg_message *m, unsigned attr,
			    struct fg_slice text)
{
	static const struct {
		const char *name;
		uint32_t len;
	} names[FG_OTHER_COUNT] = {
		[FG_OTHER_UNKNOWN] = {WORD("unknown")},
		[FG_OTHER_LOCAL] = {WORD("local")},
		[FG_OTHER_REMOTE] = {WORD("remote")},
		[FG_OTHER_MULTICAST] = {WORD("multicast")},
		[FG_OTHER_BROADCAST] = {WORD("broadcast")},
		[FG_OTHER_UNSUPPORTED] = {WORD("unsupported")},
		[FG_OTHER_ERROR] = {WORD("error")},
	};

	for (unsigned i = 0; i < FG_OTHER_COUNT; i++)
		if (is_text(text, names[i].name, names[i].len))
			set(m, attr)->u = i;
}

static inline void take_text(struct fg_message *m, const struct fg_key *key,
			     struct fg_slice text)
{
	unsigned attr = key->subject;
	union fg_value v;

	if (attr >= FG_ATTR_COUNT) {
		if (attr == FG_SUBJECT_TYPE)
			m->type_name = text;
		else if (attr == FG_SUBJECT_DIGEST)
			read_digest(m, text);
		return;
	}
	switch (key->kind) {
	case FG_KIND_TEXT:
		set(m, attr)->text = text;
		break;
	case FG_KIND_ADDR:
		if (fg_addr_parse(text.ptr, text.len, v.addr))
			*set(m, attr) = v;
		break;
	case FG_KIND_MAC:
		if (fg_mac_parse(text.ptr, text.len, v.mac))
			*set(m, attr) = v;
		break;
	case FG_KIND_HEX:
		if (fg_text_uint_any(text.ptr, text.len, &v.u))
			*set(m, attr) = v;
		break;
	case FG_KIND_OTHER_TYPE:
		read_other_type(m, attr, text);
		break;
	}
}

static inline void take_number(struct fg_message *m, const struct fg_key *key,
			       struct fg_slice text, bool whole, uint64_t u)
{
	unsigned attr = key->subject;
	double real;

	if (attr >= FG_ATTR_COUNT)
		return;
	switch (key->kind) {
	case FG_KIND_UINT:
	case FG_KIND_HEX:
		if (whole)
			set(m, attr)->u = u;
		break;
	case FG_KIND_BOOL:
		if (whole)
			set(m, attr)->u = u != 0;
		break;
	case FG_KIND_REAL:
		if (fg_text_real(text.ptr, text.len, &real))
			set(m, attr)->r = real;
		break;
	case FG_KIND_TEXT:
		/* v3: 3.07, later "4.4.7" */
		if (attr == FG_ATTR_AGENT_VERSION)
			set(m, attr)->text = text;
		break;
	}
}

static void take_bool(struct fg_message *m, const struct fg_key *key, bool b)
{
	if (key->subject < FG_ATTR_COUNT && key->kind == FG_KIND_BOOL)
		set(m, key->subject)->u = b;
}

/* ----------------------------------------------------------------- scan */

struct level {
	const char *begin;
	const struct fg_key *key; /* whose value it is; NULL: nobody's */
	uint8_t node;
	bool object;
};

static inline bool key_is(const struct fg_key *key, const char *p)
{
	uint64_t v[FG_KEY_SIZE / 8], differ = 0;

	memcpy(v, p, sizeof(v));
	for (unsigned i = 0; i < FG_KEY_SIZE / 8; i++)
		differ |= (v[i] & key->mask[i]) ^ key->text[i];
	return !differ;
}

/*
 * Reads a key and its colon at *p; *key is NULL for one that nobody asks for.
 * last is the one before that somebody does.
 */
static inline bool read_key(struct fg_reader *r, const char **p,
			    const char *end, unsigned node, struct fg_key *last,
			    struct fg_key **key)
{
	uint32_t flags = 0;
	const char *name;

	if (node != FG_NODE_NONE && end - *p >= FG_KEY_SIZE) {
		*key = last->followers[0];
		if ((*key)->parent == node && key_is(*key, *p)) {
			*p += (*key)->len;
			return true;
		}
		*key = last->followers[1];
		if ((*key)->parent == node && key_is(*key, *p)) {
			*p += (*key)->len;
			fg_key_follow(last, *key);
			return true;
		}
	}
	if (**p != '"')
		return false;
	name = *p + 1;
	*p = string_end(name, end, &flags);
	if (!*p)
		return false;
	*key = NULL;
	if (node != FG_NODE_NONE)
		*key = fg_keys_find(r->keys, node, name, (size_t)(*p - name));
	if (*key)
		fg_key_follow(last, *key);
	*p = skip_space(*p + 1);
	return *(*p)++ == ':';
}

/* False: there was one before. */
static inline bool first_time(struct fg_reader *r, unsigned subject)
{
	uint64_t bit = 1ull << (subject % 64);
	bool first = !(r->seen[subject / 64] & bit);

	r->seen[subject / 64] |= bit;
	return first;
}

struct found {
	uint32_t tokens;
	bool twice;
};

/* A list or an object as a whole. */
static void take_whole(struct fg_reader *r, const struct fg_key *key,
		       struct fg_slice text)
{
	if (key->kind != (*text.ptr == '[' ? FG_KIND_LIST : FG_KIND_OBJECT))
		return;
	if (key->subject < FG_ATTR_COUNT)
		set(&r->m, key->subject)->text = text;
	else
		r->part[key->subject - FG_SUBJECT_PARTS] = text;
}

/*
 * One pass over text, from '{' to the '}' that is its last byte. No recursion:
 * what we are in is on a stack of our own.
 */
static int scan(struct fg_reader *r, const char *p, const char *end,
		struct found *found)
{
	struct fg_key *key, *last = fg_keys_begin(r->keys);
	struct level levels[FG_JSON_DEPTH_MAX], *in = levels;
	struct fg_message *m = &r->m;
	uint32_t tokens = 1;
	struct fg_slice text;
	const char *stop;
	uint64_t u;
	bool whole;

	*in = (struct level){.node = FG_NODE_ROOT, .object = true};
	p = skip_space(p + 1);
	if (*p == '}')
		goto end_of_level;
next_key:
	p = skip_space(p);
	if (!read_key(r, &p, end, in->node, last, &key))
		return -EBADMSG;
	tokens++;
	if (key) {
		last = key;
		if (!first_time(r, key->subject)) {
			if (key->subject < FG_ATTR_COUNT)
				unset(m, key->subject);
			else
				found->twice = true;
			key = NULL;
		}
	}
next_value:
	p = skip_space(p);
	tokens++;
	switch (*p) {
	case '"':
		text.flags = 0;
		stop = string_end(++p, end, &text.flags);
		if (!stop)
			return -EBADMSG;
		text.ptr = p;
		text.len = (uint32_t)(stop - p);
		if (key)
			take_text(m, key, text);
		p = stop + 1;
		break;
	case '{':
	case '[':
		if (++in == levels + FG_JSON_DEPTH_MAX)
			return -EBADMSG;
		in->begin = p;
		in->object = *p == '{';
		in->node = key && in->object ? key->node : FG_NODE_NONE;
		in->key = key && !in->node ? key : NULL;
		key = NULL;
		p = skip_space(p + 1);
		if (*p == (in->object ? '}' : ']'))
			goto end_of_level;
		if (in->object)
			goto next_key;
		goto next_value;
	case 't':
		if (!is_word(p, end, "true", 4))
			return -EBADMSG;
		if (key)
			take_bool(m, key, true);
		p += 4;
		break;
	case 'f':
		if (!is_word(p, end, "false", 5))
			return -EBADMSG;
		if (key)
			take_bool(m, key, false);
		p += 5;
		break;
	case 'n':
		if (!is_word(p, end, "null", 4))
			return -EBADMSG;
		p += 4;
		break;
	default:
		stop = number_end(p, &whole, &u);
		if (!stop)
			return -EBADMSG;
		if (key)
			take_number(m, key, fg_slice(p, (size_t)(stop - p)),
				    whole, u);
		p = stop;
	}
end_of_value:
	p = skip_space(p);
	if (*p == ',') {
		p++;
		key = NULL;
		if (in->object)
			goto next_key;
		goto next_value;
	}
end_of_level:
	if (*p++ != (in->object ? '}' : ']'))
		return -EBADMSG;
	if (in == levels) {
		found->tokens = tokens;
		return p == end ? 0 : -EBADMSG;
	}
	if (p == end)
		return -EBADMSG;
	if (in->key)
		take_whole(r, in->key,
			   fg_slice(in->begin, (size_t)(p - in->begin)));
	in--;
	goto end_of_value;
}

/* -------------------------------------------------------------- message */

static const struct {
	const char *name;
	uint32_t len;
	bool digest; /* it is about one flow, and has to say which */
} types[FG_MESSAGE_TYPE_COUNT] = {
	[FG_MESSAGE_OTHER] = {WORD(""), false},
	[FG_MESSAGE_AGENT_HELLO] = {WORD("agent_hello"), false},
	[FG_MESSAGE_AGENT_STATUS] = {WORD("agent_status"), false},
	[FG_MESSAGE_DEFINITIONS] = {WORD("definitions"), false},
	[FG_MESSAGE_PROTOCOLS] = {WORD("protocols"), false},
	[FG_MESSAGE_FLOW] = {WORD("flow"), true},
	[FG_MESSAGE_FLOW_DPI_UPDATE] = {WORD("flow_dpi_update"), true},
	[FG_MESSAGE_FLOW_DPI_COMPLETE] = {WORD("flow_dpi_complete"), true},
	[FG_MESSAGE_FLOW_STATS] = {WORD("flow_stats"), true},
	[FG_MESSAGE_FLOW_PURGE] = {WORD("flow_purge"), true},
};

static enum fg_message_type type_of(struct fg_slice name)
{
	for (unsigned i = 1; i < FG_MESSAGE_TYPE_COUNT; i++)
		if (is_text(name, types[i].name, types[i].len))
			return (enum fg_message_type)i;
	return FG_MESSAGE_OTHER;
}

/* Those of the list that are digests, behind the message's own. */
static void read_digest_prev(struct fg_message *m, struct fg_slice list)
{
	const char *p = list.ptr, *quote, *end;

	if (!list.len)
		return;
	end = p + list.len;
	while (m->digest_count < 1 + FG_DIGEST_PREV_MAX) {
		p = memchr(p, '"', (size_t)(end - p));
		if (!p)
			return;
		p++;
		quote = memchr(p, '"', (size_t)(end - p));
		if (!quote)
			return;
		if (fg_text_hex(p, (size_t)(quote - p),
				m->digest[m->digest_count], FG_DIGEST_SIZE))
			m->digest_count++;
		p = quote + 1;
	}
}

struct fg_slice fg_message_part(const struct fg_reader *r, enum fg_part part)
{
	return r->part[part];
}

int fg_message_read(struct fg_reader *r, const char *text, size_t len,
		    const struct fg_message **out)
{
	struct found found = {0};
	struct fg_message *m = &r->m;
	struct fg_slice *name;
	int err;

	/* the scan relies on its first and last byte */
	while (len && is_space(text[len - 1]))
		len--;
	if (len < 2 || text[0] != '{' || text[len - 1] != '}')
		return -EBADMSG;
	memset(m->has, 0, sizeof(m->has));
	memset(r->seen, 0, sizeof(r->seen));
	m->type_name = fg_slice("", 0);
	m->digest_count = 0;
	memset(r->part, 0, sizeof(r->part));
	r->tokenised = false;
	err = scan(r, text, text + len, &found);
	if (err < 0)
		return err;
	if (!m->type_name.len)
		return -ENOMSG;
	if (found.twice)
		return -EEXIST;
	if (found.tokens > r->max_tokens)
		return -E2BIG;
	m->text = fg_slice(text, len);
	m->type = type_of(m->type_name);
	if (types[m->type].digest && !m->digest_count)
		return -ENOKEY;
	if (m->digest_count)
		read_digest_prev(m, r->part[FG_PART_DIGEST_PREV]);
	if (fg_message_has(m, FG_ATTR_APPLICATION_NAME)) {
		name = &m->value[FG_ATTR_APPLICATION_NAME].text;
		*name = fg_name_without_id(*name);
	}
	*out = m;
	return 0;
}

/* --------------------------------------------------------------- tokens */

/*
 * jsmn reads what the table of keys does not name, when somebody asks. That it
 * does not read every message has a reason in numbers (tests/bench/
 * bench_stream.c, recorded flows): jsmn and looking its keys up, with no value
 * read, takes 1.3 times what bare jsmn does; framing and the scan above, with
 * all values, 0.7 times. That both read the same is what the unit test and the
 * fuzzer see to.
 */
static const void *tokens(const struct fg_message *m, uint32_t *count)
{
	struct fg_reader *r = m->input_private;
	jsmn_parser parser;
	int n;

	if (!r->tokenised) {
		jsmn_init(&parser);
		n = jsmn_parse(&parser, m->text.ptr, m->text.len, r->tokens,
			       r->max_tokens);
		r->token_count = n < 0 ? 0 : (uint32_t)n;
		r->tokenised = true;
	}
	*count = r->token_count;
	return r->token_count ? r->tokens : NULL;
}
