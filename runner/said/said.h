/*
 * What a C test says to us while it runs: whole lines of JSON, appended to a file of its private folder by any process
 * that is linked with librunmatrix (fixtures/said.c writes it). A test may write there whatever it likes, and put there
 * whatever it likes: nothing but a regular file is read, no more than a bounded piece of it, and no open waits. What is
 * no line of ours is passed over.
 */
#ifndef RM_RUNNER_SAID_SAID_H
#define RM_RUNNER_SAID_SAID_H

#include "runner/base/arena.h"
#include "runner/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define SAID_NAME      ".said"
#define SAID_LINE_MOST ((size_t)4096) /* longer ones are none of ours */
#define SAID_READ_MOST ((size_t)256 << 10)
#define SAID_KEPT_MOST 12 /* lines that are handed on; the others are counted */

#define SAID_KINDS(X)                                                                  \
    X(SAID_FAILURE, "failure")                                                         \
    X(SAID_ERROR, "error") /* the same in the set-up or tear-down of a fixture */      \
    X(SAID_SKIP, "skip")                                                               \
    X(SAID_UNSUPPORTED, "unsupported") /* a skip, for it cannot be run in this cell */ \
    X(SAID_NOTE, "note")                                                               \
    X(SAID_CRASH, "crash") /* its last words: which signal, and where it was sent */   \
    X(SAID_PHASE, "phase")

enum said_kind {
#define X(id, word) id,
    SAID_KINDS(X)
#undef X
        SAID_KIND_COUNT
};

extern const char *const said_kind_words[SAID_KIND_COUNT];

#define SAID_PHASES(X)     \
    X(SAID_NO_PHASE, "")   \
    X(SAID_SETUP, "setup") \
    X(SAID_CALL, "call")   \
    X(SAID_TEARDOWN, "teardown")

enum said_phase {
#define X(id, word) id,
    SAID_PHASES(X)
#undef X
        SAID_PHASE_COUNT
};

extern const char *const said_phase_words[SAID_PHASE_COUNT];

struct said_line {
    enum said_kind kind;
    struct str file; /* empty: not known */
    uint32_t line;
    struct str words; /* one or several lines; may be anything */
    int64_t pid;      /* 0: not known */
};

/* All that is known when a test is over. Texts are the arena's. */
struct said {
    struct said_line kept[SAID_KEPT_MOST]; /* failures, errors and notes, in order */
    uint32_t kept_count;
    uint64_t failures, errors, more; /* all there were; more: those that are not kept */
    struct said_line failure, error; /* the first of each, where there are any */
    struct said_line crash;          /* of the last who has said so; no words: nobody has */
    struct str skip;                 /* the last reason; empty: none was given */
    bool unsupported;                /* that is why it cannot be run in its cell at all */
    /* When the first of each began, CLOCK_MONOTONIC as the test said it; 0: it did not. */
    nanos began[SAID_PHASE_COUNT];
};

/* False: there is nothing. `folder` is open. */
bool said_read(int folder, struct arena *arena, struct said *said);
/* The same of what stands there already. */
void said_parse(struct str text, struct arena *arena, struct said *said);
/* It is gone before another test begins there. */
void said_forget(int folder);

/* ---- while it runs ---- */

#define SAID_OF_MOST 48

/* What it is at. */
struct said_part {
    enum said_phase phase;
    char of[SAID_OF_MOST]; /* the fixture; empty: the test itself. Cut where it is longer */
    nanos at;              /* CLOCK_MONOTONIC, as it says */
    nanos timeout;         /* -1: it says none */
};

/* How much of the file has been read. All zero: nothing. */
struct said_cursor {
    int64_t at;
};

typedef void said_each_part(void *user, const struct said_part *part);
/* The phases that were begun since. At most SAID_FOLLOW_MOST bytes are read, the last of them. */
void said_follow(int folder, struct said_cursor *cursor, said_each_part *each, void *user);

#define SAID_FOLLOW_MOST ((size_t)32 << 10)

#endif
