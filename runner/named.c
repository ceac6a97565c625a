#include "runner/named.h"

#include "runner/listing.h"
#include "runner/sources/sources.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct place nowhere = {0};

bool named_is_file(struct invocation *in, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        diag_error(in->diags, nowhere, "'%s': %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        diag_error(in->diags, nowhere, "'%s' is no file and no folder", path);
    else if (!source_is(str_of(path)) && !str_ends(str_of(path), ".so") && access(path, X_OK) < 0)
        diag_error(
            in->diags, nowhere,
            "'%s' is no yaml file, no folder, no C source (.c), no module (.so), and no program: it may not "
            "be executed",
            path);
    else
        return true;
    return false;
}

static const char *without_links(struct arena *arena, const char *path)
{
    char real[PATH_MAX];

    return realpath(path, real) ? arena_cstr(arena, str_of(real)) : NULL;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- whose they are ---- */

static const char *folder_of(struct arena *arena, const struct suite *suite)
{
    return without_links(arena, *suite->dir ? suite->dir : ".");
}

/* What of `path` is below `folder`, both without links; NULL: it is not. */
static const char *below(const char *path, const char *folder)
{
    size_t len = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

/* The suite whose folder is the nearest above; the first where none is. */
static struct suite *owner_of(struct front *front, struct arena *arena, const char *path)
{
    struct suite *owner = front->suites.list[0];
    size_t deepest = 0;

    for (uint32_t i = 0; i < front->suites.count; i++) {
        const char *folder = folder_of(arena, front->suites.list[i]);

        if (folder && below(path, folder) && strlen(folder) > deepest) {
            deepest = strlen(folder);
            owner = front->suites.list[i];
        }
    }
    return owner;
}

static void narrow(struct suite *suite)
{
    suite->left_out = false;
    suite->narrowed = true;
    for (uint32_t t = 0; t < suite->test_count; t++)
        suite->tests[t].left_out = !suite->tests[t].is_module;
}

/* Suites that are wanted as a whole stay so. */
void named_narrow(struct front *front, struct invocation *in)
{
    front->wanted = ARENA_ARRAY(in->arena, struct wanted, front->path_count);
    front->wanted_count = 0;
    for (size_t i = 0; i < front->path_count; i++) {
        const struct suite_path *path = &front->paths[i];
        const char *real = path->tests ? without_links(in->arena, path->path) : NULL;
        struct suite *owner;

        if (!real)
            continue;
        owner = owner_of(front, in->arena, real);
        if (owner->left_out)
            narrow(owner);
        front->wanted[front->wanted_count++] = (struct wanted){.path = real, .from = &front->paths[i]};
    }
}

/* ---- tests that nobody has written down ---- */

static void set_pair(struct arena *arena, struct node *map, uint32_t at, const char *key, struct node *value)
{
    map->map.pairs[at] = (struct pair){node_string(arena, nowhere, str_of(key)), value};
}

/* A path is no pattern. */
static struct str plain_pattern(struct arena *arena, const char *path)
{
    struct buf text = {0};
    struct str pattern;

    for (; *path; path++) {
        if (strchr("\\*?[", *path))
            buf_addc(&text, '\\');
        buf_addc(&text, *path);
    }
    pattern = arena_str(arena, buf_str(&text));
    buf_release(&text);
    return pattern;
}

static struct str without_ending(const char *path)
{
    struct str name = str_of(path);

    if (str_ends(name, ".so"))
        name.len -= strlen(".so");
    else if (source_is(name))
        name.len -= strlen(".c");
    return name;
}

/* As `{name: tests/test_x, module: tests/test_x.c, axes: []}`, its path as it is seen from the folder of the suite. */
static struct node *test_of(struct arena *arena, const char *folder, const char *path)
{
    struct node *map = node_map(arena, nowhere, 3);
    const char *real = without_links(arena, path);
    const char *inner = real && folder ? below(real, folder) : NULL;
    const char *called = inner ? inner : real ? real : path;

    set_pair(arena, map, 0, "name", node_string(arena, nowhere, without_ending(called)));
    set_pair(arena, map, 1, "module", node_string(arena, nowhere, plain_pattern(arena, called)));
    set_pair(arena, map, 2, "axes", node_seq(arena, nowhere, 0));
    return map;
}

static struct str text_of(const struct node *test, const char *key)
{
    return node_get(test, key)->string;
}

/* Two may not be called the same; one may be named twice. False: that is an error, or it is there already. */
static bool is_new(struct invocation *in, const struct node *tests, const struct node *test)
{
    for (uint32_t i = 0; i < tests->seq.count; i++) {
        const struct node *other = tests->seq.items[i];

        if (!str_eq(text_of(other, "name"), text_of(test, "name")))
            continue;
        if (!str_eq(text_of(other, "module"), text_of(test, "module")))
            diag_error(in->diags, nowhere, "'%.*s' and '%.*s' would have the same ids: name one of them",
                       STR_ARG(text_of(other, "module")), STR_ARG(text_of(test, "module")));
        return false;
    }
    return true;
}

static void add_test(struct invocation *in, struct node *tests, const char *folder, const char *path)
{
    uint32_t count = tests->seq.count;
    const struct node *test = test_of(in->arena, folder, path);

    if (!is_new(in, tests, test))
        return;
    if ((count & (count - 1)) == 0) { /* the room for them doubles */
        const struct node **items =
            ARENA_ARRAY(in->arena, const struct node *, count ? 2 * (size_t)count : 1);

        if (count)
            memcpy(items, tests->seq.items, count * sizeof *items);
        tests->seq.items = items;
    }
    tests->seq.items[tests->seq.count++] = test;
}

/* How many there are in it, or it is one itself. */
static size_t add_tests(struct invocation *in, struct node *tests, const char *folder, const char *path)
{
    struct str *paths;
    size_t count;

    if (!is_folder(path)) {
        add_test(in, tests, folder, path);
        return 1;
    }
    if (sources_below(in->arena, path, &paths, &count))
        return 0;
    for (size_t i = 0; i < count; i++)
        add_test(in, tests, folder, paths[i].ptr);
    return count;
}

static void say_implied(struct front *front, struct invocation *in, const struct node *tests,
                        const char *only)
{
    const char *known =
        *front->file ? arena_printf(in->arena, " that %s does not name", front->file) : ", no " FILE_NAME;

    front->implied = arena_printf(in->arena, "%u file%s of C tests%s", tests->seq.count,
                                  tests->seq.count == 1 ? "" : "s", known);
    if (only)
        front->called = only;
}

/* What is in the file has its name from there. */
static void check_names(const struct front *front, struct invocation *in, const struct node *tests)
{
    const struct suite *suite = front->suites.list[0];

    for (uint32_t t = 0; t < suite->test_count; t++)
        for (uint32_t i = 0; i < tests->seq.count; i++)
            if (str_eq(suite->tests[t].name, text_of(tests->seq.items[i], "name")))
                diag_error(in->diags, suite->tests[t].node->at,
                           "test '%.*s' is called as the file '%.*s' would be, which no test has",
                           STR_ARG(suite->tests[t].name), STR_ARG(text_of(tests->seq.items[i], "module")));
}

static bool all_met(const struct front *front)
{
    for (uint32_t i = 0; i < front->wanted_count; i++)
        if (!front->wanted[i].met)
            return false;
    return true;
}

bool named_more(struct front *front, struct invocation *in, const struct diags *before)
{
    struct node *tests = node_seq(in->arena, nowhere, 0);
    const char *folder = front->suites.count ? folder_of(in->arena, front->suites.list[0]) : NULL,
               *only = NULL;

    if (front->implied || all_met(front))
        return false;
    *in->diags = *before;
    for (uint32_t i = 0; i < front->wanted_count; i++) {
        struct wanted *wanted = &front->wanted[i];

        if (wanted->met)
            continue;
        only = wanted->from->path;
        wanted->from->tests = add_tests(in, tests, folder, only) > 0; /* else it stands for a suite */
    }
    check_names(front, in, tests);
    if (tests->seq.count) {
        front->world.tests = tests;
        say_implied(front, in, tests, front->path_count == 1 ? only : NULL);
    }
    return true;
}

/* ---- without a file ---- */

static int no_file(void *user, const char *path, struct buf *out)
{
    (void)user;
    (void)path;
    buf_adds(out, "tests: []");
    return 0;
}

bool named_alone(struct front *front, struct invocation *in)
{
    struct node *tests = node_seq(in->arena, nowhere, 0);
    size_t errors = in->diags->errors;

    for (size_t i = 0; i < front->path_count; i++)
        if (!add_tests(in, tests, without_links(in->arena, "."), front->paths[i].path))
            diag_error(in->diags, nowhere,
                       "no %s in '%s' or above it, and no test_*.c and no test_*.so in it", FILE_NAME,
                       front->paths[i].path);
    front->file = "";
    front->world.read = no_file;
    front->world.tests = tests;
    say_implied(front, in, tests, front->path_count == 1 ? front->paths[0].path : ".");
    return in->diags->errors == errors;
}
