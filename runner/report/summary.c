/* What a run prints at its end: failures first, what to look at last, and the tally as the last line. */
#include "runner/report/internal.h"

#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <stdlib.h>

#define FAILURES_MOST 10 /* at length */
#define ROWS_MOST     50
#define GROUPS_MOST   20
#define ID_COLUMN     48 /* ids longer than this do not push the others away */
#define LABEL_COLUMN  8

struct summary {
    const struct report_input *input;
    struct report_sink *sink;
    uint32_t *list; /* numbers of the cases in work; room for all */
    uint32_t count;
};

static const struct journal_history *listed(const struct summary *s, uint32_t i)
{
    return &s->input->record->cases[s->list[i]];
}

/* With -v there is no limit. */
static uint32_t limit(const struct summary *s, uint32_t count, uint32_t most)
{
    return s->input->options->verbose > 0 || count < most ? count : most;
}

static void list_cases(struct summary *s, bool (*match)(const struct journal_history *history))
{
    s->count = 0;
    for (uint32_t i = 0; i < s->input->record->case_count; i++)
        if (match(&s->input->record->cases[i]))
            s->list[s->count++] = i;
}

void summary_title(const struct report_input *input, struct report_sink *sink, const char *title,
                   uint64_t count)
{
    bool colour = input->options->colour;

    buf_addf(&sink->buf, "\n%s%s", colour ? "\x1b[1m" : "", title);
    if (count)
        buf_addf(&sink->buf, ": %llu", (unsigned long long)count);
    buf_addf(&sink->buf, "%s\n", colour ? "\x1b[0m" : "");
}

static void add_title(struct summary *s, const char *title, uint32_t count)
{
    summary_title(s->input, s->sink, title, count);
}

/* ---- rows: label, id, a word on it ---- */

static size_t id_column(const struct summary *s, uint32_t rows)
{
    size_t widest = 0;

    for (uint32_t i = 0; i < rows; i++) {
        size_t width = utf8_count(listed(s, i)->what->id);

        if (width > widest && width <= ID_COLUMN)
            widest = width;
    }
    return widest;
}

static uint32_t count_warnings(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);
    uint32_t count = 0;

    for (uint32_t i = 0; last && i < last->leak_count; i++)
        count += !last->leaks[i].fails;
    return count;
}

/* The first of them; the others are in the record. */
static void add_warning(const struct journal_history *history, struct buf *out)
{
    const struct journal_leak *leak = journal_last(history)->leaks;
    uint32_t more = count_warnings(history) - 1;

    while (leak->fails)
        leak++;
    buf_adds(out, out->len ? "; left " : "left ");
    leak_format(out, leak);
    if (more)
        buf_addf(out, "; and %u more", more);
}

static void add_word(const struct summary *s, const struct journal_history *history, struct buf *out)
{
    if (journal_outcome(history) == VERDICT_FLAKY && history->count)
        flaky_format(out, history);
    else
        utf8_show(out, case_reason(s->input, history));
    if (case_quarantine(history) && verdict_counts(journal_outcome(history)) == COUNT_FAILED) {
        buf_adds(out, out->len ? "; " : "");
        quarantine_tell(out, s->input->record, case_quarantine(history));
    }
    if (count_warnings(history))
        add_warning(history, out);
}

/* Of the last attempt that has one: of a flaky case it is nowhere else to be found than in the record. */
static void add_dump(const struct summary *s, const struct journal_history *history)
{
    for (uint32_t i = history->count; i-- > 0;)
        if (history->attempts[i].dump.len) {
            buf_addf(&s->sink->buf, "%*s  ", LABEL_COLUMN, "");
            dump_where(s->input, &history->attempts[i], &s->sink->buf);
            buf_addc(&s->sink->buf, '\n');
            return;
        }
}

/* In a narrow terminal the word goes below; an id is never cut, for it is there to be copied. */
static void add_row(struct summary *s, const struct journal_history *history, size_t column)
{
    struct buf *out = &s->sink->buf, word = {0};
    size_t width = utf8_count(history->what->id), pad = width < column ? column - width : 0;

    add_word(s, history, &word);
    add_label(s->input, journal_outcome(history), out);
    buf_addc(out, ' ');
    utf8_show(out, history->what->id);
    if (word.len) {
        size_t needed = LABEL_COLUMN + width + pad + 2 + utf8_count(buf_str(&word));

        if (s->input->options->width && needed > s->input->options->width)
            buf_addf(out, "\n%*s  ", LABEL_COLUMN, "");
        else
            buf_addf(out, "%*s", (int)pad + 2, "");
        buf_addstr(out, buf_str(&word));
    }
    buf_addc(out, '\n');
    add_dump(s, history);
    buf_release(&word);
    report_sink_relax(s->sink);
}

static void add_more(struct summary *s, uint32_t more)
{
    if (more)
        buf_addf(&s->sink->buf, "%*s... and %u more; -v shows all\n", LABEL_COLUMN, "", more);
}

static void add_rows(struct summary *s, uint32_t from, uint32_t most)
{
    uint32_t rows = limit(s, s->count, from + most);
    size_t column = id_column(s, rows);

    for (uint32_t i = from; i < rows; i++)
        add_row(s, listed(s, i), column);
    add_more(s, s->count - rows);
}

/* ---- failures ---- */

static bool is_failure(const struct journal_history *history)
{
    return verdict_counts(journal_outcome(history)) == COUNT_FAILED && !case_quarantined(history);
}

static void add_failures(struct summary *s)
{
    uint32_t at_length;

    list_cases(s, is_failure);
    if (!s->count)
        return;
    at_length = limit(s, s->count, FAILURES_MOST);
    add_title(s, "failures", s->count);
    for (uint32_t i = 0; i < at_length; i++) {
        if (i)
            buf_addc(&s->sink->buf, '\n');
        report_case(s->input, listed(s, i), s->sink);
    }
    if (at_length < s->count) {
        buf_addc(&s->sink->buf, '\n');
        add_rows(s, at_length, ROWS_MOST);
    }
}

/* ---- what is told row by row ---- */

static bool is_flaky(const struct journal_history *history)
{
    return journal_outcome(history) == VERDICT_FLAKY;
}

static bool is_xpassed(const struct journal_history *history)
{
    return journal_outcome(history) == VERDICT_XPASSED;
}

static bool is_warned(const struct journal_history *history)
{
    return verdict_counts(journal_outcome(history)) == COUNT_PASSED && count_warnings(history) > 0;
}

static const struct {
    const char *title;
    bool (*match)(const struct journal_history *history);
} lists[] = {
    {"flaky", is_flaky},
    {"expected to fail, and passed", is_xpassed},
    {"failed in quarantine", case_quarantined},
    {"failed, and counts since quarantine is over", case_released},
    {"warning: left something behind, and passed", is_warned},
};

static void add_lists(struct summary *s)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        list_cases(s, lists[i].match);
        if (s->count) {
            add_title(s, lists[i].title, s->count);
            add_rows(s, 0, ROWS_MOST);
        }
    }
}

/* ---- what is told by reason ---- */

static bool is_not_run(const struct journal_history *history)
{
    return verdict_counts(journal_outcome(history)) == COUNT_NOT_RUN;
}

static bool is_skipped(const struct journal_history *history)
{
    return verdict_counts(journal_outcome(history)) == COUNT_SKIPPED;
}

static int by_reason(const void *left, const void *right, void *user)
{
    const struct summary *s = user;
    const uint32_t *a = left, *b = right;
    const struct journal_history *x = &s->input->record->cases[*a], *y = &s->input->record->cases[*b];
    int order = (int)journal_outcome(x) - (int)journal_outcome(y);

    if (!order)
        order = str_cmp(case_reason(s->input, x), case_reason(s->input, y));
    return order ? order : (*a > *b) - (*a < *b);
}

/* Where the cases with the reason of the i-th are over. */
static uint32_t group_end(const struct summary *s, uint32_t i)
{
    const struct journal_history *first = listed(s, i);

    while (++i < s->count && journal_outcome(listed(s, i)) == journal_outcome(first) &&
           str_eq(case_reason(s->input, listed(s, i)), case_reason(s->input, first)))
        ;
    return i;
}

static void add_group(struct summary *s, uint32_t from, uint32_t to)
{
    struct buf *out = &s->sink->buf;
    struct str reason = case_reason(s->input, listed(s, from));

    add_label(s->input, journal_outcome(listed(s, from)), out);
    buf_addf(out, " %5u  ", to - from);
    utf8_show(out, reason.len ? reason : str_of("no reason given"));
    buf_addc(out, '\n');
}

static void add_groups(struct summary *s)
{
    uint32_t from = 0;

    qsort_r(s->list, s->count, sizeof *s->list, by_reason, s);
    for (uint32_t groups = 0; from < s->count && groups < GROUPS_MOST; groups++) {
        uint32_t to = group_end(s, from);

        add_group(s, from, to);
        from = to;
    }
    add_more(s, s->count - from);
}

static void add_reasons(struct summary *s, const char *title,
                        bool (*match)(const struct journal_history *history))
{
    list_cases(s, match);
    if (!s->count)
        return;
    add_title(s, title, s->count);
    if (s->input->options->verbose > 0)
        add_rows(s, 0, s->count);
    else
        add_groups(s);
}

/* ---- the slowest ---- */

static bool has_run(const struct journal_history *history)
{
    return history->executed && history->count > 0;
}

static int by_duration(const void *left, const void *right, void *user)
{
    const struct summary *s = user;
    const uint32_t *a = left, *b = right;
    nanos x = case_duration(&s->input->record->cases[*a]), y = case_duration(&s->input->record->cases[*b]);

    return x != y ? (x < y) - (x > y) : (*a > *b) - (*a < *b);
}

static void add_slowest(struct summary *s)
{
    uint32_t most = s->input->options->durations;
    struct buf *out = &s->sink->buf, span = {0};

    if (!most)
        return;
    list_cases(s, has_run);
    qsort_r(s->list, s->count, sizeof *s->list, by_duration, s);
    if (most > s->count)
        most = s->count;
    if (most)
        add_title(s, "slowest", most);
    for (uint32_t i = 0; i < most; i++) {
        buf_clear(&span);
        span_format(&span, case_duration(listed(s, i)));
        buf_addf(out, "%9s  ", buf_text(&span));
        utf8_show(out, listed(s, i)->what->id);
        buf_addc(out, '\n');
        report_sink_relax(s->sink);
    }
    buf_release(&span);
}

/* ---- the run ---- */

static void add_notes(struct summary *s)
{
    const struct journal_record *record = s->input->record;
    uint32_t shown = limit(s, record->note_count, ROWS_MOST);
    struct buf *out = &s->sink->buf;

    if (record->note_count)
        add_title(s, "notes", record->note_count);
    for (uint32_t i = 0; i < shown; i++) {
        buf_addf(out, "%*s", LABEL_COLUMN, "");
        utf8_show(out, record->notes[i]);
        buf_addc(out, '\n');
    }
    add_more(s, record->note_count - shown);
}

static void add_from(struct summary *s)
{
    if (!s->input->options->from.len)
        return;
    buf_adds(&s->sink->buf, " --from ");
    shell_word(&s->sink->buf, s->input->options->from);
}

static void add_end(struct summary *s)
{
    const struct journal_record *record = s->input->record;
    struct buf *out = &s->sink->buf;

    if (record->cancelled.len) {
        buf_adds(out, "interrupted: ");
        utf8_show(out, record->cancelled);
        buf_addc(out, '\n');
    } else if (s->input->going_on) {
        buf_adds(out, "the run is going on\n");
    } else if (!record->finished) {
        buf_adds(out, "the run died; finish it: ");
        shell_word(out, s->input->options->program);
        buf_adds(out, " run --resume");
        add_from(s);
        buf_addc(out, '\n');
    }
}

static void add_where(struct summary *s)
{
    struct buf *out = &s->sink->buf;

    buf_adds(out, "all of it: ");
    utf8_show(out, str_of(s->input->path));
    list_cases(s, is_failure);
    if (s->count) {
        buf_adds(out, "; look at: ");
        shell_word(out, s->input->options->program);
        buf_adds(out, " show");
        add_from(s);
        if (s->count == 1) {
            buf_addc(out, ' ');
            shell_word(out, listed(s, 0)->what->id);
        }
    }
    buf_addc(out, '\n');
}

static void add_all(struct summary *s)
{
    s->list = mem_zero(s->input->record->case_count + (size_t)1, sizeof *s->list);
    add_failures(s);
    add_lists(s);
    summary_flaky_results(s->input, s->sink);
    add_reasons(s, "not run", is_not_run);
    add_reasons(s, "skipped", is_skipped);
    summary_slower(s->input, s->sink);
    add_slowest(s);
    summary_slowest_results(s->input, s->sink);
    add_notes(s);
    buf_addc(&s->sink->buf, '\n');
    add_end(s);
    add_where(s);
    free(s->list);
}

void report_summary_write(const struct report_input *input, struct report_sink *sink)
{
    struct summary s = {.input = input, .sink = sink};
    struct journal_counts counts;

    if (input->options->verbose >= 0)
        add_all(&s);
    if (input->options->no_tally)
        return;
    journal_count(input->record, &counts);
    report_tally(&counts, &sink->buf);
    buf_addc(&sink->buf, '\n');
}
