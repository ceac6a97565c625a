/* JUnit: what its two files share. */
#ifndef RM_REPORT_JUNIT_H
#define RM_REPORT_JUNIT_H

#include "runner/report/internal.h"

/*
 * Captured output in one report. GitLab refuses files over 30 MB, and a byte can become five; the text of a failure
 * repeats a little of it.
 */
#define JUNIT_BUDGET      ((size_t)5 << 20)
#define JUNIT_STREAM_MOST ((size_t)64 << 10)
#define JUNIT_TEXT_MOST \
    ((size_t)2 << 10) /* of each stream in the text of a failure, which is what GitLab shows */
#define JUNIT_TEXT_LINES 20

struct junit {
    const struct report_input *input;
    struct report_sink *sink;
    size_t most;         /* of each stream */
    size_t results_left; /* bytes that texts of results may still have, all together */
    struct buf line;     /* in work */
};

enum junit_kind { JUNIT_PLAIN, JUNIT_SKIPPED, JUNIT_FAILURE, JUNIT_ERROR };

struct junit_totals {
    uint64_t tests, failures, errors, skipped;
    nanos duration;
};

enum junit_kind junit_kind(const struct journal_history *history);
void junit_add_time(struct buf *out, nanos time); /* seconds, never with an exponent */
void junit_add_names(struct buf *out, struct str id);
void junit_add_place(struct buf *out, const struct journal_test *test);
void junit_count(struct junit_totals *totals, enum junit_kind kind);
/* The results of a case, and the case itself where it is a record of its own. */
void junit_count_results(struct junit *j, const struct journal_history *history, struct junit_totals *totals);
void junit_results(struct junit *j, const struct journal_test *test, const struct journal_history *history);
void junit_case(struct junit *j, const struct journal_test *test, const struct journal_history *history);

#endif
