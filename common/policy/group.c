/* SPDX-License-Identifier: GPL-2.0-or-later */
/* group.c - @groups of addresses and of applications. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "group.h"

#define NESTING_MAX 16 /* groups in groups; bounds the recursion */

enum group_state { GROUP_NEW, GROUP_BUSY, GROUP_DONE };

struct group {
	const char *name;
	const struct fg_node *node;
	enum group_state state;
	struct fg_addrset *set; /* one of these */
	struct fg_appset *apps;
};

/* A group found in a folder. */
struct found {
	struct found *next;
	char *name;
	struct fg_addrset *set;
};

struct fg_groups {
	const struct fg_catalog *catalog;
	const char *const *folders;
	struct group *addresses, *applications;
	size_t address_count, application_count;
	struct found *found;
	uint32_t generation; /* of the catalog, when tags were looked up */
	uint32_t changes;
};

const char *const fg_group_folders[] = {
	"/etc/netifyd/address-groups.d",
	"/etc/netify.d/address-groups.d",
	NULL,
};

/* ------------------------------------------------------------------ names */

static void warn_unknown(const struct fg_groups *g, const struct fg_node *n,
			 const char *tag)
{
	const char *near;

	if (fg_catalog_count(g->catalog, FG_NAME_APPLICATION) == 0)
		return;
	if (fg_catalog_near(g->catalog, FG_NAME_APPLICATION,
			    fg_slice(tag, strlen(tag)), &near, 1))
		fg_node_warning(n,
				"application \"%s\" is not known: did you mean "
				"%s? It will match once the agent names it",
				tag, near);
	else
		fg_node_warning(n,
				"application \"%s\" is not known; it will "
				"match once the agent names it",
				tag);
}

/* ----------------------------------------------------------------- files */

static struct fg_slice trimmed(const char *line)
{
	size_t len = strcspn(line, "#");

	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	while (len > 0 && isspace((unsigned char)*line)) {
		line++;
		len--;
	}
	return fg_slice(line, len);
}

static int read_file(struct fg_addrset *set, const char *path, char *err,
		     size_t errlen)
{
	char *line = NULL;
	size_t size = 0, number = 0;
	FILE *f = fopen(path, "re");
	int result = 0;

	if (!f) {
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return -EINVAL;
	}
	errno = 0;
	while (result == 0 && getline(&line, &size, f) >= 0) {
		struct fg_slice text = trimmed(line);
		char shown[64];

		number++;
		if (text.len == 0)
			continue;
		result = fg_addrset_add_text(set, text);
		if (result == -EINVAL) {
			fg_text_printable(text, shown, sizeof(shown));
			snprintf(err, errlen,
				 "%s:%zu: \"%s\" is not an address, a prefix "
				 "or a MAC address",
				 path, number, shown);
		}
	}
	if (result == 0 && ferror(f)) {
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		result = -EINVAL;
	}
	free(line);
	fclose(f);
	return result;
}

/* Is file NN-NAME.conf? */
static bool is_file_of(const char *file, struct fg_slice name)
{
	return isdigit((unsigned char)file[0]) &&
	       isdigit((unsigned char)file[1]) && file[2] == '-' &&
	       strlen(file) == 3 + name.len + 5 &&
	       memcmp(file + 3, name.ptr, name.len) == 0 &&
	       strcmp(file + 3 + name.len, ".conf") == 0;
}

static bool find_file(const struct fg_groups *g, struct fg_slice name,
		      char *path, size_t size)
{
	for (size_t i = 0; g->folders && g->folders[i]; i++) {
		DIR *dir = opendir(g->folders[i]);
		const struct dirent *entry;
		bool found = false;

		if (!dir)
			continue;
		while (!found && (entry = readdir(dir)) != NULL) {
			if (!is_file_of(entry->d_name, name))
				continue;
			snprintf(path, size, "%s/%s", g->folders[i],
				 entry->d_name);
			found = true;
		}
		closedir(dir);
		if (found)
			return true;
	}
	return false;
}

static int load_found(struct fg_groups *g, struct fg_slice name,
		      const char *path, char *err, size_t errlen)
{
	struct found *f = calloc(1, sizeof(*f));
	int result = -ENOMEM;

	snprintf(err, errlen, "out of memory");
	if (!f)
		return -ENOMEM;
	f->name = strndup(name.ptr, name.len);
	if (!f->name || fg_addrset_new(&f->set))
		goto fail;
	result = read_file(f->set, path, err, errlen);
	if (!result)
		result = fg_addrset_seal(f->set);
	if (result)
		goto fail;
	f->next = g->found;
	g->found = f;
	return 0;
fail:
	fg_addrset_free(f->set);
	free(f->name);
	free(f);
	return result;
}

/* --------------------------------------------------------------- look-ups */

static struct group *find(struct group *groups, size_t count,
			  struct fg_slice name)
{
	for (size_t i = 0; i < count; i++) {
		if (fg_slice_is(name, groups[i].name))
			return &groups[i];
	}
	return NULL;
}

static void say_none(const char *what, const char *key, struct group *groups,
		     size_t count, struct fg_slice name, char *err,
		     size_t errlen)
{
	const char **names = calloc(count + 1, sizeof(*names));
	const char *near = NULL;

	for (size_t i = 0; names && i < count; i++)
		names[i] = groups[i].name;
	if (names)
		near = fg_text_nearest(name.ptr, name.len, names, count);
	if (near)
		snprintf(err, errlen, "no %s group @%.*s: did you mean @%s?",
			 what, (int)name.len, name.ptr, near);
	else
		snprintf(err, errlen, "no %s group @%.*s: \"%s\" defines them",
			 what, (int)name.len, name.ptr, key);
	free(names);
}

const struct fg_addrset *fg_groups_addresses(struct fg_groups *g,
					     struct fg_slice name, char *err,
					     size_t errlen)
{
	const struct group *group = find(g->addresses, g->address_count, name);
	char path[512];

	if (group)
		return group->set;
	for (const struct found *f = g->found; f; f = f->next) {
		if (fg_slice_is(name, f->name))
			return f->set;
	}
	if (find_file(g, name, path, sizeof(path)))
		return load_found(g, name, path, err, errlen) ? NULL
							      : g->found->set;
	say_none("address", "address_groups", g->addresses, g->address_count,
		 name, err, errlen);
	return NULL;
}

const struct fg_appset *fg_groups_applications(struct fg_groups *g,
					       struct fg_slice name, char *err,
					       size_t errlen)
{
	const struct group *group =
		find(g->applications, g->application_count, name);

	if (group)
		return group->apps;
	say_none("application", "application_groups", g->applications,
		 g->application_count, name, err, errlen);
	return NULL;
}

uint32_t fg_groups_learn(struct fg_groups *g)
{
	uint32_t generation = fg_catalog_generation(g->catalog);
	bool changed = false;

	if (generation == g->generation)
		return g->changes;
	g->generation = generation;
	for (size_t i = 0; i < g->application_count; i++)
		changed |= fg_appset_learn(g->applications[i].apps, g->catalog);
	g->changes += changed;
	return g->changes;
}

/* --------------------------------------------------------------- reading */

static int read_group(struct fg_groups *g, struct group *group, unsigned depth);

/* @other in a group: the other one, read; NULL when that is not possible. */
static struct group *read_other(struct fg_groups *g, struct group *group,
				const struct fg_node *n, struct fg_slice name,
				unsigned depth, int *err)
{
	struct group *groups = group->apps ? g->applications : g->addresses;
	size_t count = group->apps ? g->application_count : g->address_count;
	struct group *other = find(groups, count, name);

	*err = -EINVAL;
	if (!other)
		return NULL;
	if (other->state == GROUP_BUSY)
		fg_node_error(n,
			      "group \"%s\" includes itself%s%s: take one of "
			      "the references out",
			      other->name, other == group ? "" : " through ",
			      other == group ? "" : group->name);
	else if (depth == NESTING_MAX)
		fg_node_error(n, "groups are nested more than %d deep here",
			      NESTING_MAX);
	else
		*err = read_group(g, other, depth + 1);
	return other;
}

static int read_address(struct fg_groups *g, struct group *group,
			const struct fg_node *n, const char *text,
			unsigned depth)
{
	struct fg_slice slice = fg_slice(text, strlen(text));
	const struct fg_addrset *set;
	const struct group *other;
	char err[640];
	int result;

	if (text[0] == '/') {
		result = read_file(group->set, text, err, sizeof(err));
		if (result == -EINVAL)
			fg_node_error(n, "%s", err);
		return result;
	}
	if (text[0] == '@') {
		slice.ptr++;
		slice.len--;
		other = read_other(g, group, n, slice, depth, &result);
		if (other)
			return result ? result
				      : fg_addrset_add_set(group->set,
							   other->set);
		set = fg_groups_addresses(g, slice, err, sizeof(err));
		if (set)
			return fg_addrset_add_set(group->set, set);
		fg_node_error(n, "%s", err);
		return -EINVAL;
	}
	result = fg_addrset_add_text(group->set, slice);
	if (result == -EINVAL)
		fg_node_error(n,
			      "\"%s\" is not an address, a prefix, a MAC "
			      "address, @group or /file",
			      text);
	return result;
}

static int read_application(struct fg_groups *g, struct group *group,
			    const struct fg_node *n, const char *text,
			    unsigned depth)
{
	struct fg_slice slice = fg_slice(text, strlen(text));
	const struct group *other;
	char err[256];
	uint64_t number;
	uint32_t id;
	int result;

	if (text[0] == '@') {
		slice.ptr++;
		slice.len--;
		other = read_other(g, group, n, slice, depth, &result);
		if (other)
			return result ? result
				      : fg_appset_add_set(group->apps,
							  other->apps);
		fg_groups_applications(g, slice, err, sizeof(err));
		fg_node_error(n, "%s", err);
		return -EINVAL;
	}
	if (text[0] == '\0') {
		fg_node_error(n, "an application's tag is empty");
		return -EINVAL;
	}
	if (fg_text_uint(text, slice.len, &number)) {
		if (number <= UINT32_MAX)
			return fg_appset_add(group->apps, NULL,
					     (uint32_t)number);
		fg_node_error(n, "an application's id is at most 4294967295");
		return -EINVAL;
	}
	if (!fg_catalog_id(g->catalog, FG_NAME_APPLICATION, slice, &id))
		warn_unknown(g, n, text);
	return fg_appset_add(group->apps, text, 0);
}

static int read_entry(struct fg_groups *g, struct group *group,
		      const struct fg_node *n, unsigned depth)
{
	const char *text = NULL;
	char digits[24];
	uint64_t id;

	if (fg_node_kind(n) == FG_NODE_TEXT) {
		text = fg_node_as_text(n);
	} else if (group->apps && fg_node_kind(n) == FG_NODE_NUMBER) {
		if (fg_node_as_uint(n, &id) < 0)
			return -EINVAL;
		snprintf(digits, sizeof(digits), "%llu",
			 (unsigned long long)id);
		text = digits;
	}
	if (!text) {
		fg_node_error(
			n, group->apps ? "expected the tag or id of an "
					 "application, or @group"
				       : "expected text: an address, a prefix, "
					 "a MAC address, @group or /file");
		return -EINVAL;
	}
	return group->apps ? read_application(g, group, n, text, depth)
			   : read_address(g, group, n, text, depth);
}

static int read_group(struct fg_groups *g, struct group *group, unsigned depth)
{
	const struct fg_node *n = group->node;
	int result = 0;

	if (group->state == GROUP_DONE)
		return 0;
	group->state = GROUP_BUSY;
	if (fg_node_kind(n) != FG_NODE_LIST) {
		result = read_entry(g, group, n, depth);
	} else {
		for (size_t i = 0; i < fg_node_count(n); i++) {
			int err = read_entry(g, group, fg_node_at(n, i), depth);

			if (err && result != -ENOMEM)
				result = err; /* go on: say all errors */
		}
	}
	group->state = GROUP_DONE;
	if (result)
		return result;
	if (group->set)
		return fg_addrset_seal(group->set);
	return fg_appset_seal(group->apps, g->catalog);
}

static bool is_name(const char *name)
{
	const char *p = name;

	while (isalnum((unsigned char)*p) || (*p && strchr("_.-+", *p)))
		p++;
	return *p == '\0' && p > name;
}

static int list_groups(const struct fg_node *object, bool apps,
		       struct group **out, size_t *count)
{
	size_t n = object ? fg_node_count(object) : 0;
	int result = 0;

	*out = calloc(n + 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct group *group = &(*out)[i];

		group->name = fg_node_key_at(object, i);
		fg_node_any(object, group->name, &group->node);
		if (!is_name(group->name)) {
			fg_node_error(fg_node_key_node(object, i),
				      "\"%s\" cannot be the name of a group: "
				      "use letters, digits, - _ + and .",
				      group->name);
			result = -EINVAL;
		}
		*count = i + 1;
		if (apps ? fg_appset_new(&group->apps)
			 : fg_addrset_new(&group->set))
			return -ENOMEM;
	}
	return result;
}

int fg_groups_new(struct fg_groups **out, const struct fg_catalog *catalog,
		  const struct fg_node *addresses,
		  const struct fg_node *applications,
		  const char *const *folders)
{
	struct fg_groups *g = calloc(1, sizeof(*g));
	int result, err;

	if (!g)
		return -ENOMEM;
	g->catalog = catalog;
	g->folders = folders;
	g->generation = fg_catalog_generation(catalog);
	result =
		list_groups(addresses, false, &g->addresses, &g->address_count);
	err = list_groups(applications, true, &g->applications,
			  &g->application_count);
	if (err)
		result = err;
	for (size_t i = 0; result != -ENOMEM && i < g->address_count; i++) {
		err = read_group(g, &g->addresses[i], 0);
		if (err)
			result = err;
	}
	for (size_t i = 0; result != -ENOMEM && i < g->application_count; i++) {
		err = read_group(g, &g->applications[i], 0);
		if (err)
			result = err;
	}
	if (result) {
		fg_groups_free(g);
		return result;
	}
	*out = g;
	return 0;
}

void fg_groups_free(struct fg_groups *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->address_count; i++)
		fg_addrset_free(g->addresses[i].set);
	for (size_t i = 0; i < g->application_count; i++)
		fg_appset_free(g->applications[i].apps);
	while (g->found) {
		struct found *f = g->found;

		g->found = f->next;
		fg_addrset_free(f->set);
		free(f->name);
		free(f);
	}
	free(g->addresses);
	free(g->applications);
	free(g);
}
