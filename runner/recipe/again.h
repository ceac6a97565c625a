/* When, how often, and after what a case that failed is run again. */
#ifndef RM_RUNNER_RECIPE_AGAIN_H
#define RM_RUNNER_RECIPE_AGAIN_H

#include "runner/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

/* The words of `retries: {on: [...]}`, and those that hold where it is not said. */
#define RETRY_CLASSES(X)                        \
    X(RETRY_FAILED, "failed", true)             \
    X(RETRY_TIMEOUT, "timeout", true)           \
    X(RETRY_CRASHED, "crashed", true)           \
    X(RETRY_LEAKED, "leaked", true)             \
    X(RETRY_OOM, "oom", true)                   \
    X(RETRY_OUTPUT_LIMIT, "output-limit", true) \
    X(RETRY_ERROR, "error", false)

enum retry_class {
#define X(id, word, builtin) id,
    RETRY_CLASSES(X)
#undef X
        RETRY_CLASS_COUNT
};

struct retry_policy {
    uint32_t most;   /* how often */
    unsigned on;     /* 1 << enum retry_class */
    bool at_end;     /* when all others are over */
    nanos first;     /* the wait before the first retry; 0: none */
    nanos longest;   /* of all waits */
    uint32_t factor; /* of a wait to the one before it */
    double jitter;   /* the share of it that may be left out */
};

/* Before the retry of that number, from 1. `seed` decides what is left out of it: the same one, the same wait. */
nanos retry_wait(const struct retry_policy *policy, uint32_t retry, uint64_t seed);

#endif
