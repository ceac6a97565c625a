/*
 * Statistics of things that are rare: exact, no normal approximations. Pure: numbers in, numbers out; no memory, clock or
 * randomness of its own.
 *
 * A rate is a probability between 0 and 1, and a confidence too: 0.95. Counts may be up to 10^9.
 */
#ifndef RM_RUNNER_STATS_H
#define RM_RUNNER_STATS_H

#include <stdbool.h>
#include <stdint.h>

/* ---- one rate ---- */

struct stats_interval {
    double low, high;
};

/*
 * Clopper and Pearson's, two-sided. Without attempts it is all there is, [0, 1]. It holds what it says where the number of
 * attempts does not depend on what comes of them: a count, a time. It does where it is over at the first failure too, or
 * at a count before that.
 */
struct stats_interval stats_interval(uint64_t failures, uint64_t attempts, double confidence);
/*
 * Of a soak that ended when something was proven, or because of what somebody saw of it; and of one that goes on, looked at
 * as often as one likes: that the true rate is ever outside has at most a probability of 1 - confidence. Without failures it
 * is as short as the other, with some about half as long again: the other one misses the rate more than three times as
 * often as it says at the end of a stats_plan.
 *
 * Where a plan has proven a rate to be below another, both intervals may reach a little past that: they answer for two sides.
 */
struct stats_interval stats_interval_at_any_time(uint64_t failures, uint64_t attempts, double confidence);
/* One-sided, as stats_interval: the rate is not above this, or not below it. */
double stats_upper(uint64_t failures, uint64_t attempts, double confidence);
double stats_lower(uint64_t failures, uint64_t attempts, double confidence);
/* P(X <= failures) and P(X >= failures) of so many attempts at this rate; 1 of what is no rate. */
double stats_at_most(uint64_t failures, uint64_t attempts, double rate);
double stats_at_least(uint64_t failures, uint64_t attempts, double rate);

/* ---- is it below a rate? ---- */

#define STATS_LOOKS 128
#define STATS_NEVER UINT64_MAX

/*
 * A sequential test of "below" against "not below", which may be asked after every attempt. It says either wrongly with at
 * most 1 - confidence, whatever the rate is: the rate at which it is worst is `below` itself, where "not below" is true.
 *
 * Without a failure it is proven after as few attempts as if it were asked but once: 998 for 0.3 % and 95 %. That takes
 * nearly all of the error that it may make; what is left is dealt out to the later looks, after 1, 2, 3 ... failures, at
 * attempts fixed by the plan, and their sum is what holds the promise.
 *
 * Attempts of several cases may be told as one sample, if they run in rounds, each in an order of its own: their rate is the mean, and
 * what is said of it is wrong less often still.
 *
 * To make one takes some milliseconds, and it is two kilobytes: one is enough for all cases of a soak. A question to it is a
 * comparison up to STATS_LOOKS failures. Above, stats_decide costs one tail of a distribution, and the two that say a
 * number fifty: whoever shows a number after each attempt keeps it until the next failure.
 */
struct stats_plan {
    double below, confidence;
    double spare; /* of the error, for looks that come after failures */
    uint64_t needed[STATS_LOOKS], too_many[STATS_LOOKS];
};

/* Of what is no rate, or no confidence, one that proves nothing. */
struct stats_plan stats_plan(double below, double confidence);
/* How many attempts prove it when no more than so many fail; the more fail the more. STATS_NEVER: no number does. */
uint64_t stats_needed(const struct stats_plan *plan, uint64_t failures);
/* This many failures prove the contrary when they come within so many attempts; 0: no number of attempts is so small. */
uint64_t stats_too_many(const struct stats_plan *plan, uint64_t failures);
/*
 * What has been decided at some moment so far stays decided: asked in order, after each attempt. Attempts that end together
 * are told one after another.
 */
enum stats_decision {
    STATS_OPEN,
    STATS_BELOW,
    STATS_NOT_BELOW,
};

enum stats_decision stats_decide(const struct stats_plan *plan, uint64_t failures, uint64_t attempts);

/* ---- what carries it? ---- */

/* Fisher's exact test of two rates, against the first being larger: the smaller, the surer. */
double stats_fisher_greater(uint64_t failures, uint64_t attempts, uint64_t other_failures,
                            uint64_t other_attempts);
/*
 * The same over layers, within each of which all else is equal: exact as well, by convolution. A layer that has nothing to say, as
 * one without failures, changes nothing. Past some thousands of failures it is a bound from above (Chernoff's, of
 * Hoeffding's binomials), which may be some times too large but never too small.
 */
struct stats_layer {
    uint64_t failures, attempts, other_failures, other_attempts;
};
double stats_layers_greater(const struct stats_layer *layers, uint32_t count);
/* Holm's correction for having asked `count` questions: each p becomes what it is worth. In count * count steps. */
void stats_holm(double *p, uint32_t count);

/*
 * How surely one of `count` kinds has more of the failures than its share of the attempts explains: a p, for the one that stands
 * out most, `which`, corrected for having looked for it (Bonferroni).
 */
double stats_concentrated(const uint64_t *failures, const uint64_t *attempts, uint32_t count,
                          uint32_t *which);

#endif
