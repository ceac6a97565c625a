/*
 * -w: a run, and another one whenever files change. Who watches runs nothing himself: each run is a process of his, so a
 * hundred of them leave nothing behind in him, and each has a number, a guard and a journal of its own.
 */
#ifndef RM_RUNNER_AGAIN_H
#define RM_RUNNER_AGAIN_H

#include "runner/command.h"

typedef enum exit_code again_round(struct invocation *in);

/* Returns once in each process that is made for a round, with what the round came to, and in the end in ours. */
enum exit_code again_run(struct invocation *in, again_round *round);

#endif
