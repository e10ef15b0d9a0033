/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover.c - leases written and read as bytes. */
#include <errno.h>
#include <string.h>

#include "handover.h"

#define MAGIC	"FGLEASES"
#define VERSION 2
#define KEY_MAX 64

struct header {
	char magic[8];
	uint32_t version;
	uint32_t count;
	struct fg_handover h;
	uint64_t check; /* of all of it, with this as 0 */
};

/* FNV-1a: against damage, not against anyone; the file is ours alone. */
static uint64_t sum(uint64_t h, const uint8_t *p, size_t len)
{
	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

static uint64_t check_of(struct header h, const uint8_t *rest, size_t len)
{
	h.check = 0;
	return sum(sum(0xcbf29ce484222325ull, (const uint8_t *)&h, sizeof(h)),
		   rest, len);
}

static size_t record_size(uint32_t key_len)
{
	return 9 + (size_t)key_len;
}

size_t fg_handover_size(const struct fg_handover *h, size_t leases)
{
	return sizeof(struct header) + leases * record_size(h->key_len);
}

void fg_handover_begin(struct fg_handover_writer *w, void *buf,
		       const struct fg_handover *h)
{
	struct header header;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, MAGIC, sizeof(header.magic));
	header.version = VERSION;
	header.h = *h;
	*w = (struct fg_handover_writer){
		.buf = buf, .len = sizeof(header), .key_len = h->key_len};
	memcpy(w->buf, &header, sizeof(header));
}

void fg_handover_put(struct fg_handover_writer *w,
		     const struct fg_handover_lease *lease)
{
	uint8_t *p = w->buf + w->len;

	memcpy(p, &lease->data, 4);
	memcpy(p + 4, &lease->left_ms, 4);
	p[8] = lease->held;
	memcpy(p + 9, lease->key, w->key_len);
	w->len += record_size(w->key_len);
	w->count++;
}

size_t fg_handover_end(struct fg_handover_writer *w)
{
	struct header header;

	memcpy(&header, w->buf, sizeof(header));
	header.count = w->count;
	header.check = check_of(header, w->buf + sizeof(header),
				w->len - sizeof(header));
	memcpy(w->buf, &header, sizeof(header));
	return w->len;
}

int fg_handover_read(const void *buf, size_t len, const struct fg_handover *now,
		     void (*each)(void *ctx,
				  const struct fg_handover_lease *lease),
		     void *ctx)
{
	const uint8_t *p = buf;
	struct header header;
	int64_t age;

	if (len < sizeof(header))
		return -EILSEQ;
	memcpy(&header, p, sizeof(header));
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0 ||
	    header.version != VERSION || header.h.key_len == 0 ||
	    header.h.key_len > KEY_MAX ||
	    header.count !=
		    (len - sizeof(header)) / record_size(header.h.key_len) ||
	    len != fg_handover_size(&header.h, header.count) ||
	    header.check !=
		    check_of(header, p + sizeof(header), len - sizeof(header)))
		return -EILSEQ;
	/* a new boot begins with an empty kernel, and its clock at 0 */
	if (header.h.boot_ms < 0 || header.h.boot_ms > now->boot_ms ||
	    header.h.key_len != now->key_len || header.h.map != now->map ||
	    header.h.table_handle != now->table_handle ||
	    header.h.set_handle != now->set_handle)
		return -ESTALE;
	age = now->boot_ms - header.h.boot_ms;
	p += sizeof(header);
	for (uint32_t i = 0; i < header.count; i++) {
		struct fg_handover_lease lease = {.key = p + 9, .held = p[8]};

		memcpy(&lease.data, p, 4);
		memcpy(&lease.left_ms, p + 4, 4);
		p += record_size(header.h.key_len);
		if (lease.left_ms <= age)
			continue;
		lease.left_ms -= (uint32_t)age;
		each(ctx, &lease);
	}
	return 0;
}
