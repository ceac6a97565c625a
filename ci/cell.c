/* Which cell a job is: what toJSON(matrix) made of it, held against every cell there is. */
#include "ci/job.h"

#include "runner/base/utf8.h"

#include <string.h>

#define VARIABLE   "RUN_MATRIX_CELL"
#define SHOWN_MOST 300  /* bytes of a cell in a message */
#define OWN_KEY    "id" /* that `ci matrix` puts into every cell */

/* ---- is it this one ---- */

static bool same_number(double a, double b)
{
    struct buf left = {0}, right = {0};
    bool same;

    number_format(&left, a);
    number_format(&right, b);
    same = str_eq(buf_str(&left), buf_str(&right));
    buf_release(&left);
    buf_release(&right);
    return same;
}

static bool same_value(const struct node *a, const struct node *b);

static bool same_items(const struct node *a, const struct node *b)
{
    if (a->seq.count != b->seq.count)
        return false;
    for (uint32_t i = 0; i < a->seq.count; i++)
        if (!same_value(a->seq.items[i], b->seq.items[i]))
            return false;
    return true;
}

static bool same_pairs(const struct node *a, const struct node *b)
{
    if (a->map.count != b->map.count)
        return false;
    for (uint32_t i = 0; i < a->map.count; i++) {
        const struct node *other = node_get_nocase(b, a->map.pairs[i].key->string);

        if (!other || !same_value(a->map.pairs[i].value, other))
            return false;
    }
    return true;
}

/* Numbers have gone through a text of 15 digits on their way; everything else is as it was, types too. */
static bool same_value(const struct node *a, const struct node *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case NODE_NULL: return true;
    case NODE_BOOL: return a->boolean == b->boolean;
    case NODE_NUMBER: return same_number(a->number, b->number);
    case NODE_STRING: return str_eq(a->string, b->string);
    case NODE_SEQ: return same_items(a, b);
    case NODE_MAP: return same_pairs(a, b);
    }
    return false;
}

static const struct cell_value *value_of(const struct cells *cells, uint32_t cell, uint32_t key)
{
    uint32_t value = cells_row(cells, cell)[key];

    return value == CELL_ABSENT ? NULL : &cells->keys[key].values[value];
}

/* One that the file has not is ours. */
static bool is_own(const struct cells *cells, struct str name)
{
    return str_is(name, OWN_KEY) && cells_key(cells, name) == CELL_ABSENT;
}

/* ---- the cells of a suite against it ---- */

struct look {
    const struct cells *cells;
    const struct node *asked;
    bool **fits;      /* [key][value]: is it what was asked for? */
    uint32_t strange; /* keys that were asked for and the cells have not */
};

/* Values are held against what was asked for once each, however many cells have them. */
static void look_open(struct look *look, struct arena *arena, const struct cells *cells,
                      const struct node *asked)
{
    *look = (struct look){cells, asked, ARENA_ARRAY(arena, bool *, cells->key_count), 0};
    for (uint32_t k = 0; k < cells->key_count; k++) {
        const struct cell_key *key = &cells->keys[k];
        const struct node *value = node_get_nocase(asked, key->name);

        look->fits[k] = ARENA_ARRAY(arena, bool, key->count);
        for (uint32_t v = 0; value && v < key->count; v++)
            look->fits[k][v] = same_value(key->values[v].node, value);
    }
    for (uint32_t i = 0; i < asked->map.count; i++) {
        struct str name = asked->map.pairs[i].key->string;

        look->strange += cells_key(cells, name) == CELL_ABSENT && !is_own(cells, name);
    }
}

static bool key_fits(const struct look *look, uint32_t cell, uint32_t key)
{
    uint32_t value = cells_row(look->cells, cell)[key];

    if (value == CELL_ABSENT)
        return !node_get_nocase(look->asked, look->cells->keys[key].name);
    return look->fits[key][value];
}

/* A key that was forgotten is nearer than one that says something else. */
static uint32_t distance(const struct look *look, uint32_t cell)
{
    uint32_t far = look->strange * 2;

    for (uint32_t k = 0; k < look->cells->key_count; k++) {
        bool both = value_of(look->cells, cell, k) && node_get_nocase(look->asked, look->cells->keys[k].name);

        far += key_fits(look, cell, k) ? 0 : both ? 3 : 2;
    }
    return far;
}

/* ---- what was found ---- */

struct found {
    uint32_t first, count;
    uint32_t nearest, distance; /* when there is none */
};

static struct found find(const struct look *look)
{
    struct found found = {.first = CELL_ABSENT, .nearest = CELL_ABSENT, .distance = UINT32_MAX};

    for (uint32_t cell = 0; cell < look->cells->count; cell++) {
        uint32_t far = distance(look, cell);

        if (far == 0 && !found.count++)
            found.first = cell;
        if (far < found.distance) {
            found.nearest = cell;
            found.distance = far;
        }
    }
    return found;
}

/* ---- in words ---- */

static void add_short(struct buf *out, struct str json)
{
    struct str shown = utf8_cut(json, SHOWN_MOST);

    buf_addstr(out, shown);
    if (shown.len < json.len)
        buf_adds(out, "...");
}

static void add_node(struct buf *out, const struct node *node)
{
    struct buf json = {0};

    node_json(&json, node, 0);
    add_short(out, buf_str(&json));
    buf_release(&json);
}

static void add_difference(struct buf *out, const struct look *look, uint32_t cell, uint32_t key)
{
    const struct cell_value *there = value_of(look->cells, cell, key);
    const struct node *here = node_get_nocase(look->asked, look->cells->keys[key].name);

    buf_addf(out, "; '%.*s' is ", STR_ARG(look->cells->keys[key].name));
    if (there)
        add_short(out, there->json);
    else
        buf_adds(out, "missing");
    buf_adds(out, " there, and ");
    if (here)
        add_node(out, here);
    else
        buf_adds(out, "missing");
    buf_adds(out, " here");
}

static void add_strange(struct buf *out, const struct look *look)
{
    for (uint32_t i = 0; i < look->asked->map.count; i++) {
        struct str name = look->asked->map.pairs[i].key->string;

        if (cells_key(look->cells, name) == CELL_ABSENT && !is_own(look->cells, name))
            buf_addf(out, "; it has no key '%.*s'", STR_ARG(utf8_cut(name, SHOWN_MOST)));
    }
}

static void say_none(const struct look *look, const struct found *found, const char *file,
                     struct diags *diags)
{
    struct buf text = {0};

    add_node(&text, look->asked);
    buf_addf(&text, " is no cell of %s", file);
    if (!look->cells->key_count) {
        buf_adds(&text, ", which has no matrix: leave " VARIABLE " away");
    } else if (found->nearest != CELL_ABSENT) {
        struct buf nearest = {0};

        cells_json(&nearest, look->cells, found->nearest);
        buf_adds(&text, "; the nearest is ");
        add_short(&text, buf_str(&nearest));
        for (uint32_t k = 0; k < look->cells->key_count; k++)
            if (!key_fits(look, found->nearest, k))
                add_difference(&text, look, found->nearest, k);
        add_strange(&text, look);
        buf_release(&nearest);
    } else {
        buf_adds(&text, ", which has none");
    }
    diag_error(diags, (struct place){.file = VARIABLE}, "%s", buf_text(&text));
    buf_release(&text);
}

static void say_several(const struct look *look, uint32_t count, const char *file, struct diags *diags)
{
    struct buf text = {0};

    add_node(&text, look->asked);
    diag_error(
        diags, (struct place){.file = VARIABLE},
        "%s is each of %u cells of %s, which are the same in everything: whose job this is cannot be told",
        buf_text(&text), count, file);
    buf_release(&text);
}

/* ---- all suites ---- */

static const struct node *read_cell(struct str text, struct diags *diags)
{
    const struct place at = {VARIABLE, 1, 1};
    struct node *node = json_to_node(diags->arena, text, at, diags);

    if (node && node->kind == NODE_NULL)
        return node_map(diags->arena, at, 0); /* of a job that has no matrix */
    if (!node || node->kind == NODE_MAP)
        return node;
    diag_error(diags, at, "a cell is an object as ${{ toJSON(matrix) }} makes it, and this is %s",
               node_kind_words(node->kind));
    return NULL;
}

/* Its first cell that is not for another kind of machine; CELL_ABSENT: there is none. */
static uint32_t first_for_linux(const struct suite *suite)
{
    for (uint32_t cell = 0; cell < suite->cells.count; cell++)
        if (!suite->foreign[cell])
            return cell;
    return CELL_ABSENT;
}

const struct suite *job_home(const struct suites *suites, uint32_t *cell)
{
    const struct suite *plain = NULL;

    for (uint32_t s = 0; s < suites->count; s++) {
        const struct suite *suite = suites->list[s];

        *cell = first_for_linux(suite);
        if (suite->left_out || *cell == CELL_ABSENT)
            continue;
        if (suite->cells.key_count)
            return suite;
        plain = plain ? plain : suite;
    }
    *cell = 0;
    return plain;
}

static void choose_for_plain(const struct suites *suites)
{
    uint32_t cell;
    const struct suite *home = job_home(suites, &cell);
    bool here = !home || home->only_cell == cell;

    for (uint32_t s = 0; s < suites->count; s++)
        if (!suites->list[s]->left_out && !suites->list[s]->cells.key_count)
            suites->list[s]->only_cell = here ? 0 : CELL_ABSENT;
}

static bool choose(struct suite *suite, const struct node *asked, struct diags *diags, uint32_t *met)
{
    struct look look;
    struct found found;

    look_open(&look, diags->arena, &suite->cells, asked);
    found = find(&look);
    suite->one_cell = true;
    suite->only_cell = found.first;
    *met += found.count;
    if (found.count > 1)
        say_several(&look, found.count, suite->file, diags);
    return found.count <= 1;
}

/* Of the suites that have a matrix, where one has. */
static void say_nearest(const struct suites *suites, const struct node *asked, struct diags *diags)
{
    struct look look, best_look = {0};
    struct found found, best = {0};
    const char *file = NULL;

    for (uint32_t s = 0; s < suites->count; s++) {
        const struct suite *suite = suites->list[s];

        if (suite->left_out || (file && !suite->cells.key_count))
            continue;
        look_open(&look, diags->arena, &suite->cells, asked);
        found = find(&look);
        if (file && best_look.cells->key_count && found.distance >= best.distance)
            continue;
        best_look = look;
        best = found;
        file = suite->file;
    }
    if (file)
        say_none(&best_look, &best, file, diags);
}

bool job_choose_cell(struct suites *suites, struct str text, struct diags *diags)
{
    const struct node *asked = read_cell(text, diags);
    uint32_t met = 0;

    for (uint32_t s = 0; asked && s < suites->count; s++)
        if (!suites->list[s]->left_out && !choose(suites->list[s], asked, diags, &met))
            return false;
    if (!asked)
        return false;
    if (!met)
        say_nearest(suites, asked, diags);
    else
        choose_for_plain(suites);
    return met > 0;
}
