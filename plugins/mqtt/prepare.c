/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prepare.c - a look-up of names, and of files that may be new. */
#include "prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls.h"

struct fg_prepare {
	struct fg_job job;
	const struct fg_host *host;
	struct fg_login login; /* its texts outlive our job */
	void (*done)(void *ctx, struct fg_prepared *p);
	void *ctx;
	bool busy;
	bool unwanted; /* freed, but for the job */
	struct fg_prepared found;
};

int fg_password_read(const char *path, char out[FG_PASSWORD], char *err,
		     size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, out, FG_PASSWORD);
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (n < 0) {
		snprintf(err, len, "cannot read the password in %s: %s", path,
			 strerror(error));
		return -error;
	}
	if (n && out[n - 1] == '\n')
		n--;
	if (n == 0 || n == FG_PASSWORD || memchr(out, '\0', (size_t)n)) {
		snprintf(err, len,
			 "the password in %s must have 1 to %d bytes, none of "
			 "them 0",
			 path, FG_PASSWORD - 1);
		return -EINVAL;
	}
	out[n] = '\0';
	return 0;
}

static void look_up(struct fg_prepare *p)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	int error;

	/* An address needs no name server, nor an address of that kind. */
	hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICHOST;
	error = getaddrinfo(p->login.host, NULL, &hints, &p->found.addresses);
	if (error) {
		hints.ai_flags = AI_ADDRCONFIG;
		error = getaddrinfo(p->login.host, NULL, &hints,
				    &p->found.addresses);
	}
	if (!error)
		return;
	p->found.addresses = NULL;
	snprintf(p->found.error, sizeof(p->found.error),
		 "cannot find the address of \"%s\": %s", p->login.host,
		 gai_strerror(error));
}

/*
 * A daemon that is root no more can't read what only root may: nothing is wrong
 * with that until the broker wants something newer.
 */
static void note(struct fg_prepared *f, int error, const char *err)
{
	char *to = error == -EACCES ? f->denied : f->warning;

	/* of several, the first */
	if (error < 0 && !*to)
		snprintf(to, sizeof(f->warning), "%s", err);
}

static void read_again(struct fg_prepare *p)
{
	struct fg_prepared *f = &p->found;
	char err[sizeof(f->warning)];
	int ret = 0;

	if (p->login.password_file) {
		ret = fg_password_read(p->login.password_file, f->password, err,
				       sizeof(err));
		f->has_password = ret == 0;
	}
	note(f, ret, err);
	ret = 0;
	if (p->login.tls)
		ret = fg_tls_new(&f->tls, &p->login, err, sizeof(err));
	note(f, ret, err);
}

static void run(struct fg_job *job)
{
	struct fg_prepare *p = job->ctx;

	look_up(p);
	if (p->found.addresses)
		read_again(p);
}

static void drop_found(struct fg_prepare *p)
{
	if (p->found.addresses)
		freeaddrinfo(p->found.addresses);
	fg_tls_free(p->found.tls);
	explicit_bzero(&p->found, sizeof(p->found));
}

static void ran(struct fg_job *job)
{
	struct fg_prepare *p = job->ctx;

	p->busy = false;
	if (!p->unwanted)
		p->done(p->ctx, &p->found);
	drop_found(p);
	if (p->unwanted)
		free(p);
}

int fg_prepare_new(struct fg_prepare **out, const struct fg_host *host,
		   const struct fg_login *login,
		   void (*done)(void *ctx, struct fg_prepared *p), void *ctx)
{
	struct fg_prepare *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->host = host;
	p->login = *login;
	p->done = done;
	p->ctx = ctx;
	p->job.run = run;
	p->job.done = ran;
	p->job.ctx = p;
	*out = p;
	return 0;
}

void fg_prepare_free(struct fg_prepare *p)
{
	if (!p)
		return;
	p->unwanted = true;
	if (!p->busy)
		free(p);
}

int fg_prepare_start(struct fg_prepare *p)
{
	if (p->busy)
		return -EBUSY;
	p->busy = true;
	if (p->host->submit(p->host, &p->job) == 0)
		return 0;
	p->busy = false;
	return -EBUSY;
}
