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
#define SPAWN_PASS_MOST   16

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
    int cgroup;    /* folder of the control group (version 2) it begins in; 0: ours */
    int joined[2]; /* cgroup.procs of groups of version 1 that it writes itself into; 0: none */
    const struct spawn_room *room; /* namespaces; NULL: ours */
    int pass[SPAWN_PASS_MOST];     /* what becomes 3, 4, ... */
    uint32_t pass_count;
    char *own_pid; /* where it writes its pid, in decimal; part of a variable in `envp`. NULL: nowhere */

    /* For backends that leave it to a server (`host`), or to a program that becomes it. */
    const char *host;   /* its program; exec needs none */
    const char *module; /* that it has loaded; NULL: its own, or none */
    const char *test;   /* what of the module is run, without executing anything; NULL: `path` is executed */
    const char *title;  /* what people see of such a process */
    bool apart;         /* ... that has the module once more for itself, in a namespace of its own */
};

#define SPAWN_PID_SIZE      12  /* room for that: digits and a NUL */
#define SPAWN_FAILED_STATUS 127 /* of one that could not execute */

/* ---- namespaces ---- */

/*
 * A PID namespace with an init of ours, and a mount namespace with a /proc that fits it. The init does nothing but
 * reap; it dies with the thread that started it, and all in its namespace with it. Without privileges both are in a
 * user namespace, in which the ids are those outside; there is nobody else in it, so set-uid programs have no effect.
 *
 * What is mounted outside later is seen inside too, and not the other way round. A process begins in our working
 * folder as it was when the anchor was started.
 */
struct anchor {
    pid_t pid; /* 0: there is none */
    int pidfd;
    int namespaces; /* CLONE_NEW...: what there is to enter */
    int proc_error; /* errno, why it has no mount namespace and /proc is the one outside; 0: it has */
    int pids;       /* its PID namespace, to be compared */
    int root, cwd;  /* ours, in its mount namespace */
    int children;   /* /proc/<pid>/task/<pid>/children, open: those that fell to it */
};

int anchor_start(struct anchor *anchor); /* -1 and errno, with nothing left behind */
/*
 * Nobody alive is in it but the init, and `leader`, whom we put there, where it is not 0. Exact when the leader is
 * dead, reaped or not.
 */
bool anchor_is_empty(const struct anchor *anchor, pid_t leader);
/* Ends it and all in it at once; does not wait. Its init can be reaped only when the case has been. */
void anchor_kill(const struct anchor *anchor);
/* Kills, reaps and closes. False: it is still there when `patience` is over, and nothing is known of it any more. */
bool anchor_end(struct anchor *anchor, nanos patience);

#define SPAWN_ISOLATE_NET   1u /* a network with nothing but a loopback, which is up */
#define SPAWN_ISOLATE_FILES 2u /* own /tmp, /dev/shm, System V IPC and message queues */

/* Where a process is put. What is made for it ends with it, or with the last of its tree. */
struct spawn_room {
    const struct anchor *anchor; /* NULL: our PID namespace */
    unsigned isolate;
    /* With SPAWN_ISOLATE_FILES: folders that are its /tmp and /dev/shm, for us to see what is left. NULL: ours. */
    const char *tmp, *shm;
    /* One that stays where it is, though below these: there is a folder for it in `tmp` or `shm`. NULL: none. */
    const char *kept;
    /* Where its IPC namespace is left, open, for us to look into and close. NULL: we do not want to. */
    int *ipc;
};

/*
 * Can it be had here? Found out by doing, in a process that ends at once. False, and why in a sentence; true, and what
 * is missing all the same, or nothing.
 */
bool anchor_probe(struct buf *why);
bool isolate_probe(unsigned isolate, struct buf *why);
/* System V objects in the IPC namespace `ipc`: /proc/sysvipc/{shm,sem,msg} as they look there. -1 and errno. */
int isolate_ipc_look(int ipc, struct buf *out);

/* ---- what becomes of it ---- */

/* id, "cannot ..." */
#define SPAWN_STAGES(X)                               \
    X(SPAWN_STAGE_NONE, "")                           \
    X(SPAWN_STAGE_CLONE, "start a process")           \
    X(SPAWN_STAGE_ENTER, "enter its namespaces")      \
    X(SPAWN_STAGE_ISOLATE, "isolate it")              \
    X(SPAWN_STAGE_JOIN, "enter its control group")    \
    X(SPAWN_STAGE_SESSION, "start a session")         \
    X(SPAWN_STAGE_TERMINAL, "take the terminal")      \
    X(SPAWN_STAGE_STDIO, "redirect standard streams") \
    X(SPAWN_STAGE_PASS, "hand over descriptors")      \
    X(SPAWN_STAGE_CWD, "enter the working directory") \
    X(SPAWN_STAGE_LIMIT, "set a limit")               \
    X(SPAWN_STAGE_SIGNALS, "reset signals")           \
    X(SPAWN_STAGE_EXEC, "execute")                    \
    X(SPAWN_STAGE_ASK, "ask for it")                  \
    X(SPAWN_STAGE_READ, "read what was asked for")    \
    X(SPAWN_STAGE_RUN, "run tests")

enum spawn_stage {
#define X(id, words) id,
    SPAWN_STAGES(X)
#undef X
        SPAWN_STAGE_COUNT
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
/* "execute './unit'" */
void spawn_stage_words(struct buf *out, enum spawn_stage stage, const struct spawn_spec *spec);

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
/* How far one got that is dead before it executed: in what step it died; SPAWN_STAGE_NONE: before the first. */
enum spawn_stage spawn_reached(const struct spawn *spawn);

/*
 * What children leave word of may stand on a board, which servers and we share: so it is known whoever cloned them,
 * and who of them lives. A place for each struct spawn.
 */
struct board;

struct board *board_new(uint32_t places); /* NULL and errno */
void board_free(struct board *board);
int board_fd(const struct board *board);
void spawn_post(struct spawn *spawn, const struct board *board, uint32_t place);

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

/* How a server makes processes. */
enum serving {
    SERVING_NOT,      /* there is no server: `start` it is */
    SERVING_ALONE,    /* one thread, which forks */
    SERVING_THREADED, /* a program with threads, one of which is there to fork */
};

struct backend {
    const char *name, *alias;
    const char *unsupported;        /* why it cannot start a program; NULL: it can */
    const char *unsupported_module; /* the same of a C test */
    enum serving serving;
    bool apart; /* a C test has its module once more, in a namespace of its own and on a thread of its own */
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
enum backend_id backend_id(const struct backend *backend);

/* ---- servers: the runner's side ---- */

/*
 * A server is a process that was started by exec with two descriptors: 3, one end of a socket, and 4, the board. Who
 * asks it for a process goes on, and is told when there is one. The process is a child of ours, not of the server;
 * the board knows its pid from the moment it is there. So when a server dies, nothing is lost but what it had not begun.
 */
#define SERVER_SOCKET 3
#define SERVER_BOARD  4

/* Our end, which does not wait, and its end. -1 and errno. */
int server_socket(int ends[2]);
/* The words that make `host` serve: its first argument. */
const char *server_word(enum serving serving);

/* "LD_LIBRARY_PATH=...": what dynamic linkers, allocators and sanitizers read before there is a program. */
bool spawn_is_for_loading(const char *entry);
/* Everything of `spec` is sent. False: `error` says why; EAGAIN: it has more to do than it can be told of just now. */
bool server_ask(int socket, uint32_t place, const struct spawn_spec *spec, struct spawn_error *error);
/* To be asked when the server has died, or as often as one likes: 0, or who was started at its place of the board. */
pid_t spawn_pid(const struct spawn *spawn);
/* Before asking. It is under way from here on. */
void spawn_expect(struct spawn *spawn);
/* Nobody will come. */
void spawn_give_up(struct spawn *spawn);
/*
 * It is dead; or its server is, and the memory that it runs in until it executes is its own alone. The kernel, which
 * notes that a child has let go of a memory, does not where nobody else has it.
 */
void spawn_let_go(struct spawn *spawn);

enum server_news {
    SERVER_SILENT,
    SERVER_HELLO,
    SERVER_BUSY, /* for `place` it prepares what tests share: `busy_with`, `patience`, and `farewell` when it is to go */
    SERVER_STARTED,  /* who was asked for at `place` is there */
    SERVER_REFUSED,  /* and will not come: `error` */
    SERVER_GONE,     /* it has closed its end */
    SERVER_NONSENSE, /* it is none of ours, or of another version: `version`, 0: not known */
};

#define BUSY_NAME_SIZE 100

struct server_told {
    uint32_t place, version;
    struct spawn_error error;
    nanos patience, farewell;
    char busy_with[BUSY_NAME_SIZE];
    int ipc; /* -1: none; the caller's */
};

/* `pid`: whose messages are believed. */
enum server_news server_hear(int socket, pid_t pid, struct server_told *told);

/* ---- servers: the other side ---- */

#define SERVE_ROOM \
    "RUN_MATRIX_ROOM=" /* a variable of a server, long enough for what tells a case of it from others */

/*
 * What the process of a C test ends with when that has passed, or was skipped; and the word that asks a program for a test
 * so. A process can end with 0 by itself, in a constructor, in a handler of exit, by _exit or as another program: then
 * nobody knows what its test would have come to. With these it does not end by accident.
 */
#define TEST_HAS_PASSED  113
#define TEST_WAS_SKIPPED 114
#define TEST_WORD        "--attempt"

/*
 * What is prepared may take its time: whoever waits is told of each piece of it, before, how long that may take, and how
 * long it may need at the end: times as people write them. NULL: nothing was said.
 */
struct serve_preparing {
    void (*tell)(void *user, const char *name, const char *setup, const char *teardown);
    void *user;
};

struct service {
    int argc; /* of main: where its words stand people will see whose process it is */
    char **argv;
    /*
     * In a process that is ready for it: runs spec->test and gives the status to exit with. NULL: it can start
     * programs only.
     */
    int (*run)(void *user, const struct spawn_spec *spec);
    /*
     * Before a process is forked for spec->test: what it shares with others is to be there. NULL: there is no such thing.
     */
    void (*prepare)(void *user, const struct spawn_spec *spec, const struct serve_preparing *preparing);
    /* Nobody asks any more: what is prepared is given back. Not 0: that went wrong. NULL: there is no such thing. */
    int (*finish)(void *user);
    void *user;
};

/*
 * Of main's first argument: does somebody ask us to serve, or to become something? Then `status` is what to exit with
 * when that is over. Who becomes a program does not return.
 */
bool serve(const struct service *service, int *status);

/* ---- servers of one's own: for somebody who was started, and starts others ---- */

struct own_server;

/*
 * Who serves is a copy of this process as it is now, or a thread of it; what it starts are children of ours. With a thread
 * only while we are a subreaper. `service` and `board` stay. NULL and errno.
 */
struct own_server *own_server_start(enum serving serving, const struct service *service, struct board *board);
/* Waits for the answer: spawn_pid tells who is there. `spawn` is posted at that place. */
bool own_server_ask(struct own_server *own, struct spawn *spawn, uint32_t place,
                    const struct spawn_spec *spec, nanos until, struct spawn_error *error);
bool own_server_is_alive(
    const struct own_server *own); /* else: it is to be stopped, and another one started */
/* NULL: there is nothing to do. Whoever it is making meanwhile is killed. */
void own_server_stop(struct own_server *own);
/* In a child that this process has forked: closes its copies. */
void own_server_forget(struct own_server *own);

#endif
