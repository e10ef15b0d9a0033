/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plugin.c - the loader: every check has a sentence of its own. */
#include "plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define PLUGINS_MAX 64
/* What another major's symbol would be called: sought to say so. */
#define MAJORS_SOUGHT 32

/* Sizes as of minor 0: whatever is smaller is no v1 struct at all. */
#define PLUGIN_SIZE_V1 (offsetof(struct fg_plugin, targets) + sizeof(void *))
#define INPUT_SIZE_V1                                                          \
	(offsetof(struct fg_input_type, close) + sizeof(void (*)(void)))
#define TARGET_SIZE_V1                                                         \
	(offsetof(struct fg_target_type, close) + sizeof(void (*)(void)))

struct loaded {
	void *handle;
	const struct fg_plugin *plugin;
	char *path;
};

struct fg_plugins {
	char dirs[2][PATH_MAX];
	size_t dir_count;
	struct loaded loaded[PLUGINS_MAX];
	size_t count;
};

static int wrong(int ret, char *err, size_t len, const char *fmt, ...)
	FG_PRINTF(4, 5);

static int wrong(int ret, char *err, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, len, fmt, ap);
	va_end(ap);
	return ret;
}

int fg_plugins_new(struct fg_plugins **out, const char *dir)
{
	struct fg_plugins *p = calloc(1, sizeof(*p));
	char exe[PATH_MAX - 16];
	struct stat st;
	ssize_t n;
	char *slash;

	if (!p)
		return -ENOMEM;
	*out = p;
	if (dir) {
		snprintf(p->dirs[p->dir_count++], PATH_MAX, "%s", dir);
		return 0;
	}
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n > 0) {
		exe[n] = '\0';
		slash = strrchr(exe, '/');
		if (slash)
			*slash = '\0';
		snprintf(p->dirs[0], PATH_MAX, "%s/plugins", exe);
		if (stat(p->dirs[0], &st) == 0 && S_ISDIR(st.st_mode))
			p->dir_count++;
	}
	snprintf(p->dirs[p->dir_count++], PATH_MAX, "%s", FG_PLUGIN_DIR);
	return 0;
}

void fg_plugins_free(struct fg_plugins *p)
{
	if (!p)
		return;
	while (p->count) {
		struct loaded *l = &p->loaded[--p->count];

		/* LeakSanitizer needs the symbols to the very end. */
#ifndef __SANITIZE_ADDRESS__
		dlclose(l->handle);
#endif
		free(l->path);
	}
	free(p);
}

const struct fg_plugin *fg_plugins_at(const struct fg_plugins *p, size_t n,
				      const char **path)
{
	if (n >= p->count)
		return NULL;
	*path = p->loaded[n].path;
	return p->loaded[n].plugin;
}

/* --------------------------------------------------------------- the file */

/* Whoever can write to it can make us run what they like. */
static int check_trust(const char *path, const char *what,
		       const struct stat *st, char *err, size_t len)
{
	bool sticky = S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		return wrong(
			-EPERM, err, len,
			"plugin %s: %s is owned by user %u, neither by root "
			"nor by the user running flowgated (chown root)",
			path, what, (unsigned)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH) && !sticky)
		return wrong(-EPERM, err, len,
			     "plugin %s: %s is writable by group or others, "
			     "mode %04o (chmod go-w)",
			     path, what, (unsigned)st->st_mode & 07777);
	return 0;
}

static int check_file(const char *path, char *err, size_t len)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	struct stat st;
	int ret;

	if (stat(path, &st) < 0)
		return wrong(-errno, err, len, "plugin %s: %s", path,
			     strerror(errno));
	if (!S_ISREG(st.st_mode))
		return wrong(-EINVAL, err, len, "plugin %s: not a regular file",
			     path);
	ret = check_trust(path, "the file", &st, err, len);
	if (ret < 0)
		return ret;
	if (slash)
		snprintf(dir, sizeof(dir), "%.*s",
			 (int)(slash == path ? 1 : slash - path), path);
	if (stat(dir, &st) < 0)
		return wrong(-errno, err, len, "plugin %s: %s", path,
			     strerror(errno));
	return check_trust(path, "its directory", &st, err, len);
}

/* ------------------------------------------------------------- the struct */

static int check_input(const char *path, const struct fg_input_type *t,
		       char *err, size_t len)
{
	if (t->size < INPUT_SIZE_V1)
		return wrong(-EINVAL, err, len,
			     "plugin %s: an input type is %u bytes long, ABI "
			     "%d.0 has %zu (rebuild it)",
			     path, t->size, FG_ABI_MAJOR, INPUT_SIZE_V1);
	if (!t->name || !*t->name)
		return wrong(-EINVAL, err, len,
			     "plugin %s: an input type has no name", path);
	if (!t->open || !t->close || (!t->schemes && !t->feed))
		return wrong(-EINVAL, err, len,
			     "plugin %s: input type \"%s\" lacks open, feed or "
			     "close",
			     path, t->name);
	return 0;
}

static int check_target(const char *path, const struct fg_target_type *t,
			char *err, size_t len)
{
	if (t->size < TARGET_SIZE_V1)
		return wrong(-EINVAL, err, len,
			     "plugin %s: a target type is %u bytes long, ABI "
			     "%d.0 has %zu (rebuild it)",
			     path, t->size, FG_ABI_MAJOR, TARGET_SIZE_V1);
	if (!t->name || !*t->name)
		return wrong(-EINVAL, err, len,
			     "plugin %s: a target type has no name", path);
	if (!t->open || !t->enter || !t->leave || !t->close)
		return wrong(-EINVAL, err, len,
			     "plugin %s: target type \"%s\" lacks open, enter, "
			     "leave or close",
			     path, t->name);
	return 0;
}

static int check_plugin(const char *path, const struct fg_plugin *p, char *err,
			size_t len)
{
	int ret = 0;

	/* In this order: size says how much of the rest is there. */
	if (p->size < offsetof(struct fg_plugin, name))
		return wrong(
			-EINVAL, err, len,
			"plugin %s: describes itself in %u bytes, ABI %d.0 has "
			"%zu: damaged, or not built with FG_PLUGIN_HEADER",
			path, p->size, FG_ABI_MAJOR, PLUGIN_SIZE_V1);
	if (p->abi_major != FG_ABI_MAJOR)
		return wrong(
			-EINVAL, err, len,
			"plugin %s: made for ABI %u.%u, this flowgated has "
			"%d.%d (rebuild it with this flowgated's header)",
			path, p->abi_major, p->abi_minor, FG_ABI_MAJOR,
			FG_ABI_MINOR);
	if (p->abi_minor > FG_ABI_MINOR)
		return wrong(-EINVAL, err, len,
			     "plugin %s: needs ABI %u.%u, this flowgated has "
			     "%d.%d (a newer flowgated is needed)",
			     path, p->abi_major, p->abi_minor, FG_ABI_MAJOR,
			     FG_ABI_MINOR);
	if (p->size < PLUGIN_SIZE_V1)
		return wrong(
			-EINVAL, err, len,
			"plugin %s: describes itself in %u bytes, ABI %d.0 has "
			"%zu: damaged, or not built with FG_PLUGIN_HEADER",
			path, p->size, FG_ABI_MAJOR, PLUGIN_SIZE_V1);
	if (!p->name || !*p->name || !p->version)
		return wrong(-EINVAL, err, len,
			     "plugin %s: has no name or no version", path);
	if (!p->inputs && !p->targets)
		return wrong(
			-EINVAL, err, len,
			"plugin %s: has neither an input nor a target type",
			path);
	for (size_t i = 0; !ret && p->inputs && p->inputs[i]; i++)
		ret = check_input(path, p->inputs[i], err, len);
	for (size_t i = 0; !ret && p->targets && p->targets[i]; i++)
		ret = check_target(path, p->targets[i], err, len);
	return ret;
}

static int no_symbol(const char *path, void *handle, char *err, size_t len)
{
	char symbol[32];

	for (int major = 0; major < MAJORS_SOUGHT; major++) {
		snprintf(symbol, sizeof(symbol), "flowgate_plugin_v%d", major);
		if (dlsym(handle, symbol))
			return wrong(-EINVAL, err, len,
				     "plugin %s: made for ABI version %d, this "
				     "flowgated has version %d (rebuild it "
				     "with this flowgated's header)",
				     path, major, FG_ABI_MAJOR);
	}
	return wrong(-EINVAL, err, len,
		     "plugin %s: not a Flowgate plugin: it has no symbol %s",
		     path, FG_PLUGIN_SYMBOL);
}

/* Two plugins with a type of one name: which is meant would be chance. */
static int check_twice(const struct fg_plugins *ps, const char *path,
		       const struct fg_plugin *p, char *err, size_t len)
{
	for (size_t i = 0; i < ps->count; i++) {
		const struct loaded *l = &ps->loaded[i];

		if (!strcmp(l->plugin->name, p->name))
			return wrong(-EEXIST, err, len,
				     "plugin %s: a plugin named \"%s\" is "
				     "loaded already, from %s",
				     path, p->name, l->path);
		for (size_t a = 0; p->targets && p->targets[a]; a++)
			for (size_t b = 0;
			     l->plugin->targets && l->plugin->targets[b]; b++)
				if (!strcmp(p->targets[a]->name,
					    l->plugin->targets[b]->name))
					return wrong(-EEXIST, err, len,
						     "plugin %s: the target "
						     "type \"%s\" is that of "
						     "plugin \"%s\" already",
						     path, p->targets[a]->name,
						     l->plugin->name);
	}
	return 0;
}

static int load_path(struct fg_plugins *ps, const char *path, char *err,
		     size_t len)
{
	const struct fg_plugin *plugin;
	struct loaded *l;
	void *handle;
	int ret;

	for (size_t i = 0; i < ps->count; i++)
		if (!strcmp(ps->loaded[i].path, path))
			return 0;
	if (ps->count == PLUGINS_MAX)
		return wrong(-E2BIG, err, len,
			     "plugin %s: more than %d plugins", path,
			     PLUGINS_MAX);
	ret = check_file(path, err, len);
	if (ret < 0)
		return ret;
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return wrong(-EINVAL, err, len,
			     "plugin %s: cannot be loaded: %s", path,
			     dlerror());
	plugin = dlsym(handle, FG_PLUGIN_SYMBOL);
	ret = plugin ? check_plugin(path, plugin, err, len)
		     : no_symbol(path, handle, err, len);
	if (ret == 0)
		ret = check_twice(ps, path, plugin, err, len);
	if (ret < 0)
		goto unload;
	l = &ps->loaded[ps->count];
	l->path = strdup(path);
	if (!l->path) {
		ret = wrong(-ENOMEM, err, len, "out of memory");
		goto unload;
	}
	l->handle = handle;
	l->plugin = plugin;
	ps->count++;
	return 0;

unload:
	dlclose(handle);
	return ret;
}

/* ---------------------------------------------------------- finding types */

/* The path of NAME.so in the first directory that has it; false: none has. */
static bool find_file(const struct fg_plugins *p, const char *name, char *path)
{
	for (size_t i = 0; i < p->dir_count; i++) {
		if (snprintf(path, PATH_MAX, "%s/%s.so", p->dirs[i], name) >=
		    PATH_MAX)
			continue;
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

int fg_plugins_load(struct fg_plugins *p, const char *name, char *err,
		    size_t len)
{
	char path[PATH_MAX];

	if (strchr(name, '/'))
		return load_path(p, name, err, len);
	if (!find_file(p, name, path))
		return wrong(-ENOENT, err, len,
			     "there is no plugin \"%s\" in %s (another "
			     "directory: -P DIR)",
			     name, p->dirs[0]);
	return load_path(p, path, err, len);
}

struct wanted {
	enum { INPUT, TARGET, SCHEME } what;
	const char *name;
	char near[64]; /* what it may have been meant to be */
};

/* Is this type's name nearer to what is wanted than those before? */
static void note_near(struct wanted *w, const char *name)
{
	const char *const candidates[] = {*w->near ? w->near : NULL, name};
	const char *near =
		fg_text_nearest(w->name, strlen(w->name), candidates, 2);

	if (near == name)
		snprintf(w->near, sizeof(w->near), "%s", name);
}

static void note_types(struct wanted *w, const struct fg_plugin *p)
{
	for (size_t i = 0; w->what == INPUT && p->inputs && p->inputs[i]; i++)
		note_near(w, p->inputs[i]->name);
	for (size_t i = 0; w->what == TARGET && p->targets && p->targets[i];
	     i++)
		note_near(w, p->targets[i]->name);
}

static bool in_words(const char *words, const char *word)
{
	size_t n = strlen(word);

	while (words && *words) {
		size_t len = strcspn(words, " ");

		if (len == n && !memcmp(words, word, n))
			return true;
		words += len + strspn(words + len, " ");
	}
	return false;
}

static const void *find_in(const struct fg_plugin *p, const struct wanted *w)
{
	for (size_t i = 0; p->inputs && p->inputs[i]; i++)
		if (w->what == INPUT
			    ? !strcmp(p->inputs[i]->name, w->name)
			    : w->what == SCHEME &&
				      in_words(p->inputs[i]->schemes, w->name))
			return p->inputs[i];
	for (size_t i = 0; p->targets && p->targets[i]; i++)
		if (w->what == TARGET && !strcmp(p->targets[i]->name, w->name))
			return p->targets[i];
	return NULL;
}

static const void *find_loaded(const struct fg_plugins *p,
			       const struct wanted *w)
{
	const void *found = NULL;

	for (size_t i = 0; !found && i < p->count; i++)
		found = find_in(p->loaded[i].plugin, w);
	return found;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_plugin(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 3 && e->d_name[0] != '.' &&
	       !strcmp(e->d_name + n - 3, ".so");
}

/*
 * Looks into every plugin of a directory, keeps the one that has the type. The
 * first that could not be looked into is said in err.
 */
static const void *scan(struct fg_plugins *p, const char *dir, struct wanted *w,
			char *err, size_t len)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_plugin, by_name);
	const void *found = NULL;
	char path[PATH_MAX];

	for (int i = 0; i < n; i++) {
		size_t count = p->count;
		char why[512];

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		free(entries[i]);
		if (found)
			continue;
		if (load_path(p, path, why, sizeof(why)) < 0) {
			if (!*err)
				snprintf(err, len, "%s", why);
			continue;
		}
		if (p->count == count)
			continue;
		found = find_in(p->loaded[count].plugin, w);
		if (!found) {
			note_types(w, p->loaded[count].plugin);
			dlclose(p->loaded[count].handle);
			free(p->loaded[count].path);
			p->count--;
		}
	}
	if (n >= 0)
		free(entries);
	return found;
}

static const void *find(struct fg_plugins *p, struct wanted *w, char *err,
			size_t len)
{
	static const char *const kinds[] = {"input", "target type",
					    "source scheme"};
	const void *found = find_loaded(p, w);
	char path[PATH_MAX], why[512] = "";
	size_t i;

	if (found)
		return found;
	/* Usually a type's plugin has its name; that one's error is the one. */
	if (!strchr(w->name, '/') && find_file(p, w->name, path)) {
		if (load_path(p, path, err, len) < 0)
			return NULL;
		found = find_loaded(p, w);
		if (found)
			return found;
	}
	for (i = 0; i < p->count; i++)
		note_types(w, p->loaded[i].plugin);
	for (i = 0; !found && i < p->dir_count; i++)
		found = scan(p, p->dirs[i], w, why, sizeof(why));
	if (!found && *w->near)
		wrong(0, err, len,
		      "no plugin has the %s \"%s\": did you mean %s?",
		      kinds[w->what], w->name, w->near);
	else if (!found)
		wrong(0, err, len,
		      "no plugin has the %s \"%s\" (looked in %s%s%s; another "
		      "directory: -P DIR)%s%s",
		      kinds[w->what], w->name, p->dirs[0],
		      p->dir_count > 1 ? " and " : "",
		      p->dir_count > 1 ? p->dirs[1] : "", *why ? "; " : "",
		      why);
	return found;
}

const struct fg_input_type *
fg_plugins_input(struct fg_plugins *p, const char *name, char *err, size_t len)
{
	return find(p, &(struct wanted){.what = INPUT, .name = name}, err, len);
}

const struct fg_target_type *
fg_plugins_target(struct fg_plugins *p, const char *name, char *err, size_t len)
{
	return find(p, &(struct wanted){.what = TARGET, .name = name}, err,
		    len);
}

const struct fg_input_type *fg_plugins_scheme(struct fg_plugins *p,
					      const char *scheme, char *err,
					      size_t len)
{
	return find(p, &(struct wanted){.what = SCHEME, .name = scheme}, err,
		    len);
}
