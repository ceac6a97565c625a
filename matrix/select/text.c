#include "matrix/select/internal.h"
#include "runner/base/id.h"
#include "runner/base/utf8.h"

#include <stdarg.h>
#include <string.h>

#define SHOWN_MOST 60 /* bytes of a text that an error repeats */

struct str select_shown(struct str text)
{
    return utf8_cut(text, SHOWN_MOST);
}

void select_error(const struct select_text *in, size_t offset, const char *format, ...)
{
    struct place at = in->at;
    struct buf text = {0};
    uint32_t column = (uint32_t)utf8_count(str_slice(in->text, 0, offset));
    struct str shown = select_shown(in->text);
    va_list args;

    /* On the command line there is no place to print, so the text says where. */
    if (!at.file && in->option)
        buf_addf(&text, "%s ", in->option);
    buf_addf(&text, "'%.*s%s'", STR_ARG(shown), shown.len < in->text.len ? "..." : "");
    if (!at.file)
        buf_addf(&text, ", column %u", column + 1);
    buf_adds(&text, ": ");
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    if (at.col)
        at.col += column;
    diag_error(in->diags, at, "%s", buf_text(&text));
    buf_release(&text);
}

struct pattern *select_pattern(const struct select_text *in, size_t offset, struct str pattern,
                               unsigned flags)
{
    struct pattern_error error;
    struct pattern *compiled = pattern_compile(pattern, flags, &error);
    struct owned_pattern *owned;

    if (!compiled) {
        select_error(in, offset + error.at, "%s", error.text);
        return NULL;
    }
    owned = ARENA_NEW(in->arena, struct owned_pattern);
    *owned = (struct owned_pattern){*in->owned, compiled};
    *in->owned = owned;
    return compiled;
}

/* ---- answers ---- */

enum select_answer select_search(struct pattern *pattern, struct str text)
{
    static const enum select_answer answers[] = {
        [PATTERN_NO] = SELECT_NO,
        [PATTERN_GAVE_UP] = SELECT_GAVE_UP,
        [PATTERN_YES] = SELECT_YES,
    };

    return answers[pattern_search(pattern, text, 0)];
}

enum select_answer select_and(enum select_answer a, enum select_answer b)
{
    return a < b ? a : b;
}

enum select_answer select_or(enum select_answer a, enum select_answer b)
{
    return a > b ? a : b;
}

/* What is not known is not known the other way round either. */
enum select_answer select_not(enum select_answer a)
{
    return a == SELECT_GAVE_UP ? a : a == SELECT_YES ? SELECT_NO : SELECT_YES;
}

/* ---- from what the user wrote to what is compared ---- */

enum form {
    FORM_PLAIN,      /* the text that is meant */
    FORM_GLOB,       /* a glob over plain text */
    FORM_STARS_ONLY, /* the same where '[' is a character like others: "test_get[tcp]" */
};

static void add_quoted(struct buf *out, char c, enum form form)
{
    if (form != FORM_PLAIN && c && strchr("*?[]\\!^-", c))
        buf_addc(out, '\\');
    buf_addc(out, c);
}

/* %2A is a star that is no wildcard: what an escape stands for never has a meaning in a glob. */
static size_t add_escape(struct buf *out, struct str raw, size_t at, enum form form)
{
    struct buf decoded = {0};
    size_t end = raw.len - at < 3 ? raw.len : at + 3;

    id_unescape(&decoded, str_slice(raw, at, end));
    if (decoded.len == 1) {
        add_quoted(out, decoded.ptr[0], form);
    } else {
        buf_addc(out, '%');
        end = at + 1;
    }
    buf_release(&decoded);
    return end;
}

static void add_form(struct buf *out, struct str raw, enum form form)
{
    for (size_t i = 0; i < raw.len;) {
        if (raw.ptr[i] == '%') {
            i = add_escape(out, raw, i, form);
        } else if (raw.ptr[i] == '\\' && i + 1 < raw.len) {
            add_quoted(out, raw.ptr[i + 1], form);
            i += 2;
        } else {
            if (raw.ptr[i] == '[' && form == FORM_STARS_ONLY)
                buf_addc(out, '\\');
            buf_addc(out, raw.ptr[i++]);
        }
    }
}

static bool is_wild(struct str raw, enum form form)
{
    size_t end;

    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] == '*' || raw.ptr[i] == '?')
            return true;
        if (form == FORM_GLOB && glob_class(raw, i, &end))
            return true;
        if (raw.ptr[i] == '\\')
            i++;
    }
    return false;
}

/* Escaped as ids are; `plain` is released. */
static struct str escaped_copy(struct arena *arena, struct buf *plain)
{
    struct buf escaped = {0};
    struct str copy;

    id_escape(&escaped, buf_str(plain));
    copy = arena_str(arena, buf_str(&escaped));
    buf_release(plain);
    buf_release(&escaped);
    return copy;
}

struct str select_canonical(struct arena *arena, struct str raw)
{
    struct buf plain = {0};

    add_form(&plain, raw, FORM_PLAIN);
    return escaped_copy(arena, &plain);
}

static struct choice *choice_make(struct arena *arena, struct str raw, enum form form)
{
    struct choice *choice = ARENA_NEW(arena, struct choice);
    struct buf glob = {0};

    if (is_wild(raw, form)) {
        add_form(&glob, raw, form);
        *choice = (struct choice){.glob = true, .text = arena_str(arena, buf_str(&glob))};
        buf_release(&glob);
    } else {
        *choice = (struct choice){.text = select_canonical(arena, raw)};
    }
    return choice;
}

struct choice *choices_parse(struct arena *arena, struct str raw)
{
    struct choice *choice = choice_make(arena, raw, FORM_GLOB);

    /* Names of other frameworks have brackets, test_get[tcp], and nobody escapes what he copied. */
    if (choice->glob && memchr(raw.ptr, '[', raw.len))
        choice->next = choice_make(arena, raw, FORM_STARS_ONLY);
    return choice;
}

struct choice *choice_verbatim(struct arena *arena, struct str raw)
{
    struct choice *choice = ARENA_NEW(arena, struct choice);
    struct buf plain = {0};

    id_unescape(&plain, raw);
    choice->text = escaped_copy(arena, &plain);
    return choice;
}

bool choice_matches(const struct choice *choice, struct str escaped)
{
    struct buf plain = {0};
    bool matches;

    if (!choice->glob)
        return str_eq(choice->text, escaped);
    if (!escaped.len || !memchr(escaped.ptr, '%', escaped.len))
        return glob_match(choice->text, escaped);
    id_unescape(&plain, escaped);
    matches = glob_match(choice->text, buf_str(&plain));
    buf_release(&plain);
    return matches;
}
