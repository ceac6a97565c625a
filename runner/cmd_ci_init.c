/* `ci init`: the workflow that goes with the file. */
#include "runner/base/io.h"
#include "runner/cmd_ci.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool make_folders(struct ci_view *view, const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *folder = arena_printf(view->in.arena, "%.*s", (int)(slash - path), path);

        if (mkdir(folder, 0777) < 0 && errno != EEXIST) {
            diag_error(view->in.diags, (struct place){.file = folder}, "cannot make the folder: %s",
                       strerror(errno));
            return false;
        }
    }
    return true;
}

static bool write_out(struct ci_view *view, const char *path, struct str text)
{
    if (!make_folders(view, path))
        return false;
    if (file_write(path, text) == 0)
        return true;
    diag_error(view->in.diags, (struct place){.file = path}, "cannot write it: %s", strerror(errno));
    return false;
}

/* What is written out is bound to the cells there are now; otherwise `ci matrix` looks when it is time. */
static bool cells_fit(struct ci_view *view)
{
    struct place at = {.file = view->jobs.suite->file};

    if (!view->options.written_out || (view->jobs.count && view->jobs.count <= CI_JOBS_MOST))
        return true;
    if (view->jobs.count)
        diag_error(
            view->in.diags, at,
            "%u cells would be %u jobs, and GitHub starts at most %d of one matrix; take fewer by --cell",
            view->jobs.cells, view->jobs.count, CI_JOBS_MOST);
    else
        diag_error(view->in.diags, at, "no cell has anything to run, so there is no job to write down");
    return false;
}

enum exit_code ci_init(struct ci_view *view)
{
    const char *path = ci_view_workflow(view);
    struct ci_facts facts;
    struct ci_shape shape = {view->options.written_out};
    struct buf text = {0};
    struct stat there;
    enum exit_code code = EXIT_USAGE;

    if (!view->options.force && lstat(path, &there) == 0) {
        diag_error(view->in.diags, (struct place){.file = path},
                   "it is there already; --force writes over it");
        return EXIT_USAGE;
    }
    ci_view_facts(view, &facts);
    facts.selection = ci_view_selection(view);
    if (facts.selection && cells_fit(view) && ci_workflow_write(&text, &facts, &shape, view->in.diags))
        code = write_out(view, path, buf_str(&text)) ? EXIT_PASSED : EXIT_BROKEN;
    if (code == EXIT_PASSED)
        printf("wrote %s; 'run-matrix ci check' says later where it no longer fits\n", path);
    buf_release(&text);
    return code;
}
