/* JUnit XML in two steps: bytes that expat can take, and elements. */
#ifndef RM_RESULTS_JUNIT_H
#define RM_RESULTS_JUNIT_H

#include "runner/results/internal.h"

#include <expat.h>

#define JUNIT_DEPTH_MOST 64
#define JUNIT_BLOCK      ((size_t)16 << 10)
#define JUNIT_TOKEN_MOST ((uint64_t)4 << 20) /* a tag with its attributes, a comment: expat holds it whole */

/* ---- bytes ---- */

/*
 * Many producers write into their XML what XML forbids: control characters of coloured output, bytes that are no UTF-8.
 * One such byte would cost all that comes after it, so each becomes a question mark, and the first one is told.
 */
struct junit_filter {
    bool begun, raw, bytes; /* raw: UTF-16, left alone; bytes: an encoding of one byte for a character */
    uint64_t line, col;     /* of the next byte; the column in bytes */
    uint64_t replaced;
    uint64_t first_line, first_col;
    unsigned char first;
};

/* In place. `last`: nothing follows. How many bytes are done; up to three at the end may need what comes next. */
size_t junit_filter(struct junit_filter *filter, char *bytes, size_t len, bool last);

/* ---- elements ---- */

enum junit_element {
    JUNIT_OTHER,
    JUNIT_SUITES,
    JUNIT_SUITE,
    JUNIT_CASE,
    JUNIT_FAILURE,
    JUNIT_ERROR,
    JUNIT_SKIPPED,
    JUNIT_FLAKY, /* surefire: it failed before it passed */
    JUNIT_RERUN, /* ... before it failed for good */
    JUNIT_TRACE, /* of these two */
    JUNIT_OUT,
    JUNIT_ERR,
};

/* The testcase that is open. */
struct junit_case {
    bool open;
    bool failed, error, skipped, todo, xfail;
    bool begun;            /* and interrupted */
    bool blocked, missing; /* ctest: for want of a fixture, of a program */
    bool generic;          /* a message says only that it has failed */
    bool placed;           /* its failure has a file and a line */
    struct str id, file;
    uint32_t line;
    nanos duration;
    uint32_t reruns;
    struct buf message;
    struct excerpt details, out, err;
};

struct junit {
    struct results_reader reader;
    uint64_t reported_before; /* by reports that went into the same list before this one */
    int64_t announced_before;
    bool gtest;
    XML_Parser parser;
    struct junit_filter filter;
    char block[JUNIT_BLOCK];
    size_t filled;
    uint64_t fed, seen; /* bytes given to expat, and up to where it has told of them */
    bool json;          /* it begins like that */
    bool stopped;       /* a problem was told, nothing is read any more */

    enum junit_element elements[JUNIT_DEPTH_MOST]; /* those that are open */
    unsigned depth;
    unsigned announcing; /* depth of the element whose `tests` counts for all in it; 0: none */
    struct buf suites;   /* their names, each followed by "::" */
    size_t suites_before[JUNIT_DEPTH_MOST]; /* its length outside of each open element */
    bool plain_suite;                       /* the innermost has no timestamp: node's never do */
    bool pytest;
    uint64_t counted_twice; /* announced as two tests, reported as one */
    struct junit_case now;
};

enum junit_element junit_element(const char *name);
const char *junit_attribute(const char **attributes, const char *name); /* NULL: it has none such */

/* At the place that expat has reached. */
void junit_problem(struct junit *junit, const char *format, ...) __attribute__((format(printf, 2, 3)));

void junit_case_open(struct junit *junit, const char **attributes);
void junit_case_element(struct junit *junit, enum junit_element element, const char **attributes);
void junit_case_text(struct junit *junit, enum junit_element element, struct str text);
/* `cut`: the report ends in the middle of it. */
void junit_case_close(struct junit *junit, bool cut);
void junit_case_release(struct junit_case *c);

#endif
