/* How facts become words: what the writers of text and JSON share. Nothing in here looks at the machine. */
#ifndef RM_DIAGNOSE_TELLING_H
#define RM_DIAGNOSE_TELLING_H

#include "runner/base/hash.h"
#include "runner/diagnose/diagnose.h"

#define TELL_NAME_MOST    ((size_t)64)   /* bytes of a name in a line */
#define TELL_PLACE_MOST   ((size_t)120)  /* of a path in a line of the summary */
#define TELL_COMMAND_MOST ((size_t)60)   /* of a command line in a row */
#define TELL_TEXT_MOST    ((size_t)4096) /* of anything else */

struct telling {
    const struct dump *dump;
    struct mask *mask; /* NULL: nothing is hidden */
    struct arena *arena;
    struct buf *out;
    size_t from, most; /* where `out` began, and how much of it may be ours */
    bool cut;          /* it was more */
};

static inline uint64_t hash_number(uint64_t hash, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        hash = hash_byte(hash, (unsigned char)(number >> 8 * i));
    return hash;
}

/* ---- text_words.c: a stranger's words, in one line, masked. What is NULL is "?" ---- */

const char *say_safe(struct telling *t, const char *text, size_t most);
/* A name that could be taken for something else stands between quotes. */
const char *say_quoted(struct telling *t, const char *name, size_t most);
const char *say_name(struct telling *t, const char *name);
const char *say_signals(struct telling *t, uint64_t set); /* "INT TERM"; "none" */
const char *say_span(struct telling *t, nanos span);
const char *say_bytes(struct telling *t, uint64_t bytes);     /* "12.5 MiB" */
const char *say_process(struct telling *t, uint32_t process); /* "4711 kvd" */
const char *say_state(char state);
/* A line of our own; its strings are safe. Dropped, with `cut` set, when there is no room any more. */
void say_line(struct telling *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Each line of a stranger's text behind `prefix`. */
void say_lines(struct telling *t, const char *prefix, struct str text);
/* What may be told of the end of an output. */
struct str tail_text(struct telling *t, const struct dump_tail *tail);

/* ---- text_place.c: which function of theirs it is ---- */

/* Their innermost frame that is not of libc or of what runs a test; NULL: there is none. */
const struct stack_frame *place_of(const struct dump_thread *thread);
/* As they have called it: of a C test, without what run_matrix.h makes of that. */
const char *place_function(const struct stack_frame *frame);
/* What is further out is librunmatrix, which runs a C test. */
bool place_is_caller(const struct stack_frame *frame);
/* One of librunmatrix, which waits to be told whom to fork: it has no place, and hangs on nothing. */
bool place_is_server(const struct dump_thread *thread);
/* What libc was asked for by that: "waits for a mutex"; NULL: nothing we know. */
#define PRIMITIVE_JOIN "joins a thread"
const char *place_primitive(const struct dump_thread *thread);
/* The name of the call that it made; NULL: none is known. */
const char *place_callee(const struct dump_thread *thread);

/* ---- text_runtime.c: the same, in what a runtime has said ---- */

struct runtime_place {
    struct str thread; /* what it calls that; empty: nothing */
    bool main;         /* the first thread of the process, as far as is known */
    struct str function, file;
    uint32_t line;
    struct str waits; /* not empty: it is in no line, but in its event loop, and waits for that */
};
struct runtime_reader {
    enum dump_runtime runtime;
    struct str rest, previous, thread;
    bool wanted, main, task;
    bool library; /* a line of the runtime's own library will do */
};
/* For each thread that it tells of its innermost line that is not of the runtime's own library. */
void runtime_begin(struct runtime_reader *r, const struct dump_process *process);
bool runtime_next(struct runtime_reader *r, struct runtime_place *place);
/* That of the first thread; one of the library only where it has no other. */
bool runtime_place(const struct dump_process *process, struct runtime_place *place);

/* ---- text_does.c: what a thread does, in words ---- */

/* "in lock_b at victim.c:7: waits for a mutex" */
const char *does_thread(struct telling *t, const struct dump_process *p, const struct dump_thread *thread);
const char *does_process(struct telling *t, const struct dump_process *p);
/* The same stands in that beside what it waits for: its command line, not its place. */
bool does_by_command(const struct dump_process *p);
/* Where it is, without what it waits for; NULL: nobody knows. */
const char *does_said(struct telling *t, const struct runtime_place *place);
const char *does_where(struct telling *t, const struct dump_process *p, const struct dump_thread *thread);
/* It waits for somebody to open the other end. */
bool does_open_fifo(const struct dump_thread *thread);
/* What is the same for those that do the same, whatever their numbers are. */
uint64_t does_key(uint64_t hash, const struct dump_process *p, const struct dump_thread *thread);
const struct dump_fd *fd_of(const struct dump_process *p, int number);
const char *fd_article(const struct dump_fd *fd); /* "a pipe" */

/* text_end.c: what it does about a descriptor that somebody waits for the other end of. */
const char *does_at_fd(struct telling *t, const struct dump_process *p, int fd);

/* ---- fold.c: processes and stacks that are alike ---- */

/* Without the id that an actor has behind its name: "worker-1@438c0a10c45139a4". */
struct str fold_role(const char *role);
/* What is the same for worker-1 and worker-2. */
uint64_t fold_name(uint64_t hash, struct str name);

/* A row of the tree: `members` are alike, and so is everybody below them. */
struct fold_row {
    uint32_t depth;
    const uint32_t *members;
    uint32_t count;
};
size_t fold_tree(const struct dump *dump, struct arena *arena, struct fold_row **rows);

struct fold_stack {
    const struct stack_thread *stack;
    const struct dump_thread **threads; /* in the order of the dump */
    uint32_t *processes;                /* whose they are */
    uint32_t count;
};
/* `of` has for each thread of the dump, in its order, which one is its; UINT32_MAX: it has no frames. */
struct fold_stacks {
    struct fold_stack *list;
    uint32_t count;
    uint32_t *of;
};
void fold_stacks(struct fold_stacks *out, const struct dump *dump, struct arena *arena);

/* What it calls itself where others see its arguments ("postgres: checkpointer"), else its name. */
struct str fold_title(const struct dump_process *p);

/* ---- findings.c: what follows from the facts ---- */

/* id, word. The first are told first. */
#define FINDINGS(X)                     \
    X(FINDING_RUNAWAY, "runaway")       \
    X(FINDING_STOPPED, "stopped")       \
    X(FINDING_FULL, "full")             \
    X(FINDING_LOCK, "lock")             \
    X(FINDING_THREADS, "threads")       \
    X(FINDING_READS, "reads")           \
    X(FINDING_REQUEST, "request")       \
    X(FINDING_UNACCEPTED, "unaccepted") \
    X(FINDING_CONNECTS, "connects")     \
    X(FINDING_OPENS, "opens")           \
    X(FINDING_ZOMBIE, "zombie")         \
    X(FINDING_KERNEL, "kernel")         \
    X(FINDING_JOINS, "joins")           \
    X(FINDING_ACCEPTS, "accepts")       \
    X(FINDING_LEAF, "leaf")

enum finding_kind {
#define X(id, word) id,
    FINDINGS(X)
#undef X
        FINDING_KIND_COUNT
};

extern const char *const finding_words[FINDING_KIND_COUNT];

#define FINDING_OTHERS_MOST 3
#define FINDINGS_MOST       512

/* Whom it depends on. */
struct finding_other {
    uint32_t process; /* DUMP_NOBODY: see pid, and name */
    pid_t pid;        /* 0: nobody; the words say so */
    const char *name;
    int fd;            /* -1: none */
    const char *words; /* "can read it (fd 5): in main at root.c:9: waits for a child" */
};

struct finding {
    enum finding_kind kind;
    uint64_t key;        /* those with the same one are told as one */
    uint32_t *processes; /* who */
    pid_t *tids;
    uint32_t count, cap;
    const char *words; /* what, of the first of them */
    struct finding_other others[FINDING_OTHERS_MOST];
    uint32_t other_count, others_more;
};

struct findings {
    struct finding *list;
    uint32_t count;
};
void findings_of(struct telling *t, struct findings *out);
/* For findings_wait.c. A finding with that key, which has `thread` (NULL: the first) of the process now. */
struct finding *finding_add(struct telling *t, struct findings *f, enum finding_kind kind, uint64_t key,
                            uint32_t process, const struct dump_thread *thread);
void finding_other(struct finding *finding, struct finding_other other);
/* findings_wait.c: of one thread that waits at a descriptor. */
void findings_of_wait(struct telling *t, struct findings *f, uint32_t process,
                      const struct dump_thread *thread);

/* ---- summary.c, text*.c ---- */

void summary_write(struct telling *t, const struct findings *findings);
void text_process(struct telling *t, uint32_t process, const struct fold_stacks *stacks,
                  uint32_t first_thread);
void text_fds(struct telling *t, const struct dump_process *p);

/* ---- json_process.c ---- */

void json_text(struct telling *t, struct json_writer *w, const char *text); /* masked; NULL is null */
void json_field(struct telling *t, struct json_writer *w, const char *key, const char *text);
void json_process(struct telling *t, struct json_writer *w, uint32_t process,
                  const struct fold_stacks *stacks, uint32_t first_thread);

#endif
