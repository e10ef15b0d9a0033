/* SPDX-License-Identifier: GPL-2.0-or-later */
/* precedence.h - what another engine would have made of && and ||. */
#ifndef FG_POLICY_PRECEDENCE_H
#define FG_POLICY_PRECEDENCE_H

#include "expression.h"

/*
 * Says a notice when Netify's engine would read the || at node, and what is
 * beside it on its level, otherwise: it knows no precedence and groups from
 * the right, so that a && b || c is a && (b || c) there.
 */
void fg_precedence_notice(const struct fg_expression *e, uint32_t node,
			  const struct fg_expr_report *report);

#endif
