/* The rates of a soak as tables: by case, by cell, by value of each axis. */
#include "runner/soak/result.h"

#include "runner/base/utf8.h"

#include <stdlib.h>

#define ROWS_MOST   15
#define COLUMN_MOST 48

void tell_title(const struct telling *t, const char *title)
{
    buf_addf(t->out, "\n%s%s%s\n", t->colour ? "\x1b[1m" : "", title, t->colour ? "\x1b[0m" : "");
}

struct row {
    struct str name;
    struct tally tally;
    const struct state_case *record; /* of a case; NULL: it is of many */
    uint32_t number;
};

struct rows {
    struct row *list;
    uint32_t count;
    struct arena arena;
};

double rate_of(struct tally tally)
{
    return tally.attempts ? (double)tally.failures / (double)tally.attempts : 0;
}

static int compare_rows(const void *x, const void *y)
{
    const struct row *a = x, *b = y;
    double of_a = rate_of(a->tally), of_b = rate_of(b->tally);

    if (of_a != of_b)
        return of_a < of_b ? 1 : -1;
    return (a->number > b->number) - (a->number < b->number);
}

static void add_row(struct rows *rows, const struct buf *name, struct tally tally,
                    const struct state_case *record)
{
    rows->list[rows->count] = (struct row){
        .name = arena_str(&rows->arena, buf_str(name)),
        .tally = tally,
        .record = record,
        .number = rows->count,
    };
    rows->count++;
}

static size_t column(const struct rows *rows, uint32_t shown)
{
    size_t widest = 0;

    for (uint32_t i = 0; i < shown; i++) {
        size_t width = utf8_count(rows->list[i].name);

        if (width > widest && width <= COLUMN_MOST)
            widest = width;
    }
    return widest;
}

/* To the right, in so many columns. */
static void add_right(struct buf *out, const struct buf *text, size_t width)
{
    buf_addf(out, "%*s", (int)width, buf_text(text));
}

void tell_uncounted(struct buf *out, const char *separator, uint64_t passed_over, uint64_t unended)
{
    if (passed_over) {
        buf_addf(out, "%sskipped ", separator);
        count_add(out, passed_over, "time");
        separator = "; ";
    }
    if (unended) {
        buf_adds(out, separator);
        number_add(out, unended);
        buf_adds(out, " begun and not ended");
    }
}

static void tell_row(const struct telling *t, const struct row *row, size_t width)
{
    struct buf *out = t->out, part = {0};
    size_t pad = utf8_count(row->name) < width ? width - utf8_count(row->name) : 0;

    buf_adds(out, "  ");
    buf_addstr(out, row->name);
    buf_addf(out, "%*s", (int)pad + 2, "");
    number_add(&part, row->tally.attempts);
    add_right(out, &part, 9);
    buf_adds(out, row->tally.attempts == 1 ? " run " : " runs");
    buf_clear(&part);
    number_add(&part, row->tally.failures);
    add_right(out, &part, 7);
    buf_adds(out, " failed  ");
    if (row->tally.attempts)
        interval_add(out, row->tally.failures, row->tally.attempts,
                     soak_interval(&t->result->state, row->tally));
    if (row->record)
        tell_uncounted(out, row->tally.attempts ? "; " : "", record_passed_over(row->record),
                       row->tally.unended);
    buf_addc(out, '\n');
    buf_release(&part);
}

static void tell_more(const struct telling *t, const struct rows *rows, uint32_t from)
{
    uint64_t failures = 0;

    if (from >= rows->count)
        return;
    for (uint32_t i = from; i < rows->count; i++)
        failures += rows->list[i].tally.failures;
    buf_adds(t->out, "  ... and ");
    number_add(t->out, rows->count - from);
    buf_adds(t->out, " more, with ");
    if (failures)
        count_add(t->out, failures, "failure");
    else
        buf_adds(t->out, "no failure");
    buf_adds(t->out, "; -v shows all\n");
}

static void tell_rows(const struct telling *t, struct rows *rows, bool sorted, const char *title)
{
    uint32_t shown = t->verbose > 0 || rows->count <= ROWS_MOST ? rows->count : ROWS_MOST;
    size_t width;

    if (sorted)
        qsort(rows->list, rows->count, sizeof *rows->list, compare_rows);
    width = column(rows, shown);
    tell_title(t, title);
    for (uint32_t i = 0; i < shown; i++)
        tell_row(t, &rows->list[i], width);
    tell_more(t, rows, shown);
}

static void tell_cases(const struct telling *t)
{
    const struct soak_result *result = t->result;
    struct rows rows = {.list = mem_zero(result->count, sizeof *rows.list)};
    struct buf name = {0};

    for (uint32_t i = 0; i < result->count; i++) {
        buf_clear(&name);
        utf8_show(&name, result->cases[i].id);
        add_row(&rows, &name, result->tallies[i], &result->state.cases[i]);
    }
    tell_rows(t, &rows, true, "cases, those that fail most first");
    buf_release(&name);
    arena_release(&rows.arena);
    free(rows.list);
}

static void tell_cells(const struct telling *t)
{
    const struct soak_result *result = t->result;
    struct rows rows = {.list = mem_zero(result->cell_count, sizeof *rows.list)};
    struct buf name = {0};

    for (uint32_t i = 0; i < result->cell_count; i++) {
        buf_clear(&name);
        cell_name(result->cells[i].like, &name);
        if (!name.len)
            buf_adds(&name, "(no axes)");
        add_row(&rows, &name, result->cells[i].tally, NULL);
    }
    tell_rows(t, &rows, true, "cells");
    buf_release(&name);
    arena_release(&rows.arena);
    free(rows.list);
}

static void add_value(struct buf *out, const struct axis_value *value)
{
    utf8_show(out, value->axis);
    buf_addc(out, '=');
    utf8_show(out, value->value);
}

/* An axis that has but one value here says nothing. */
static bool varies(const struct soak_result *result, uint32_t number)
{
    for (uint32_t i = 0; i < result->value_count; i++)
        if (i != number && result->axis_values[i].axis_at == result->axis_values[number].axis_at)
            return true;
    return false;
}

static void tell_axes(const struct telling *t)
{
    const struct soak_result *result = t->result;
    struct rows rows = {.list = mem_zero(result->value_count + 1, sizeof *rows.list)};
    struct buf name = {0};

    for (uint32_t i = 0; i < result->value_count; i++) {
        const struct axis_value *value = &result->axis_values[result->shown[i]];

        if (!varies(result, result->shown[i]))
            continue;
        buf_clear(&name);
        add_value(&name, value);
        add_row(&rows, &name, value->tally, NULL);
    }
    if (rows.count)
        tell_rows(t, &rows, false, "axes");
    buf_release(&name);
    arena_release(&rows.arena);
    free(rows.list);
}

void tell_value(const struct telling *t, uint32_t value)
{
    add_value(t->out, &t->result->axis_values[value]);
}

void tell_rates(const struct telling *t)
{
    const struct soak_result *result = t->result;

    if (result->count > 1)
        tell_cases(t);
    if (result->cell_count > 1 && (result->cell_count < result->count || t->verbose > 0))
        tell_cells(t);
    tell_axes(t);
}
