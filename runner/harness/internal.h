/* The inside of the watchdog. All of it is called under the lock unless it says otherwise. */
#ifndef RM_HARNESS_INTERNAL_H
#define RM_HARNESS_INTERNAL_H

#include "runner/harness/watch.h"

#include <pthread.h>

#define WATCH_GAP            (250 * NS_PER_MS) /* later than this is not the scheduler: the run stood still */
#define WATCH_FLOOD_TICK     (20 * NS_PER_MS)
#define WATCH_POLL_LEAST     (NS_PER_MS / 2) /* doubled every time, */
#define WATCH_POLL_MOST      (20 * NS_PER_MS)
#define WATCH_REAP_TICK      (5 * NS_PER_MS) /* while orphans end */
#define WATCH_OUTER_PATIENCE (300 * NS_PER_MS)
#define WATCH_EXEC_TICK      NS_PER_MS /* while something is to be set when it has executed */
#define WATCH_FLOOD_MORE \
    ((uint64_t)16 << 20) /* what may still come, beyond twice the limit, while it is ended */

enum watch_state {
    WATCH_FREE,
    WATCH_RUNNING,
    WATCH_LINGERING, /* has exited, who is left has its grace */
    WATCH_REMAINING, /* that is over, the loop looks who they are */
    WATCH_DUMPING,   /* a rung is due, and waits for a dump */
    WATCH_CLIMBING,
    WATCH_SETTLING, /* KILL was sent */
    WATCH_OVER,     /* nobody is left, or was abandoned; only to be reaped */
    WATCH_STATE_COUNT
};

struct watch_slot {
    enum watch_state state;
    uint32_t generation;
    struct watched watched;
    nanos next;               /* when to look at it again */
    nanos climb_at;           /* the next rung; of a grace, a dump, or the patience after KILL: its end */
    bool headless;            /* its process has exited and is not reaped, as others of its tree are alive */
    nanos poll;               /* how long until somebody looks again whether they are */
    uint32_t step;            /* of the ladder, that comes next */
    uint32_t pending;         /* events to be told: bits 1 << kind */
    nanos under_way;          /* when it was last seen not to have executed */
    struct said_cursor heard; /* of what it says */
    struct watch_part part;   /* that it is at, as far as it was heard */
    nanos allowed;            /* by its parts, beyond the limits that hold for all */
    uint32_t parts;           /* that have said a limit */
    bool slow_noted;
    bool flooded;               /* being ended, it wrote on: nothing more is waited for */
    struct watch_ending ending; /* filled as things happen */
};

/* A slot whose rung is due, while the lock is let go. */
struct watch_climber {
    uint32_t slot, generation;
};

struct watch {
    struct contain *contain;
    struct watch_dumper dumper; /* begin NULL: there is none */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* there is something to do before `planned` */
    pthread_t thread;
    bool quit;
    int eventfd;
    bool readable; /* the eventfd */

    nanos planned; /* when the thread will wake, on the real clock; WATCH_NEVER: when it is told */
    nanos seen;    /* the real clock when ours was last read */
    nanos away;    /* the real clock less ours */
    bool stopped;
    nanos stopped_at;
    nanos tick_at;        /* when orphans, and who is outside, are to be looked at */
    struct proc_id outer; /* pid 0: nobody */
    nanos outer_since;    /* seen stopped since then; WATCH_NEVER: it is not */
    bool outer_pending;

    nanos session; /* 0: none */
    bool session_over, session_pending;
    int urgency;            /* what a cancel has come to; 0: none */
    enum watch_cause cause; /* of it */
    nanos cap;              /* 0: none */

    uint32_t slot_count, running; /* running: not free */
    struct watch_slot *slots;

    /* The thread's own, also without the lock: of the rungs that are due now. */
    struct watch_climber *climbers;
    struct census census;
};

/* ---- watch_clock.c ---- */

nanos clock_read(struct watch *watch);
void clock_stop(struct watch *watch);
void clock_continue(struct watch *watch);

/* ---- watch_slot.c ---- */

/* Has it executed, and when? `latest` is the latest that it can have been. */
void slot_note_executed(struct watch *watch, struct watch_slot *slot, nanos latest);
void slot_note_failed(struct watch_slot *slot);
bool slot_has_exited(const struct watch_slot *slot);
/* It has, and nobody else of its tree is alive. Not to be asked when it is reaped. */
bool slot_is_empty(const struct watch_slot *slot);
void slot_end(struct watch *watch, struct watch_slot *slot); /* it is over, and the loop is told */
/* The grace of who is left is over: the loop looks who they are, before they are ended. */
void slot_tell_remains(struct watch *watch, struct watch_slot *slot);
/* Its process has exited by itself or on a rung, others have not. */
void slot_lose_head(struct watch *watch, struct watch_slot *slot, nanos now);
void slot_begin(struct watch *watch, struct watch_slot *slot, const struct watched *watched, nanos started);
void slot_check(struct watch *watch, struct watch_slot *slot, nanos now); /* does what is due, but climb */
void slot_schedule(struct watch_slot *slot, nanos now);
void slot_tell(struct watch *watch, struct watch_slot *slot, enum watch_event_kind kind);
/* It is being ended, and has written far more than it may: noted in the slot. */
bool slot_floods(struct watch_slot *slot);
nanos slot_earlier(nanos a, nanos b);
nanos slot_after(nanos from, nanos limit); /* a moment `limit` after `from`; never without a limit */

/* ---- watch_part.c ---- */

/* What it has said meanwhile. */
void slot_listen(const struct watch *watch, struct watch_slot *slot, nanos now);
/* When its call has taken too long; it has executed. */
nanos slot_call_deadline(const struct watch_slot *slot);
void slot_note_part(struct watch_slot *slot, nanos now); /* that deadline strikes: which was it? */
/* Told to end, it tears down what its test has set up: that has a deadline of its own, before the next rung. */
void slot_let_tear_down(const struct watch *watch, struct watch_slot *slot, nanos now);

/* ---- watch_ladder.c ---- */

/* The ladder is to be climbed from where the urgency says; nothing when it is being climbed, or nobody is left. */
void slot_strike(struct watch *watch, struct watch_slot *slot, enum watch_cause cause, nanos now);
/* It is being climbed: not slower than urgency and cap say now. */
void slot_hasten(const struct watch *watch, struct watch_slot *slot, nanos now);
void slot_skip_to_kill(struct watch_slot *slot, nanos now);
void slot_climb(struct watch *watch, struct watch_slot *slot, const struct census *census, nanos now);
void slots_end(struct watch *watch, enum watch_cause cause, int urgency, nanos now);

/* ---- watch_dump.c ---- */

/* A dump has begun, and the ladder waits: the state is WATCH_DUMPING. */
bool slot_dumps_first(struct watch *watch, struct watch_slot *slot, nanos now);
bool slot_dumps_last(struct watch *watch, struct watch_slot *slot, nanos now);
void slot_check_dumping(struct watch *watch, struct watch_slot *slot, nanos now);
/* True: it is waited for still. */
bool slot_hasten_dump(const struct watch *watch, struct watch_slot *slot, nanos now);

/* ---- watch_thread.c ---- */

void *watch_thread(void *watch); /* without the lock */
bool watch_outer_is_stopped(const struct watch *watch);
void watch_wake(struct watch *watch);
void watch_make_readable(struct watch *watch);

#endif
