/*
 * Whose parent has died falls to the runner, or when that is dead to the guard, and has to be ended and reaped
 * there.
 */
#ifndef RM_RUNNER_ORPHANS_H
#define RM_RUNNER_ORPHANS_H

#include "runner/base/clock.h"
#include "runner/base/proc.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Children of ours, dead or alive; without the times that they were started at. */
void orphans_list(struct proc_ids *out);
/*
 * Kills and reaps those that are not `spared` (NULL: nobody is), in guard or runner, where SIGCHLD is blocked.
 * How many there were at the last look: 0, unless patience was over before.
 */
size_t orphans_end(nanos patience, bool (*spared)(void *user, pid_t pid), void *user);

#endif
