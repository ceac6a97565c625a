#include "runner/report/markdown.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MOST    50
#define COLUMNS_MOST 12
#define NAME_MOST    120

/* ---- what a case counts for ---- */

struct tile {
    uint64_t counts[COUNT_COUNT];
    uint64_t flaky, quarantined;
};

static void add_verdict(struct tile *tile, enum verdict verdict, uint64_t count, bool quarantined)
{
    if (quarantined && verdict_counts(verdict) == COUNT_FAILED)
        tile->quarantined += count;
    else
        tile->counts[verdict_counts(verdict)] += count;
    if (verdict == VERDICT_FLAKY)
        tile->flaky += count;
}

/* What is in it stands for it, but where it failed beyond that. */
static void add_case(struct tile *tile, const struct journal_history *history)
{
    const struct journal_attempt *attempt = case_results(history);
    bool quarantined = case_quarantined(history);

    for (int v = 0; attempt && v < VERDICT_COUNT; v++)
        add_verdict(tile, journal_result_counts(attempt, (enum verdict)v), attempt->results->verdicts[v],
                    quarantined);
    if (!attempt || journal_counts_itself(history))
        add_verdict(tile, journal_outcome(history), 1, quarantined);
}

/* ---- which rows and columns ---- */

/* A test, or a cell. */
struct line {
    struct str name;
    uint32_t first; /* case that it was met with */
    uint32_t place; /* among those shown; UINT32_MAX: not shown */
    uint64_t failed;
};

struct table {
    const struct report_input *input;
    struct line *tests, *cells;
    uint32_t test_count, cell_count;
    uint32_t *cell_of; /* by case */
    uint32_t *order;   /* in work */
    uint32_t rows, columns;
};

static const struct journal_case *case_at(const struct table *t, uint32_t i)
{
    return t->input->record->cases[i].what;
}

static int by_cell(const void *left, const void *right, void *user)
{
    const struct table *t = user;
    const uint32_t *a = left, *b = right;
    int order = str_cmp(case_at(t, *a)->cell, case_at(t, *b)->cell);

    return order ? order : (*a > *b) - (*a < *b);
}

/* Its end after the `@`: the values that the case keeps. */
static struct str cell_words(struct str id)
{
    const char *at = id.len ? memrchr(id.ptr, '@', id.len) : NULL;

    return at ? str_slice(id, (size_t)(at + 1 - id.ptr), id.len) : str_of("once");
}

static void find_cells(struct table *t)
{
    uint32_t count = t->input->record->case_count;

    for (uint32_t i = 0; i < count; i++)
        t->order[i] = i;
    qsort_r(t->order, count, sizeof *t->order, by_cell, t);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t c = t->order[i];

        if (!i || !str_eq(case_at(t, c)->cell, case_at(t, t->order[i - 1])->cell))
            t->cells[t->cell_count++] = (struct line){cell_words(case_at(t, c)->id), c, UINT32_MAX, 0};
        t->cell_of[c] = t->cell_count - 1;
    }
}

static void find_tests(struct table *t)
{
    const struct journal_record *record = t->input->record;

    t->test_count = record->test_count;
    for (uint32_t i = 0; i < record->test_count; i++)
        t->tests[i] = (struct line){record->tests[i].name, UINT32_MAX, UINT32_MAX, 0};
    for (uint32_t i = 0; i < record->case_count; i++) {
        struct line *test = &t->tests[case_at(t, i)->test];
        struct tile tile = {0};

        add_case(&tile, &record->cases[i]);
        test->first = test->first == UINT32_MAX ? i : test->first;
        test->failed += tile.counts[COUNT_FAILED];
        t->cells[t->cell_of[i]].failed += tile.counts[COUNT_FAILED];
    }
}

static int by_worth(const void *left, const void *right, void *user)
{
    const struct line *lines = user;
    const struct line *a = &lines[*(const uint32_t *)left], *b = &lines[*(const uint32_t *)right];

    if ((a->failed > 0) != (b->failed > 0))
        return a->failed ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

/* The first `most` get places, those that failed before the others; how many there are. */
static uint32_t choose(struct table *t, struct line *lines, uint32_t count, uint32_t most)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < count; i++)
        if (lines[i].first != UINT32_MAX)
            t->order[used++] = i;
    qsort_r(t->order, used, sizeof *t->order, by_worth, lines);
    for (uint32_t i = 0; i < used && i < most; i++)
        lines[t->order[i]].place = i;
    return used;
}

/* ---- in words ---- */

const char *markdown_mark(enum verdict verdict)
{
    static const char *const marks[COUNT_COUNT] = {
        [COUNT_PASSED] = "✅", [COUNT_FAILED] = "❌", [COUNT_SKIPPED] = "⏭️", [COUNT_NOT_RUN] = "➖"};

    return verdict == VERDICT_FLAKY ? "⚠️" : marks[verdict_counts(verdict)];
}

static void add_count(struct buf *out, const char *mark, uint64_t count, bool number)
{
    if (!count)
        return;
    buf_addf(out, " %s", mark);
    if (number || count > 1)
        buf_addf(out, " %llu", (unsigned long long)count);
}

static void add_tile(struct buf *out, const struct tile *tile)
{
    uint64_t all = tile->quarantined;

    for (int c = 0; c < COUNT_COUNT; c++)
        all += tile->counts[c];
    add_count(out, "❌", tile->counts[COUNT_FAILED], all > 1);
    add_count(out, "🚧", tile->quarantined, all > 1);
    add_count(out, "⚠️", tile->flaky, all > 1);
    add_count(out, "✅", tile->counts[COUNT_PASSED] - tile->flaky, all > 1);
    add_count(out, "⏭️", tile->counts[COUNT_SKIPPED], all > 1);
    add_count(out, "➖", tile->counts[COUNT_NOT_RUN], all > 1);
    buf_adds(out, " |");
}

/* "backend=exec<br>transport=uds" */
static void add_heading(struct buf *out, struct str words)
{
    struct str rest = words;
    size_t at;

    buf_addc(out, ' ');
    if (words.len > NAME_MOST) {
        markdown_inline(out, words, NAME_MOST);
        rest.len = 0;
    }
    while (str_find(rest, ",", &at)) {
        markdown_inline(out, str_slice(rest, 0, at), NAME_MOST);
        buf_adds(out, "<br>");
        rest = str_slice(rest, at + 1, rest.len);
    }
    markdown_inline(out, rest, NAME_MOST);
    buf_adds(out, " |");
}

struct grid {
    struct tile tiles[ROWS_MOST + 1][COLUMNS_MOST + 1]; /* the last of each: all others */
    struct str rows[ROWS_MOST], columns[COLUMNS_MOST];
};

static void fill(const struct table *t, struct grid *grid)
{
    for (uint32_t i = 0; i < t->test_count; i++)
        if (t->tests[i].place < ROWS_MOST)
            grid->rows[t->tests[i].place] = t->tests[i].name;
    for (uint32_t i = 0; i < t->cell_count; i++)
        if (t->cells[i].place < COLUMNS_MOST)
            grid->columns[t->cells[i].place] = t->cells[i].name;
    for (uint32_t i = 0; i < t->input->record->case_count; i++) {
        uint32_t row = t->tests[case_at(t, i)->test].place, column = t->cells[t->cell_of[i]].place;

        add_case(
            &grid->tiles[row < ROWS_MOST ? row : ROWS_MOST][column < COLUMNS_MOST ? column : COLUMNS_MOST],
            &t->input->record->cases[i]);
    }
}

static void add_row(const struct table *t, const struct tile *tiles, struct buf *out)
{
    for (uint32_t c = 0; c < t->columns && c < COLUMNS_MOST; c++)
        add_tile(out, &tiles[c]);
    if (t->columns > COLUMNS_MOST)
        add_tile(out, &tiles[COLUMNS_MOST]);
    buf_addc(out, '\n');
}

static void print(const struct table *t, const struct grid *grid, struct buf *out)
{
    uint32_t columns = t->columns < COLUMNS_MOST ? t->columns : COLUMNS_MOST;

    buf_adds(out, "| test |");
    for (uint32_t c = 0; c < columns; c++)
        add_heading(out, grid->columns[c]);
    if (t->columns > columns)
        buf_addf(out, " %u more cells |", t->columns - columns);
    buf_adds(out, "\n|---|");
    for (uint32_t c = 0; c < columns + (t->columns > columns); c++)
        buf_adds(out, "---|");
    buf_addc(out, '\n');
    for (uint32_t r = 0; r < t->rows && r < ROWS_MOST; r++) {
        buf_adds(out, "| ");
        markdown_code(out, grid->rows[r], NAME_MOST);
        buf_adds(out, " |");
        add_row(t, grid->tiles[r], out);
    }
    if (t->rows > ROWS_MOST) {
        buf_addf(out, "| %u more tests |", t->rows - ROWS_MOST);
        add_row(t, grid->tiles[ROWS_MOST], out);
    }
    buf_addc(out, '\n');
}

void markdown_table(const struct report_input *input, struct buf *out)
{
    const struct journal_record *record = input->record;
    uint32_t most = record->case_count > record->test_count ? record->case_count : record->test_count;
    struct table t = {
        .input = input,
        .tests = mem_zero(record->test_count + (size_t)1, sizeof *t.tests),
        .cells = mem_zero(record->case_count + (size_t)1, sizeof *t.cells),
        .cell_of = mem_zero(record->case_count + (size_t)1, sizeof *t.cell_of),
        .order = mem_zero(most + (size_t)1, sizeof *t.order),
    };
    struct grid *grid = mem_zero(1, sizeof *grid);

    if (record->case_count) {
        find_cells(&t);
        find_tests(&t);
        t.rows = choose(&t, t.tests, t.test_count, ROWS_MOST);
        t.columns = choose(&t, t.cells, t.cell_count, COLUMNS_MOST);
        fill(&t, grid);
        print(&t, grid, out);
    }
    free(grid);
    free(t.tests);
    free(t.cells);
    free(t.cell_of);
    free(t.order);
}
