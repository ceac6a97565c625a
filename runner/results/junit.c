/* The document: elements as expat tells of them, and the bounds of what is read. */
#include "runner/results/junit.h"

#include "runner/base/mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- problems ---- */

void junit_problem(struct junit *junit, const char *format, ...)
{
    struct results *results = junit->reader.results;
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    diag_error(&results->problems,
               results_place(results, XML_GetCurrentLineNumber(junit->parser),
                             XML_GetCurrentColumnNumber(junit->parser) + 1),
               "%s", buf_text(&text));
    buf_release(&text);
}

/* What follows is not read; what was read is kept. */
static void stop(struct junit *junit)
{
    junit->stopped = true;
    XML_StopParser(junit->parser, XML_FALSE);
}

/* ---- names ---- */

static const struct {
    const char *name;
    enum junit_element element;
} names[] = {
    {"testsuites", JUNIT_SUITES},  {"testsuite", JUNIT_SUITE},  {"testcase", JUNIT_CASE},
    {"failure", JUNIT_FAILURE},    {"error", JUNIT_ERROR},      {"skipped", JUNIT_SKIPPED},
    {"flakyFailure", JUNIT_FLAKY}, {"flakyError", JUNIT_FLAKY}, {"rerunFailure", JUNIT_RERUN},
    {"rerunError", JUNIT_RERUN},   {"stackTrace", JUNIT_TRACE}, {"system-out", JUNIT_OUT},
    {"system-err", JUNIT_ERR},
};

enum junit_element junit_element(const char *name)
{
    const char *colon = strrchr(name, ':');

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(colon ? colon + 1 : name, names[i].name) == 0)
            return names[i].element;
    return JUNIT_OTHER;
}

const char *junit_attribute(const char **attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

/* ---- elements ---- */

static enum junit_element innermost(const struct junit *junit)
{
    return junit->depth ? junit->elements[junit->depth - 1] : JUNIT_OTHER;
}

/* The outermost element that counts its tests counts those of all in it. */
static void announce(struct junit *junit, const char **attributes)
{
    const char *tests = junit_attribute(attributes, "tests");
    int64_t *announced = &junit->reader.results->announced;
    uint64_t number;

    if (junit->announcing || !tests || !text_number(str_of(tests), UINT32_MAX, &number))
        return;
    *announced = (*announced < 0 ? 0 : *announced) + (int64_t)number;
    junit->announcing = junit->depth;
}

static void open_suite(struct junit *junit, const char **attributes)
{
    const char *name = junit_attribute(attributes, "name");

    junit->plain_suite = !junit_attribute(attributes, "timestamp");
    junit->pytest = name && strcmp(name, "pytest") == 0;
    if (name && *name && junit->suites.len < RESULT_ID_MOST) {
        buf_addstr(&junit->suites, str_slice(str_of(name), 0, strnlen(name, RESULT_ID_MOST)));
        buf_adds(&junit->suites, "::");
    }
}

/* Text of a `system-out` in a `flakyFailure` is of that attempt: surefire has it among the others. */
static bool enter(struct junit *junit, enum junit_element element, const char *name)
{
    if (junit->depth == JUNIT_DEPTH_MOST) {
        junit_problem(junit, "<%.100s> is more than %d elements deep; what follows is not read", name,
                      JUNIT_DEPTH_MOST);
        stop(junit);
        return false;
    }
    if (!junit->depth && element != JUNIT_SUITES && element != JUNIT_SUITE) {
        junit_problem(junit, "a JUnit report begins with <testsuites> or <testsuite>, not with <%.100s>",
                      name);
        stop(junit);
        return false;
    }
    junit->suites_before[junit->depth] = junit->suites.len;
    junit->elements[junit->depth++] = element;
    return true;
}

static void on_start(void *user, const char *name, const char **attributes)
{
    struct junit *junit = user;
    enum junit_element element = junit_element(name);

    junit->seen = (uint64_t)XML_GetCurrentByteIndex(junit->parser);
    if (junit->stopped || !enter(junit, element, name))
        return;
    if (junit->now.open) {
        junit_case_element(junit, element, attributes);
        return;
    }
    if (element == JUNIT_SUITES || element == JUNIT_SUITE)
        announce(junit, attributes);
    if (element == JUNIT_SUITE)
        open_suite(junit, attributes);
    else if (element == JUNIT_CASE)
        junit_case_open(junit, attributes);
}

static void on_end(void *user, const char *name)
{
    struct junit *junit = user;

    (void)name;
    junit->seen = (uint64_t)XML_GetCurrentByteIndex(junit->parser);
    if (junit->stopped)
        return;
    if (innermost(junit) == JUNIT_CASE && junit->now.open)
        junit_case_close(junit, false);
    if (junit->announcing == junit->depth)
        junit->announcing = 0;
    junit->depth--;
    junit->suites.len = junit->suites_before[junit->depth];
}

static void on_text(void *user, const char *text, int len)
{
    struct junit *junit = user;

    junit->seen =
        (uint64_t)XML_GetCurrentByteIndex(junit->parser) + (uint64_t)XML_GetCurrentByteCount(junit->parser);
    if (!junit->stopped && junit->now.open)
        junit_case_text(junit, innermost(junit), (struct str){text, (size_t)len});
}

/* Comments, instructions, the declaration: only how far expat has come is of interest. */
static void on_other(void *user, const char *text, int len)
{
    struct junit *junit = user;

    (void)text;
    (void)len;
    junit->seen = (uint64_t)XML_GetCurrentByteIndex(junit->parser);
}

/* Entities are made there, bombs of them too; no producer of test reports needs one. */
static void on_doctype(void *user, const char *name, const char *system, const char *public, int internal)
{
    struct junit *junit = user;

    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    junit_problem(junit, "a report with a DOCTYPE is not read: a test report needs no entities of its own");
    stop(junit);
}

/* ---- bytes ---- */

static const char *name_of(enum junit_element element)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].element == element)
            return names[i].name;
    return NULL;
}

static void say_cut(struct junit *junit)
{
    const char *name = name_of(innermost(junit));

    if (!junit->depth)
        junit_problem(junit, junit->fed
                                 ? "the report ends before its first element"
                                 : "the report is empty: <testsuites> or <testsuite> should stand there");
    else
        junit_problem(junit, "the report ends in the middle: </%s> is missing", name ? name : "...");
}

static void say_malformed(struct junit *junit, bool last)
{
    enum XML_Error error = XML_GetErrorCode(junit->parser);

    if (junit->stopped)
        return;
    junit->stopped = true;
    if (last && (error == XML_ERROR_NO_ELEMENTS || error == XML_ERROR_UNCLOSED_TOKEN ||
                 error == XML_ERROR_UNCLOSED_CDATA_SECTION || error == XML_ERROR_PARTIAL_CHAR))
        say_cut(junit);
    else if (error == XML_ERROR_JUNK_AFTER_DOC_ELEMENT)
        junit_problem(
            junit, "there is more after the end of the report: a file has one <testsuites> or <testsuite>");
    else if (error == XML_ERROR_UNKNOWN_ENCODING)
        junit_problem(junit, "the encoding is not known: UTF-8 would be right");
    else if (junit->json)
        junit_problem(junit, "this is JSON; %s would be right",
                      junit->gtest ? "--gtest_output=xml:PATH" : "JUnit XML");
    else
        junit_problem(junit, "no XML: %s; what follows is not read", XML_ErrorString(error));
}

static void parse(struct junit *junit, size_t len, bool last)
{
    if (junit->stopped)
        return;
    if (!junit->fed && len)
        junit->json = junit->block[0] == '{' || junit->block[0] == '[';
    junit->fed += len;
    if (XML_Parse(junit->parser, junit->block, (int)len, last) != XML_STATUS_OK) {
        say_malformed(junit, last);
    } else if (junit->fed - junit->seen > JUNIT_TOKEN_MOST) {
        junit_problem(junit, "a tag or a comment of more than %d MiB; what follows is not read",
                      (int)(JUNIT_TOKEN_MOST >> 20));
        stop(junit);
    }
}

/*
 * Blocks of one size, however the bytes come: what expat has to keep of a token that is not whole it looks at again with
 * each piece.
 */
static void pass_on(struct junit *junit, bool last)
{
    size_t done = junit_filter(&junit->filter, junit->block, junit->filled, last);

    parse(junit, done, last);
    memmove(junit->block, junit->block + done, junit->filled - done);
    junit->filled -= done;
}

static void feed(struct results_reader *reader, struct str bytes)
{
    struct junit *junit = (struct junit *)reader;

    while (bytes.len && !junit->stopped) {
        size_t room = JUNIT_BLOCK - junit->filled, len = bytes.len < room ? bytes.len : room;

        memcpy(junit->block + junit->filled, bytes.ptr, len);
        junit->filled += len;
        bytes = str_slice(bytes, len, bytes.len);
        if (junit->filled == JUNIT_BLOCK)
            pass_on(junit, false);
    }
}

/* ---- the end ---- */

static void say_replaced(struct junit *junit)
{
    const struct junit_filter *filter = &junit->filter;
    struct results *results = junit->reader.results;

    if (filter->replaced)
        diag_warning(&results->problems, results_place(results, filter->first_line, filter->first_col),
                     "byte 0x%02x has no place in XML%s: read as '?'", filter->first,
                     filter->replaced > 1 ? ", nor have others after it" : "");
}

static void compare_with_announced(struct junit *junit)
{
    struct results *results = junit->reader.results;
    uint64_t reported = results->count + results->left_out - junit->reported_before;
    uint64_t announced = (uint64_t)(results->announced - junit->announced_before);

    if (results->announced < 0 || announced <= reported)
        return;
    if (announced - reported <= junit->counted_twice) {
        results->announced -= (int64_t)(announced - reported); /* as it is meant */
        return;
    }
    results->missing += announced - reported;
    if (!junit->stopped)
        diag_warning(&results->problems, results_place(results, 0, 0),
                     "%llu tests are announced by 'tests' attributes, %llu are there",
                     (unsigned long long)announced, (unsigned long long)reported);
}

static void end(struct results_reader *reader)
{
    struct junit *junit = (struct junit *)reader;

    if (!junit->stopped)
        pass_on(junit, true);
    junit->reader.results->cut |= junit->stopped;
    if (junit->now.open)
        junit_case_close(junit, true);
    say_replaced(junit);
    compare_with_announced(junit);
    junit_case_release(&junit->now);
    buf_release(&junit->suites);
    XML_ParserFree(junit->parser);
    free(junit);
}

static struct results_reader *new_reader(struct results *into, bool gtest)
{
    static const struct results_format format = {.feed = feed, .end = end};
    struct junit *junit = mem_zero(1, sizeof *junit);

    junit->reader = (struct results_reader){&format, into};
    junit->gtest = gtest;
    junit->reported_before = into->count + into->left_out;
    junit->announced_before = into->announced < 0 ? 0 : into->announced;
    junit->plain_suite = true;
    junit->parser = XML_ParserCreate(NULL);
    if (!junit->parser)
        mem_exhausted(0);
    XML_SetUserData(junit->parser, junit);
    XML_SetElementHandler(junit->parser, on_start, on_end);
    XML_SetCharacterDataHandler(junit->parser, on_text);
    XML_SetDefaultHandler(junit->parser, on_other);
    XML_SetStartDoctypeDeclHandler(junit->parser, on_doctype);
    return &junit->reader;
}

struct results_reader *results_junit(struct results *into)
{
    return new_reader(into, false);
}

struct results_reader *results_gtest(struct results *into)
{
    return new_reader(into, true);
}
