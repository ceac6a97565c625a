/*
 * Jobs of a workflow out of a matrix: one for each cell that has something to run on a GitHub machine with Linux. Each has an
 * id that is made of its own values alone, so that a cell that comes or goes leaves the others' alone.
 */
#ifndef RM_CI_JOBS_H
#define RM_CI_JOBS_H

#include "matrix/matrix.h"

#define CI_JOBS_MOST    256     /* that GitHub makes of one matrix */
#define CI_OUTPUTS_MOST 1000000 /* bytes of a job's outputs, in the UTF-16 that GitHub counts in */

struct ci_job {
    uint32_t cell;
    struct str id; /* "backend=exec,transport=tcp", as --cell takes it where no hash stands at its end */
};

/* Cells that get no job, by why. */
struct ci_without {
    uint32_t elsewhere; /* for another kind of machine */
    uint32_t twice;     /* the same cell was there before */
    uint32_t idle;      /* each of its cases belongs to the job of an earlier cell, or none is selected */
};

struct ci_jobs {
    const struct suite *suite;
    struct ci_job *list;
    uint32_t count;
    struct ci_without without;
    bool own_id; /* the matrix has a key `id`, which stays as it is: jobs have none of ours */
};

/*
 * The suite whose cells become jobs: the only one that is not left out and has a matrix or tests. NULL and an error when there
 * are several.
 */
const struct suite *ci_suite(const struct suites *suites, struct diags *diags);
/* Of the cells in which the plan has cases; of all of them where the file has no tests. */
void ci_jobs_make(struct arena *arena, const struct suite *suite, const struct plan *plan,
                  struct ci_jobs *jobs);
/* What a single cell is called, by the values that give it its name, or by all of them. */
void ci_job_id(struct buf *out, const struct suite *suite, uint32_t cell, bool all);

/*
 * For `strategy.matrix: ${{ fromJSON(...) }}`: {"include":[{"os":"linux","id":"os=linux"}]}. No jobs: one that is none, since
 * GitHub takes an empty list for a mistake, also where `if` keeps the job from starting.
 */
void ci_jobs_json(struct buf *out, const struct ci_jobs *jobs);

/* ---- github_file.c: what a step tells GitHub by files ---- */

/* NAME<<DELIMITER, the value, DELIMITER; for GITHUB_OUTPUT and its like. False: no random numbers are to be had. */
bool github_file_add(struct buf *out, const char *name, struct str value);
/* Bytes of a text as UTF-16. */
size_t utf16_size(struct str text);

#endif
