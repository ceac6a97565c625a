/*
 * What a run has on this machine beyond its own memory: processes, control groups, folders. Who looks after
 * it when the runner is dead, and what is on record for those.
 */
#ifndef RM_RUNNER_ESTATE_H
#define RM_RUNNER_ESTATE_H

#include <stdbool.h>

struct session;

/* What dead runs of the same store have left is ended and removed; each thing is told. */
void estate_reap_others(struct session *s);
/* The same for a run that is resumed, before its journal is opened. */
void estate_reap_own(struct session *s);
/* From here on we are the runner, below a guard, with a keeper beside it. Single-threaded until then. */
bool estate_guard(struct session *s);
/* On record: before the first process is started. */
bool estate_hold(struct session *s);
/*
 * All is given back, and off the record but when somebody is still there; the guard and the keeper are told.
 * May be called when little was opened.
 */
void estate_let_go(struct session *s);

#endif
