/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schema.c - sets compared, and made with libnftnl. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#include "base/text.h"
#include "schema.h"
#include "sentence.h"

/* ------------------------------------------------------------- reading */

/* What the kernel says of a set, as far as it matters here. */
struct reading {
	uint32_t flags;
	uint32_t key_type;
	uint32_t key_len;
	uint32_t data_type;
	uint32_t data_len;
	struct fg_schema_found found;
};

static uint32_t be32(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) < 0
		       ? 0
		       : ntohl(mnl_attr_get_u32(attr));
}

static uint64_t be64(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U64) < 0
		       ? 0
		       : be64toh(mnl_attr_get_u64(attr));
}

static int read_table(void *ctx, const struct nlmsghdr *nlh)
{
	struct reading *r = ctx;
	const struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_TABLE_HANDLE)
			r->found.table_handle = be64(attr);
	return 0;
}

static bool is_counter(const struct nlattr *expr)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, expr)
		if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			return !strcmp(mnl_attr_get_str(attr), "counter");
	return false;
}

static int read_set(void *ctx, const struct nlmsghdr *nlh)
{
	struct reading *r = ctx;
	const struct nlattr *attr, *desc;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_SET_FLAGS:
			r->flags = be32(attr);
			break;
		case NFTA_SET_KEY_TYPE:
			r->key_type = be32(attr);
			break;
		case NFTA_SET_KEY_LEN:
			r->key_len = be32(attr);
			break;
		case NFTA_SET_DATA_TYPE:
			r->data_type = be32(attr);
			break;
		case NFTA_SET_DATA_LEN:
			r->data_len = be32(attr);
			break;
		case NFTA_SET_TIMEOUT:
			r->found.timeout_ms = be64(attr);
			break;
		case NFTA_SET_HANDLE:
			r->found.set_handle = be64(attr);
			break;
		case NFTA_SET_EXPR:
			r->found.counter |= is_counter(attr);
			break;
		case NFTA_SET_EXPRESSIONS:
			mnl_attr_for_each_nested (desc, attr)
				r->found.counter |= is_counter(desc);
			break;
		case NFTA_SET_DESC:
			mnl_attr_for_each_nested (desc, attr)
				if (mnl_attr_get_type(desc) ==
				    NFTA_SET_DESC_SIZE)
					r->found.size = be32(desc);
			break;
		}
	}
	r->found.timeouts = r->flags & NFT_SET_TIMEOUT;
	return 0;
}

/*
 * Asked with libmnl alone: a set is looked at whenever the firewall changes,
 * and then nothing may be allocated.
 */
static int get(struct fg_nl *nl, const struct fg_schema *want, uint16_t type,
	       struct reading *r)
{
	_Alignas(struct nlmsghdr) char buf[1024] = {0}; /* padding is sent */
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;
	bool set = type == NFT_MSG_GETSET;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = want->family;
	nfg->version = NFNETLINK_V0;
	mnl_attr_put_strz(nlh, set ? NFTA_SET_TABLE : NFTA_TABLE_NAME,
			  want->table);
	if (set)
		mnl_attr_put_strz(nlh, NFTA_SET_NAME, want->set);
	return fg_nl_request(nl, nlh, set ? read_set : read_table, r);
}

struct near {
	const char *want;
	unsigned distance;
	char name[64];
};

/* Without the ".v4" or ".v6" that it ends in. */
static size_t stem(const char *name)
{
	size_t n = strlen(name);

	return n > 3 && !strncmp(name + n - 3, ".v", 2) ? n - 3 : n;
}

static int read_near(void *ctx, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;
	struct near *near = ctx;
	const char *name = "";
	unsigned distance;
	size_t n;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_SET_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			name = mnl_attr_get_str(attr);
	n = stem(name);
	/* its twin for the other family is near, but never what was meant */
	if (name[n] && strcmp(name + n, near->want + stem(near->want)) != 0)
		return 0;
	distance = fg_text_distance(near->want, stem(near->want), name, n);
	if (distance >= near->distance)
		return 0;
	near->distance = distance;
	snprintf(near->name, sizeof(near->name), "%s", name);
	return 0;
}

/* The set of that table whose name is nearest: where one was misspelled. */
static const char *nearest_set(struct fg_nl *nl, const struct fg_schema *want,
			       struct near *near)
{
	_Alignas(struct nlmsghdr) char buf[512] = {0}; /* padding is sent */
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	*near = (struct near){.want = want->set, .distance = UINT_MAX};
	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSET;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = want->family;
	nfg->version = NFNETLINK_V0;
	mnl_attr_put_strz(nlh, NFTA_SET_TABLE, want->table);
	if (fg_nl_request(nl, nlh, read_near, near) < 0 || !*near->name)
		return NULL;
	return near->name;
}

/* ----------------------------------------------------------- comparing */

/* What a sentence about the set begins with. */
static int begin(const struct fg_schema *want, char *why)
{
	int n = snprintf(why, FG_SCHEMA_WHY, "%s \"%s %s %s\" ",
			 want->map == FG_MAP_NONE ? "set" : "map",
			 fg_family_name(want->family), want->table, want->set);

	return n < FG_SCHEMA_WHY ? n : FG_SCHEMA_WHY - 1;
}

#define SAY(want, why, ...)                                                    \
	do {                                                                   \
		int n_ = begin(want, why);                                     \
		snprintf((why) + n_, (size_t)(FG_SCHEMA_WHY - n_),             \
			 __VA_ARGS__);                                         \
	} while (0)

/* The set's key in words: "ipv4_addr . inet_service". */
static void found_types(uint32_t type, uint32_t len, char text[FG_KEY_TEXT])
{
	uint32_t types[FG_TYPES_KEPT];
	int n = 0, used = 0;

	for (; type && n < FG_TYPES_KEPT; type >>= FG_TYPE_BITS)
		types[n++] = type & FG_TYPE_MASK;
	text[0] = '\0';
	while (n-- && used < FG_KEY_TEXT - 32)
		used += snprintf(text + used, (size_t)(FG_KEY_TEXT - used),
				 "%s%s", used ? " . " : "",
				 fg_type_name(types[n]));
	if (!used)
		snprintf(text, FG_KEY_TEXT, "of %u bytes", len);
}

/*
 * Field by field, the last one first, as far as the kernel keeps them. A typeof
 * set may have a field whose type nft has no number for: then only the length
 * of the whole key can tell.
 */
static bool key_fits(const struct fg_key_shape *s, uint32_t type, uint32_t len)
{
	if (len != s->len)
		return false;
	for (int i = s->count - 1, n = 0; i >= 0 && n < FG_TYPES_KEPT;
	     i--, n++) {
		uint32_t is = type & FG_TYPE_MASK;
		uint32_t should = fg_type_number(
			fg_key_field_type(s->field[i], s->version));

		if (is != should && is != FG_TYPE_INVALID &&
		    is != FG_TYPE_INTEGER)
			return false;
		type >>= FG_TYPE_BITS;
	}
	return s->count > FG_TYPES_KEPT || type == 0;
}

/* How many fields a set has, where that can be known. */
static int fields_of(uint32_t type)
{
	int n = 0;

	for (; type; type >>= FG_TYPE_BITS)
		n++;
	return n;
}

static void say_key(const struct fg_schema *want, uint32_t type, uint32_t len,
		    char *why)
{
	char has[FG_KEY_TEXT], wants[FG_KEY_TEXT], fields[FG_KEY_TEXT];
	int count = fields_of(type);
	const char *remedy = "put the fields in the set's order";

	found_types(type, len, has);
	fg_key_format_types(&want->shape, wants);
	fg_key_format_fields(&want->shape, fields);
	if (count > want->shape.count)
		remedy = "add the missing field to \"type\"";
	else if (count < want->shape.count)
		remedy = "take the field that is too many out of \"type\"";
	else if (fg_type_number("inet_proto") && len != want->shape.len)
		remedy = "use fields of the set's types, or set_family";
	SAY(want, why,
	    "has key %s, \"type\" [%s] makes %s: %s, or declare the set with "
	    "\"type %s\"",
	    has, fields, wants, remedy, wants);
}

static int say_map(const struct fg_schema *want, uint32_t flags, uint32_t type,
		   char *why)
{
	bool is_map = flags & (NFT_SET_MAP | NFT_SET_OBJECT);

	if (!is_map && want->map != FG_MAP_NONE)
		SAY(want, why,
		    "is a set, but \"data\" needs a map: declare it as \"map "
		    "%s { type ... : %s; }\"",
		    want->set, fg_map_name(want->map));
	else if (is_map && want->map == FG_MAP_NONE)
		SAY(want, why,
		    "is a map: say what its elements lead to with \"data\", "
		    "such as {\"mark\": \"0x10\"}");
	else
		SAY(want, why,
		    "is a map to %s, \"data\" gives a %s: make the two the "
		    "same",
		    type == NFT_DATA_VERDICT ? "verdict" : fg_type_name(type),
		    fg_map_name(want->map));
	return -EINVAL;
}

static bool map_fits(const struct fg_schema *want, uint32_t flags,
		     uint32_t type, uint32_t len)
{
	if (flags & NFT_SET_OBJECT)
		return false;
	if (!(flags & NFT_SET_MAP))
		return want->map == FG_MAP_NONE;
	if (want->map == FG_MAP_NONE || want->map == FG_MAP_VERDICT)
		return want->map == FG_MAP_VERDICT && type == NFT_DATA_VERDICT;
	return len == fg_map_len(want->map) &&
	       (type == fg_map_type(want->map) || type == FG_TYPE_INTEGER ||
		type == FG_TYPE_INVALID);
}

static int compare(const struct fg_schema *want, const struct reading *r,
		   char *why)
{
	if (!map_fits(want, r->flags, r->data_type, r->data_len))
		return say_map(want, r->flags, r->data_type, why);
	if (!key_fits(&want->shape, r->key_type, r->key_len)) {
		say_key(want, r->key_type, r->key_len, why);
		return -EINVAL;
	}
	if (r->flags & NFT_SET_INTERVAL) {
		SAY(want, why,
		    "has \"flags interval\": with it every change of one "
		    "element costs time for all of them; declare it without, "
		    "for the elements of flows are never ranges");
		return -EINVAL;
	}
	if (r->flags & NFT_SET_CONSTANT) {
		SAY(want, why,
		    "has \"flags constant\": declare it without, or nothing "
		    "can be added");
		return -EINVAL;
	}
	/*
	 * The kernel would take elements with counters all the same, but what
	 * nft lists could then not be loaded again.
	 */
	if (want->counter && !r->found.counter) {
		SAY(want, why,
		    "has no \"counter\", but \"counter\" is true: declare it "
		    "with \"counter;\", which gives one to each element");
		return -EINVAL;
	}
	if (want->ttl_ms && !r->found.timeouts) {
		SAY(want, why,
		    "has no \"flags timeout\", but \"ttl\" is %u: declare it "
		    "with \"flags timeout\", or set \"ttl\" to 0",
		    want->ttl_ms / 1000);
		return -EINVAL;
	}
	return 0;
}

int fg_schema_check(struct fg_nl *nl, const struct fg_schema *want,
		    struct fg_schema_found *found, char why[FG_SCHEMA_WHY])
{
	const char *nearest = NULL;
	struct reading r = {0};
	struct near near;
	bool table;
	int err;

	why[0] = '\0';
	err = get(nl, want, NFT_MSG_GETTABLE, &r);
	table = !err;
	if (!err)
		err = get(nl, want, NFT_MSG_GETSET, &r);
	*found = r.found;
	if (!err)
		err = compare(want, &r, why);
	else if (err == -ENOENT && !table)
		SAY(want, why,
		    "is missing, and so is its table: load the firewall that "
		    "declares it, correct \"table_name\" and "
		    "\"table_family\", or set \"managed\" to true");
	else if (err == -ENOENT && (nearest = nearest_set(nl, want, &near)) &&
		 !strncmp(want->set, nearest, strlen(nearest)))
		SAY(want, why,
		    "is missing, but there is \"%s\": give that the name "
		    "\"%s\", since sets have their family at the end",
		    nearest, want->set);
	else if (err == -ENOENT && nearest)
		SAY(want, why,
		    "is missing, but there is \"%s\": is one of the two names "
		    "misspelled?",
		    nearest);
	else if (err == -ENOENT)
		SAY(want, why,
		    "is missing: declare it in table \"%s %s\", correct "
		    "\"set_name\", or set \"managed\" to true",
		    fg_family_name(want->family), want->table);
	else if (err == -EPERM)
		SAY(want, why,
		    "cannot be looked at: that takes root, or the capability "
		    "CAP_NET_ADMIN");
	else if (err == -EINVAL)
		SAY(want, why,
		    "cannot be looked at: the kernel seems to have no "
		    "nftables: load the module nf_tables");
	else
		SAY(want, why, "cannot be looked at: %s", fg_sentence(-err));
	return err;
}

/* -------------------------------------------------------------- making */

/* nft's numbers of byte orders, and of what a set's user data says of them. */
#define BYTEORDER_INVALID 0
#define BYTEORDER_HOST	  1
#define BYTEORDER_NET	  2

static uint32_t key_byteorder(const struct fg_key_shape *s)
{
	if (s->count > 1)
		return BYTEORDER_INVALID;
	switch (s->field[0]) {
	case FG_KEY_MARK:
	case FG_KEY_INTERFACE:
		return BYTEORDER_HOST;
	default:
		return BYTEORDER_NET;
	}
}

static void set_userdata(struct nftnl_set *s, const struct fg_schema *want)
{
	struct nftnl_udata_buf *u = nftnl_udata_buf_alloc(256);

	if (!u)
		return;
	nftnl_udata_put_u32(u, NFTNL_UDATA_SET_KEYBYTEORDER,
			    key_byteorder(&want->shape));
	if (want->map != FG_MAP_NONE)
		nftnl_udata_put_u32(u, NFTNL_UDATA_SET_DATABYTEORDER,
				    want->map == FG_MAP_VERDICT
					    ? BYTEORDER_INVALID
					    : BYTEORDER_HOST);
	nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(u),
			   nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
}

static struct nftnl_set *make_set(const struct fg_schema *want)
{
	struct nftnl_set *s = nftnl_set_alloc();
	uint32_t flags = want->ttl_ms ? NFT_SET_TIMEOUT : 0;

	if (!s)
		return NULL;
	nftnl_set_set_str(s, NFTNL_SET_TABLE, want->table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, want->set);
	nftnl_set_set_u32(s, NFTNL_SET_ID, 1);
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, want->family);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, fg_type_of_key(&want->shape));
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, want->shape.len);
	if (want->map != FG_MAP_NONE) {
		flags |= NFT_SET_MAP;
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE,
				  fg_map_type(want->map));
		/* a verdict's length is the kernel's own affair */
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN,
				  want->map == FG_MAP_VERDICT
					  ? 0
					  : fg_map_len(want->map));
	}
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
	if (want->size)
		nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, want->size);
	if (want->counter)
		nftnl_set_add_expr(s, nftnl_expr_alloc("counter"));
	set_userdata(s, want);
	return s;
}

size_t fg_schema_create(const struct fg_schema *want, uint32_t first,
			uint32_t *count, void *buf)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nftnl_set *s = make_set(want);
	struct mnl_nlmsg_batch *batch = NULL;
	struct nlmsghdr *nlh;
	uint32_t seq = first;
	size_t len = 0;

	if (t && s)
		batch = mnl_nlmsg_batch_start(buf, FG_SCHEMA_BYTES);
	if (!batch)
		goto out;
	nftnl_batch_begin(mnl_nlmsg_batch_current(batch), seq++);
	mnl_nlmsg_batch_next(batch);
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, want->table);
	nlh = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch),
				    NFT_MSG_NEWTABLE, want->family,
				    NLM_F_CREATE, seq++);
	nftnl_table_nlmsg_build_payload(nlh, t);
	mnl_nlmsg_batch_next(batch);
	nlh = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch),
				    NFT_MSG_NEWSET, want->family, NLM_F_CREATE,
				    seq++);
	nftnl_set_nlmsg_build_payload(nlh, s);
	mnl_nlmsg_batch_next(batch);
	nftnl_batch_end(mnl_nlmsg_batch_current(batch), seq++);
	mnl_nlmsg_batch_next(batch);
	len = mnl_nlmsg_batch_size(batch);
	mnl_nlmsg_batch_stop(batch);
	*count = seq - first;
out:
	if (t)
		nftnl_table_free(t);
	if (s)
		nftnl_set_free(s);
	return len;
}

size_t fg_schema_flush(const struct fg_schema *want, uint32_t first,
		       uint32_t *count, void *buf)
{
	struct nftnl_set *s = nftnl_set_alloc();
	char *p = buf;
	struct nlmsghdr *nlh;

	if (!s)
		return 0;
	nlh = nftnl_batch_begin(p, first);
	p += MNL_ALIGN(nlh->nlmsg_len);
	nftnl_set_set_str(s, NFTNL_SET_TABLE, want->table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, want->set);
	nlh = nftnl_nlmsg_build_hdr(p, NFT_MSG_DELSETELEM, want->family, 0,
				    first + 1);
	nftnl_set_elems_nlmsg_build_payload(nlh, s);
	p += MNL_ALIGN(nlh->nlmsg_len);
	nlh = nftnl_batch_end(p, first + 2);
	p += MNL_ALIGN(nlh->nlmsg_len);
	nftnl_set_free(s);
	*count = 3;
	return (size_t)(p - (char *)buf);
}

const char *fg_schema_create_table_text(const struct fg_schema *want,
					char *text)
{
	snprintf(text, FG_SCHEMA_WHY, "add table %s %s",
		 fg_family_name(want->family), want->table);
	return text;
}

const char *fg_schema_create_set_text(const struct fg_schema *want, char *text)
{
	char types[FG_KEY_TEXT], size[32] = "";

	if (want->size)
		snprintf(size, sizeof(size), " size %u;", want->size);
	snprintf(text, FG_SCHEMA_WHY, "add %s %s %s %s { type %s%s%s;%s%s%s }",
		 want->map == FG_MAP_NONE ? "set" : "map",
		 fg_family_name(want->family), want->table, want->set,
		 fg_key_format_types(&want->shape, types),
		 want->map == FG_MAP_NONE ? "" : " : ", fg_map_name(want->map),
		 size, want->ttl_ms ? " flags timeout;" : "",
		 want->counter ? " counter;" : "");
	return text;
}
