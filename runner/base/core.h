/* Where the kernel puts the core of a process that has dumped one: core(5). */
#ifndef RM_BASE_CORE_H
#define RM_BASE_CORE_H

#include "runner/base/buf.h"
#include "runner/base/clock.h"

#include <stdbool.h>
#include <sys/types.h>

/* As /proc/sys/kernel has it. */
struct core_pattern {
    char text[256]; /* without its newline */
    bool uses_pid;  /* ".PID" is added where the pattern does not say it */
};

struct core_of {
    pid_t pid; /* as it knows itself; 0: not known */
    int signal;
    const char *cwd; /* absolute */
    nanos since;     /* an older file is none of it; on the wall clock */
};

enum core_way {
    CORE_IN_FILE,
    CORE_TO_PROGRAM, /* |PROGRAM ARG... */
    CORE_TO_SOCKET,  /* @PATH */
};

/* False: there is no such file, and so no core. */
bool core_pattern_read(struct core_pattern *pattern);
enum core_way core_way(const struct core_pattern *pattern);
/*
 * The path as a pattern for glob(3): what is known of the process stands for itself, what is not (its name, the time, its
 * machine) is a '*'.
 */
void core_glob(struct buf *out, const struct core_pattern *pattern, const struct core_of *of);
/* The newest file that can be its core. False: there is none. */
bool core_find(struct buf *path, const struct core_pattern *pattern, const struct core_of *of);

#endif
