#include "ci/jobs.h"

#include "runner/base/hash.h"
#include "runner/base/json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ID_MOST \
    90 /* bytes before the hash: job names and artifacts have a hundred, and more stands beside it */
#define HASH_DIGITS 8

/* ---- which suite ---- */

static bool has_cells_or_tests(const struct suite *suite)
{
    return !suite->left_out && (suite->test_count || suite->cells.key_count);
}

const struct suite *ci_suite(const struct suites *suites, struct diags *diags)
{
    const struct suite *found = NULL;

    for (uint32_t s = 0; s < suites->count; s++) {
        const struct suite *suite = suites->list[s];

        if (!has_cells_or_tests(suite))
            continue;
        if (found) {
            diag_error(diags, (struct place){.file = suites->list[0]->file},
                       "jobs are made of one matrix, and there are several suites: name one, as in "
                       "'run-matrix ci matrix %s'",
                       found->prefix.len ? found->file : suite->file);
            return NULL;
        }
        found = suite;
    }
    return found ? found : suites->list[0];
}

/* ---- ids ---- */

/* Legal in the name of an artifact, and nothing that a shell or GitHub would read. */
static bool stands_in_id(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_.+=,-", c));
}

static void add_field(struct buf *out, const struct suite *suite, const uint32_t *row,
                      const struct cell_field *field)
{
    buf_addstr(out, suite->key_names[field->key]);
    buf_addc(out, '=');
    buf_addstr(out, suite->cells.keys[field->key].values[row[field->key]].id);
}

/* As `@` in an id has it: names and values are escaped, so two cells that differ have two texts. */
static void cell_text(struct buf *out, const struct suite *suite, uint32_t cell, bool all)
{
    const struct cell_shape *shape = suite->cells.shapes[cell];
    const uint32_t *row = cells_row(&suite->cells, cell);
    uint32_t count = all ? shape->count : shape->named;

    for (uint32_t f = 0; f < count; f++) {
        buf_adds(out, f ? "," : "");
        add_field(out, suite, row, &shape->fields[f]);
    }
}

static void add_hash(struct buf *out, struct str text)
{
    uint64_t bits = hash_add(HASH_START, text);

    bits ^= bits >> 33; /* texts that differ in one byte differ in few of the upper bits */
    buf_addc(out, '~');
    for (int i = 0; i < HASH_DIGITS; i++, bits >>= 5)
        buf_addc(out, "abcdefghijklmnopqrstuvwxyz234567"[bits & 31]);
}

/* What cannot stand there, or not whole, is told apart by a hash. */
static void add_id(struct buf *out, struct str text)
{
    bool same = text.len <= ID_MOST;

    for (size_t i = 0; i < text.len && i < ID_MOST; i++) {
        bool stands = stands_in_id(text.ptr[i]);

        buf_addc(out, stands ? text.ptr[i] : '-');
        same &= stands;
    }
    if (!same)
        add_hash(out, text);
}

void ci_job_id(struct buf *out, const struct suite *suite, uint32_t cell, bool all)
{
    struct buf text = {0};

    cell_text(&text, suite, cell, all);
    if (text.len)
        add_id(out, buf_str(&text));
    else
        buf_adds(out, "all"); /* the one cell of a file without a matrix */
    buf_release(&text);
}

/* ---- which cells ---- */

static bool *cells_with_cases(struct arena *arena, const struct suite *suite, const struct plan *plan)
{
    bool *has = ARENA_ARRAY(arena, bool, suite->cells.count);

    for (uint32_t cell = 0; cell < suite->cells.count; cell++)
        has[cell] = suite->test_count == 0;
    for (uint32_t i = 0; i < plan->count; i++)
        if (case_suite(plan->suites, &plan->cases[i]) == suite)
            has[plan->cases[i].cell] = true;
    return has;
}

/* Texts by number, brought together where they are the same. */
struct texts {
    struct numbered {
        struct str text;
        uint32_t number;
    } * list;
    uint32_t count;
};

static int compare_numbered(const void *a, const void *b)
{
    const struct numbered *left = a, *right = b;
    int order = str_cmp(left->text, right->text);

    return order ? order : (left->number > right->number) - (left->number < right->number);
}

static void texts_add(struct texts *texts, struct arena *arena, struct str text)
{
    texts->list[texts->count] = (struct numbered){arena_str(arena, text), texts->count};
    texts->count++;
}

/* For each number: the first that has its text. */
static uint32_t *texts_first(struct texts *texts, struct arena *arena)
{
    uint32_t *first = ARENA_ARRAY(arena, uint32_t, texts->count);

    if (texts->count)
        qsort(texts->list, texts->count, sizeof *texts->list, compare_numbered);
    for (uint32_t i = 0; i < texts->count; i++) {
        bool same = i > 0 && str_eq(texts->list[i].text, texts->list[i - 1].text);

        first[texts->list[i].number] = same ? first[texts->list[i - 1].number] : texts->list[i].number;
    }
    return first;
}

static void take_cells(struct arena *arena, const bool *has, struct ci_jobs *jobs)
{
    const struct suite *suite = jobs->suite;
    struct texts texts = {.list = ARENA_ARRAY(arena, struct numbered, suite->cells.count)};
    struct buf text = {0};
    uint32_t *first;

    for (uint32_t cell = 0; cell < suite->cells.count; cell++) {
        buf_clear(&text);
        cell_text(&text, suite, cell, true);
        texts_add(&texts, arena, buf_str(&text));
    }
    buf_release(&text);
    first = texts_first(&texts, arena);
    for (uint32_t cell = 0; cell < suite->cells.count; cell++)
        if (suite->elsewhere[cell])
            jobs->without.elsewhere++;
        else if (first[cell] != cell)
            jobs->without.twice++;
        else if (!has[cell])
            jobs->without.idle++;
        else
            jobs->list[jobs->count++] = (struct ci_job){.cell = cell};
}

/*
 * Keys that `include` adds to a cell are left out, so that one more of them changes no id; two cells that would have one id by
 * that have all of theirs in it.
 */
static void name_jobs(struct arena *arena, struct ci_jobs *jobs)
{
    struct texts texts = {.list = ARENA_ARRAY(arena, struct numbered, jobs->count)};
    bool *whole = ARENA_ARRAY(arena, bool, jobs->count);
    struct buf id = {0};
    uint32_t *first;

    for (uint32_t j = 0; j < jobs->count; j++) {
        buf_clear(&id);
        ci_job_id(&id, jobs->suite, jobs->list[j].cell, false);
        texts_add(&texts, arena, buf_str(&id));
    }
    first = texts_first(&texts, arena);
    for (uint32_t j = 0; j < jobs->count; j++)
        if (first[j] != j)
            whole[j] = whole[first[j]] = true;
    for (uint32_t j = 0; j < jobs->count; j++) {
        buf_clear(&id);
        ci_job_id(&id, jobs->suite, jobs->list[j].cell, whole[j]);
        jobs->list[j].id = arena_str(arena, buf_str(&id));
    }
    buf_release(&id);
}

void ci_jobs_make(struct arena *arena, const struct suite *suite, const struct plan *plan,
                  struct ci_jobs *jobs)
{
    *jobs = (struct ci_jobs){
        .suite = suite,
        .list = ARENA_ARRAY(arena, struct ci_job, suite->cells.count),
        .own_id = cells_key(&suite->cells, (struct str)STR("id")) != CELL_ABSENT,
    };
    take_cells(arena, cells_with_cases(arena, suite, plan), jobs);
    name_jobs(arena, jobs);
}

/* ---- JSON ---- */

static void json_job(struct json_writer *w, const struct ci_jobs *jobs, const struct ci_job *job)
{
    const struct cells *cells = &jobs->suite->cells;
    const struct cell_shape *shape = cells->shapes[job->cell];
    const uint32_t *row = cells_row(cells, job->cell);

    json_object(w);
    for (uint32_t f = 0; f < shape->count; f++) {
        uint32_t key = shape->fields[f].key;

        json_key(w, shape->fields[f].name);
        json_raw(w, cells->keys[key].values[row[key]].json);
    }
    if (!jobs->own_id) {
        json_key_c(w, "id");
        json_str(w, job->id);
    }
    json_object_end(w);
}

void ci_jobs_json(struct buf *out, const struct ci_jobs *jobs)
{
    struct json_writer w = {.out = out};

    json_object(&w);
    json_key_c(&w, "include");
    json_array(&w);
    for (uint32_t j = 0; j < jobs->count; j++)
        json_job(&w, jobs, &jobs->list[j]);
    if (!jobs->count)
        json_raw(&w, (struct str)STR("{\"id\":\"none\"}"));
    json_array_end(&w);
    json_object_end(&w);
}
