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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(each_file_stands_for_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
