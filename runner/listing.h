/*
 * The tests inside the suites that tests start: their runners are asked, before the run, for those that matter to it.
 * Each is asked once; where the command depends on the cell, once for each.
 */
#ifndef RM_RUNNER_LISTING_H
#define RM_RUNNER_LISTING_H

#include "matrix/matrix.h"
#include "runner/compile.h"
#include "runner/recipe/recipe.h"

#define LISTING_TIMEOUT (60 * NS_PER_S) /* where the test has no deadline */

struct suite_path;

/* A file of C tests, or a folder that has some. */
struct wanted {
    const char *path; /* absolute, without links */
    bool met;         /* a test of the plan has it, or what is in it */
    struct suite_path *from;
};

enum listing_mode {
    LISTING_ASKS,
    LISTING_MEETS,    /* only what is named is met, and no test is known */
    LISTING_COLLECTS, /* sources are only noted, to be compiled all at a time */
};

struct listing {
    struct kitchen kitchen; /* for the commands */
    const char *contain;    /* --contain; NULL when not given */
    struct compiler *compiler;
    enum listing_mode mode;
    struct to_compile *collected;
    uint32_t collected_count, collected_cap;
    const char *folder;    /* for temporary files of modules that are asked; NULL: there is none yet */
    struct wanted *wanted; /* files that the caller names; of suites that are narrowed no others are asked */
    uint32_t wanted_count;
    struct listed *list;
    uint32_t count, cap;
};

/* Answers for `plan` from here on, which must be empty. What it hands out is in the arena. */
void listing_open(struct listing *listing, struct plan *plan, struct settings *settings, const char *profile,
                  const char *contain, struct compiler *compiler, struct arena *arena);
/* For plans that are not kept. Who has been asked before is asked again. */
void listing_mode(struct listing *listing, enum listing_mode mode);
/* Does any test need sources to be compiled? Then a plan is made to collect them first. */
bool listing_has_sources(const struct suites *suites);
void listing_compile(struct listing *listing);
void listing_close(struct listing *listing, struct plan *plan);

#endif
