/* `ci check`: where the workflow and the file no longer fit. */
#include "ci/job.h"
#include "runner/base/inert.h"
#include "runner/base/io.h"
#include "runner/cmd_ci.h"
#include "runner/header.h"
#include "runner/world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The one that is named, or ours; where there is none, the one that the matrix comes from. */
static const char *choose_workflow(const struct ci_view *view)
{
    const struct suite *suite = view->jobs.suite;
    const struct node *from = node_get(node_get(suite->root, "strategy"), "from");
    const char *path = ci_view_workflow(view);
    struct stat there;

    if (view->options.workflow || !from || from->kind != NODE_STRING || stat(path, &there) == 0)
        return path;
    return arena_printf(view->in.arena, "%s%.*s", suite->dir, STR_ARG(from->string));
}

/* FILE[#JOB] */
static const char *split_job(const struct ci_view *view, struct str *job)
{
    struct str text = str_of(choose_workflow(view));
    size_t hash;

    *job = (struct str){"", 0};
    if (!str_find(text, "#", &hash))
        return text.ptr;
    *job = str_slice(text, hash + 1, text.len);
    return arena_cstr(view->in.arena, str_slice(text, 0, hash));
}

static void say_count(size_t count, const char *path, struct buf *out)
{
    if (count)
        buf_addf(out, "%zu difference%s\n", count, plural((uint32_t)count));
    else
        buf_addf(out, "%s fits\n", path);
}

/* What a workflow and a file say is no command to who reads the log of a job; where they differ it is shown beside them. */
static enum exit_code tell(struct diags *found, const char *path)
{
    size_t count = found->errors;
    struct buf out = {0}, text = {0};

    job_tell_errors(found, &out);
    fputs(buf_text(&out), stdout);
    diags_print(found, stdout);
    say_count(count, path, &text);
    inert_print(buf_str(&text), found->inert, stdout);
    buf_release(&out);
    buf_release(&text);
    return count ? EXIT_FAILED : EXIT_PASSED;
}

enum exit_code ci_check(struct ci_view *view)
{
    struct diags found = {.arena = view->in.arena, .inert = job_inside()};
    struct ci_facts facts;
    struct str job;
    const char *path = split_job(view, &job);
    struct buf text = {0};
    enum exit_code code = EXIT_USAGE;

    ci_view_facts(view, &facts);
    if (file_read(path, &text, INPUT_MOST) < 0)
        diag_error(view->in.diags, (struct place){.file = path},
                   "cannot read the workflow: %s; 'run-matrix ci init' writes one", strerror(errno));
    else if (ci_workflow_check(view->in.arena, path, buf_str(&text), job, &facts, &found, view->in.diags))
        code = tell(&found, path);
    buf_release(&text);
    return code;
}
