/* How a process is ended: signals one after another, each with time to act on it. */
#ifndef RM_BASE_LADDER_H
#define RM_BASE_LADDER_H

#include "runner/base/clock.h"

#include <stdint.h>

#define LADDER_TARGETS(X)      \
    X(LADDER_GROUP, "group")   \
    X(LADDER_LEADER, "leader") \
    X(LADDER_TREE, "tree")

enum ladder_target {
#define X(id, word) id,
    LADDER_TARGETS(X)
#undef X
        LADDER_TARGET_COUNT
};

extern const char *const ladder_target_words[LADDER_TARGET_COUNT];

struct ladder_step {
    int signal;
    enum ladder_target target;
    nanos wait; /* before the next step; -1: not said */
};

#define LADDER_STEPS_MOST 16

struct ladder {
    struct ladder_step steps[LADDER_STEPS_MOST];
    uint32_t count;
};

#endif
