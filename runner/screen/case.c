#include "runner/screen/internal.h"

#include "runner/report/report.h"

#include <stdio.h>

#define SILENT_MOST (60 * NS_PER_S)
#define REASON_MOST 400 /* columns; all of it is in the record */
#define OWNER_MOST  40
#define NO_TIME     (-1)

/* How a line begins, and from which `verbose` on it is told. */
struct event {
    const char *label, *colour;
    int level;
};

static const struct event started = {"START  ", PLAIN, 2};
static const struct event made = {"READY  ", PLAIN, 1};
static const struct event ending = {"ENDING ", YELLOW, 1};
static const struct event slow = {"SLOW   ", YELLOW, 0};
static const struct event dumped = {"DUMP   ", YELLOW, -2};
static const struct event retried = {"RETRY  ", MAGENTA, 0};

/* Of a verdict, by what it counts as. */
static const struct event counted[COUNT_COUNT] = {
    [COUNT_PASSED] = {NULL, GREEN, 1},
    [COUNT_FAILED] = {NULL, RED, -1},
    [COUNT_SKIPPED] = {NULL, YELLOW, 1},
    [COUNT_NOT_RUN] = {NULL, YELLOW, 1},
};

/* Of what passed and is no plain pass, or failed and does not fail the run. */
static const struct event doubtful = {NULL, YELLOW, 0};

static struct event event_of(const struct journal_attempt *attempt)
{
    struct event event = counted[verdict_counts(attempt->outcome)];

    if (!attempt->last)
        return retried;
    if (attempt->outcome == VERDICT_FLAKY)
        event = attempt->flaky_fails && !attempt->quarantined ? counted[COUNT_FAILED] : doubtful;
    else if (attempt->quarantined && verdict_counts(attempt->outcome) == COUNT_FAILED)
        event = doubtful;
    event.label = report_label(attempt->outcome);
    return event;
}

static bool is_told(const struct progress *progress, const struct event *event)
{
    return progress->style.verbose >= event->level;
}

/* "FAIL       1.02s  " */
static struct buf *begin_event(struct progress *progress, const struct event *event, nanos span)
{
    struct buf *out = progress_begin(progress);

    progress_coloured(progress, out, event->colour, event->label);
    if (span >= 0)
        buf_addf(out, " %8.2fs  ", (double)span / NS_PER_S);
    else
        buf_adds(out, "            ");
    return out;
}

void progress_started(struct progress *progress, uint32_t slot, struct str id, nanos now)
{
    struct buf *out;

    if (progress->style.live)
        live_started(&progress->live, slot, id, now);
    if (!is_told(progress, &started))
        return;
    out = begin_event(progress, &started, NO_TIME);
    progress_show(progress, out, id);
    buf_addc(out, '\n');
    progress_end(progress);
}

void progress_slow(struct progress *progress, struct str id, nanos running, const char *path)
{
    struct buf *out;

    if (!is_told(progress, &slow))
        return;
    out = begin_event(progress, &slow, running);
    progress_show(progress, out, id);
    if (path) {
        buf_adds(out, ": tail -f ");
        progress_show(progress, out, str_of(path));
    }
    buf_addc(out, '\n');
    progress_end(progress);
}

void progress_dumped(struct progress *progress, struct str title, const char *path)
{
    struct buf *out = begin_event(progress, &dumped, NO_TIME);

    progress_show(progress, out, title);
    buf_adds(out, ": ");
    progress_show(progress, out, str_of(path));
    buf_addc(out, '\n');
    progress_end(progress);
}

void progress_ending(struct progress *progress, struct str id, const char *why)
{
    struct buf *out;

    if (!is_told(progress, &ending))
        return;
    out = begin_event(progress, &ending, NO_TIME);
    progress_show(progress, out, id);
    buf_adds(out, ": ");
    live_masked(out, progress->style.mask, str_of(why), REASON_MOST);
    buf_addc(out, '\n');
    progress_end(progress);
}

/* " (1,000 tests)" */
static void add_test_count(struct buf *out, const struct journal_results *results)
{
    uint64_t count = results->unlisted;
    char digits[24];
    int length;

    for (int v = 0; v < VERDICT_COUNT; v++)
        count += results->verdicts[v];
    length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    buf_adds(out, " (");
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            buf_addc(out, ',');
        buf_addc(out, digits[i]);
    }
    buf_addf(out, " test%s)", count == 1 ? "" : "s");
}

/* " (quarantined: net-team, until 2026-12-01)" */
static void add_quarantine(const struct progress *progress, struct buf *out,
                           const struct journal_quarantine *quarantine)
{
    buf_adds(out, " (quarantined");
    if (quarantine) {
        buf_adds(out, ": ");
        live_masked(out, progress->style.mask, quarantine->owner, OWNER_MOST);
        buf_adds(out, ", until ");
        progress_show(progress, out, quarantine->until);
    }
    buf_addc(out, ')');
}

static void add_remarks(const struct progress *progress, struct buf *out,
                        const struct journal_attempt *attempt)
{
    if (journal_has_results(attempt))
        add_test_count(out, attempt->results);
    if (attempt->reason.len) {
        buf_adds(out, ": ");
        live_masked(out, progress->style.mask, attempt->reason, REASON_MOST);
    }
    if (attempt->last && attempt->attempt > 1)
        buf_addf(out, " (attempt %u)", attempt->attempt);
    if (attempt->quarantined)
        add_quarantine(progress, out, attempt->quarantine);
}

static void add_when(struct buf *out, const struct progress_again *again)
{
    if (again->at_end)
        buf_adds(out, "; again when all others are over");
    if (!again->wait)
        return;
    buf_adds(out, again->at_end ? ", not before " : "; again in ");
    span_format(out, again->wait);
    if (again->at_end)
        buf_adds(out, " from now");
}

static void tell_ended(struct progress *progress, const struct event *event, struct str id,
                       const struct journal_attempt *attempt, const struct progress_again *again)
{
    struct buf *out = begin_event(progress, event, attempt->duration);

    if (!attempt->last)
        buf_addf(out, "%u/%u ", attempt->attempt, again->most);
    progress_show(progress, out, id);
    add_remarks(progress, out, attempt);
    if (!attempt->last)
        add_when(out, again);
    buf_addc(out, '\n');
    progress_end(progress);
}

/* A log that says nothing for long looks like a run that hangs, and some services end it for that. */
static void tell_how_far(struct progress *progress, nanos at)
{
    struct buf *out = progress_begin(progress);

    live_counts(&progress->live, out);
    buf_adds(out, "  ");
    live_clock(out, at);
    buf_addc(out, '\n');
    progress_end(progress);
}

static void count_case(struct live *live, const struct journal_attempt *attempt)
{
    enum count count = verdict_counts(attempt->outcome);

    if (!attempt->last)
        return;
    live->done++;
    if (count != COUNT_FAILED || !attempt->quarantined)
        live->counts[count]++;
}

void progress_ended(struct progress *progress, uint32_t slot, struct str id,
                    const struct journal_attempt *attempt, const struct progress_again *again)
{
    struct event event = event_of(attempt);
    nanos at = attempt->at;

    live_ended(&progress->live, slot, id);
    count_case(&progress->live, attempt);
    if (progress->said < 0)
        progress->said = at;
    if (is_told(progress, &event))
        tell_ended(progress, &event, id, attempt, again);
    else if (!progress->style.live && progress->style.verbose >= 0 && at - progress->said >= SILENT_MOST)
        tell_how_far(progress, at);
    else
        return;
    progress->said = at;
}

void progress_gone(struct progress *progress, uint32_t slot, struct str id)
{
    live_ended(&progress->live, slot, id);
}

void progress_made(struct progress *progress, uint32_t slot, struct str id, nanos span)
{
    struct buf *out;

    live_ended(&progress->live, slot, id);
    if (!is_told(progress, &made))
        return;
    out = begin_event(progress, &made, span);
    progress_show(progress, out, id);
    buf_addc(out, '\n');
    progress_end(progress);
}

void progress_fixture(struct progress *progress, uint32_t slot, struct str id,
                      const struct journal_attempt *attempt)
{
    progress->live.cases++;
    progress_ended(progress, slot, id, attempt, NULL);
}

void progress_resting(struct progress *progress, uint32_t count)
{
    progress->live.resting = count;
}

void progress_dropped(struct progress *progress, const struct journal_attempt *attempt)
{
    count_case(&progress->live, attempt);
}
