/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.c - writes beside the loop, under another name, then renames. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fg_file {
	struct fg_job job;
	const struct fg_host *host;
	const char *path;
	char *other; /* the name to write under */
	mode_t mode;
	bool busy;
	struct fg_buffer content;
	int result; /* of the job */
	int error;  /* of the last one that is done */
	uint64_t written;
	uint64_t failures;
};

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Whatever is at the other name is taken away, never followed. */
static int replace(const struct fg_file *f)
{
	int fd, err;

	if (unlink(f->other) < 0 && errno != ENOENT)
		return -errno;
	fd = open(f->other,
		  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  f->mode);
	if (fd < 0)
		return -errno;
	err = write_all(fd, f->content.bytes, f->content.len);
	/* the new content is on the disk before the new name is */
	if (!err && fdatasync(fd) < 0)
		err = -errno;
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && rename(f->other, f->path) < 0)
		err = -errno;
	if (err)
		unlink(f->other);
	return err;
}

static void run(struct fg_job *job)
{
	struct fg_file *f = job->ctx;

	f->result = f->content.failed ? -ENOMEM : replace(f);
}

static void done(struct fg_job *job)
{
	struct fg_file *f = job->ctx;
	const struct fg_host *h = f->host;

	f->busy = false;
	f->written += f->result == 0;
	f->failures += f->result != 0;
	if (f->result && f->result != f->error)
		h->log(h, FG_LOG_WARNING,
		       "%s: cannot be written: %s (nothing else depends on it; "
		       "tried again)",
		       f->path, strerror(-f->result));
	else if (!f->result && f->error)
		h->log(h, FG_LOG_NOTICE, "%s: is written again", f->path);
	f->error = f->result;
}

int fg_file_new(struct fg_file **out, const struct fg_host *host,
		const char *path, unsigned turn, unsigned mode)
{
	struct fg_file *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	if (asprintf(&f->other, "%s.%u~", path, turn) < 0) {
		free(f);
		return -ENOMEM;
	}
	f->job = (struct fg_job){run, done, f, NULL};
	f->host = host;
	f->path = path;
	f->mode = mode;
	*out = f;
	return 0;
}

void fg_file_free(struct fg_file *f)
{
	if (!f)
		return;
	free(f->other);
	fg_buffer_fini(&f->content);
	free(f);
}

struct fg_buffer *fg_file_begin(struct fg_file *f)
{
	if (f->busy)
		return NULL;
	fg_buffer_begin(&f->content);
	return &f->content;
}

void fg_file_write(struct fg_file *f, bool at_once)
{
	f->busy = true;
	if (!at_once && f->host->submit(f->host, &f->job) == 0)
		return;
	if (at_once)
		run(&f->job);
	else
		f->result = -ENOMEM; /* submit() has no other reason */
	done(&f->job);
}

int fg_file_error(const struct fg_file *f)
{
	return f->error;
}

uint64_t fg_file_written(const struct fg_file *f)
{
	return f->written;
}

uint64_t fg_file_failures(const struct fg_file *f)
{
	return f->failures;
}

int fg_file_read(const char *path, size_t max, char **text, size_t *len)
{
	struct stat st;
	char *p = NULL;
	ssize_t n = 0;
	size_t got = 0;
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if (st.st_size > (off_t)max)
		err = -EFBIG;
	if (!err) {
		p = malloc((size_t)st.st_size + 1);
		err = p ? 0 : -ENOMEM;
	}
	while (!err && got < (size_t)st.st_size) {
		n = read(fd, p + got, (size_t)st.st_size - got);
		if (n < 0 && errno != EINTR)
			err = -errno;
		if (n == 0)
			break;
		got += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (err) {
		free(p);
		return err;
	}
	*text = p;
	*len = got;
	return 0;
}
