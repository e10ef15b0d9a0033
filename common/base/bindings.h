/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bindings.h - what bind() of a target type allocated, until unbind() or, when
 * flowgated stops, until close().
 */
#ifndef FG_BASE_BINDINGS_H
#define FG_BASE_BINDINGS_H

#include <stddef.h>

struct fg_binding;

/* Those of one target; starts zeroed. */
struct fg_bindings {
	struct fg_binding *first;
};

/* size bytes, zeroed, for any type; NULL: no memory. */
void *fg_binding_new(struct fg_bindings *of, size_t size);
/* Frees one that fg_binding_new() of the same bindings gave; NULL is none. */
void fg_binding_free(struct fg_bindings *of, const void *binding);
/* Frees all that are left. */
void fg_bindings_free(struct fg_bindings *of);

#endif
