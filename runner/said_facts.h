/* What the C test of an attempt said: read when it is over, told to the verdict, put on record. */
#ifndef RM_RUNNER_SAID_FACTS_H
#define RM_RUNNER_SAID_FACTS_H

#include "runner/journal/journal.h"
#include "runner/said/said.h"

struct session;
struct slot;

/* NULL: nothing. Read once; its own folder is without it from then on, so that it can be lent again. */
const struct said *said_by(struct slot *slot);
void said_record(struct session *s, struct slot *slot, struct journal_attempt *attempt);

#endif
