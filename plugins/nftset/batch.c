/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch.c - netlink bytes by copying a template of an element. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>

#include "batch.h"
#include "lease/key.h"

/* Later than the headers of Debian 12; part of the kernel's ABI since 6.3. */
#define MSG_DESTROYSETELEM 30
/* NFTNL_UDATA_SET_ELEM_COMMENT: the type of a comment in user data */
#define UDATA_COMMENT 0

/*
 * nla_len is 16 bits: a list of elements may not exceed this, its own header
 * included.
 */
#define LIST_MAX (UINT16_MAX - 3)

/* An element without its comment: the key, and headers and times. */
#define ELEMENT_MAX (FG_KEY_SIZE_MAX + 128)
/* The attribute of a comment, padded. */
#define COMMENT_ROOM (4 + 2 + FG_COMMENT_MAX + 3)
/* The attributes of table and set: names of up to 255 bytes. */
#define NAME_ATTRS 528

enum part { PART_ANCHOR, PART_REMOVE, PART_PUT, PARTS };

struct message {
	uint32_t seq;
	uint32_t first; /* of its elements in element[] */
	enum part part;
};

struct element {
	uint32_t offset; /* from the header of its message */
	uint32_t change;
};

/* The bytes of an element up to its comment, to be copied and patched. */
struct template
{
	uint8_t bytes[ELEMENT_MAX];
	uint16_t len;
	uint16_t key;  /* where it goes */
	uint16_t data; /* likewise; 0: none */
};

struct fg_batch {
	struct fg_batch_setup s;
	struct template put;
	struct template remove;
	uint8_t list[NAME_ATTRS]; /* what every message begins with */
	uint16_t list_len;
	struct message message[FG_BATCH_MESSAGES];
	uint32_t messages;
	struct element element[FG_BATCH_MAX * PARTS];
	uint32_t elements;
	uint32_t begin; /* the sequence number of BATCH_BEGIN */
	uint32_t count; /* of sequence numbers */
	size_t len;
	uint8_t *buf;
};

/* ------------------------------------------------------------ templates */

/* A scratch message to build templates in with libmnl's attributes. */
struct scratch {
	_Alignas(struct nlmsghdr) uint8_t buf[2048];
	struct nlmsghdr *nlh;
};

static void scratch_begin(struct scratch *s)
{
	memset(s->buf, 0, sizeof(s->buf));
	s->nlh = mnl_nlmsg_put_header(s->buf);
}

static uint16_t scratch_end(const struct scratch *s, uint8_t *out)
{
	uint16_t len = (uint16_t)(s->nlh->nlmsg_len - NLMSG_HDRLEN);

	memcpy(out, s->buf + NLMSG_HDRLEN, len);
	return len;
}

static uint16_t scratch_len(const struct scratch *s)
{
	return (uint16_t)(s->nlh->nlmsg_len - NLMSG_HDRLEN);
}

static void template_element(const struct fg_batch *b, struct template *t,
			     bool put)
{
	static const uint8_t zero[FG_KEY_SIZE_MAX];
	struct scratch s;
	struct nlattr *element, *nest, *verdict;

	scratch_begin(&s);
	/* NFTA_LIST_ELEM in name only: libnftnl counts them, and so do we */
	element = mnl_attr_nest_start(s.nlh, 0);
	if (put && b->s.timeouts) {
		uint64_t ms = __builtin_bswap64(b->s.timeout_ms);

		if (htonl(1) == 1)
			ms = b->s.timeout_ms;
		mnl_attr_put_u64(s.nlh, NFTA_SET_ELEM_TIMEOUT, ms);
		/* what makes it a renewal where there is one already */
		if (b->s.caps.update && b->s.timeout_ms)
			mnl_attr_put_u64(s.nlh, NFTA_SET_ELEM_EXPIRATION, ms);
	}
	nest = mnl_attr_nest_start(s.nlh, NFTA_SET_ELEM_KEY);
	t->key = (uint16_t)(scratch_len(&s) + MNL_ATTR_HDRLEN);
	mnl_attr_put(s.nlh, NFTA_DATA_VALUE, b->s.key_len, zero);
	mnl_attr_nest_end(s.nlh, nest);
	t->data = 0;
	if (put && b->s.data != FG_DATA_NONE) {
		nest = mnl_attr_nest_start(s.nlh, NFTA_SET_ELEM_DATA);
		verdict = NULL;
		if (b->s.data == FG_DATA_VERDICT)
			verdict = mnl_attr_nest_start(s.nlh, NFTA_DATA_VERDICT);
		t->data = (uint16_t)(scratch_len(&s) + MNL_ATTR_HDRLEN);
		mnl_attr_put_u32(s.nlh,
				 verdict ? NFTA_VERDICT_CODE : NFTA_DATA_VALUE,
				 0);
		if (verdict)
			mnl_attr_nest_end(s.nlh, verdict);
		mnl_attr_nest_end(s.nlh, nest);
	}
	mnl_attr_nest_end(s.nlh, element);
	t->len = scratch_end(&s, t->bytes);
}

static void template_list(struct fg_batch *b)
{
	struct scratch s;

	scratch_begin(&s);
	mnl_attr_put_strz(s.nlh, NFTA_SET_ELEM_LIST_SET, b->s.set);
	mnl_attr_put_strz(s.nlh, NFTA_SET_ELEM_LIST_TABLE, b->s.table);
	b->list_len = scratch_end(&s, b->list);
}

static void make_templates(struct fg_batch *b)
{
	template_element(b, &b->put, true);
	template_element(b, &b->remove, false);
	template_list(b);
}

int fg_batch_new(struct fg_batch **out, const struct fg_batch_setup *setup)
{
	struct fg_batch *b;
	size_t put;

	if (strlen(setup->table) >= NFT_TABLE_MAXNAMELEN ||
	    strlen(setup->set) >= NFT_SET_MAXNAMELEN || !setup->key_len ||
	    setup->key_len > FG_KEY_SIZE_MAX)
		return -EINVAL;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	/* whatever set() may change later: the largest there can be */
	b->s = *setup;
	b->s.timeouts = b->s.caps.update = true;
	b->s.timeout_ms = 1;
	make_templates(b);
	put = b->put.len;
	if (setup->comment)
		put += COMMENT_ROOM;
	b->buf = calloc(1, FG_BATCH_MAX * (put + b->put.len + b->remove.len) +
				   FG_BATCH_MESSAGES *
					   (size_t)(b->list_len + 64u));
	if (!b->buf) {
		free(b);
		return -ENOMEM;
	}
	fg_batch_set(b, setup);
	*out = b;
	return 0;
}

void fg_batch_set(struct fg_batch *b, const struct fg_batch_setup *setup)
{
	b->s.timeouts = setup->timeouts;
	b->s.timeout_ms = setup->timeout_ms;
	b->s.caps = setup->caps;
	make_templates(b);
}

void fg_batch_free(struct fg_batch *b)
{
	if (!b)
		return;
	free(b->buf);
	free(b);
}

/* ------------------------------------------------------------- building */

static struct nlmsghdr *message_begin(struct fg_batch *b, uint16_t type,
				      uint16_t flags, uint8_t family,
				      uint16_t res_id)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)(b->buf + b->len);
	struct nfgenmsg *nfg = (struct nfgenmsg *)(nlh + 1);

	*nlh = (struct nlmsghdr){
		.nlmsg_len = sizeof(*nlh) + sizeof(*nfg),
		.nlmsg_type = type,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
		.nlmsg_seq = b->begin + b->count++,
	};
	*nfg = (struct nfgenmsg){.nfgen_family = family,
				 .version = NFNETLINK_V0,
				 .res_id = htons(res_id)};
	return nlh;
}

static void message_end(struct fg_batch *b, const struct nlmsghdr *nlh)
{
	b->len += NLMSG_ALIGN(nlh->nlmsg_len);
}

/* BATCH_BEGIN and BATCH_END. */
static void bracket(struct fg_batch *b, uint16_t type)
{
	message_end(b,
		    message_begin(b, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

/* A message of elements that is being written. */
struct list {
	struct nlmsghdr *nlh;
	struct nlattr *nest;
	uint16_t index;
};

static void list_begin(struct fg_batch *b, struct list *l, enum part part)
{
	uint16_t type = part != PART_REMOVE ? NFT_MSG_NEWSETELEM
			: b->s.caps.destroy ? MSG_DESTROYSETELEM
					    : NFT_MSG_DELSETELEM;

	l->nlh = message_begin(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
			       part == PART_REMOVE ? 0 : NLM_F_CREATE,
			       b->s.family, 0);
	memcpy((uint8_t *)l->nlh + l->nlh->nlmsg_len, b->list, b->list_len);
	l->nlh->nlmsg_len += b->list_len;
	l->nest = mnl_attr_nest_start(l->nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	l->index = 0;
	b->message[b->messages++] = (struct message){
		.seq = l->nlh->nlmsg_seq, .first = b->elements, .part = part};
}

static void list_end(struct fg_batch *b, struct list *l)
{
	mnl_attr_nest_end(l->nlh, l->nest);
	message_end(b, l->nlh);
}

static uint8_t *put_comment(struct fg_batch *b, uint8_t *p,
			    const struct fg_lease_change *c)
{
	struct nlattr *attr = (struct nlattr *)p;
	char *text = (char *)p + sizeof(*attr) + 2;
	size_t len, padded;

	b->s.comment(b->s.ctx, c, text);
	len = strnlen(text, FG_COMMENT_MAX - 1) + 1;
	p[sizeof(*attr)] = UDATA_COMMENT;
	p[sizeof(*attr) + 1] = (uint8_t)len;
	attr->nla_type = NFTA_SET_ELEM_USERDATA;
	attr->nla_len = (uint16_t)(sizeof(*attr) + 2 + len);
	padded = (size_t)MNL_ALIGN(attr->nla_len);
	memset(p + attr->nla_len, 0, padded - attr->nla_len);
	return p + padded;
}

static void put_element(struct fg_batch *b, struct list *l,
			const struct fg_lease_change *c, uint32_t index,
			enum part part)
{
	const struct template *t = part == PART_REMOVE ? &b->remove : &b->put;
	uint8_t *start = (uint8_t *)l->nlh + l->nlh->nlmsg_len;
	struct nlattr *attr = (struct nlattr *)start;
	uint32_t data = part == PART_PUT ? c->data : c->had;
	uint8_t *end = start + t->len;

	memcpy(start, t->bytes, t->len);
	memcpy(start + t->key, c->key, b->s.key_len);
	if (t->data) {
		if (b->s.data == FG_DATA_VERDICT)
			data = htonl(data);
		memcpy(start + t->data, &data, sizeof(data));
	}
	if (part == PART_PUT) {
		if (b->s.comment)
			end = put_comment(b, end, c);
		attr->nla_len = (uint16_t)(end - start);
	}
	attr->nla_type = (uint16_t)(NLA_F_NESTED | ++l->index);
	b->element[b->elements++] =
		(struct element){.offset = l->nlh->nlmsg_len, .change = index};
	l->nlh->nlmsg_len += (uint32_t)(end - start);
}

/* Is an element of this change in the part? */
static bool has_part(const struct fg_batch *b, const struct fg_lease_change *c,
		     enum part part)
{
	bool remove = c->op == FG_LEASE_DELETE;

	if (part == PART_PUT)
		return c->op != FG_LEASE_DELETE;
	if (c->op == FG_LEASE_RENEW)
		remove = !b->s.caps.update;
	else if (c->op == FG_LEASE_REPLACE)
		/* a set's element has nothing that a renewal would not do */
		remove = b->s.data != FG_DATA_NONE || !b->s.caps.update;
	if (part == PART_REMOVE)
		return remove;
	/* one with unknown data cannot be added, but is surely there */
	return remove && !b->s.caps.destroy && !c->other;
}

/*
 * What is there already comes before what is fresh: elements that are taken
 * out and put back keep their room when there is none for all.
 */
static void put_part(struct fg_batch *b, const struct fg_lease_change *changes,
		     size_t n, enum part part, bool fresh, struct list *l)
{
	size_t most = part == PART_REMOVE ? b->remove.len
		      : part == PART_ANCHOR
			      ? b->put.len
			      : b->put.len + (b->s.comment ? COMMENT_ROOM : 0u);

	for (uint32_t i = 0; i < n; i++) {
		if (changes[i].fresh != fresh ||
		    !has_part(b, &changes[i], part))
			continue;
		if (l->nlh && (uint8_t *)l->nlh + l->nlh->nlmsg_len + most >
				      (uint8_t *)l->nest + LIST_MAX) {
			list_end(b, l);
			l->nlh = NULL;
		}
		if (!l->nlh)
			list_begin(b, l, part);
		put_element(b, l, &changes[i], i, part);
	}
}

void fg_batch_build(struct fg_batch *b, const struct fg_lease_change *changes,
		    size_t n, uint32_t first)
{
	b->begin = first;
	b->count = 0;
	b->len = 0;
	b->messages = 0;
	b->elements = 0;
	bracket(b, NFNL_MSG_BATCH_BEGIN);
	for (enum part part = 0; part < PARTS; part++) {
		struct list l = {0};

		put_part(b, changes, n, part, false, &l);
		put_part(b, changes, n, part, true, &l);
		if (l.nlh)
			list_end(b, &l);
	}
	bracket(b, NFNL_MSG_BATCH_END);
}

const void *fg_batch_bytes(const struct fg_batch *b, size_t *len)
{
	*len = b->len;
	return b->buf;
}

uint32_t fg_batch_messages(const struct fg_batch *b)
{
	return b->count;
}

/* -------------------------------------------------------------- judging */

/*
 * Which change an error is about: -1 when it names none. A place in an element
 * is anywhere between its beginning and the next one's.
 */
static int blamed(const struct fg_batch *b, const struct fg_nl_error *e,
		  enum part *part)
{
	uint32_t m = 0, first, end;

	while (m < b->messages && b->message[m].seq != e->seq)
		m++;
	if (m == b->messages)
		return -1;
	*part = b->message[m].part;
	first = b->message[m].first;
	end = m + 1 < b->messages ? b->message[m + 1].first : b->elements;
	if (e->offset < b->element[first].offset)
		/* one alone needs no naming; but an attribute before it is
		 * the table or the set */
		return end - first == 1 && !e->offset
			       ? (int)b->element[first].change
			       : -1;
	while (first + 1 < end && b->element[first + 1].offset <= e->offset)
		first++;
	return (int)b->element[first].change;
}

static bool is_memory(int error)
{
	return error == ENOMEM || error == ENOBUFS || error == EAGAIN ||
	       error == EINTR;
}

/* What one named error means for its element. */
static enum fg_lease_result result_of(int error, enum part part)
{
	switch (error) {
	case ENOENT:
		return part == PART_REMOVE ? FG_LEASE_GONE : FG_LEASE_REFUSED;
	case EEXIST:
		return FG_LEASE_OTHER;
	case ENFILE:
		/* room is needed only for one that is not there any more */
		return part == PART_ANCHOR ? FG_LEASE_GONE : FG_LEASE_FULL;
	default:
		return FG_LEASE_REFUSED;
	}
}

static enum fg_verdict all(enum fg_lease_result *result, size_t n,
			   enum fg_lease_result what, enum fg_verdict verdict)
{
	for (size_t i = 0; i < n; i++)
		result[i] = what;
	return verdict;
}

enum fg_verdict fg_batch_judge(const struct fg_batch *b,
			       const struct fg_lease_change *changes, size_t n,
			       const struct fg_nl_result *answer,
			       enum fg_lease_result *result, int *error)
{
	uint32_t listed = answer->errors < FG_NL_ERRORS_MAX ? answer->errors
							    : FG_NL_ERRORS_MAX;
	enum fg_verdict verdict = FG_VERDICT_REPAIR;
	bool named = false;

	*error = 0;
	if (answer->sent) {
		*error = -answer->sent;
		if (*error == EPERM)
			verdict = FG_VERDICT_DENIED;
		else if (is_memory(*error))
			verdict = FG_VERDICT_LATER;
		else /* EMSGSIZE: a smaller one may pass */
			verdict = FG_VERDICT_SPLIT;
		return all(result, n, FG_LEASE_AGAIN, verdict);
	}
	if (!answer->errors && !answer->received)
		return all(result, n, FG_LEASE_DONE, FG_VERDICT_DONE);
	if (!answer->errors) {
		*error = -answer->received;
		return all(result, n, FG_LEASE_UNKNOWN, FG_VERDICT_UNKNOWN);
	}
	all(result, n, FG_LEASE_AGAIN, verdict);
	for (uint32_t i = 0; i < listed; i++) {
		const struct fg_nl_error *e = &answer->error[i];
		enum part part = PART_PUT;
		int who = blamed(b, e, &part);

		if (!*error || *error == ENOENT)
			*error = e->error;
		if (e->error == EPERM)
			return all(result, n, FG_LEASE_AGAIN,
				   FG_VERDICT_DENIED);
		if (is_memory(e->error))
			verdict = FG_VERDICT_LATER;
		else if (who < 0 && e->error == ENOENT)
			verdict = FG_VERDICT_MISSING;
		else if (who >= 0) {
			result[who] = result_of(e->error, part);
			named = true;
		}
		if (who < 0 || result[who] != FG_LEASE_FULL)
			continue;
		/* those behind it find no room either: fresh ones are last */
		for (size_t j = changes[who].fresh ? (size_t)who : 0; j < n;
		     j++)
			if (changes[j].fresh)
				result[j] = FG_LEASE_FULL;
	}
	if (verdict == FG_VERDICT_REPAIR && !named)
		return FG_VERDICT_SPLIT;
	if (verdict != FG_VERDICT_REPAIR)
		all(result, n, FG_LEASE_AGAIN, verdict);
	return verdict;
}
