/* A page of Markdown, as GitHub shows it below a job: never longer than is taken, and cut between two parts of it. */
#include "runner/report/markdown.h"

#include "runner/base/mem.h"

#include <stdlib.h>

#define PAGE_MOST    (((size_t)1 << 20) - 1) /* what is longer GitHub does not show at all */
#define END_ROOM     ((size_t)1 << 10)       /* for the words that something is left out */
#define LISTS_ROOM   ((size_t)160 << 10)     /* for what follows on the failures */
#define DETAILS_MOST 200
#define OPEN_MOST    3 /* so few failures are shown unfolded */
#define ROWS_MOST    50
#define SLOWEST_MOST 10
#define ID_MOST      300
#define REASON_MOST  400

bool markdown_put(struct markdown *m, struct buf *part, size_t spare)
{
    bool fits = m->page.len + part->len + spare + END_ROOM <= m->most;

    if (fits)
        buf_addstr(&m->page, buf_str(part));
    m->full |= !fits;
    buf_clear(part);
    return fits;
}

/* ---- head ---- */

static void add_head(struct markdown *m, struct buf *out)
{
    const struct journal_record *record = m->input->record;
    struct journal_counts counts;

    journal_count(record, &counts);
    buf_addf(out, "## %s run-matrix: ", counts.counts[COUNT_FAILED] ? "❌" : record->finished ? "✅" : "➖");
    report_tally(&counts, out);
    if (counts.verdicts[VERDICT_FLAKY])
        buf_addf(out, ", %llu flaky", (unsigned long long)counts.verdicts[VERDICT_FLAKY]);
    if (counts.counts[COUNT_NOT_RUN])
        buf_addf(out, ", %llu not run", (unsigned long long)counts.counts[COUNT_NOT_RUN]);
    buf_addf(out, "\n\nrun %.*s, %u case%s in ", STR_ARG(record->run.id), record->run.cases,
             record->run.cases == 1 ? "" : "s");
    span_format(out, record->duration);
    if (record->run.profile.len) {
        buf_adds(out, ", profile ");
        markdown_code(out, record->run.profile, ID_MOST);
    }
    buf_adds(out, "\n\n");
    if (record->cancelled.len) {
        buf_adds(out, "**Interrupted**: ");
        markdown_inline(out, record->cancelled, REASON_MOST);
        buf_adds(out, "\n\n");
    } else if (!record->finished) {
        buf_adds(out, m->input->going_on ? "**The run is going on.**\n\n" : "**The run died.**\n\n");
    }
    markdown_put(m, out, 0);
}

/* ---- failures ---- */

static bool is_failure(const struct journal_history *history)
{
    return verdict_counts(journal_outcome(history)) == COUNT_FAILED && !case_quarantined(history);
}

static uint32_t count_of(const struct journal_record *record, bool (*match)(const struct journal_history *))
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < record->case_count; i++)
        count += match(&record->cases[i]);
    return count;
}

static void add_failures(struct markdown *m, struct buf *out)
{
    const struct journal_record *record = m->input->record;
    uint32_t count = count_of(record, is_failure), shown = 0;
    bool fits = true;

    if (!count)
        return;
    buf_addf(out, "### Failures: %u\n\n", count);
    fits = markdown_put(m, out, m->room);
    for (uint32_t i = 0; i < record->case_count && fits && shown < DETAILS_MOST; i++) {
        if (!is_failure(&record->cases[i]))
            continue;
        markdown_case(m->input, &record->cases[i], count <= OPEN_MOST, out);
        fits = markdown_put(m, out, m->room);
        shown += fits;
    }
    if (shown == count)
        return;
    buf_addf(out, "and %u more, not shown here\n\n", count - shown);
    markdown_put(m, out, 0);
}

/* ---- lists ---- */

static bool is_flaky(const struct journal_history *history)
{
    return journal_outcome(history) == VERDICT_FLAKY;
}

static bool is_not_run(const struct journal_history *history)
{
    return verdict_counts(journal_outcome(history)) == COUNT_NOT_RUN;
}

static bool is_skipped(const struct journal_history *history)
{
    return verdict_counts(journal_outcome(history)) == COUNT_SKIPPED;
}

static bool leaves_something(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    for (uint32_t i = 0; last && i < last->leak_count; i++)
        if (!last->leaks[i].fails && verdict_counts(journal_outcome(history)) == COUNT_PASSED)
            return true;
    return false;
}

/* Of a flaky case what its first attempt came to, of another its reason. */
static void add_word(const struct markdown *m, const struct journal_history *history, struct buf *out)
{
    const struct journal_attempt *first = history->count ? &history->attempts[0] : NULL;

    if (is_flaky(history) && first) {
        buf_addf(out, "passed on attempt %u; attempt 1: %s", journal_last(history)->attempt,
                 verdict_word(first->verdict));
        buf_adds(out, first->reason.len ? ", " : "");
        markdown_inline(out, first->reason, REASON_MOST);
    } else if (leaves_something(history)) {
        struct buf leak = {0};

        leak_format(&leak, &journal_last(history)->leaks[0]);
        markdown_inline(out, buf_str(&leak), REASON_MOST);
        buf_release(&leak);
    } else {
        markdown_inline(out, case_reason(m->input, history), REASON_MOST);
    }
}

static const struct {
    const char *title;
    bool (*match)(const struct journal_history *history);
} lists[] = {
    {"Flaky", is_flaky},
    {"Failed in quarantine", case_quarantined},
    {"Left something behind, and passed", leaves_something},
    {"Not run", is_not_run},
    {"Skipped", is_skipped},
};

static void add_list(struct markdown *m, size_t list, struct buf *out)
{
    const struct journal_record *record = m->input->record;
    uint32_t count = count_of(record, lists[list].match), shown = 0;

    if (!count)
        return;
    buf_addf(out, "<details><summary>%s: %u</summary>\n\n", lists[list].title, count);
    for (uint32_t i = 0; i < record->case_count && shown < ROWS_MOST; i++) {
        if (!lists[list].match(&record->cases[i]))
            continue;
        shown++;
        buf_addf(out, "- %s ", markdown_mark(journal_outcome(&record->cases[i])));
        markdown_code(out, record->cases[i].what->id, ID_MOST);
        buf_addc(out, ' ');
        add_word(m, &record->cases[i], out);
        buf_addc(out, '\n');
    }
    if (shown < count)
        buf_addf(out, "- and %u more\n", count - shown);
    buf_adds(out, "\n</details>\n\n");
    markdown_put(m, out, 0);
}

/* ---- flaky results of suites ---- */

struct flaky {
    const struct journal_history *history;
    struct buf *out;
    uint32_t count;
};

static bool add_flaky(void *user, const struct journal_result *result)
{
    struct flaky *f = user;
    struct buf id = {0};

    if (result->verdict != VERDICT_FLAKY || f->count++ >= ROWS_MOST)
        return true;
    result_id(&id, f->history->what->id, result->id);
    buf_addf(f->out, "- %s ", markdown_mark(result->verdict));
    markdown_code(f->out, buf_str(&id), ID_MOST);
    buf_addc(f->out, '\n');
    buf_release(&id);
    return true;
}

static void add_flaky_results(struct markdown *m, struct buf *out)
{
    const struct journal_record *record = m->input->record;
    struct buf rows = {0};
    struct flaky f = {.out = &rows};

    for (uint32_t i = 0; i < record->case_count; i++) {
        const struct journal_attempt *attempt = case_results(&record->cases[i]);

        if (!attempt || !attempt->results->verdicts[VERDICT_FLAKY])
            continue;
        f.history = &record->cases[i];
        results_each(m->input, attempt, add_flaky, &f);
    }
    if (f.count) {
        buf_addf(out, "<details><summary>Flaky inside of cases: %u</summary>\n\n", f.count);
        buf_addstr(out, buf_str(&rows));
        if (f.count > ROWS_MOST)
            buf_addf(out, "- and %u more\n", f.count - ROWS_MOST);
        buf_adds(out, "\n</details>\n\n");
        markdown_put(m, out, 0);
    }
    buf_release(&rows);
}

/* ---- the slowest ---- */

/* The longest first; of equal ones those that come first. */
static void insert(const struct journal_history **slowest, const struct journal_history *history)
{
    size_t at = SLOWEST_MOST;

    while (at > 0 && (!slowest[at - 1] || case_duration(slowest[at - 1]) < case_duration(history)))
        at--;
    for (size_t i = SLOWEST_MOST; i-- > at + 1;)
        slowest[i] = slowest[i - 1];
    if (at < SLOWEST_MOST)
        slowest[at] = history;
}

static void add_slowest(struct markdown *m, struct buf *out)
{
    const struct journal_record *record = m->input->record;
    const struct journal_history *slowest[SLOWEST_MOST] = {NULL};

    for (uint32_t i = 0; i < record->case_count; i++)
        if (record->cases[i].executed && record->cases[i].count)
            insert(slowest, &record->cases[i]);
    if (!slowest[0])
        return;
    buf_adds(out, "<details><summary>Slowest</summary>\n\n| time | case |\n|---:|---|\n");
    for (size_t i = 0; i < SLOWEST_MOST && slowest[i]; i++) {
        buf_adds(out, "| ");
        span_format(out, case_duration(slowest[i]));
        buf_adds(out, " | ");
        markdown_code(out, slowest[i]->what->id, ID_MOST);
        buf_adds(out, " |\n");
    }
    buf_adds(out, "\n</details>\n\n");
    markdown_put(m, out, 0);
}

/* ---- the rest ---- */

static void add_notes(struct markdown *m, struct buf *out)
{
    const struct journal_record *record = m->input->record;
    uint32_t shown = record->note_count < ROWS_MOST ? record->note_count : ROWS_MOST;

    if (!record->note_count)
        return;
    buf_addf(out, "<details><summary>Notes: %u</summary>\n\n", record->note_count);
    for (uint32_t i = 0; i < shown; i++) {
        buf_adds(out, "- ");
        markdown_inline(out, record->notes[i], REASON_MOST);
        buf_addc(out, '\n');
    }
    buf_adds(out, "\n</details>\n\n");
    markdown_put(m, out, 0);
}

static void add_end(struct markdown *m, struct buf *out)
{
    if (m->full)
        buf_adds(out, "**Not all of it is here: there was no room for more.** ");
    buf_adds(out, "All of it: ");
    markdown_code(out, str_of(m->input->path), ID_MOST);
    buf_addc(out, '\n');
    if (m->page.len + out->len <= m->most)
        buf_addstr(&m->page, buf_str(out));
}

void report_markdown_write(const struct report_input *input, struct report_sink *sink)
{
    size_t asked = input->options->bytes_most;
    struct markdown m = {.input = input, .most = asked && asked < PAGE_MOST ? asked : PAGE_MOST};
    struct buf part = {0};

    m.room = m.most / 4 < LISTS_ROOM ? m.most / 4 : LISTS_ROOM;
    add_head(&m, &part);
    markdown_table(input, &part);
    markdown_put(&m, &part, 0);
    add_failures(&m, &part);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        add_list(&m, i, &part);
    add_flaky_results(&m, &part);
    add_slowest(&m, &part);
    add_notes(&m, &part);
    add_end(&m, &part);
    buf_addstr(&sink->buf, buf_str(&m.page));
    buf_release(&part);
    buf_release(&m.page);
}
