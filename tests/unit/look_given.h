/* Children that have some descriptors of ours, and nothing else. After <cmocka.h>. */
#ifndef TESTS_LOOK_GIVEN_H
#define TESTS_LOOK_GIVEN_H

#include "tests/unit/look_stage.h"

#define HIGH    100 /* a descriptor that nothing else has */
#define SKIPPED 77

static inline void must(bool done)
{
    if (!done)
        _exit(2);
}

/* Only these are left open, at HIGH and after it. */
static inline void keep(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        must(dup2(fds[i], HIGH + i) == HIGH + i);
    must(syscall(SYS_close_range, 3, HIGH - 1, 0) == 0);
    must(syscall(SYS_close_range, HIGH + count, UINT32_MAX, 0) == 0);
}

struct given {
    const int *fds;
    int count;
};

static inline void hang_with(void *user)
{
    const struct given *given = user;

    keep(given->fds, given->count);
    hang();
}

static inline pid_t start_with(struct look_stage *stage, const int *fds, int count)
{
    struct given given = {fds, count};
    pid_t pid = start_kid(stage, hang_with, &given);

    until_in(pid, HANGS);
    return pid;
}

#endif
