/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bad.h - a good target type, for plugins that are wrong in another way. */
#ifndef BAD_H
#define BAD_H

#include <flowgate/plugin.h>

static inline int bad_open(const struct fg_host *host, const void *self,
			   const char *name, const struct fg_node *cfg,
			   const struct fg_node *globals, void **target)
{
	(void)host;
	(void)self;
	(void)name;
	(void)cfg;
	(void)globals;
	*target = NULL;
	return 0;
}

static inline void bad_member(void *target, const struct fg_flow *flow,
			      const struct fg_member *member,
			      enum fg_reason reason)
{
	(void)target;
	(void)flow;
	(void)member;
	(void)reason;
}

static inline void bad_close(void *target, bool stopping)
{
	(void)target;
	(void)stopping;
}

#define BAD_TYPE(name_)                                                        \
	{                                                                      \
		.size = sizeof(struct fg_target_type), .name = name_,          \
		.open = bad_open, .enter = bad_member, .leave = bad_member,    \
		.close = bad_close                                             \
	}

#endif
