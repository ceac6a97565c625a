#include "runner/recipe/environment.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define OURS "RUN_MATRIX"
#define AXIS "RUN_MATRIX_AXIS_"

/* ---- what the caller has ---- */

static size_t name_length(const char *entry)
{
    return strcspn(entry, "=");
}

static struct str name_of(const char *entry)
{
    return (struct str){entry, name_length(entry)};
}

/*
 * A case that wrote to GitHub's command files would speak for the step; what an outer run says of its case is not
 * true of ours; TMPDIR is a folder of its own.
 */
static bool is_withheld(struct str name)
{
    static const char *const withheld[] = {"GITHUB_OUTPUT", "GITHUB_ENV",          "GITHUB_PATH",
                                           "GITHUB_STATE",  "GITHUB_STEP_SUMMARY", "TMPDIR"};

    for (size_t i = 0; i < ARRAY_LEN(withheld); i++)
        if (str_is(name, withheld[i]))
            return true;
    return str_is(name, OURS) || str_starts(name, OURS "_");
}

struct entry {
    struct str name;
    const char *text;
    size_t order; /* as it came: of two with one name getenv finds the first */
};

static int by_name(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = str_cmp(a->name, b->name);

    if (order)
        return order;
    return a->order < b->order ? -1 : a->order > b->order;
}

static struct entry *take_entries(const char *const *list, size_t *count)
{
    struct entry *entries;
    size_t all = 0;

    while (list && list[all])
        all++;
    entries = mem_zero(all + 1, sizeof *entries);
    *count = 0;
    for (size_t i = 0; i < all; i++) {
        struct entry entry = {name_of(list[i]), list[i], i};

        if (entry.name.len && list[i][entry.name.len] && !is_withheld(entry.name))
            entries[(*count)++] = entry;
    }
    qsort(entries, *count, sizeof *entries, by_name);
    return entries;
}

void environment_open(struct kitchen *kitchen)
{
    size_t count;
    struct entry *entries = take_entries(kitchen->environ, &count);

    kitchen->base = ARENA_ARRAY(kitchen->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !str_eq(entries[i].name, entries[i - 1].name)) {
            if (str_is(entries[i].name, "PATH"))
                kitchen->path = entries[i].text;
            kitchen->base[kitchen->caller_count++] = entries[i].text;
        }
    free(entries);
    kitchen->base_count = kitchen->caller_count;
    kitchen->base[kitchen->base_count++] = OURS "=1";
}

/* ---- what a case gets ---- */

bool environment_is_ours(struct str name)
{
    static const char *const ours[] = {
        OURS,
        OURS "_RUN_ID",
        OURS "_CASE_ID",
        OURS "_ATTEMPT",
        OURS "_CELL",
        OURS "_ARTIFACTS",
        OURS "_REG_ADDR",
        OURS "_ENV",
        OURS "_RESULTS",
        OURS "_BACKEND",
        OURS "_TRANSPORT",
        OURS "_CAPTURE",
        OURS "_OUTPUT",
        OURS "_STREAMS",
        OURS "_ACTOR",
        OURS "_DUMP",
    };

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_is(name, ours[i]))
            return true;
    return str_starts(name, AXIS);
}

void environment_init(struct environment *env, const struct kitchen *kitchen, struct arena *arena,
                      uint32_t more)
{
    *env = (struct environment){.kitchen = kitchen, .arena = arena, .count = kitchen->base_count};
    env->list = ARENA_ARRAY(arena, const char *, (size_t)kitchen->base_count + more + 1);
    memcpy(env->list, kitchen->base, kitchen->base_count * sizeof *env->list);
}

/* "NAME=value", the name and what is before it in one. */
static char *new_entry(struct arena *arena, struct str prefix, struct str name, struct str value)
{
    char *text = arena_alloc(arena, prefix.len + name.len + value.len + 2);
    char *at = text;

    at = mempcpy(at, prefix.ptr, prefix.len);
    at = mempcpy(at, name.ptr, name.len);
    *at++ = '=';
    memcpy(at, value.len ? value.ptr : "", value.len);
    return text;
}

void environment_add(struct environment *env, struct str name, struct str value)
{
    env->list[env->count++] = new_entry(env->arena, str_of(""), name, value);
}

void environment_add_axis(struct environment *env, struct str axis, struct str value)
{
    char *entry = new_entry(env->arena, str_of(AXIS), axis, value);
    char *name = entry + strlen(AXIS);

    for (size_t i = 0; i < axis.len; i++) {
        if (name[i] >= 'a' && name[i] <= 'z')
            name[i] = (char)(name[i] - 'a' + 'A');
        else if (!(name[i] >= 'A' && name[i] <= 'Z') && !(name[i] >= '0' && name[i] <= '9'))
            name[i] = '_';
    }
    env->list[env->count++] = entry;
}

/* Where the caller's variable of this name stands; the count where it has none. */
static uint32_t find_caller(const struct kitchen *kitchen, struct str name)
{
    uint32_t low = 0, high = kitchen->caller_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_cmp(name, name_of(kitchen->base[middle]));

        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return kitchen->caller_count;
}

const char *environment_of_caller(const struct kitchen *kitchen, const char *name)
{
    uint32_t at = find_caller(kitchen, str_of(name));

    return at < kitchen->caller_count ? kitchen->base[at] : NULL;
}

/* What was added to the caller's is little, and in no order. */
static uint32_t find(const struct environment *env, struct str name)
{
    uint32_t at = find_caller(env->kitchen, name);

    if (at < env->kitchen->caller_count)
        return at;
    while (at < env->count && !(env->list[at] && str_eq(name_of(env->list[at]), name)))
        at++;
    return at;
}

void environment_put(struct environment *env, struct str name, struct str value)
{
    uint32_t at = find(env, name);

    env->list[at] = new_entry(env->arena, str_of(""), name, value);
    env->count += at == env->count;
}

const char *environment_get(const struct environment *env, struct str name)
{
    uint32_t at = find(env, name);

    return at < env->count && env->list[at] ? env->list[at] + name.len + 1 : NULL;
}

void environment_remove(struct environment *env, struct str name)
{
    uint32_t at = find(env, name);

    env->holes |= at < env->count;
    env->list[at] = NULL;
}

char *const *environment_finish(struct environment *env)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; env->holes && i < env->count; i++)
        if (env->list[i])
            env->list[kept++] = env->list[i];
    if (env->holes)
        env->count = kept;
    env->list[env->count] = NULL;
    /* execve's type says less than it does: it writes to none of them. */
    return (char *const *)(uintptr_t)env->list;
}

static bool is_named(const struct variable *list, uint32_t count, struct str name)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_eq(list[i].name, name))
            return true;
    return false;
}

char *const *environment_with(struct arena *arena, char *const *envp, const struct variable *more,
                              uint32_t count)
{
    size_t all = 0, kept = 0;
    char **list;

    while (envp[all])
        all++;
    list = ARENA_ARRAY(arena, char *, all + count + 1);
    for (size_t i = 0; i < all; i++)
        if (!is_named(more, count, name_of(envp[i])))
            list[kept++] = envp[i];
    for (uint32_t i = 0; i < count; i++)
        if (!more[i].removed && !is_named(more + i + 1, count - i - 1, more[i].name))
            list[kept++] = new_entry(arena, str_of(""), more[i].name, more[i].value);
    list[kept] = NULL;
    return list;
}

char *environment_entry(char *const *envp, const char *name)
{
    size_t length = strlen(name);

    for (; *envp; envp++)
        if (strncmp(*envp, name, length) == 0 && (*envp)[length] == '=')
            return *envp;
    return NULL;
}

const char *environment_find(char *const *envp, const char *name)
{
    return environment_entry(envp, name);
}
