/* How much is done at a time. */
#ifndef RM_RUNNER_JOBS_H
#define RM_RUNNER_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#define JOBS_MOST 10000

/* What -n says; NULL and "auto": one for each processor we may use. False: that is no such number. */
bool jobs_read(const char *text, uint32_t *jobs);

#endif
