/* A workflow and a run-matrix.yaml that were written for each other: what has changed in one of them. */
#include "ci/check.h"

#include "runner/base/mem.h"
#include "runner/base/nearest.h"

#include <string.h>

#define CELL         "RUN_MATRIX_CELL"
#define GITHUB_HOURS 6 /* that a job has without timeout-minutes */

static const struct place none = {0};

void check_tell(const struct check *c, struct place at, struct place other, const char *format, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    if (other.file)
        buf_addf(&text, " (%s)", place_text(c->arena, other));
    diag_error(c->found, at, "%s", buf_text(&text));
    buf_release(&text);
}

/* ---- the cell ---- */

/* As the step has it: what is said nearer to it holds. */
static const struct node *env_of(const struct check *c, const struct node *job, const struct node *step)
{
    const struct node *places[] = {step, job, c->root}, *value = NULL;

    for (size_t i = 0; i < ARRAY_LEN(places) && !value; i++)
        value = node_get(node_get(places[i], "env"), CELL);
    return value;
}

/* ${{ toJSON(matrix) }}, with blanks and letters as anybody likes. */
static bool is_matrix_json(const struct node *value)
{
    static const char wanted[] = "${{tojson(matrix)}}";
    struct buf squeezed = {0};
    bool is;

    if (value->kind != NODE_STRING)
        return false;
    for (size_t i = 0; i < value->string.len; i++)
        if (value->string.ptr[i] != ' ')
            buf_addc(&squeezed, value->string.ptr[i]);
    is = str_eq_nocase(buf_str(&squeezed), str_of(wanted));
    buf_release(&squeezed);
    return is;
}

static void check_value(const struct check *c, const struct node *value, bool matrix)
{
    if (!matrix)
        check_tell(c, value->at, none, CELL " is set in a job that has no matrix");
    else if (!is_matrix_json(value))
        check_tell(c, value->at, none, CELL " is to be ${{ toJSON(matrix) }}");
}

/* One value may be that of many steps; where none has any it is the job that lacks it. */
static void check_env(const struct check *c, const struct node *job, bool matrix)
{
    const struct node *steps = node_get(job, "steps"), *before = NULL, *without = NULL;
    bool some = false;

    for (uint32_t i = 0; steps && steps->kind == NODE_SEQ && i < steps->seq.count; i++) {
        const struct node *step = steps->seq.items[i], *value = env_of(c, job, step);

        if (step_view(c, step).does != STEP_RUNS)
            continue;
        some |= value != NULL;
        without = value || without ? without : step;
        if (value && value != before)
            check_value(c, value, matrix);
        before = value ? value : before;
    }
    if (without && matrix)
        check_tell(c, some ? without->at : job->at, none,
                   "run-matrix is not told which cell it is for: env: {" CELL ": '${{ toJSON(matrix) }}'}");
}

/* ---- name, machine, time ---- */

static bool is_key(const struct check *c, struct str name)
{
    const struct ci_jobs *jobs = c->facts->jobs;

    if (str_eq_nocase(name, str_of("id")))
        return true;
    for (uint32_t j = 0; j < jobs->count; j++)
        if (cells_key(&jobs->list[j].suite->cells, name) != CELL_ABSENT)
            return true;
    return false;
}

/* A key that no cell has is nothing in the name of each. */
static bool name_differs(const struct check *c, const struct node *name, struct str text)
{
    struct expression_span span;
    struct reference ref;
    bool differs = false;

    for (size_t at = 0; expression_next(text, at, &span) && span.closed; at = span.to) {
        struct str inner = expression_inner(text, &span);

        for (size_t from = 0; reference_next(inner, &from, &ref);) {
            if (!str_eq_nocase(ref.context, str_of("matrix")))
                continue;
            differs = true;
            if (ref.key.ptr && !is_key(c, ref.key))
                check_tell(c, name->at, none, "no cell has a key '%.*s'", STR_ARG(ref.key));
        }
    }
    return differs;
}

static void check_name(const struct check *c, const struct node *job)
{
    const struct node *name = node_get(job, "name");

    if (name && name->kind != NODE_NULL && !name_differs(c, name, check_text(c, job, "name")))
        check_tell(c, name->at, none,
                   "all jobs of the matrix have this name: it is to hold ${{ matrix.id }}");
}

static bool is_other_machine(struct str label)
{
    return str_starts(label, "windows") || str_starts(label, "macos");
}

static void check_labels(const struct check *c, const struct node *runs_on)
{
    if (runs_on->kind == NODE_MAP)
        runs_on = node_get(runs_on, "labels");
    for (uint32_t i = 0; i < node_list_count(runs_on); i++) {
        const struct node *label = node_list_item(runs_on, i);

        if (label->kind == NODE_STRING && is_other_machine(label->string))
            check_tell(c, label->at, none, "run-matrix is for Linux, and '%.*s' is not",
                       STR_ARG(label->string));
    }
}

/* The key that decides, when the label comes from the matrix. */
static struct str key_of(const struct check *c, const struct node *runs_on)
{
    struct workflow_job view = {0};
    struct diags unsaid = {.arena = c->arena};
    struct buf text = {0};

    buf_adds(&text, "{\"jobs\":{\"a\":{\"runs-on\":");
    node_json(&text, runs_on, 0);
    buf_adds(&text, "}}}");
    workflow_read(c->arena, "", arena_str(c->arena, buf_str(&text)), str_of("a"), &view, &unsaid);
    buf_release(&text);
    return view.host_axis.ptr ? view.host_axis : (struct str){"", 0};
}

static void check_runs_on(const struct check *c, const struct node *job, bool matrix)
{
    const struct node *runs_on = node_get(job, "runs-on");
    const struct cell_key *wanted = matrix ? ci_runner_key(c->facts->jobs) : NULL;
    const struct ci_job *without;
    struct str key, text = check_text(c, job, "runs-on");
    size_t at;

    if (!runs_on) {
        check_tell(c, job->at, none, "the job has no runs-on");
        return;
    }
    check_labels(c, runs_on);
    if (!matrix)
        return;
    key = key_of(c, runs_on);
    if (wanted && !str_eq_nocase(key, wanted->name))
        check_tell(c, runs_on->at, wanted->at,
                   "cells differ in '%.*s', the kind of machine, and runs-on does not: ${{ matrix.%.*s }}",
                   STR_ARG(wanted->name), STR_ARG(wanted->name));
    else if (key.len && !is_key(c, key))
        check_tell(c, runs_on->at, none, "no cell has a key '%.*s'", STR_ARG(key));
    else if (key.len && text.len && !str_find(text, "||", &at) &&
             (without = ci_lacks_key(c->facts->jobs, key)))
        check_tell(c, runs_on->at, none,
                   "cell '%.*s' has no key '%.*s', so its job has no machine: || 'ubuntu-latest'",
                   STR_ARG(without->id), STR_ARG(key));
}

static void check_timeout(const struct check *c, const struct node *job, nanos span, struct place at,
                          const char *what)
{
    const struct node *minutes = node_get(job, "timeout-minutes");
    nanos whole = minutes ? workflow_minutes(minutes) : GITHUB_HOURS * 3600 * NS_PER_S;
    struct buf text = {0};

    if (minutes && minutes->kind == NODE_STRING && template_has_expr(minutes->string))
        return;
    if (!span || whole >= span + CI_REPORT_MINUTES * 60 * NS_PER_S)
        return;
    span_format(&text, span);
    check_tell(c, minutes ? minutes->at : job->at, at,
               "GitHub ends the job before %s of %s is over, and nothing says where it hung", what,
               buf_text(&text));
    buf_release(&text);
}

/* ---- soaks ---- */

static const struct ci_soak *soak_in(const struct check *c, const struct node *job)
{
    const struct node *steps = node_get(job, "steps");

    for (uint32_t i = 0; steps && steps->kind == NODE_SEQ && i < steps->seq.count; i++) {
        struct step_view view = step_view(c, steps->seq.items[i]);

        for (uint32_t s = 0; view.does == STEP_SOAKS && s < c->facts->soak_count; s++)
            if (str_eq(view.profile, c->facts->soaks[s].profile))
                return &c->facts->soaks[s];
    }
    return NULL;
}

static bool starts_on(const struct check *c, const char *event)
{
    const struct node *on = node_get(c->root, "on");

    for (uint32_t i = 0; on && on->kind != NODE_MAP && i < node_list_count(on); i++)
        if (node_list_item(on, i)->kind == NODE_STRING && str_is(node_list_item(on, i)->string, event))
            return true;
    return node_get(on, event) != NULL;
}

static void check_schedule(const struct check *c, const struct node *job)
{
    const struct node *on = node_get(c->root, "on"), *condition = node_get(job, "if");
    size_t at;

    if (str_find(check_text(c, job, "if"), "'schedule'", &at) && !starts_on(c, "schedule"))
        check_tell(c, on ? on->at : c->root->at, job->at, "nothing starts the soak: 'on' has no schedule");
    if ((!condition || condition->kind == NODE_NULL) &&
        (starts_on(c, "push") || starts_on(c, "pull_request")))
        check_tell(c, job->at, on ? on->at : c->root->at,
                   "the soak runs with every push: if: github.event_name == 'schedule'");
}

/* What soaks is for the night; what tests is not. */
static void check_not_nightly(const struct check *c, const struct node *job)
{
    struct str text = check_text(c, job, "if");
    size_t at;

    if (str_find(text, "== 'schedule'", &at) && !str_find(text, "||", &at) &&
        (starts_on(c, "push") || starts_on(c, "pull_request")))
        check_tell(c, node_get(job, "if")->at, none, "the cases run on schedule alone, and with no push");
}

static void check_soaks(const struct check *c)
{
    for (uint32_t s = 0; s < c->facts->soak_count; s++) {
        bool there = false;

        for (uint32_t j = 0; j < c->jobs->map.count; j++)
            there |= soak_in(c, c->jobs->map.pairs[j].value) == &c->facts->soaks[s];
        if (!there)
            check_tell(c, c->jobs->at, c->facts->soaks[s].at,
                       "profile '%.*s' says how to soak, and no job does: command: soak, profile: %.*s",
                       STR_ARG(c->facts->soaks[s].profile), STR_ARG(c->facts->soaks[s].profile));
    }
}

/* ---- jobs ---- */

static void check_test_job(const struct check *c, const struct node *job)
{
    const struct node *matrix = node_get(node_get(job, "strategy"), "matrix");

    if (matrix) {
        check_matrix(c, job);
        check_name(c, job);
    }
    check_env(c, job, matrix != NULL);
    check_timeout(c, job, c->facts->session, c->facts->session_at, "the session");
}

static void check_job(const struct check *c, const struct node *job)
{
    const struct ci_soak *soak = soak_in(c, job);
    bool runs = job_does(c, job, STEP_RUNS);

    if (!runs && !job_does(c, job, STEP_SOAKS) && !job_does(c, job, STEP_PLANS))
        return;
    if (runs)
        check_test_job(c, job);
    if (!soak)
        check_not_nightly(c, job);
    if (runs && job_does(c, job, STEP_PLANS))
        check_tell(c, job->at, none, "the job that finds out the cells runs all cases itself: command: none");
    check_runs_on(c, job, runs && node_get(node_get(job, "strategy"), "matrix"));
    check_steps(c, job);
    if (soak) {
        check_timeout(c, job, soak->within, soak->at, "the soak");
        check_schedule(c, job);
    }
}

static bool check_one(const struct check *c, struct str id, struct diags *diags)
{
    const struct node *job = node_get_str(c->jobs, id);

    if (!job) {
        diag_error(diags, c->jobs->at, "the workflow has no job '%.*s'", STR_ARG(id));
        return false;
    }
    check_job(c, job);
    if (!job_does(c, job, STEP_RUNS) && !job_does(c, job, STEP_SOAKS))
        check_tell(c, job->at, none, "no step of job '%.*s' calls run-matrix", STR_ARG(id));
    return true;
}

static void check_all(const struct check *c)
{
    bool runs = false;

    for (uint32_t j = 0; j < c->jobs->map.count; j++) {
        check_job(c, c->jobs->map.pairs[j].value);
        runs |= job_does(c, c->jobs->map.pairs[j].value, STEP_RUNS);
    }
    if (!runs)
        check_tell(c, c->jobs->at, none, "no job calls run-matrix");
    check_soaks(c);
}

bool ci_workflow_check(struct arena *arena, const char *file, struct str text, struct str job,
                       const struct ci_facts *facts, struct diags *found, struct diags *diags)
{
    struct check c = {.arena = arena, .facts = facts, .found = found};

    c.root = yaml_load(arena, file, text, YAML_LIMITS, diags);
    if (!c.root)
        return false;
    c.jobs = node_get(c.root, "jobs");
    if (!c.jobs || c.jobs->kind != NODE_MAP || !c.jobs->map.count) {
        diag_error(diags, c.jobs ? c.jobs->at : c.root->at,
                   "not a workflow: 'jobs' is to be a mapping with one job at least");
        return false;
    }
    if (job.len)
        return check_one(&c, job, diags);
    check_all(&c);
    return true;
}
