/* What the files of the store share. */
#ifndef RM_RUNNER_STORE_INTERNAL_H
#define RM_RUNNER_STORE_INTERNAL_H

#include "runner/store/store.h"

#define STORE_RUNS "runs"

/* Within runs/: a number that somebody is about to use, and a run that is being removed. Never taken for runs. */
#define STORE_CLAIM ".new-"
#define STORE_GONE  ".gone-"

#define STORE_LOCK "lock"
#define STORE_SIZE "size"

/* The number that the name of a run begins with; false for what is no name of a run. */
bool run_number(struct str name, uint64_t *number);
/* Names of all runs, newest first; 0, or -1 and errno. */
int run_names(const struct store *store, struct arena *arena, struct str **names, size_t *count);
/* "runs/NAME" */
const char *run_path(struct arena *arena, struct str name);

/*
 * The lock of a run's folder, taken: its descriptor. -1 and errno: EWOULDBLOCK when another holds it, ENOENT when the
 * folder has been removed meanwhile.
 */
int run_lock(int folder);
bool run_is_locked(int folder);

#endif
