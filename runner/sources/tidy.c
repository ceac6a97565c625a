/* What nobody has used for long leaves the cache. */
#include "runner/sources/sources.h"

#include "runner/base/clock.h"
#include "runner/base/dir.h"
#include "runner/base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD_AFTER (48 * 3600 * NS_PER_S) /* nobody uses it: that would have been noted (cache.c) */

struct kept {
    const char *name; /* below the cache */
    nanos used;       /* ago */
    uint64_t size;
};

struct tidying {
    struct cache *cache;
    struct arena arena;
    nanos now;
    struct kept *list;
    size_t count, cap;
    uint64_t size;
};

static void note(struct tidying *t, const char *name)
{
    struct stat st;

    if (fstatat(t->cache->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    GROW(t->list, t->count, t->cap);
    t->list[t->count++] =
        (struct kept){name, t->now - st.st_mtim.tv_sec * NS_PER_S, (uint64_t)st.st_blocks * 512};
    t->size += (uint64_t)st.st_blocks * 512;
}

static void note_all(struct tidying *t, const char *folder)
{
    struct str *names;
    size_t count;

    if (dir_list(t->cache->fd, folder, &t->arena, &names, &count) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        note(t, arena_printf(&t->arena, "%s/%s", folder, names[i].ptr));
}

static int oldest_first(const void *left, const void *right)
{
    const struct kept *a = left, *b = right;

    return (a->used < b->used) - (a->used > b->used);
}

static void remove_until(struct tidying *t, uint64_t most)
{
    if (t->count)
        qsort(t->list, t->count, sizeof *t->list, oldest_first);
    for (size_t i = 0; i < t->count && t->size > most && t->list[i].used > OLD_AFTER; i++)
        if (unlinkat(t->cache->fd, t->list[i].name, 0) == 0)
            t->size -= t->list[i].size;
    t->count = 0;
    t->size = 0;
}

void cache_tidy(struct cache *cache, uint64_t most)
{
    struct tidying t = {.cache = cache, .now = clock_wall()};

    note_all(&t, "tmp"); /* whoever was making it is dead */
    remove_until(&t, 0);
    note_all(&t, "keys");
    note_all(&t, "made");
    remove_until(&t, most);
    free(t.list);
    arena_release(&t.arena);
}
