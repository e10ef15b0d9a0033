/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libnftables.c - peer: json-c would be slower, so jsmn reads the messages;
 * libnftables gets a command for each element, or one for all that a read()
 * brought (-b). libnftables [-b] SOCKET
 *
 *	cc -O2 -o libnftables libnftables.c -lnftables
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <nftables/libnftables.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#define BUFFER (1 << 20)
#define TOKENS 65536
#define BATCH  4096

enum { VERSION, PROTOCOL, LOCAL_IP, LOCAL_PORT, OTHER_IP, OTHER_PORT, FIELDS };

static const char *const keys[FIELDS] = {"ip_version", "ip_protocol",
					 "local_ip",   "local_port",
					 "other_ip",   "other_port"};

static char buf[BUFFER + 1];
static jsmntok_t tokens[TOKENS];
static char command[BATCH * 256];
static size_t used, count;

static bool is(const jsmntok_t *t, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(t->end - t->start) == len &&
	       !memcmp(buf + t->start, text, len);
}

static void flush(struct nft_ctx *nft)
{
	if (used && nft_run_cmd_from_buffer(nft, command))
		errx(1, "nft: %s", nft_ctx_get_error_buffer(nft));
	used = count = 0;
}

/* tokens[] with their places from the beginning of buf */
static void add(int n)
{
	const jsmntok_t *f[FIELDS] = {NULL};
	bool flow = false, remote = false;

	for (int i = 1; i + 1 < n; i++) {
		if (tokens[i].type != JSMN_STRING || tokens[i].size != 1)
			continue;
		if (tokens[i].parent == 0)
			flow |= is(&tokens[i], "type") &&
				is(&tokens[i + 1], "flow");
		else if (is(&tokens[i], "other_type"))
			remote = is(&tokens[i + 1], "remote");
		for (int k = 0; k < FIELDS; k++)
			if (!f[k] && is(&tokens[i], keys[k]))
				f[k] = &tokens[i + 1];
	}
	for (int k = 0; k < FIELDS; k++)
		if (!f[k])
			return;
	if (!flow || !remote)
		return;
#define ARG(k) f[k]->end - f[k]->start, buf + f[k]->start
	used += (size_t)snprintf(
		command + used, sizeof(command) - used,
		"add element inet bench tuple.v%.*s { %.*s . %.*s . %.*s . "
		"%.*s . %.*s timeout 900s }\n",
		ARG(VERSION), ARG(LOCAL_IP), ARG(PROTOCOL), ARG(LOCAL_PORT),
		ARG(OTHER_IP), ARG(OTHER_PORT));
	count++;
}

int main(int argc, char **argv)
{
	bool batch = argc > 2 && !strcmp(argv[1], "-b");
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t len = 0;
	ssize_t n;

	if (argc < 2 || !nft || fd < 0)
		errx(1, "libnftables [-b] SOCKET");
	nft_ctx_buffer_error(nft);
	strncpy(addr.sun_path, argv[argc - 1], sizeof(addr.sun_path) - 1);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		err(1, "%s", argv[argc - 1]);
	while ((n = read(fd, buf + len, BUFFER - len)) > 0) {
		size_t at = 0;
		char *end;

		len += (size_t)n;
		while ((end = memchr(buf + at, '\n', len - at))) {
			jsmn_parser parser;
			int got;

			jsmn_init(&parser);
			parser.pos = (unsigned)at;
			got = jsmn_parse(&parser, buf, (size_t)(end - buf),
					 tokens, TOKENS);
			if (got > 3)
				add(got);
			if (used && (!batch || count == BATCH))
				flush(nft);
			at = (size_t)(end + 1 - buf);
		}
		flush(nft);
		memmove(buf, buf + at, len - at);
		len -= at;
	}
	flush(nft);
	nft_ctx_free(nft);
	return 0;
}
