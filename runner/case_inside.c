#include "runner/case_inside.h"

#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/mem.h"
#include "runner/outputs.h"
#include "runner/session.h"

#include <fcntl.h>
#include <stdlib.h>

#define LOOKS_MOST 10000000u /* for those that are called otherwise: then they count as missing */

_Static_assert(PRESET_ID_MOST == RESULT_ID_MOST, "what is listed is called as what is told");

static int by_text(const void *left, const void *right)
{
    return str_cmp(*(const struct str *)left, *(const struct str *)right);
}

/* ---- names ---- */

static void rename_all(const struct preset *preset, struct results *results)
{
    for (uint32_t i = 0; i < results->count; i++)
        results->list[i].id =
            preset_result_id(preset, &results->arena, results->list[i].id, results->list[i].file);
}

static struct str *sorted_ids(const struct results *results)
{
    struct str *ids = mem_alloc((results->count + (size_t)1) * sizeof *ids);

    for (uint32_t i = 0; i < results->count; i++)
        ids[i] = results->list[i].id;
    if (results->count)
        qsort(ids, results->count, sizeof *ids, by_text);
    return ids;
}

/* Under another name; from here on under that of the listing. */
static bool find_alike(const struct slot *slot, struct results *results, struct str asked, uint32_t *looks)
{
    const struct preset *preset = slot->recipe.results.preset;

    for (uint32_t i = 0; preset && i < results->count && *looks < LOOKS_MOST; i++, ++*looks)
        if (preset_is_of(preset, results->list[i].id, asked)) {
            results->list[i].id = arena_str(&results->arena, asked);
            return true;
        }
    return false;
}

static bool take_name(struct results *results, uint32_t told, struct str id)
{
    for (uint32_t i = 0; i < told; i++)
        if (results->list[i].nameless) {
            results->list[i].nameless = false;
            results->list[i].id = arena_str(&results->arena, id);
            return true;
        }
    return false;
}

/* Of several that are missing nobody knows which one was begun, and the first of them stands for it. */
static void add_missing(const struct slot *slot, struct results *results)
{
    struct str *ids = sorted_ids(results);
    uint32_t told = results->count, looks = 0;

    for (uint32_t i = 0; i < slot->recipe.asked_count; i++) {
        struct str asked = slot->recipe.asked[i].id;

        if (!bsearch(&asked, ids, told, sizeof *ids, by_text) && !find_alike(slot, results, asked, &looks) &&
            !take_name(results, told, asked))
            results_add_missing(results, asked);
    }
    free(ids);
}

/* Criterion says of all others that they were skipped. */
static void leave_out_others(const struct slot *slot, struct results *results)
{
    struct str *asked = mem_alloc(slot->recipe.asked_count * sizeof *asked);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < slot->recipe.asked_count; i++)
        asked[i] = slot->recipe.asked[i].id;
    qsort(asked, slot->recipe.asked_count, sizeof *asked, by_text);
    for (uint32_t i = 0; i < results->count; i++) {
        const struct result *result = &results->list[i];

        if (result->verdict == RESULT_SKIPPED &&
            !bsearch(&result->id, asked, slot->recipe.asked_count, sizeof *asked, by_text))
            results->verdicts[RESULT_SKIPPED]--;
        else
            results->list[kept++] = *result;
    }
    results->count = kept;
    free(asked);
}

void case_inside_name(struct slot *slot, struct case_results *results)
{
    const struct preset *preset = slot->recipe.results.preset;

    if (preset)
        rename_all(preset, &results->results);
    if (!slot->recipe.asked_count || results->facts.missing)
        return;
    if (preset && preset_reports_others(preset))
        leave_out_others(slot, &results->results);
    if (!results->results.cut && !results->results.bailed_out)
        add_missing(slot, &results->results);
}

/* ---- a case that is one of them ---- */

/* Its own result, when it has one and nothing else is told. */
static const struct result *only_result(const struct slot *slot)
{
    const struct results *results = &slot->results.results;

    return slot->recipe.is_inside && slot->results.read && results->count == 1 ? results->list : NULL;
}

void case_inside_settle(const struct slot *slot, struct judgement *judgement)
{
    const struct result *result = only_result(slot);
    enum verdict verdict;

    if (!result)
        return;
    verdict = slot->results.verdicts[0];
    if (judgement->verdict == VERDICT_PASSED && (verdict == VERDICT_XFAILED || verdict == VERDICT_XPASSED))
        judgement->verdict = verdict;
    else if (judgement->verdict != VERDICT_FAILED || verdict_counts(verdict) != COUNT_FAILED)
        return;
    buf_clear(&judgement->reason);
    buf_addstr(&judgement->reason, result->message);
}

/* ---- once more ---- */

/* The record is where the next attempt finds what it has to ask for, and what is hidden there nobody can ask for. */
static bool any_is_hidden(const struct session *s, const struct case_results *results)
{
    struct arena arena = {0};
    bool hidden = false;

    for (uint32_t i = 0; i < results->results.count && !hidden; i++) {
        struct str id = results->results.list[i].id;

        hidden = verdict_counts(results->verdicts[i]) == COUNT_FAILED &&
                 mask_in(s->mask, &arena, id).ptr != id.ptr;
    }
    arena_release(&arena);
    return hidden;
}

bool case_inside_may_choose(const struct session *s, const struct slot *slot, enum verdict verdict)
{
    const struct result_facts *facts = &slot->results.facts;

    for (uint32_t i = 0; i < slot->left_count; i++)
        if (slot->left[i].fails)
            return false; /* which of them left it behind is not known */
    return slot->results.read && !slot->recipe.is_inside && verdict == VERDICT_FAILED && facts->failed &&
           !facts->not_run && !facts->missing && !facts->bail_out && !any_is_hidden(s, &slot->results);
}

static int open_before(struct session *s, struct slot *slot)
{
    const char *path = outputs_path(slot, LAYOUT_CASES, s->cases[slot->on].attempts, JOURNAL_RESULTS_NAME);

    return openat(s->run.fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

struct again {
    struct arena *arena;
    const struct preset *preset;
    struct preset_test *list;
    uint32_t count, cap;
    bool unknown; /* of some nobody can say what the suite calls them */
};

static bool note_failed(void *user, const struct journal_result *result)
{
    struct again *again = user;
    struct str id, name;

    if (verdict_counts(result->verdict) != COUNT_FAILED)
        return true;
    id = name = arena_str(again->arena, result->id);
    if (again->preset && !preset_name_of(again->preset, again->arena, id, &name))
        again->unknown = true;
    GROW(again->list, again->count, again->cap);
    again->list[again->count++] = (struct preset_test){.id = id, .name = name};
    return !again->unknown;
}

static bool can_choose(const struct session *s, const struct slot *slot)
{
    const struct node *test = case_test(&s->front->suites, session_planned(s, slot->on))->node;

    return node_get(test, "preset") || node_get(test, "discover");
}

/* Its recipe is not made yet, and its files are found by its id. */
static void name_case(const struct session *s, struct slot *slot)
{
    struct buf id = {0};

    session_case_id(s, slot->on, &id);
    slot->recipe.id = arena_str(&slot->arena, buf_str(&id));
    buf_release(&id);
}

const struct preset_test *case_inside_again(struct session *s, struct slot *slot, uint32_t *count)
{
    struct again again = {.arena = &slot->arena};
    struct preset_test *list = NULL;
    uint32_t torn = 0;
    int fd;

    *count = 0;
    if (!s->cases[slot->on].may_choose || !s->cases[slot->on].attempts || !can_choose(s, slot))
        return NULL;
    name_case(s, slot);
    again.preset = recipe_preset(&s->kitchen, session_planned(s, slot->on));
    fd = open_before(s, slot);
    if (fd >= 0 && journal_results_read(fd, note_failed, &again, &torn) == 0 && !torn && !again.unknown) {
        *count = again.count;
        list = ARENA_ARRAY(&slot->arena, struct preset_test, again.count);
        for (uint32_t i = 0; i < again.count; i++)
            list[i] = again.list[i];
    }
    fd_close(&fd);
    free(again.list);
    return list;
}

struct carry {
    struct case_results *results;
    struct journal_results_out *out;
    struct str *ids;
};

static bool carry_one(void *user, const struct journal_result *result)
{
    struct carry *carry = user;

    if (bsearch(&result->id, carry->ids, carry->results->results.count, sizeof *carry->ids, by_text))
        return true;
    journal_results_add(carry->out, result);
    carry->results->record.verdicts[result->verdict]++;
    return true;
}

void case_inside_carry(struct session *s, struct slot *slot, struct case_results *results,
                       struct journal_results_out *out)
{
    struct carry carry = {results, out, NULL};
    uint32_t torn = 0;
    int fd;

    if (!slot->recipe.only_again)
        return;
    fd = open_before(s, slot);
    carry.ids = sorted_ids(&results->results);
    if (fd >= 0)
        journal_results_read(fd, carry_one, &carry, &torn);
    fd_close(&fd);
    free(carry.ids);
}
