/* Which captured output outlives its run's end. */
#ifndef RM_RUNNER_KEEP_H
#define RM_RUNNER_KEEP_H

#define KEEPS(X)             \
    X(KEEP_LATEST, "latest") \
    X(KEEP_ALL, "all")       \
    X(KEEP_FAILED, "failed") \
    X(KEEP_NONE, "none")

enum keep {
#define X(id, word) id,
    KEEPS(X)
#undef X
};

#endif
