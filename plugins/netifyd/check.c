/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check.c - a JSON object, checked byte by byte. */
#include "check.h"

#include <stdbool.h>

enum state {
	BEGIN, /* the first brace */
	VALUE,
	FIRST, /* a value, or the end of an empty array */
	KEY,
	FIRST_KEY, /* a key, or the end of an empty object */
	COLON,
	NEXT, /* a comma, or the end of what we are in */
	STRING,
	ESCAPE,
	HEX,
	LITERAL,
	MINUS, /* numbers: what was last read */
	ZERO,
	INTEGER,
	POINT,
	FRACTION,
	EXPONENT,
	EXPONENT_SIGN,
	EXPONENT_DIGIT,
};

void fg_check_begin(struct fg_check *c)
{
	*c = (struct fg_check){.state = BEGIN};
}

static inline bool is_space(char b)
{
	return b == ' ' || b == '\n' || b == '\r' || b == '\t';
}

static inline bool is_digit(char b)
{
	return b >= '0' && b <= '9';
}

static inline bool is_hex(char b)
{
	return is_digit(b) || ((b | 0x20) >= 'a' && (b | 0x20) <= 'f');
}

static bool open_level(struct fg_check *c, bool object)
{
	if (c->depth == FG_JSON_DEPTH_MAX)
		return false;
	c->depth++;
	c->objects = c->objects << 1 | object;
	c->state = object ? FIRST_KEY : FIRST;
	return true;
}

static bool close_level(struct fg_check *c, bool object)
{
	if ((c->objects & 1) != object)
		return false;
	c->depth--;
	c->objects >>= 1;
	c->state = NEXT;
	return true;
}

static bool begin_value(struct fg_check *c, char b)
{
	switch (b) {
	case '{':
		return open_level(c, true);
	case '[':
		return open_level(c, false);
	case '"':
		c->key = false;
		c->state = STRING;
		return true;
	case 't':
		c->literal = "rue";
		break;
	case 'f':
		c->literal = "alse";
		break;
	case 'n':
		c->literal = "ull";
		break;
	case '-':
		c->state = MINUS;
		return true;
	case '0':
		c->state = ZERO;
		return true;
	default:
		c->state = INTEGER;
		return b >= '1' && b <= '9';
	}
	c->state = LITERAL;
	return true;
}

static bool begin_key(struct fg_check *c, char b)
{
	c->key = true;
	c->state = STRING;
	return b == '"';
}

static bool after_value(struct fg_check *c, char b)
{
	if (b == '}' || b == ']')
		return close_level(c, b == '}');
	c->state = c->objects & 1 ? KEY : VALUE;
	return b == ',';
}

/* A byte after a number that could end here. */
static bool after_number(struct fg_check *c, char b)
{
	c->state = NEXT;
	return is_space(b) || after_value(c, b);
}

static bool number(struct fg_check *c, char b)
{
	switch (c->state) {
	case MINUS:
		c->state = b == '0' ? ZERO : INTEGER;
		return is_digit(b);
	case INTEGER:
		if (is_digit(b))
			return true;
		/* fall through */
	case ZERO:
		c->state = b == '.' ? POINT : EXPONENT;
		return b == '.' || (b | 0x20) == 'e' || after_number(c, b);
	case POINT:
		c->state = FRACTION;
		return is_digit(b);
	case FRACTION:
		if (is_digit(b))
			return true;
		c->state = EXPONENT;
		return (b | 0x20) == 'e' || after_number(c, b);
	case EXPONENT:
		c->state = EXPONENT_SIGN;
		if (b == '+' || b == '-')
			return true;
		/* fall through */
	case EXPONENT_SIGN:
		c->state = EXPONENT_DIGIT;
		return is_digit(b);
	default:
		return is_digit(b) || after_number(c, b);
	}
}

static bool string(struct fg_check *c, char b)
{
	if (b == '"')
		c->state = c->key ? COLON : NEXT;
	else if (b == '\\')
		c->state = ESCAPE;
	return (unsigned char)b >= 0x20;
}

static bool escape(struct fg_check *c, char b)
{
	c->state = STRING;
	switch (b) {
	case 'u':
		c->state = HEX;
		c->hex = 4;
		return true;
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return true;
	default:
		return false;
	}
}

static bool step(struct fg_check *c, char b)
{
	switch (c->state) {
	case STRING:
		return string(c, b);
	case ESCAPE:
		return escape(c, b);
	case HEX:
		if (--c->hex == 0)
			c->state = STRING;
		return is_hex(b);
	case LITERAL:
		if (b != *c->literal)
			return false;
		if (*++c->literal == '\0')
			c->state = NEXT;
		return true;
	case BEGIN:
		return b == '{' && open_level(c, true);
	}
	if (c->state >= MINUS)
		return number(c, b);
	if (is_space(b))
		return true;
	switch (c->state) {
	case FIRST:
		if (b == ']')
			return close_level(c, false);
		/* fall through */
	case VALUE:
		return begin_value(c, b);
	case FIRST_KEY:
		if (b == '}')
			return close_level(c, true);
		/* fall through */
	case KEY:
		return begin_key(c, b);
	case COLON:
		c->state = VALUE;
		return b == ':';
	default:
		return after_value(c, b);
	}
}

enum fg_checked fg_check_feed(struct fg_check *c, const char *p, size_t len,
			      size_t *used)
{
	for (size_t i = 0; i < len; i++) {
		if (!step(c, p[i])) {
			*used = i;
			return FG_CHECKED_BAD;
		}
		if (c->depth == 0) {
			*used = i + 1;
			return FG_CHECKED_WHOLE;
		}
	}
	*used = len;
	return FG_CHECKED_PART;
}
