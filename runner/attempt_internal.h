/* What the beginning and the end of an attempt share. */
#ifndef RM_RUNNER_ATTEMPT_INTERNAL_H
#define RM_RUNNER_ATTEMPT_INTERNAL_H

#include "runner/attempt.h"
#include "runner/session.h"

struct slot *attempt_slot(const struct session *s, uint32_t number); /* while it has one */
uint32_t attempt_number(const struct session *s, uint32_t number);   /* from 1 */
void attempt_record_start(struct session *s, const struct slot *slot);
void attempt_give_slot(struct session *s, struct slot *slot);

#endif
