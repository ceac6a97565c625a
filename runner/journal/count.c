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

static void count_case(struct journal_counts *counts, const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);
    enum verdict outcome = journal_outcome(history);
    bool quarantined = last && last->quarantined;

    counts->verdicts[outcome]++;
    counts->executed += history->executed;
    if (quarantined && verdict_counts(outcome) == COUNT_FAILED) {
        counts->quarantined++;
        return;
    }
    counts->counts[verdict_counts(outcome)]++;
    if (outcome == VERDICT_FLAKY && last->flaky_fails && !quarantined)
        counts->flaky_fails++;
}

void journal_count(const struct journal_record *record, struct journal_counts *counts)
{
    *counts = (struct journal_counts){0};
    for (uint32_t i = 0; i < record->case_count; i++)
        count_case(counts, &record->cases[i]);
}
