/*
 * Two rates that are one: given how many fail in all, how many of them are of the first is as if they were drawn from an
 * urn. That needs no rate to be known, and holds exactly, for the smallest counts too.
 */
#include "runner/stats/internal.h"

#include <math.h>

#define DRAWS_MOST 10000000 /* terms of one sum: of a billion attempts they are some hundred thousand */
#define SUM_MOST   4096     /* values that a sum over layers may have, to be had exactly */

/* How many of the marked ones are drawn: from the fewest to the most that there can be. */
struct urn {
    uint64_t all, marked, drawn, low, high;
};

static struct urn urn_of(uint64_t failures, uint64_t attempts, uint64_t other_failures,
                         uint64_t other_attempts)
{
    struct urn urn;

    attempts = stats_least(attempts, STATS_COUNT_MOST);
    other_attempts = stats_least(other_attempts, STATS_COUNT_MOST);
    urn.all = attempts + other_attempts;
    urn.marked = stats_least(failures, attempts) + stats_least(other_failures, other_attempts);
    urn.drawn = attempts;
    urn.low = urn.marked > other_attempts ? urn.marked - other_attempts : 0;
    urn.high = stats_least(urn.marked, urn.drawn);
    return urn;
}

/* P(X = k + 1) / P(X = k) */
static long double rising(const struct urn *urn, uint64_t k)
{
    return (long double)(urn->marked - k) / (long double)(k + 1) * (long double)(urn->drawn - k) /
           (long double)(urn->all - urn->marked - urn->drawn + k + 1);
}

/* P(X >= k), k being past the mean, where each term is less than the one before. */
static long double sum_up(const struct urn *urn, uint64_t k)
{
    long double term = stats_drawn(k, urn->marked, urn->all, urn->drawn), sum = term, ratio;

    for (uint32_t i = 0; i < DRAWS_MOST && k < urn->high; i++) {
        ratio = rising(urn, k++);
        term *= ratio;
        sum += term;
        if (term < sum * 1e-20L)
            return sum;
    }
    /* What is left falls at least as fast as now. */
    if (k < urn->high && (ratio = rising(urn, k)) < 1)
        sum += term * ratio / (1 - ratio);
    return sum;
}

/* The urn as those who were not drawn see it. */
static struct urn other_side(const struct urn *urn)
{
    return (struct urn){urn->all, urn->marked, urn->all - urn->drawn, urn->marked - urn->high,
                        urn->marked - urn->low};
}

double stats_fisher_greater(uint64_t failures, uint64_t attempts, uint64_t other_failures,
                            uint64_t other_attempts)
{
    struct urn urn = urn_of(failures, attempts, other_failures, other_attempts), other;
    uint64_t k = stats_least(failures, attempts);

    if (k <= urn.low)
        return 1;
    if ((long double)k * (long double)urn.all >= (long double)urn.drawn * (long double)urn.marked)
        return (double)sum_up(&urn, k);
    other = other_side(&urn);
    return (double)(1 - sum_up(&other, urn.marked - k + 1));
}

/* ---- layers ---- */

/* What may come of all layers together. */
struct sum {
    uint64_t low, high, seen; /* the fewest, the most */
};

static struct urn layer_urn(const struct stats_layer *layer)
{
    return urn_of(layer->failures, layer->attempts, layer->other_failures, layer->other_attempts);
}

static struct sum sum_of(const struct stats_layer *layers, uint32_t count)
{
    struct sum sum = {0};

    for (uint32_t i = 0; i < count; i++) {
        struct urn urn = layer_urn(&layers[i]);

        sum.low += urn.low;
        sum.high += urn.high;
        sum.seen += stats_least(layers[i].failures, urn.drawn);
    }
    return sum;
}

/* Adds one more to what has been: `at[i]` is the probability of i over the fewest. */
static uint32_t add_layer(double at[SUM_MOST + 1], uint32_t size, const struct urn *urn)
{
    double own[SUM_MOST + 1];
    uint32_t more = (uint32_t)(urn->high - urn->low);

    for (uint32_t i = 0; i <= more; i++)
        own[i] = (double)stats_drawn(urn->low + i, urn->marked, urn->all, urn->drawn);
    for (uint32_t to = size + more + 1; to-- > 0;) {
        double sum = 0;

        for (uint32_t of = to > size ? to - size : 0; of <= more && of <= to; of++)
            sum += own[of] * at[to - of];
        at[to] = sum;
    }
    return size + more;
}

static double exact_layers(const struct stats_layer *layers, uint32_t count, const struct sum *sum)
{
    double at[SUM_MOST + 1] = {1}, tail = 0;
    uint32_t size = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct urn urn = layer_urn(&layers[i]);

        if (urn.high > urn.low)
            size = add_layer(at, size, &urn);
    }
    for (uint32_t i = size + 1; i-- > (uint32_t)(sum->seen - sum->low);)
        tail += at[i];
    return tail < 1 ? tail : 1;
}

/* ln E e^(tilt X), X binomial. */
static long double tilted(uint64_t n, long double rate, long double tilt)
{
    return (long double)n * log1pl(rate * expm1l(tilt));
}

/*
 * An urn spreads less than a binomial distribution does, whichever of the four one makes of it: of those drawn, of the marked, or of
 * the rest of either (Hoeffding, 1963). So each is a bound, and the least of them too.
 */
static long double tilted_urn(const struct urn *urn, long double tilt)
{
    long double marked = (long double)urn->marked / (long double)urn->all;
    long double drawn = (long double)urn->drawn / (long double)urn->all;

    return fminl(fminl(tilted(urn->drawn, marked, tilt), tilted(urn->marked, drawn, tilt)),
                 fminl(tilted(urn->all - urn->drawn, marked, -tilt) + tilt * (long double)urn->marked,
                       tilted(urn->all - urn->marked, drawn, -tilt) + tilt * (long double)urn->drawn));
}

/* ln of a bound of P(sum >= seen), Chernoff's: it is one whatever the tilt. */
static long double bound_at(const struct stats_layer *layers, uint32_t count, const struct sum *sum,
                            long double tilt)
{
    long double bound = -tilt * (long double)sum->seen;

    for (uint32_t i = 0; i < count; i++) {
        struct urn urn = layer_urn(&layers[i]);

        if (urn.high > urn.low)
            bound += tilted_urn(&urn, tilt);
        else
            bound += tilt * (long double)urn.low;
    }
    return bound;
}

/*
 * The best tilt is looked for by thirds, from none, where the bound is 1. One of 40 makes odds 10^17 times as large, which is
 * more than there is to be told; and beside the best one the bound is hardly worse.
 */
static double bounded_layers(const struct stats_layer *layers, uint32_t count, const struct sum *sum)
{
    long double low = 0, high = 40;

    for (int i = 0; i < 30; i++) {
        long double left = (2 * low + high) / 3, right = (low + 2 * high) / 3;

        if (bound_at(layers, count, sum, left) < bound_at(layers, count, sum, right))
            high = right;
        else
            low = left;
    }
    return (double)fminl(1, expl(bound_at(layers, count, sum, low)));
}

double stats_layers_greater(const struct stats_layer *layers, uint32_t count)
{
    struct sum sum = sum_of(layers, count);

    if (sum.seen <= sum.low)
        return 1;
    if (sum.high - sum.low > SUM_MOST)
        return bounded_layers(layers, count, &sum);
    return exact_layers(layers, count, &sum);
}

/* ---- many questions ---- */

static double as_p(double p)
{
    return p <= 0 ? 0 : p <= 1 ? p : 1;
}

/* Those that are done are marked by their sign, which 0 has as well. */
void stats_holm(double *p, uint32_t count)
{
    double worth = 0;

    for (uint32_t i = 0; i < count; i++)
        p[i] = as_p(p[i]);
    for (uint32_t left = count; left > 0; left--) {
        uint32_t least = count;

        for (uint32_t i = 0; i < count; i++)
            if (!signbit(p[i]) && (least == count || p[i] < p[least]))
                least = i;
        worth = fmax(worth, fmin(1, p[least] * left));
        p[least] = -worth;
    }
    for (uint32_t i = 0; i < count; i++)
        p[i] = -p[i];
}

double stats_concentrated(const uint64_t *failures, const uint64_t *attempts, uint32_t count, uint32_t *which)
{
    uint64_t all = 0, failed = 0;
    double least = 2;
    uint32_t kinds = 0;

    *which = 0;
    for (uint32_t i = 0; i < count; i++) {
        all += attempts[i];
        failed += stats_least(failures[i], attempts[i]);
        kinds += attempts[i] > 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t own = stats_least(failures[i], attempts[i]);
        double p = stats_fisher_greater(own, attempts[i], failed - own, all - attempts[i]);

        if (p > least || (p == least && failures[i] <= failures[*which]))
            continue;
        least = p;
        *which = i;
    }
    return kinds > 0 ? fmin(1, least * kinds) : 1;
}
