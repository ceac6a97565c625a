#include "ci/check.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define TOLD_MOST 10 /* cells of one kind, one by one */

static const struct place none = {0};

static struct place strategy_at(const struct check *c, const char *key)
{
    const struct suite *suite = c->facts->jobs->suite;
    const struct node *strategy = node_get(suite->root, "strategy"), *node = node_get(strategy, key);

    if (!node)
        node = node_get(strategy, "from");
    return node ? node->at : strategy ? strategy->at : (struct place){.file = suite->file};
}

/* ---- cells, whatever order their keys are in ---- */

struct flat {
    struct str text; /* "cc=gcc,os=linux", names in lower case and in order */
    struct str id;   /* that the workflow or we give it; empty: none */
    struct place at;
    bool met;
};

struct flats {
    struct flat *list;
    uint32_t count;
};

struct field {
    struct str name, value;
};

static int compare_fields(const void *a, const void *b)
{
    return str_cmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

static struct str lower(struct arena *arena, struct str text)
{
    char *copy = ARENA_ARRAY(arena, char, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        copy[i] = (char)(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? text.ptr[i] + 32 : text.ptr[i]);
    return (struct str){copy, text.len};
}

static struct str escaped(struct arena *arena, struct str text)
{
    struct buf out = {0};
    struct str copy;

    id_escape(&out, text);
    copy = arena_str(arena, buf_str(&out));
    buf_release(&out);
    return copy;
}

/* "14" and 14 are the same to GitHub's `==`, and so to whoever gets the cell. */
static struct str value_words(struct arena *arena, const struct cell_value *value)
{
    return escaped(arena, node_is_scalar(value->node) ? value_text(value->node, arena) : value->json);
}

static void flatten(struct arena *arena, const struct cells *cells, uint32_t cell, bool own_id,
                    struct flat *flat)
{
    const struct cell_shape *shape = cells->shapes[cell];
    const uint32_t *row = cells_row(cells, cell);
    struct field *fields = ARENA_ARRAY(arena, struct field, shape->count);
    struct buf text = {0};
    uint32_t count = 0;

    for (uint32_t f = 0; f < shape->count; f++) {
        const struct cell_value *value = &cells->keys[shape->fields[f].key].values[row[shape->fields[f].key]];
        struct str name = lower(arena, shape->fields[f].name);

        flat->at = value->node->at;
        if (str_is(name, "id") && !own_id)
            flat->id = value_text(value->node, arena);
        else
            fields[count++] = (struct field){escaped(arena, name), value_words(arena, value)};
    }
    if (count)
        qsort(fields, count, sizeof *fields, compare_fields);
    for (uint32_t i = 0; i < count; i++)
        buf_addf(&text, "%s%.*s=%.*s", i ? "," : "", STR_ARG(fields[i].name), STR_ARG(fields[i].value));
    flat->text = arena_str(arena, buf_str(&text));
    buf_release(&text);
}

static bool has_own_id(const struct check *c)
{
    return c->facts->jobs->count && ci_job_has_own_id(&c->facts->jobs->list[0]);
}

static struct flats ours(const struct check *c)
{
    const struct ci_jobs *jobs = c->facts->jobs;
    struct flats flats = {ARENA_ARRAY(c->arena, struct flat, jobs->count), jobs->count};

    for (uint32_t j = 0; j < jobs->count; j++) {
        flatten(c->arena, &jobs->list[j].suite->cells, jobs->list[j].cell, has_own_id(c), &flats.list[j]);
        flats.list[j].id = jobs->list[j].id;
    }
    return flats;
}

static bool theirs(const struct check *c, const struct node *matrix, struct flats *flats)
{
    struct diags unread = {.arena = c->arena};
    struct cells cells = {0};

    if (!cells_expand(c->arena, matrix, &cells, &unread)) {
        check_tell(c, unread.count ? unread.list[0].at : matrix->at, none, "%s",
                   unread.count ? unread.list[0].text : "the matrix cannot be read");
        return false;
    }
    *flats = (struct flats){ARENA_ARRAY(c->arena, struct flat, cells.count), cells.count};
    for (uint32_t cell = 0; cell < cells.count; cell++)
        flatten(c->arena, &cells, cell, has_own_id(c), &flats->list[cell]);
    return true;
}

static int compare_flats(const void *a, const void *b)
{
    return str_cmp(((const struct flat *)a)->text, ((const struct flat *)b)->text);
}

/* ---- what differs ---- */

static void compare_ids(const struct check *c, const struct flat *own, const struct flat *their, bool wanted)
{
    if (!their->id.ptr && wanted)
        check_tell(c, their->at, own->at, "this cell has no id, and others have: '%.*s'", STR_ARG(own->id));
    if (their->id.ptr && own->id.len && !has_own_id(c) && !str_eq(own->id, their->id))
        check_tell(c, their->at, own->at, "the id of this cell is '%.*s', not '%.*s'", STR_ARG(own->id),
                   STR_ARG(their->id));
}

static bool some_have_ids(struct flats flats)
{
    for (uint32_t i = 0; i < flats.count; i++)
        if (flats.list[i].id.ptr)
            return true;
    return false;
}

static void tell_more(const struct check *c, uint32_t count, struct place at, const char *words)
{
    if (count > TOLD_MOST)
        check_tell(c, at, none, "and %u more %s", count - TOLD_MOST, words);
}

static void compare_cells(const struct check *c, const struct node *matrix, struct flats own,
                          struct flats their)
{
    uint32_t missing = 0, foreign = 0;
    bool ids = some_have_ids(their);

    if (own.count)
        qsort(own.list, own.count, sizeof *own.list, compare_flats);
    for (uint32_t i = 0; i < their.count; i++) {
        struct flat *found =
            own.count ? bsearch(&their.list[i], own.list, own.count, sizeof *own.list, compare_flats) : NULL;

        if (found && !found->met)
            compare_ids(c, found, &their.list[i], ids);
        else if (found)
            check_tell(c, their.list[i].at, found->at, "cell %.*s is there twice", STR_ARG(found->text));
        else if (foreign++ < TOLD_MOST)
            check_tell(c, their.list[i].at, strategy_at(c, "matrix"),
                       "cell %.*s is in the workflow, and run-matrix has nothing to run there",
                       STR_ARG(their.list[i].text));
        if (found)
            found->met = true;
    }
    for (uint32_t i = 0; i < own.count; i++)
        if (!own.list[i].met && missing++ < TOLD_MOST)
            check_tell(c, matrix->at, own.list[i].at, "cell %.*s is not in the workflow",
                       STR_ARG(own.list[i].text));
    tell_more(c, foreign, matrix->at, "cells that run-matrix has nothing to run in");
    tell_more(c, missing, matrix->at, "cells that are not in the workflow");
}

/* ---- by outputs of another job, or written out ---- */

/* "ci.yml" ends ".github/workflows/ci.yml", and not "other-ci.yml". */
static bool ends_path(struct str path, struct str end)
{
    return path.len >= end.len && str_eq(str_slice(path, path.len - end.len, path.len), end) &&
           (path.len == end.len || path.ptr[path.len - end.len - 1] == '/');
}

/* The matrix of the file is read from this very job. */
static bool is_source(const struct check *c, const struct node *job, const struct node *matrix)
{
    const struct suite *suite = c->facts->jobs->suite;
    const struct node *from = node_get(node_get(suite->root, "strategy"), "from");
    struct str path = from && from->kind == NODE_STRING ? from->string : (struct str){"", 0};
    size_t hash;

    if (!path.len || !matrix->at.file)
        return false;
    if (str_find(path, "#", &hash)) {
        if (node_get_str(c->jobs, str_slice(path, hash + 1, path.len)) != job)
            return false;
        path = str_slice(path, 0, hash);
    }
    while (str_starts(path, "./") || str_starts(path, "../"))
        path = str_slice(path, path.ptr[1] == '/' ? 2 : 3, path.len);
    return ends_path(str_of(matrix->at.file), path);
}

static void check_outputs(const struct check *c, const struct node *job, const struct node *value,
                          const char *output)
{
    struct needs_ref ref;

    if (!needs_find(value->string, false, &ref)) {
        check_tell(c, value->at, strategy_at(c, output),
                   "'%s' is an expression that does not use an output of 'run-matrix ci matrix'", output);
        return;
    }
    if (check_needs(c, job, &ref, output, value->at, output) && !ref.in_from_json)
        check_tell(c, value->at, none, "'%s' is a text here: fromJSON(needs.%.*s.outputs.%.*s) reads it",
                   output, STR_ARG(ref.job), STR_ARG(ref.output));
}

/* GitHub ends the other jobs of a matrix unless it is told not to. */
static void check_fail_fast(const struct check *c, const struct node *job, const struct node *strategy)
{
    const struct node *value = node_get(strategy, "fail-fast");
    bool ours = c->facts->jobs->suite->fail_fast, theirs = true;

    if (value && value->kind == NODE_STRING) {
        check_outputs(c, job, value, "fail-fast");
        return;
    }
    if (value && value->kind == NODE_BOOL)
        theirs = value->boolean;
    if (ours != theirs)
        check_tell(c, value ? value->at : strategy->at, strategy_at(c, "fail-fast"),
                   "'fail-fast' is %s here%s, and %s there", theirs ? "true" : "false",
                   value ? "" : " (nothing said)", ours ? "true" : "false");
}

static void check_max_parallel(const struct check *c, const struct node *job, const struct node *strategy)
{
    const struct node *value = node_get(strategy, "max-parallel");
    uint32_t ours = c->facts->jobs->suite->max_parallel;

    if (value && value->kind == NODE_STRING)
        check_outputs(c, job, value, "max-parallel");
    else if (value && !ours)
        check_tell(c, value->at, strategy_at(c, "max-parallel"), "'max-parallel' is set here, and not there");
    else if (!value && ours)
        check_tell(c, strategy->at, strategy_at(c, "max-parallel"),
                   "'max-parallel' is not set here, and %u there", ours);
    else if (value && value->kind == NODE_NUMBER && value->number != ours)
        check_tell(c, value->at, strategy_at(c, "max-parallel"), "'max-parallel' is %.0f here, and %u there",
                   value->number, ours);
}

/* Without jobs GitHub takes the matrix for a mistake; and a condition that is wrong starts none, or always. */
static void check_gate(const struct check *c, const struct node *job, const struct node *matrix)
{
    const struct node *gate = node_get(job, "if");
    struct needs_ref ref;
    struct str rest;

    if (!gate || gate->kind != NODE_STRING || !needs_find(gate->string, true, &ref)) {
        check_tell(c, gate ? gate->at : matrix->at, none,
                   "the job starts also where there is no cell for it: if: needs.JOB.outputs.count != '0'");
        return;
    }
    if (!check_needs(c, job, &ref, "count", gate->at, "if"))
        return;
    rest = str_trim(ref.rest);
    if (!str_starts(rest, "!= '0'") && !str_starts(rest, "!= 0") && !str_starts(rest, "> 0"))
        check_tell(c, gate->at, none, "'count' is to be compared with 0 by !=");
}

void check_matrix(const struct check *c, const struct node *job)
{
    const struct node *strategy = node_get(job, "strategy"), *matrix = node_get(strategy, "matrix");
    struct flats their;

    if (matrix->kind == NODE_STRING) {
        check_outputs(c, job, matrix, "matrix");
        check_gate(c, job, matrix);
    } else if (!is_source(c, job, matrix) && theirs(c, matrix, &their)) {
        compare_cells(c, matrix, ours(c), their);
    }
    if (!is_source(c, job, matrix)) {
        check_fail_fast(c, job, strategy);
        check_max_parallel(c, job, strategy);
    }
}
