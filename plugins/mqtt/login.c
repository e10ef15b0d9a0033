/* SPDX-License-Identifier: GPL-2.0-or-later */
/* login.c - keys of the configuration, and whether they go together. */
#include "login.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/url.h"

#define PORT	 1883
#define PORT_TLS 8883

struct place {
	const struct fg_host *host;
	const struct fg_node *cfg;
	const char *where;
};

/* Where the configuration has it, if it does; from -s it is a line. */
static int FG_PRINTF(3, 4)
	say(const struct place *at, enum fg_level level, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!at->cfg)
		at->host->log(at->host, level, "%s: %s", at->where, text);
	else if (level == FG_LOG_ERROR)
		at->host->config->error(at->cfg, "%s: %s", at->where, text);
	else
		at->host->config->warning(at->cfg, "%s: %s", at->where, text);
	return -EINVAL;
}

static int take_url(struct fg_login *l, const struct place *at)
{
	struct fg_url url;
	char err[300];

	l->tls = strncmp(l->url, "mqtts:", 6) == 0;
	if (!l->tls && strncmp(l->url, "mqtt:", 5) != 0)
		return say(at, FG_LOG_ERROR,
			   "a broker's url is mqtt://host or mqtts://host");
	if (strchr(l->url, '@'))
		return say(at, FG_LOG_ERROR,
			   "user and password are not said in the url: use "
			   "username and password_file");
	if (fg_url_endpoint(&url, l->url, l->tls ? PORT_TLS : PORT, err,
			    sizeof(err)) < 0)
		return say(at, FG_LOG_ERROR, "%s", err);
	memcpy(l->host, url.host, sizeof(l->host));
	l->port = url.port;
	return 0;
}

static int check_file(const struct place *at, const char *key, const char *path,
		      bool secret)
{
	struct stat st;

	if (!path)
		return 0;
	if (stat(path, &st) < 0 || access(path, R_OK) < 0)
		return say(at, FG_LOG_ERROR, "%s: cannot read %s: %s", key,
			   path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return say(at, FG_LOG_ERROR, "%s: %s is not a regular file",
			   key, path);
	if (secret && st.st_mode & (S_IROTH | S_IWOTH))
		say(at, FG_LOG_WARNING,
		    "%s: anybody on this machine can read %s, mode %04o "
		    "(chmod o= %s)",
		    key, path, (unsigned)st.st_mode & 07777, path);
	return 0;
}

static int check(const struct fg_login *l, const struct place *at)
{
	if (!l->tls && (l->ca_file || l->cert_file || l->key_file))
		return say(at, FG_LOG_ERROR,
			   "ca_file, cert_file and key_file are for mqtts://, "
			   "this is mqtt://");
	if (!l->cert_file != !l->key_file)
		return say(at, FG_LOG_ERROR,
			   "cert_file and key_file need each other");
	if (l->password_file && !l->username)
		return say(at, FG_LOG_ERROR, "password_file needs a username");
	if (l->client_id && (!*l->client_id || strlen(l->client_id) > 128))
		return say(at, FG_LOG_ERROR, "client_id has 1 to 128 bytes");
	if (check_file(at, "password_file", l->password_file, true) < 0 ||
	    check_file(at, "ca_file", l->ca_file, false) < 0 ||
	    check_file(at, "cert_file", l->cert_file, false) < 0 ||
	    check_file(at, "key_file", l->key_file, true) < 0)
		return -EINVAL;
	if (!l->tls && l->password_file)
		say(at, FG_LOG_WARNING,
		    "the password goes over the network as it is: mqtts:// "
		    "would hide it");
	return 0;
}

int fg_login_read(struct fg_login *l, const struct fg_host *host,
		  const struct fg_node *cfg, const char *url, const char *where)
{
	const struct fg_config *c = host->config;
	const struct place at = {host, cfg, where};
	uint64_t qos = 1, keepalive = 15, ttl = 900;
	struct {
		const char *key;
		const char **text;
	} texts[] = {
		{"client_id", &l->client_id},
		{"username", &l->username},
		{"password_file", &l->password_file},
		{"ca_file", &l->ca_file},
		{"cert_file", &l->cert_file},
		{"key_file", &l->key_file},
	};
	bool bad = false;

	memset(l, 0, sizeof(*l));
	l->url = url;
	for (size_t i = 0; cfg && i < sizeof(texts) / sizeof(*texts); i++)
		bad |= c->text(cfg, texts[i].key, texts[i].text) < 0;
	if (cfg) {
		bad |= c->uint(cfg, "qos", 0, 1, &qos) < 0;
		bad |= c->uint(cfg, "keepalive", 5, 3600, &keepalive) < 0;
		bad |= c->uint(cfg, "ttl", 4, 86400, &ttl) < 0;
	}
	l->qos = (uint8_t)qos;
	l->keepalive = (uint16_t)keepalive;
	l->ttl_ms = (uint32_t)ttl * 1000;
	if (!url || take_url(l, &at) < 0 || bad)
		return -EINVAL;
	return check(l, &at);
}
