/*
 * The binomial distribution and the hypergeometric one. Their single terms are made as Catherine Loader does ("Fast and accurate
 * computation of binomial probabilities", 2000): nothing large is subtracted from something large, so that they are as good
 * for a billion attempts as for ten.
 */
#include "runner/stats/internal.h"

#include <math.h>

#define TWO_PI 6.283185307179586476925286766559005768L

/* ln n! less what Stirling's formula says: sqrt(2 pi n) (n/e)^n. */
static long double stirling_error(uint64_t count)
{
    long double n = (long double)count, square = n * n;
    int sign;

    if (count == 0)
        return 0;
    if (count < 1000) /* small enough for a difference of logarithms */
        return lgammal_r(n + 1, &sign) - (n + 0.5L) * logl(n) + n - logl(TWO_PI) / 2;
    return (1.0L / 12 - (1.0L / 360 - 1.0L / 1260 / square) / square) / n;
}

/* k ln(k/mean) + mean - k, without loss where k is near its mean. */
static long double deviance(long double k, long double mean)
{
    long double nearness = (k - mean) / (k + mean), sum = (k - mean) * nearness, power = 2 * k * nearness;

    if (k == 0)
        return mean;
    if (fabsl(nearness) > 0.1L)
        return k * logl(k / mean) + mean - k;
    for (int i = 3; i < 60; i += 2) { /* of powers of 1/100 */
        power *= nearness * nearness;
        sum += power / i;
    }
    return sum;
}

long double stats_worse(uint64_t k, uint64_t n, long double rate, long double complement)
{
    return deviance((long double)k, (long double)n * rate) +
           deviance((long double)(n - k), (long double)n * complement);
}

long double stats_exactly(uint64_t k, uint64_t n, long double rate, long double complement)
{
    long double size = (long double)n;

    if (k > n)
        return 0;
    if (rate <= 0 || complement <= 0)
        return k == (rate <= 0 ? 0 : n);
    if (k == 0)
        return expl(size * (rate < 0.5L ? log1pl(-rate) : logl(complement)));
    if (k == n)
        return expl(size * (complement < 0.5L ? log1pl(-complement) : logl(rate)));
    return expl(stirling_error(n) - stirling_error(k) - stirling_error(n - k) -
                stats_worse(k, n, rate, complement)) *
           sqrtl(size / (TWO_PI * (long double)k * (long double)(n - k)));
}

/*
 * P(X >= k), for k above the mean: the incomplete beta function I_rate(a, b) as the continued fraction of DiDonato and Morris
 * (TOMS 708), by Lentz's method. All its terms are positive, so that nothing cancels, and it ends by itself after b of
 * them; near the mean some square root of n is enough.
 */
static long double upper_tail(uint64_t k, uint64_t n, long double rate, long double complement)
{
    long double a = (long double)k, b = (long double)(n - k) + 1;
    /* How far above the mean; by the smaller of the two, as the other is too coarse. */
    long double above = rate < complement ? a - (a + b) * rate : (a + b) * complement - b;
    long double value = a / (a + 1) * (above + 1), c = value, d = 0;

    for (uint64_t i = 1; i <= n - k; i++) {
        long double m = (long double)i, step = a + 2 * m - 1, change;
        long double over = (a + m - 1) * (a + b + m - 1) / (step * step) * m * (b - m) * rate * rate;
        long double under =
            m + m * (b - m) * rate / step + (a + m) / (step + 2) * (above + 1 + m * (1 + complement));

        d = 1 / (under + over * d);
        c = under + over / c;
        change = c * d;
        value *= change;
        if (fabsl(change - 1) < 1e-18L)
            break;
    }
    return stats_exactly(k, n, rate, complement) * a * complement / value;
}

long double stats_tail(uint64_t k, uint64_t n, long double rate, long double complement)
{
    if (k == 0)
        return 1;
    if (k > n || rate <= 0)
        return 0;
    if (complement <= 0)
        return 1;
    if ((long double)k >= ((long double)n + 1) * rate)
        return upper_tail(k, n, rate, complement);
    return 1 - upper_tail(n - k + 1, n, complement, rate);
}

/* What asks for a rate that is none gets what cannot be used for a claim. */
static bool is_rate(double rate)
{
    return rate >= 0 && rate <= 1;
}

double stats_at_most(uint64_t failures, uint64_t attempts, double rate)
{
    attempts = stats_least(attempts, STATS_COUNT_MOST);
    if (failures >= attempts || !is_rate(rate))
        return 1;
    return (double)stats_tail(attempts - failures, attempts, 1 - (long double)rate, rate);
}

double stats_at_least(uint64_t failures, uint64_t attempts, double rate)
{
    attempts = stats_least(attempts, STATS_COUNT_MOST);
    if (!is_rate(rate))
        return 1;
    return (double)stats_tail(failures, attempts, rate, 1 - (long double)rate);
}

long double stats_drawn(uint64_t k, uint64_t marked, uint64_t all, uint64_t drawn)
{
    long double rate, complement;

    if (k > marked || k > drawn || drawn - k > all - marked)
        return 0;
    if (drawn == 0 || drawn == all || marked == 0 || marked == all)
        return 1;
    rate = (long double)drawn / (long double)all;
    complement = (long double)(all - drawn) / (long double)all;
    return stats_exactly(k, marked, rate, complement) *
           stats_exactly(drawn - k, all - marked, rate, complement) /
           stats_exactly(drawn, all, rate, complement);
}
