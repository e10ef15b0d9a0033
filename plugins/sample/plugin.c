/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest useful plugin: a target type that keeps a file with the other
 * addresses of its members, one a line, for whatever reads such files.
 *
 *	"targets": {
 *	  "list": { "target_type": "sample", "path": "/run/flowgate/list" }
 *	}
 *
 * Copy this folder, rename it, and you have a plugin of your own. Everything
 * that a target must do is here, in the order in which it happens: open, enter
 * and leave, flush, status, close. What may block is a job.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <flowgate/plugin.h>

/* More than this would be a bad way to tell anybody. */
#define ADDRESSES_MAX 1024
#define LINE_MAX      48

/* An address, and how many members have it. */
struct address {
	uint8_t version; /* 0: free */
	uint8_t addr[16];
	uint32_t members;
};

struct sample {
	const struct fg_host *host;
	const char *name;
	const char *path;
	struct address addresses[ADDRESSES_MAX];
	uint64_t count, adds, deletes, errors;
	bool changed; /* since the text was made */
	bool writing; /* the job is out */
	int error;    /* of the last write */

	/*
	 * The job's, from submit() to done(): nobody else touches these
	 * meanwhile, not even to look.
	 */
	struct fg_job job;
	int result;
	size_t text_len;
	char text[ADDRESSES_MAX * LINE_MAX];
};

/* ------------------------------------------------------------------ the job */

/*
 * Who can write to the folder does not choose, by a link, which file we empty:
 * at one moment the path is the only name of what was opened. 0 or errno.
 */
static int overwrite(int fd, const char *path, const char *text, size_t len)
{
	struct stat opened, st;

	if (fstat(fd, &opened) < 0 || lstat(path, &st) < 0)
		return errno;
	if (S_ISREG(opened.st_mode) &&
	    (st.st_nlink != 1 || st.st_ino != opened.st_ino ||
	     st.st_dev != opened.st_dev))
		return EMLINK;
	if (S_ISREG(opened.st_mode) && ftruncate(fd, 0) < 0)
		return errno;
	return write(fd, text, len) < 0 ? errno : 0;
}

/* Maybe beside the loop: touches nothing but the path and what is its own. */
static void write_run(struct fg_job *job)
{
	struct sample *s = job->ctx;
	/* NONBLOCK: a pipe that nobody reads must not hold the job up */
	int fd = open(s->path,
		      O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
		      0644);

	if (fd < 0) {
		s->result = errno;
		return;
	}
	s->result = overwrite(fd, s->path, s->text, s->text_len);
	close(fd);
}

static bool sample_flush(void *target, int64_t now);

/* In the loop again. What changed meanwhile is written next. */
static void write_done(struct fg_job *job)
{
	struct sample *s = job->ctx;

	s->writing = false;
	s->error = s->result;
	if (s->error) {
		s->errors++;
		s->host->log(s->host, FG_LOG_ERROR,
			     "target \"%s\": cannot write %s: %s", s->name,
			     s->path, strerror(s->error));
	}
	sample_flush(s, 0);
}

/* -------------------------------------------------------- open and close */

/*
 * Ask for every key that you know: a key that nobody asks for is an error, with
 * the nearest of those that were asked for. A getter that returns -EINVAL has
 * said what is wrong; 0 means that the key is not there.
 */
static int sample_open(const struct fg_host *host, const void *self,
		       const char *name, const struct fg_node *cfg,
		       const struct fg_node *globals, void **target)
{
	const char *path = NULL;
	struct sample *s;
	int ret;

	(void)self;    /* for host->members(), which we do not need */
	(void)globals; /* target_globals, which we have none of */
	ret = host->config->text(cfg, "path", &path);
	if (ret < 0)
		return ret;
	if (ret == 0) {
		host->config->error(
			cfg,
			"target \"%s\" needs a \"path\": the file to write",
			name);
		return -EINVAL;
	}
	/* All that is ever needed: later there is no allocating. */
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->host = host;
	s->name = name;
	s->path = path;
	s->job.run = write_run;
	s->job.done = write_done;
	s->job.ctx = s;
	*target = s;
	return 0;
}

static void sample_close(void *target, bool stopping)
{
	(void)stopping;
	free(target);
}

/* -------------------------------------------------------- enter and leave */

static struct address *find(struct sample *s, const struct fg_flow *flow)
{
	struct address *unused = NULL;

	for (size_t i = 0; i < ADDRESSES_MAX; i++) {
		struct address *a = &s->addresses[i];

		if (a->version == flow->ip_version &&
		    !memcmp(a->addr, flow->other_addr, sizeof(a->addr)))
			return a;
		if (!a->version && !unused)
			unused = a;
	}
	return unused;
}

/* Several flows may go to one address: it stays until the last has left. */
static void sample_enter(void *target, const struct fg_flow *flow,
			 const struct fg_member *member, enum fg_reason reason)
{
	struct sample *s = target;
	struct address *a;

	(void)member; /* which action sent it here */
	(void)reason; /* why now */
	if (flow->ip_version == 0)
		return;
	a = find(s, flow);
	if (!a) {
		s->errors++;
		s->host->log(s->host, FG_LOG_WARNING,
			     "target \"%s\": more than %d addresses: the rest "
			     "is left out",
			     s->name, ADDRESSES_MAX);
		return;
	}
	if (a->members++)
		return;
	a->version = flow->ip_version;
	memcpy(a->addr, flow->other_addr, sizeof(a->addr));
	s->count++;
	s->adds++;
	s->changed = true;
}

static void sample_leave(void *target, const struct fg_flow *flow,
			 const struct fg_member *member, enum fg_reason reason)
{
	struct sample *s = target;
	struct address *a;

	(void)member;
	(void)reason;
	if (flow->ip_version == 0)
		return;
	a = find(s, flow);
	if (!a || !a->version || --a->members)
		return;
	a->version = 0;
	s->count--;
	s->deletes++;
	s->changed = true;
}

/* --------------------------------------------------------------- flush */

static size_t put_address(const struct address *a, char *line)
{
	const uint8_t *p = a->addr;
	int n = 0;

	if (a->version == 4)
		return (size_t)sprintf(line, "%u.%u.%u.%u\n", p[0], p[1], p[2],
				       p[3]);
	for (int i = 0; i < 16; i += 2)
		n += sprintf(line + n, "%x%c", p[i] << 8 | p[i + 1],
			     i < 14 ? ':' : '\n');
	return (size_t)n;
}

/*
 * The end of a burst: now what has changed goes out. With -n nothing may: then
 * what would be done is printed, as a command.
 */
static bool sample_flush(void *target, int64_t now)
{
	struct sample *s = target;

	(void)now;
	if (!s->changed || s->writing)
		return false;
	s->changed = false;
	s->text_len = 0;
	for (size_t i = 0; i < ADDRESSES_MAX; i++)
		if (s->addresses[i].version)
			s->text_len += put_address(&s->addresses[i],
						   s->text + s->text_len);
	if (s->host->flags & FG_HOST_DRY_RUN) {
		s->host->print(s->host, "# %s: %llu address%s", s->path,
			       (unsigned long long)s->count,
			       s->count == 1 ? "" : "es");
		return false;
	}
	s->writing = s->host->submit(s->host, &s->job) == 0;
	return !s->writing; /* true: try again next time */
}

/* ------------------------------------------------------------------- status */

static void sample_status(void *target, struct fg_status *out)
{
	struct sample *s = target;

	out->elements = s->count;
	out->adds = s->adds;
	out->deletes = s->deletes;
	out->errors = s->errors;
	out->pending = s->changed || s->writing;
	if (s->error) {
		out->state = "failed";
		out->reason = strerror(s->error);
	}
}

/* --------------------------------------------------------------- the plugin */

static const struct fg_target_type sample_type = {
	.size = sizeof(sample_type),
	.name = "sample",
	.open = sample_open,
	.enter = sample_enter,
	.leave = sample_leave,
	.flush = sample_flush,
	.status = sample_status,
	.close = sample_close,
};

static const struct fg_target_type *const targets[] = {&sample_type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("sample", "1.0",
			 "writes the other addresses of its members to a file"),
	.targets = targets,
};
