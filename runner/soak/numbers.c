/* Numbers as people read them: as many digits as say something. */
#include "runner/soak/internal.h"

#include "runner/base/decimal.h"

#include <math.h>
#include <string.h>

#define DIGITS_MOST 9

void number_add(struct buf *out, uint64_t number)
{
    if (number >= 1000) {
        number_add(out, number / 1000);
        buf_addf(out, ",%03u", (unsigned)(number % 1000));
    } else {
        buf_addf(out, "%u", (unsigned)number);
    }
}

void count_add(struct buf *out, uint64_t number, const char *noun)
{
    number_add(out, number);
    buf_addf(out, " %s%s", noun, number == 1 ? "" : "s");
}

/* Behind the point, for two digits that say something: of what it is, or of what is missing to 100. */
static int digits_of(double percent)
{
    double rest = percent > 50 ? 100 - percent : percent;
    int digits;

    if (!(rest > 0))
        return 0;
    digits = 1 - (int)floor(log10(rest));
    return digits < 0 ? 0 : digits > DIGITS_MOST ? DIGITS_MOST : digits;
}

static void add_decimal(struct buf *out, int digits, double number)
{
    char text[DECIMAL_SIZE];
    size_t len = strlen(decimal_write(text, digits, 'f', number));

    if (memchr(text, '.', len)) {
        while (text[len - 1] == '0')
            len--;
        if (text[len - 1] == '.')
            len--;
    }
    buf_add(out, text, len);
}

void percent_add(struct buf *out, double rate)
{
    add_decimal(out, digits_of(rate * 100), rate * 100);
}

/* What is a hair off a round number is that number. */
#define HAIR 1e-6

void percent_above_add(struct buf *out, double rate)
{
    int digits = digits_of(rate * 100);
    double scale = pow(10, digits);

    add_decimal(out, digits, fmin(100, fabs(ceil(rate * 100 * scale - HAIR)) / scale));
}

void percent_below_add(struct buf *out, double rate)
{
    int digits = digits_of(rate * 100);
    double scale = pow(10, digits);

    add_decimal(out, digits, floor(rate * 100 * scale + HAIR) / scale);
}

void interval_add(struct buf *out, uint64_t failures, uint64_t attempts, struct stats_interval interval)
{
    percent_add(out, attempts ? (double)failures / (double)attempts : 0);
    buf_adds(out, " % [");
    percent_below_add(out, interval.low);
    buf_adds(out, ", ");
    percent_above_add(out, interval.high);
    buf_addc(out, ']');
}

void span_about_add(struct buf *out, nanos span)
{
    static const struct step {
        nanos from, unit; /* from so long a span on, this is fine enough */
    } steps[] = {
        {48 * 3600 * NS_PER_S, 3600 * NS_PER_S},
        {10 * 60 * NS_PER_S, 60 * NS_PER_S},
        {10 * NS_PER_S, NS_PER_S},
        {NS_PER_S, NS_PER_S / 10},
        {0, NS_PER_MS},
    };
    const struct step *step = steps;

    while (step->from && span < step->from)
        step++;
    if (span < INT64_MAX - step->unit)
        span = (span + step->unit / 2) / step->unit * step->unit;
    span_format(out, span);
}

void p_add(struct buf *out, double p)
{
    char text[DECIMAL_SIZE];

    if (p < 0.0001)
        buf_adds(out, "p < 0.0001");
    else
        buf_addf(out, "p = %s", decimal_write(text, p < 0.1 ? 1 : 2, 'g', p));
}
