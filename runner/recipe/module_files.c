/* Which files with C tests a `module` means, and what their tests are called after. */
#include "runner/recipe/internal.h"

#include "runner/base/id.h"
#include "runner/base/mem.h"
#include "runner/sources/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct found_files {
    struct cooking *k;
    struct module_file *list;
    uint32_t count, cap;
};

/* In what a glob reads. */
static bool is_special(char c)
{
    return c == '*' || c == '?' || c == '[' || c == '\\';
}

static bool is_pattern(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_special(text.ptr[i]))
            return true;
    return false;
}

/* The folders of a pattern that are the same in all that it matches. */
static size_t same_folders(struct str pattern)
{
    size_t slash = 0;

    for (size_t i = 0; i < pattern.len && !is_special(pattern.ptr[i]); i++)
        if (pattern.ptr[i] == '/')
            slash = i + 1;
    return slash;
}

/* The folder of the suite is no pattern. */
static const char *whole_pattern(struct cooking *k, struct str pattern)
{
    struct buf whole = {0};
    const char *text;

    for (const char *c = pattern.ptr[0] == '/' ? "" : k->suite->dir; *c; c++) {
        if (is_special(*c))
            buf_addc(&whole, '\\');
        buf_addc(&whole, *c);
    }
    buf_addstr(&whole, pattern);
    text = arena_cstr(k->arena, buf_str(&whole));
    buf_release(&whole);
    return text;
}

static const char *why_not(struct cooking *k, const char *path)
{
    struct str text = str_of(path);
    struct stat st;

    if (stat(path, &st) < 0)
        return arena_printf(k->arena, "'%s': %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return arena_printf(k->arena, "'%s' is no file", path);
    if (source_is(text) || module_is_shared(path) || access(path, X_OK) == 0)
        return NULL;
    return arena_printf(
        k->arena, "'%s' is no C source (.c), no module (.so), and no program: it may not be executed", path);
}

static void add_file(struct found_files *found, const char *path, struct str id, const char *problem)
{
    GROW(found->list, found->count, found->cap);
    found->list[found->count++] = (struct module_file){path, id, problem};
}

/* Below the folders that are the same, without its ending. */
static struct str id_of_file(struct cooking *k, struct str path, size_t folders)
{
    static const char *const endings[] = {".so", ".c"};
    struct str name = str_slice(path, folders < path.len ? folders : 0, path.len);
    struct buf id = {0};

    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (str_ends(name, endings[i]) && name.len > strlen(endings[i])) {
            name.len -= strlen(endings[i]);
            break;
        }
    id_escape(&id, name);
    name = arena_str(k->arena, buf_str(&id));
    buf_release(&id);
    return name;
}

/* Two patterns may match one file; two files must not have one name. */
static void take_file(struct found_files *found, const char *path, struct str id)
{
    struct cooking *k = found->k;

    for (uint32_t i = 0; i < found->count; i++) {
        const struct module_file *other = &found->list[i];

        if (other->path && strcmp(other->path, path) == 0)
            return;
        if (other->path && str_eq(other->id, id)) {
            const char *problem =
                arena_printf(k->arena, "'%s' and '%s' would have the same ids: give each a test of its own",
                             other->path, path);

            id = str_of(arena_printf(k->arena, "%.*s%%23%u", STR_ARG(id), found->count));
            add_file(found, path, id, problem);
            return;
        }
    }
    add_file(found, path, id, why_not(k, path));
}

/* One for all that is missing: it is the test's own, and has its id. */
static void add_missing(struct found_files *found, const char *why)
{
    for (uint32_t i = 0; i < found->count; i++)
        if (!found->list[i].path) {
            found->list[i].problem = arena_printf(found->k->arena, "%s; %s", found->list[i].problem, why);
            return;
        }
    add_file(found, NULL, (struct str){0}, why);
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What a folder of tests holds; `folders`: so much of their paths is not in ids. */
static void take_folder(struct found_files *found, const char *path, size_t folders, bool by_pattern)
{
    struct cooking *k = found->k;
    struct str *paths;
    size_t count;
    int error = sources_below(k->arena, path, &paths, &count);

    if (error || (!count && !by_pattern))
        add_missing(found, arena_printf(k->arena, "'%s': %s", path,
                                        error ? strerror(error) : "no test_*.c and no test_*.so is in it"));
    for (size_t i = 0; i < count; i++)
        take_file(found, paths[i].ptr, id_of_file(k, paths[i], folders));
}

/* What a pattern for sources matches beside them. */
static bool is_fixtures(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    return source_is(str_of(name)) && str_starts(str_of(name), "fixtures_");
}

/* The file that a test is stands for itself, and is in no id. */
static void take_path(struct found_files *found, const char *path, size_t folders, bool by_pattern,
                      bool alone)
{
    size_t len = strlen(path);

    if (is_folder(path))
        take_folder(found, path, by_pattern ? folders : len + (len && path[len - 1] != '/'), by_pattern);
    else if (!by_pattern || !is_fixtures(path))
        take_file(found, path, alone ? (struct str){0} : id_of_file(found->k, str_of(path), folders));
}

static void find_matching(struct found_files *found, struct str pattern, bool alone)
{
    struct cooking *k = found->k;
    const char *whole = whole_pattern(k, pattern);
    size_t folders = same_folders(pattern) + (pattern.ptr[0] == '/' ? 0 : strlen(k->suite->dir));
    struct str *paths;
    size_t count;
    int error = k->suite->world->glob(k->suite->world->user, k->arena, whole, &paths, &count);

    if (error || !count)
        add_missing(found, arena_printf(k->arena, "'%.*s': %s", STR_ARG(pattern),
                                        error                 ? strerror(error)
                                        : is_pattern(pattern) ? "it matches no file"
                                                              : "there is no such file"));
    for (size_t i = 0; i < count; i++)
        take_path(found, arena_cstr(k->arena, paths[i]), folders, is_pattern(pattern), alone);
}

/* One file by its name is what the test is; of several each says which it is, however many there happen to be. */
static bool is_alone(struct cooking *k)
{
    struct str text;

    return k->shared->modules.count == 1 && word_text(k, &k->shared->modules.list[0], &text) &&
           !is_pattern(text);
}

struct module_file *module_files(struct cooking *k, uint32_t *count)
{
    struct found_files found = {.k = k};
    bool alone = is_alone(k);
    struct module_file *list;
    struct str text;

    for (uint32_t i = 0; i < k->shared->modules.count; i++)
        if (word_text(k, &k->shared->modules.list[i], &text) && text.len)
            find_matching(&found, text, alone);
    *count = found.count;
    list = ARENA_ARRAY(k->arena, struct module_file, found.count);
    for (uint32_t i = 0; i < found.count; i++)
        list[i] = found.list[i];
    free(found.list);
    return list;
}
