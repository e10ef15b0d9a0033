/* SPDX-License-Identifier: GPL-2.0-or-later */
/* url.c - reading the URL of a source, with a sentence for each mistake. */
#include "url.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"

/* sun_path, with its NUL */
#define SOCKET_PATH 108

struct sentence {
	char *text;
	size_t size;
};

static int FG_PRINTF(2, 3) refuse(struct sentence err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, err.size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int parse_path(struct fg_url *out, const char *scheme, const char *rest,
		      struct sentence err)
{
	size_t room = out->scheme == FG_URL_UNIX ? SOCKET_PATH : FG_URL_PATH;
	size_t len;

	if (strncmp(rest, "//", 2) == 0)
		rest += 2;
	len = strlen(rest);
	if (len == 0)
		return refuse(err, "the path is missing: %s:///path", scheme);
	if (*rest != '/')
		return refuse(err,
			      "the path must be absolute, with three "
			      "slashes: %s:///path",
			      scheme);
	if (len >= room)
		return refuse(err, "the path is longer than %zu bytes",
			      room - 1);
	memcpy(out->path, rest, len + 1);
	return 0;
}

static bool name_fits(const char *p, size_t len)
{
	bool letters = false;

	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)p[i]) && !strchr("-._", p[i]))
			return false;
		letters |= !isdigit((unsigned char)p[i]) && p[i] != '.';
	}
	/* digits and dots alone were meant to be an address */
	return letters && *p != '-' && *p != '.';
}

int fg_url_endpoint(struct fg_url *out, const char *text, uint16_t port,
		    char *errtext, size_t errlen)
{
	struct sentence err = {errtext, errlen};
	int scheme = (int)strcspn(text, ":");
	const char *host, *end, *colon;
	uint64_t number = port;
	uint8_t addr[16];
	size_t len;

	if (strncmp(text + scheme, "://", 3) != 0)
		return refuse(err, "expected %.*s://host:port", scheme, text);
	host = text + scheme + 3;
	if (*host == '[') {
		end = strchr(++host, ']');
		if (!end)
			return refuse(err, "missing ']' after the address");
		colon = end + 1;
		if (fg_addr_parse(host, (size_t)(end - host), addr) != 6)
			return refuse(err, "what is in [ ] must be an IPv6 "
					   "address");
	} else {
		end = host + strcspn(host, ":/");
		colon = end;
		if (*end == ':' && strchr(end + 1, ':'))
			return refuse(err,
				      "an IPv6 address needs brackets: "
				      "%.*s://[address]:port",
				      scheme, text);
		len = (size_t)(end - host);
		if (len == 0)
			return refuse(err,
				      "the host is missing: %.*s://host:port",
				      scheme, text);
		if (len > 253 || (fg_addr_parse(host, len, addr) != 4 &&
				  !name_fits(host, len)))
			return refuse(err,
				      "\"%.*s\" is neither an address nor "
				      "a host name",
				      (int)len, host);
	}
	len = (size_t)(end - host);
	if (port && strcmp(colon, "/") == 0)
		colon++;
	if (*colon == ':' && colon[1]) {
		colon++;
		if (!fg_text_uint(colon, strlen(colon), &number))
			return refuse(err,
				      "expected a port after the last ':', "
				      "found \"%s\"",
				      colon);
	} else if (*colon || !port) {
		return refuse(err, "the port is missing: %.*s://host:port%s",
			      scheme, text, port ? "" : " (netifyd's is 7150)");
	}
	if (number < 1 || number > 65535)
		return refuse(err, "a port is from 1 to 65535, not %s", colon);
	memcpy(out->host, host, len);
	out->host[len] = '\0';
	out->port = (uint16_t)number;
	return 0;
}

int fg_url_parse(struct fg_url *out, const char *text, char *errtext,
		 size_t errlen)
{
	struct sentence err = {errtext, errlen};
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "0123456789+.-";
	size_t len = strspn(text, letters);
	struct fg_slice scheme = fg_slice(text, len);

	memset(out, 0, sizeof(*out));
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return refuse(err, "a space or control character "
					   "does not belong into a URL");
	if (strcmp(text, "-") == 0) {
		out->scheme = FG_URL_STDIN;
		return 0;
	}
	if (*text == '/')
		return refuse(err,
			      "expected scheme://...: write unix://%.80s "
			      "for a socket, file://%.80s for a recording",
			      text, text);
	if (len == 0 || text[len] != ':' || !islower((unsigned char)*text))
		return refuse(err, "expected unix:///path, tcp://host:port, "
				   "file:///path or \"-\"");
	text += len + 1;
	if (fg_slice_is(scheme, "unix")) {
		out->scheme = FG_URL_UNIX;
		return parse_path(out, "unix", text, err);
	}
	if (fg_slice_is(scheme, "file")) {
		out->scheme = FG_URL_FILE;
		return parse_path(out, "file", text, err);
	}
	if (fg_slice_is(scheme, "tcp")) {
		out->scheme = FG_URL_TCP;
		return fg_url_endpoint(out, text - len - 1, 0, errtext, errlen);
	}
	out->scheme = FG_URL_OTHER;
	if (strncmp(text, "//", 2) != 0 || text[2] == '\0')
		return refuse(err, "expected %.*s://...", (int)len, scheme.ptr);
	return 0;
}

void fg_url_name(const char *text, char *out, size_t size)
{
	bool path = strncmp(text, "unix:", 5) == 0 ||
		    strncmp(text, "file:", 5) == 0;
	const char *colon = strchr(text, ':'), *slash = strrchr(text, '/');
	size_t len;

	if (strcmp(text, "-") == 0)
		text = "stdin";
	else if (path && slash && slash[1])
		text = slash + 1;
	else if (colon)
		text = colon + 1 + strspn(colon + 1, "/");
	len = strlen(text);
	if (path && len > 5 && strcmp(text + len - 5, ".sock") == 0)
		len -= 5;
	snprintf(out, size, "%.*s", (int)len, text);
}
