/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - the keys of an nftset target. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "base/text.h"
#include "base/word.h"
#include "options.h"

/* What a user may write for a day and more; a kernel timeout is 64 bits. */
#define SECONDS_MAX  (400u * 86400 / 10)
#define SIZE_DEFAULT 65536
#define PAIR	     (1u << FG_KEY_LOCAL_ADDR | 1u << FG_KEY_OTHER_ADDR)
#define ORIGIN_PAIR  (1u << FG_KEY_SRC_ADDR | 1u << FG_KEY_DST_ADDR)
#define LOCAL_BITS                                                             \
	(1u << FG_KEY_LOCAL_ADDR | 1u << FG_KEY_LOCAL_PORT |                   \
	 1u << FG_KEY_LOCAL_MAC | 1u << FG_KEY_SRC_ADDR |                      \
	 1u << FG_KEY_SRC_PORT | 1u << FG_KEY_DST_ADDR |                       \
	 1u << FG_KEY_DST_PORT)

static const struct fg_node *node_of(const struct fg_host *host,
				     const struct fg_node *cfg, const char *key)
{
	const struct fg_node *at = cfg;

	host->config->any(cfg, key, &at);
	return at;
}

static int read_names(struct fg_options *o, const struct fg_host *host,
		      const struct fg_node *cfg)
{
	static const char *const set_families[] = {"*", "ipv4", "ipv6"};
	const struct fg_config *c = host->config;
	const char *const *families;
	size_t n;
	unsigned family = 0, version = 0;
	int err = 0;

	o->set.schema.table = "nfa";
	families = fg_family_names(&n);
	if (c->text(cfg, "table_name", &o->set.schema.table) < 0)
		err = -EINVAL;
	if (fg_word_read(host, cfg, "table_family", families, n, &family) < 0 ||
	    fg_word_read(host, cfg, "set_family", set_families, 3, &version) <
		    0)
		err = -EINVAL;
	switch (c->text(cfg, "set_name", &o->set_name)) {
	case 0:
		c->error(cfg, "\"set_name\" is missing: the set's name "
			      "without its \".v4\" or \".v6\"");
		err = -EINVAL;
		break;
	case 1:
		if (strlen(o->set_name) + sizeof(".v4") <=
		    NFT_SET_MAXNAMELEN - 1)
			break;
		c->error(node_of(host, cfg, "set_name"),
			 "a set's name may have at most %zu characters",
			 NFT_SET_MAXNAMELEN - sizeof(".v4"));
		err = -EINVAL;
		break;
	default:
		err = -EINVAL;
	}
	if (strlen(o->set.schema.table) >= NFT_TABLE_MAXNAMELEN) {
		c->error(node_of(host, cfg, "table_name"),
			 "a table's name may have at most %d characters",
			 NFT_TABLE_MAXNAMELEN - 1);
		err = -EINVAL;
	}
	o->set.schema.family = (uint8_t)fg_family(families[family]);
	o->ipv4 = version != 2;
	o->ipv6 = version != 1;
	return err;
}

static int read_type(struct fg_options *o, const struct fg_host *host,
		     const struct fg_node *cfg)
{
	const struct fg_config *c = host->config;
	const struct fg_node *list;
	int ret = c->list(cfg, "type", &list);
	size_t n;

	if (ret < 0)
		return ret;
	if (ret == 0) {
		c->error(cfg, "\"type\" is missing: the fields of the set's "
			      "key in its order, such as [\"other_addr\"]");
		return -EINVAL;
	}
	o->at_type = list;
	n = c->count(list);
	if (n == 0 || n > FG_KEY_FIELDS_MAX) {
		c->error(list, "\"type\" needs 1 to %d fields",
			 FG_KEY_FIELDS_MAX);
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++) {
		const struct fg_node *at = c->at(list, i);
		const char *name = c->as_text(at);
		int field = name ? fg_key_field(name) : -1;
		const char *near;

		if (field >= 0) {
			o->field[i] = (uint8_t)field;
			continue;
		}
		near = name ? c->nearest(name, fg_key_field_names(),
					 FG_KEY_FIELD_COUNT)
			    : NULL;
		c->error(at, "\"%s\" is not a field of a key%s%s%s",
			 name ? name : "?", near ? ": did you mean \"" : "",
			 near ? near : "", near ? "\"?" : "");
		ret = -EINVAL;
	}
	o->fields = n;
	return ret < 0 ? ret : 0;
}

/* "1:10", in hexadecimal as tc has it. */
static bool read_classid(const char *text, uint32_t *out)
{
	uint32_t part[2] = {0, 0};
	int i = 0, digits = 0;

	for (; *text; text++) {
		int d = fg_hex_digit(*text);

		if (*text == ':' && i == 0 && digits) {
			i = 1;
			digits = 0;
		} else if (d >= 0 && ++digits <= 4) {
			part[i] = part[i] << 4 | (uint32_t)d;
		} else {
			return false;
		}
	}
	*out = part[0] << 16 | part[1];
	return i == 1 && digits;
}

static int read_verdict(const struct fg_host *host, const struct fg_node *at,
			const char *text, uint32_t *out)
{
	static const struct {
		const char *name;
		uint32_t code;
	} verdicts[] = {{"drop", NF_DROP},
			{"accept", NF_ACCEPT},
			{"continue", (uint32_t)NFT_CONTINUE},
			{"return", (uint32_t)NFT_RETURN}};

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++)
		if (!strcmp(verdicts[i].name, text)) {
			*out = verdicts[i].code;
			return 0;
		}
	if (!strncmp(text, "jump", 4) || !strncmp(text, "goto", 4))
		host->config->error(
			at,
			"\"%s\" in a map of flows would make the kernel check "
			"the whole ruleset again at every change: use a map "
			"to \"mark\" and one rule for each mark that jumps",
			text);
	else
		host->config->error(at,
				    "\"%s\" is not one of \"drop\", "
				    "\"accept\", \"continue\", \"return\"",
				    text);
	return -EINVAL;
}

/* Of the only key of "data"; FG_MAP_NONE: said that it is none. */
static enum fg_map read_map(const struct fg_config *c,
			    const struct fg_node *data)
{
	const char *names[FG_MAP_COUNT], *key, *near;
	const struct fg_node *value;

	if (c->count(data) != 1) {
		c->error(data, "\"data\" is one of {\"mark\": \"0x10\"}, "
			       "{\"classid\": \"1:10\"}, {\"verdict\": "
			       "\"drop\"}");
		return FG_MAP_NONE;
	}
	key = c->key_at(data, 0);
	for (enum fg_map i = FG_MAP_NONE; i < FG_MAP_COUNT; i++) {
		names[i] = i == FG_MAP_NONE ? NULL : fg_map_name(i);
		if (names[i] && !strcmp(key, names[i]))
			return i;
	}
	near = c->nearest(key, names, FG_MAP_COUNT);
	c->any(data, key, &value); /* said here, not again by the host */
	c->error(value,
		 "\"data\" is a \"mark\", a \"classid\" or a \"verdict\", "
		 "not \"%s\"%s%s%s",
		 key, near ? " (did you mean \"" : "", near ? near : "",
		 near ? "\"?)" : "");
	return FG_MAP_NONE;
}

/* The value of its only key. */
static int read_data(const struct fg_host *host, const struct fg_node *data,
		     enum fg_map kind, uint32_t *out)
{
	const struct fg_config *c = host->config;
	const char *text = NULL;
	uint64_t mark = 0;

	if (kind == FG_MAP_MARK) {
		if (c->uint(data, "mark", 0, UINT32_MAX, &mark) < 0)
			return -EINVAL;
		*out = (uint32_t)mark;
		return 0;
	}
	if (c->text(data, fg_map_name(kind), &text) < 0)
		return -EINVAL;
	if (kind == FG_MAP_VERDICT)
		return read_verdict(host, data, text, out);
	if (read_classid(text, out))
		return 0;
	c->error(data,
		 "\"%s\" is not a class: two hexadecimal numbers, as in "
		 "\"1:10\"",
		 text);
	return -EINVAL;
}

int fg_options_data(const struct fg_host *host, const struct fg_node *object,
		    enum fg_map *map, uint32_t *data)
{
	const struct fg_config *c = host->config;
	const struct fg_node *node;
	enum fg_map kind;
	int ret = c->object(object, "data", &node);

	if (ret <= 0)
		return ret;
	kind = read_map(c, node);
	if (kind == FG_MAP_NONE || read_data(host, node, kind, data) < 0)
		return -EINVAL;
	if (*map != FG_MAP_NONE && *map != kind) {
		c->error(node, "the target's map leads to %s, not to %s",
			 fg_map_name(*map), fg_map_name(kind));
		return -EINVAL;
	}
	*map = kind;
	return 1;
}

static int read_numbers(struct fg_options *o, const struct fg_host *host,
			const struct fg_node *cfg)
{
	const struct fg_config *c = host->config;
	uint64_t size = SIZE_DEFAULT, ttl = 0, linger = 0;
	int err = 0;

	/* both names are used; "size" is what deployments have */
	if (c->uint(cfg, "max_elements", 1, UINT32_MAX, &size) < 0 ||
	    c->uint(cfg, "size", 1, UINT32_MAX, &size) < 0 ||
	    c->uint(cfg, "ttl", 0, SECONDS_MAX, &ttl) < 0 ||
	    c->uint(cfg, "linger", 0, SECONDS_MAX, &linger) < 0)
		err = -EINVAL;
	o->set.schema.size = (uint32_t)size;
	o->set.schema.ttl_ms = (uint32_t)ttl * 1000;
	o->set.linger_ms = (uint32_t)linger * 1000;
	return err;
}

static int read_switches(struct fg_options *o, const struct fg_host *host,
			 const struct fg_node *cfg)
{
	static const char *const full[] = {"refuse", "evict"};
	static const char *const shared[] = {"allow", "skip"};
	const struct {
		const char *key;
		bool *to;
	} booleans[] = {
		{"managed", &o->set.managed},
		{"flush_on_create", &o->set.flush_on_create},
		{"flush_on_destroy", &o->set.flush_on_destroy},
		{"counter", &o->set.schema.counter},
		{"comment", &o->set.comment},
		{"mirror", &o->set.mirror},
	};
	unsigned on_full = 0, share = FG_SHARED_ALLOW;
	int err = 0;

	for (size_t i = 0; i < sizeof(booleans) / sizeof(*booleans); i++)
		if (host->config->boolean(cfg, booleans[i].key,
					  booleans[i].to) < 0)
			err = -EINVAL;
	if (fg_word_read(host, cfg, "on_full", full, 2, &on_full) < 0 ||
	    fg_word_read(host, cfg, "shared", shared, 2, &share) < 0 ||
	    host->config->text(cfg, "else", &o->else_name) < 0)
		err = -EINVAL;
	o->set.evict = on_full;
	o->shared = (enum fg_shared)share;
	return err;
}

/* What is right by itself, but not together. */
static int check(const struct fg_options *o, const struct fg_host *host,
		 const struct fg_node *cfg)
{
	const struct fg_config *c = host->config;
	uint32_t bits = 0;
	struct fg_key_shape shape;
	int err = 0;

	for (size_t i = 0; i < o->fields; i++)
		bits |= 1u << o->field[i];
	for (int version = 4; version <= 6; version += 2) {
		if (!(version == 4 ? o->ipv4 : o->ipv6))
			continue;
		if (fg_key_shape(&shape, o->field, o->fields, version) ==
		    -E2BIG) {
			c->error(o->at_type,
				 "with IPv%d addresses, a key of these fields "
				 "is longer than the %d bytes that the kernel "
				 "allows: leave some out",
				 version, FG_KEY_SIZE_MAX);
			err = -EINVAL;
		}
	}
	if (o->set.evict && !o->set.schema.ttl_ms) {
		c->error(node_of(host, cfg, "on_full"),
			 "\"on_full\": \"evict\" takes out what expires next, "
			 "but with \"ttl\" 0 nothing does: set a \"ttl\"");
		err = -EINVAL;
	}
	if (o->shared == FG_SHARED_SKIP && bits & LOCAL_BITS) {
		c->error(node_of(host, cfg, "shared"),
			 "\"shared\": \"skip\" is for keys without the local "
			 "side, such as [\"other_addr\", \"other_port\"]: "
			 "nobody else can be struck by this one");
		err = -EINVAL;
	}
	if (o->else_name && o->shared != FG_SHARED_SKIP) {
		c->error(node_of(host, cfg, "else"),
			 "\"else\" needs \"shared\": \"skip\"");
		err = -EINVAL;
	}
	if (o->set.mirror && (bits & PAIR) != PAIR &&
	    (bits & ORIGIN_PAIR) != ORIGIN_PAIR) {
		c->error(node_of(host, cfg, "mirror"),
			 "\"mirror\" swaps the two sides: the key needs the "
			 "addresses of both");
		err = -EINVAL;
	}
	if ((o->set.schema.family == NFPROTO_IPV4 && o->ipv6) ||
	    (o->set.schema.family == NFPROTO_IPV6 && o->ipv4)) {
		c->error(node_of(host, cfg, "table_family"),
			 "a table of family %s sees only IPv%d: set "
			 "\"set_family\" to \"ipv%d\"",
			 fg_family_name(o->set.schema.family),
			 o->set.schema.family == NFPROTO_IPV4 ? 4 : 6,
			 o->set.schema.family == NFPROTO_IPV4 ? 4 : 6);
		err = -EINVAL;
	}
	return err;
}

int fg_options_read(struct fg_options *out, const struct fg_host *host,
		    const struct fg_node *cfg)
{
	int data, err = 0;

	*out = (struct fg_options){.at_type = cfg};
	if (read_names(out, host, cfg) < 0)
		err = -EINVAL;
	if (read_type(out, host, cfg) < 0)
		err = -EINVAL;
	if (read_numbers(out, host, cfg) < 0)
		err = -EINVAL;
	if (read_switches(out, host, cfg) < 0)
		err = -EINVAL;
	if (fg_scope_read(&out->scope, host, cfg) < 0)
		err = -EINVAL;
	data = fg_options_data(host, cfg, &out->set.schema.map, &out->data);
	if (data < 0)
		err = -EINVAL;
	out->has_data = data > 0;
	return err ? err : check(out, host, cfg);
}
