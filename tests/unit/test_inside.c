/* Tests inside the suites that tests start: named by a lister, they become cases or choices. */
#include "matrix/matrix.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int read_text(void *user, const char *path, struct buf *out)
{
    (void)path;
    buf_adds(out, user);
    return 0;
}

static int no_files(void *user, struct arena *arena, const char *pattern, struct str **paths, size_t *count)
{
    (void)user, (void)arena, (void)pattern, (void)paths;
    *count = 0;
    return 0;
}

/* What is inside: the same for all that begin with "in", an error for "bad", nothing known of others. */
struct inside {
    struct plan *plan;
    struct sub_list list, broken;
    unsigned asked;
};

static struct sub_list *list_tests(void *user, const struct plan_case *c)
{
    struct inside *inside = user;
    const struct test *test = case_test(inside->plan->suites, c);

    inside->asked++;
    if (str_starts(test->name, "in"))
        return &inside->list;
    return str_is(test->name, "bad") ? &inside->broken : NULL;
}

static const struct sub_test names[] = {
    {.id = STR("a.py::one"), .name = STR("a.py::one")},
    {.id = STR("a.py::two%5B1%5D"), .name = STR("a.py::two[1]")},
    {.id = STR("b.py::one"), .name = STR("b.py::one")},
};
static const struct sub_test broken[] = {{.problem = "its tests cannot be listed"}};

#define FILE_TEXT                                                                           \
    "strategy: {matrix: {t: [tcp, uds]}}\n"                                                 \
    "tests:\n"                                                                              \
    "  - {name: in-apart, run: [x], preset: pytest, discover: per-test, axes: [t]}\n"       \
    "  - {name: in-one, run: [x], preset: pytest, axes: [], marks: [slow]}\n"               \
    "  - {name: in-hand, run: [x], axes: [], discover: {list: [l], run: [x, '{tests}']}}\n" \
    "  - {name: bad, run: [x], axes: [], discover: {list: [l], run: ['x={test}']}}\n"       \
    "  - {name: closed, run: [x], axes: [], preset: cmocka}\n"                              \
    "  - {name: plain, run: [x], axes: []}\n"                                               \
    "overrides: [{select: 'in-apart::b.py::*@t=uds', retries: 7}]\n"

struct scene {
    struct arena arena;
    struct diags diags;
    struct suite_world world;
    struct suites suites;
    struct plan plan;
    struct settings *settings;
    struct selection *selection;
    struct inside inside;
    struct buf shown;
};

static void open_scene(struct scene *s, const struct selection_spec *spec)
{
    static const struct settings_over over = {0};

    memset(s, 0, sizeof *s);
    s->diags.arena = &s->arena;
    s->world = (struct suite_world){
        .read = read_text, .glob = no_files, .user = (void *)(uintptr_t)FILE_TEXT, .version = "0.1.0"};
    assert_true(suites_load(&s->arena, "run-matrix.yaml", &s->world, &s->suites, &s->diags));
    plan_init(&s->plan, &s->arena, &s->suites);
    s->settings = settings_new(&s->arena, &s->plan, &over, &s->diags);
    s->inside = (struct inside){.plan = &s->plan, .list = {names, 3, 0}, .broken = {broken, 1, 0}};
    s->plan.lister = (struct plan_lister){list_tests, &s->inside};
    if (spec)
        s->selection = selection_compile(&s->arena, spec, (struct place){0}, &s->diags);
    assert_true(plan_make(&s->plan, s->settings, s->selection, &s->diags));
}

static void close_scene(struct scene *s)
{
    buf_release(&s->shown);
    selection_release(s->selection);
    settings_release(s->settings);
    plan_release(&s->plan);
    suites_release(&s->suites);
    arena_release(&s->arena);
}

/* "id", and after it which tests inside were chosen, or its problem. */
static const char *show(struct scene *s)
{
    for (uint32_t i = 0; i < s->plan.count; i++) {
        const struct plan_case *c = &s->plan.cases[i];
        struct key_set choice = case_choice(&s->plan, c);

        if (i)
            buf_addc(&s->shown, ' ');
        case_id(&s->shown, &s->plan, c);
        for (uint32_t k = 0; k < choice.count && !case_problem(&s->plan, c); k++)
            buf_addf(&s->shown, "%s%.*s", k ? "," : "<", STR_ARG(plan_sub(&s->plan, choice.keys[k])->name));
        if (case_problem(&s->plan, c))
            buf_adds(&s->shown, "!");
        else if (choice.count)
            buf_addc(&s->shown, '>');
    }
    return buf_text(&s->shown);
}

#define APART(t) "in-apart::a.py::one@t=" t " in-apart::a.py::two%5B1%5D@t=" t " in-apart::b.py::one@t=" t

static void each_is_a_case(void **state)
{
    struct scene s;
    struct setting_value retries;

    (void)state;
    open_scene(&s, NULL);
    assert_string_equal(show(&s), APART("tcp") " " APART("uds") " in-one in-hand bad! closed plain");
    assert_int_equal(s.plan.collected, 11);
    assert_int_equal(s.plan.sub_count, 4); /* one list for both cells */
    assert_string_equal(case_sub(&s.plan, &s.plan.cases[1])->name.ptr, "a.py::two[1]");
    /* an override of one of them is for it alone */
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(settings_get(s.settings, &s.plan.cases[i], SET_RETRIES, &s.arena, &retries, &s.diags));
        assert_true(str_is(node_text(retries.node, &s.arena), i == 5 ? "7" : "0"));
    }
    close_scene(&s);
}

static const struct {
    const char *ids, *keywords, *marks, *deselect; /* NULL: not given */
    const char *cases;
    unsigned asked;
} selections[] = {
    /* what is selected whole need not be asked for its tests */
    {"in-one", NULL, NULL, NULL, "in-one", 0},
    {"in-on?", NULL, NULL, NULL, "in-one", 0},
    {"plain", NULL, NULL, NULL, "plain", 0},
    {"in-one::a.py::one", NULL, NULL, NULL, "in-one<a.py::one>", 1},
    {"in-one::a.py", NULL, NULL, NULL, "in-one<a.py::one,a.py::two[1]>", 1},
    {"in-one::a.py::two[1]", NULL, NULL, NULL, "in-one<a.py::two[1]>", 1},
    {"in-hand::*one", NULL, NULL, NULL, "in-hand<a.py::one,b.py::one>", 1},
    {"in-one::*", NULL, NULL, NULL, "in-one", 1},
    {"in-one::none", NULL, NULL, NULL, "", 1},
    {"in-apart::b.py@t=uds", NULL, NULL, NULL, "in-apart::b.py::one@t=uds", 1},
    {"re:/::b/", NULL, NULL, NULL,
     "in-apart::b.py::one@t=tcp in-apart::b.py::one@t=uds in-one<b.py::one> "
     "in-hand<b.py::one> bad! closed",
     6},
    {NULL, "two", NULL, NULL,
     "in-apart::a.py::two%5B1%5D@t=tcp in-apart::a.py::two%5B1%5D@t=uds in-one<a.py::two[1]> "
     "in-hand<a.py::two[1]> bad!",
     6},
    {NULL, "one and not two and not apart", NULL, NULL,
     "in-one<a.py::one,b.py::one> in-hand<a.py::one,b.py::one> bad!", 6},
    {NULL, "plain", NULL, NULL, "bad! plain", 6},
    {NULL, "two", "slow", NULL, "in-one<a.py::two[1]>", 1},
    {"in-one", NULL, NULL, "in-one::a.py", "in-one<b.py::one>", 1},
    {"in-one", NULL, NULL, "in-one", "", 0},
    /* those inside are not known: whoever asks for one gets all */
    {"closed::x", NULL, NULL, NULL, "closed", 1},
    {"closed", NULL, NULL, NULL, "closed", 0},
    {"bad::x", NULL, NULL, NULL, "bad!", 1},
};

static void selections_reach_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof selections / sizeof selections[0]; i++) {
        const struct selection_spec spec = {
            .ids = &selections[i].ids,
            .id_count = selections[i].ids != NULL,
            .keywords = selections[i].keywords,
            .marks = selections[i].marks,
            .deselect = &selections[i].deselect,
            .deselect_count = selections[i].deselect != NULL,
        };
        struct scene s;

        open_scene(&s, &spec);
        if (strcmp(show(&s), selections[i].cases) != 0 || s.inside.asked != selections[i].asked)
            fail_msg("%zu (%s): asked %u times: %s", i, selections[i].ids ? selections[i].ids : "",
                     s.inside.asked, buf_text(&s.shown));
        close_scene(&s);
    }
}

/* ---- what a file may say ---- */

static const struct {
    const char *test, *error; /* NULL: it is fine */
} files[] = {
    {"preset: pytest, discover: per-test", NULL},
    {"discover: {list: [l], run: [x, '--only={test}']}", NULL},
    {"discover: {list: [l], lines: '(?<name>x)', run: [x, '{tests}']}", NULL},
    {"discover: per-test",
     "f:1:45: error: somebody has to list the tests: say a 'preset', or 'discover: {list: ..., run: ...}'"},
    {"preset: go, discover: {list: [l], run: ['{test}']}",
     "f:1:57: error: the preset knows how its tests are listed: say 'discover: per-test', or leave 'preset' "
     "out"},
    {"discover: {list: [l], run: [x, test]}",
     "f:1:62: error: no word says where the name of a test belongs: '{test}' for one, '{tests}' for several"},
    {"discover: {run: ['{test}']}", "f:1:45: error: 'discover' must have 'list'"},
};

static void files_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct suites suites;
        char text[300], said[400] = "";
        struct suite_world world = {.read = read_text, .glob = no_files, .user = text, .version = "0.1.0"};

        snprintf(text, sizeof text, "tests: [{name: t, run: [run, it], %s}]", files[i].test);
        suites_load(&arena, "f", &world, &suites, &diags);
        for (size_t d = 0; d < diags.count && !*said; d++)
            snprintf(said, sizeof said, "%s: %s: %s", place_text(&arena, diags.list[d].at),
                     diags.list[d].severity == DIAG_ERROR ? "error" : "warning", diags.list[d].text);
        if (strcmp(said, files[i].error ? files[i].error : "") != 0)
            fail_msg("%s:\n%s", files[i].test, said);
        suites_release(&suites);
        arena_release(&arena);
    }
}

/* ---- many ---- */

#define MANY 10000

static struct sub_list *list_many(void *user, const struct plan_case *c)
{
    (void)c;
    return user;
}

static void many_are_cheap(void **state)
{
    struct sub_test *subs = calloc(MANY, sizeof *subs);
    char(*texts)[24] = calloc(MANY, sizeof *texts);
    struct sub_list list = {subs, MANY, 0};
    struct scene s;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "a.py::test_%zu", i);
        subs[i].id = subs[i].name = str_of(texts[i]);
    }
    open_scene(&s, NULL);
    plan_release(&s.plan);
    plan_init(&s.plan, &s.arena, &s.suites);
    s.plan.lister = (struct plan_lister){list_many, &list};
    assert_true(plan_make(&s.plan, s.settings, NULL, &s.diags));
    assert_int_equal(s.plan.count, 3 * MANY + 4);
    assert_int_equal(s.plan.sub_count, MANY);
    case_id(&s.shown, &s.plan, &s.plan.cases[2 * MANY - 1]);
    assert_string_equal(buf_text(&s.shown), "in-apart::a.py::test_9999@t=uds");
    close_scene(&s);
    free(subs);
    free(texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_a_case),
        cmocka_unit_test(selections_reach_in),
        cmocka_unit_test(files_are_checked),
        cmocka_unit_test(many_are_cheap),
    };

    return cmocka_run_group_tests_name("tests inside", tests, NULL, NULL);
}
