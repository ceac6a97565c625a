/*
 * What the files of this room share. Inside, numbers are `long double`: what is lost between large logarithms that nearly
 * cancel each other is then far below what a double holds.
 */
#ifndef RM_RUNNER_STATS_INTERNAL_H
#define RM_RUNNER_STATS_INTERNAL_H

#include "runner/stats/stats.h"

/* Counts past this are taken for this: up to here they are exact as doubles, and their sums as integers. */
#define STATS_COUNT_MOST (UINT64_C(1) << 53)

/*
 * n KL(k/n || rate): by how much, as a logarithm, a rate explains k of n worse than k/n does. Both it and its complement are handed
 * over, for the one that is near 1 does not say what the other is.
 */
long double stats_worse(uint64_t k, uint64_t n, long double rate, long double complement);
/* P(X = k), and P(X >= k). */
long double stats_exactly(uint64_t k, uint64_t n, long double rate, long double complement);
long double stats_tail(uint64_t k, uint64_t n, long double rate, long double complement);
/* P(X = k) of `drawn` that are drawn out of `all`, of which `marked` are marked. */
long double stats_drawn(uint64_t k, uint64_t marked, uint64_t all, uint64_t drawn);

/* What may go wrong of a confidence; of what is no number, nothing. */
double stats_error(double confidence);

static inline uint64_t stats_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
