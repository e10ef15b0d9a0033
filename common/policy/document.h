/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * document.h - what a JSON document is made of: between json.c, which reads
 * it, and node.c, which answers questions about it. Nobody else's business.
 */
#ifndef FG_POLICY_DOCUMENT_H
#define FG_POLICY_DOCUMENT_H

#include "json.h"
#include "syntax.h"

struct fg_node {
	struct fg_json *doc;
	const struct fg_node *parent; /* a value's is its key */
	const char *text;	      /* decoded; NULL: not text */
	const struct fg_node **items; /* of a list; the keys of an object */
	const struct fg_node **sorted; /* the keys by name */
	uint32_t count;
	uint32_t start; /* in the text, with its quotes */
	uint32_t end;
	enum fg_node_kind kind;
};

/* A key that somebody asked for. */
struct asked {
	struct asked *next;
	char key[];
};

/* What is learnt about a node after it was read. */
struct note {
	const struct fg_node *defaults;
	struct asked *asked;
	bool used; /* of a key: somebody asked for it */
};

struct fg_json {
	char *name;
	char *text; /* comments are spaces */
	size_t len;
	struct fg_report report;
	unsigned errors;
	struct fg_node *nodes; /* in the order of the text */
	struct note *notes;    /* one a node */
	size_t count;
	const struct fg_node **links; /* room for items and sorted */
	char *strings;		      /* room for decoded text */
};

static inline struct note *note_of(const struct fg_node *n)
{
	return &n->doc->notes[n - n->doc->nodes];
}

/* Says message with the place of the byte at offset; counts errors. */
void fg_json_say(struct fg_json *doc, enum fg_level level, size_t offset,
		 const char *message);
/* A value in words, for "not ..."; out is used for some. */
const char *fg_node_describe(const struct fg_node *n,
			     char out[FG_SYNTAX_SHORT]);

#endif
