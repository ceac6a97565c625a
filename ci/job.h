/*
 * Inside a job of GitHub Actions: the second door of the room. Which cell the job is, what may be printed there, and what is
 * left behind for people and for the steps that follow.
 */
#ifndef RM_CI_JOB_H
#define RM_CI_JOB_H

#include "matrix/matrix.h"

/* ---- cell.c, place.c: which of the cells it is ---- */

/*
 * `text` is what GitHub has made of `toJSON(matrix)`. From now on only those cases are planned that belong to that cell: one that
 * projects from several belongs to the first of them that is for Linux, and in a suite without cells to the first of all. So over
 * all jobs of a matrix each case is planned once. False: it is no cell, or several, and diags say so.
 */
bool job_choose_cell(struct suites *suites, struct str text, struct diags *diags);

/* The same job, as the environment speaks of it; members may be NULL. */
struct job_place {
    const char *workspace; /* GITHUB_WORKSPACE */
    const char *workflow;  /* GITHUB_WORKFLOW_REF: "owner/repo/.github/workflows/ci.yml@refs/heads/main" */
    const char *job;       /* GITHUB_JOB */
};
/* Where its file says that it has a matrix; false: it does not, or cannot be read. */
bool job_has_matrix(struct arena *arena, const struct job_place *place, struct place *at);

#endif
