/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blocking.c - its job waits for as long as nobody reads the pipe at "path". */
#include "bad.h"

#include <fcntl.h>
#include <unistd.h>

static const struct fg_host *host;
static const char *path;
static bool changed, writing;

static int open_blocking(const struct fg_host *h, const void *self,
			 const char *name, const struct fg_node *cfg,
			 const struct fg_node *globals, void **target)
{
	host = h;
	if (h->config->text(cfg, "path", &path) <= 0)
		return -1;
	return bad_open(h, self, name, cfg, globals, target);
}

static void on_member(void *target, const struct fg_flow *flow,
		      const struct fg_member *member, enum fg_reason reason)
{
	bad_member(target, flow, member, reason);
	changed = true;
}

static void run(struct fg_job *job)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	(void)job;
	if (fd < 0)
		return;
	(void)!write(fd, "changed\n", 8);
	close(fd);
}

static bool flush(void *target, int64_t now);

static void done(struct fg_job *job)
{
	(void)job;
	writing = false;
	flush(NULL, 0);
}

static struct fg_job job = {.run = run, .done = done};

static bool flush(void *target, int64_t now)
{
	(void)target;
	(void)now;
	if (!changed || writing)
		return false;
	changed = false;
	writing = host->submit(host, &job) == 0;
	return !writing;
}

static void status(void *target, struct fg_status *out)
{
	(void)target;
	out->pending = changed || writing;
}

static const struct fg_target_type type = {
	.size = sizeof(type),
	.name = "blocking",
	.open = open_blocking,
	.enter = on_member,
	.leave = on_member,
	.flush = flush,
	.status = status,
	.close = bad_close,
};
static const struct fg_target_type *const targets[] = {&type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("blocking", "1", "has a job that does not end"),
	.targets = targets,
};
