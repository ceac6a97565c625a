/* Tests in folders, known by their names. */
#include "runner/sources/sources.h"

#include "runner/base/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MOST 40u

struct search {
    struct arena *arena;
    struct str *list;
    size_t count, cap;
    int error; /* the first */
};

bool source_is(struct str path)
{
    return path.len > 2 && str_ends(path, ".c");
}

bool source_is_test(struct str name)
{
    return str_starts(name, "test_") && (source_is(name) || str_ends(name, ".so"));
}

static void add(struct search *s, struct str path)
{
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        struct str *list = ARENA_ARRAY(s->arena, struct str, cap);

        if (s->count)
            memcpy(list, s->list, s->count * sizeof *list);
        s->list = list;
        s->cap = cap;
    }
    s->list[s->count++] = path;
}

static bool has_name(const struct str *names, size_t count, struct str stem, const char *ending)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].len == stem.len + strlen(ending) && str_eq(str_slice(names[i], 0, stem.len), stem) &&
            str_ends(names[i], ending))
            return true;
    return false;
}

/* What was built of a source that stands beside it is that source's affair. */
static bool is_of_source(const struct str *names, size_t count, struct str name)
{
    return str_ends(name, ".so") &&
           has_name(names, count, str_slice(name, 0, name.len - strlen(".so")), ".c");
}

static mode_t kind_of(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return 0;
    if (S_ISLNK(st.st_mode) && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    return st.st_mode & S_IFMT;
}

static void search(struct search *s, const char *folder, unsigned depth)
{
    struct str *names;
    size_t count;

    if (dir_list(AT_FDCWD, *folder ? folder : ".", s->arena, &names, &count) < 0) {
        s->error = s->error ? s->error : errno;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(s->arena, "%s%s", folder, names[i].ptr);

        if (names[i].ptr[0] == '.')
            continue;
        if (source_is_test(names[i]) && !is_of_source(names, count, names[i]) && kind_of(path) == S_IFREG)
            add(s, str_of(path));
        else if (depth && kind_of(path) == S_IFDIR)
            search(s, arena_printf(s->arena, "%s/", path), depth - 1);
    }
}

int sources_below(struct arena *arena, const char *folder, struct str **paths, size_t *count)
{
    struct search s = {.arena = arena};
    const char *slash = !*folder || str_ends(str_of(folder), "/") ? "" : "/";

    search(&s, arena_printf(arena, "%s%s", folder, slash), DEPTH_MOST);
    *paths = s.list;
    *count = s.count;
    return s.count ? 0 : s.error; /* one folder that may not be read is not all of them */
}

int sources_fixtures(struct arena *arena, const char *file, struct str **paths, size_t *count)
{
    struct search s = {.arena = arena};
    const char *slash = strrchr(file, '/');
    struct str folder = {file, slash ? (size_t)(slash + 1 - file) : 0};
    struct str *names;
    size_t name_count;

    *count = 0;
    if (dir_list(AT_FDCWD, folder.len ? arena_cstr(arena, folder) : ".", arena, &names, &name_count) < 0)
        return errno;
    for (size_t i = 0; i < name_count; i++)
        if (str_starts(names[i], "fixtures_") && source_is(names[i]))
            add(&s, str_of(arena_printf(arena, "%.*s%s", STR_ARG(folder), names[i].ptr)));
    *paths = s.list;
    *count = s.count;
    return 0;
}
