/* What history says of a plan: which of its cases are run, and in what order. --lf, --ff, --nf, --sw. */
#ifndef RM_RUNNER_RECALL_H
#define RM_RUNNER_RECALL_H

#include "runner/front.h"

/*
 * Leaves out cases of the plan, or tests inside them, and puts the others in order, as the options ask; does nothing where none
 * of them is given. What it did stands in `front`.
 */
void recall_choose(struct front *front, struct invocation *in);
/* After so many failures no other case is started; 0: however many. */
int64_t recall_failures_most(const struct options *options);

#endif
