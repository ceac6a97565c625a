/*
 * Fixtures while a run goes on. There is one instance of a fixture for each value it is to be had with: of a session
 * fixture for each projection on its axes, of a cell fixture for each cell, both "wide" ones; of a case fixture for
 * each attempt of a case. An instance is made when a case that is about to start wants it, and unmade when nobody will
 * want it any more. Its processes run in places of their own, beside the slots.
 */
#ifndef RM_RUNNER_FIXTURE_H
#define RM_RUNNER_FIXTURE_H

#include "runner/harness/harness.h"
#include "runner/recipe/recipe.h"

struct session;
struct slot;
struct fixtures;
struct instance;

/* ---- before the run, and after it ---- */

/* Which there may be. False and diags: what is wrong with one of them. NULL where no case has any. */
bool fixtures_plan(struct session *s);
/* Of one case at a time its own, and those that are shared. */
uint32_t fixtures_own_places(const struct session *s);
uint32_t fixtures_shared_places(const struct session *s);
uint32_t fixtures_places(
    const struct session *s);          /* of containment and watch, that they need after those of the slots */
bool fixtures_open(struct session *s); /* when it is known which cases are to be run */
void fixtures_close(struct session *s); /* none is there any more */

/* ---- for cases: the wide ones ---- */

enum fixtures_answer { FIXTURES_ARE_UP, FIXTURES_ARE_COMING, FIXTURES_HAVE_FAILED };

/*
 * May this case start? When they are up it has them from here on. While they are coming it is to be held in the queue;
 * they release it. When one has failed, `why` says which.
 */
enum fixtures_answer fixtures_ask(struct session *s, uint32_t number, const char **why);
void fixtures_leave(struct session *s, uint32_t number);     /* the case does not have them any more */
void fixtures_case_over(struct session *s, uint32_t number); /* nor will it want them again */

/* ---- for an attempt: its own ---- */

/* While they are coming CASE_PREPARED or CASE_UNPREPARED is to come. When one has failed, `setup` of the slot says so. */
enum fixtures_answer fixtures_prepare(struct session *s, struct slot *slot);
/* False: there is nothing to wait for; else CASE_CLEANED is to come. */
bool fixtures_clean(struct session *s, struct slot *slot);
/* What they wrote is named beside the case's output, or is gone. */
void fixtures_keep(struct session *s, struct slot *slot, bool keep);

/* All that a case has of its fixtures, in the arena of its slot. */
struct from_fixtures fixtures_given(struct session *s, struct slot *slot);
/* What is known of the process in a place; NULL: it is none of theirs. */
const struct dump_subject *fixtures_subject(const struct session *s, uint32_t place);
/* Those of its daemons that run, in the arena of its slot. */
const struct dump_daemon *fixtures_daemons(struct session *s, struct slot *slot, uint32_t *count);
/* A daemon that the case uses has died; in words, NULL: none has. */
const char *fixtures_dead(struct session *s, struct slot *slot);

/* ---- for the loop ---- */

bool fixtures_are_live(const struct session *s); /* there is something of one: the run is not over */
bool fixtures_are_busy(const struct session *s); /* ... that has processes: what appears may be theirs */
nanos fixtures_busy_since(
    const struct session *s); /* when the first of those was begun; WATCH_NEVER: none is busy */
/* The run is to end: what is being prepared is given up. */
void fixtures_give_up(struct session *s);
/* ... sooner: tear-downs that run have less time, and at the second time of asking none. */
void fixtures_hurry(struct session *s);
/* A pidfd of a place after the slots is readable. True: it is to be watched on. */
bool fixtures_reap(struct session *s, uint32_t place, uint32_t generation);
/* It has said something; who has nobody that reads it waits for ever. The socket to be watched on; -1: there is none. */
int fixtures_notified(struct session *s, uint32_t place, uint32_t generation);
void fixtures_watch_told(struct session *s, const struct watch_event *event);
/* What somebody who asks is told of the number-th process, when it makes or undoes something. False: nothing. */
struct progress_running;
bool fixtures_running(struct session *s, uint32_t number, struct progress_running *running, struct buf *line);
void fixtures_look(struct session *s);       /* where the loop is not told of the end of processes */
void fixtures_probe(struct session *s);      /* asks those that are due whether they are up */
bool fixtures_are_moving(struct session *s); /* something will come of them */
nanos fixtures_due(struct session *s);       /* when the next one is; WATCH_NEVER: none */
int fixtures_pidfd(const struct session *s, uint32_t place);

#endif
