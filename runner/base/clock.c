#include "runner/base/clock.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <time.h>

#define NS_PER_DAY (24 * 60 * 60 * NS_PER_S)
#define SPAN_MOST  (3653 * NS_PER_DAY)

/* Longest first: the order in which they may follow one another. */
static const struct unit {
    const char *name;
    nanos span;
} units[] = {
    {"d", NS_PER_DAY}, {"h", 60 * 60 * NS_PER_S}, {"m", 60 * NS_PER_S}, {"s", NS_PER_S}, {"ms", NS_PER_MS},
};

static nanos read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

nanos clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

nanos clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

struct timespec clock_wall_at(nanos moment)
{
    nanos wall = clock_wall() + (moment - clock_now());

    return (struct timespec){wall / NS_PER_S, wall % NS_PER_S};
}

/* ---- spans as text ---- */

/* Digits before and after the point. */
struct number {
    struct str whole, part;
};

static struct str take_while(struct str *text, char first, char last)
{
    struct str taken = {text->ptr, 0};

    while (taken.len < text->len && text->ptr[taken.len] >= first && text->ptr[taken.len] <= last)
        taken.len++;
    *text = str_slice(*text, taken.len, text->len);
    return taken;
}

static bool take_number(struct str *text, struct number *number)
{
    number->whole = take_while(text, '0', '9');
    number->part = str_slice(*text, 0, 0);
    if (!number->whole.len)
        return false;
    if (!str_starts(*text, "."))
        return true;
    *text = str_slice(*text, 1, text->len);
    number->part = take_while(text, '0', '9');
    return number->part.len > 0;
}

/* `least` is the first unit that may come now. A number without one is seconds, if it is all there is. */
static const struct unit *take_unit(struct str *text, size_t least)
{
    struct str name = take_while(text, 'a', 'z');

    if (!name.len && least == 0 && !text->len)
        name = str_of("s");
    for (size_t i = least; i < ARRAY_LEN(units); i++)
        if (str_is(name, units[i].name))
            return &units[i];
    return NULL;
}

static bool add_number(struct number number, nanos unit, nanos *span)
{
    nanos whole = 0, step = unit;

    for (size_t i = 0; i < number.whole.len; i++) {
        whole = whole * 10 + (number.whole.ptr[i] - '0');
        if (whole > SPAN_MOST / unit)
            return false;
    }
    *span += whole * unit;
    for (size_t i = 0; i < number.part.len; i++) {
        step /= 10;
        *span += step * (number.part.ptr[i] - '0');
    }
    return *span <= SPAN_MOST;
}

bool span_parse(struct str text, nanos *span)
{
    size_t least = 0;
    nanos sum = 0;

    do {
        struct number number;
        const struct unit *unit;

        if (!take_number(&text, &number))
            return false;
        unit = take_unit(&text, least);
        if (!unit || !add_number(number, unit->span, &sum))
            return false;
        if (number.part.len && text.len)
            return false; /* 1.5h30m: a fraction is the end of it */
        least = (size_t)(unit - units) + 1;
    } while (text.len);
    *span = sum;
    return true;
}

static void format_seconds(struct buf *out, nanos ms)
{
    buf_addf(out, "%lld", (long long)(ms / 1000));
    if (ms % 1000) {
        buf_addf(out, ".%03lld", (long long)(ms % 1000));
        while (out->ptr[out->len - 1] == '0')
            out->ptr[--out->len] = '\0';
    }
    buf_addc(out, 's');
}

void span_format(struct buf *out, nanos span)
{
    nanos ms = (llabs(span) + NS_PER_MS / 2) / NS_PER_MS, rest = ms;

    if (span < 0 && ms)
        buf_addc(out, '-');
    if (ms > 0 && ms < 1000) {
        buf_addf(out, "%lldms", (long long)ms);
        return;
    }
    for (const struct unit *unit = units; unit->span > NS_PER_S; unit++) {
        nanos unit_ms = unit->span / NS_PER_MS;

        if (rest >= unit_ms)
            buf_addf(out, "%lld%s", (long long)(rest / unit_ms), unit->name);
        rest %= unit_ms;
    }
    if (rest || !ms)
        format_seconds(out, rest);
}
