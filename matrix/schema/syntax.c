/* The forms of scalars: for each the check and, beside it, the pattern that says the same in JSON Schema. */
#include "matrix/schema/internal.h"

#include "runner/base/date.h"
#include "runner/base/sig.h"

#include <ctype.h>
#include <string.h>

static bool has_byte(struct str text, unsigned char byte)
{
    return text.len && memchr(text.ptr, byte, text.len);
}

static bool is_text(struct str text)
{
    return !has_byte(text, 0);
}

static bool is_string(struct str text)
{
    return text.len && is_text(text);
}

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return true;
    return false;
}

/* "::" parts the components of an id, so there is something on both sides of each. */
static bool is_name(struct str text)
{
    size_t at;

    if (text.len == 0 || has_control(text) || text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ')
        return false;
    return !str_starts(text, "::") && !str_ends(text, "::") && !str_find(text, "::::", &at);
}

/* The letters of pytest's -m, less the words it keeps for itself. */
static bool is_word(struct str text)
{
    if (text.len == 0 || str_is(text, "and") || str_is(text, "or") || str_is(text, "not"))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c < 0x80 && !isalnum(c) && (c == 0 || !strchr("_:+./-", c)))
            return false;
    }
    return true;
}

static bool is_variable(struct str text)
{
    return is_string(text) && !has_byte(text, '=');
}

static bool is_duration(struct str text)
{
    nanos span;

    return span_parse(text, &span);
}

static bool is_size(struct str text)
{
    uint64_t bytes;

    return schema_size(text, &bytes);
}

static bool is_open_percent(struct str text)
{
    double fraction;

    return schema_percent(text, &fraction) && fraction > 0 && fraction < 1;
}

static bool is_date(struct str text)
{
    int64_t days;

    return date_days(text, &days);
}

static bool is_ladder_step(struct str text)
{
    struct ladder_step step;

    return schema_ladder_step(text, &step);
}

/* In capitals, as everybody writes them. */
static bool is_signal(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (islower((unsigned char)text.ptr[i]))
            return false;
    return signal_find(text) != 0;
}

static bool is_constraint(struct str text)
{
    bool valid;

    schema_constraint_holds(text, (struct str)STR("0"), &valid);
    return valid;
}

#define DECIMAL "[0-9]+(\\.[0-9]+)?"
/* Units from the longest to the shortest, each once, and no fraction but at the end. */
#define SPAN                                                  \
    "(" DECIMAL "|(?=[0-9])(?![0-9a-z]*\\.[0-9]+[a-z]+[0-9])" \
    "(" DECIMAL "d)?(" DECIMAL "h)?(" DECIMAL "m)?(" DECIMAL "s)?(" DECIMAL "ms)?)"
#define TERM "\\s*(>=|<=|==|!=|>|<|=)\\s*[0-9]{1,9}(\\.[0-9]{1,9}){0,2}\\s*"

const struct schema_syntax syntax_text = {
    .valid = is_text, .pattern = "^[^\\u0000]*$", .number = "number", .boolean = true, .free = true};

const struct schema_syntax syntax_string = {
    .valid = is_string, .pattern = "^[^\\u0000]+$", .number = "number", .boolean = true, .free = true};

const struct schema_syntax syntax_name = {
    .valid = is_name,
    .pattern = "^(?! |::)(?!.*( |::)$)(?!.*::::)[^\\u0000-\\u001f\\u007f]+$",
    .number = "number",
    .boolean = true,
    .free = true,
};

const struct schema_syntax syntax_word = {
    .valid = is_word, .pattern = "^(?!(and|or|not)$)([A-Za-z0-9_:+./-]|[^\\u0000-\\u007f])+$"};

const struct schema_syntax syntax_binding = {.valid = is_string, .pattern = "^[^\\u0000]+$", .free = true};

/* An expression may well hold a '=': it is let in beside this form or not at all. */
const struct schema_syntax syntax_variable = {.valid = is_variable,
                                              .pattern = "^(?![\\s\\S]*\\$\\{\\{)[^=\\u0000]+$"};

const struct schema_syntax syntax_duration = {
    .valid = is_duration, .pattern = "^" SPAN "$", .number = "number"};

const struct schema_syntax syntax_size = {
    .valid = is_size,
    .pattern = "^([0-9]+[bB]?|[0-9]+(\\.[0-9]{1,6})?[kKmMgGtT]([iI]?[bB])?)$",
    .number = "integer",
};

const struct schema_syntax syntax_percent = {.valid = is_open_percent,
                                             .pattern = "^(?!0+(\\.0+)?%$)0?[0-9]{1,2}(\\.[0-9]{1,20})?%$"};

const struct schema_syntax syntax_date = {.valid = is_date,
                                          .pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"};

const struct schema_syntax syntax_ladder_step = {
    .valid = is_ladder_step,
    .pattern = "^(SIG)?(HUP|INT|QUIT|ABRT|KILL|USR1|USR2|ALRM|TERM|CONT|PWR|WINCH)( +(group|leader|tree))?"
               "( +" SPAN ")? *$",
};

const struct schema_syntax syntax_signal = {
    .valid = is_signal,
    .pattern =
        "^(SIG)?(HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|CHLD|CONT|"
        "STOP|TSTP|TTIN|TTOU|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|PWR|SYS|"
        "RTMIN(\\+([1-9]|[12][0-9]|30))?)$",
};

const struct schema_syntax syntax_constraint = {.valid = is_constraint, .pattern = "^" TERM "(," TERM ")*$"};
