/* One execution of a case: started in a slot, judged when it is over, recorded. Called by the state machine alone. */
#ifndef RM_RUNNER_ATTEMPT_H
#define RM_RUNNER_ATTEMPT_H

#include "backends/backends.h"
#include "runner/life.h"
#include "runner/retries.h"

#include <stdbool.h>
#include <stdint.h>

struct session;
struct slot;

/* Takes a free slot and makes a process there, or finds that there will be none; see attempt_outcome. */
void attempt_start(struct session *s, uint32_t number);
/* Goes on with a start that waited for fixtures. */
void attempt_go(struct session *s, uint32_t number);
/* The fixtures of its own are to go. True: that is waited for. */
bool attempt_clean(struct session *s, uint32_t number);
/* Gives the slot back, untouched: the start is to be tried again. */
void attempt_put_back(struct session *s, uint32_t number);
void attempt_climbed(struct session *s, uint32_t number);
/* Collects facts, judges, keeps the output, writes the record, frees the slot; says whether it is to be run again. */
struct retry attempt_judge(struct session *s, uint32_t number);
/* Will not be run: a record that says why. */
void attempt_drop(struct session *s, uint32_t number);

/* Others hold what is wanting now, and will not for ever: a start that failed so is tried again. */
bool attempt_may_pass(int error);
/* After CASE_ASKED: its process is there, or will not come. `words`: why, where that is none of `error`; NULL. */
void attempt_arrived(struct session *s, struct slot *slot, struct process process);
void attempt_refused(struct session *s, struct slot *slot, struct spawn_error error, const char *words);
/* What became of attempt_start: CASE_STARTED, CASE_ASKED, CASE_REFUSED or CASE_STUCK */
enum case_event attempt_outcome(const struct session *s, uint32_t number);

#endif
