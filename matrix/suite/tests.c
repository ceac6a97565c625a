#include "matrix/suite/internal.h"
#include "runner/base/nearest.h"

#include <string.h>

static const char *const built_in_axes[] = {
#define X(id, word) [id] = word,
    BUILT_IN_AXES(X)
#undef X
};

/* ---- values of bound axes ---- */

static const char *const backends[] = {"exec",
                                       "trio",
                                       "spawn",
                                       "mp_spawn",
                                       "forkserver",
                                       "mp_forkserver",
                                       "main_thread_forkserver",
                                       "subint",
                                       "subint_forkserver",
                                       "subint_fork",
                                       NULL};
static const char *const transports[] = {"tcp", "uds", NULL};
static const char *const captures[] = {"fd",  "sys",     "tee-sys", "no", "pipe",
                                       "pty", "discard", "merged",  NULL};

static const char *const *const bound_words[] = {
    [AXIS_BACKEND] = backends,
    [AXIS_TRANSPORT] = transports,
    [AXIS_CAPTURE] = captures,
};

static size_t word_count(const char *const *words)
{
    size_t count = 0;

    while (words[count])
        count++;
    return count;
}

static struct str word_at(const void *user, size_t i)
{
    const char *const *words = user;

    return str_of(words[i]);
}

static bool is_word(struct str text, const char *const *words)
{
    for (; *words; words++)
        if (str_is(text, *words))
            return true;
    return false;
}

static void check_bound_value(struct loading *l, enum built_in_axis axis, const struct node *value)
{
    const char *const *words = bound_words[axis];
    struct str text = text_of(l->arena, value);
    bool scalar = node_is_scalar(value);

    if (scalar && is_word(text, words))
        return;
    diag_error(l->diags, value->at, "%s is no %s%s; if the axis means something else, say 'bind: {%s: no}'",
               scalar ? arena_printf(l->arena, "'%.*s'", STR_ARG(text)) : node_kind_words(value->kind),
               built_in_axes[axis], did_you_mean(l->diags, text, word_count(words), word_at, words),
               built_in_axes[axis]);
}

/* A file with only a strategy can be listed whatever its axes mean: nothing is run with them. */
static void check_bound_values(struct loading *l)
{
    const struct suite *suite = l->suite;

    for (int axis = 0; axis < BUILT_IN_AXIS_COUNT; axis++) {
        uint32_t k = suite->bound[axis];

        for (uint32_t v = 0; k != CELL_ABSENT && v < suite->cells.keys[k].count; v++)
            if (suite->cells.keys[k].values[v].alike == v)
                check_bound_value(l, (enum built_in_axis)axis, suite->cells.keys[k].values[v].node);
    }
}

/* ---- one test ---- */

static void load_own_matrix(struct loading *l, struct test *test, struct names *own)
{
    const struct node *matrix = node_get(test->node, "matrix");

    if (matrix) {
        schema_warn_numbers(matrix, l->diags);
        matrix = eval_context_tree(l, matrix);
    }
    if (!cells_expand(l->arena, matrix, &test->own, l->diags))
        test->own = (struct cells){0};
    for (uint32_t k = 0; k < test->own.key_count; k++) {
        const struct cell_key *key = &test->own.keys[k];

        names_add(own, key->name);
        names_add(&l->own_keys, key->name);
        if (find_key(l, key->name) != CELL_ABSENT)
            diag_error(l->diags, key->at, "'%.*s' is an axis of the strategy already", STR_ARG(key->name));
    }
    check_own_variables(l, &test->own);
    test->own_names = escaped_key_names(l->arena, &test->own);
}

static void load_axes(struct loading *l, struct test *test, const struct names *own)
{
    const struct node *axes = node_get(test->node, "axes");

    test->all_axes = axes == NULL;
    test->axes = load_axis_names(l, axes, own);
    for (uint32_t k = 0; test->all_axes && k < l->suite->cells.key_count; k++)
        test->axes[k] = true;
}

static void load_only(struct loading *l, struct test *test, struct scope *scope)
{
    const struct node *only = node_get(test->node, "only");

    if (!only || !node_is_scalar(only))
        return;
    test->only = expr_parse_condition(l->arena, only, expr_contexts, l->diags);
    if (test->only)
        check_expr_paths(l, test->only, scope);
}

/* A fixture speaks of the case's cell: it can use no axis that the case does not have. */
static void check_fixture_axes(struct loading *l, const struct test *test, uint32_t f)
{
    const struct suite *suite = l->suite;
    const struct fixture *fixture = &suite->fixtures[f];

    for (uint32_t k = 0; k < suite->cells.key_count; k++)
        if (fixture->mentions[k] && !test->axes[k])
            diag_error(l->diags, test->node->at,
                       "fixture '%.*s' mentions 'matrix.%.*s', and 'axes' of test '%.*s' leaves it out",
                       STR_ARG(fixture->name), STR_ARG(suite->cells.keys[k].name), STR_ARG(test->name));
}

static bool mentions_any(const struct suite *suite, const struct fixture *fixture)
{
    for (uint32_t k = 0; k < suite->cells.key_count; k++)
        if (fixture->mentions[k])
            return true;
    return false;
}

/* The environment carries the cell too: a command that reads it from there depends on it. */
static bool reads_cell(struct arena *arena, const struct node *run)
{
    size_t at;

    for (uint32_t i = 0; i < node_list_count(run); i++) {
        struct str text = text_of(arena, node_list_item(run, i));

        if (str_find(text, "RUN_MATRIX_AXIS", &at) || str_find(text, "RUN_MATRIX_CELL", &at))
            return true;
    }
    return false;
}

static void check_test_templates(struct loading *l, struct test *test, const struct names *own)
{
    static const char *const except[] = {"name", "axes", "fixtures", "matrix", "only", NULL};
    struct scope scope = {
        .own = own,
        .own_broken = !test->own.shapes && !test->own.key_count,
        .axes = test->axes,
        .subject = arena_printf(l->arena, "test '%.*s'", STR_ARG(test->name)),
        .fixtures = test->fixtures,
        .fixture_count = test->fixture_count,
    };

    load_only(l, test, &scope);
    check_templates(l, test->node, except, &scope);
    test->mentions_matrix = scope.mentions_matrix || reads_cell(l->arena, node_get(test->node, "run"));
    for (uint32_t i = 0; i < test->fixture_count; i++) {
        check_fixture_axes(l, test, test->fixtures[i]);
        test->mentions_matrix |= mentions_any(l->suite, &l->suite->fixtures[test->fixtures[i]]);
    }
}

/*
 * A preset knows how tests are chosen. Who says it by hand says with {test} that one is run at a time, and with {tests}
 * that several are. C tests are apart from the beginning.
 */
static enum test_inside inside_of(struct arena *arena, const struct node *test)
{
    const struct node *discover = node_get(test, "discover"), *run = node_get(discover, "run");

    if (node_get(test, "module"))
        return INSIDE_APART;
    if (!discover)
        return node_get(test, "preset") || node_get(test, "results") ? INSIDE_CHOSEN : INSIDE_UNKNOWN;
    for (uint32_t i = 0; i < node_list_count(run); i++)
        if (str_is(text_of(arena, node_list_item(run, i)), "{tests}"))
            return INSIDE_CHOSEN;
    return INSIDE_APART;
}

static bool takes_tests(struct arena *arena, const struct node *run)
{
    size_t at;

    for (uint32_t i = 0; i < node_list_count(run); i++) {
        struct str word = text_of(arena, node_list_item(run, i));

        if (str_find(word, "{test}", &at) || str_is(word, "{tests}"))
            return true;
    }
    return false;
}

static void check_discover(struct loading *l, const struct node *test)
{
    const struct node *discover = node_get(test, "discover"), *run = node_get(discover, "run");
    const struct node *preset = node_get(test, "preset");

    if (discover && discover->kind == NODE_MAP && preset)
        diag_error(
            l->diags, discover->at,
            "the preset knows how its tests are listed: say 'discover: per-test', or leave 'preset' out");
    else if (discover && discover->kind == NODE_STRING && !preset)
        diag_error(l->diags, discover->at,
                   "somebody has to list the tests: say a 'preset', or 'discover: {list: ..., run: ...}'");
    else if (run && !takes_tests(l->arena, run))
        diag_error(l->diags, run->at,
                   "no word says where the name of a test belongs: '{test}' for one, '{tests}' for several");
}

static struct str test_id(struct loading *l, struct str name)
{
    const struct suite *suite = l->suite;

    return escaped(l->arena,
                   str_of(arena_printf(l->arena, "%.*s%.*s", STR_ARG(suite->prefix), STR_ARG(name))));
}

static void load_test(struct loading *l, struct test *test, const struct node *node)
{
    struct names own = {0};

    test->node = node;
    test->name = text_of(l->arena, node_get(node, "name"));
    test->id = test_id(l, test->name);
    test->is_module = node_get(node, "module") != NULL;
    check_discover(l, node);
    test->inside = inside_of(l->arena, node);
    load_own_matrix(l, test, &own);
    load_axes(l, test, &own);
    test->fixtures = load_fixture_names(l, node_get(node, "fixtures"), &test->fixture_count);
    check_test_templates(l, test, &own);
    names_release(&own);
}

static uint32_t count_of(const struct node *tests)
{
    return tests && tests->kind == NODE_SEQ ? tests->seq.count : 0;
}

static void load_all(struct loading *l, const struct node *tests)
{
    struct suite *suite = l->suite;

    for (uint32_t i = 0; i < count_of(tests); i++)
        if (node_as_map(tests->seq.items[i]))
            load_test(l, &suite->tests[suite->test_count++], tests->seq.items[i]);
}

void load_tests(struct loading *l)
{
    struct suite *suite = l->suite;
    const struct node *tests = node_get(suite->root, "tests");

    suite->tests = ARENA_ARRAY(l->arena, struct test, count_of(tests) + count_of(l->more_tests));
    load_all(l, tests);
    load_all(l, l->more_tests);
    if (suite->test_count)
        check_bound_values(l);
}

/* ---- overrides and profiles ---- */

static const char **texts_of(struct loading *l, const struct node *list, size_t *count)
{
    const char **texts = ARENA_ARRAY(l->arena, const char *, node_list_count(list));

    *count = 0;
    for (uint32_t i = 0; i < node_list_count(list); i++)
        if (node_is_scalar(node_list_item(list, i)))
            texts[(*count)++] = arena_cstr(l->arena, text_of(l->arena, node_list_item(list, i)));
    return texts;
}

struct axis_check {
    struct loading *l;
    struct place at;
};

static bool check_axis(void *user, struct str axis)
{
    struct axis_check *check = user;
    struct loading *l = check->l;

    if (find_key(l, axis) == CELL_ABSENT && names_find(&l->own_keys, axis) == LOOKUP_NONE)
        diag_error(l->diags, check->at, "'%.*s' is no axis%s", STR_ARG(axis),
                   suite_guess_key(l->suite, axis, l->diags));
    return true;
}

/* The axes of the suites of a monorepo are known only when all are read. */
static void check_axes(struct loading *l, const struct selection *selection, struct place at)
{
    struct axis_check check = {l, at};

    if (!l->matrix_broken && !node_get(l->suite->root, "suites"))
        selection_each_axis(selection, check_axis, &check);
}

/* NULL lists are empty. NULL when there is nothing to select by, or diags got an error. */
static struct selection *compile(struct loading *l, const struct node *ids, const struct node *cells)
{
    struct selection_spec spec = {0};
    const struct node *at = ids ? ids : cells;
    struct selection *selection = NULL;

    spec.ids = texts_of(l, ids, &spec.id_count);
    spec.cells = texts_of(l, cells, &spec.cell_count);
    if (spec.id_count || spec.cell_count)
        selection = selection_compile(l->arena, &spec, at->at, l->diags);
    if (selection)
        check_axes(l, selection, at->at);
    return selection;
}

static void check_override_templates(struct loading *l, const struct override *override)
{
    static const char *const except[] = {"select", NULL};
    struct scope scope = {.subject = "the override", .any_fixture = true};

    check_templates(l, override->node, except, &scope);
}

void load_overrides(struct loading *l)
{
    struct suite *suite = l->suite;
    const struct node *overrides = node_get(suite->root, "overrides");

    if (!overrides || overrides->kind != NODE_SEQ)
        return;
    suite->overrides = ARENA_ARRAY(l->arena, struct override, overrides->seq.count);
    for (uint32_t i = 0; i < overrides->seq.count; i++) {
        const struct node *node = node_as_map(overrides->seq.items[i]);
        const struct node *select = node_get(node, "select");
        struct override override = {compile(l, select, NULL), node};

        if (!node)
            continue;
        if (override.select)
            suite->overrides[suite->override_count++] = override;
        check_override_templates(l, &override);
    }
}

static void check_selection(struct loading *l, const struct node *ids, const struct node *cells)
{
    struct selection *selection = compile(l, ids, cells);

    if (selection)
        selection_release(selection);
}

static void check_profile(struct loading *l, const struct node *node)
{
    check_selection(l, node_get(node, "select"), NULL);
    check_selection(l, NULL, node_get(node, "cells"));
    check_selection(l, node_get(node_get(node, "soak"), "select"), NULL);
}

void load_profiles(struct loading *l)
{
    struct suite *suite = l->suite;
    const struct node *profiles = node_as_map(node_get(suite->root, "profiles"));

    if (!profiles)
        return;
    suite->profiles = ARENA_ARRAY(l->arena, struct profile, profiles->map.count);
    for (uint32_t i = 0; i < profiles->map.count; i++) {
        const struct pair *pair = &profiles->map.pairs[i];

        suite->profiles[suite->profile_count++] = (struct profile){pair->key->string, pair->value};
        check_profile(l, pair->value);
    }
}
