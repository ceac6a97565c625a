/*
 * How a process comes to be. A backend is one object in a const table; what the child does between
 * clone and exec is a value that the parent prepares, and its failures come home as {stage, errno}.
 */
#ifndef RM_BACKENDS_BACKENDS_H
#define RM_BACKENDS_BACKENDS_H

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* ---- what the child does ---- */

#define SPAWN_LIMITS_MOST 8

struct spawn_limit {
    int resource; /* RLIMIT_... */
    struct rlimit limit;
};

/*
 * Only pointers and numbers: it is read by the child out of our memory, so everything in it must stay as
 * it is until the child has executed (spawn_phase) or is gone.
 */
struct spawn_spec {
    const char *path; /* of the program; a relative one begins at `cwd` */
    char *const *argv, *const *envp;
    const char *cwd; /* NULL: ours */
    int stdio[3];    /* what becomes 0, 1 and 2; may be any of these three too */
    bool session;    /* a session and process group of its own */
    int terminal;    /* with `session`: the terminal that becomes its own; -1: none */
    struct spawn_limit limits[SPAWN_LIMITS_MOST];
    uint32_t limit_count;
};

/* ---- what becomes of it ---- */

/* id, "cannot ..." */
#define SPAWN_STAGES(X)                               \
    X(SPAWN_STAGE_NONE, "")                           \
    X(SPAWN_STAGE_CLONE, "start a process")           \
    X(SPAWN_STAGE_SESSION, "start a session")         \
    X(SPAWN_STAGE_TERMINAL, "take the terminal")      \
    X(SPAWN_STAGE_STDIO, "redirect standard streams") \
    X(SPAWN_STAGE_CWD, "enter the working directory") \
    X(SPAWN_STAGE_LIMIT, "set a limit")               \
    X(SPAWN_STAGE_SIGNALS, "reset signals")           \
    X(SPAWN_STAGE_EXEC, "execute")

enum spawn_stage {
#define X(id, words) id,
    SPAWN_STAGES(X)
#undef X
};

struct spawn_error {
    enum spawn_stage stage;
    int error; /* errno */
};

/*
 * "cannot execute './unit': Permission denied (not executable)": what failed, on what, why, and what
 * would help where that can be known by looking (a script whose interpreter is missing, a folder, a file
 * of another architecture). Looks at files: for the parent, after the fact.
 */
void spawn_error_words(struct buf *out, struct spawn_error error, const struct spawn_spec *spec);

struct process {
    pid_t pid; /* also its group and session, with `session` */
    int pidfd;
};

/*
 * Where a process is between clone and exec, in words that it shares with us. While it is under way only SIGKILL may
 * be sent to it (backends/child.h says why). A process that is killed in the very call of exec, which may be stuck on
 * a dead mount, looks executed afterwards: it is for whoever kills it to look before.
 */
enum spawn_phase {
    SPAWN_UNDER_WAY, /* cloned, not executed */
    SPAWN_EXECUTED,  /* or killed before; then exec_at is 0 */
    SPAWN_FAILED,    /* see error; the process exits by itself */
};

/*
 * A place to start processes from, one after another: the stack the child runs on and the words it leaves.
 * It belongs to a slot. While its child is under way nothing else can be started from it (EBUSY).
 */
struct spawn;

struct spawn *spawn_new(void); /* NULL and errno */
void spawn_free(
    struct spawn *spawn); /* one whose child is still under way stays as it is, for the child runs in it */
enum spawn_phase spawn_phase(const struct spawn *spawn, struct spawn_error *error, nanos *exec_at);

/* ---- backends ---- */

enum backend_id {
    BACKEND_EXEC,
    BACKEND_SPAWN,
    BACKEND_FORKSERVER,
    BACKEND_MAIN_THREAD_FORKSERVER,
    BACKEND_SUBINT,
    BACKEND_SUBINT_FORKSERVER,
    BACKEND_SUBINT_FORK,
    BACKEND_COUNT
};

struct backend {
    const char *name, *alias;
    const char *unsupported; /* why it cannot start a program; NULL: it can, and `start` is there */
    /*
     * Returns at once, the child need not have executed yet. The pidfd is there before the child runs. False, with
     * nothing left behind, when no process came to be. No handlers of signals may be set up but those of crashes;
     * what we ignore is ignored by the program too.
     */
    bool (*start)(struct spawn *spawn, const struct spawn_spec *spec, struct process *process,
                  struct spawn_error *error);
};

extern const struct backend *const backends[BACKEND_COUNT];

const struct backend *backend_find(struct str name); /* by name or alias; NULL: none */

#endif
