/* The only clock: monotonic nanoseconds, and spans of time as people write them. */
#ifndef RM_BASE_CLOCK_H
#define RM_BASE_CLOCK_H

#include "runner/base/buf.h"
#include "runner/base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

typedef int64_t nanos;

nanos clock_now(void);  /* CLOCK_MONOTONIC */
nanos clock_wall(void); /* CLOCK_REALTIME, for journals and names only */
/* That moment of clock_now for who waits by CLOCK_REALTIME alone. */
struct timespec clock_wall_at(nanos moment);

/*
 * "90", "90s", "1m30s", "1.5h", "250ms", "0": d, h, m, s, ms in this order, each once; a bare number is
 * seconds; only the last number may have a fraction. False for anything else, and for more than 10 years.
 */
bool span_parse(struct str text, nanos *span);
/* "1m30s", "1.5s", "250ms": short, to the nearest millisecond, and read back by span_parse. */
void span_format(struct buf *out, nanos span);

#endif
