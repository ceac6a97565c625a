/* axis=value,axis=value: the grammar of --cell, of what follows the '@' of an id, and of parameters. */
#include "matrix/select/internal.h"
#include "runner/base/id.h"

#include <string.h>

#define TERMS_MOST     256  /* different names in one text */
#define CONTAINER_MOST 4096 /* bytes of JSON that stand unescaped as a value */

/* ---- spellings ---- */

static const struct {
    struct str value, alias;
} backend_aliases[] = {
    {STR("exec"), STR("trio")},
    {STR("spawn"), STR("mp_spawn")},
    {STR("forkserver"), STR("mp_forkserver")},
};

const char *backend_alias(struct str value)
{
    for (size_t i = 0; i < sizeof backend_aliases / sizeof *backend_aliases; i++) {
        if (str_eq(value, backend_aliases[i].value))
            return backend_aliases[i].alias.ptr;
        if (str_eq(value, backend_aliases[i].alias))
            return backend_aliases[i].value.ptr;
    }
    return NULL;
}

/* ---- parsing ---- */

/* First of the `stops` in [from, to) that is no part of a class or behind a backslash; `to` without one. */
static size_t find_stop(struct str text, size_t from, size_t to, const char *stops)
{
    struct str head = str_slice(text, 0, to);

    while (from < to) {
        size_t next = glob_element(head, from);

        if (next == from + 1 && text.ptr[from] && strchr(stops, text.ptr[from]))
            return from;
        from = next;
    }
    return to;
}

static size_t string_end(struct str text, size_t at, size_t to)
{
    for (at++; at < to && text.ptr[at] != '"'; at++) {
        if (text.ptr[at] == '\\')
            at++;
    }
    return at;
}

/* End of the JSON object or list at `from`; `from` when there is none. */
static size_t container_end(struct str text, size_t from, size_t to)
{
    size_t depth = 0;

    if (to - from > CONTAINER_MOST)
        to = from + CONTAINER_MOST;
    if (from == to || (text.ptr[from] != '{' && text.ptr[from] != '['))
        return from;
    for (size_t i = from; i < to; i++) {
        char c = text.ptr[i];

        if (c == '"')
            i = string_end(text, i, to);
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return i + 1;
    }
    return from;
}

static void append(struct term *term, struct choice *choices)
{
    *term->end = choices;
    while (*term->end)
        term->end = &(*term->end)->next;
}

/* One value up to ',' or '|'. */
static size_t value_parse(const struct select_text *in, struct term *term, size_t from, size_t to)
{
    size_t end = container_end(in->text, from, to);
    bool container = end > from && (end == to || in->text.ptr[end] == ',' || in->text.ptr[end] == '|');

    if (container) {
        append(term, choice_verbatim(in->arena, str_slice(in->text, from, end)));
        if (in->text.ptr[from] == '{')
            return end;
    } else {
        end = find_stop(in->text, from, to, ",|");
    }
    append(term, choices_parse(in->arena, str_slice(in->text, from, end)));
    return end;
}

static struct str plain_copy(struct arena *arena, struct str escaped)
{
    struct buf plain = {0};
    struct str copy;

    id_unescape(&plain, escaped);
    copy = arena_str(arena, buf_str(&plain));
    buf_release(&plain);
    return copy;
}

/* The term of that name, a new one the first time: a name given twice has both values. */
static struct term *term_named(const struct select_text *in, struct term **terms, struct str raw, size_t at)
{
    struct str name = select_canonical(in->arena, str_trim(raw));
    struct term **end = terms, *term;
    size_t count = 0;

    for (; *end; end = &(*end)->next) {
        if (str_eq_nocase((*end)->name, name))
            return *end;
        if (++count == TERMS_MOST) {
            select_error(in, at, "more than %d different names", TERMS_MOST);
            return NULL;
        }
    }
    term = *end = ARENA_NEW(in->arena, struct term);
    term->name = name;
    term->plain_name = plain_copy(in->arena, name);
    term->end = &term->choices;
    return term;
}

static bool term_parse(const struct select_text *in, size_t *at, size_t to, struct term **terms)
{
    size_t equals = find_stop(in->text, *at, to, "=,");
    struct str name = str_slice(in->text, *at, equals);
    struct term *term;

    if (equals == to || in->text.ptr[equals] != '=') {
        select_error(in, *at, "expected axis=value; several values of one axis are written axis=a|b");
        return false;
    }
    if (str_trim(name).len == 0) {
        select_error(in, *at, "expected the name of an axis, found '='");
        return false;
    }
    term = term_named(in, terms, name, *at);
    if (!term)
        return false;
    *at = equals;
    do {
        *at = value_parse(in, term, *at + 1, to);
    } while (*at < to && in->text.ptr[*at] == '|');
    return true;
}

bool terms_parse(const struct select_text *in, size_t from, size_t to, struct term **terms)
{
    size_t at = from;

    for (;;) {
        if (at == to) {
            select_error(in, at, "expected axis=value, found the end");
            return false;
        }
        if (!term_parse(in, &at, to, terms))
            return false;
        if (at == to)
            return true;
        at++;
    }
}

/* ---- matching ---- */

static bool any_choice(const struct choice *choice, struct str value)
{
    for (; choice; choice = choice->next) {
        if (choice_matches(choice, value))
            return true;
    }
    return false;
}

/* A spawn backend is taken by either of its names. */
static bool term_takes_backend(const struct term *term, struct str value)
{
    const char *alias = backend_alias(value);

    return any_choice(term->choices, value) || (alias && any_choice(term->choices, str_of(alias)));
}

/* A key that only other cells have is null here, as in expressions; a star asks for a value. */
static bool term_takes_absence(const struct term *term)
{
    for (const struct choice *choice = term->choices; choice; choice = choice->next) {
        if (!choice->glob && str_is(choice->text, "null"))
            return true;
    }
    return false;
}

static bool term_matches_cell(const struct term *term, const struct case_view *view)
{
    for (uint32_t i = 0; i < view->axis_count; i++) {
        if (!str_eq_nocase(term->name, view->axes[i]))
            continue;
        return str_eq(view->axes[i], view->backend) ? term_takes_backend(term, view->values[i])
                                                    : any_choice(term->choices, view->values[i]);
    }
    return term_takes_absence(term);
}

bool terms_match_cell(const struct term *terms, const struct case_view *view)
{
    for (; terms; terms = terms->next) {
        if (!term_matches_cell(terms, view))
            return false;
    }
    return true;
}

/* The next of "depth=3,mode=x", which ids keep apart by escaping what stands in names and values. */
static bool next_param(struct str *params, struct str *name, struct str *value)
{
    const char *comma, *equals;
    size_t length;

    if (!params->len)
        return false;
    comma = memchr(params->ptr, ',', params->len);
    length = comma ? (size_t)(comma - params->ptr) : params->len;
    equals = memchr(params->ptr, '=', length);
    *name = str_slice(*params, 0, equals ? (size_t)(equals - params->ptr) : length);
    *value = equals ? str_slice(*params, name->len + 1, length) : (struct str){0};
    *params = str_slice(*params, comma ? length + 1 : length, params->len);
    return true;
}

static bool term_matches_params(const struct term *term, struct str params)
{
    struct str name, value;

    while (next_param(&params, &name, &value)) {
        if (str_eq_nocase(term->name, name))
            return any_choice(term->choices, value);
    }
    return false;
}

bool terms_match_params(const struct term *terms, struct str params)
{
    for (; terms; terms = terms->next) {
        if (!term_matches_params(terms, params))
            return false;
    }
    return true;
}
