#include "runner/case_results.h"

#include "runner/case_inside.h"

#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/mem.h"
#include "runner/outputs.h"
#include "runner/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- before it starts ---- */

bool case_results_lend(struct session *s, struct slot *slot, const char **path)
{
    struct workdir *folder = &slot->results.folder;

    *path = NULL;
    if (!recipe_has_results(&s->kitchen, session_planned(s, slot->on)))
        return true;
    if (workdir_lend_reports(s->run.fd, folder) < 0)
        return false;
    *path = arena_printf(&slot->arena, "%s/%s", s->run_path, folder->path);
    return true;
}

/* Of two that run side by side and write to one place nobody could say whose it is. */
static bool is_shared(const struct session *s, const struct slot *slot)
{
    const struct results_wish *wish = &slot->recipe.results;

    for (uint32_t i = 0; wish->paths && i < s->jobs; i++) {
        const struct slot *other = &s->slots[i];

        if (other != slot && other->busy && other->results.awaited &&
            other->recipe.results.kind == wish->kind && strcmp(other->recipe.results.paths, wish->paths) == 0)
            return true;
    }
    return false;
}

bool case_results_await(struct session *s, struct slot *slot)
{
    const struct results_wish *wish = &slot->recipe.results;
    struct case_results *results = &slot->results;

    if (wish->kind == RESULTS_NONE)
        return true;
    if (s->interactive && results_in_output(wish->kind)) {
        slot->setup =
            "its results are in its output, and '-s' on a terminal gives that to the terminal alone";
        return false;
    }
    if (is_shared(s, slot)) {
        slot->setup =
            arena_printf(&slot->arena,
                         "another case that runs beside it writes the same report '%.*s': put it into "
                         "$RUN_MATRIX_RESULTS, give it a name with '${{ matrix }}', or the test a 'lock'",
                         STR_ARG(wish->text));
        return false;
    }
    if (wish->paths)
        report_files_note(&results->before, wish->paths, &slot->arena);
    results->awaited = true;
    return true;
}

/* ---- what failed in an earlier attempt ---- */

struct earlier {
    struct arena *arena;
    struct str *ids;
    size_t count, cap;
};

static bool note_failure(void *user, const struct journal_result *result)
{
    struct earlier *earlier = user;

    if (verdict_counts(result->verdict) != COUNT_FAILED)
        return true;
    GROW(earlier->ids, earlier->count, earlier->cap);
    earlier->ids[earlier->count++] = arena_str(earlier->arena, result->id);
    return true;
}

static int by_text(const void *left, const void *right)
{
    return str_cmp(*(const struct str *)left, *(const struct str *)right);
}

/* Where they are gone, what was flaky in them is not known; that they are gone is for the reports to say. */
static void find_earlier(struct session *s, struct slot *slot, struct earlier *earlier)
{
    uint32_t torn;

    if (s->soak)
        return; /* those before were no tries of this one */
    for (uint32_t attempt = 1; attempt <= s->cases[slot->on].attempts; attempt++) {
        const char *path = outputs_path(slot, LAYOUT_CASES, attempt, JOURNAL_RESULTS_NAME);
        int fd = openat(s->run.fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

        if (fd >= 0)
            journal_results_read(fd, note_failure, earlier, &torn);
        fd_close(&fd);
    }
    if (earlier->count)
        qsort(earlier->ids, earlier->count, sizeof *earlier->ids, by_text);
}

/* ---- how each counts ---- */

static const enum verdict verdict_of[RESULT_VERDICT_COUNT] = {
    [RESULT_PASSED] = VERDICT_PASSED,   [RESULT_FAILED] = VERDICT_FAILED,
    [RESULT_ERROR] = VERDICT_ERROR,     [RESULT_SKIPPED] = VERDICT_SKIPPED,
    [RESULT_XFAILED] = VERDICT_XFAILED, [RESULT_XPASSED] = VERDICT_XPASSED,
    [RESULT_NOT_RUN] = VERDICT_NOT_RUN,
};

/* What is within a subtest that is expected to fail is expected, too; it stands before it in the list. */
static void expect_children(struct case_results *results, uint32_t parent)
{
    const struct result *list = results->results.list;
    struct str id = list[parent].id;

    for (uint32_t i = parent; i-- > 0;) {
        struct str child = list[i].id;

        if (child.len <= id.len || !str_eq(str_slice(child, 0, id.len), id) ||
            !str_starts(str_slice(child, id.len, child.len), "::"))
            break;
        if (results->verdicts[i] == VERDICT_FAILED)
            results->verdicts[i] = VERDICT_XFAILED;
    }
}

/* They are known as the record has them, without what is hidden. */
static bool failed_earlier(struct session *s, struct earlier *earlier, struct str id)
{
    if (!earlier->count)
        return false;
    id = mask_in(s->mask, earlier->arena, id);
    return bsearch(&id, earlier->ids, earlier->count, sizeof *earlier->ids, by_text) != NULL;
}

static void count_each(struct session *s, struct slot *slot, struct case_results *results)
{
    struct arena arena = {0};
    struct earlier earlier = {.arena = &arena};

    find_earlier(s, slot, &earlier);
    results->verdicts = mem_zero(results->results.count + (size_t)1, sizeof *results->verdicts);
    for (uint32_t i = 0; i < results->results.count; i++) {
        const struct result *result = &results->results.list[i];

        results->verdicts[i] = verdict_of[result->verdict];
        if (result->verdict == RESULT_PASSED && (result->reruns || failed_earlier(s, &earlier, result->id)))
            results->verdicts[i] = VERDICT_FLAKY;
        if (result->verdict == RESULT_XFAILED && result->is_a_parent)
            expect_children(results, i);
    }
    free(earlier.ids);
    arena_release(&arena);
}

const struct result_facts *case_results_read(struct session *s, struct slot *slot)
{
    struct case_results *results = &slot->results;

    if (!results->awaited || !slot->listed || slot->ending.spawned != SPAWN_EXECUTED)
        return NULL;
    results->facts = (struct result_facts){0};
    results->read = true;
    report_read(s, slot, results);
    case_inside_name(slot, results);
    count_each(s, slot, results);
    result_facts_make(slot, results);
    return &results->facts;
}

/* ---- the record ---- */

/* A subtest that only sums up is no test of its own. */
static void write_all(struct case_results *results, struct journal_results_out *out)
{
    for (uint32_t i = 0; i < results->results.count; i++) {
        const struct result *r = &results->results.list[i];
        struct journal_result record = {r->id,       results->verdicts[i],
                                        r->duration, r->message,
                                        r->details,  r->out,
                                        r->err,      r->file,
                                        r->line,     r->reruns};

        if (!r->is_a_parent)
            journal_results_add(out, &record);
    }
}

static void write_file(struct session *s, struct slot *slot, struct case_results *results)
{
    const char *path =
        outputs_path(slot, LAYOUT_CASES, s->cases[slot->on].attempts + 1u, JOURNAL_RESULTS_NAME);
    struct journal_results_out out;
    int error = errno;

    if (journal_results_create(&out, s->run.fd, path) < 0) {
        session_note(s, "cannot write '%s': %s", path, strerror(errno));
        return;
    }
    out.mask = s->mask;
    write_all(results, &out);
    case_inside_carry(s, slot, results, &out);
    error = journal_results_close(&out);
    if (error)
        session_note(s, "cannot write all of '%s': %s", path, strerror(error));
    results->record.path = str_of(path);
}

static void take_problems(struct slot *slot, struct case_results *results)
{
    const struct diags *problems = &results->results.problems;

    for (size_t i = 0; i < problems->count && i < JOURNAL_PROBLEMS_MOST; i++) {
        const char *place = place_text(&slot->arena, problems->list[i].at);

        results->problems[i] = str_of(arena_printf(&slot->arena, "%s: %s", place, problems->list[i].text));
        results->record.problem_count++;
    }
    results->record.problems = results->problems;
    results->record.problems_more =
        (uint32_t)(problems->errors + problems->warnings) - results->record.problem_count;
}

/* What could not be read is there to be looked at. */
static void keep_reports(struct session *s, struct slot *slot, struct case_results *results)
{
    const char *path = outputs_path(slot, LAYOUT_CASES, s->cases[slot->on].attempts + 1u, "reports");

    if (slot->worth != SOAK_ALL || !results->results.problems.errors ||
        !workdir_has_artifacts(&results->folder))
        return;
    if (workdir_move_artifacts(s->run.fd, &results->folder, path) < 0)
        session_note(s, "cannot keep '%s': %s", path, strerror(errno));
}

void case_results_record(struct session *s, struct slot *slot, struct journal_attempt *attempt)
{
    struct case_results *results = &slot->results;

    s->cases[slot->on].may_choose = !attempt->last && case_inside_may_choose(s, slot, attempt->verdict);
    if (!results->read || slot->recipe.is_inside)
        return;
    results->record = (struct journal_results){
        .announced = results->results.announced,
        .unlisted = results->facts.unlisted,
        .left_out = results->results.left_out,
        .asked =
            slot->recipe.asked_count ? case_choice(&s->front->plan, session_planned(s, slot->on)).count : 0,
        .report = str_of(results->report),
    };
    for (uint32_t i = 0; i < results->results.count; i++)
        results->record.verdicts[results->verdicts[i]] += !results->results.list[i].is_a_parent;
    take_problems(slot, results);
    if (slot->worth == SOAK_ALL && (results->results.count || slot->recipe.only_again))
        write_file(s, slot, results);
    keep_reports(s, slot, results);
    attempt->results = &results->record;
}

void case_results_clear(struct session *s, struct slot *slot)
{
    struct case_results *results = &slot->results;

    if (results->read)
        results_release(&results->results);
    free(results->verdicts);
    results->verdicts = NULL;
    results->report = NULL;
    results->read = results->awaited = false;
    results->before = (struct report_files){0};
    workdir_return_artifacts(s->run.fd, &results->folder, false);
}
