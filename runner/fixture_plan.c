/* Which instances there may be: before the first of them is made. */
#include "runner/fixture_internal.h"

#include "runner/base/mem.h"

#include <stdlib.h>

#define SEATS_MOST 512

/* ---- what a test needs ---- */

static void add_needs(const struct suite *suite, uint32_t fixture, bool *in, struct closure *closure)
{
    const struct fixture *what = &suite->fixtures[fixture];

    if (in[fixture] || !what->node) /* reg_addr is there in any case */
        return;
    in[fixture] = true;
    for (uint32_t i = 0; i < what->need_count; i++)
        add_needs(suite, what->needs[i], in, closure);
    closure->list[closure->count++] = fixture;
}

static void close_over(struct session *s, const struct suite *suite, const struct test *test,
                       struct closure *closure)
{
    bool *in = mem_zero(suite->fixture_count, sizeof *in);

    closure->known = true;
    closure->list = ARENA_ARRAY(s->arena, uint32_t, suite->fixture_count);
    for (uint32_t i = 0; i < test->fixture_count; i++)
        add_needs(suite, test->fixtures[i], in, closure);
    free(in);
}

const struct closure *closure_of(const struct session *s, uint32_t number)
{
    const struct plan_case *c = session_planned(s, number);

    return &s->fixtures->closures[c->suite][c->test];
}

static const struct suite *suite_of(const struct session *s, uint32_t suite)
{
    return s->front->suites.list[suite];
}

/* ---- instances ---- */

void instance_init(struct session *s, struct instance *instance, uint32_t suite, uint32_t fixture,
                   uint32_t cell)
{
    *instance = (struct instance){
        .suite = suite_of(s, suite),
        .fixture = &suite_of(s, suite)->fixtures[fixture],
        .suite_number = suite,
        .cell = cell,
        .ordinal = s->jobs + s->fixtures->ordinals++,
        .address = ADDRESS_NONE,
        .tmp.fd = -1,
        .ready.socket = -1,
    };
    instance->tmp.slot = instance->ordinal;
}

static struct instance **wide_at(const struct session *s, uint32_t suite, uint32_t fixture, uint32_t cell)
{
    return &s->fixtures->of_suite[suite][(size_t)fixture * suite_of(s, suite)->cells.count + cell];
}

struct instance *wide_of(const struct session *s, uint32_t number, uint32_t fixture)
{
    const struct plan_case *c = session_planned(s, number);

    if (suite_of(s, c->suite)->fixtures[fixture].scope == SCOPE_CASE)
        return NULL;
    return *wide_at(s, c->suite, fixture, c->cell);
}

/* Of a session fixture there is one for all cells that are alike on its axes. */
static struct instance *find_alike(const struct session *s, uint32_t suite, const struct fixture *fixture,
                                   uint32_t cell)
{
    const struct fixtures *f = s->fixtures;

    for (uint32_t i = 0; fixture->scope == SCOPE_SESSION && i < f->wide_count; i++)
        if (f->wide[i]->fixture == fixture &&
            cell_same(suite_of(s, suite), f->wide[i]->cell, cell, fixture->axes))
            return f->wide[i];
    return NULL;
}

static struct instance *new_wide(struct session *s, uint32_t suite, uint32_t fixture, uint32_t cell)
{
    struct fixtures *f = s->fixtures;
    struct instance *instance = ARENA_NEW(s->arena, struct instance);
    const struct fixture *what = &suite_of(s, suite)->fixtures[fixture];

    instance_init(s, instance, suite, fixture, cell);
    instance->needs = ARENA_ARRAY(s->arena, struct instance *, what->need_count);
    for (uint32_t i = 0; i < what->need_count; i++)
        if (suite_of(s, suite)->fixtures[what->needs[i]].node)
            instance->needs[instance->need_count++] = *wide_at(s, suite, what->needs[i], cell);
    GROW(f->wide, f->wide_count, f->wide_cap);
    f->wide[f->wide_count++] = instance;
    return instance;
}

static void plan_wide(struct session *s, const struct plan_case *c, uint32_t fixture)
{
    struct instance **at = wide_at(s, c->suite, fixture, c->cell);

    if (*at)
        return;
    *at = find_alike(s, c->suite, &suite_of(s, c->suite)->fixtures[fixture], c->cell);
    if (!*at)
        *at = new_wide(s, c->suite, fixture, c->cell);
}

/* ---- what can be wrong with them ---- */

/* From when nobody wants it any more. */
static nanos undoing_of(const struct session *s, const struct fixture_recipe *recipe)
{
    nanos cap = s->kitchen.cap / 2, teardown = recipe->has[COMMAND_TEARDOWN] ? recipe->timeout : 0;
    nanos dump = teardown && !cap ? watch_dump_bound(WATCH_DUMP_STRIKE, 0) : 0;

    if (recipe->kind == FIXTURE_ADDRESS)
        return 0;
    return (cap && teardown > cap ? cap : teardown) + dump + watch_bound(&recipe->stop, cap);
}

/* With the values of the first case that needs it. */
static bool rehearse(struct session *s, const struct plan_case *c, uint32_t fixture, nanos *undoing)
{
    const struct suite *suite = suite_of(s, c->suite);
    const struct fixture *what = &suite->fixtures[fixture];
    struct fixture_place place = {
        .id = str_of(arena_printf(s->arena, "fixture:%.*s", STR_ARG(what->name))),
        .cell = c->cell,
        .tmpdir = "",
    };
    struct fixture_recipe recipe;
    struct arena scratch = {0};
    bool good;

    place.matrix =
        what->scope == SCOPE_CASE
            ? case_context(&s->front->suites, c, &scratch)
            : cell_context(suite, c->cell, what->scope == SCOPE_SESSION ? what->axes : NULL, &scratch);
    good = fixture_cook(&s->kitchen, suite, what, &place, true, &scratch, &recipe, s->in->diags);
    *undoing = undoing_of(s, &recipe);
    arena_release(&scratch);
    return good;
}

/* ---- the plan ---- */

static struct closure *new_closure(struct session *s, uint32_t number)
{
    struct fixtures *f = s->fixtures;
    const struct plan_case *c = session_planned(s, number);
    const struct suite *suite = suite_of(s, c->suite);

    if (!f->closures[c->suite]) {
        f->closures[c->suite] = ARENA_ARRAY(s->arena, struct closure, suite->test_count);
        f->of_suite[c->suite] =
            ARENA_ARRAY(s->arena, struct instance *, (size_t)suite->fixture_count * suite->cells.count);
    }
    if (!f->closures[c->suite][c->test].known)
        close_over(s, suite, &suite->tests[c->test], &f->closures[c->suite][c->test]);
    return &f->closures[c->suite][c->test];
}

static uint32_t seats_of(const struct fixture *fixture)
{
    bool side = fixture->node && (node_get(fixture->node, "teardown") ||
                                  node_get(node_get(fixture->node, "ready"), "command"));

    return fixture_kind_of(fixture) == FIXTURE_ADDRESS ? 0 : 1 + side;
}

static bool any_test_has(const struct session *s)
{
    for (uint32_t i = 0; i < s->case_count; i++)
        if (case_test(&s->front->suites, session_planned(s, i))->fixture_count)
            return true;
    return false;
}

/* Of each fixture of a suite: how long it takes to undo, when that is known. */
struct rehearsal {
    bool done;
    nanos undoing;
};

static bool plan_case_fixtures(struct session *s, uint32_t number, struct rehearsal **of, uint32_t *most)
{
    const struct plan_case *c = session_planned(s, number);
    const struct closure *closure = new_closure(s, number);
    nanos undoing = 0;
    uint32_t seats = 0;
    bool good = true;

    if (!of[c->suite])
        of[c->suite] = ARENA_ARRAY(s->arena, struct rehearsal, suite_of(s, c->suite)->fixture_count);
    for (uint32_t i = 0; i < closure->count; i++) {
        const struct fixture *what = &suite_of(s, c->suite)->fixtures[closure->list[i]];
        struct rehearsal *rehearsal = &of[c->suite][closure->list[i]];

        if (what->scope != SCOPE_CASE)
            plan_wide(s, c, closure->list[i]);
        else
            seats += seats_of(what);
        if (!rehearsal->done)
            good = rehearse(s, c, closure->list[i], &rehearsal->undoing) && good;
        rehearsal->done = true;
        undoing += rehearsal->undoing;
    }
    if (undoing > s->longest_undoing)
        s->longest_undoing = undoing;
    if (seats > *most)
        *most = seats;
    return good;
}

bool fixtures_plan(struct session *s)
{
    uint32_t suites = s->front->suites.count, of_case = 0;
    struct rehearsal **of;
    bool good = true;

    if (!any_test_has(s))
        return true;
    s->fixtures = ARENA_NEW(s->arena, struct fixtures);
    s->fixtures->closures = ARENA_ARRAY(s->arena, struct closure *, suites);
    s->fixtures->of_suite = ARENA_ARRAY(s->arena, struct instance **, suites);
    of = ARENA_ARRAY(s->arena, struct rehearsal *, suites);
    for (uint32_t i = 0; i < s->case_count; i++)
        good = plan_case_fixtures(s, i, of, &of_case) && good;
    s->fixtures->own_seats = of_case;
    return good;
}

uint32_t fixtures_own_places(const struct session *s)
{
    return s->fixtures ? s->fixtures->own_seats : 0;
}

uint32_t fixtures_shared_places(const struct session *s)
{
    uint32_t seats = 0;

    for (uint32_t i = 0; s->fixtures && i < s->fixtures->wide_count; i++)
        seats += seats_of(s->fixtures->wide[i]->fixture);
    return seats < SEATS_MOST ? seats : SEATS_MOST;
}

/* More instances than that side by side are too many. */
uint32_t fixtures_places(const struct session *s)
{
    uint64_t seats = fixtures_shared_places(s) + (uint64_t)fixtures_own_places(s) * s->jobs;

    return seats < SEATS_MOST ? (uint32_t)seats : SEATS_MOST;
}

bool fixtures_open(struct session *s)
{
    struct fixtures *f = s->fixtures;

    if (!f)
        return true;
    f->seat_count = fixtures_places(s);
    f->held_next = ARENA_ARRAY(s->arena, uint32_t, s->life_count);
    f->held = ARENA_ARRAY(s->arena, bool, s->life_count);
    f->has = ARENA_ARRAY(s->arena, bool, s->life_count);
    f->seats = mem_zero(f->seat_count + 1, sizeof *f->seats);
    for (uint32_t i = 0; i < f->seat_count; i++) {
        f->seats[i].number = s->jobs + i;
        f->seats[i].spawn = spawn_new();
        if (!f->seats[i].spawn)
            return false;
    }
    for (uint32_t i = 0; i < s->life_count; i++) {
        const struct closure *closure = closure_of(s, i);

        for (uint32_t k = 0; s->cases[i].state != CASE_OVER && k < closure->count; k++) {
            struct instance *wide = wide_of(s, i, closure->list[k]);

            if (wide)
                wide->pending++;
        }
    }
    return true;
}

void fixtures_close(struct session *s)
{
    struct fixtures *f = s->fixtures;

    if (!f)
        return;
    for (uint32_t i = 0; i < f->wide_count; i++)
        arena_release(&f->wide[i]->arena);
    for (uint32_t i = 0; f->seats && i < f->seat_count; i++)
        if (f->seats[i].spawn)
            spawn_free(f->seats[i].spawn);
    free(f->seats);
    free(f->wide);
}
