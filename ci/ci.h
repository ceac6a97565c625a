/* The room's door: engines of continuous integration. For now, GitHub: a first file out of a workflow. */
#ifndef RM_CI_CI_H
#define RM_CI_CI_H

#include "ci/jobs.h"
#include "ci/workflow.h"
#include "matrix/matrix.h"

/* A run-matrix.yaml that runs what the job's test step runs, with its matrix; NULL job: an empty start. */
void workflow_draft(struct buf *out, const char *file, const struct workflow_job *job);

#endif
