#include "matrix/schema/internal.h"

#include "runner/base/decimal.h"

#include <signal.h>
#include <string.h>

#define FRACTION_MOST       6  /* digits after the point of a size */
#define PERCENT_DIGITS_MOST 20 /* and of a percentage */

/* ---- reading from the left ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct str take_digits(struct str *rest)
{
    struct str digits = {rest->ptr, 0};

    while (digits.len < rest->len && is_digit(rest->ptr[digits.len]))
        digits.len++;
    *rest = str_slice(*rest, digits.len, rest->len);
    return digits;
}

static bool take_char(struct str *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = str_slice(*rest, 1, rest->len);
    return true;
}

/* Up to the next blank, and the blanks after it. */
static struct str take_word(struct str *rest)
{
    struct str word = {rest->ptr, 0};

    while (word.len < rest->len && rest->ptr[word.len] != ' ')
        word.len++;
    *rest = str_slice(*rest, word.len, rest->len);
    while (take_char(rest, ' '))
        ;
    return word;
}

/* At most nine digits, so that no sum of ours can overflow. */
static bool small_number(struct str digits, int *number)
{
    if (digits.len == 0 || digits.len > 9)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits.len; i++)
        *number = *number * 10 + (digits.ptr[i] - '0');
    return true;
}

/* "12" or "12.5": the digits before and after the point. */
static bool take_decimal(struct str *rest, struct str *whole, struct str *fraction)
{
    *whole = take_digits(rest);
    *fraction = (struct str){"", 0};
    if (whole->len == 0)
        return false;
    if (!take_char(rest, '.'))
        return true;
    *fraction = take_digits(rest);
    return fraction->len > 0;
}

/* ---- sizes ---- */

static bool unit_scale(struct str unit, uint64_t *scale)
{
    static const char letters[] = "kmgt";
    const char *letter = unit.len ? strchr(letters, unit.ptr[0] | 0x20) : NULL;
    struct str tail;
    uint64_t base;

    *scale = 1;
    if (str_eq_nocase(unit, str_of("b")) || unit.len == 0)
        return true;
    if (!letter)
        return false;
    tail = str_slice(unit, 1, unit.len);
    base = str_eq_nocase(tail, str_of("b")) ? 1000 : 1024;
    if (tail.len && base == 1024 && !str_eq_nocase(tail, str_of("ib")))
        return false;
    for (const char *l = letters; l <= letter; l++)
        *scale *= base;
    return true;
}

/* Six digits of a million millions: the product stays below 2^60, and 1.1GB is exactly 1100000000. */
static uint64_t scaled_fraction(struct str fraction, uint64_t scale)
{
    uint64_t parts = 0, of = 1;

    for (size_t i = 0; i < fraction.len; i++) {
        parts = parts * 10 + (uint64_t)(fraction.ptr[i] - '0');
        of *= 10;
    }
    return scale * parts / of;
}

bool schema_size(struct str text, uint64_t *bytes)
{
    struct str whole, fraction;
    uint64_t scale, sum = 0;

    if (!take_decimal(&text, &whole, &fraction) || !unit_scale(text, &scale))
        return false;
    if (fraction.len > FRACTION_MOST || (fraction.len && scale == 1))
        return false;
    for (size_t i = 0; i < whole.len; i++)
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(whole.ptr[i] - '0'), &sum))
            return false;
    if (__builtin_mul_overflow(sum, scale, &sum) ||
        __builtin_add_overflow(sum, scaled_fraction(fraction, scale), &sum) || sum > INT64_MAX)
        return false;
    *bytes = sum;
    return true;
}

/* ---- percents ---- */

bool schema_percent(struct str text, double *fraction)
{
    struct str whole, digits, number = text;
    char copy[3 + 1 + PERCENT_DIGITS_MOST + sizeof "e-2"];

    if (!take_decimal(&text, &whole, &digits) || !str_is(text, "%"))
        return false;
    if (whole.len > 3 || digits.len > PERCENT_DIGITS_MOST)
        return false;
    number.len -= 1;
    memcpy(copy, number.ptr, number.len);
    memcpy(copy + number.len, "e-2", sizeof "e-2"); /* divided by 100 it would be rounded twice */
    *fraction = decimal_read(copy);
    return *fraction <= 1;
}

/* ---- steps of a ladder ---- */

static bool signal_of(struct str word, int *signal)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {
#define X(name) {#name, SIG##name},
        LADDER_SIGNALS(X)
#undef X
    };

    if (str_starts(word, "SIG"))
        word = str_slice(word, 3, word.len);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        if (str_is(word, signals[i].name)) {
            *signal = signals[i].number;
            return true;
        }
    return false;
}

static bool target_of(struct str word, enum ladder_target *target)
{
    for (size_t i = 0; i < LADDER_TARGET_COUNT; i++)
        if (str_is(word, ladder_target_words[i])) {
            *target = (enum ladder_target)i;
            return true;
        }
    return false;
}

bool schema_ladder_step(struct str text, struct ladder_step *step)
{
    struct str word = take_word(&text);

    *step = (struct ladder_step){.wait = -1};
    if (!signal_of(word, &step->signal))
        return false;
    step->target = step->signal == SIGKILL ? LADDER_TREE : LADDER_GROUP;
    word = take_word(&text);
    if (target_of(word, &step->target))
        word = take_word(&text);
    return text.len == 0 && (word.len == 0 || span_parse(word, &step->wait));
}

/* ---- versions ---- */

#define VERSION_PARTS 3

/* "0.1" is 0.1.0. What follows the numbers ("-dev") is left in `text`. */
static bool take_version(struct str *text, int parts[VERSION_PARTS])
{
    for (int i = 0; i < VERSION_PARTS; i++)
        parts[i] = 0;
    for (int i = 0; i < VERSION_PARTS; i++)
        if (!small_number(take_digits(text), &parts[i]))
            return false;
        else if (i + 1 < VERSION_PARTS && !take_char(text, '.'))
            break;
    return true;
}

static int compare_versions(const int a[VERSION_PARTS], const int b[VERSION_PARTS])
{
    for (int i = 0; i < VERSION_PARTS; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

/* Which orders an operator lets through; the longer operators stand before those they begin with. */
static const struct {
    const char *text;
    bool less, equal, greater;
} operators[] = {
    {">=", false, true, true}, {"<=", true, true, false}, {"==", false, true, false},
    {"!=", true, false, true}, {">", false, false, true}, {"<", true, false, false},
    {"=", false, true, false},
};

static bool term_holds(struct str term, const int version[VERSION_PARTS], bool *valid)
{
    int wanted[VERSION_PARTS], order;

    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (!str_starts(term, operators[i].text))
            continue;
        term = str_trim(str_slice(term, strlen(operators[i].text), term.len));
        *valid &= take_version(&term, wanted) && term.len == 0;
        order = *valid ? compare_versions(version, wanted) : 0;
        return order < 0 ? operators[i].less : order > 0 ? operators[i].greater : operators[i].equal;
    }
    *valid = false;
    return false;
}

bool schema_constraint_holds(struct str constraint, struct str version, bool *valid)
{
    int own[VERSION_PARTS];
    size_t comma;
    bool holds = true;

    *valid = take_version(&version, own);
    while (str_find(constraint, ",", &comma)) {
        holds &= term_holds(str_trim(str_slice(constraint, 0, comma)), own, valid);
        constraint = str_slice(constraint, comma + 1, constraint.len);
    }
    holds &= term_holds(str_trim(constraint), own, valid);
    return holds && *valid;
}
