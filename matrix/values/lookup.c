#include "matrix/values/lookup.h"

#include "matrix/values/fold.h"
#include "runner/base/hash.h"
#include "runner/base/mem.h"

#include <stdlib.h>

#define WORD_PRIME 1099511628211u
#define SIZE_LEAST 16 /* a power of two, as every size of a table */

struct lookup_slot {
    uint64_t hash;
    uint32_t number;
    bool taken;
};

void lookup_release(struct lookup *lookup)
{
    free(lookup->slots);
    *lookup = (struct lookup){0};
}

static void put(struct lookup *lookup, struct lookup_slot slot)
{
    size_t at = slot.hash & (lookup->size - 1);

    while (lookup->slots[at].taken)
        at = (at + 1) & (lookup->size - 1);
    lookup->slots[at] = slot;
}

static void grow(struct lookup *lookup)
{
    struct lookup old = *lookup;

    lookup->size = old.size ? old.size * 2 : SIZE_LEAST;
    lookup->slots = mem_zero(lookup->size, sizeof *lookup->slots);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].taken)
            put(lookup, old.slots[i]);
    free(old.slots);
}

void lookup_add(struct lookup *lookup, uint64_t hash, uint32_t number)
{
    if (lookup->used * 2 >= lookup->size)
        grow(lookup);
    put(lookup, (struct lookup_slot){hash, number, true});
    lookup->used++;
}

uint32_t lookup_next(const struct lookup *lookup, uint64_t hash, size_t *cursor)
{
    while (*cursor < lookup->size) {
        const struct lookup_slot *slot = &lookup->slots[(hash + (*cursor)++) & (lookup->size - 1)];

        if (!slot->taken)
            break;
        if (slot->hash == hash)
            return slot->number;
    }
    return LOOKUP_NONE;
}

/* FNV leaves its low bits poor, and they choose the slot. */
static uint64_t finish(uint64_t hash)
{
    return hash ^ hash >> 29;
}

uint64_t hash_text(struct str text)
{
    return finish(hash_add(HASH_START, text));
}

/* A word at a time: sets of rules are long, and there is one per cell. */
uint64_t hash_words(const uint64_t *words, size_t count)
{
    uint64_t hash = HASH_START;

    for (size_t i = 0; i < count; i++)
        hash = finish((hash ^ words[i]) * WORD_PRIME);
    return hash;
}

static uint64_t hash_name(struct str name)
{
    struct buf upper = {0};
    uint64_t hash;

    fold_add(&upper, name);
    hash = hash_text(buf_str(&upper));
    buf_release(&upper);
    return hash;
}

void names_release(struct names *names)
{
    lookup_release(&names->lookup);
    free(names->list);
    *names = (struct names){0};
}

uint32_t names_find(const struct names *names, struct str name)
{
    uint64_t hash = hash_name(name);
    size_t cursor = 0;
    uint32_t i;

    while ((i = lookup_next(&names->lookup, hash, &cursor)) != LOOKUP_NONE)
        if (fold_equal(names->list[i], name))
            break;
    return i;
}

uint32_t names_add(struct names *names, struct str name)
{
    uint32_t found = names_find(names, name);

    if (found != LOOKUP_NONE)
        return found;
    GROW(names->list, names->count, names->cap);
    names->list[names->count] = name;
    lookup_add(&names->lookup, hash_name(name), names->count);
    return names->count++;
}
