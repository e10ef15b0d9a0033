/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.h - what criteria are made of; for criteria.c and program.c only. */
#ifndef FG_POLICY_PROGRAM_H
#define FG_POLICY_PROGRAM_H

#include "criteria.h"

/* Where a program ends. */
#define FG_PROGRAM_TRUE	 (UINT32_MAX - 1)
#define FG_PROGRAM_FALSE UINT32_MAX

/* A tag, and what it means today. */
struct fg_symbol {
	char *tag;
	size_t begin; /* in the text */
	enum fg_term_id term;
	bool known;
	bool protocol_known; /* of categories, that of protocols */
	uint32_t id;
	uint16_t protocol_id;
};

/* One test. */
struct fg_insn {
	uint8_t kind;  /* enum fg_term_kind */
	uint8_t term;  /* enum fg_term_id */
	uint8_t op;    /* enum fg_expr_op, but for FG_OP_NE */
	uint8_t value; /* enum fg_expr_value */
	uint32_t yes, no;
	union {
		uint64_t number;
		uint32_t symbol;
		struct fg_slice text;
		const struct fg_regex *regex;
		const struct fg_addrset *set;
		const struct fg_appset *apps;
		struct {
			uint8_t addr[16];
			uint8_t version, len;
		} prefix;
		uint8_t mac[6];
	};
};
_Static_assert(FG_TERM_COUNT <= 256, "terms no longer fit an instruction");

struct fg_criteria {
	struct fg_scope *scope;
	char *text;
	struct fg_expression tree;
	struct fg_insn *program;
	uint32_t program_count;
	uint32_t entry; /* the highest; jumps go down */
	struct fg_symbol *symbols;
	uint32_t symbol_count;
	struct fg_regex **regexes;
	uint32_t regex_count;
	uint32_t depends;
	uint32_t generation; /* of the catalog, when symbols were looked up */
	uint64_t limited;
};

#endif
