/* `ci matrix`: the cells as jobs of GitHub Actions. */
#include "ci/job.h"
#include "runner/cmd_ci.h"
#include "runner/header.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct place file_of(const struct ci_view *view)
{
    return (struct place){.file = view->jobs.suite->file};
}

static void say_without(struct ci_view *view, uint32_t count, const char *why)
{
    if (count)
        diag_warning(view->in.diags, file_of(view), "%u cell%s: %s", count,
                     count == 1 ? " gets no job" : "s get no jobs", why);
}

static void say_all_without(struct ci_view *view)
{
    const struct ci_without *without = &view->jobs.without;

    say_without(view, without->foreign, "for another kind of machine than Linux");
    say_without(view, without->idle,
                "each case of theirs belongs to the job of a cell before, or none is selected");
    if (view->jobs.count && ci_job_has_own_id(&view->jobs.list[0]))
        diag_warning(view->in.diags, file_of(view),
                     "the matrix has a key 'id' of its own, so jobs get none from us");
}

static bool can_be_jobs(struct ci_view *view)
{
    const struct ci_jobs *jobs = &view->jobs;
    const struct node *unsaid = ci_jobs_unsaid(jobs);

    if (unsaid)
        diag_error(view->in.diags, unsaid->at,
                   "JSON has no such number, and a job could not be told that it is its; a string in quotes "
                   "can be");
    if (jobs->count > CI_JOBS_MOST)
        diag_error(
            view->in.diags, file_of(view),
            "%u cells would be %u jobs, and GitHub starts at most %d of one matrix; take fewer by "
            "--cell or by 'cells' of a profile, or run several cells in one job, without a matrix there",
            jobs->cells, jobs->count, CI_JOBS_MOST);
    return !unsaid && jobs->count <= CI_JOBS_MOST;
}

static bool fits(struct ci_view *view, struct str json)
{
    size_t size = utf16_size(json);

    if (size <= CI_OUTPUTS_MOST)
        return true;
    diag_error(view->in.diags, file_of(view),
               "the matrix takes %zu bytes as GitHub counts them, and a job's outputs have at most %d; take "
               "fewer cells by --cell or by 'cells' of a profile, or say less in each",
               size, CI_OUTPUTS_MOST);
    return false;
}

/* ---- outputs of the step ---- */

static bool add_outputs(struct buf *out, const struct ci_jobs *jobs, struct str matrix)
{
    uint32_t most = jobs->suite->max_parallel ? jobs->suite->max_parallel : jobs->count;
    char count[16], parallel[16];

    snprintf(count, sizeof count, "%u", jobs->count);
    snprintf(parallel, sizeof parallel, "%u",
             most ? most : 1); /* GitHub takes no 0, where `if` says no, too */
    return github_file_add(out, "matrix", matrix) && github_file_add(out, "count", str_of(count)) &&
           github_file_add(out, "max-parallel", str_of(parallel)) &&
           github_file_add(out, "fail-fast", str_of(jobs->suite->fail_fast ? "true" : "false"));
}

static bool append(struct ci_view *view, const char *path, struct str text)
{
    if (github_file_append(path, text) == 0)
        return true;
    diag_error(view->in.diags, (struct place){.file = path}, "cannot write outputs of the step: %s",
               strerror(errno));
    return false;
}

static enum exit_code set_outputs(struct ci_view *view, struct str matrix)
{
    const char *path = getenv("GITHUB_OUTPUT");
    struct buf out = {0};
    bool ok = false;

    if (!path || !*path) {
        diag_error(view->in.diags, (struct place){0},
                   "--github-output is for a step of GitHub Actions, where GITHUB_OUTPUT names a file; here "
                   "it is not set");
        return EXIT_USAGE;
    }
    if (!add_outputs(&out, &view->jobs, matrix))
        diag_error(view->in.diags, (struct place){0},
                   "no random numbers are to be had for the file of outputs");
    else
        ok = append(view, path, buf_str(&out));
    if (ok)
        printf("%u job%s\n", view->jobs.count, plural(view->jobs.count));
    buf_release(&out);
    return ok ? EXIT_PASSED : EXIT_BROKEN;
}

/* A slip in a selection must not end in a workflow that does nothing and is green. */
static bool selects_nothing(struct ci_view *view)
{
    const struct front *front = &view->front;

    if (!front->selection || front->plan.count || !front->plan.collected)
        return false;
    diag_error(view->in.diags, file_of(view), "none of %u case%s is selected", front->plan.collected,
               plural(front->plan.collected));
    return true;
}

static enum exit_code put_out(struct ci_view *view, struct buf *json)
{
    if (!fits(view, buf_str(json)))
        return EXIT_USAGE;
    if (view->options.github_output)
        return set_outputs(view, buf_str(json));
    buf_addc(json, '\n');
    fwrite(json->ptr, 1, json->len, stdout);
    return EXIT_PASSED;
}

enum exit_code ci_matrix(struct ci_view *view)
{
    struct buf json = {0};
    enum exit_code code;

    say_all_without(view);
    if (selects_nothing(view))
        return EXIT_NOTHING;
    if (!can_be_jobs(view))
        return EXIT_USAGE;
    ci_jobs_json(&json, &view->jobs);
    code = put_out(view, &json);
    buf_release(&json);
    return code;
}
