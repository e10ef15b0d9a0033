/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LIBS: -lmnl */
/*
 * model-check.c - an agent, a flowgated and a set of the kernel, all real, go
 * through random steps; after each the set is compared with a list of what
 * should be in it. Run in a network namespace of its own, as root.
 *
 *	model-check [-n STEPS] [-s SEED] FLOWGATED FOLDER
 *
 * A flow that is alive and of an application that the configuration asks for
 * needs its element. An element that nobody needs may stay for a time only when
 * flowgated could not know that: it was killed, or its agent away.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEYS	    24
#define FLOWS	    48
#define TTL_MS	    2000
#define GRACE_MS    1000
#define SLACK_MS    1500 /* of a machine that is busy with other things */
#define PATIENCE_MS 10000

struct flow {
	bool live;
	unsigned key;
	unsigned app; /* 0 to 2 */
};

struct check {
	const char *flowgated, *folder;
	char agent_path[100], control_path[100], config_path[100];
	uint64_t random;
	unsigned config; /* bits: which applications are asked for */
	pid_t pid;
	int listener, agent; /* agent -1: not connected */
	struct mnl_socket *nl;
	struct flow flow[FLOWS];
	int64_t may_until[KEYS]; /* ms: nobody's, but excusable until then */
	unsigned long steps, said[16];
	bool present[KEYS];
	unsigned foreign;	/* elements that are none of the keys */
	unsigned long messages; /* said to the flowgated that runs */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&ts, NULL);
}

static unsigned pick(struct check *c, unsigned n)
{
	c->random = c->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(c->random >> 33) % n;
}

static void die(const struct check *c, const char *what)
{
	fprintf(stderr, "step %lu: %s\n", c->steps, what);
	if (c->pid > 0)
		kill(c->pid, SIGKILL);
	exit(1);
}

/* ------------------------------------------------------------- the kernel */

static unsigned key_of(const uint8_t *p, size_t len)
{
	/* 198.51.100.N . 443 */
	return len == 8 && p[0] == 198 && p[3] < KEYS ? p[3] : KEYS;
}

static void on_element(struct check *c, const struct nlattr *element)
{
	const struct nlattr *attr, *value;

	mnl_attr_for_each_nested (attr, element) {
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_KEY)
			continue;
		mnl_attr_for_each_nested (value, attr) {
			unsigned k = key_of(mnl_attr_get_payload(value),
					    mnl_attr_get_payload_len(value));

			if (k < KEYS)
				c->present[k] = true;
			else
				c->foreign++;
		}
	}
}

static int on_message(const struct nlmsghdr *nlh, void *ctx)
{
	const struct nlattr *attr, *element;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested (element, attr)
			on_element(ctx, element);
	}
	return MNL_CB_OK;
}

/* False: it could not be read, or changed meanwhile. */
static bool read_set(struct check *c)
{
	_Alignas(struct nlmsghdr) char buf[16384];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	static uint32_t seq = 1;
	struct nfgenmsg *nfg;
	ssize_t n;
	int ret;

	memset(c->present, 0, sizeof(c->present));
	c->foreign = 0;
	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_INET;
	nfg->version = NFNETLINK_V0;
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, "t");
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, "s.v4");
	if (mnl_socket_sendto(c->nl, nlh, nlh->nlmsg_len) < 0)
		return false;
	do {
		n = mnl_socket_recvfrom(c->nl, buf, sizeof(buf));
		if (n < 0)
			return false;
		ret = mnl_cb_run(buf, (size_t)n, seq,
				 mnl_socket_get_portid(c->nl), on_message, c);
	} while (ret > 0);
	return ret == 0;
}

static void run(struct check *c, const char *command)
{
	if (system(command) != 0)
		die(c, command);
}

#define TABLE                                                                  \
	"nft 'table inet t { set s.v4 { type ipv4_addr . inet_service; "       \
	"flags timeout; }; }'"

/* -------------------------------------------------------------- flowgated */

static void write_config(struct check *c)
{
	static const char *const apps[] = {"app_id == 133", "app_id == 119",
					   "app_id == 7"};
	char temporary[120];
	FILE *f;

	snprintf(temporary, sizeof(temporary), "%s~", c->config_path);
	f = fopen(temporary, "w");
	if (!f)
		die(c, temporary);
	fprintf(f,
		"{\"sources\": [\"unix://%s\"], \"grace\": %d, \"targets\": "
		"{\"s\": {\"target_type\": \"nftset\", \"table_name\": \"t\", "
		"\"set_name\": \"s\", \"set_family\": \"ipv4\", \"type\": "
		"[\"other_addr\", \"other_port\"], \"ttl\": %d}}, "
		"\"actions\": {",
		c->agent_path, GRACE_MS / 1000, TTL_MS / 1000);
	for (unsigned i = 0; i < 3; i++)
		fprintf(f,
			"%s\"a%u\": {\"enabled\": %s, \"criteria\": \"%s\", "
			"\"targets\": [\"s\"]}",
			i ? ", " : "", i, c->config >> i & 1 ? "true" : "false",
			apps[i]);
	fputs("}}\n", f);
	if (fclose(f) || rename(temporary, c->config_path) < 0)
		die(c, c->config_path);
}

static int unix_socket(const char *path, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s", path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* The reply to a request, or "" when there is nobody. */
static void ask(struct check *c, const char *request, char *reply, size_t size)
{
	struct sockaddr_un addr;
	int fd = unix_socket(c->control_path, &addr);
	size_t len = 0;
	ssize_t n;

	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
	    write(fd, request, strlen(request)) > 0)
		while (len < size - 1 &&
		       (n = read(fd, reply + len, size - 1 - len)) > 0)
			len += (size_t)n;
	reply[len] = '\0';
	close(fd);
}

static bool has_number(const char *json, const char *key, unsigned long n)
{
	const char *p = strstr(json, key);

	return p && strtoul(p + strlen(key), NULL, 10) == n;
}

/* Has it read and done all that it was told? */
static bool is_through(struct check *c)
{
	char reply[16384];

	ask(c, "-j status\n", reply, sizeof(reply));
	return has_number(reply, "\"messages\":", c->messages) &&
	       has_number(reply, "\"pending\":", 0);
}

static void say(struct check *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct check *c, const char *format, ...)
{
	char text[1024];
	va_list ap;
	int n;

	if (c->agent < 0)
		return;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (send(c->agent, text, (size_t)n, MSG_NOSIGNAL) != n)
		die(c, "flowgated hung up");
	c->messages++;
}

static void announce(struct check *c, unsigned i)
{
	static const unsigned ids[] = {133, 119, 7};
	const struct flow *f = &c->flow[i];

	say(c,
	    "{\"flow\":{\"digest\":\"%040x\",\"ip_version\":4,"
	    "\"ip_protocol\":6,\"local_ip\":\"10.0.0.2\",\"local_port\":%u,"
	    "\"local_origin\":true,\"other_ip\":\"198.51.100.%u\","
	    "\"other_port\":443,\"other_type\":\"remote\","
	    "\"detected_application\":%u},\"interface\":\"lan\","
	    "\"internal\":true,\"type\":\"flow\"}\n",
	    i + 1, 1000 + i, f->key, ids[f->app]);
}

static void connected(struct check *c)
{
	if (c->agent >= 0)
		close(c->agent);
	c->agent = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
	if (c->agent < 0)
		die(c, "accept");
	c->messages = 0;
	for (unsigned i = 0; i < FLOWS; i++)
		if (c->flow[i].live)
			announce(c, i);
}

static void start(struct check *c)
{
	c->pid = fork();
	if (c->pid == 0) {
		int log = open("flowgated.log", O_WRONLY | O_CREAT | O_APPEND,
			       0644);

		dup2(log, STDERR_FILENO);
		execl(c->flowgated, "flowgated", "-c", c->config_path, "-S",
		      c->control_path, (char *)NULL);
		_exit(127);
	}
	connected(c);
}

/* ------------------------------------------------------------- the model */

static void needed(const struct check *c, bool need[KEYS])
{
	memset(need, 0, KEYS * sizeof(*need));
	for (unsigned i = 0; i < FLOWS; i++)
		if (c->flow[i].live && c->config >> c->flow[i].app & 1)
			need[c->flow[i].key] = true;
}

/* What nobody needs any more, and flowgated cannot know, may stay for a time.
 */
static void excuse(struct check *c, const bool before[KEYS], int64_t ms)
{
	for (unsigned k = 0; k < KEYS; k++)
		if (before[k])
			c->may_until[k] = now_ms() + ms + SLACK_MS;
}

static bool is_equal(const struct check *c, char why[80], bool *surplus)
{
	bool need[KEYS];

	*surplus = false;

	needed(c, need);
	if (c->foreign) {
		snprintf(why, 80, "%u elements of nobody", c->foreign);
		return false;
	}
	for (unsigned k = 0; k < KEYS; k++) {
		if (c->present[k] == need[k])
			continue;
		if (!need[k] && now_ms() < c->may_until[k])
			continue;
		*surplus = !need[k];
		snprintf(why, 80, "198.51.100.%u %s", k,
			 need[k] ? "is missing" : "should not be there");
		return false;
	}
	return true;
}

/*
 * strict: once it says that it is through, nothing may be there any more that
 * nobody needs. What others took, unknown to it as yet, may still be missing.
 */
static void compare(struct check *c, bool strict)
{
	int64_t until = now_ms() + PATIENCE_MS;
	char why[80] = "it cannot be read";
	bool through = false, surplus;

	for (;;) {
		if (strict && !through)
			through = is_through(c);
		if ((!strict || through) && read_set(c)) {
			if (is_equal(c, why, &surplus))
				return;
			if (through && surplus)
				break;
		}
		if (now_ms() >= until)
			break;
		usleep(strict && !through ? 0 : 100);
	}
	die(c, why);
}

/* ------------------------------------------------------------------ steps */

static void enter(struct check *c)
{
	unsigned i = pick(c, FLOWS);

	/* one that is alive changes its key, or its application */
	c->flow[i] = (struct flow){true, pick(c, KEYS), pick(c, 3)};
	announce(c, i);
}

static void leave(struct check *c)
{
	unsigned i = pick(c, FLOWS);

	c->flow[i].live = false;
	say(c,
	    "{\"flow\":{\"digest\":\"%040x\"},\"interface\":\"lan\","
	    "\"internal\":true,\"type\":\"flow_purge\"}\n",
	    i + 1);
}

static void burst(struct check *c)
{
	for (unsigned n = 2 + pick(c, 40); n > 0; n--)
		if (pick(c, 2))
			enter(c);
		else
			leave(c);
}

static void reload(struct check *c)
{
	char reply[4096];

	c->config = pick(c, 8);
	write_config(c);
	ask(c, "reload\n", reply, sizeof(reply));
	if (strncmp(reply, "ok", 2) != 0)
		die(c, reply);
}

static void flush_set(struct check *c)
{
	run(c, "nft flush set inet t s.v4");
}

static void take_one(struct check *c)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "nft delete element inet t s.v4 '{ 198.51.100.%u . 443 }' "
		 "2>/dev/null || :",
		 pick(c, KEYS));
	run(c, command);
}

static void firewall(struct check *c)
{
	run(c, "nft delete table inet t");
	if (pick(c, 2))
		enter(c);
	run(c, TABLE);
}

/* In one transaction, while flows come and go. */
static void firewall_under_load(struct check *c)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c",
		      "nft \"delete table inet t; table inet t { set s.v4 { "
		      "type ipv4_addr . inet_service; flags timeout; }; }\"",
		      (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		if (pick(c, 2))
			enter(c);
		else
			leave(c);
	if (status != 0)
		die(c, "the firewall cannot be reloaded");
	burst(c);
}

static void wait_a_while(struct check *c)
{
	sleep_ms(pick(c, TTL_MS / 3));
}

static void wait_long(struct check *c)
{
	sleep_ms(TTL_MS + pick(c, TTL_MS / 2));
}

/* What happened while nobody listened. */
static void meanwhile(struct check *c)
{
	if (c->agent >= 0)
		close(c->agent);
	c->agent = -1;
	for (unsigned n = pick(c, 20); n > 0; n--)
		if (pick(c, 2))
			enter(c);
		else
			leave(c);
}

static void end(struct check *c, int signal)
{
	int status;

	kill(c->pid, signal);
	waitpid(c->pid, &status, 0);
	if (signal == SIGTERM && status != 0)
		die(c, "did not end well");
}

static void again(struct check *c, int signal)
{
	bool before[KEYS];

	/* also one that was about to be taken out or put in */
	for (unsigned k = 0; k < KEYS; k++)
		before[k] = true;
	end(c, signal);
	excuse(c, before, TTL_MS);
	meanwhile(c);
	start(c);
}

static void killed(struct check *c)
{
	again(c, SIGKILL);
}

static void ended(struct check *c)
{
	again(c, SIGTERM);
}

static void agent_away(struct check *c)
{
	bool before[KEYS];

	needed(c, before);
	excuse(c, before, GRACE_MS + 1000);
	meanwhile(c);
	connected(c);
	/* of what was there before, only flowgated knows the count */
	c->messages = 0;
}

static void stopped(struct check *c)
{
	kill(c->pid, SIGSTOP);
	enter(c);
	leave(c);
	sleep_ms(TTL_MS + 200);
	kill(c->pid, SIGCONT);
}

static const struct {
	const char *name;
	void (*step)(struct check *c);
	unsigned weight; /* of 10,000 */
	bool loses_count;
} steps[] = {
	{"enter", enter, 5000, false},
	{"leave", leave, 3860, false},
	{"burst", burst, 800, false},
	{"reload", reload, 100, false},
	{"flush", flush_set, 60, false},
	{"take one", take_one, 60, false},
	{"firewall reload", firewall, 30, false},
	{"under load", firewall_under_load, 40, false},
	{"wait", wait_a_while, 30, false},
	{"wait beyond ttl", wait_long, 2, false},
	{"kill -9", killed, 6, false},
	{"restart", ended, 6, false},
	{"agent away", agent_away, 4, true},
	{"stopped", stopped, 2, false},
};
#define STEPS (sizeof(steps) / sizeof(*steps))

static size_t next_step(struct check *c)
{
	unsigned n = pick(c, 10000);
	size_t i = 0;

	while (n >= steps[i].weight)
		n -= steps[i++].weight;
	return i;
}

static void open_all(struct check *c)
{
	struct sockaddr_un addr;

	snprintf(c->agent_path, 100, "%s/agent", c->folder);
	snprintf(c->control_path, 100, "%s/control", c->folder);
	snprintf(c->config_path, 100, "%s/config", c->folder);
	c->listener = unix_socket(c->agent_path, &addr);
	if (chdir(c->folder) < 0 ||
	    bind(c->listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(c->listener, 4) < 0)
		die(c, strerror(errno));
	c->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!c->nl || mnl_socket_bind(c->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		die(c, "netlink");
	c->agent = -1;
	c->config = 1;
	run(c, TABLE);
	write_config(c);
	start(c);
}

int main(int argc, char **argv)
{
	_Static_assert(STEPS <=
			       sizeof(((struct check *)0)->said) / sizeof(long),
		       "a count for each");
	static struct check c;
	unsigned long count = 10000;
	bool counting = true;
	int opt;

	c.random = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
	while ((opt = getopt(argc, argv, "n:s:")) != -1) {
		if (opt == 'n')
			count = strtoul(optarg, NULL, 10);
		else if (opt == 's')
			c.random = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind != 2) {
		fprintf(stderr, "usage: model-check [-n STEPS] [-s SEED] "
				"FLOWGATED FOLDER\n");
		return 2;
	}
	c.flowgated = argv[optind];
	c.folder = argv[optind + 1];
	printf("seed %llu\n", (unsigned long long)c.random);
	fflush(stdout);
	open_all(&c);
	for (c.steps = 1; c.steps <= count; c.steps++) {
		size_t i = next_step(&c);

		c.said[i]++;
		steps[i].step(&c);
		/* its count of messages goes on where ours begins anew */
		if (steps[i].loses_count)
			counting = false;
		else if (steps[i].step == killed || steps[i].step == ended)
			counting = true;
		compare(&c, counting && (pick(&c, 16) == 0 ||
					 steps[i].step == firewall_under_load));
	}
	end(&c, SIGTERM);
	printf("%lu steps:", count);
	for (size_t i = 0; i < STEPS; i++)
		printf(" %lu %s%s", c.said[i], steps[i].name,
		       i + 1 < STEPS ? "," : "\n");
	return 0;
}
