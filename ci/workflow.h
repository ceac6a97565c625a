/* The workflow that goes with a run-matrix.yaml: written, and compared with it. */
#ifndef RM_CI_WORKFLOW_H
#define RM_CI_WORKFLOW_H

#include "ci/jobs.h"
#include "runner/base/clock.h"

#define CI_WORKFLOW ".github/workflows/run-matrix.yml"
#define CI_ACTION   "run-matrix/run-matrix/ci@v0"

/* Beside the session: what a job takes to get its machine ready, and to hand in its report. */
#define CI_READY_MINUTES  10
#define CI_REPORT_MINUTES 1

struct ci_soak {
    struct str profile;
    nanos within; /* it is over by then; 0: not said */
    struct place at;
};

/* What a workflow has to fit. */
struct ci_facts {
    const struct ci_jobs *jobs;
    const struct suites *suites; /* the first is the file: of profiles a run is asked in it alone */
    const char *folder;          /* of the file, from the root of its repository: "services/kv"; "": there */
    const char *selection;       /* options and ids as words of a shell, " -P x --cell os=linux"; "": none */
    const char *branch;          /* that the repository begins with, "trunk"; NULL: not known */
    nanos session;               /* 0: no deadline */
    struct place session_at;
    const struct ci_soak *soaks; /* profiles of the file that say how to soak */
    uint32_t soak_count;
    const char *uses; /* the action; NULL: CI_ACTION, and in a check whatever looks like it */
};

struct ci_shape {
    bool written_out; /* the cells stand in the workflow, in place of a job that finds them out */
};

/* False: a value cannot be written down there; diags say which. */
bool ci_workflow_write(struct buf *out, const struct ci_facts *facts, const struct ci_shape *shape,
                       struct diags *diags);

/* The axis that says on which machine a cell runs, as `runs-on` has to say it; NULL: any Linux will do. */
const struct cell_key *ci_runner_key(const struct ci_jobs *jobs);
/* The first whose cell has no such key; NULL: all have it. */
const struct ci_job *ci_lacks_key(const struct ci_jobs *jobs, struct str name);

/*
 * What no longer fits, as errors in `found`, each with its place there and, where there is one, its place here. False when the
 * workflow cannot be read, or has no job of that name: diags say why. `job` empty: all that run run-matrix.
 */
bool ci_workflow_check(struct arena *arena, const char *file, struct str text, struct str job,
                       const struct ci_facts *facts, struct diags *found, struct diags *diags);

#endif
