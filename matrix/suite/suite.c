#include "matrix/suite/suite.h"

#include "matrix/suite/internal.h"
#include "matrix/yaml/yaml.h"
#include "runner/base/id.h"
#include "runner/base/nearest.h"

#include <string.h>

/* ---- texts and names ---- */

struct str text_of(struct arena *arena, const struct node *node)
{
    return node && node_is_scalar(node) ? node_text(node, arena) : (struct str){"", 0};
}

struct str escaped(struct arena *arena, struct str text)
{
    struct buf buf = {0};
    struct str result;

    id_escape(&buf, text);
    result = arena_str(arena, buf_str(&buf));
    buf_release(&buf);
    return result;
}

struct str *escaped_key_names(struct arena *arena, const struct cells *cells)
{
    struct str *names = ARENA_ARRAY(arena, struct str, cells->key_count);

    for (uint32_t k = 0; k < cells->key_count; k++)
        names[k] = escaped(arena, cells->keys[k].name);
    return names;
}

static struct str key_at(const void *user, size_t i)
{
    const struct cells *cells = user;

    return cells->keys[i].name;
}

const char *suite_guess_key(const struct suite *suite, struct str name, const struct diags *diags)
{
    return did_you_mean(diags, name, suite->cells.key_count, key_at, &suite->cells);
}

/* ---- one file ---- */

/* The same file by another spelling is not another file: "./a//b" is "a/b". What `..` means depends on links. */
static const char *plain_path(struct arena *arena, struct str path)
{
    char *plain = ARENA_ARRAY(arena, char, path.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < path.len;) {
        const char *slash = memchr(path.ptr + i, '/', path.len - i);
        size_t end = slash ? (size_t)(slash - path.ptr) + 1 : path.len;
        struct str part = str_slice(path, i, end);

        if (!str_is(part, "./") && !(str_is(part, "/") && i > 0)) {
            memcpy(plain + len, part.ptr, part.len);
            len += part.len;
        }
        i = end;
    }
    return plain;
}

static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? arena_cstr(arena, (struct str){path, (size_t)(slash - path) + 1}) : "";
}

static struct node *read_root(struct loading *l)
{
    struct suite *suite = l->suite;
    struct buf text = {0};
    int error = suite->world->read(suite->world->user, suite->file, &text);
    struct node *root = NULL;

    if (error)
        diag_error(l->diags, (struct place){.file = suite->file}, "cannot read it: %s", strerror(error));
    else
        root = yaml_load(l->arena, suite->file, buf_str(&text), YAML_LIMITS, l->diags);
    buf_release(&text);
    return root;
}

static const struct node *env_context(void *user, struct str name)
{
    const struct suite_world *world = user;

    return str_eq_nocase(name, str_of("env")) ? world->env : NULL;
}

/* A session has no cell: of the contexts only the environment is there. */
static void load_session_timeout(struct loading *l)
{
    static const char *const names[] = {"env", NULL};
    const struct expr_env env = {env_context, (void *)(uintptr_t)l->suite->world};
    const struct node *node = node_get(l->suite->defaults, "session-timeout"), *value = NULL;
    const struct template *t;

    if (!node || !node_is_scalar(node))
        return;
    t = template_parse(l->arena, node, names, l->diags);
    if (t)
        value = template_eval(t, &env, l->arena, l->diags);
    if (value && value->kind != NODE_NULL &&
        !span_parse(text_of(l->arena, value), &l->suite->session_timeout) && template_has_expr(node->string))
        diag_error(l->diags, node->at, "'session-timeout' turns out to be no duration");
}

static void load_defaults(struct loading *l)
{
    static const char *const except[] = {"session-timeout", NULL};
    struct suite *suite = l->suite;
    /* Which fixtures a case has is known only when the default is used. */
    struct scope scope = {.subject = "defaults", .any_fixture = true};

    load_session_timeout(l);
    check_templates(l, suite->defaults, except, &scope);
}

/* Everything that can be said about the file is said in one go; later readers look before they take. */
static bool load_one(struct loading *l)
{
    size_t errors = l->diags->errors;
    struct suite *suite = l->suite;

    suite->root = read_root(l);
    if (!suite->root || !schema_check_version(suite->root, suite->world->version, l->diags))
        return false;
    schema_check(suite->root, l->diags);
    suite->defaults = node_as_map(node_get(suite->root, "defaults"));
    load_strategy(l);
    load_fixtures(l);
    load_tests(l);
    load_defaults(l);
    load_overrides(l);
    load_profiles(l);
    names_release(&l->keys);
    names_release(&l->own_keys);
    return l->diags->errors == errors;
}

static struct suite *new_suite(struct arena *arena, const char *file, const struct suite_world *world)
{
    struct suite *suite = ARENA_NEW(arena, struct suite);

    suite->file = file;
    suite->dir = folder_of(arena, file);
    suite->prefix = (struct str){"", 0};
    suite->world = world;
    for (int axis = 0; axis < BUILT_IN_AXIS_COUNT; axis++)
        suite->bound[axis] = CELL_ABSENT;
    return suite;
}

/* ---- monorepo: `suites` ---- */

struct member_list {
    struct suite **list;
    uint32_t count, cap;
};

static void add_suite(struct loading *l, struct member_list *members, struct suite *suite)
{
    if (members->count == members->cap) {
        uint32_t cap = members->cap ? members->cap * 2 : 4;
        struct suite **list = ARENA_ARRAY(l->arena, struct suite *, cap);

        if (members->count)
            memcpy(list, members->list, members->count * sizeof *list);
        members->list = list;
        members->cap = cap;
    }
    members->list[members->count++] = suite;
}

static bool is_member(const struct member_list *members, const char *file)
{
    for (uint32_t i = 0; i < members->count; i++)
        if (strcmp(file, members->list[i]->file) == 0)
            return true;
    return false;
}

/* Its folder as seen from the file that names it; one that is elsewhere altogether keeps its whole path. */
static struct str member_prefix(const struct suite *top, const struct suite *member)
{
    struct str folder = str_of(member->dir);

    return str_starts(folder, top->dir) ? str_slice(folder, strlen(top->dir), folder.len) : folder;
}

static void load_member(struct loading *l, struct member_list *members, const char *file)
{
    struct suite *top = l->suite, *member = new_suite(l->arena, file, top->world);
    struct loading one = {.arena = l->arena, .diags = l->diags, .suite = member};
    const struct node *nested;

    member->prefix = member_prefix(top, member);
    member->id_prefix = escaped(l->arena, member->prefix).len;
    load_one(&one);
    nested = node_get(member->root, "suites");
    if (nested)
        diag_error(l->diags, nested->at,
                   "'suites' stands in '%s' already, and a suite named there has none of its own", top->file);
    add_suite(l, members, member);
}

/* The folder is a name, not a pattern. */
static const char *pattern_in(struct arena *arena, const char *dir, struct str pattern)
{
    struct buf whole = {0};
    const char *text;

    for (; *dir && !str_starts(pattern, "/"); dir++) {
        if (strchr("\\*?[", *dir))
            buf_addc(&whole, '\\');
        buf_addc(&whole, *dir);
    }
    buf_addstr(&whole, pattern);
    text = arena_cstr(arena, buf_str(&whole));
    buf_release(&whole);
    return text;
}

static void load_pattern(struct loading *l, struct member_list *members, const struct node *pattern)
{
    struct suite *top = l->suite;
    struct str text = text_of(l->arena, pattern), *paths = NULL;
    const char *whole = pattern_in(l->arena, top->dir, text);
    size_t count = 0;
    int error = text.len ? top->world->glob(top->world->user, l->arena, whole, &paths, &count) : 0;

    if (error)
        diag_error(l->diags, pattern->at, "cannot look for '%s': %s", whole, strerror(error));
    else if (text.len && count == 0)
        diag_error(l->diags, pattern->at, "no file matches '%.*s'; it stands for run-matrix.yaml files",
                   STR_ARG(text));
    if (count == 1 && str_is(paths[0], top->file))
        diag_error(l->diags, pattern->at, "'%s' is the file that says so: a suite does not contain itself",
                   top->file);
    for (size_t i = 0; i < count; i++) {
        const char *file = plain_path(l->arena, paths[i]);

        if (is_member(members, file))
            continue;
        if (members->count == SUITES_MOST) {
            diag_error(l->diags, pattern->at, "more than %u suites", SUITES_MOST);
            return;
        }
        load_member(l, members, file);
    }
}

static void load_members(struct loading *l, struct member_list *members)
{
    const struct node *patterns = node_get(l->suite->root, "suites");

    for (uint32_t i = 0; i < node_list_count(patterns); i++)
        load_pattern(l, members, node_list_item(patterns, i));
}

/* Files of one folder have one prefix, and so must have tests of different names. */
static void check_ids(struct loading *l, const struct suite *first, const struct suite *second)
{
    for (uint32_t i = 0; i < first->test_count; i++)
        for (uint32_t j = 0; j < second->test_count; j++)
            if (str_eq(first->tests[i].id, second->tests[j].id))
                diag_error(l->diags, second->tests[j].node->at, "test '%.*s' is there already, at %s",
                           STR_ARG(second->tests[j].id), place_text(l->arena, first->tests[i].node->at));
}

static void check_members(struct loading *l, const struct member_list *members)
{
    for (uint32_t i = 1; i < members->count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (str_eq(members->list[i]->prefix, members->list[j]->prefix))
                check_ids(l, members->list[j], members->list[i]);
}

bool suites_load(struct arena *arena, const char *file, const struct suite_world *world,
                 struct suites *suites, struct diags *diags)
{
    size_t errors = diags->errors;
    struct suite *suite = new_suite(arena, plain_path(arena, str_of(file)), world);
    struct loading l = {.arena = arena, .diags = diags, .suite = suite, .more_tests = world->tests};
    struct member_list members = {0};

    add_suite(&l, &members, suite);
    load_one(&l);
    if (suite->root)
        load_members(&l, &members);
    check_members(&l, &members);
    *suites = (struct suites){members.list, members.count};
    return diags->errors == errors;
}

static bool pattern_names(struct loading *l, const struct node *pattern, const char *member,
                          bool (*same)(const char *a, const char *b))
{
    const struct suite_world *world = l->suite->world;
    struct str text = text_of(l->arena, pattern), *paths = NULL;
    size_t count = 0;
    bool found = false;

    if (text.len)
        world->glob(world->user, l->arena, pattern_in(l->arena, l->suite->dir, text), &paths, &count);
    for (size_t i = 0; i < count && !found; i++)
        found = same(paths[i].ptr, member);
    return found;
}

bool suites_name(const char *file, const struct suite_world *world, const char *member,
                 bool (*same)(const char *a, const char *b))
{
    struct arena arena = {0};
    struct diags unsaid = {.arena = &arena};
    struct suite *suite = new_suite(&arena, plain_path(&arena, str_of(file)), world);
    struct loading l = {.arena = &arena, .diags = &unsaid, .suite = suite};
    const struct node *patterns = node_get(read_root(&l), "suites");
    bool found = false;

    for (uint32_t i = 0; i < node_list_count(patterns) && !found; i++)
        found = pattern_names(&l, node_list_item(patterns, i), member, same);
    arena_release(&arena);
    return found;
}

void suites_release(struct suites *suites)
{
    for (uint32_t i = 0; i < suites->count; i++)
        for (uint32_t o = 0; o < suites->list[i]->override_count; o++)
            if (suites->list[i]->overrides[o].select)
                selection_release(suites->list[i]->overrides[o].select);
    *suites = (struct suites){0};
}
