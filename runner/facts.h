/* From what a slot knows of its attempt to facts, and from them to the record. */
#ifndef RM_RUNNER_FACTS_H
#define RM_RUNNER_FACTS_H

#include "runner/verdict.h"

struct session;
struct slot;

void facts_judge(struct session *s, struct slot *slot, struct judgement *judgement);
/* All but verdict and outputs. Texts are in the slot's arena or the judgement. */
void facts_record(struct session *s, struct slot *slot, const struct judgement *judgement,
                  struct journal_attempt *attempt);

#endif
