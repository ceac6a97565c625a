/* C tests: what their files say of themselves, and the cases that come of it. */
#include "matrix/matrix.h"
#include "runner/presets/presets.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- lists ---- */

#define HEAD(count) "{\"run-matrix-tests\":1,\"count\":" #count "}\n"

static const struct {
    const char *output, *names, *problem;
} lists[] = {
    {HEAD(2) "{\"name\":\"a\",\"file\":\"t.c\",\"line\":3}\n{\"name\":\"b\"}\n", "a b", NULL},
    /* what is said of one, and not known here */
    {HEAD(2) "{\"params\":[{\"a\":[1,{\"name\":\"c\"}]}],\"name\":\"a\",\"x\":{\"name\":\"d\"}}\n{\"name\":"
             "\"b\"}\n",
     "a b", NULL},
    {"{\"more\":[{}],\"run-matrix-tests\":1,\"count\":1}\n{\"name\":\"a\"}\n", "",
     "it printed no list of tests: is it built with librunmatrix?"},
    {"{\"run-matrix-tests\":1,\"more\":[{}],\"count\":1}\n{\"name\":\"a\"}\n", "a", NULL},
    /* what a process prints beside it */
    {"hello\nno end" HEAD(1) "{\"name\":\"a\"}\nbye\n", "a", NULL},
    {HEAD(1) "{\"name\":\"\\u00e4\"}", "\xC3\xA4", NULL},
    {HEAD(0), "", NULL},
    /* what is none */
    {"", "", "it printed no list of tests: is it built with librunmatrix?"},
    {"a\nb\n", "", "it printed no list of tests: is it built with librunmatrix?"},
    {"{\"run-matrix-tests\":1,\"count\":1\n", "",
     "it printed no list of tests: is it built with librunmatrix?"},
    {"{\"run-matrix-tests\":2,\"count\":1}\n{\"name\":\"a\"}\n", "",
     "its list of tests is of version 2, and this run-matrix knows 1"},
    {HEAD(3) "{\"name\":\"a\"}\n", "a", "its list of tests ends after 1 of 3"},
    {HEAD(2) "{\"name\":\"a\"}\n{\"name\":\"\"}\n", "a", "line 2 of its list of tests is none of a test"},
    {HEAD(1) "{\"name\":\"a\\u0000\"}\n", "", "line 1 of its list of tests is none of a test"},
    {HEAD(1) "{\"name\":1}\n", "", "line 1 of its list of tests is none of a test"},
    {HEAD(1) "{\"name\":\"a\"\n", "", "line 1 of its list of tests is none of a test"},
    {HEAD(1) "{\"name\":\"a\"} and more\n", "", "line 1 of its list of tests is none of a test"},
    {HEAD(1) "[\"name\",\"a\"]\n", "", "line 1 of its list of tests is none of a test"},
    {HEAD(1) "\"a\"\n", "", "line 1 of its list of tests is none of a test"},
};

static void lists_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct arena arena = {0};
        struct preset_listing listing;
        struct buf names = {0};

        preset_read_module(&arena, str_of(lists[i].output), &listing);
        for (uint32_t t = 0; t < listing.count; t++)
            buf_addf(&names, "%s%s", t ? " " : "", listing.list[t].name.ptr);
        if (strcmp(buf_text(&names), lists[i].names) != 0 ||
            strcmp(listing.problem ? listing.problem : "", lists[i].problem ? lists[i].problem : "") != 0)
            fail_msg("%zu: '%s', %s", i, buf_text(&names), listing.problem ? listing.problem : "no problem");
        buf_release(&names);
        arena_release(&arena);
    }
}

/* ---- cases ---- */

#define FILE_TEXT                                         \
    "strategy: {matrix: {backend: [spawn, exec]}}\n"      \
    "tests: [{name: unit, module: 'unit_*.so'}]\n"        \
    "overrides: [{select: 'unit::b::one', retries: 7},\n" \
    "            {select: 'unit::a::none', retries: 7}]\n"

static int read_text(void *user, const char *path, struct buf *out)
{
    (void)path;
    buf_adds(out, user);
    return 0;
}

/* In one of three files nobody could look. */
static const struct sub_test subs[] = {
    {.id = STR("a::one"), .name = STR("one"), .file = "unit_a.so"},
    {.id = STR("b"), .problem = "it is broken", .file = "unit_b.so"},
    {.id = STR("c::one"), .name = STR("one"), .file = "unit_c.so"},
};

static struct sub_list *list_tests(void *user, const struct plan_case *c)
{
    (void)c;
    return user;
}

static const struct {
    const char *id, *cases; /* NULL: all */
} selections[] = {
    {NULL, "unit::a::one@backend=spawn unit::b@backend=spawn! unit::c::one@backend=spawn "
           "unit::a::one@backend=exec unit::b@backend=exec! unit::c::one@backend=exec"},
    /* what is broken may be just what was meant */
    {"unit::c@backend=exec", "unit::b@backend=exec! unit::c::one@backend=exec"},
    {"unit::*::one@backend=exec",
     "unit::a::one@backend=exec unit::b@backend=exec! unit::c::one@backend=exec"},
    {"unit::b::one@backend=spawn", "unit::b@backend=spawn!"},
};

static void show(struct buf *out, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        buf_adds(out, i ? " " : "");
        case_id(out, plan, &plan->cases[i]);
        buf_adds(out, case_problem(plan, &plan->cases[i]) ? "!" : "");
    }
}

static void each_file_stands_for_itself(void **state)
{
    static const struct settings_over over = {0};

    (void)state;
    for (size_t i = 0; i < sizeof selections / sizeof selections[0]; i++) {
        const struct selection_spec spec = {.ids = &selections[i].id, .id_count = 1};
        struct sub_list list = {.list = subs, .count = 3};
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct suite_world world = {
            .read = read_text, .user = (void *)(uintptr_t)FILE_TEXT, .version = "0.1.0"};
        struct selection *selection = NULL;
        struct suites suites;
        struct plan plan;
        struct settings *settings;
        struct buf shown = {0};

        assert_true(suites_load(&arena, "run-matrix.yaml", &world, &suites, &diags));
        plan_init(&plan, &arena, &suites);
        settings = settings_new(&arena, &plan, &over, &diags);
        plan.lister = (struct plan_lister){list_tests, &list};
        if (selections[i].id)
            selection = selection_compile(&arena, &spec, (struct place){0}, &diags);
        assert_true(plan_make(&plan, settings, selection, &diags));
        show(&shown, &plan);
        assert_string_equal(buf_text(&shown), selections[i].cases);
        assert_int_equal(diags.count, 0); /* an override may mean a test of the one that is broken */
        buf_release(&shown);
        selection_release(selection);
        settings_release(settings);
        plan_release(&plan);
        suites_release(&suites);
        arena_release(&arena);
    }
}

/* ---- what tests say of themselves ---- */

#define OWN_TEXT                                                        \
    "defaults: {timeout: 1s, retries: 1}\n"                             \
    "tests: [{name: unit, module: unit.so, timeout: 2s, marks: net}]\n" \
    "overrides: [{select: 'unit::nested/depth=2', timeout: 4s}]\n"

static const struct {
    const char *ids, *marks, *keywords, *cases;
} own_selections[] = {
    {NULL, NULL, NULL, "unit::nested/depth=1 unit::nested/depth=2 unit::plain"},
    {NULL, "slow", NULL, "unit::nested/depth=1 unit::nested/depth=2"},
    {NULL, "net", NULL, "unit::nested/depth=1 unit::nested/depth=2 unit::plain"},
    {NULL, "net and not slow", NULL, "unit::plain"},
    {NULL, NULL, "depth=2", "unit::nested/depth=2"},
    {NULL, NULL, "slow", "unit::nested/depth=1 unit::nested/depth=2"},
    {"unit::nested", NULL, NULL, "unit::nested/depth=1 unit::nested/depth=2"},
    {"unit::nested/depth=1", NULL, NULL, "unit::nested/depth=1"},
    {"/depth=2", NULL, NULL, "unit::nested/depth=2"},
    {"unit::n*/depth=?", NULL, NULL, "unit::nested/depth=1 unit::nested/depth=2"},
    {"unit::*/depth=3", NULL, NULL, ""},
    {"unit", "other", NULL, ""},
};

static const char own_line[] = "{\"timeout\": \"3s\", \"marks\": [\"slow\"]}";

struct own_world {
    struct arena arena;
    struct diags diags;
    struct suite_world world;
    struct suites suites;
    struct plan plan;
    struct settings *settings;
    struct sub_test subs[3];
    struct sub_list list;
};

static void own_open(struct own_world *w, const struct selection *selection)
{
    static const struct settings_over over = {0};
    const struct node *own;

    *w = (struct own_world){
        .world = {.read = read_text, .user = (void *)(uintptr_t)OWN_TEXT, .version = "0.1.0"}};
    w->diags.arena = &w->arena;
    own = json_to_node(&w->arena, str_of(own_line), (struct place){"t.c", 9, 1}, &w->diags);
    w->subs[0] = (struct sub_test){.id = STR("nested/depth=1"), .own = own};
    w->subs[1] = (struct sub_test){.id = STR("nested/depth=2"), .own = own};
    w->subs[2] = (struct sub_test){.id = STR("plain")};
    w->list = (struct sub_list){.list = w->subs, .count = 3};
    assert_true(suites_load(&w->arena, "run-matrix.yaml", &w->world, &w->suites, &w->diags));
    plan_init(&w->plan, &w->arena, &w->suites);
    w->settings = settings_new(&w->arena, &w->plan, &over, &w->diags);
    w->plan.lister = (struct plan_lister){list_tests, &w->list};
    assert_true(plan_make(&w->plan, w->settings, selection, &w->diags));
}

static void own_close(struct own_world *w)
{
    settings_release(w->settings);
    plan_release(&w->plan);
    suites_release(&w->suites);
    arena_release(&w->arena);
}

static void tests_are_selected_by_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof own_selections / sizeof own_selections[0]; i++) {
        const struct selection_spec spec = {.ids = &own_selections[i].ids,
                                            .id_count = own_selections[i].ids != NULL,
                                            .marks = own_selections[i].marks,
                                            .keywords = own_selections[i].keywords};
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct selection *selection = selection_compile(&arena, &spec, (struct place){0}, &diags);
        struct own_world w;
        struct buf shown = {0};

        assert_non_null(selection);
        own_open(&w, selection);
        show(&shown, &w.plan);
        if (strcmp(buf_text(&shown), own_selections[i].cases) != 0)
            fail_msg("%zu: '%s'", i, buf_text(&shown));
        buf_release(&shown);
        selection_release(selection);
        own_close(&w);
        arena_release(&arena);
    }
}

/* Above the test, below overrides; and for the one that says it alone, whoever is asked first. */
static void what_a_test_says_is_a_layer(void **state)
{
    static const struct {
        const char *value, *layer;
    } timeouts[] = {{"3s", "C test"}, {"4s", "override"}, {"2s", "test"}};
    static const uint32_t mark_counts[] = {2, 2, 1};
    struct setting_value value;
    struct own_world w;

    (void)state;
    own_open(&w, NULL);
    for (int turn = 0; turn < 2; turn++)
        for (uint32_t i = 0; i < 3; i++) {
            const struct plan_case *c = &w.plan.cases[turn ? 2 - i : i];
            uint32_t n = turn ? 2 - i : i;

            assert_true(settings_get(w.settings, c, SET_TIMEOUT, &w.arena, &value, &w.diags));
            assert_string_equal(arena_cstr(&w.arena, node_text(value.node, &w.arena)), timeouts[n].value);
            assert_string_equal(value.origin.layer, timeouts[n].layer);
            assert_true(settings_get(w.settings, c, SET_MARKS, &w.arena, &value, &w.diags));
            assert_int_equal(value.part_count, mark_counts[n]);
            assert_true(settings_get(w.settings, c, SET_RETRIES, &w.arena, &value, &w.diags));
            assert_string_equal(value.origin.layer, "defaults");
        }
    assert_true(settings_get(w.settings, &w.plan.cases[0], SET_TIMEOUT, &w.arena, &value, &w.diags));
    assert_string_equal(value.origin.at.file, "t.c");
    assert_int_equal(w.diags.count, 0);
    own_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(each_file_stands_for_itself),
        cmocka_unit_test(tests_are_selected_by_what_they_say),
        cmocka_unit_test(what_a_test_says_is_a_layer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
