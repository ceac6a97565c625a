/* The engine: attempts go out and come back. What they came to is in the file (state.c), who is next in order.c. */
#include "runner/soak/internal.h"

static uint32_t entry_of(const struct soak *soak, uint32_t number, uint32_t copy)
{
    return number * soak->copies + copy;
}

bool soak_next(struct soak *soak, uint32_t *number, uint32_t *copy)
{
    uint32_t entry;

    if (soak->state.head->totals.end != SOAK_GOES_ON || soak_is_held(soak) || !order_next(soak, &entry))
        return false;
    soak->flags[entry] |= ENTRY_OUT;
    *number = entry / soak->copies;
    *copy = entry % soak->copies;
    soak->running[*number]++;
    soak->out++;
    return true;
}

uint32_t soak_begin(struct soak *soak, uint32_t number)
{
    return __atomic_add_fetch(&soak->state.cases[number].begun, 1, __ATOMIC_SEQ_CST);
}

/* False: nobody has it. */
static bool comes_back(struct soak *soak, uint32_t number, uint32_t copy)
{
    if (number >= soak->count || copy >= soak->copies ||
        !(soak->flags[entry_of(soak, number, copy)] & ENTRY_OUT))
        return false;
    soak->running[number]--;
    soak->out--;
    return true;
}

void soak_put_back(struct soak *soak, uint32_t number, uint32_t copy)
{
    if (!comes_back(soak, number, copy))
        return;
    order_back(soak, entry_of(soak, number, copy));
    soak_decide(soak, true);
}

/* ---- ends ---- */

static enum soak_worth worth(const struct state *state, const struct soak_outcome *outcome,
                             const struct kind_found *found)
{
    const struct state_totals *totals = &state->head->totals;

    if (verdict_counts(outcome->verdict) != COUNT_FAILED)
        return SOAK_NOTHING;
    if (found->kind != NONE)
        return state->kinds[found->kind].count < KIND_RECORDS ? SOAK_RECORD : SOAK_NOTHING;
    if (totals->kinds < KINDS_MOST)
        return SOAK_ALL;
    return totals->others < KIND_RECORDS ? SOAK_RECORD : SOAK_NOTHING;
}

enum soak_worth soak_worth(const struct soak *soak, const struct soak_outcome *outcome)
{
    struct buf scratch = {0};
    struct kind_found found;
    enum soak_worth answer;

    if (verdict_counts(outcome->verdict) != COUNT_FAILED)
        return SOAK_NOTHING;
    kind_find(&soak->state, outcome, &scratch, &found);
    answer = worth(&soak->state, outcome, &found);
    buf_release(&scratch);
    return answer;
}

static void add_duration(struct state_case *record, nanos duration)
{
    bool first = record_attempts(record) == 0;

    if (duration < 0)
        duration = 0;
    if (first || duration < record->shortest)
        record->shortest = duration;
    if (first || duration > record->longest)
        record->longest = duration;
    if (__builtin_add_overflow(record->sum, duration, &record->sum))
        record->sum = INT64_MAX;
}

/* Whoever is left out stays so, whatever comes of a copy that still runs: the others are rounds ahead by then. */
static void count_skip(struct state_case *record, bool skipped)
{
    if (record->skips == LEFT_OUT)
        return;
    record->skips = skipped ? record->skips + 1 : 0;
    if (record->skips >= (record_attempts(record) ? SKIPS_IN_A_ROW : SKIPS_MOST))
        record->skips = LEFT_OUT;
}

/* What is not of its kind. */
static void fill_change(const struct soak *soak, uint32_t number, uint32_t entry,
                        const struct soak_outcome *outcome, nanos now)
{
    const struct state *state = &soak->state;
    struct state_change *change = &state->head->change;
    enum count counts = verdict_counts(outcome->verdict);

    *change = (struct state_change){
        .totals = state->head->totals,
        .record = state->cases[number],
        .rounds = state->rounds[entry] + 1,
        .number = number,
        .entry = entry,
        .kind = NONE,
        .at_pair = NONE,
    };
    if (counts == COUNT_PASSED || counts == COUNT_FAILED) {
        add_duration(&change->record, outcome->duration);
        change->totals.attempts++;
        change->totals.failures += counts == COUNT_FAILED;
    } else {
        change->totals.passed_over++;
    }
    change->record.verdicts[outcome->verdict]++;
    change->record.counts[counts]++;
    count_skip(&change->record, counts != COUNT_PASSED && counts != COUNT_FAILED);
    if (now > change->totals.taken)
        change->totals.taken = now;
}

static enum soak_worth count_failure(const struct soak *soak, const struct soak_outcome *outcome)
{
    const struct state *state = &soak->state;
    struct buf scratch = {0};
    struct kind_found found;
    enum soak_worth answer;

    kind_find(state, outcome, &scratch, &found);
    answer = worth(state, outcome, &found);
    kind_change(state, outcome, &found, &state->head->change);
    buf_release(&scratch);
    return answer;
}

enum soak_worth soak_ended(struct soak *soak, uint32_t number, uint32_t copy,
                           const struct soak_outcome *outcome, nanos now)
{
    enum soak_worth answer = SOAK_NOTHING;
    bool failed = verdict_counts(outcome->verdict) == COUNT_FAILED;
    bool counts = failed || verdict_counts(outcome->verdict) == COUNT_PASSED;

    if (!comes_back(soak, number, copy))
        return SOAK_NOTHING;
    fill_change(soak, number, entry_of(soak, number, copy), outcome, now);
    if (failed)
        answer = count_failure(soak, outcome);
    soak->unfinished -= !case_is_done(soak, number);
    state_apply(&soak->state, soak->faults);
    soak->unfinished += !case_is_done(soak, number);
    order_back(soak, entry_of(soak, number, copy));
    soak_decide(soak, failed || !counts);
    fault_step(soak->faults);
    return answer;
}

/* ---- questions ---- */

uint64_t soak_seed(const struct soak *soak)
{
    return soak->state.head->fixed.seed;
}

nanos soak_taken(const struct soak *soak)
{
    return soak->state.head->totals.taken;
}

const struct soak_plan *soak_plan_of(const struct soak *soak)
{
    return &soak->plan;
}

void soak_set_faults(struct soak *soak, struct faults *faults)
{
    soak->faults = faults;
}

nanos soak_pace(const struct soak *soak, nanos now)
{
    const struct state_totals *totals = &soak->state.head->totals;
    uint64_t ended = totals->attempts + totals->passed_over;

    return ended ? now / (nanos)ended : -1;
}

static nanos times(nanos each, uint64_t count)
{
    nanos product;

    return each < 0 || count > INT64_MAX || __builtin_mul_overflow(each, (nanos)count, &product) ? -1
                                                                                                 : product;
}

uint64_t soak_left_of_count(const struct soak *soak)
{
    const struct state_totals *totals = &soak->state.head->totals;
    uint64_t all, ended = totals->attempts + totals->passed_over;

    if (__builtin_mul_overflow(soak->plan.count, soak->count, &all))
        all = UINT64_MAX;
    return all > ended ? all - ended : 0;
}

static nanos sooner_if_known(nanos a, nanos b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* What is to be proven is not counted: it may end before. */
static nanos time_left(const struct soak *soak, nanos now)
{
    nanos left = -1;

    if (soak->plan.count)
        left = times(soak_pace(soak, now), soak_left_of_count(soak));
    if (soak->plan.duration)
        left = sooner_if_known(left, soak->plan.duration > now ? soak->plan.duration - now : 0);
    return left;
}

void soak_look(const struct soak *soak, nanos now, struct soak_now *view)
{
    const struct state_totals *totals = &soak->state.head->totals;
    nanos left = time_left(soak, now);
    uint64_t more = soak_needed_more(soak);
    nanos proven_in = more ? times(soak_pace(soak, now), more) : -1;

    if (totals->end != SOAK_GOES_ON)
        left = 0;
    else if (proven_in >= 0 && left >= 0 && left < proven_in)
        proven_in = -1;
    *view = (struct soak_now){
        .attempts = totals->attempts,
        .failures = totals->failures,
        .passed_over = totals->passed_over,
        .interval = soak_interval(&soak->state,
                                  (struct tally){totals->failures, totals->attempts, soak->out + soak->lost}),
        .needed = more,
        .proven_in = proven_in,
        .left = sooner_if_known(left, proven_in),
    };
}
