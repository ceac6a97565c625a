/*
 * Places where tests make bad luck happen: RUN_MATRIX_FAULTS="journal=ENOSPC@3,loop-park=2s". A fault is
 * named here once; what it does there is the caller's matter. Without the variable a question costs one comparison.
 */
#ifndef RM_BASE_FAULT_H
#define RM_BASE_FAULT_H

#include "runner/base/clock.h"
#include "runner/base/diag.h"

#include <stdint.h>

#define FAULTS_VARIABLE "RUN_MATRIX_FAULTS"

/* What stands behind the '='. */
enum fault_value {
    FAULT_PLAIN, /* nothing */
    FAULT_ERRNO, /* "ENOSPC": what the call fails with */
    FAULT_SPAN,  /* "2s", "-1h" */
};

/* id, word, value */
#define FAULTS(X)                                                                                            \
    X(FAULT_CLONE, "clone", FAULT_ERRNO)           /* starting a process fails */                            \
    X(FAULT_CAPTURE, "capture", FAULT_ERRNO)       /* no capture file can be opened */                       \
    X(FAULT_JOURNAL, "journal", FAULT_ERRNO)       /* a write to the journal fails half way */               \
    X(FAULT_DISK_FULL, "disk-full", FAULT_PLAIN)   /* the file system of the captures has no room left */    \
    X(FAULT_LOOP_PARK, "loop-park", FAULT_SPAN)    /* the loop stands still that long */                     \
    X(FAULT_DUMP_PARK, "dump-park", FAULT_SPAN)    /* who makes a dump stands still before he begins */      \
    X(FAULT_RELAY_PARK, "relay-park", FAULT_PLAIN) /* relays are not read while their cases run */           \
    X(FAULT_WALL_CLOCK, "wall-clock", FAULT_SPAN)  /* the wall clock is off by it from then on */            \
    X(FAULT_NOTIFY, "notify", FAULT_ERRNO)         /* a folder cannot be watched for changes */              \
    X(FAULT_SERVER_PATIENCE, "server-patience", FAULT_SPAN) /* so long a server may take to answer */        \
    X(FAULT_SERVER_KILL, "server-kill", FAULT_PLAIN) /* it is killed when it was asked and has not read */   \
    X(FAULT_SERVER_MUTE, "server-mute", FAULT_PLAIN) /* ... when it has done as asked and not said so */     \
    X(FAULT_DIE_START, "die-start", FAULT_PLAIN)     /* the runner is killed before a case is started */     \
    X(FAULT_DIE_STARTED, "die-started", FAULT_PLAIN) /* ... after that, before the journal knows */          \
    X(FAULT_DIE_ENDED, "die-ended", FAULT_PLAIN)     /* ... after it was reaped, before the journal knows */ \
    X(FAULT_DIE_WRITE, "die-write", FAULT_PLAIN)     /* ... in the middle of a record of the journal */      \
    X(FAULT_DIE_WRITTEN, "die-written", FAULT_PLAIN) /* ... after the record of its end */                   \
    X(FAULT_DIE_REPORT, "die-report", FAULT_PLAIN)   /* ... before the reports are written */                \
    X(FAULT_DIE_HISTORY, "die-history", FAULT_PLAIN) /* ... while a run goes into the database */            \
    X(FAULT_DIE_FINISH, "die-finish", FAULT_PLAIN)   /* ... before the last record */                        \
    X(FAULT_KILL_RUNNER, "kill-runner", FAULT_PLAIN) /* at the N-th place where it may be killed */          \
    X(FAULT_EXIT_RUNNER, "exit-runner", FAULT_PLAIN) /* ... it exits as if a case had failed */              \
    X(FAULT_KILL_GUARD, "kill-guard", FAULT_PLAIN)   /* ... its guard is */                                  \
    X(FAULT_KILL_BOTH, "kill-both", FAULT_PLAIN)     /* ... both are */

enum fault {
#define X(id, word, value) id,
    FAULTS(X)
#undef X
        FAULT_COUNT
};

struct fault_plan {
    bool set;
    uint32_t first, times; /* from the first-th question on (1: at once), so often (0: for ever) */
    uint32_t asked;
    int error;  /* value as an errno, 0: none */
    nanos span; /* value as a span of time, signed */
};

struct faults {
    bool any;
    struct fault_plan plans[FAULT_COUNT];
    int guard; /* pidfd of the guard, for those that kill it; 0: there is none */
};

/* "name[=VALUE][@FIRST[xTIMES]],..."; NULL or empty: none. False and errors in diags for what is none. */
bool faults_parse(struct faults *faults, const char *text, struct diags *diags);
/* Is it now? NULL: no. Counts the question. */
struct fault_plan *fault_now(struct faults *faults, enum fault fault);
int fault_errno(struct faults *faults, enum fault fault); /* the errno to fail with, 0: go on */
/* A place where the runner may be killed: by its own name, and as the next of all such places. */
void fault_die(struct faults *faults, enum fault fault);
void fault_place(struct faults *faults); /* one without a name */

#endif
