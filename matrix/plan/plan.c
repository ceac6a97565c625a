#include "matrix/plan/plan.h"

#include "matrix/plan/internal.h"
#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(SUITES_MOST < 1u << CASE_SUITE_BITS, "a case can say its suite");
_Static_assert(TESTS_MOST < 1u << CASE_TEST_BITS, "a case can say its test");

/* ---- contexts ---- */

static const struct node *number(struct arena *arena, double value)
{
    return node_number(arena, (struct place){0}, value);
}

static struct node *strategy_context(struct arena *arena, const struct suite *suite, uint32_t cell)
{
    struct node *map = node_map(arena, (struct place){0}, 2);

    map->map.pairs[0].key = node_string(arena, (struct place){0}, str_of("job-index"));
    map->map.pairs[0].value = number(arena, cell);
    map->map.pairs[1].key = node_string(arena, (struct place){0}, str_of("job-total"));
    map->map.pairs[1].value = number(arena, suite->cells.count);
    return map;
}

const struct node *case_env_context(void *user, struct str name)
{
    struct case_env *env = user;
    const struct suite *suite = case_suite(env->suites, env->c);

    if (str_eq_nocase(name, str_of("matrix"))) {
        if (!env->matrix)
            env->matrix = case_context(env->suites, env->c, env->scratch);
        return env->matrix;
    }
    if (str_eq_nocase(name, str_of("strategy")))
        return strategy_context(env->scratch, suite, env->c->cell);
    if (str_eq_nocase(name, str_of("env")))
        return suite->world->env;
    return NULL;
}

/* ---- one case ---- */

static bool only_holds(struct planning *p, const struct plan_case *c, bool *holds)
{
    const struct test *test = case_test(p->plan->suites, c);
    struct case_env user = {p->plan->suites, c, &p->scratch, NULL};
    const struct expr_env env = {case_env_context, &user};
    const struct node *value;

    *holds = true;
    if (!test->only)
        return true;
    arena_clear(&p->scratch);
    value = expr_eval(test->only, &env, &p->scratch, p->diags);
    *holds = value && value_truthy(value);
    return value != NULL;
}

bool plan_read_marks(struct planning *p, const struct plan_case *c, struct case_view *view)
{
    struct setting_value marks;

    arena_clear(&p->scratch);
    if (!settings_get(p->settings, c, SET_MARKS, &p->scratch, &marks, p->diags))
        return false;
    for (uint32_t i = 0; marks.node && i < marks.node->seq.count; i++) {
        GROW(p->marks, view->mark_count, p->marks_cap);
        p->marks[view->mark_count++] = node_text(marks.node->seq.items[i], &p->scratch);
    }
    view->marks = p->marks;
    return true;
}

/* A pattern that gives up on one id would give up on the next: the whole selection fails with it. */
bool plan_ask(struct planning *p, const struct case_view *view, bool *selected)
{
    enum select_answer answer = selection_matches(p->selection, view);

    if (answer == SELECT_GAVE_UP)
        diag_error(p->diags, (struct place){0},
                   "a pattern takes too long to decide about '%.*s'; make it simpler", STR_ARG(view->id));
    *selected = answer == SELECT_YES;
    return answer != SELECT_GAVE_UP;
}

static bool is_selected(struct planning *p, const struct plan_case *c, bool *selected)
{
    struct case_view view;

    *selected = true;
    if (!p->selection)
        return true;
    view = case_view(&p->lens, p->plan, c);
    return plan_read_marks(p, c, &view) && plan_ask(p, &view, selected);
}

static bool add_case(struct planning *p, const struct plan_case *c)
{
    struct plan *plan = p->plan;

    if (plan->count == CASES_MOST) {
        diag_error(p->diags, case_test(plan->suites, c)->node->at, "more than %u cases", CASES_MOST);
        return false;
    }
    GROW(plan->cases, plan->count, p->cap);
    plan->cases[plan->count++] = *c;
    return true;
}

/* ---- overrides that no case meets ---- */

#define LOOKS_MOST 10000000u /* then nobody is told: a warning is not worth minutes */

static void watch_overrides(struct planning *p, const struct suite *suite)
{
    p->idle = mem_resize(p->idle, suite->override_count + 1, sizeof *p->idle);
    p->looks = LOOKS_MOST;
    p->idle_count = suite->override_count;
    for (uint32_t i = 0; i < p->idle_count; i++)
        p->idle[i] = i;
}

static void meet_overrides(struct planning *p, const struct plan_case *c)
{
    const struct suite *suite = case_suite(p->plan->suites, c);
    struct case_view view;

    if (!p->idle_count)
        return;
    view = case_view(&p->lens, p->plan, c);
    for (uint32_t i = 0; i < p->idle_count && p->looks; p->looks--) {
        if (override_matches(&suite->overrides[p->idle[i]], suite, &view) == SELECT_NO)
            i++;
        else
            p->idle[i] = p->idle[--p->idle_count];
    }
    if (!p->looks)
        p->idle_count = 0;
}

static void warn_idle_overrides(struct planning *p, const struct suite *suite)
{
    for (uint32_t i = 0; i < p->idle_count; i++)
        diag_warning(p->diags, node_get(suite->overrides[p->idle[i]].node, "select")->at,
                     "this override selects no case");
}

/* ---- one test ---- */

bool plan_take(struct planning *p, const struct plan_case *c)
{
    p->plan->collected++;
    meet_overrides(p, c);
    return add_case(p, c);
}

bool plan_consider(struct planning *p, const struct plan_case *c)
{
    bool selected;

    p->plan->collected++;
    meet_overrides(p, c);
    if (!is_selected(p, c, &selected))
        return false;
    return !selected || add_case(p, c);
}

static bool consider(struct planning *p, const struct plan_case *c)
{
    bool holds;

    if (!only_holds(p, c, &holds))
        return false;
    if (!holds)
        return true;
    return case_test(p->plan->suites, c)->inside ? plan_consider_inside(p, *c) : plan_consider(p, c);
}

#define KNOWN_MOST 16

/* Tests with the same axes run in the same cells: most suites have one projection for all of their tests. */
struct known {
    const struct test *tests[KNOWN_MOST];
    struct projection projections[KNOWN_MOST];
    uint32_t count, turn; /* turn: whose place the next one takes when all are taken */
};

static bool same_axes(const struct suite *suite, const struct test *a, const struct test *b)
{
    return a->all_axes == b->all_axes &&
           memcmp(a->axes, b->axes, suite->cells.key_count * sizeof *a->axes) == 0;
}

static const struct projection *project(struct planning *p, const struct suite *suite,
                                        const struct test *test, struct known *known)
{
    uint32_t at;

    for (uint32_t i = 0; i < known->count; i++)
        if (same_axes(suite, known->tests[i], test))
            return &known->projections[i];
    at = known->turn++ % KNOWN_MOST;
    if (known->count < KNOWN_MOST)
        known->count++;
    projection_release(&known->projections[at]);
    known->tests[at] = test;
    projection_make(p->plan->arena, suite, test, &p->sets, &known->projections[at]);
    p->plan->extras = p->sets.list;
    return &known->projections[at];
}

/* It is nobody else's, where each cell has a run of its own. */
static bool is_wanted(const struct suite *suite, const struct projected *at)
{
    return !suite->one_cell || at->cell == suite->only_cell;
}

static bool plan_test(struct planning *p, uint32_t suite, uint32_t test, const struct projection *projection)
{
    const struct test *t = &p->plan->suites->list[suite]->tests[test];

    for (uint32_t i = 0; i < projection->count; i++) {
        const struct projected *at = &projection->list[i];

        for (uint32_t own = 0; is_wanted(p->plan->suites->list[suite], at) && own < t->own.count; own++) {
            struct plan_case c = {.suite = suite,
                                  .elsewhere = at->elsewhere,
                                  .test = test,
                                  .cell = at->cell,
                                  .own = own,
                                  .extras = at->extras};

            if (!consider(p, &c))
                return false;
        }
    }
    return true;
}

static bool plan_suite(struct planning *p, uint32_t s)
{
    const struct suite *suite = p->plan->suites->list[s];
    struct known known = {0};
    bool ok = true;

    watch_overrides(p, suite);
    for (uint32_t t = 0; ok && t < suite->test_count; t++)
        ok = suite->tests[t].left_out || plan_test(p, s, t, project(p, suite, &suite->tests[t], &known));
    for (uint32_t i = 0; i < known.count; i++)
        projection_release(&known.projections[i]);
    if (ok && suite->test_count && !suite->narrowed && !suite->one_cell)
        warn_idle_overrides(p, suite);
    return ok;
}

static void apply_partition(struct planning *p)
{
    struct plan *plan = p->plan;
    uint32_t kept = 0;

    for (uint32_t i = 0; p->selection && i < plan->count; i++) {
        struct case_view view = case_view(&p->lens, plan, &plan->cases[i]);

        if (selection_in_partition(p->selection, view.id, i))
            plan->cases[kept++] = plan->cases[i];
    }
    if (p->selection)
        plan->count = kept;
}

/* ---- axes that a selection speaks of ---- */

struct axis_check {
    const struct suites *suites;
    struct planning *p;
};

static bool somebody_has(const struct suites *suites, struct str axis)
{
    for (uint32_t s = 0; s < suites->count; s++) {
        const struct suite *suite = suites->list[s];

        if (cells_key(&suite->cells, axis) != CELL_ABSENT)
            return true;
        for (uint32_t t = 0; t < suite->test_count; t++)
            if (cells_key(&suite->tests[t].own, axis) != CELL_ABSENT)
                return true;
    }
    return false;
}

static bool check_axis(void *user, struct str axis)
{
    struct axis_check *check = user;
    const struct suites *suites = check->suites;

    if (!somebody_has(suites, axis))
        diag_error(check->p->diags, (struct place){0}, "the selection speaks of '%.*s', which is no axis%s",
                   STR_ARG(axis), suite_guess_key(suites->list[0], axis, check->p->diags));
    return true;
}

void plan_init(struct plan *plan, struct arena *arena, const struct suites *suites)
{
    *plan = (struct plan){.arena = arena, .suites = suites, .extras = ARENA_NEW(arena, struct key_set)};
}

bool plan_make(struct plan *plan, struct settings *settings, const struct selection *selection,
               struct diags *diags)
{
    size_t errors = diags->errors;
    struct planning p = {.diags = diags, .settings = settings, .selection = selection, .plan = plan};
    struct axis_check check = {plan->suites, &p};
    bool ok;

    p.sets = (struct key_sets){ARENA_NEW(plan->arena, struct key_set), 1, 1};
    if (selection)
        selection_each_axis(selection, check_axis, &check);
    ok = diags->errors == errors;
    case_lens_init(&p.lens, plan->arena, plan->suites);
    for (uint32_t s = 0; ok && s < plan->suites->count; s++)
        ok = plan->suites->list[s]->left_out || plan_suite(&p, s);
    if (ok)
        apply_partition(&p);
    arena_release(&p.scratch);
    case_lens_release(&p.lens);
    free(p.marks);
    free(p.idle);
    return ok;
}

void plan_release(struct plan *plan)
{
    free(plan->cases);
    free(plan->subs);
    free(plan->choices);
    *plan = (struct plan){0};
}
