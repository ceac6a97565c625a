#include "runner/journal/internal.h"

const struct journal_attempt *journal_last(const struct journal_history *history)
{
    return history->count ? &history->attempts[history->count - 1] : NULL;
}

enum verdict journal_outcome(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    return last ? last->outcome : VERDICT_NOT_RUN;
}

bool journal_is_over(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    return last && last->last && last->outcome != VERDICT_NOT_RUN && !history->open;
}

/* ---- results within a case ---- */

bool journal_has_results(const struct journal_attempt *attempt)
{
    const struct journal_results *results = attempt ? attempt->results : NULL;

    for (int v = 0; results && v < VERDICT_COUNT; v++)
        if (results->verdicts[v])
            return true;
    return false;
}

uint64_t journal_failed_results(const struct journal_results *results)
{
    uint64_t failed = 0;

    for (int v = 0; v < VERDICT_COUNT; v++)
        if (verdict_counts((enum verdict)v) == COUNT_FAILED)
            failed += results->verdicts[v];
    return failed;
}

enum verdict journal_result_counts(const struct journal_attempt *attempt, enum verdict verdict)
{
    return attempt->outcome == VERDICT_XFAILED && verdict_counts(verdict) == COUNT_FAILED ? VERDICT_XFAILED
                                                                                          : verdict;
}

bool journal_counts_itself(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    if (!journal_has_results(last))
        return true;
    switch (last->outcome) {
    case VERDICT_NOT_RUN: return true;
    case VERDICT_FAILED:
    case VERDICT_XFAILED: return !journal_failed_results(last->results);
    default: return verdict_counts(last->outcome) == COUNT_FAILED;
    }
}

/* ---- counting ---- */

static void count(struct journal_counts *counts, enum verdict verdict, uint64_t times, bool quarantined)
{
    counts->verdicts[verdict] += times;
    if (quarantined && verdict_counts(verdict) == COUNT_FAILED)
        counts->quarantined += times;
    else
        counts->counts[verdict_counts(verdict)] += times;
}

static void count_results(struct journal_counts *counts, const struct journal_attempt *last)
{
    for (int v = 0; v < VERDICT_COUNT; v++)
        count(counts, journal_result_counts(last, (enum verdict)v), last->results->verdicts[v],
              last->quarantined);
    count(counts, VERDICT_NOT_RUN, last->results->unlisted, false);
}

static void count_case(struct journal_counts *counts, const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);
    enum verdict outcome = journal_outcome(history);
    bool quarantined = last && last->quarantined;

    counts->executed += history->executed;
    if (journal_has_results(last))
        count_results(counts, last);
    if (journal_counts_itself(history))
        count(counts, outcome, 1, quarantined);
    if (!quarantined || verdict_counts(outcome) != COUNT_FAILED)
        counts->cases[verdict_counts(outcome)]++;
    if (outcome == VERDICT_FLAKY && last->flaky_fails && !quarantined)
        counts->flaky_fails++;
}

void journal_count(const struct journal_record *record, struct journal_counts *counts)
{
    *counts = (struct journal_counts){0};
    for (uint32_t i = 0; i < record->case_count; i++)
        count_case(counts, &record->cases[i]);
}
