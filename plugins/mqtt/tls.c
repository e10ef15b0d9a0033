/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls.c - an OpenSSL context, from files. */
#include "tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/addr.h"

struct fg_tls {
	SSL_CTX *context;
	char host[FG_MQTT_HOST];
	bool numeric;
	char why[300];
};

static struct fg_tls *of_context(SSL_CTX *context)
{
	return SSL_CTX_get_app_data(context);
}

/* Before ClientHello is written. The library has put the address there. */
static void begins(const SSL *ssl, int where, int ret)
{
	struct fg_tls *t = of_context(SSL_get_SSL_CTX(ssl));

	(void)ret;
	if (where & SSL_CB_HANDSHAKE_START)
		SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl,
					 t->numeric ? NULL : t->host);
}

static int verified(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct fg_tls *t = of_context(SSL_get_SSL_CTX(ssl));
	int error = X509_STORE_CTX_get_error(store);

	if (!ok && error == X509_V_ERR_HOSTNAME_MISMATCH)
		snprintf(t->why, sizeof(t->why), "it is not for \"%s\"",
			 t->host);
	else if (!ok)
		snprintf(t->why, sizeof(t->why), "%s",
			 X509_verify_cert_error_string(error));
	return ok;
}

/* A daemon has nobody to ask. */
static int no_passphrase(char *buf, int size, int rw, void *ctx)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)ctx;
	return 0;
}

static int failed(const char *what, const char *path, char *err, size_t len)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);

	/* OpenSSL's word for that is "system lib" */
	if (errno == EACCES || !reason)
		reason = strerror(errno);
	snprintf(err, len, "%s%s%s: %s", what, *path ? " " : "", path, reason);
	ERR_clear_error();
	return errno == EACCES ? -EACCES : -EINVAL;
}

static int read_files(SSL_CTX *c, const struct fg_login *l, char *err,
		      size_t len)
{
	errno = 0;
	if (l->ca_file && !SSL_CTX_load_verify_locations(c, l->ca_file, NULL))
		return failed("no certificates in", l->ca_file, err, len);
	if (!l->ca_file && !SSL_CTX_set_default_verify_paths(c))
		return failed("no certificates of the system", "", err, len);
	if (!l->cert_file)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(c, l->cert_file) != 1)
		return failed("no certificate in", l->cert_file, err, len);
	if (SSL_CTX_use_PrivateKey_file(c, l->key_file, SSL_FILETYPE_PEM) != 1)
		return failed("no key (without a passphrase) in", l->key_file,
			      err, len);
	if (SSL_CTX_check_private_key(c) != 1)
		return failed("the key is not that of", l->cert_file, err, len);
	return 0;
}

int fg_tls_new(struct fg_tls **out, const struct fg_login *login, char *err,
	       size_t len)
{
	struct fg_tls *t = calloc(1, sizeof(*t));
	X509_VERIFY_PARAM *param;
	uint8_t addr[16];
	int ret = -ENOMEM;

	snprintf(err, len, "out of memory");
	if (!t)
		return -ENOMEM;
	ERR_clear_error();
	t->context = SSL_CTX_new(TLS_client_method());
	if (!t->context)
		goto fail;
	memcpy(t->host, login->host, sizeof(t->host));
	t->numeric = fg_addr_parse(t->host, strlen(t->host), addr) > 0;
	SSL_CTX_set_app_data(t->context, t);
	SSL_CTX_set_min_proto_version(t->context, TLS1_2_VERSION);
	/* a few connections at a time at most: memory is dearer than time */
	SSL_CTX_set_mode(t->context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(t->context, no_passphrase);
	SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER, verified);
	SSL_CTX_set_info_callback(t->context, begins);
	param = SSL_CTX_get0_param(t->context);
	X509_VERIFY_PARAM_set_hostflags(param,
					X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (!(t->numeric ? X509_VERIFY_PARAM_set1_ip_asc(param, t->host)
			 : X509_VERIFY_PARAM_set1_host(param, t->host, 0)))
		goto fail;
	ret = read_files(t->context, login, err, len);
	if (ret < 0)
		goto fail;
	*out = t;
	return 0;

fail:
	fg_tls_free(t);
	return ret;
}

void fg_tls_free(struct fg_tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->context);
	free(t);
}

void *fg_tls_context(struct fg_tls *t)
{
	return t->context;
}

void fg_tls_why(struct fg_tls *t, char *why, size_t len)
{
	snprintf(why, len, "%s", t->why);
	t->why[0] = '\0';
}
