/*
 * Chance that is the same each time, and soaks followed along all their paths at once: what may come of a rate is reckoned,
 * attempt by attempt, not drawn.
 */
#ifndef RM_TESTS_STATS_STAGE_H
#define RM_TESTS_STATS_STAGE_H

#include "runner/base/mem.h"
#include "runner/stats/stats.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* ---- chance ---- */

/* SplitMix64: any seed is as good as any other. */
struct chance {
    uint64_t state;
};

static inline uint64_t chance_next(struct chance *chance)
{
    uint64_t mixed = chance->state += UINT64_C(0x9E3779B97F4A7C15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

/* From 0 up to 1, which it never is. */
static inline double chance_share(struct chance *chance)
{
    return (double)(chance_next(chance) >> 11) * 0x1p-53;
}

static inline bool chance_strikes(struct chance *chance, double rate)
{
    return chance_share(chance) < rate;
}

/* A number below `limit`. */
static inline uint64_t chance_below(struct chance *chance, uint64_t limit)
{
    return (uint64_t)(chance_share(chance) * (double)limit);
}

/* ---- all paths ---- */

#define PATHS_FAILURES 512

/*
 * Soaks of a rate that go on until `over` says so of one, after each attempt, or after so many of them: what it is told with a
 * weight, that of all paths that are over just then. Those with more failures than there is room for are told as if they went on,
 * to the end, with as many as there is room for.
 */
static inline void each_path(double rate, uint64_t attempts,
                             bool (*over)(void *user, uint64_t failures, uint64_t attempts),
                             void (*told)(void *user, uint64_t failures, uint64_t attempts, double weight),
                             void *user)
{
    double *at = mem_alloc(PATHS_FAILURES * sizeof *at), full = 0;
    uint64_t most = 0; /* failures that any of them has */

    for (uint64_t i = 0; i < PATHS_FAILURES; i++)
        at[i] = i == 0;
    for (uint64_t n = 1; n <= attempts; n++) {
        if (most + 1 < PATHS_FAILURES)
            most++;
        else
            full += at[most] * rate;
        for (uint64_t k = most; k > 0; k--)
            at[k] = at[k] * (1 - rate) + at[k - 1] * rate;
        at[0] *= 1 - rate;
        for (uint64_t k = 0; k <= most; k++)
            if (at[k] > 0 && over(user, k, n)) {
                told(user, k, n, at[k]);
                at[k] = 0;
            }
        while (most > 0 && at[most] < 1e-30)
            at[most--] = 0;
    }
    for (uint64_t k = 0; k <= most; k++)
        if (at[k] > 0)
            told(user, k, attempts, at[k]);
    if (full > 0)
        told(user, PATHS_FAILURES, attempts, full);
    free(at);
}

#endif
