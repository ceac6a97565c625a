/*
 * How long attempts took, from the bytes of the lines as our own writer makes them, without reading them as JSON: the
 * last few runs are looked through at the start of each. Lines that look otherwise are passed over.
 */
#include "runner/base/mem.h"
#include "runner/journal/internal.h"

#include <stdlib.h>
#include <string.h>

#define RUN_BEGIN   "{\"ev\":\"run\","
#define OF_SOAK     ",\"soak\":true" /* no text can hold it: its quotes would be escaped */
#define CASES_FROM  "{\"ev\":\"cases\",\"from\":"
#define CASES_BEGIN ",\"cases\":["
#define CASE_ID     "{\"id\":\""

struct scan {
    struct str rest;  /* of the line */
    struct arena ids; /* the texts; lines do not stay */
    struct str *list;
    uint32_t count, cap;
};

static bool take(struct str *rest, const char *literal, size_t len)
{
    if (rest->len < len || memcmp(rest->ptr, literal, len) != 0)
        return false;
    *rest = (struct str){rest->ptr + len, rest->len - len};
    return true;
}

#define TAKE(rest, literal) take((rest), (literal), sizeof(literal) - 1)

static bool take_number(struct str *rest, int64_t *number)
{
    size_t at = 0;

    *number = 0;
    for (; at < rest->len && rest->ptr[at] >= '0' && rest->ptr[at] <= '9'; at++) {
        if (*number > INT64_MAX / 10 - 1)
            return false;
        *number = *number * 10 + (rest->ptr[at] - '0');
    }
    *rest = str_slice(*rest, at, rest->len);
    return at > 0;
}

/* Up to a quote; false where there is an escape before it, or none. */
static bool take_plain_text(struct str *rest, struct str *text)
{
    const char *quote = memchr(rest->ptr, '"', rest->len);

    if (!quote)
        return false;
    *text = (struct str){rest->ptr, (size_t)(quote - rest->ptr)};
    *rest = str_slice(*rest, text->len, rest->len);
    return !memchr(text->ptr, '\\', text->len);
}

/* ---- cases ---- */

/* To behind the bracket that closes the object we are in. */
static bool skip_object(struct str *rest)
{
    bool quoted = false;
    int depth = 1;

    for (size_t at = 0; at < rest->len; at++) {
        char c = rest->ptr[at];

        if (c == '\\')
            at++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}' && --depth == 0) {
            *rest = str_slice(*rest, at + 1, rest->len);
            return true;
        }
    }
    return false;
}

static void scan_cases(struct scan *scan)
{
    struct str *rest = &scan->rest, id;
    int64_t from;

    if (!take_number(rest, &from) || from != scan->count || !TAKE(rest, CASES_BEGIN))
        return; /* told before, or a line is missing: then the numbers are not known */
    while (TAKE(rest, CASE_ID)) {
        struct str object = {rest->ptr - 1, rest->len + 1}; /* from the quote on */
        bool plain = take_plain_text(rest, &id);

        GROW(scan->list, scan->count, scan->cap);
        scan->list[scan->count++] = plain ? arena_str(&scan->ids, id) : str_of("");
        if (!skip_object(&object) || !TAKE(&object, ","))
            return;
        *rest = object;
    }
}

/* ---- attempts ---- */

/* Did it come to its end by itself? What we ended says how long we waited. */
static bool is_own_end(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PASSED:
    case VERDICT_XPASSED:
    case VERDICT_XPASSED_STRICT:
    case VERDICT_XFAILED:
    case VERDICT_FAILED:
    case VERDICT_CRASHED:
    case VERDICT_LEAKED: return true;
    default: return false;
    }
}

static void scan_end(struct scan *scan, journal_duration *each, void *user)
{
    struct str *rest = &scan->rest, word;
    int64_t number, attempt, duration;
    enum verdict verdict;

    if (!take_number(rest, &number) || !TAKE(rest, END_ATTEMPT) || !take_number(rest, &attempt))
        return;
    if (!TAKE(rest, END_VERDICT) || !take_plain_text(rest, &word) || !verdict_find(word, &verdict))
        return;
    if (!is_own_end(verdict) || !TAKE(rest, END_DURATION) || !take_number(rest, &duration))
        return;
    if (number < scan->count && scan->list[number].len && duration < INT64_MAX / NS_PER_US)
        each(user, scan->list[number], duration * NS_PER_US);
}

/* What failed alone is on record: that takes as long as failures do. */
static bool is_of_soak(struct str line)
{
    size_t at;

    return str_find(line, OF_SOAK, &at);
}

void journal_durations(int folder, uint64_t *budget, journal_duration *each, void *user)
{
    struct scan scan = {0};
    struct lines lines;

    if (!lines_open(&lines, folder))
        return;
    while (lines.passed < *budget && lines_next(&lines, &scan.rest)) {
        if (TAKE(&scan.rest, END_CASE))
            scan_end(&scan, each, user);
        else if (TAKE(&scan.rest, CASES_FROM))
            scan_cases(&scan);
        else if (TAKE(&scan.rest, RUN_BEGIN) && is_of_soak(scan.rest))
            break;
    }
    *budget -= lines.passed < *budget ? lines.passed : *budget;
    lines_close(&lines);
    arena_release(&scan.ids);
    free(scan.list);
}
