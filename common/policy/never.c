/* SPDX-License-Identifier: GPL-2.0-or-later */
/* never.c - addresses that no target may ever hold. */
#include "never.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word;
	const char *prefixes[3];
} defaults[] = {
	{"own", {NULL}}, /* told by fg_never_own() */
	{"loopback", {"127.0.0.0/8", "::1"}},
	{"multicast", {"224.0.0.0/4", "ff00::/8"}},
	{"broadcast", {"255.255.255.255"}},
	{"unspecified", {"0.0.0.0/8", "::"}},
	{"link-local", {"169.254.0.0/16", "fe80::/10"}},
};

#define DEFAULT_COUNT (sizeof(defaults) / sizeof(defaults[0]))
#define OWN	      0

struct fg_never {
	struct fg_addrset *listed;
	struct fg_addrset *set;	   /* of defaults that are prefixes */
	struct fg_addrset *own[2]; /* IPv4, IPv6; NULL: none */
	unsigned on;		   /* bits of defaults */
};

static int read_word(struct fg_never *n, const struct fg_node *at,
		     const char *word)
{
	const char *words[DEFAULT_COUNT + 1] = {"default"};
	const char *near;

	if (strcmp(word, "default") == 0) {
		n->on = 0;
		return 0;
	}
	for (size_t i = 0; i < DEFAULT_COUNT; i++) {
		words[i + 1] = defaults[i].word;
		if (strcmp(word, defaults[i].word) != 0)
			continue;
		n->on &= ~(1u << i);
		return 0;
	}
	near = fg_text_nearest(word, strlen(word), words, DEFAULT_COUNT + 1);
	fg_node_error(at,
		      "nothing is called \"%s\" here: expected !own, "
		      "!loopback, !multicast, !broadcast, !unspecified, "
		      "!link-local or !default%s%s%s",
		      word, near ? " (did you mean !" : "", near ? near : "",
		      near ? "?)" : "");
	return -EINVAL;
}

static int read_entry(struct fg_never *n, struct fg_groups *groups,
		      const struct fg_node *at)
{
	const char *text = fg_node_as_text(at);
	struct fg_slice slice;
	const struct fg_addrset *group;
	uint8_t mac[6];
	char err[640];
	int result = -EINVAL;

	if (text && text[0] == '!')
		return read_word(n, at, text + 1);
	if (text && text[0] == '@') {
		slice = fg_slice(text + 1, strlen(text) - 1);
		group = fg_groups_addresses(groups, slice, err, sizeof(err));
		if (group)
			return fg_addrset_add_set(n->listed, group);
		fg_node_error(at, "%s", err);
		return -EINVAL;
	}
	if (text && fg_mac_parse(text, strlen(text), mac)) {
		fg_node_error(at, "the never list is of IP addresses: put a "
				  "MAC address into \"exemptions\"");
		return -EINVAL;
	}
	if (text)
		result = fg_addrset_add_text(n->listed,
					     fg_slice(text, strlen(text)));
	if (result == -EINVAL)
		fg_node_error(
			at,
			"expected an address, a prefix, @group or !default");
	return result;
}

int fg_never_new(struct fg_never **out, struct fg_groups *groups,
		 const struct fg_node *list)
{
	struct fg_never *n = calloc(1, sizeof(*n));
	int result, err;

	if (!n)
		return -ENOMEM;
	n->on = (1u << DEFAULT_COUNT) - 1;
	result = fg_addrset_new(&n->set);
	if (result == 0)
		result = fg_addrset_new(&n->listed);
	for (size_t i = 0; list && result != -ENOMEM && i < fg_node_count(list);
	     i++) {
		err = read_entry(n, groups, fg_node_at(list, i));
		if (err)
			result = err;
	}
	for (size_t i = 0; i < DEFAULT_COUNT && result == 0; i++) {
		for (size_t p = 0; n->on >> i & 1 && p < 3; p++) {
			const char *text = defaults[i].prefixes[p];

			if (text)
				result = fg_addrset_add_text(
					n->set, fg_slice(text, strlen(text)));
		}
	}
	if (result == 0)
		result = fg_addrset_seal(n->set);
	if (result == 0)
		result = fg_addrset_seal(n->listed);
	if (result) {
		fg_never_free(n);
		return result;
	}
	*out = n;
	return 0;
}

void fg_never_free(struct fg_never *n)
{
	if (!n)
		return;
	fg_addrset_free(n->listed);
	fg_addrset_free(n->set);
	fg_addrset_free(n->own[0]);
	fg_addrset_free(n->own[1]);
	free(n);
}

void fg_never_own(struct fg_never *n, int version, const uint8_t (*addrs)[16],
		  size_t count)
{
	struct fg_addrset **own = &n->own[version == 6], *set;

	if (fg_addrset_new(&set))
		return; /* what was known stays */
	for (size_t i = 0; i < count; i++) {
		if (fg_addrset_add(set, version, addrs[i],
				   version == 6 ? 128 : 32))
			goto fail;
	}
	if (fg_addrset_seal(set))
		goto fail;
	fg_addrset_free(*own);
	*own = set;
	return;
fail:
	fg_addrset_free(set);
}

static bool is_own(const struct fg_never *n, int version,
		   const uint8_t addr[16])
{
	const struct fg_addrset *own = n->own[version == 6];

	return n->on >> OWN & 1 && own && fg_addrset_has(own, version, addr);
}

bool fg_never_has(const struct fg_never *n, int version, const uint8_t addr[16])
{
	return fg_never_listed(n, version, addr) ||
	       fg_addrset_has(n->set, version, addr) ||
	       is_own(n, version, addr);
}

bool fg_never_listed(const struct fg_never *n, int version,
		     const uint8_t addr[16])
{
	return fg_addrset_has(n->listed, version, addr);
}

const char *fg_never_show(const struct fg_never *n, int version,
			  const uint8_t addr[16], char *out, size_t size)
{
	char entry[FG_PREFIX_TEXT];

	if (fg_addrset_entry(n->listed, version, addr, entry) ||
	    fg_addrset_entry(n->set, version, addr, entry))
		snprintf(out, size, "%s", entry);
	else if (is_own(n, version, addr))
		snprintf(out, size, "the gateway's own");
	else
		return NULL;
	return out;
}
