#include "ci/workflow.h"

#include "ci/check.h"
#include "ci/draft.h"
#include "runner/base/mem.h"

#include <ctype.h>
#include <string.h>

#define MINUTES_OTHERWISE 60   /* of a job whose session has no deadline */
#define MINUTES_HOSTED    360  /* GitHub ends every job on its own machines then */
#define MINUTES_MOST      7200 /* and every job anywhere */
#define FLOW_MOST         ((size_t)1 << 20)
#define JOB_ID_MOST       60

struct writer {
    struct buf *out;
    const struct ci_facts *facts;
    const struct ci_shape *shape;
    struct diags *diags;
};

/* ---- on which machine ---- */

static bool is_runner_label(const struct node *value)
{
    for (uint32_t i = 0; i < node_list_count(value); i++) {
        const struct node *label = node_list_item(value, i);

        if (label->kind == NODE_STRING &&
            (str_starts(label->string, "ubuntu-") || str_eq_nocase(label->string, str_of("self-hosted"))))
            return true;
    }
    return false;
}

/* By its name, since that is what runs-on says, whichever suite the job is of; NULL: its cell has no such key. */
static const struct node *value_in(const struct ci_job *job, struct str name)
{
    const struct cells *cells = &job->suite->cells;
    uint32_t k = cells_key(cells, name);
    uint32_t v = k == CELL_ABSENT ? CELL_ABSENT : cells_row(cells, job->cell)[k];

    return v == CELL_ABSENT ? NULL : cells->keys[k].values[v].node;
}

/* `os: [linux, macos]` describes machines, too, and is nothing that `runs-on` takes. */
static bool names_runners(const struct ci_jobs *jobs, struct str name)
{
    for (uint32_t j = 0; j < jobs->count; j++) {
        const struct node *value = value_in(&jobs->list[j], name);

        if (value && !is_runner_label(value))
            return false;
    }
    return true;
}

const struct cell_key *ci_runner_key(const struct ci_jobs *jobs)
{
    const struct cells *cells = &jobs->suite->cells;

    for (uint32_t k = 0; k < cells->key_count; k++)
        if (jobs->suite->host[k] && names_runners(jobs, cells->keys[k].name))
            return &cells->keys[k];
    return NULL;
}

const struct ci_job *ci_lacks_key(const struct ci_jobs *jobs, struct str name)
{
    for (uint32_t j = 0; j < jobs->count; j++)
        if (!value_in(&jobs->list[j], name))
            return &jobs->list[j];
    return NULL;
}

static bool is_property(struct str name)
{
    bool plain = name.len && (isalpha((unsigned char)name.ptr[0]) || name.ptr[0] == '_');

    for (size_t i = 0; i < name.len && plain; i++)
        plain = isalnum((unsigned char)name.ptr[i]) || name.ptr[i] == '_' || name.ptr[i] == '-';
    return plain;
}

/* matrix.os, or matrix['my os'] */
static void add_matrix_key(struct buf *out, struct str name)
{
    buf_adds(out, "matrix");
    if (is_property(name)) {
        buf_addc(out, '.');
        buf_addstr(out, name);
        return;
    }
    buf_adds(out, "['");
    for (size_t i = 0; i < name.len; i++)
        buf_addf(out, name.ptr[i] == '\'' ? "''" : "%c", name.ptr[i]);
    buf_adds(out, "']");
}

static void write_runs_on(struct writer *w)
{
    const struct ci_jobs *jobs = w->facts->jobs;
    const struct cell_key *key = ci_runner_key(jobs);
    struct buf text = {0};

    if (key) {
        buf_adds(&text, "${{ ");
        add_matrix_key(&text, key->name);
        buf_adds(&text, ci_lacks_key(jobs, key->name) ? " || 'ubuntu-latest' }}" : " }}");
    } else {
        buf_adds(&text, "ubuntu-latest");
    }
    buf_adds(w->out, "    runs-on: ");
    yaml_write_scalar(w->out, buf_str(&text), 4);
    buf_release(&text);
}

/* ---- pieces of jobs ---- */

static uint32_t minutes_for(nanos span)
{
    nanos whole = (span + 60 * NS_PER_S - 1) / (60 * NS_PER_S) + CI_READY_MINUTES + CI_REPORT_MINUTES;

    return whole < MINUTES_MOST ? (uint32_t)whole : MINUTES_MOST;
}

static void write_timeout(struct writer *w, nanos span, uint32_t otherwise, struct place at)
{
    uint32_t minutes = span ? minutes_for(span) : otherwise;

    if (minutes > MINUTES_HOSTED)
        diag_warning(
            w->diags, at,
            "the job may take %u minutes, and GitHub's own machines end it after %d: it needs one of "
            "yours",
            minutes, MINUTES_HOSTED);
    buf_addf(w->out, "    timeout-minutes: %u\n", minutes);
}

static struct str action_of(const struct writer *w)
{
    return str_of(w->facts->uses ? w->facts->uses : CI_ACTION);
}

static void write_step_of_ours(struct writer *w, const char *command, struct str profile, bool selects)
{
    const struct ci_facts *facts = w->facts;
    const char *folder = command && strcmp(command, "none") == 0 ? "" : facts->folder;
    const char *selection = selects ? facts->selection : "";
    struct str uses = action_of(w);

    if (!command && !action_is_known(uses))
        command = "run"; /* what a copy is known by */
    buf_adds(w->out, "      - uses: ");
    yaml_write_scalar(w->out, uses, 8);
    if (!command && !profile.len && !*folder && !*selection)
        return;
    buf_adds(w->out, "        with:\n");
    if (command)
        buf_addf(w->out, "          command: %s\n", command);
    if (*folder) {
        buf_adds(w->out, "          working-directory: ");
        yaml_write_scalar(w->out, str_of(folder), 10);
    }
    if (profile.len) {
        buf_adds(w->out, "          profile: ");
        yaml_write_scalar(w->out, profile, 10);
    }
    if (*selection) {
        buf_adds(w->out, "          args: ");
        yaml_write_scalar(w->out, str_trim(str_of(selection)), 10);
    }
}

static void write_checkout(struct writer *w)
{
    buf_adds(w->out, "    steps:\n      - uses: actions/checkout@v4\n");
}

/* ---- jobs ---- */

static void write_plan_job(struct writer *w)
{
    const struct ci_facts *facts = w->facts;
    struct buf command = {0};

    buf_adds(w->out, "  # Which cells there are, as jobs: out of run-matrix.yaml, each time.\n"
                     "  plan:\n");
    if (facts->soak_count)
        buf_adds(w->out, "    if: github.event_name != 'schedule'\n");
    buf_adds(w->out, "    runs-on: ubuntu-latest\n"
                     "    timeout-minutes: 15\n"
                     "    outputs:\n"
                     "      matrix: ${{ steps.matrix.outputs.matrix }}\n"
                     "      count: ${{ steps.matrix.outputs.count }}\n"
                     "      max-parallel: ${{ steps.matrix.outputs.max-parallel }}\n"
                     "      fail-fast: ${{ steps.matrix.outputs.fail-fast }}\n");
    write_checkout(w);
    write_step_of_ours(w, "none", (struct str){0}, false);
    buf_addf(&command, "run-matrix ci matrix --github-output%s", facts->selection);
    buf_adds(w->out, "      - id: matrix\n        run: ");
    yaml_write_scalar(w->out, buf_str(&command), 8);
    if (*facts->folder) {
        buf_adds(w->out, "        working-directory: ");
        yaml_write_scalar(w->out, str_of(facts->folder), 8);
    }
    buf_addc(w->out, '\n');
    buf_release(&command);
}

/* Text of the matrix that GitHub would evaluate. */
static bool has_expression(const struct node *value)
{
    struct expression_span span;

    if (value->kind == NODE_STRING && expression_next(value->string, 0, &span))
        return true;
    for (uint32_t i = 0; value->kind == NODE_SEQ && i < value->seq.count; i++)
        if (has_expression(value->seq.items[i]))
            return true;
    for (uint32_t i = 0; value->kind == NODE_MAP && i < value->map.count; i++)
        if (expression_next(value->map.pairs[i].key->string, 0, &span) ||
            has_expression(value->map.pairs[i].value))
            return true;
    return false;
}

static bool write_cell(struct writer *w, const struct ci_job *job)
{
    const struct cells *cells = &job->suite->cells;
    const struct cell_shape *shape = cells->shapes[job->cell];
    const uint32_t *row = cells_row(cells, job->cell);

    buf_adds(w->out, "          - {");
    for (uint32_t f = 0; f < shape->count; f++) {
        uint32_t key = shape->fields[f].key;
        const struct node *value = cells->keys[key].values[row[key]].node;
        size_t before = w->out->len;

        buf_adds(w->out, f ? ", " : "");
        yaml_write_word(w->out, shape->fields[f].name);
        buf_adds(w->out, ": ");
        if (has_expression(value) || !yaml_write_flow(w->out, value, before + FLOW_MOST)) {
            diag_error(w->diags, value->at,
                       "a value of '%.*s' cannot be written into a workflow: do without --static",
                       STR_ARG(shape->fields[f].name));
            return false;
        }
    }
    if (!ci_job_has_own_id(job)) {
        buf_adds(w->out, shape->count ? ", id: " : "id: ");
        yaml_write_word(w->out, job->id);
    }
    buf_adds(w->out, "}\n");
    return true;
}

static bool write_cells(struct writer *w)
{
    const struct ci_jobs *jobs = w->facts->jobs;

    buf_addf(w->out, "      fail-fast: %s\n", jobs->suite->fail_fast ? "true" : "false");
    if (jobs->suite->max_parallel)
        buf_addf(w->out, "      max-parallel: %u\n", jobs->suite->max_parallel);
    buf_adds(w->out, "      matrix:\n        include:\n");
    for (uint32_t j = 0; j < jobs->count; j++)
        if (!write_cell(w, &jobs->list[j]))
            return false;
    return true;
}

static bool write_strategy(struct writer *w)
{
    buf_adds(w->out, "    strategy:\n");
    if (w->shape->written_out)
        return write_cells(w);
    buf_adds(w->out, "      fail-fast: ${{ fromJSON(needs.plan.outputs.fail-fast) }}\n"
                     "      max-parallel: ${{ fromJSON(needs.plan.outputs.max-parallel) }}\n"
                     "      matrix: ${{ fromJSON(needs.plan.outputs.matrix) }}\n");
    return true;
}

static bool write_test_job(struct writer *w)
{
    const struct ci_facts *facts = w->facts;

    buf_adds(w->out, "  test:\n");
    if (!w->shape->written_out)
        buf_adds(w->out, "    needs: plan\n    if: needs.plan.outputs.count != '0'\n");
    else if (facts->soak_count)
        buf_adds(w->out, "    if: github.event_name != 'schedule'\n");
    buf_adds(w->out, "    name: test (${{ matrix.id }})\n");
    write_runs_on(w);
    write_timeout(w, facts->session, MINUTES_OTHERWISE, facts->session_at);
    if (!write_strategy(w))
        return false;
    buf_adds(w->out, "    env:\n      RUN_MATRIX_CELL: ${{ toJSON(matrix) }}\n");
    write_checkout(w);
    write_step_of_ours(w, NULL, (struct str){0}, true);
    return true;
}

/* What may stand as the key of a job; its number keeps it apart where names differ in nothing else. */
static void add_job_id(struct buf *out, struct str profile, uint32_t number)
{
    buf_adds(out, "soak");
    if (!number)
        return;
    buf_addf(out, "-%u-", number + 1);
    for (size_t i = 0; i < profile.len && i < JOB_ID_MOST; i++)
        buf_addc(out, isalnum((unsigned char)profile.ptr[i]) ? profile.ptr[i] : '-');
}

static void write_soak_job(struct writer *w, uint32_t number)
{
    const struct ci_soak *soak = &w->facts->soaks[number];
    struct buf name = {0};

    buf_adds(w->out, "\n  ");
    add_job_id(w->out, soak->profile, number);
    buf_addf(&name, "soak (%.*s)", STR_ARG(soak->profile));
    buf_adds(w->out, ":\n    name: ");
    yaml_write_scalar(w->out, buf_str(&name), 4);
    buf_adds(w->out, "    if: github.event_name == 'schedule' || github.event_name == 'workflow_dispatch'\n"
                     "    runs-on: ubuntu-latest\n");
    write_timeout(w, soak->within, MINUTES_HOSTED, soak->at);
    write_checkout(w);
    write_step_of_ours(w, "soak", soak->profile, false);
    buf_release(&name);
}

static void write_head(struct writer *w)
{
    buf_adds(w->out,
             "# By 'run-matrix ci init'. Change what you like: 'run-matrix ci check' says where this and "
             "run-matrix.yaml\n"
             "# no longer fit.\n"
             "name: run-matrix\n"
             "\n"
             "on:\n"
             "  push:\n"
             "    branches: [");
    if (w->facts->branch)
        yaml_write_word(w->out, str_of(w->facts->branch));
    else
        buf_adds(w->out, "main, master");
    buf_adds(w->out, "]\n"
                     "  pull_request:\n"
                     "  workflow_dispatch:\n");
    if (w->facts->soak_count)
        buf_adds(w->out, "  schedule:\n    - cron: '23 3 * * *' # the soak, each night\n");
    buf_adds(w->out, "\n"
                     "permissions:\n"
                     "  contents: read\n"
                     "\n"
                     "concurrency:\n"
                     "  group: ${{ github.workflow }}-${{ github.ref }}-${{ github.event_name }}\n"
                     "  cancel-in-progress: ${{ github.event_name == 'pull_request' }}\n"
                     "\n"
                     "jobs:\n");
}

/* Words of the command line that GitHub would evaluate. */
static bool check_words(struct writer *w)
{
    struct expression_span span;
    struct str texts[] = {str_of(w->facts->selection), str_of(w->facts->folder), action_of(w)};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (expression_next(texts[i], 0, &span)) {
            diag_error(w->diags, (struct place){0},
                       "'%.*s' cannot be written into a workflow: GitHub would take it for an expression",
                       STR_ARG(texts[i]));
            return false;
        }
    return true;
}

bool ci_workflow_write(struct buf *out, const struct ci_facts *facts, const struct ci_shape *shape,
                       struct diags *diags)
{
    struct writer w = {out, facts, shape, diags};

    if (!check_words(&w))
        return false;
    write_head(&w);
    if (!shape->written_out)
        write_plan_job(&w);
    if (!write_test_job(&w))
        return false;
    for (uint32_t i = 0; i < facts->soak_count; i++)
        write_soak_job(&w, i);
    return true;
}
