#include "ci/jobs.h"

#include "ci/job.h"
#include "runner/base/hash.h"
#include "runner/base/json.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ID_MOST \
    90 /* bytes before the hash: job names and artifacts have a hundred, and more stands beside it */
#define HASH_DIGITS 8

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

/* ---- texts that are the same ---- */

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

/* ---- names ---- */

enum id_of { ID_OF_NAME, ID_OF_ALL, ID_OF_TYPES, ID_LEVELS };

/*
 * Keys that `include` adds to a cell are left out, so that one more of them changes no id; two cells that would have one id by
 * that have all of theirs in it; and two that differ in types alone a hash of what they are.
 */
static void add_id_of(struct buf *out, const struct ci_job *job, enum id_of what)
{
    struct buf text = {0};

    cell_text(&text, job->suite, job->cell, what != ID_OF_NAME);
    if (text.len)
        add_id(out, buf_str(&text));
    else
        buf_adds(out, "all"); /* the one cell of a file without a matrix */
    if (what == ID_OF_TYPES) {
        buf_clear(&text);
        cells_json(&text, &job->suite->cells, job->cell);
        add_hash(out, buf_str(&text));
    }
    buf_release(&text);
}

static void name_jobs(struct arena *arena, struct ci_jobs *jobs)
{
    enum id_of *what = ARENA_ARRAY(arena, enum id_of, jobs->count);
    struct buf id = {0};

    for (int level = 0; level < ID_LEVELS; level++) {
        struct texts texts = {.list = ARENA_ARRAY(arena, struct numbered, jobs->count)};
        const uint32_t *first;

        for (uint32_t j = 0; j < jobs->count; j++) {
            buf_clear(&id);
            add_id_of(&id, &jobs->list[j], what[j]);
            jobs->list[j].id = arena_str(arena, buf_str(&id));
            texts_add(&texts, arena, jobs->list[j].id);
        }
        first = texts_first(&texts, arena);
        for (uint32_t j = 0; j < jobs->count; j++)
            if (first[j] != j && level + 1 < ID_LEVELS)
                what[j] = what[first[j]] = (enum id_of)(level + 1);
    }
    buf_release(&id);
}

/* ---- which cells ---- */

static bool has_tests(const struct suites *suites)
{
    for (uint32_t s = 0; s < suites->count; s++)
        if (!suites->list[s]->left_out && suites->list[s]->test_count)
            return true;
    return false;
}

/* Where no job is at home: what there is to say is said of it all the same. */
static const struct suite *first_with_matrix(const struct suites *suites)
{
    const struct suite *first = NULL;

    for (uint32_t s = 0; s < suites->count; s++) {
        const struct suite *suite = suites->list[s];

        if (!suite->left_out && (!first || (suite->cells.key_count && !first->cells.key_count)))
            first = suite;
    }
    return first ? first : suites->list[0];
}

/* By suite and cell: is there a case that belongs to it? Those of suites without a matrix are where job_home has them. */
static bool **cells_with_cases(struct arena *arena, const struct plan *plan)
{
    const struct suites *suites = plan->suites;
    bool **has = ARENA_ARRAY(arena, bool *, suites->count), all = !has_tests(suites);
    uint32_t cell = CELL_ABSENT, number = 0;
    const struct suite *home = job_home(suites, &cell);

    for (uint32_t s = 0; s < suites->count; s++) {
        has[s] = ARENA_ARRAY(arena, bool, suites->list[s]->cells.count + 1u);
        memset(has[s], all && !suites->list[s]->left_out, suites->list[s]->cells.count);
        if (suites->list[s] == home)
            number = s;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct plan_case *c = &plan->cases[i];

        if (suites->list[c->suite]->cells.key_count)
            has[c->suite][c->cell] = true;
        else if (home)
            has[number][cell] = true;
    }
    return has;
}

static void take_suite(const struct suite *suite, const bool *has, const struct suite *main,
                       struct ci_jobs *jobs)
{
    if (!suite->cells.key_count && (suite != main || !has[0]))
        return;
    jobs->cells += suite->cells.count;
    for (uint32_t cell = 0; cell < suite->cells.count; cell++)
        if (suite->foreign[cell])
            jobs->without.foreign++;
        else if (!has[cell])
            jobs->without.idle++;
        else
            jobs->list[jobs->count++] = (struct ci_job){.suite = suite, .cell = cell};
}

/* Who gets such a cell could not say which of the two he is for. */
static bool no_cell_twice(struct arena *arena, const struct suite *suite, struct diags *diags)
{
    struct texts texts = {.list = ARENA_ARRAY(arena, struct numbered, suite->cells.count)};
    const uint32_t *first;
    struct buf text = {0};

    for (uint32_t cell = 0; cell < suite->cells.count; cell++) {
        const uint32_t *row = cells_row(&suite->cells, cell);

        buf_clear(&text);
        for (uint32_t k = 0; k < suite->cells.key_count; k++) {
            buf_addc(&text, ',');
            if (row[k] != CELL_ABSENT)
                buf_addstr(&text, suite->cells.keys[k].values[row[k]].json);
        }
        texts_add(&texts, arena, buf_str(&text));
    }
    first = texts_first(&texts, arena);
    for (uint32_t cell = 0; cell < suite->cells.count; cell++) {
        if (first[cell] == cell)
            continue;
        buf_clear(&text);
        cells_json(&text, &suite->cells, cell);
        diag_error(diags, (struct place){.file = suite->file},
                   "the cell %s is there twice, and a job could not say which of the two it is",
                   buf_text(&text));
        break;
    }
    buf_release(&text);
    return !diags->errors;
}

/* Two suites may have a cell in common, which is one job. */
static void join_suites(struct arena *arena, struct ci_jobs *jobs)
{
    struct texts texts = {.list = ARENA_ARRAY(arena, struct numbered, jobs->count)};
    const uint32_t *first;
    struct buf json = {0};
    uint32_t kept = 0;

    for (uint32_t j = 0; j < jobs->count; j++) {
        buf_clear(&json);
        cells_json(&json, &jobs->list[j].suite->cells, jobs->list[j].cell);
        texts_add(&texts, arena, buf_str(&json));
    }
    buf_release(&json);
    first = texts_first(&texts, arena);
    for (uint32_t j = 0; j < jobs->count; j++)
        if (first[j] == j)
            jobs->list[kept++] = jobs->list[j];
    jobs->count = kept;
}

bool ci_jobs_make(struct arena *arena, const struct plan *plan, struct ci_jobs *jobs, struct diags *diags)
{
    const struct suites *suites = plan->suites;
    uint32_t cell;
    const struct suite *home = job_home(suites, &cell), *main = home ? home : first_with_matrix(suites);
    bool **has = cells_with_cases(arena, plan);
    size_t cells = 0;

    for (uint32_t s = 0; s < suites->count; s++)
        cells += suites->list[s]->cells.count;
    *jobs = (struct ci_jobs){.suite = main, .list = ARENA_ARRAY(arena, struct ci_job, cells)};
    for (uint32_t s = 0; s < suites->count; s++)
        if (!suites->list[s]->left_out)
            take_suite(suites->list[s], has[s], main, jobs);
    join_suites(arena, jobs);
    if (jobs->count > CI_JOBS_MOST)
        return true;
    for (uint32_t s = 0; s < suites->count; s++)
        if (!suites->list[s]->left_out && !no_cell_twice(arena, suites->list[s], diags))
            return false;
    name_jobs(arena, jobs);
    return true;
}

/* ---- JSON ---- */

bool ci_job_has_own_id(const struct ci_job *job)
{
    return cells_key(&job->suite->cells, (struct str)STR("id")) != CELL_ABSENT;
}

static void json_job(struct json_writer *w, const struct ci_job *job)
{
    const struct cells *cells = &job->suite->cells;
    const struct cell_shape *shape = cells->shapes[job->cell];
    const uint32_t *row = cells_row(cells, job->cell);

    json_object(w);
    for (uint32_t f = 0; f < shape->count; f++) {
        uint32_t key = shape->fields[f].key;

        json_key(w, shape->fields[f].name);
        json_raw(w, cells->keys[key].values[row[key]].json);
    }
    if (!ci_job_has_own_id(job)) {
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
        json_job(&w, &jobs->list[j]);
    if (!jobs->count)
        json_raw(&w, (struct str)STR("{\"id\":\"none\"}"));
    json_array_end(&w);
    json_object_end(&w);
}

/* The yaml reader has bounded the depth. */
static const struct node *not_finite(const struct node *value)
{
    const struct node *found = value->kind == NODE_NUMBER && !isfinite(value->number) ? value : NULL;

    for (uint32_t i = 0; !found && value->kind == NODE_SEQ && i < value->seq.count; i++)
        found = not_finite(value->seq.items[i]);
    for (uint32_t i = 0; !found && value->kind == NODE_MAP && i < value->map.count; i++)
        found = not_finite(value->map.pairs[i].value);
    return found;
}

const struct node *ci_jobs_unsaid(const struct ci_jobs *jobs)
{
    const struct node *found = NULL;

    for (uint32_t j = 0; j < jobs->count && !found; j++) {
        const struct cells *cells = &jobs->list[j].suite->cells;
        const uint32_t *row = cells_row(cells, jobs->list[j].cell);

        for (uint32_t k = 0; k < cells->key_count && !found; k++)
            found = row[k] == CELL_ABSENT ? NULL : not_finite(cells->keys[k].values[row[k]].node);
    }
    return found;
}
