/* `show [ID]`: the last output and the facts of cases of a run. */
#ifndef RM_RUNNER_SHOW_RUN_H
#define RM_RUNNER_SHOW_RUN_H

#include "runner/command.h"

enum exit_code show_run(struct invocation *in);

#endif
