/* Cases that took clearly longer than they used to: those that grew the most first. */
#include "runner/report/internal.h"

#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <stdlib.h>

#define ROWS_MOST 10

static double growth(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    return last ? (double)last->duration / ((double)history->was + 1) : 0;
}

static int by_growth(const void *left, const void *right)
{
    const struct journal_history *const *a = left, *const *b = right;
    double x = growth(*a), y = growth(*b);

    if (x != y)
        return (x < y) - (x > y);
    return (*a > *b) - (*a < *b); /* of one array: as they stand in the record */
}

static void add_row(const struct journal_history *history, struct report_sink *sink)
{
    struct buf now = {0}, was = {0};

    span_format(&now, journal_last(history)->duration);
    span_format(&was, history->was);
    buf_addf(&sink->buf, "%9s, was %s in %u runs  ", buf_text(&now), buf_text(&was), history->was_runs);
    utf8_show(&sink->buf, history->what->id);
    buf_addc(&sink->buf, '\n');
    buf_release(&now);
    buf_release(&was);
    report_sink_relax(sink);
}

void summary_slower(const struct report_input *input, struct report_sink *sink)
{
    const struct journal_record *record = input->record;
    const struct journal_history **list = mem_zero(record->case_count + (size_t)1, sizeof *list);
    uint32_t count = 0, rows;

    for (uint32_t i = 0; i < record->case_count; i++)
        if (record->cases[i].was_runs && record->cases[i].count)
            list[count++] = &record->cases[i];
    rows = input->options->verbose > 0 || count < ROWS_MOST ? count : ROWS_MOST;
    if (count) {
        qsort(list, count, sizeof *list, by_growth);
        summary_title(input, sink, "slower than it was", count);
    }
    for (uint32_t i = 0; i < rows; i++)
        add_row(list[i], sink);
    if (rows < count)
        buf_addf(&sink->buf, "%9s and %u more; -v shows all\n", "...", count - rows);
    free(list);
}
