/* From what a process said of its own tests to what the verdict has to know. */
#include "runner/base/mem.h"
#include "runner/base/utf8.h"
#include "runner/case_results.h"
#include "runner/session.h"

#define NAMES_MOST 5
#define NAME_MOST  ((size_t)100)

static const char *arena_text(struct slot *slot, struct buf *text)
{
    const char *kept = arena_cstr(&slot->arena, buf_str(text));

    buf_release(text);
    return kept;
}

/* "a, b, c and 7 more" */
static const char *failed_names(struct slot *slot, const struct case_results *results)
{
    struct buf text = {0};
    uint64_t named = 0;

    for (uint32_t i = 0; i < results->results.count && named < NAMES_MOST; i++) {
        const struct result *result = &results->results.list[i];

        if (result->is_a_parent || verdict_counts(results->verdicts[i]) != COUNT_FAILED)
            continue;
        buf_adds(&text, named++ ? ", " : "");
        buf_addstr(&text, utf8_cut(result->id, NAME_MOST));
        buf_adds(&text, result->id.len > NAME_MOST ? "..." : "");
    }
    if (results->facts.failed > named)
        buf_addf(&text, " and %llu more", (unsigned long long)(results->facts.failed - named));
    return arena_text(slot, &text);
}

/* Of lines the last one that has begun; of a report that was cut the one that it was cut in. */
static const char *open_test(struct slot *slot, const struct case_results *results)
{
    const struct results *all = &results->results;

    if (slot->recipe.results.kind != RESULTS_LINES && !all->cut)
        return NULL;
    for (uint32_t i = all->count - all->untold; i-- > 0;)
        if (all->list[i].verdict == RESULT_NOT_RUN)
            return arena_cstr(&slot->arena, utf8_cut(all->list[i].id, NAME_MOST));
    return NULL;
}

static void count_all(struct slot *slot, struct case_results *results)
{
    const struct results *all = &results->results;
    struct result_facts *f = &results->facts;

    for (uint32_t i = 0; i < all->count; i++) {
        if (all->list[i].is_a_parent)
            continue;
        if (results->verdicts[i] == VERDICT_NOT_RUN) {
            f->not_run++;
            continue;
        }
        f->reported++;
        f->failed += verdict_counts(results->verdicts[i]) == COUNT_FAILED;
        f->skipped += results->verdicts[i] == VERDICT_SKIPPED;
    }
    f->reported += all->left_out;
    if (slot->recipe.results.kind == RESULTS_TAP)
        f->unlisted = all->missing > RESULTS_MISSING_MOST ? all->missing - RESULTS_MISSING_MOST : 0;
    else if (slot->recipe.results.kind != RESULTS_LINES)
        f->unlisted = all->missing;
    else if (all->missing > f->not_run) /* what has a name is in the list */
        f->unlisted = all->missing - f->not_run;
    f->not_run += f->unlisted;
}

/* The reason of all when they have the same. */
static const char *skip_reason(struct slot *slot, const struct case_results *results)
{
    const struct results *all = &results->results;
    struct str reason = {0};

    if (!results->facts.reported)
        return all->skip_all.len ? arena_cstr(&slot->arena, all->skip_all) : "its plan is 1..0";
    for (uint32_t i = 0; i < all->count; i++) {
        if (all->list[i].is_a_parent)
            continue;
        if (!reason.ptr)
            reason = all->list[i].message;
        if (!reason.len || !str_eq(reason, all->list[i].message))
            return arena_printf(&slot->arena, "all of its %llu tests were skipped",
                                (unsigned long long)results->facts.reported);
    }
    return arena_cstr(&slot->arena, reason);
}

static bool is_skipped(const struct slot *slot, const struct case_results *results)
{
    const struct result_facts *f = &results->facts;
    bool empty_plan = slot->recipe.results.kind == RESULTS_TAP && results->results.announced == 0;

    return !f->not_run && !results->results.bailed_out && f->skipped == f->reported &&
           (f->reported || empty_plan);
}

/* ---- what is wrong with it ---- */

static const char *problem(struct slot *slot, const struct diag *diag)
{
    return arena_printf(&slot->arena, "%s: %s", place_text(&slot->arena, diag->at), diag->text);
}

static const struct diag *first_problem(const struct diags *diags, enum diag_severity least)
{
    for (size_t i = 0; i < diags->count; i++)
        if (diags->list[i].severity >= least)
            return &diags->list[i];
    return NULL;
}

static const char *why_empty(struct slot *slot, const struct case_results *results)
{
    const struct diag *first = first_problem(&results->results.problems, DIAG_ERROR);

    if (first)
        return arena_printf(&slot->arena, "its report cannot be read: %s", problem(slot, first));
    if (slot->recipe.results.kind == RESULTS_LINES)
        return "no line of its output matches the expression of 'lines'";
    if (slot->recipe.results.kind == RESULTS_TAP)
        return "there is no TAP in its output";
    return arena_printf(&slot->arena, "there is no test in its report '%s'", results->report);
}

static void find_wrong(struct slot *slot, struct case_results *results)
{
    const struct results *all = &results->results;
    const struct diag *first = first_problem(&all->problems, DIAG_WARNING);
    struct result_facts *f = &results->facts;

    if (f->missing)
        return;
    if (!f->reported && !f->not_run && !f->skip && !f->bail_out)
        f->missing = why_empty(slot, results);
    else if (all->cut)
        f->missing = arena_printf(&slot->arena, "not all of its report can be read: %s",
                                  problem(slot, first_problem(&all->problems, DIAG_ERROR)));
    else if (all->unsound && !f->bail_out)
        f->missing = arena_printf(&slot->arena, "its report is not sound: %s",
                                  problem(slot, first_problem(&all->problems, DIAG_ERROR)));
    else if (first)
        f->problem = problem(slot, first);
}

void result_facts_make(struct slot *slot, struct case_results *results)
{
    const struct results *all = &results->results;
    struct result_facts *f = &results->facts;

    count_all(slot, results);
    if (all->bailed_out)
        f->bail_out = arena_cstr(&slot->arena, all->bail_out);
    if (f->failed)
        f->failed_names = failed_names(slot, results);
    f->open = open_test(slot, results);
    if (is_skipped(slot, results))
        f->skip = skip_reason(slot, results);
    find_wrong(slot, results);
}
