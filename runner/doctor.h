/* What this machine allows, found out by trying; and what of it could be had for one command. */
#ifndef RM_RUNNER_DOCTOR_H
#define RM_RUNNER_DOCTOR_H

#include "runner/base/buf.h"
#include "runner/harness/harness.h"

#include <stdbool.h>

/* id, key in JSON, how people call it */
#define FINDINGS(X)                                       \
    X(FOUND_CGROUP, "cgroup", "control groups")           \
    X(FOUND_PROCESSES, "processes", "limit on processes") \
    X(FOUND_MEMORY, "memory", "limit on memory")          \
    X(FOUND_PIDNS, "pidns", "PID namespaces")             \
    X(FOUND_NET, "net", "a network of its own")           \
    X(FOUND_FILES, "files", "/tmp and IPC of its own")    \
    X(FOUND_CHILDREN, "children", "lists of children")    \
    X(FOUND_PTRACE, "ptrace", "looking into processes")   \
    X(FOUND_TMPFILE, "tmpfile", "files without a name")   \
    X(FOUND_LEASES, "leases", "leases on files")          \
    X(FOUND_TERMINALS, "pty", "terminals")                \
    X(FOUND_DESCRIPTORS, "descriptors", "descriptors")

enum finding_id {
#define X(id, key, words) id,
    FINDINGS(X)
#undef X
        FINDING_COUNT
};

extern const char *const finding_key[FINDING_COUNT];
extern const char *const finding_name[FINDING_COUNT];

struct finding {
    bool can;
    struct buf words; /* how, or why not */
};

struct doctor {
    const char *store; /* where runs are kept, or will be */
    struct finding findings[FINDING_COUNT];
};

/* Single-threaded until it returns. */
void doctor_look(struct doctor *doctor, const char *store);
void doctor_release(struct doctor *doctor);

/* What a run would take, and in `why` why nothing stronger. */
enum containment doctor_choice(const struct doctor *doctor, struct buf *why);
/* The command that would allow more of that; false: nothing is wanting, or none is known. */
bool doctor_more(const struct doctor *doctor, enum finding_id wanting, struct buf *command);

#endif
