/* A case said in words: its id, its cell, its context, what a selection sees of it. */
#include "matrix/plan/internal.h"
#include "matrix/plan/plan.h"
#include "runner/base/json.h"

#include <string.h>

const struct suite *case_suite(const struct suites *suites, const struct plan_case *c)
{
    return suites->list[c->suite];
}

const struct test *case_test(const struct suites *suites, const struct plan_case *c)
{
    return &suites->list[c->suite]->tests[c->test];
}

/* ---- tests inside ---- */

const struct sub_test *plan_sub(const struct plan *plan, uint32_t number)
{
    return plan->subs[number - 1];
}

const struct sub_test *case_sub(const struct plan *plan, const struct plan_case *c)
{
    return c->sub && case_test(plan->suites, c)->inside == INSIDE_APART ? plan_sub(plan, c->sub) : NULL;
}

struct key_set case_choice(const struct plan *plan, const struct plan_case *c)
{
    bool chosen = c->sub && case_test(plan->suites, c)->inside == INSIDE_CHOSEN;

    return chosen ? plan->choices[c->sub] : (struct key_set){0};
}

const char *case_problem(const struct plan *plan, const struct plan_case *c)
{
    const struct sub_test *sub = case_sub(plan, c);
    struct key_set choice = case_choice(plan, c);

    if (!sub && choice.count)
        sub = plan_sub(plan, choice.keys[0]);
    return sub ? sub->problem : NULL;
}

/* ---- id ---- */

static void add_axis(struct buf *out, char *separator, struct str name, const struct cell_key *key,
                     uint32_t value)
{
    if (value == CELL_ABSENT)
        return;
    buf_addc(out, *separator);
    *separator = ',';
    buf_addstr(out, name);
    buf_addc(out, '=');
    buf_addstr(out, key->values[value].id);
}

/*
 * A key that only `include` has stands in the id when it was asked for by name, or tells two cases apart.
 * Keys are asked for in order, as the extras are; `extra` is the first of them that is yet to come.
 */
static bool stands_in_id(const struct suite *suite, const struct test *test, uint32_t key,
                         const struct key_set *extras, uint32_t *extra)
{
    bool is_extra = *extra < extras->count && extras->keys[*extra] == key;

    *extra += is_extra;
    return test->axes[key] && (suite->cells.keys[key].axis || !test->all_axes || is_extra);
}

static void add_test(struct buf *out, const struct test *test, const struct sub_test *sub)
{
    buf_addstr(out, test->id);
    if (!sub || !sub->id.len)
        return;
    buf_adds(out, "::");
    buf_addstr(out, sub->id);
}

static void add_id(struct buf *out, const struct plan *plan, const struct plan_case *c,
                   const struct sub_test *sub)
{
    const struct suite *suite = case_suite(plan->suites, c);
    const struct test *test = case_test(plan->suites, c);
    const uint32_t *row = cells_row(&suite->cells, c->cell), *own = cells_row(&test->own, c->own);
    char separator = '@';
    uint32_t extra = 0;

    add_test(out, test, sub);
    for (uint32_t k = 0; k < suite->cells.key_count; k++)
        if (stands_in_id(suite, test, k, &plan->extras[c->extras], &extra))
            add_axis(out, &separator, suite->key_names[k], &suite->cells.keys[k], row[k]);
    for (uint32_t k = 0; k < test->own.key_count; k++)
        add_axis(out, &separator, test->own_names[k], &test->own.keys[k], own[k]);
}

void case_id(struct buf *out, const struct plan *plan, const struct plan_case *c)
{
    add_id(out, plan, c, case_sub(plan, c));
}

/* ---- cell ---- */

/* Each key of the case's cell in order: the suite's as far as the test depends on them, then its own. */
static uint32_t each_field(const struct suites *suites, const struct plan_case *c,
                           void (*each)(void *user, struct str name, const struct cell_value *value),
                           void *user)
{
    const struct suite *suite = case_suite(suites, c);
    const struct test *test = case_test(suites, c);
    const struct cells *both[] = {&suite->cells, &test->own};
    const uint32_t cell[] = {c->cell, c->own};
    uint32_t count = 0;

    for (int side = 0; side < 2; side++) {
        const struct cell_shape *shape = both[side]->shapes[cell[side]];
        const uint32_t *row = cells_row(both[side], cell[side]);

        for (uint32_t f = 0; f < shape->count; f++) {
            uint32_t k = shape->fields[f].key;

            if (side == 0 && !test->axes[k])
                continue;
            count++;
            if (each)
                each(user, shape->fields[f].name, &both[side]->keys[k].values[row[k]]);
        }
    }
    return count;
}

static void write_field(void *user, struct str name, const struct cell_value *value)
{
    json_key(user, name);
    json_raw(user, value->json);
}

void case_cell_json(struct buf *out, const struct suites *suites, const struct plan_case *c)
{
    struct json_writer w = {.out = out};

    json_object(&w);
    each_field(suites, c, write_field, &w);
    json_object_end(&w);
}

struct filling {
    struct arena *arena;
    struct pair *next;
};

static void add_pair(void *user, struct str name, const struct cell_value *value)
{
    struct filling *f = user;

    *f->next++ = (struct pair){node_string(f->arena, (struct place){0}, name), value->node};
}

struct node *case_context(const struct suites *suites, const struct plan_case *c, struct arena *arena)
{
    struct node *map = node_map(arena, (struct place){0}, each_field(suites, c, NULL, NULL));
    struct filling filling = {arena, map->map.pairs};

    each_field(suites, c, add_pair, &filling);
    return map;
}

/* ---- what a selection sees ---- */

void case_lens_init(struct case_lens *lens, struct arena *arena, const struct suites *suites)
{
    uint32_t most = 0;

    for (uint32_t s = 0; s < suites->count; s++)
        for (uint32_t t = 0; t < suites->list[s]->test_count; t++) {
            uint32_t keys = suites->list[s]->cells.key_count + suites->list[s]->tests[t].own.key_count;

            most = keys > most ? keys : most;
        }
    lens->axes = ARENA_ARRAY(arena, struct str, most);
    lens->values = ARENA_ARRAY(arena, struct str, most);
}

static void add_seen(struct case_lens *lens, struct case_view *view, const struct cells *cells,
                     const struct str *names, uint32_t cell)
{
    const uint32_t *row = cells_row(cells, cell);

    for (uint32_t k = 0; k < cells->key_count; k++) {
        if (row[k] == CELL_ABSENT)
            continue;
        lens->axes[view->axis_count] = names[k];
        lens->values[view->axis_count++] = cells->keys[k].values[row[k]].id;
    }
}

/* Of a C test: "nested/depth=3". No other '=' stands left of the cell, for names are escaped. */
static void split_params(struct case_view *view, size_t from)
{
    struct str test = view->test;
    const char *equals = test.len > from ? memchr(test.ptr + from, '=', test.len - from) : NULL;
    const char *slash = equals ? memrchr(test.ptr + from, '/', (size_t)(equals - test.ptr) - from) : NULL;

    if (!slash)
        return;
    view->test = str_slice(test, 0, (size_t)(slash - test.ptr));
    view->params = str_slice(test, (size_t)(slash - test.ptr) + 1, test.len);
}

struct case_view case_view_inside(struct case_lens *lens, const struct plan *plan, const struct plan_case *c,
                                  const struct sub_test *sub)
{
    const struct suite *suite = case_suite(plan->suites, c);
    const struct test *test = case_test(plan->suites, c);
    struct case_view view = {.axes = lens->axes, .values = lens->values};
    uint32_t backend = suite->bound[AXIS_BACKEND];

    buf_clear(&lens->id);
    add_id(&lens->id, plan, c, sub);
    view.id = buf_str(&lens->id);
    view.test = str_slice(view.id, 0, test->id.len + (sub && sub->id.len ? 2 + sub->id.len : 0));
    split_params(&view, test->id.len);
    if (backend != CELL_ABSENT)
        view.backend = suite->key_names[backend];
    add_seen(lens, &view, &suite->cells, suite->key_names, c->cell);
    add_seen(lens, &view, &test->own, test->own_names, c->own);
    return view;
}

struct case_view case_view(struct case_lens *lens, const struct plan *plan, const struct plan_case *c)
{
    return case_view_inside(lens, plan, c, case_sub(plan, c));
}

enum select_answer override_matches(const struct override *override, const struct suite *suite,
                                    const struct case_view *view)
{
    struct case_view at_home = *view;
    enum select_answer answer = selection_matches(override->select, view);

    if (answer != SELECT_NO || !suite->id_prefix)
        return answer;
    at_home.id = str_slice(view->id, suite->id_prefix, view->id.len);
    at_home.test = str_slice(view->test, suite->id_prefix, view->test.len);
    return selection_matches(override->select, &at_home);
}

void case_lens_release(struct case_lens *lens)
{
    buf_release(&lens->id);
}
