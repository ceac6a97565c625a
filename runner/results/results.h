/*
 * What a process said of its tests, read into values: TAP, JUnit XML, or lines that match an expression. Whatever the
 * bytes are, reading ends, takes memory that is bounded by the limits below, and keeps all that could be read. What
 * the process itself came to (a crash, a timeout) is not known here.
 */
#ifndef RM_RESULTS_RESULTS_H
#define RM_RESULTS_RESULTS_H

#include "runner/base/arena.h"
#include "runner/base/clock.h"
#include "runner/base/diag.h"

#include <stdbool.h>
#include <stdint.h>

/* `not run`: it was announced or begun, and nothing more was heard of it. */
#define RESULT_VERDICTS(X)       \
    X(RESULT_PASSED, "passed")   \
    X(RESULT_FAILED, "failed")   \
    X(RESULT_ERROR, "error")     \
    X(RESULT_SKIPPED, "skipped") \
    X(RESULT_XFAILED, "xfailed") \
    X(RESULT_XPASSED, "xpassed") \
    X(RESULT_NOT_RUN, "not run")

enum result_verdict {
#define X(id, word) id,
    RESULT_VERDICTS(X)
#undef X
        RESULT_VERDICT_COUNT
};

const char *result_verdict_word(enum result_verdict verdict);

#define RESULTS_MOST         ((uint32_t)1 << 19)
#define RESULTS_MISSING_MOST 1000              /* of those announced and not reported that are in the list */
#define RESULT_ID_MOST       ((size_t)1 << 10) /* what is longer is cut */
#define RESULT_MESSAGE_MOST  ((size_t)500)
#define RESULT_TEXT_MOST     ((size_t)64 << 10) /* of details, stdout and stderr: beginning and end are kept */
#define RESULTS_TEXT_MOST \
    ((size_t)64 << 20) /* of all texts; those of tests that passed have a quarter of it */

/* Texts are the arena's; empty: not known. Ids, messages and files are one harmless line of UTF-8, the others bytes. */
struct result {
    struct str id; /* as the suite names it, parts joined by "::"; unique in the list */
    enum result_verdict verdict;
    nanos duration; /* -1: not known */
    struct str message;
    struct str details;
    struct str out, err; /* what the suite had captured of its stdout and stderr */
    struct str file;
    uint32_t line;    /* 0: not known */
    uint32_t reruns;  /* it failed so often before, in the same run of the suite */
    bool nameless;    /* it began, and its name was not written: it may be any that is missing */
    bool is_a_parent; /* others in the list stand for what it found: its verdict follows from theirs */
};

/* Not to be moved once it is set up. */
struct results {
    struct result *list; /* in the order reported; grows while a reader is fed */
    uint32_t count, cap;
    uint32_t verdicts[RESULT_VERDICT_COUNT]; /* of those in the list */
    uint64_t left_out;                       /* reported past RESULTS_MOST */
    int64_t announced; /* by a plan (of TAP the outermost), by `tests=`; -1: not known */
    bool
        unsound; /* it contradicts itself, or lacks what would tell that all of it is there: a problem says so */
    bool cut;    /* not all of it could be read: what else stood there is not known */
    uint64_t missing; /* announced and not reported, also those past RESULTS_MISSING_MOST */
    uint32_t untold;  /* the last in the list: results_add_missing */
    bool bailed_out;
    struct str bail_out;   /* the words after it */
    struct str skip_all;   /* why the plan is 1..0 */
    struct diags problems; /* what is wrong with the report, with its place and what would be right */

    /* the room's own */
    struct arena arena;
    const char *file;
    struct result_ids *ids;
    size_t text_left, passed_text_left;
};

/* `file`: where the report stands, as problems should name it; must live as long. */
void results_init(struct results *results, const char *file);
void results_release(struct results *results);
/* Another report goes into the same list, where the readers of the one before have ended. */
void results_go_on(struct results *results, const char *file);

/* One that was asked for and is not told of: it is `not run`. */
void results_add_missing(struct results *results, struct str id);

/*
 * Readers are fed in pieces of any size: how a report is cut into pieces changes nothing. results_end says what the end
 * of the report says, and frees the reader.
 */
struct results_reader;

void results_feed(struct results_reader *reader, struct str bytes);
void results_end(struct results_reader *reader);

/* TAP 13, TAP 14 and what went before. `strict`: a line that is no TAP is a problem, as after "pragma +strict". */
struct results_reader *results_tap(struct results *into, bool strict);

/*
 * JUnit XML as pytest, ctest, meson, surefire, gotestsum, Criterion, cmocka, node and others write it. An id is
 * classname::name; where there is no classname, the names of the testsuites it is in stand for it.
 */
struct results_reader *results_junit(struct results *into);
/* GoogleTest's own XML: an id is Suite.Name, as --gtest_filter takes it. */
struct results_reader *results_gtest(struct results *into);

/*
 * Lines that match a PCRE2 expression with named groups: name, which is required, verdict, message, duration, file,
 * line and announced. The same name may stand in several alternatives. Without a group `verdict` what matches has
 * passed. A verdict of "run" or "start" begins a test: it is `not run` until a later line says more. Where `announced`
 * took part and `name` did not, a number of tests that are to come. NULL for an expression that cannot be used, and
 * why; `at` is its byte.
 */
struct lines_error {
    size_t at;
    char text[200];
};
struct results_reader *results_lines(struct results *into, struct str expression, struct lines_error *error);
/* The same, and no result is made of a line: `each` is handed its name byte for byte, for as long as the call. */
struct names_to {
    void (*each)(void *user, struct str name);
    void *user;
};
struct results_reader *results_names(struct results *into, struct str expression, struct names_to to,
                                     struct lines_error *error);

#endif
