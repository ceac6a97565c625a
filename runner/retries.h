/*
 * Cases that have failed and are to be run again: after which failures, and when. Whoever waits for that holds no slot,
 * no place in the queue and no lock; its cell stays in flight, and so do the fixtures of cell and session that it uses.
 */
#ifndef RM_RUNNER_RETRIES_H
#define RM_RUNNER_RETRIES_H

#include "runner/base/clock.h"
#include "runner/base/heap.h"
#include "runner/journal/journal.h"

struct session;
struct slot;

/* What comes after an attempt. */
struct retry {
    bool again;
    bool at_end; /* when all others are over */
    nanos wait;  /* and not before that; 0: none */
};

/* One that waits for its time. */
struct resting {
    struct heap_node
        node; /* late: when it is due, on the watch's clock, which stands still while the run does */
    uint32_t number;
    struct resting *unused; /* the next that can be had again */
};

struct retries {
    struct heap waiting;
    struct resting *unused;
    uint64_t turn;
    uint32_t resting; /* cases that wait to be run again */
};

/* Of the attempt in this slot, which came to `verdict`. None follows when the run is to end, nor after -x or --maxfail. */
struct retry retries_after(const struct session *s, const struct slot *slot, enum verdict verdict);

/* It was taken from the queue, and rests as `retry` says. False: it waits in the queue, to be run next. */
bool retries_rest(struct session *s, uint32_t number, struct retry retry);
void retries_rested(struct session *s, uint32_t number);  /* back to the queue */
void retries_dropped(struct session *s, uint32_t number); /* it will not be run; it is out of the queue */

/* Those whose time, or whose end, has come are told CASE_DUE; false: none was. */
bool retries_wake(struct session *s);
nanos retries_due(const struct session *s); /* the moment of the next, on the watch's clock; WATCH_NEVER */

#endif
