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
    const struct suite *suite;
    uint32_t cell;
    struct str id; /* "backend=exec,transport=tcp", as --cell takes it where no hash stands at its end */
};

/* Cells that get no job, by why. */
struct ci_without {
    uint32_t foreign; /* for another kind of machine */
    uint32_t idle;    /* each of its cases belongs to the job of an earlier cell, or none is selected */
};

struct ci_jobs {
    const struct suite *suite; /* that of job_home, where there is one: what holds for all is said there */
    struct ci_job *list;
    uint32_t count, cells;
    struct ci_without without;
};

/*
 * Of the cells in which the plan has cases, as job_choose_cell has it; of all of them where there are no tests. A cell that
 * several suites have is one job. False: one is there twice, and diags say so. More than CI_JOBS_MOST are counted, and have no ids.
 */
bool ci_jobs_make(struct arena *arena, const struct plan *plan, struct ci_jobs *jobs, struct diags *diags);
/* The matrix has a key `id` of its own, which stays as it is: then none of ours is added. */
bool ci_job_has_own_id(const struct ci_job *job);

/*
 * For `strategy.matrix: ${{ fromJSON(...) }}`: {"include":[{"os":"linux","id":"os=linux"}]}. No jobs: one that is none, since
 * GitHub takes an empty list for a mistake, also where `if` keeps the job from starting.
 */
void ci_jobs_json(struct buf *out, const struct ci_jobs *jobs);
/* A value that JSON cannot say, which GitHub would hand back as another one: NaN or an infinity. NULL: there is none. */
const struct node *ci_jobs_unsaid(const struct ci_jobs *jobs);

/* Bytes of a text as UTF-16. */
size_t utf16_size(struct str text);

#endif
