#include "runner/header.h"

#include "runner/base/mem.h"
#include "runner/base/utf8.h"
#include "runner/front_cell.h"
#include "runner/session.h"

#include <stdlib.h>
#include <string.h>

/* Of the end of a run beside its ladders: a tick of the watchdog, reaping, records and reports. */
#define REPORTS_AT_MOST (1500 * NS_PER_MS)

const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

/* "os=macos-latest, os=windows-latest": why cells are elsewhere. */
static void add_reasons(struct buf *out, const struct suite *suite)
{
    const char *separator = "";

    for (uint32_t k = 0; k < suite->cells.key_count; k++) {
        const struct cell_key *key = &suite->cells.keys[k];
        bool *used = suite->host[k] ? mem_zero(key->count, sizeof *used) : NULL;

        for (uint32_t cell = 0; used && cell < suite->cells.count; cell++)
            if (suite->elsewhere[cell] && cells_row(&suite->cells, cell)[k] != CELL_ABSENT)
                used[key->values[cells_row(&suite->cells, cell)[k]].alike] = true;
        for (uint32_t v = 0; used && v < key->count; v++) {
            if (!used[v])
                continue;
            buf_addf(out, "%s%.*s=%.*s", separator, STR_ARG(suite->key_names[k]), STR_ARG(key->values[v].id));
            separator = ", ";
        }
        free(used);
    }
}

void header_cells(struct buf *out, const struct suite *suite)
{
    uint32_t elsewhere = 0;

    for (uint32_t cell = 0; cell < suite->cells.count; cell++)
        elsewhere += suite->elsewhere[cell];
    utf8_show(out, str_of(suite->file));
    buf_addf(out, ": %u cell%s", suite->cells.count, plural(suite->cells.count));
    if (elsewhere) {
        struct buf reasons = {0};

        add_reasons(&reasons, suite);
        buf_addf(out, ": %u here, %u elsewhere", suite->cells.count - elsewhere, elsewhere);
        if (reasons.len) /* none where the job of a workflow is for one other machine */
            buf_addf(out, " (%s)", buf_text(&reasons));
        buf_release(&reasons);
    }
    buf_addc(out, '\n');
}

void header_implied(struct buf *out, const struct front *front)
{
    if (!front->implied)
        return;
    utf8_show(out, str_of(front->implied));
    buf_addc(out, '\n');
}

void header_recalled(struct buf *out, const struct front *front)
{
    if (front->recalled)
        buf_adds(out, front->recalled);
}

/* A test that mentions no axis does the same in every cell; that is rarely what was meant. */
void header_warn(const struct front *front, struct diags *diags)
{
    const struct suites *suites = &front->suites;

    for (uint32_t s = 0; s < suites->count; s++)
        for (uint32_t t = 0; t < suites->list[s]->test_count; t++) {
            const struct suite *suite = suites->list[s];
            const struct test *test = &suite->tests[t];
            bool bound = false;

            for (int axis = 0; axis < BUILT_IN_AXIS_COUNT; axis++)
                bound |= suite->bound[axis] != CELL_ABSENT;
            if (!suite->left_out && test->all_axes && !test->mentions_matrix && !bound &&
                suite->cells.count > 1)
                diag_warning(diags, test->node->at,
                             "test '%.*s' mentions no axis and runs in all %u cells; 'axes: []' runs it once",
                             STR_ARG(test->name), suite->cells.count);
        }
}

/* ---- of a run ---- */

nanos header_ending(nanos longest)
{
    return longest + WATCH_TICK + REPORTS_AT_MOST;
}

static void add_suites(const struct session *s, struct buf *out)
{
    for (uint32_t i = 0; i < s->front->suites.count; i++)
        if (!s->front->suites.list[i]->left_out &&
            (s->front->suites.list[i]->cells.axis_count || s->front->suites.list[i]->cells.key_count))
            header_cells(out, s->front->suites.list[i]);
}

/* Of a job of a matrix: ", cell backend=exec". */
static void add_cell(const struct front *front, struct buf *out)
{
    struct buf cell = {0};

    front_cell_words(front, &cell);
    if (cell.len) {
        buf_adds(out, ", cell ");
        utf8_show(out, buf_str(&cell));
    }
    buf_release(&cell);
}

static void add_run(const struct session *s, struct buf *out)
{
    buf_addf(out, "run %.*s: %u case%s, %u at a time", STR_ARG(s->run.id), s->case_count,
             plural(s->case_count), s->jobs);
    if (s->front->plan.count != s->front->plan.collected)
        buf_addf(out, ", of %u", s->front->plan.collected);
    add_cell(s->front, out);
    if (s->front->profile)
        buf_addf(out, ", profile %s", s->front->profile);
    if (s->resumed && !s->soak)
        buf_addf(out, ", %u left of it", queue_waiting(s->queue));
    buf_addc(out, '\n');
}

/* "contained by PID namespaces (no writable control group: ...)": what is chosen, and why nothing stronger. */
static void add_containment(const struct session *s, struct buf *out)
{
    buf_adds(out, "contained by ");
    for (int i = 0; i < CONTAINMENT_COUNT; i++)
        if (strcmp(s->containment, contain_word[i]) == 0)
            buf_addf(out, "%s%s", contain_words[i], i == CONTAIN_GROUP ? ", best effort" : "");
    if (s->containment_why && *s->containment_why) {
        buf_adds(out, " (");
        utf8_show(out, str_of(s->containment_why));
        buf_addc(out, ')');
    }
    buf_addc(out, '\n');
}

/* "3 of 8 cases may be run again, up to twice, 2 of them when all others are over" */
static void add_retries(const struct session *s, struct buf *out)
{
    const struct retry_plan *p = &s->retry_plan;

    if (!p->cases || s->soak)
        return;
    if (p->cases == s->case_count)
        buf_adds(out, "what fails may be run again");
    else
        buf_addf(out, "%u of %u cases may be run again where they fail", p->cases, s->case_count);
    buf_addf(out, ", up to %u time%s", p->most, plural(p->most));
    if (p->at_end == p->cases)
        buf_adds(out, ", when all others are over");
    else if (p->at_end)
        buf_addf(out, ", %u of them when all others are over", p->at_end);
    buf_adds(out, p->flaky_fails ? "; flaky fails the run\n" : "\n");
}

static void add_bounds(const struct session *s, struct buf *out)
{
    buf_adds(out, "an ending takes at most ");
    span_format(out, header_ending(s->longest_ending + s->longest_undoing));
    buf_adds(out, ": dump, ladder and reaping ");
    span_format(out, s->longest_ending);
    if (s->longest_undoing) {
        buf_adds(out, ", fixtures ");
        span_format(out, s->longest_undoing);
    }
    buf_adds(out, ", watchdog ");
    span_format(out, WATCH_TICK);
    buf_adds(out, ", records and reports ");
    span_format(out, REPORTS_AT_MOST);
    buf_adds(out, "; side by side for all cases\n");
}

void header_print(struct session *s)
{
    struct buf out = {0};

    if (s->style.verbose < 0)
        return;
    header_implied(&out, s->front);
    add_suites(s, &out);
    add_run(s, &out);
    header_recalled(&out, s->front);
    add_containment(s, &out);
    add_retries(s, &out);
    if (s->style.verbose > 0)
        add_bounds(s, &out);
    progress_output(s->progress, buf_str(&out));
    buf_release(&out);
}

/* ---- limits that do not hold ---- */

/* Nothing has to be allowed for who did not want control groups. */
static void note_unlimited(struct session *s, const char *key, const char *why)
{
    enum containment kind = contain_kind(s->contain);

    if (kind == CONTAIN_CGROUP)
        session_note(s, "'limits: %s' does not hold: %s; 'run-matrix doctor' says what would allow it", key,
                     why);
    else if (*s->containment_why)
        session_note(s, "'limits: %s' does not hold: %s (%s); 'run-matrix doctor' says what would allow it",
                     key, why, s->containment_why);
    else
        session_note(s, "'limits: %s' does not hold: %s, and '--contain' wants %s", key, why,
                     contain_words[kind]);
}

void header_limits(struct session *s, const struct contain_wants *wants)
{
    static const char *const keys[CGROUP_LIMIT_COUNT] = {
#define X(id, key) [id] = key,
        CGROUP_LIMITS(X)
#undef X
    };

    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++) {
        const char *why = wants->limits[i] ? contain_why_unlimited(s->contain, i) : NULL;

        if (why && !s->unlimited_noted[i])
            note_unlimited(s, keys[i], why);
        s->unlimited_noted[i] |= why != NULL;
    }
}
