/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * class.h - who holds leases: actions, as small numbers.
 *
 * A million leases are held by a handful of actions; what is to be known of
 * one (its rank, the data that its elements carry, its name) is kept once.
 * Pure; sized once. Class 0 always exists: rank 0, data 0, no name.
 */
#ifndef FG_LEASE_CLASS_H
#define FG_LEASE_CLASS_H

#include <stdint.h>

struct fg_classes;

/* An action's name is cut to this, with its NUL; only comments show it. */
#define FG_CLASS_NAME 48

/* 0 or -ENOMEM; max: at most 65534 */
int fg_classes_new(struct fg_classes **out, uint32_t max);
void fg_classes_free(struct fg_classes *c);

/*
 * The class of that rank, data and name, or a new one, not yet referred to; 0
 * when there is no room. Not told apart by pointers: a lease that lingers
 * outlives the configuration that it came from.
 */
uint16_t fg_class_get(struct fg_classes *c, uint32_t rank, uint32_t data,
		      const char *name);
/* The same, or 0 when there is none. */
uint16_t fg_class_find(const struct fg_classes *c, uint32_t rank, uint32_t data,
		       const char *name);

/* Without a reference left, a class is gone. */
void fg_class_ref(struct fg_classes *c, uint16_t class);
void fg_class_unref(struct fg_classes *c, uint16_t class);

uint32_t fg_class_rank(const struct fg_classes *c, uint16_t class);
uint32_t fg_class_data(const struct fg_classes *c, uint16_t class);
const char *fg_class_name(const struct fg_classes *c, uint16_t class);

#endif
