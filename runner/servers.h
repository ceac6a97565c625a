/*
 * Servers: processes that make those of cases, for backends that have one. There is one for each way of serving and
 * each program that serves, started when a case first asks for it, and again for the next one after it has died. Each
 * has a place of its own in containment and watch, after those of the fixtures.
 *
 * Who asks goes on; the case waits in a state of its own. A server that does not answer in time is killed by the
 * watchdog, and with its end all is known of those it was asked for: who is on the board is there.
 */
#ifndef RM_RUNNER_SERVERS_H
#define RM_RUNNER_SERVERS_H

#include "runner/harness/harness.h"

struct session;
struct slot;
struct servers;

/* ---- before the run, and after it ---- */

void servers_plan(struct session *s); /* which there may be; NULL where no case has any */
uint32_t servers_places(const struct session *s);
bool servers_open(struct session *s); /* false and errno */
void servers_close(struct session *s);
/* A slot gets another place for its starts: the old one may still be written to. */
bool servers_post(struct session *s, struct slot *slot);

/* ---- for attempts ---- */

/*
 * For the process that the recipe of a slot is of. True: CASE_STARTED, CASE_REFUSED or CASE_STUCK is to come. False:
 * `error` or, where that is none, `setup` of the slot says why not.
 */
bool servers_ask(struct session *s, struct slot *slot, struct spawn_error *error);

/* ---- for the loop ---- */

/* Nobody will ask any more: they are to go. True: one is still there. */
bool servers_end(struct session *s);
void servers_hurry(struct session *s); /* the run is cancelled: answers come soon or not at all */
bool servers_has(const struct session *s, uint32_t place);
/* It has said something. The socket to be watched on; -1: there is none. */
int servers_heard(struct session *s, uint32_t place, uint32_t generation);
/* Its pidfd is readable. That to be watched on; -1: none. */
int servers_reap(struct session *s, uint32_t place, uint32_t generation);
void servers_watch_told(struct session *s, const struct watch_event *event);
void servers_look(struct session *s); /* where the loop is not told */

#endif
