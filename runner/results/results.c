#include "runner/results/internal.h"

#include "runner/base/hash.h"
#include "runner/base/mem.h"

#include <stdlib.h>

static const char *const words[RESULT_VERDICT_COUNT] = {
#define X(id, word) [id] = word,
    RESULT_VERDICTS(X)
#undef X
};

const char *result_verdict_word(enum result_verdict verdict)
{
    return words[verdict];
}

void results_init(struct results *results, const char *file)
{
    *results = (struct results){.announced = -1, .file = file};
    results->problems.arena = &results->arena;
    results->passed_text_left = RESULTS_TEXT_MOST / 4;
    results->text_left = RESULTS_TEXT_MOST - results->passed_text_left;
}

void results_go_on(struct results *results, const char *file)
{
    results->file = file;
}

void results_release(struct results *results)
{
    free(results->list);
    ids_release(results->ids);
    arena_release(&results->arena);
    *results = (struct results){0};
}

struct place results_place(const struct results *results, uint64_t line, uint64_t col)
{
    return (struct place){results->file, line > UINT32_MAX ? UINT32_MAX : (uint32_t)line,
                          col > UINT32_MAX ? UINT32_MAX : (uint32_t)col};
}

bool results_add(struct results *results, const struct result *result)
{
    if (results->count == RESULTS_MOST) {
        results->left_out++;
        return false;
    }
    GROW(results->list, results->count, results->cap);
    results->list[results->count] = *result;
    results->list[results->count].id = ids_unique(&results->ids, &results->arena, result->id);
    results->verdicts[result->verdict]++;
    results->count++;
    return true;
}

void results_add_missing(struct results *results, struct str id)
{
    const struct result result = {
        .id = arena_str(&results->arena, id), .verdict = RESULT_NOT_RUN, .duration = -1};

    results->untold += results_add(results, &result);
}

void results_settle(struct results *results, struct result *result, enum result_verdict verdict)
{
    results->verdicts[result->verdict]--;
    result->verdict = verdict;
    results->verdicts[verdict]++;
}

void results_feed(struct results_reader *reader, struct str bytes)
{
    reader->format->feed(reader, bytes);
}

void results_end(struct results_reader *reader)
{
    if (reader)
        reader->format->end(reader);
}

/* ---- ids ---- */

struct id_slot {
    struct str id; /* NULL: free */
    uint32_t hash;
    uint32_t times;
};

/* Open addressing; at least a third is free. */
struct result_ids {
    struct id_slot *slots;
    size_t size, count;
};

static struct id_slot *slot_of(const struct result_ids *ids, struct str id, uint32_t hash)
{
    size_t at = hash & (ids->size - 1);

    while (ids->slots[at].id.ptr && (ids->slots[at].hash != hash || !str_eq(ids->slots[at].id, id)))
        at = (at + 1) & (ids->size - 1);
    return &ids->slots[at];
}

static void grow(struct result_ids *ids)
{
    struct result_ids old = *ids;

    ids->size = old.size ? old.size * 2 : 64;
    ids->slots = mem_zero(ids->size, sizeof *ids->slots);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].id.ptr)
            *slot_of(ids, old.slots[i].id, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

static struct id_slot *look_up(struct result_ids *ids, struct str id)
{
    uint64_t hash = hash_add(HASH_START, id);

    return slot_of(ids, id, (uint32_t)(hash ^ hash >> 32));
}

static void enter(struct result_ids *ids, struct id_slot *slot, struct str id)
{
    uint64_t hash = hash_add(HASH_START, id);

    *slot = (struct id_slot){id, (uint32_t)(hash ^ hash >> 32), 1};
    ids->count++;
}

/*
 * A suite may well report one id twice: pytest does for a test that fails and whose tear-down fails too, others for
 * tests of the same name in different files. Each is a fact of its own and counts in the suite's own summary, so
 * neither may take the place of the other; but whoever keeps results by id needs ids that differ.
 */
struct str ids_unique(struct result_ids **where, struct arena *arena, struct str id)
{
    struct result_ids *ids = *where ? *where : (*where = mem_zero(1, sizeof **where));
    struct id_slot *first, *slot;
    struct str unique = id;

    if (ids->count * 3 >= ids->size * 2)
        grow(ids);
    if (!id.ptr)
        unique = id = str_of("");
    first = slot = look_up(ids, id);
    while (slot->id.ptr) {
        unique = str_of(arena_printf(arena, "%.*s#%u", STR_ARG(id), ++first->times));
        slot = look_up(ids, unique);
    }
    enter(ids, slot, unique);
    return unique;
}

void ids_release(struct result_ids *ids)
{
    if (ids)
        free(ids->slots);
    free(ids);
}
