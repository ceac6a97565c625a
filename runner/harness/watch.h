/*
 * The watchdog: a thread that owns every deadline and climbs every ladder, so that both go on when the loop
 * stands still. Each slot of the run has a place here: generation, process and deadlines under one mutex;
 * nothing is signalled or closed but under it, so no number that belongs to somebody else by now can be hit.
 *
 * Its clock stands still while the run is stopped (Ctrl-Z, SIGSTOP, a frozen container): while something runs
 * the thread looks every WATCH_TICK, and what it comes too late by is taken out of the clock. So no deadline
 * has to be moved.
 *
 * watch_reap is for the thread that started the process: no other can reap it.
 */
#ifndef RM_HARNESS_WATCH_H
#define RM_HARNESS_WATCH_H

#include "backends/backends.h"
#include "runner/base/ladder.h"
#include "runner/harness/contain.h"
#include "runner/said/said.h"

#include <signal.h>
#include <sys/resource.h>

#define WATCH_NEVER  INT64_MAX
#define WATCH_TICK   (100 * NS_PER_MS)
#define WATCH_GRACE  (2 * NS_PER_S) /* after a step that says no wait */
#define WATCH_SETTLE (5 * NS_PER_S) /* after KILL, unless it says a wait: what is there then is abandoned */

/* The parts of an attempt that are timed apart. */
#define WATCH_PHASES(X)      \
    X(WATCH_SETUP, "set-up") \
    X(WATCH_CALL, "call")    \
    X(WATCH_TEARDOWN, "tear-down")

enum watch_phase {
#define X(id, words) id,
    WATCH_PHASES(X)
#undef X
        WATCH_PHASE_COUNT
};

/* Why a ladder is climbed. */
#define WATCH_CAUSES(X)                                        \
    X(WATCH_NO_CAUSE, "")         /* it ended by itself */     \
    X(WATCH_DEADLINE, "deadline") /* of the phase it was in */ \
    X(WATCH_FLOOD, "output limit")                             \
    X(WATCH_SESSION, "session deadline")                       \
    X(WATCH_CANCEL, "cancelled")                               \
    X(WATCH_FIXTURE, "a fixture of it died")                   \
    X(WATCH_UNWANTED, "not needed any more")                   \
    X(WATCH_REMAINS, "left processes behind") /* it ended by itself, others of its tree did not */

enum watch_cause {
#define X(id, words) id,
    WATCH_CAUSES(X)
#undef X
        WATCH_CAUSE_COUNT
};

extern const char *const watch_phase_words[WATCH_PHASE_COUNT];
extern const char *const watch_cause_words[WATCH_CAUSE_COUNT];

/* What is watched, set by the caller once the process is there. */
struct watched {
    struct process process;          /* the watch owns the pidfd from here on */
    struct spawn *spawn;             /* it is in set-up until this says that it has executed; NULL: it has */
    nanos limits[WATCH_PHASE_COUNT]; /* 0: none */
    nanos slow;                      /* 0: none */
    const struct ladder *ladder;     /* must outlive the attempt; without a KILL, one is added */
    struct contain_place *place;
    nanos leak_grace; /* for who is left when the process has ended by itself; WATCH_NEVER: they may stay */
    unsigned dumps;   /* WATCH_DUMP_...: when a dump is to be made of it, if anybody makes any */
    bool aside;       /* others use it: a cancel, and the end of the session, are not for it */
    bool says;  /* it tells what it is at, in `folder`: then its call is timed part by part, see watch_part */
    int folder; /* of its own, not owned */
    uint64_t output_limit; /* 0: none. Looked at on ticks: who is quicker has to be found at its end */
    int outputs[3];        /* regular files whose sizes count together, not owned; -1: none */
    int run;               /* where the next one begins, not owned */
    const char *beside;    /* a folder, whose files count as well, where it is there; NULL: none */
};

/*
 * What a C test has fixtures for, set-up, call and tear-down, each has the whole of the deadline for itself, or one that
 * it says. All of it together may take WATCH_PARTS_LIMITS deadlines, and what the parts have said; of these no more
 * than WATCH_PARTS_MOST count, and of each no more than WATCH_PART_MOST: so who says what is not so gains little.
 */
struct watch_part {
    enum said_phase phase; /* SAID_NO_PHASE: it has not said any */
    char of[SAID_OF_MOST];
    nanos began; /* on the watch's clock: not before what came before it, and never to come */
    nanos limit; /* 0: none */
    bool own;    /* it has said that itself */
    bool all;    /* struck by the limit of all together */
};

#define WATCH_PARTS_LIMITS 3
#define WATCH_PARTS_MOST   16
#define WATCH_PART_MOST    (60 * 60 * NS_PER_S)

#define WATCH_RUNGS_MOST (LADDER_STEPS_MOST + 1)

/*
 * Before the first rung, when a deadline has struck; and before KILL, where there was none until then. The ladder
 * waits for it, no longer than its budget, and so does the last word on what has ended meanwhile.
 */
#define WATCH_DUMP_STRIKE      1u
#define WATCH_DUMP_KILL        2u
#define WATCH_DUMP_BUDGET      (3 * NS_PER_S)
#define WATCH_DUMP_LAST_BUDGET (500 * NS_PER_MS) /* before KILL, and of a run that is cancelled */

enum watch_dump_news {
    WATCH_NO_DUMP,
    WATCH_DUMP_UNDER_WAY,
    WATCH_DUMP_MADE,
    WATCH_DUMP_LATE,    /* its budget was over: the ladder was climbed without it */
    WATCH_DUMP_HURRIED, /* somebody who cancels was in a hurry */
    WATCH_DUMP_FLOODED, /* it wrote so much meanwhile that it could not be waited for */
    WATCH_DUMP_REFUSED, /* by who makes them */
};

struct watch_rung {
    int signal;
    enum ladder_target target;
    nanos at;        /* since the process was started */
    char alive[256]; /* who was alive just before, see census_words */
};

/* What is known of an attempt when its process is gone. */
struct watch_ending {
    char threads[640]; /* of its process, before the first rung: see census_threads */
    bool lost;         /* somebody else reaped it: its status is not known */
    bool remained;     /* others of its tree were alive after it, and after their grace; they were ended */
    bool undead;       /* ... and some of them were not, not even by KILL */
    bool abandoned;    /* not even KILL ended it; it is left where it is, and so must its spawn place be */
    int status;        /* exit status, -1: ended by a signal, or not known */
    int signal;        /* 0: none */
    bool core;
    enum watch_cause cause; /* none without a rung: it ended by itself just then */
    enum watch_phase phase; /* in which it was last, or the cause struck */
    struct watch_part part; /* of its call, the same */
    enum watch_dump_news dump;
    enum spawn_phase spawned;
    struct spawn_error error;       /* SPAWN_FAILED */
    nanos started, executed, ended; /* on the watch's clock; executed 0: never; ended: when that was seen */
    struct rusage usage;
    uint32_t rung_count;
    struct watch_rung rungs[WATCH_RUNGS_MOST];
};

/* What the loop is told; each at most once an attempt, and no more when the attempt is over. */
enum watch_event_kind {
    WATCH_TELLS_SLOW,
    WATCH_TELLS_ENDING, /* its first rung */
    WATCH_TELLS_REMAINS, /* the grace of who was left is over: watch_members, then watch_end with WATCH_REMAINS */
    WATCH_TELLS_OVER,    /* nobody is left, or none that could be ended: watch_reap */
    WATCH_TELLS_SESSION, /* of no slot: nothing may start any more */
    WATCH_TELLS_STOPPED, /* of no slot: whom watch_outer names is stopped */
};

struct watch_event {
    enum watch_event_kind kind;
    uint32_t slot, generation; /* WATCH_NO_SLOT and 0 for those of no slot */
    enum watch_cause cause;
};

#define WATCH_NO_SLOT UINT32_MAX

struct watch;

/* Starts the thread, with all signals blocked. `contain` has as many places, and must outlive it. NULL and errno. */
struct watch *watch_new(struct contain *contain, uint32_t slots);
struct watch_dump_wish {
    uint32_t slot, generation;
    enum watch_cause cause;
    enum watch_phase phase;
    struct watch_part part;
    bool last; /* KILL comes next */
    nanos budget;
};

/*
 * Who makes dumps. It is asked under the lock of the watch, on its thread or the loop's, and must not wait: it has
 * somebody else do it, who calls watch_dumped when it is done. What the loop has written of an attempt before
 * watch_begin may be read there. False: there will be none.
 */
struct watch_dumper {
    void *user;
    bool (*begin)(void *user, const struct watch_dump_wish *wish);
};
/* Before the first attempt. */
void watch_dumps(struct watch *watch, const struct watch_dumper *dumper);
void watch_dumped(struct watch *watch, uint32_t slot, uint32_t generation);
/* Who is alive of that attempt; false: it is over. On any thread. */
bool watch_members_of(struct watch *watch, uint32_t slot, uint32_t generation, struct census *members);
/*
 * Stops all of it at once, where that can be done, and waits a moment until all stand still. False: it was not done. Who is
 * killed, or reaped, need not be thawed. On any thread.
 */
bool watch_freeze(struct watch *watch, uint32_t slot, uint32_t generation, bool on);
/* The longest that dumps of these kinds keep a ladder waiting. */
nanos watch_dump_bound(unsigned dumps, nanos cap);

/* Every slot must be over. Joins the thread. */
void watch_free(struct watch *watch);

nanos watch_now(struct watch *watch); /* the clock that stands still while the run is stopped */
/* An eventfd: readable when there may be an event, until watch_next answers false. */
int watch_fd(const struct watch *watch);
bool watch_next(struct watch *watch, struct watch_event *event);

/*
 * Begins an attempt in a free slot; returns the slot's new generation. `started` is the watch's time just before the
 * clone. After a cancel or the end of the session its ladder is climbed at once.
 */
uint32_t watch_begin(struct watch *watch, uint32_t slot, const struct watched *watched, nanos started);
/*
 * The process that people take for all of us. Somebody who stops that one alone means us as well, and nobody
 * tells us: so it is looked at on every tick; and again when the event is taken, since he may have been
 * continued meanwhile.
 */
void watch_outer(struct watch *watch, struct proc_id outer); /* pid 0: nobody any more */
/* When the session ends all, on the watch's clock; 0: never. */
void watch_session(struct watch *watch, nanos deadline);

/*
 * Climb the ladder of one slot, from its first step; nothing when it is being climbed already. What has not
 * executed yet has no user's code to be asked, and all signals blocked: it goes straight to KILL, whatever
 * the cause. Of what has ended by itself others may be left: their grace is over, and WATCH_TELLS_REMAINS
 * comes before they are ended.
 */
void watch_end(struct watch *watch, uint32_t slot, enum watch_cause cause);
/*
 * The same for all, as somebody who presses Ctrl-C: 1 begins, 2 skips to TERM (without one: past INT), 3 to KILL. It
 * never goes back. With `cap` > 0 no wait is longer than that from now on, and half of it for all but the first step: a
 * CI service gives only so much time.
 */
void watch_cancel(struct watch *watch, int urgency, nanos cap);
/* The longest that it takes from the first step of a ladder to being abandoned, waits that it does not say included. */
nanos watch_bound(const struct ladder *ladder, nanos cap);
/* Its call may take so much longer from here on; 0: as long as it likes. */
void watch_limit(struct watch *watch, uint32_t slot, nanos more);
/* How a process has ended whose tree goes on: WATCH_REMAIN. False: it has not, or nobody knows. */
bool watch_peek(struct watch *watch, uint32_t slot, int *status, int *signal);
/* Passes a stop or a continue on to every case. The clock stands still in between. */
void watch_stop(struct watch *watch);
void watch_continue(struct watch *watch);

enum watch_news {
    WATCH_GOES_ON, /* the process is there */
    WATCH_REMAIN, /* it has exited, and others of its tree have not: WATCH_TELLS_OVER comes when all is over */
    WATCH_IS_OVER, /* all of it; `ending` is filled, and the slot free for the next generation */
};

/*
 * The pidfd was readable, or the watch told that it is over: looks who is left, reaps, closes.
 *
 * An epoll goes on telling of a closed pidfd as long as a child that has not executed yet holds a copy: take it out
 * first, or have it told once only (EPOLLONESHOT).
 */
enum watch_news watch_reap(struct watch *watch, uint32_t slot, struct watch_ending *ending);
/* Who is alive of a slot's tree now. */
void watch_members(struct watch *watch, uint32_t slot, struct census *members);

/* What somebody who asks is told of a running slot. */
struct watch_view {
    uint32_t generation;
    nanos running; /* since it was executed, or started */
    enum watch_phase phase;
    enum watch_cause cause;
    uint32_t rungs;
};
bool watch_look(struct watch *watch, uint32_t slot, struct watch_view *view); /* false: nothing runs there */

#endif
