/* What a record says of attempts that others followed, and of quarantine, in words. */
#include "runner/report/internal.h"

#include "runner/base/date.h"
#include "runner/base/utf8.h"

#define DAY_MS       ((int64_t)24 * 60 * 60 * 1000)
#define REASONS_MOST 3 /* of a flaky case */

/* ---- flaky ---- */

static struct str why(const struct journal_attempt *attempt)
{
    return attempt->reason.len ? attempt->reason : str_of(verdict_word(attempt->verdict));
}

/* Attempts from `first` on that came to the same; the number of the one after them. */
static uint32_t same_until(const struct journal_history *history, uint32_t first)
{
    const struct journal_attempt *a = history->attempts;
    uint32_t next = first + 1;

    while (next < history->count && attempt_failed(&a[next]) && str_eq(why(&a[next]), why(&a[first])))
        next++;
    return next;
}

void flaky_format(struct buf *out, const struct journal_history *history)
{
    uint32_t told = 0, next;

    buf_addf(out, "passed on attempt %u", journal_last(history)->attempt);
    for (uint32_t i = 0; i < history->count && attempt_failed(&history->attempts[i]); i = next) {
        const struct journal_attempt *first = &history->attempts[i];

        next = same_until(history, i);
        if (told++ == REASONS_MOST) {
            buf_addf(out, "; and others until attempt %u", history->count - 1);
            return;
        }
        if (next - i > 1)
            buf_addf(out, "; attempts %u to %u: ", first->attempt, history->attempts[next - 1].attempt);
        else
            buf_addf(out, "; attempt %u: ", first->attempt);
        utf8_show(out, why(first));
    }
}

/* ---- quarantine ---- */

bool case_quarantined(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    return last && last->quarantined && verdict_counts(journal_outcome(history)) == COUNT_FAILED;
}

/* An attempt that was not made says nothing of it: then those before it do. */
const struct journal_quarantine *case_quarantine(const struct journal_history *history)
{
    for (uint32_t i = history->count; i-- > 0;)
        if (history->attempts[i].quarantine)
            return history->attempts[i].quarantine;
    return NULL;
}

bool case_released(const struct journal_history *history)
{
    return case_quarantine(history) && verdict_counts(journal_outcome(history)) == COUNT_FAILED &&
           !case_quarantined(history);
}

void quarantine_format(struct buf *out, const struct journal_quarantine *quarantine)
{
    utf8_show(out, quarantine->owner);
    buf_adds(out, quarantine->owner.len ? ", " : "");
    utf8_show(out, quarantine->reason);
    buf_adds(out, quarantine->reason.len ? ", until " : "until ");
    utf8_show(out, quarantine->until);
}

void quarantine_add(struct buf *reason, const struct journal_history *history)
{
    const struct journal_quarantine *quarantine = case_quarantine(history);

    if (!case_quarantined(history) || !quarantine)
        return;
    buf_adds(reason, reason->len ? " (" : "(");
    quarantine_format(reason, quarantine);
    buf_addc(reason, ')');
}

static int64_t day_of(const struct journal_record *record)
{
    return record->run.wall / DAY_MS;
}

static bool days_left(const struct journal_quarantine *quarantine, int64_t today, int64_t *left)
{
    int64_t last;

    if (!date_days(quarantine->until, &last))
        return false;
    *left = last - today;
    return true;
}

bool quarantine_days(const struct journal_record *record, const struct journal_quarantine *quarantine,
                     int64_t *left)
{
    return days_left(quarantine, day_of(record), left);
}

void quarantine_tell(struct buf *out, const struct journal_record *record,
                     const struct journal_quarantine *quarantine)
{
    report_quarantine(out, quarantine, day_of(record));
}

void report_quarantine(struct buf *out, const struct journal_quarantine *quarantine, int64_t today)
{
    int64_t left;

    quarantine_format(out, quarantine);
    if (!days_left(quarantine, today, &left))
        return;
    if (left == 0)
        buf_adds(out, " (its last day)");
    else if (left > 0)
        buf_addf(out, " (%lld day%s left)", (long long)left, left == 1 ? "" : "s");
    else
        buf_addf(out, " (over for %lld day%s)", (long long)-left, left == -1 ? "" : "s");
}
