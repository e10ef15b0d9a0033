/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exemption.c - whom something does not apply to. */
#include "exemption.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syntax.h"

/* An address, a prefix, a MAC or a whole group; -ENOENT: an expression. */
static int add_plain(struct fg_addrset *set, struct fg_groups *groups,
		     const struct fg_node *n, const char *text)
{
	struct fg_slice slice = fg_slice(text, strlen(text));
	const struct fg_addrset *group;
	char err[640], shown[FG_SYNTAX_SHORT];
	int result;

	if (text[0] != '@') {
		result = fg_addrset_add_text(set, slice);
		if (result != -EINVAL)
			return result;
		if (text[0] < '0' || text[0] > '9')
			return -ENOENT;
		/* no expression begins so */
		fg_syntax_short(slice, shown);
		fg_node_error(n,
			      "\"%s\" is not an address, a prefix, a MAC "
			      "address, @group or an expression",
			      shown);
		return -EINVAL;
	}
	group = fg_groups_addresses(groups, fg_slice(text + 1, slice.len - 1),
				    err, sizeof(err));
	if (group)
		return fg_addrset_add_set(set, group);
	fg_node_error(n, "%s", err);
	return -EINVAL;
}

int fg_exemptions_read(struct fg_exemptions *e, struct fg_scope *scope,
		       const struct fg_node *list)
{
	size_t n = list ? fg_node_count(list) : 0;
	int result, err;

	*e = (struct fg_exemptions){.list = list};
	if (n == 0)
		return 0;
	e->criteria = calloc(n, sizeof(struct fg_criteria *));
	result = fg_addrset_new(&e->set);
	if (!e->criteria)
		result = -ENOMEM;
	for (size_t i = 0; i < n && result != -ENOMEM; i++) {
		const struct fg_node *at = fg_node_at(list, i);
		const char *text = fg_node_as_text(at);

		err = text ? add_plain(e->set, scope->groups, at, text)
			   : -ENOENT;
		if (err == -ENOENT) {
			err = fg_criteria_read(&e->criteria[e->criteria_count],
					       scope, at);
			e->criteria_count += err == 0;
		}
		if (err)
			result = err;
	}
	return result ? result : fg_addrset_seal(e->set);
}

void fg_exemptions_free(struct fg_exemptions *e)
{
	for (size_t i = 0; i < e->criteria_count; i++)
		fg_criteria_free(e->criteria[i]);
	free(e->criteria);
	fg_addrset_free(e->set);
	*e = (struct fg_exemptions){.set = NULL};
}

static bool has_either(const struct fg_addrset *set, const struct fg_flow *f,
		       enum fg_term_id *by)
{
	const uint8_t *ends[2];

	*by = FG_TERM_ID_LOCAL_IP;
	if (f->ip_version && fg_addrset_has(set, f->ip_version, f->local_addr))
		return true;
	*by = FG_TERM_ID_OTHER_IP;
	if (f->ip_version && fg_addrset_has(set, f->ip_version, f->other_addr))
		return true;
	*by = FG_TERM_ID_LOCAL_MAC;
	if (fg_term_macs(f, FG_SIDE_LOCAL, ends) &&
	    fg_addrset_has_mac(set, ends[0]))
		return true;
	*by = FG_TERM_ID_OTHER_MAC;
	return fg_term_macs(f, FG_SIDE_OTHER, ends) &&
	       fg_addrset_has_mac(set, ends[0]);
}

bool fg_exemptions_have(const struct fg_exemptions *e, const struct fg_view *v)
{
	enum fg_term_id by;

	if (!e->set)
		return false;
	if (!fg_addrset_empty(e->set) && has_either(e->set, v->flow, &by))
		return true;
	for (size_t i = 0; i < e->criteria_count; i++) {
		if (fg_criteria_run(e->criteria[i], v))
			return true;
	}
	return false;
}

bool fg_exemptions_learn(struct fg_exemptions *e)
{
	bool changed = false;

	for (size_t i = 0; i < e->criteria_count; i++)
		changed |= fg_criteria_learn(e->criteria[i]);
	return changed;
}

uint32_t fg_exemptions_depends(const struct fg_exemptions *e)
{
	uint32_t depends = 0;

	if (e->set && !fg_addrset_empty(e->set))
		depends = FG_CHANGED_KEY;
	for (size_t i = 0; i < e->criteria_count; i++)
		depends |= fg_criteria_depends(e->criteria[i]);
	return depends;
}

/* Does this entry alone, as written, have the flow? */
static bool entry_has(const struct fg_scope *scope, const char *text,
		      const struct fg_view *v, enum fg_term_id *by)
{
	struct fg_addrset *set;
	const struct fg_addrset *group;
	char err[640];
	bool has;

	if (text[0] == '@') {
		group = fg_groups_addresses(
			scope->groups, fg_slice(text + 1, strlen(text) - 1),
			err, sizeof(err));
		return group && has_either(group, v->flow, by);
	}
	if (fg_addrset_new(&set))
		return false;
	has = fg_addrset_add_text(set, fg_slice(text, strlen(text))) == 0 &&
	      fg_addrset_seal(set) == 0 && has_either(set, v->flow, by);
	fg_addrset_free(set);
	return has;
}

const char *fg_exemptions_show(const struct fg_exemptions *e,
			       const struct fg_scope *scope,
			       const struct fg_view *v, char *out, size_t size)
{
	size_t n = e->list ? fg_node_count(e->list) : 0;
	char entry[256], value[128];
	enum fg_term_id by;

	if (size > 0)
		out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const char *text = fg_node_as_text(fg_node_at(e->list, i));

		if (!text || !entry_has(scope, text, v, &by))
			continue;
		fg_text_printable(fg_slice(text, strlen(text)), entry,
				  sizeof(entry));
		fg_term_show(v, by, value, sizeof(value));
		snprintf(out, size, "%s (%s is %s)", entry, fg_terms[by].name,
			 value);
		return out;
	}
	for (size_t i = 0; i < e->criteria_count; i++) {
		if (fg_criteria_explain(e->criteria[i], v, out, size))
			return out;
	}
	return out;
}
