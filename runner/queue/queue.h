/*
 * Which case starts next. No process, no clock.
 *
 * Order: cases that are run again; of the others those that are told to come before the rest; among these the ones never
 * timed in the order added, then the longest first. A case that
 * waits for a lock or for its suite's max-parallel is overtaken. One that waits for places alone is not: all after it
 * in the order wait with it, so a heavy case starts as soon as enough of those that run now have ended. `serial` cases
 * come when nothing else can start and nothing runs, one after another: the run is emptied for them once, not
 * once for each.
 *
 * Picking one costs the same with 10^5 waiting cases as with ten: cases bound by the same rules are of one kind,
 * and a kind that lacks something waits where that is missing until some of it is given back.
 */
#ifndef RM_RUNNER_QUEUE_H
#define RM_RUNNER_QUEUE_H

#include "runner/base/clock.h"
#include "runner/base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct queue;

struct queue_case {
    uint32_t suite, cell;    /* small numbers: both are indices. Cells are counted in each suite */
    uint32_t weight;         /* places it takes; 0 counts as 1, more than there are as all of them */
    bool serial;             /* nothing beside it */
    const struct str *locks; /* words; of all cases with the same word one runs at a time. Copied */
    uint32_t lock_count;
    nanos expected;  /* -1: not known */
    uint32_t before; /* the smaller comes first */
};

struct queue *queue_new(uint32_t places);
void queue_free(struct queue *queue);

/*
 * Of one suite: cells in flight at a time (0: no limit), told before its first case is added. A cell is in flight from
 * its first case's start to the end of its last.
 */
void queue_suite(struct queue *queue, uint32_t suite, uint32_t max_parallel);
/* Cases are numbered in the order they are added. */
void queue_add(struct queue *queue, const struct queue_case *c);

/*
 * One of a soak: it is known from here on, and waits when it is called, as often as that is. Each time it is to be done first;
 * meanwhile its cell may land. Those that were called come in the order in which they were.
 */
void queue_enter(struct queue *queue, const struct queue_case *c);
void queue_call(struct queue *queue, uint32_t number, const struct queue_case *c);

/* The next that may start now; it holds its places and locks from here on. */
bool queue_take(struct queue *queue, uint32_t *number);
/* Each of these is for a case that was taken. */
void queue_done(struct queue *queue, uint32_t number);  /* over for good: gives back what it holds */
void queue_again(struct queue *queue, uint32_t number); /* gives back, and waits again, before all others */
/*
 * It waits for something that is not the queue's: gives back what it holds, and is not handed out before
 * queue_release, from which on it waits as after queue_again. Its cell stays in flight.
 */
void queue_hold(struct queue *queue, uint32_t number);
void queue_release(struct queue *queue, uint32_t number);
/*
 * As queue_hold, and it waits for more: that all others are over, but for those that are on the shelf as it is. Where
 * max-parallel limits the cells of its suite these are the others of its cell, which stays in flight and keeps cells
 * that have not begun from starting; else all of the run.
 */
void queue_shelve(struct queue *queue, uint32_t number);
/* Takes off the shelf, and tells, all for which this is so now: from here on they are held. False: there were none. */
bool queue_unshelve(struct queue *queue, void (*each)(void *user, uint32_t number), void *user);
/*
 * It could not be started for want of something that running cases hold (processes, memory, descriptors): as
 * queue_again, and none is handed out until another one is done. False when none is running that could help: it is
 * for the caller to wait before it takes the next.
 */
bool queue_put_back(struct queue *queue, uint32_t number);
/* What it could not be started for has become free though none is done: the next one may be tried. */
void queue_try_again(struct queue *queue);

/*
 * fail-fast: cells of a suite that are not in flight will not start. Tells each case that is given up, in the order
 * added; the queue must not be touched from there.
 */
void queue_close_cells(struct queue *queue, uint32_t suite, void (*each)(void *user, uint32_t number),
                       void *user);
/* Everything that waits is given up. What runs may still be done, or wait again. */
void queue_close(struct queue *queue, void (*each)(void *user, uint32_t number), void *user);

uint32_t queue_waiting(const struct queue *queue);
uint32_t queue_running(const struct queue *queue);
/*
 * How long the rest will take when what is known holds and all places can be used; -1 when less than half of it
 * is known. `running`: what is left of the cases that run now, added up.
 */
nanos queue_estimate(const struct queue *queue, nanos running);

#endif
