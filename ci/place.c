/* The job that we are in, read in the workflow it came from: has it a matrix? */
#include "ci/job.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <string.h>

#define WORKFLOW_MOST ((size_t)1 << 20) /* as GitHub has it */

/* ".github/workflows/ci.yml" out of "owner/repo/.github/workflows/ci.yml@refs/heads/main". */
static struct str path_in(struct str ref)
{
    size_t from = 0, to = ref.len, at;

    for (int slashes = 0; from < ref.len && slashes < 2; from++)
        slashes += ref.ptr[from] == '/';
    ref = str_slice(ref, from, to);
    if (str_find(ref, "@refs/", &at) || str_find(ref, "@", &at))
        ref.len = at;
    return ref;
}

static bool is_below(struct str path)
{
    size_t at;

    return path.len && path.ptr[0] != '/' && !str_find(path, "..", &at);
}

/* A job of another workflow that this one calls: of its name we know nothing, and the file that we are told of is the caller's. */
static bool is_elsewhere(const struct node *job)
{
    return node_get(job, "uses") != NULL;
}

bool job_has_matrix(struct arena *arena, const struct job_place *place, struct place *at)
{
    struct diags unsaid = {.arena = arena}; /* what is wrong with somebody's workflow is for GitHub to say */
    struct str path = path_in(str_of(place->workflow));
    struct workflow_job job;
    struct buf text = {0};
    const struct node *matrix = NULL;
    const char *file;

    if (!place->workspace || !*place->workspace || !place->job || !*place->job || !is_below(path))
        return false;
    file = arena_printf(arena, "%s/%.*s", place->workspace, STR_ARG(path));
    if (file_read_regular(file, &text, WORKFLOW_MOST) == 0 &&
        workflow_read(arena, arena_cstr(arena, path), arena_str(arena, buf_str(&text)), str_of(place->job),
                      &job, &unsaid))
        matrix = is_elsewhere(job.node) ? NULL : node_get(job.strategy, "matrix");
    buf_release(&text);
    if (!matrix || matrix->kind == NODE_NULL)
        return false;
    *at = matrix->at;
    return true;
}
