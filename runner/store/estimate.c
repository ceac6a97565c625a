/* How long cases took: a table of the last known durations by id. */
#include "runner/base/dir.h"
#include "runner/base/hash.h"
#include "runner/base/io.h"
#include "runner/store/internal.h"

#include <string.h>

struct estimate {
    struct str id; /* no text: a free place */
    nanos duration;
    size_t run; /* which of the newest it is from */
};

struct estimates {
    struct arena *arena;
    struct estimate *places;
    size_t count, cap; /* cap: a power of two, 0 at first */
    size_t run;        /* that is being read */
};

/* Where it is, or where it would be put. */
static struct estimate *find(struct estimate *places, size_t cap, struct str id)
{
    uint64_t hash = hash_add(HASH_START, id);
    size_t at = (hash ^ hash >> 32) & (cap - 1);

    while (places[at].id.ptr && !str_eq(places[at].id, id))
        at = (at + 1) & (cap - 1);
    return &places[at];
}

static void grow(struct estimates *e)
{
    size_t cap = e->cap ? e->cap * 2 : 1024;
    struct estimate *places = ARENA_ARRAY(e->arena, struct estimate, cap);

    for (size_t i = 0; i < e->cap; i++)
        if (e->places[i].id.ptr)
            *find(places, cap, e->places[i].id) = e->places[i];
    e->places = places;
    e->cap = cap;
}

/* The newest run that knows a case is believed, and in it the last attempt. */
static void add(void *user, struct str id, nanos duration)
{
    struct estimates *e = user;
    struct estimate *place;

    if (e->count >= e->cap / 2)
        grow(e);
    place = find(e->places, e->cap, id);
    if (!place->id.ptr) {
        *place = (struct estimate){arena_str(e->arena, id), duration, e->run};
        e->count++;
    } else if (place->run == e->run) {
        place->duration = duration;
    }
}

struct estimates *estimates_load(struct store *store, size_t runs, struct arena *arena)
{
    struct estimates *e = ARENA_NEW(arena, struct estimates);
    uint64_t budget = ESTIMATES_BYTES;
    struct arena scratch = {0};
    struct str *names;
    size_t count = store_runs(store, runs, &scratch, &names);

    e->arena = arena;
    for (; e->run < count; e->run++) {
        int folder = dir_open(store->fd, run_path(&scratch, names[e->run]));

        if (folder >= 0)
            journal_durations(folder, &budget, add, e);
        fd_close(&folder);
    }
    arena_release(&scratch);
    return e;
}

nanos estimates_get(const struct estimates *estimates, struct str id)
{
    const struct estimate *place;

    if (!estimates->cap)
        return -1;
    place = find(estimates->places, estimates->cap, id);
    return place->id.ptr ? place->duration : -1;
}
