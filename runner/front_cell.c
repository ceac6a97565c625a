#include "runner/front_cell.h"

#include "ci/job.h"

#include <stdlib.h>

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);

    return value && *value;
}

static bool has_matrix(const struct suites *suites)
{
    for (uint32_t s = 0; s < suites->count; s++)
        if (!suites->list[s]->left_out && suites->list[s]->cells.key_count)
            return true;
    return false;
}

/* In a matrix of jobs each of them would run everything, which nobody has meant. */
static bool job_says_nothing(struct front *front, struct invocation *in)
{
    const struct job_place place = {getenv("GITHUB_WORKSPACE"), getenv("GITHUB_WORKFLOW_REF"),
                                    getenv("GITHUB_JOB")};
    struct place at;

    if (!has_matrix(&front->suites) || !job_has_matrix(in->arena, &place, &at))
        return true;
    diag_error(in->diags, at,
               "job '%s' has a matrix, and which of its cells this is was not said; give the step that calls "
               "run-matrix  env: RUN_MATRIX_CELL: ${{ toJSON(matrix) }}",
               place.job);
    return false;
}

bool front_choose_cell(struct front *front, struct invocation *in)
{
    if (is_set("RUN_MATRIX") || !*front->suites.list[0]->file)
        return true;
    if (is_set("RUN_MATRIX_CELL"))
        return job_choose_cell(&front->suites, str_of(getenv("RUN_MATRIX_CELL")), in->diags);
    return job_says_nothing(front, in);
}

void front_cell_words(const struct front *front, struct buf *out)
{
    struct buf id = {0};

    for (uint32_t s = 0; s < front->suites.count && !id.len; s++) {
        const struct suite *suite = front->suites.list[s];

        if (!suite->left_out && suite->one_cell && suite->only_cell != CELL_ABSENT && suite->cells.key_count)
            cell_id(&id, suite, suite->only_cell, NULL);
    }
    buf_addstr(out, id.len ? str_slice(buf_str(&id), 1, id.len) : buf_str(&id));
    buf_release(&id);
}
