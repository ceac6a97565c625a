/*
 * Dumps while a run goes on: of a case whose deadline strikes, or that has to be killed, before the ladder goes on; of
 * one that is slow, or of all that run, when somebody asks. Each is made on a thread of its own, so that neither the loop
 * nor the watchdog waits for it; what it has found out is put into words there too, and the loop writes them as dump.txt and
 * dump.json beside the output of the attempt.
 */
#ifndef RM_RUNNER_DUMPS_H
#define RM_RUNNER_DUMPS_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct buf;
struct dump;
struct journal_attempt;
struct session;
struct slot;

/* id, how its files begin */
#define DUMP_OCCASIONS(X)                                   \
    X(DUMP_STRIKE, "dump") /* a deadline, of whatever */    \
    X(DUMP_LAST, "dump")   /* KILL is next */               \
    X(DUMP_CRASH, "dump")  /* of what has died of itself */ \
    X(DUMP_SLOW, "dump-slow")                               \
    X(DUMP_ASKED, "dump-asked")

enum dump_occasion {
#define X(id, name) id,
    DUMP_OCCASIONS(X)
#undef X
        DUMP_OCCASION_COUNT
};

/* The watch asks us from here on. False and errno. */
bool dumps_open(struct session *s);
/* Every case is over. False: a thread is stuck in the kernel, and what it may still reach for must stay as it is. */
bool dumps_close(struct session *s);

/* ---- for an attempt; on the loop ---- */

/* What somebody else may want to know of it while it runs. Before it is watched. */
void dumps_prepare(struct session *s, struct slot *slot);
/* Nobody waits for it; a line says where it is when it is there. */
void dumps_ask(struct session *s, struct slot *slot, enum dump_occasion occasion);
/*
 * Its process is gone: what the watchdog has had made of it is taken, and what runtimes have said for that is cut out of its
 * output.
 */
void dumps_collect(struct session *s, struct slot *slot);
/* Why there is none of it, though there should be; NULL: there is, or there should not. In the arena of the slot. */
const char *dumps_why_not(struct slot *slot);
/* "recv_exact at proto.c:41": of what the watchdog has had made of it. False: that is not known. */
bool dumps_place(const struct slot *slot, struct buf *out);
/* Beside its output, which has been kept; says in the record where. */
void dumps_keep(struct session *s, struct slot *slot, struct journal_attempt *attempt);
/*
 * The same for a process of a fixture that is over, in a folder of its own: the path in the run's folder, in the arena.
 * NULL: there is none.
 */
const char *dumps_keep_of(struct session *s, uint32_t place, uint32_t generation, const char *name,
                          struct arena *arena);
/* The same for one that somebody else has made, in place of what the watchdog had: of a crash. */
void dumps_put(struct session *s, struct slot *slot, const struct dump *dump);
/* A file in the folder of its output that we have put there while it ran. */
bool dumps_is_ours(const struct slot *slot, const char *name);

/* ---- for the loop ---- */

int dumps_fd(const struct session *s); /* readable when there is something to be heard */
void dumps_heard(struct session *s);
/* Nothing runs any more: waits for those that are being made, no longer than they may take, and tells of them. */
void dumps_settle(struct session *s);
/* Of all that run. */
void dumps_ask_all(struct session *s);

#endif
