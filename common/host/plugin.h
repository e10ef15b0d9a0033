/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plugin.h - finds, checks and loads plugins; knows which type is whose.
 *
 * A plugin runs with our privileges, so its file must be a regular one, owned
 * by root or by the user that we run as, writable by nobody else; and so must
 * the directory it is in. Plugins stay loaded until the end.
 */
#ifndef FG_HOST_PLUGIN_H
#define FG_HOST_PLUGIN_H

#include <flowgate/plugin.h>

struct fg_plugins;

/*
 * dir: -P, or NULL for the default: "plugins" beside the executable (a build
 * tree), then FG_PLUGIN_DIR. 0 or -ENOMEM.
 */
int fg_plugins_new(struct fg_plugins **out, const char *dir);
/* Nothing of any plugin may be in use. */
void fg_plugins_free(struct fg_plugins *p);

/*
 * By name, or by path when it has a '/'. 0 (also when it is loaded already),
 * or -errno with a sentence in err.
 */
int fg_plugins_load(struct fg_plugins *p, const char *name, char *err,
		    size_t len);

/*
 * The type of that name, from a loaded plugin, or from NAME.so, or from
 * whichever plugin in the path has it. NULL with a sentence in err.
 */
const struct fg_input_type *
fg_plugins_input(struct fg_plugins *p, const char *name, char *err, size_t len);
const struct fg_target_type *fg_plugins_target(struct fg_plugins *p,
					       const char *name, char *err,
					       size_t len);
/* The input that has a transport of its own for such urls, or NULL. */
const struct fg_input_type *fg_plugins_scheme(struct fg_plugins *p,
					      const char *scheme, char *err,
					      size_t len);

/* The nth loaded plugin, in order of loading; NULL: no more. */
const struct fg_plugin *fg_plugins_at(const struct fg_plugins *p, size_t n,
				      const char **path);

#endif
