/* test[::sub][/param=value,…][@axis=value,…], shortened and with globs, or re:/PATTERN/. */
#include "runner/base/id.h"
#include "matrix/select/internal.h"
#include "runner/base/buf.h"

#include <string.h>

#define REGEX_PREFIX "re:/"

/* ---- parsing ---- */

static bool regex_flags(const struct select_text *in, size_t from, unsigned *flags)
{
    for (size_t i = from; i < in->text.len; i++) {
        if (in->text.ptr[i] != 'i') {
            select_error(in, i, "after the last '/' of a regular expression only the flag 'i' may stand");
            return false;
        }
        *flags |= PATTERN_NOCASE;
    }
    return true;
}

static bool parse_regex(const struct select_text *in, struct id_pattern *id)
{
    size_t from = strlen(REGEX_PREFIX);
    const char *slash = memrchr(in->text.ptr + from, '/', in->text.len - from);
    unsigned flags = 0;
    size_t to;

    if (!slash) {
        select_error(in, in->text.len, "expected '/' to end the regular expression, as in re:/PATTERN/");
        return false;
    }
    to = (size_t)(slash - in->text.ptr);
    if (!regex_flags(in, to + 1, &flags))
        return false;
    id->regex = select_pattern(in, from, str_slice(in->text, from, to), flags);
    return id->regex != NULL;
}

/* The first '@' with an axis= behind it. Other ones are part of a name: "pkg@2/smoke@os=linux". */
static size_t find_cell(struct str text)
{
    size_t at = text.len;

    for (size_t i = 0; i < text.len; i = glob_element(text, i)) {
        if (text.ptr[i] == '@')
            at = i;
        else if (text.ptr[i] == '=' && at < text.len)
            return at;
    }
    return text.len;
}

/* The last '/' before the first '='; where the cell begins when there is none. */
static size_t find_params(struct str text, size_t cell)
{
    size_t slash = cell;

    for (size_t i = 0; i < cell; i = glob_element(text, i)) {
        if (text.ptr[i] == '/')
            slash = i;
        else if (text.ptr[i] == '=')
            return slash;
    }
    return cell;
}

static struct choice *choice_with_rest(struct arena *arena, const struct choice *choice)
{
    const char *rest = str_ends(choice->text, "::") || str_ends(choice->text, "/") ? "*" : "::*";
    struct choice *longer = ARENA_NEW(arena, struct choice);
    struct buf text = {0};

    buf_addstr(&text, choice->text);
    buf_adds(&text, rest);
    *longer = (struct choice){.glob = true, .text = arena_str(arena, buf_str(&text))};
    buf_release(&text);
    return longer;
}

/* Any name may be a shortened one: test_is_under sees to those without a glob. */
static struct choice *parse_test(struct arena *arena, struct str raw)
{
    struct choice *first = raw.len ? choices_parse(arena, raw) : NULL;

    for (struct choice *choice = first, *next; choice; choice = next) {
        next = choice->next;
        if (choice->glob) {
            choice->next = choice_with_rest(arena, choice);
            choice->next->next = next;
        }
    }
    return first;
}

bool id_pattern_parse(const struct select_text *in, struct id_pattern *id)
{
    size_t cell, params;

    if (!in->text.len) {
        select_error(in, 0, "expected an id, as in test::sub/param=value@axis=value");
        return false;
    }
    if (str_starts(in->text, REGEX_PREFIX))
        return parse_regex(in, id);
    cell = find_cell(in->text);
    params = find_params(in->text, cell);
    id->test = parse_test(in->arena, str_slice(in->text, 0, params));
    if (params < cell && !terms_parse(in, params + 1, cell, &id->params))
        return false;
    return cell == in->text.len || terms_parse(in, cell + 1, in->text.len, &id->cell);
}

/* ---- matching ---- */

/* "proto" is above "proto::x", "services/kv/" above all of that folder; neither is above "protocol". */
static bool test_is_under(struct str test, struct str above)
{
    struct str rest;

    if (test.len < above.len || memcmp(test.ptr, above.ptr, above.len) != 0)
        return false;
    rest = str_slice(test, above.len, test.len);
    return !rest.len || str_starts(rest, "::") || str_ends(above, "/") || str_ends(above, "::");
}

static bool test_matches(const struct choice *choice, struct str test)
{
    if (!choice)
        return true;
    for (; choice; choice = choice->next) {
        if (choice->glob ? choice_matches(choice, test) : test_is_under(test, choice->text))
            return true;
    }
    return false;
}

/* Up to where a glob means what it says. */
static struct str plain_beginning(const struct choice *choice)
{
    size_t len = 0;

    while (len < choice->text.len && !(choice->glob && strchr("*?[\\", choice->text.ptr[len])))
        len++;
    return str_slice(choice->text, 0, len);
}

/* One of "<test>::" and what is plain of a name is the beginning of the other. Globs are over text that is not escaped. */
static bool may_be_inside(const struct choice *choice, struct str test)
{
    struct str plain = plain_beginning(choice);
    struct buf above = {0};
    size_t same;
    bool may;

    if (choice->glob)
        id_unescape(&above, test);
    else
        buf_addstr(&above, test);
    buf_adds(&above, "::");
    same = plain.len < above.len ? plain.len : above.len;
    may = memcmp(plain.ptr, above.ptr, same) == 0 && (choice->glob || plain.len > above.len);
    buf_release(&above);
    return may;
}

bool id_pattern_reaches(const struct id_pattern *id, const struct case_view *view)
{
    const struct choice *choice = id->test;

    if (id->regex || !choice)
        return id->regex || ((view->more_inside || terms_match_params(id->params, view->params)) &&
                             terms_match_cell(id->cell, view));
    while (choice && !may_be_inside(choice, view->test))
        choice = choice->next;
    return choice && terms_match_cell(id->cell, view);
}

enum select_answer id_pattern_matches(const struct id_pattern *id, const struct case_view *view)
{
    bool matches;

    if (id->regex)
        return select_search(id->regex, view->id);
    matches = test_matches(id->test, view->test) && terms_match_params(id->params, view->params) &&
              terms_match_cell(id->cell, view);
    return matches ? SELECT_YES : SELECT_NO;
}
