#include "runner/leaks/internal.h"

#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <stdlib.h>

const char *const leak_keys[LEAK_KIND_COUNT] = {
#define X(id, key, words, allow) key,
    LEAK_KINDS(X)
#undef X
};

const char *const leak_words[LEAK_KIND_COUNT] = {
#define X(id, key, words, allow) words,
    LEAK_KINDS(X)
#undef X
};

void leak_list_release(struct leak_list *leaks)
{
    free(leaks->list);
    leaks->list = NULL;
    leaks->count = leaks->cap = 0;
}

struct leak *leak_find(const struct leak_list *leaks, enum leak_kind kind, struct str what)
{
    for (size_t i = 0; i < leaks->count; i++)
        if (leaks->list[i].kind == kind && str_eq(leaks->list[i].what, what))
            return &leaks->list[i];
    return NULL;
}

struct str leak_harmless(struct leak_list *leaks, struct str words)
{
    struct buf shown = {0};
    struct str copy;

    utf8_show(&shown, words);
    copy = arena_str(leaks->arena, buf_str(&shown));
    buf_release(&shown);
    return copy;
}

struct leak *leak_add(struct leak_list *leaks, enum leak_kind kind, struct str what, struct str words)
{
    struct leak *leak;

    GROW(leaks->list, leaks->count, leaks->cap);
    leak = &leaks->list[leaks->count++];
    *leak = (struct leak){
        .kind = kind,
        .what = arena_str(leaks->arena, what),
        .words = leak_harmless(leaks, words),
        .number = -1,
    };
    return leak;
}
