/*
 * A plan is a list of looks. "Below" is said at look k, once needed[k] attempts have no more than k failures; "not below" at
 * failure k, when it comes within too_many[k] attempts. Each look may spend a share of the error; that a soak gets to it
 * without having been ended by an earlier one is counted exactly, for the first STATS_LOOKS failures. So the sum of
 * what they spend is the error of the whole, and nothing is lost to looks that overlap.
 *
 * All is reckoned at the rate `below`. Whoever flakes more often than that is said to be below it less often still, and
 * whoever flakes less often, not to be: each attempt that fails at the lower of two rates may be taken to fail at the higher too.
 */
#include "runner/stats/internal.h"

#include <math.h>

#define ATTEMPTS_MOST (UINT64_C(1) << 62)
#define ROOM          512    /* failures from one look to the next: more are as good as impossible */
#define IMPOSSIBLE    1e-30L /* the least that is ever spent is some 1e-20 */
/* Of what may be spent: the sums below are not exact to the last digit, and have to be on the safe side. */
#define SAFE (1 - 1e-12L)

/* What looks 1 to k may spend together, of 1. */
static long double share_until(uint64_t k)
{
    return 1 - 1 / ((long double)k + 1);
}

static long double share_of(uint64_t k)
{
    return 1 / ((long double)k * ((long double)k + 1));
}

/* ---- the exact part ---- */

/* Where soaks are that are not over: with how many failures. */
struct paths {
    long double below, at[STATS_LOOKS];
};

/* What may come of so many attempts: P(X = i), and P(X >= i), up to where it is as good as impossible. */
struct spread {
    uint32_t size;
    long double exactly[ROOM], tail[ROOM];
};

static void spread_of(struct spread *spread, long double below, uint64_t attempts)
{
    long double odds = below / (1 - below), mean = below * (long double)attempts;
    long double term = expl((long double)attempts * log1pl(-below)), sum = 0;
    uint32_t i;

    for (i = 0; i < ROOM && i <= attempts && (i <= mean || term > IMPOSSIBLE); i++) {
        spread->exactly[i] = term;
        term *= odds * (long double)(attempts - i) / ((long double)i + 1);
    }
    spread->size = i;
    while (i-- > 0)
        spread->tail[i] = sum += spread->exactly[i];
}

static void walk(struct paths *paths, uint64_t attempts)
{
    struct spread spread;

    spread_of(&spread, paths->below, attempts);
    for (uint32_t to = STATS_LOOKS; to-- > 0;) {
        long double sum = 0;

        for (uint32_t more = 0; more <= to && more < spread.size; more++)
            sum += paths->at[to - more] * spread.exactly[more];
        paths->at[to] = sum;
    }
}

/*
 * Those that get to look k have k failures or more, since with fewer they would be over: it ends those with exactly k, if none
 * fails on the way from the look before.
 */
static void plan_needed(struct stats_plan *plan)
{
    struct paths paths = {plan->below, {1}};
    long double clean = log1pl(-(long double)plan->below), spent = 0;

    walk(&paths, plan->needed[0]);
    paths.at[0] = 0;
    for (uint32_t k = 1; k < STATS_LOOKS; k++) {
        long double may = plan->spare * share_until(k) * SAFE - spent;
        long double further = ceill(logl(may / paths.at[k]) / clean);

        if (!(further > 1)) /* nobody gets here: below is near 1 */
            further = 1;
        if ((long double)plan->needed[k - 1] + further > (long double)ATTEMPTS_MOST) {
            for (; k < STATS_LOOKS; k++)
                plan->needed[k] = STATS_NEVER;
            return;
        }
        plan->needed[k] = plan->needed[k - 1] + (uint64_t)further;
        spent += paths.at[k] * expl(further * clean);
        walk(&paths, (uint64_t)further);
        paths.at[k] = 0;
    }
}

/* What comes to k failures or more within so many attempts from here. */
static long double arriving(const struct paths *paths, uint32_t k, uint64_t attempts)
{
    struct spread spread;
    long double sum = 0;

    spread_of(&spread, paths->below, attempts);
    for (uint32_t more = 1; more <= k && more < spread.size; more++)
        sum += paths->at[k - more] * spread.tail[more];
    return sum;
}

/*
 * Those that are not over when failure k may no more come have fewer than k. From one failure to the next there are never two
 * failures' worth of attempts, and if there were, the error would be a little smaller than it may be.
 */
static void plan_too_many(struct stats_plan *plan, double error)
{
    struct paths paths = {plan->below, {1}};
    long double spent = 0;

    for (uint32_t k = 1; k < STATS_LOOKS; k++) {
        long double may = error * share_until(k) * SAFE - spent;
        uint64_t low = 0, high = (uint64_t)fmin(2 / plan->below, (double)(ATTEMPTS_MOST / STATS_LOOKS));

        while (low < high) {
            uint64_t middle = low + (high - low + 1) / 2;

            if (arriving(&paths, k, middle) <= may)
                low = middle;
            else
                high = middle - 1;
        }
        plan->too_many[k] = plan->too_many[k - 1] + low;
        spent += arriving(&paths, k, low);
        walk(&paths, low);
        for (uint32_t gone = k; gone < STATS_LOOKS; gone++)
            paths.at[gone] = 0;
    }
}

/* ---- the plan ---- */

/*
 * As few clean attempts as one look alone would need. As that is a whole number, they are a part of an attempt more than just enough, and
 * what is left of the error is that part of error * below: where it would be less than half, there is one attempt more.
 */
static uint64_t clean_attempts(struct stats_plan *plan, double error)
{
    long double clean = log1pl(-(long double)plan->below), attempts = ceill(logl(error) / clean);

    if (!(attempts >= 1))
        attempts = 1;
    if (error - expl(attempts * clean) < (long double)error * plan->below / 2)
        attempts++;
    if (!(attempts < (long double)ATTEMPTS_MOST))
        return STATS_NEVER;
    plan->spare = (double)(error - expl(attempts * clean));
    return (uint64_t)attempts;
}

/* A rate that nothing is below, or everything: of 0 one failure is too many, and below 1 is who passed once. */
static struct stats_plan plain_plan(struct stats_plan plan, double error)
{
    for (uint32_t k = 0; k < STATS_LOOKS; k++) {
        plan.needed[k] = plan.below >= 1 && error > 0 ? k + 1 : STATS_NEVER;
        plan.too_many[k] = plan.below <= 0 && k > 0 ? STATS_NEVER : 0;
    }
    return plan;
}

struct stats_plan stats_plan(double below, double confidence)
{
    double error = stats_error(confidence);
    struct stats_plan plan = {.below = below, .confidence = confidence};

    if (!(below > 0 && below < 1) || error <= 0)
        return plain_plan(plan, error);
    plan.needed[0] = clean_attempts(&plan, error);
    if (plan.needed[0] == STATS_NEVER)
        for (uint32_t k = 1; k < STATS_LOOKS; k++)
            plan.needed[k] = STATS_NEVER;
    else
        plan_needed(&plan);
    plan_too_many(&plan, error);
    return plan;
}

/* ---- past what is exact ---- */

/*
 * Here each look is taken to spend the whole probability of what it looks for, which is more than it does. None of them is
 * before the last exact one, nor need be: what that has ended does not come here.
 */
static bool proves_below(const struct stats_plan *plan, uint64_t failures, uint64_t attempts)
{
    return attempts > plan->needed[STATS_LOOKS - 1] &&
           stats_at_most(failures, attempts, plan->below) <= plan->spare * share_of(failures) * SAFE;
}

/* Within the attempts in which fewer would have been too many, these are. */
static bool proves_not_below(const struct stats_plan *plan, uint64_t failures, uint64_t attempts)
{
    return attempts <= plan->too_many[STATS_LOOKS - 1] ||
           stats_at_least(failures, attempts, plan->below) <=
               stats_error(plan->confidence) * share_of(failures) * SAFE;
}

/* A plan in which nothing is reckoned. */
static bool is_plain(const struct stats_plan *plan)
{
    return plan->spare <= 0;
}

uint64_t stats_needed(const struct stats_plan *plan, uint64_t failures)
{
    uint64_t low, high;

    if (failures < STATS_LOOKS)
        return plan->needed[failures];
    if (plan->needed[STATS_LOOKS - 1] == STATS_NEVER || failures >= STATS_COUNT_MOST)
        return STATS_NEVER;
    if (is_plain(plan))
        return failures + 1;
    low = failures;
    high = STATS_COUNT_MOST;
    if (!proves_below(plan, failures, high))
        return STATS_NEVER;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (proves_below(plan, failures, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* The most attempts in which so many are too many: of more failures than the table has. */
static uint64_t most_attempts(const struct stats_plan *plan, uint64_t failures)
{
    uint64_t low = plan->too_many[STATS_LOOKS - 1], high = STATS_COUNT_MOST;

    while (!is_plain(plan) && low < high) {
        uint64_t middle = low + (high - low + 1) / 2;

        if (proves_not_below(plan, failures, middle))
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

uint64_t stats_too_many(const struct stats_plan *plan, uint64_t failures)
{
    uint64_t attempts = failures < STATS_LOOKS ? plan->too_many[failures] : most_attempts(plan, failures);

    return attempts < failures ? 0 : attempts;
}

enum stats_decision stats_decide(const struct stats_plan *plan, uint64_t failures, uint64_t attempts)
{
    failures = stats_least(failures, attempts);
    if (attempts == 0)
        return STATS_OPEN;
    if (failures < STATS_LOOKS || is_plain(plan)) {
        if (attempts >= stats_needed(plan, failures))
            return STATS_BELOW;
        return attempts <= stats_too_many(plan, failures) ? STATS_NOT_BELOW : STATS_OPEN;
    }
    /* One of the two may be, by the side of the mean that this is on. */
    if ((double)attempts * plan->below > (double)failures)
        return proves_below(plan, failures, attempts) ? STATS_BELOW : STATS_OPEN;
    return proves_not_below(plan, failures, attempts) ? STATS_NOT_BELOW : STATS_OPEN;
}
