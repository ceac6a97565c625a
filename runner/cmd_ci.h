/* What the parts of `ci` share. */
#ifndef RM_RUNNER_CMD_CI_H
#define RM_RUNNER_CMD_CI_H

#include "ci/ci.h"
#include "runner/front.h"

struct ci_view {
    struct front front;
    struct invocation in;   /* with the options as they are in a job */
    struct options options; /* that `in` points to */
    struct ci_jobs jobs;
};

/* What init and check have to know of the file besides its jobs; from the arena. */
void ci_view_facts(struct ci_view *view, struct ci_facts *facts);
/* Options, ids and paths that select, as words of a shell in the folder of the file. NULL: one is elsewhere, and diags say so. */
const char *ci_view_selection(const struct ci_view *view);
/* The folder of the repository that the file is in, or its own; and the workflow there, unless another is named. */
const char *ci_view_root(const struct ci_view *view);
const char *ci_view_workflow(const struct ci_view *view);

enum exit_code ci_matrix(struct ci_view *view);
enum exit_code ci_init(struct ci_view *view);
enum exit_code ci_check(struct ci_view *view);

#endif
