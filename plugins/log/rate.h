/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rate.h - so many a second, and so many at once: a bucket of tokens.
 */
#ifndef FG_LOG_RATE_H
#define FG_LOG_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct fg_rate {
	uint32_t per_second; /* 0: unlimited */
	uint32_t burst;	     /* at least 1 */
	uint64_t tokens;     /* in thousandths */
	int64_t last;	     /* ms */
};

static inline struct fg_rate fg_rate(uint32_t per_second, uint32_t burst,
				     int64_t now)
{
	return (struct fg_rate){per_second, burst, burst * UINT64_C(1000), now};
}

/* May one more pass at now (monotonic ms)? */
static inline bool fg_rate_pass(struct fg_rate *r, int64_t now)
{
	uint64_t full = r->burst * UINT64_C(1000);

	if (!r->per_second)
		return true;
	if (now > r->last) {
		uint64_t since = (uint64_t)(now - r->last);

		/* a bucket is full long before this could overflow */
		r->tokens =
			since > full ? full : r->tokens + since * r->per_second;
		if (r->tokens > full)
			r->tokens = full;
		r->last = now;
	}
	if (r->tokens < 1000)
		return false;
	r->tokens -= 1000;
	return true;
}

#endif
