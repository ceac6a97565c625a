#include "runner/stats/internal.h"

#include <math.h>
#include <string.h>

double stats_error(double confidence)
{
    if (!(confidence < 1))
        return 0;
    return confidence > 0 ? 1 - confidence : 1;
}

struct trial {
    uint64_t failures, attempts;
    double error;
    long double
        worst; /* of rates that are left: how much worse they explain what was seen than failures/attempts does */
};

static struct trial trial_of(uint64_t failures, uint64_t attempts, double error)
{
    attempts = stats_least(attempts, STATS_COUNT_MOST);
    return (struct trial){.failures = stats_least(failures, attempts), .attempts = attempts, .error = error};
}

/*
 * Where an answer changes from no to yes between 0 and 1. Doubles that are not negative stand in the order of their bits, so
 * that there are no more than 62 steps to the last digit, of small rates too, whatever is asked. Returned are the two doubles next to it.
 */
static struct stats_interval turn(bool (*yes)(const struct trial *trial, double rate),
                                  const struct trial *trial)
{
    struct stats_interval between = {0, 1};
    uint64_t low = 0, high;

    memcpy(&high, &between.high, sizeof high);
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        double rate;

        memcpy(&rate, &middle, sizeof rate);
        if (yes(trial, rate))
            high = middle;
        else
            low = middle;
    }
    memcpy(&between.low, &low, sizeof low);
    memcpy(&between.high, &high, sizeof high);
    return between;
}

static bool is_too_high(const struct trial *trial, double rate)
{
    return stats_at_most(trial->failures, trial->attempts, rate) <= trial->error;
}

static bool is_high_enough(const struct trial *trial, double rate)
{
    return stats_at_least(trial->failures, trial->attempts, rate) > trial->error;
}

static double upper(uint64_t failures, uint64_t attempts, double error)
{
    struct trial trial = trial_of(failures, attempts, error);

    if (trial.failures == trial.attempts || error <= 0)
        return 1;
    return error < 1 ? turn(is_too_high, &trial).high : 0;
}

static double lower(uint64_t failures, uint64_t attempts, double error)
{
    struct trial trial = trial_of(failures, attempts, error);

    if (trial.failures == 0 || error <= 0)
        return 0;
    return error < 1 ? turn(is_high_enough, &trial).low : 1;
}

double stats_upper(uint64_t failures, uint64_t attempts, double confidence)
{
    return upper(failures, attempts, stats_error(confidence));
}

double stats_lower(uint64_t failures, uint64_t attempts, double confidence)
{
    return lower(failures, attempts, stats_error(confidence));
}

struct stats_interval stats_interval(uint64_t failures, uint64_t attempts, double confidence)
{
    double side = stats_error(confidence) / 2;

    return (struct stats_interval){lower(failures, attempts, side), upper(failures, attempts, side)};
}

/* ---- at any time ---- */

/*
 * Bets on what comes next are laid against each rate, by somebody who takes rates to be distributed as Beta(1/10, 1): densest
 * near 0, where flakes are. By a rate that is the true one nobody is expected to win, so that what was laid is ever
 * multiplied by 1/error with no more than that probability, however long it goes on (Ville's inequality). Who has lost that
 * much is not among the rates that are left.
 *
 * The shape is chosen: with no failure the interval is as short as Clopper and Pearson's, and with some half as long again.
 */
#define SHAPE 0.1L

/* ln of the likelihood that is expected of rates so distributed, less that of failures/attempts itself. */
static long double expected_likelihood(const struct trial *trial)
{
    long double k = (long double)trial->failures, n = (long double)trial->attempts, best = 0;
    int sign;

    if (trial->failures > 0 && trial->failures < trial->attempts)
        best = k * logl(k / n) + (n - k) * logl((n - k) / n);
    return logl(SHAPE) + lgammal_r(k + SHAPE, &sign) + lgammal_r(n - k + 1, &sign) -
           lgammal_r(n + 1 + SHAPE, &sign) - best;
}

static bool is_left(const struct trial *trial, double rate)
{
    return stats_worse(trial->failures, trial->attempts, rate, 1 - (long double)rate) < trial->worst;
}

static bool is_left_or_low(const struct trial *trial, double rate)
{
    return rate * (double)trial->attempts > (double)trial->failures || is_left(trial, rate);
}

static bool is_gone_above(const struct trial *trial, double rate)
{
    return rate * (double)trial->attempts > (double)trial->failures && !is_left(trial, rate);
}

struct stats_interval stats_interval_at_any_time(uint64_t failures, uint64_t attempts, double confidence)
{
    struct trial trial = trial_of(failures, attempts, stats_error(confidence));
    struct stats_interval interval = {0, 1};

    if (trial.attempts == 0 || trial.error <= 0)
        return interval;
    trial.worst = -logl(trial.error) - expected_likelihood(&trial);
    if (trial.failures > 0)
        interval.low = turn(is_left_or_low, &trial).low;
    if (trial.failures < trial.attempts)
        interval.high = turn(is_gone_above, &trial).high;
    return interval;
}
