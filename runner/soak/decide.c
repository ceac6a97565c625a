/*
 * Is it enough? Attempts end in another order than they began, and those that fail often take longest: who asked about the ones
 * that have ended would hear of few failures, and be sure too early. The question is of all that have been begun, in the order in
 * which they were. So it is below only if it is with all that still run failing, and not below only if it is not with none of
 * them.
 */
#include "runner/soak/internal.h"

static void latch(struct soak *soak, enum soak_end end)
{
    __atomic_store_n(&soak->state.head->totals.end, (uint32_t)end, __ATOMIC_SEQ_CST);
}

/* It takes long to find out, and is asked each time. */
static uint64_t needed(struct soak *soak)
{
    uint64_t failures = soak->state.head->totals.failures;

    if (!soak->needed || soak->needed_failures != failures) {
        soak->needed = stats_needed(&soak->test, failures);
        soak->needed_failures = failures;
    }
    return soak->needed;
}

bool soak_is_held(struct soak *soak)
{
    return soak->proves && soak->out && soak->state.head->totals.attempts + soak->out >= needed(soak);
}

static enum stats_decision ask(const struct soak *soak, uint64_t more_failures)
{
    const struct state_totals *totals = &soak->state.head->totals;

    return stats_decide(&soak->test, totals->failures + more_failures, totals->attempts + soak->out);
}

void soak_decide(struct soak *soak, bool worse)
{
    const struct state_totals *totals = &soak->state.head->totals;

    if (totals->end != SOAK_GOES_ON)
        return;
    if (soak->plan.until_fail && soak->state.head->plan.until &&
        totals->failures >= soak->state.head->plan.until) {
        latch(soak, SOAK_FAILED);
        return;
    }
    if (!soak->proves)
        return;
    if (worse && totals->failures && ask(soak, 0) == STATS_NOT_BELOW)
        latch(soak, SOAK_NOT_BELOW);
    else if (totals->attempts + soak->out >= needed(soak) && ask(soak, soak->out) == STATS_BELOW)
        latch(soak, SOAK_BELOW);
}

uint64_t soak_needed_more(const struct soak *soak)
{
    const struct state_totals *totals = &soak->state.head->totals;
    uint64_t all;

    if (!soak->proves || totals->end == SOAK_BELOW || totals->end == SOAK_NOT_BELOW)
        return 0;
    all = soak->needed && soak->needed_failures == totals->failures
              ? soak->needed
              : stats_needed(&soak->test, totals->failures);
    if (all == STATS_NEVER)
        return all;
    return all > totals->attempts ? all - totals->attempts : 1;
}

static enum soak_end when_up(const struct soak *soak)
{
    return soak->proves ? SOAK_UNDECIDED : SOAK_COUNTED;
}

static bool is_up(const struct soak *soak, nanos now)
{
    return !soak->unfinished || (soak->plan.duration && now >= soak->plan.duration);
}

enum soak_end soak_where(struct soak *soak, nanos now)
{
    struct state_totals *totals = &soak->state.head->totals;

    if (now > totals->taken)
        __atomic_store_n(&totals->taken, now, __ATOMIC_SEQ_CST);
    if (totals->end != SOAK_GOES_ON)
        return (enum soak_end)totals->end;
    if (!is_up(soak, now))
        return SOAK_GOES_ON;
    if (!soak->out)
        latch(soak, when_up(soak));
    return when_up(soak);
}
