/*
 * Where everybody stands: what every thread of every process of a tree is doing, with the evidence around it, taken at
 * one moment and kept as facts; text and JSON are made of the facts afterwards. Looking disturbs nobody, and takes no longer
 * than it was given: what could not be had says why, in its place.
 *
 * All text in here is as the kernel or a stranger has it: whoever prints it makes it harmless, and hides what is masked.
 */
#ifndef RM_DIAGNOSE_DIAGNOSE_H
#define RM_DIAGNOSE_DIAGNOSE_H

#include "runner/base/arena.h"
#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/json.h"
#include "runner/base/layout.h"
#include "runner/base/mask.h"
#include "runner/base/proc.h"
#include "runner/stacks/stacks.h"

/* ---- the facts ---- */

#define DUMP_PROCESSES_MOST 1024u
#define DUMP_THREADS_MOST   4096u /* of all of them */
#define DUMP_FDS_MOST       256u  /* of one process */
#define DUMP_TAIL_MOST      2048u /* bytes of an output */

#define DUMP_NOBODY UINT32_MAX /* an index of a process that is none of the dump's */

/* id, word */
#define DUMP_FD_KINDS(X)            \
    X(DUMP_FD_FILE, "file")         \
    X(DUMP_FD_FOLDER, "folder")     \
    X(DUMP_FD_PIPE, "pipe")         \
    X(DUMP_FD_FIFO, "fifo")         \
    X(DUMP_FD_UNIX, "unix socket")  \
    X(DUMP_FD_TCP, "tcp socket")    \
    X(DUMP_FD_UDP, "udp socket")    \
    X(DUMP_FD_SOCKET, "socket")     \
    X(DUMP_FD_TERMINAL, "terminal") \
    X(DUMP_FD_DEVICE, "device")     \
    X(DUMP_FD_EPOLL, "epoll")       \
    X(DUMP_FD_EVENT, "eventfd")     \
    X(DUMP_FD_TIMER, "timerfd")     \
    X(DUMP_FD_SIGNAL, "signalfd")   \
    X(DUMP_FD_INOTIFY, "inotify")   \
    X(DUMP_FD_PROCESS, "pidfd")     \
    X(DUMP_FD_MEMORY, "memfd")      \
    X(DUMP_FD_OTHER, "other")

enum dump_fd_kind {
#define X(id, word) id,
    DUMP_FD_KINDS(X)
#undef X
        DUMP_FD_KIND_COUNT
};

extern const char *const dump_fd_words[DUMP_FD_KIND_COUNT];

/* Somebody who has the same pipe, or the other end of a connection. */
struct dump_end {
    uint32_t process; /* index; DUMP_NOBODY: none of the dump's, see pid */
    pid_t pid;
    const char *name; /* of the process */
    int fd;
    bool reads, writes;
};

struct dump_fd {
    int number;
    enum dump_fd_kind kind;
    const char *target; /* "/var/log/x", "pipe:[4711]", "socket:[4712]", as readlink has it */
    uint64_t inode;
    bool reads, writes, waits; /* how it was opened; waits: not O_NONBLOCK */
    bool is_output;            /* of the run's: standard output or error, as it was captured */
    int64_t position;          /* of a file; -1: none */
    int64_t filled, room;      /* bytes in a pipe and what it holds; -1: not known */
    /* sockets */
    const char *state;        /* "LISTEN", "ESTABLISHED", "CLOSE_WAIT"; NULL: none */
    const char *local, *peer; /* addresses, or paths; NULL: none */
    uint64_t peer_inode;      /* of a unix socket; 0: not known */
    int64_t receive_queue,
        send_queue; /* bytes, of a listener: connections that wait, and how many may; -1: not known */
    const char *
        detail; /* what else fdinfo says: the descriptors an epoll watches, the pid of a pidfd; NULL: nothing */
    /*
     * Of a pipe: everybody who has it, this descriptor among them, as all of one pipe share the list. Of a socket: who has its
     * other end; of one that was not accepted yet, who listens. NULL: nobody, or not known.
     */
    const struct dump_end *ends;
    uint32_t end_count;
    bool ends_known; /* everybody was looked at whom we may look at: who is not in `ends` has it not */
};

/* id, word: what a thread waits for, as its system call says. */
#define DUMP_WAITS(X)                                                       \
    X(DUMP_WAITS_NOT, "")                    /* it runs, or nobody knows */ \
    X(DUMP_WAITS_READ, "reads")              /* fd */                       \
    X(DUMP_WAITS_WRITE, "writes")            /* fd */                       \
    X(DUMP_WAITS_ACCEPT, "accepts")          /* fd */                       \
    X(DUMP_WAITS_CONNECT, "connects")        /* fd */                       \
    X(DUMP_WAITS_POLL, "polls")              /* fds */                      \
    X(DUMP_WAITS_FUTEX, "waits at a futex")  /* address */                  \
    X(DUMP_WAITS_CHILD, "waits for a child") /* pid; 0: any */              \
    X(DUMP_WAITS_LOCK, "waits for a lock")   /* fd */                       \
    X(DUMP_WAITS_SLEEP, "sleeps")                                           \
    X(DUMP_WAITS_SIGNAL, "waits for a signal")                              \
    X(DUMP_WAITS_OTHER, "is in the kernel")

enum dump_wait {
#define X(id, word) id,
    DUMP_WAITS(X)
#undef X
        DUMP_WAIT_COUNT
};

extern const char *const dump_wait_words[DUMP_WAIT_COUNT];

struct dump_call {
    int number;       /* -1: in no call, or not known */
    const char *name; /* "futex"; NULL: of a number we do not know */
    uint64_t args[6];
    enum dump_wait wait;
    int fds[64]; /* that it waits at; of poll and select all, of epoll_wait those it watches */
    uint32_t fd_count;
    uint64_t address; /* of a futex */
    pid_t pid;        /* that it waits for; 0: any */
    double seconds;   /* that it sleeps for; 0: not known */
    const char *path; /* that it speaks of; NULL: none, or not known */
    bool is_open, wants_readers,
        wants_writers; /* it opens that, for what needs somebody at the other end of a fifo */
    const char *words; /* "read(5 pipe:[4711], 0x7f.., 4096)", "futex(0x7f.., FUTEX_WAIT, 2)" */
};

struct dump_thread {
    pid_t tid;
    const char *name;
    char state;        /* R S D T t Z X */
    const char *wchan; /* NULL: none is told */
    struct dump_call call;
    uint64_t blocked, pending;        /* signal n is bit n - 1 */
    double share;                     /* of one processor, measured between two looks */
    const struct stack_thread *stack; /* NULL: none was taken */
};

struct dump_lock {
    const char *kind; /* "FLOCK", "POSIX", "OFDLCK", "LEASE" */
    bool writes;      /* exclusive */
    bool waits;       /* for another one, which is `holder`'s */
    const char *path; /* NULL: nobody of the dump has the file open */
    uint64_t inode;
    uint64_t from, to; /* UINT64_MAX: to its end */
    pid_t holder;      /* 0: not known, or it does not wait */
    uint32_t process;  /* index of the holder; DUMP_NOBODY */
};

/* id, word: as a user spells them */
#define DUMP_RUNTIMES(X)        \
    X(RUNTIME_NONE, "none")     \
    X(RUNTIME_PYTHON, "python") \
    X(RUNTIME_GO, "go")         \
    X(RUNTIME_JVM, "jvm")       \
    X(RUNTIME_NODE, "node")

enum dump_runtime {
#define X(id, word) id,
    DUMP_RUNTIMES(X)
#undef X
        RUNTIME_COUNT
};

extern const char *const dump_runtime_words[RUNTIME_COUNT];

struct dump_tail {
    const char *name; /* "stdout", "worker-1.out" */
    const char *path; /* where all of it is, or will be; NULL: nowhere */
    struct str text;  /* the end of it */
    uint64_t size;    /* of all of it */
};

struct dump_limit {
    const char *name; /* "open files" */
    const char *soft; /* "1024", "unlimited" */
    const char *used; /* NULL: not known */
};

struct dump_process {
    struct proc_id id;
    pid_t ppid, pgrp, session, tracer; /* tracer 0: none */
    uint32_t uid;
    uint32_t parent; /* index; DUMP_NOBODY */
    uint32_t depth;
    char state;
    bool terminal;                      /* it has one */
    bool frozen;                        /* with its control group */
    bool memory_held;                   /* whoever asks for what lies in it waits without end */
    const char *role;                   /* "case", "fixture kvd", an actor's name; NULL: none is known */
    const char *name;                   /* comm */
    const char *command;                /* as one would type it; NULL: none */
    const char *program, *cwd, *cgroup; /* NULL: not readable */
    nanos age;
    double share;                          /* of one processor, measured between two looks */
    bool runaway;                          /* it computes and never sleeps */
    uint64_t user_ms, system_ms, resident; /* bytes */
    uint64_t pending, ignored, caught;     /* of the process */
    const struct dump_thread *threads;
    uint32_t thread_count, threads_more;
    const struct dump_fd *fds;
    uint32_t fd_count, fds_more;
    const struct dump_lock *locks;
    uint32_t lock_count;
    const struct dump_limit *limits; /* those that are near, or that were set */
    uint32_t limit_count;
    const char *why_no_stacks; /* NULL: see the threads */
    enum dump_runtime runtime;
    bool runtime_guessed;        /* it may be none, or have a use of its own for the signal */
    const char *runtime_says;    /* its own words; NULL: see runtime_why_not */
    const char *runtime_why_not; /* NULL: it was not asked, as it is none, or it has answered */
    const char *unread;          /* what of this could not be read, and why; NULL: all could */
};

struct dump {
    const char *title;   /* "proto::reconnect@backend=exec, attempt 1"; "process 4711 and what is below it" */
    const char *reason;  /* "its deadline of 60 s has passed, in its call" */
    const char *machine; /* kernel, processors, load; one line */
    nanos at;            /* wall clock */
    nanos took, stood_still;
    struct dump_process *processes; /* a parent before its children, siblings as they were started */
    uint32_t process_count, processes_more;
    const struct dump_tail *tails;
    uint32_t tail_count;
    const char *why_no_stacks; /* of anybody; NULL */
    const char *const *notes;  /* what was not looked at, or did not work, in words */
    uint32_t note_count;
};

/* ---- taking one ---- */

struct dump_member {
    struct proc_id id;
    const char *role; /* NULL */
};

struct dump_output {
    const char *name, *path; /* as in dump_tail */
    int fd;                  /* a regular file, read by pread; not owned */
};

struct dump_runtime_choice {
    const char *image; /* basename of the program, a glob */
    enum dump_runtime runtime;
};

struct dump_wants {
    const char *title, *reason;
    const struct dump_member *members;
    size_t member_count;
    const struct dump_output
        *outputs; /* the run's, and the actors'. Answers of runtimes are looked for in the first two */
    size_t output_count;
    const char *stacks;        /* run-matrix-stacks; NULL: no native stacks */
    const char *why_no_stacks; /* of anybody, for none are to be taken; NULL: they are */
    nanos budget;              /* for all of it; what asks runtimes gets what is left */
    bool may_end;              /* a runtime may be asked in a way that ends it: it is at its end anyway */
    bool may_guess; /* the same of one that may be none, and goes on with a signal that it was not told of */
    bool ask_runtimes;
    const struct dump_runtime_choice *choices;
    size_t choice_count;
    bool (*freeze)(void *user, bool on); /* as in stacks_wants */
    bool (*is_over)(void *user);         /* asked between steps: the rest is left out. NULL: it never is */
    /*
     * Has those of the list tell of their stacks themselves, who can; the others, and all where it is NULL, are stopped and
     * copied. Nothing is frozen meanwhile.
     */
    void (*inside)(void *user, struct stacks *out, struct arena *arena, const struct proc_id *list,
                   size_t count, const struct stacks_wants *how);
    void *user;
};

/*
 * On a thread that may wait; in a process that may trace them. The facts are in `arena`, also those that `wants` had.
 * What runtimes wrote into outputs is told in `answers`, so that it can be cut out of them: may be NULL.
 */
struct dump_answer {
    size_t output; /* index among the outputs */
    uint64_t from, to;
    enum dump_runtime
        late; /* not NONE: it is not all there yet, and looked for from `from` on when it is cut */
};
struct dump_answers {
    struct dump_answer list[32];
    uint32_t count;
};
void dump_take(struct dump *dump, struct arena *arena, const struct dump_wants *wants,
               struct dump_answers *answers);
/*
 * Cuts what there is of answers out of a file that is the output of this index, when nobody writes to it any more. 0, or -1
 * and errno: then some of them are still in it.
 */
int dump_answers_cut(int fd, const struct dump_answers *answers, size_t output);

/* False: whoever asks for what lies in its memory, arguments, environment or maps, would wait for who knows how long. */
bool dump_memory_answers(pid_t pid);

/* The processes below `root`, and itself, as members; those a tree has lost to init are found by session and group. */
size_t dump_members_below(struct arena *arena, struct proc_id root, struct dump_member **members);

/* ---- telling ---- */

#define DUMP_TEXT_MOST ((size_t)4 << 20) /* what is longer is cut, and says so */

/* One screen, lines without control characters; `colour` never: it is read from files as well. */
void dump_write_summary(const struct dump *dump, struct mask *mask, struct buf *out);
/* The summary, an empty line, then DUMP_DETAIL_LINE, then all of it. */
#define DUMP_DETAIL_LINE LAYOUT_DUMP_CUT
void dump_write_text(const struct dump *dump, struct mask *mask, struct buf *out);
/*
 * "recv_exact at proto.c:41": where whoever was started last stands, of those whose place is known. False: nobody's is.
 */
bool dump_place(const struct dump *dump, struct buf *out);
/* As docs/dump.schema.json has it; one line. */
void dump_write_json(const struct dump *dump, struct mask *mask, struct buf *out);

#endif
