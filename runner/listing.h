/*
 * The tests inside the suites that tests start: their runners are asked, before the run, for those that matter to it.
 * Each is asked once; where the command depends on the cell, once for each.
 */
#ifndef RM_RUNNER_LISTING_H
#define RM_RUNNER_LISTING_H

#include "matrix/matrix.h"
#include "runner/recipe/recipe.h"

#define LISTING_TIMEOUT (60 * NS_PER_S) /* where the test has no deadline */

struct listing {
    struct kitchen kitchen; /* for the commands */
    const char *contain;    /* --contain; NULL when not given */
    struct listed *list;
    uint32_t count, cap;
};

/* Answers for `plan` from here on, which must be empty. What it hands out is in the arena. */
void listing_open(struct listing *listing, struct plan *plan, struct settings *settings, const char *profile,
                  const char *contain, struct arena *arena);
void listing_close(struct listing *listing, struct plan *plan);

#endif
