/* What the reports share among themselves. */
#ifndef RM_REPORT_INTERNAL_H
#define RM_REPORT_INTERNAL_H

#include "runner/report/report.h"

#define X(id, word, file, sentence, form) \
    void report_##word##_write(const struct report_input *input, struct report_sink *sink);
REPORTS(X)
#undef X

/* ---- facts.c: what a record says of a case, in words ---- */

nanos case_duration(const struct journal_history *history); /* of all its attempts: what it cost */
/* Its reason, or why there is none: never empty where the case did not run. */
struct str case_reason(const struct report_input *input, const struct journal_history *history);
bool attempt_failed(const struct journal_attempt *attempt);

/* ---- again.c: attempts that others followed, quarantine ---- */

/* "passed on attempt 3; attempts 1 to 2: exit status 1", of a flaky case; harmless */
void flaky_format(struct buf *out, const struct journal_history *history);

bool case_quarantined(const struct journal_history *history); /* it failed, and that does not fail the run */
bool case_released(
    const struct journal_history *history); /* it failed, and would not have while its quarantine lasted */
/* What is known of it, whether it holds or not; NULL: nothing. */
const struct journal_quarantine *case_quarantine(const struct journal_history *history);
/* "net-team, #451, until 2026-12-01", harmless; the second says, too, how long that was from the day of the run */
void quarantine_format(struct buf *out, const struct journal_quarantine *quarantine);
void quarantine_tell(struct buf *out, const struct journal_record *record,
                     const struct journal_quarantine *quarantine);
/* " (net-team, #451, until 2026-12-01)" behind the reason of a case that failed in it, where that is known */
void quarantine_add(struct buf *reason, const struct journal_history *history);
/* Days of it that are left after that of the run, negative when it is over. False: no calendar has that date. */
bool quarantine_days(const struct journal_record *record, const struct journal_quarantine *quarantine,
                     int64_t *left);

/* ---- facts.c ---- */

/* "12 B", "1.5 KiB" */
void size_format(struct buf *out, uint64_t size);
/* "2026-11-21T06:12:47", UTC */
void time_format(struct buf *out, int64_t wall);
/* "socket file /tmp/x.sock, still there", harmless */
void leak_format(struct buf *out, const struct journal_leak *leak);
/* What is known besides the reason, a line each and harmless: ladder, notes, what it left behind. */
void attempt_facts(const struct journal_attempt *attempt, const char *indent, struct buf *out);
/* All that its C test said, as it stands on its stderr but for what others printed in between; harmless. */
void attempt_said(const struct journal_attempt *attempt, const char *indent, struct buf *out);
/* Of that its crash alone, where there is one: it stands in no output. */
bool attempt_told_crash(const struct journal_attempt *attempt);
void attempt_crash(const struct journal_attempt *attempt, const char *indent, struct buf *out);
/* A word as one types it in a shell. */
void shell_word(struct buf *out, struct str word);

/* ---- results.c: what a process said of its own tests ---- */

/* The attempt whose results stand for the case; NULL: it has none. */
const struct journal_attempt *case_results(const struct journal_history *history);
/* "clients" + "tests/test_a.py::test_x" + "@transport=tcp" */
void result_id(struct buf *out, struct str id, struct str result);

struct results_read {
    uint32_t count; /* that were handed out */
    uint32_t torn;
    int error; /* of opening or reading; 0: none */
};
/* As they count for the case. `each` may be NULL: they are counted. */
struct results_read results_each(const struct report_input *input, const struct journal_attempt *attempt,
                                 journal_result_each *each, void *user);
/* Besides those that were read, or in place of them, the case is a record of its own. */
bool case_itself(const struct journal_history *history, struct results_read read);
/* Says what is wrong with the file; false: nothing. */
bool results_trouble(const struct report_input *input, const struct journal_attempt *attempt,
                     struct results_read read, struct buf *out);

/* Failures in attempts before the last, for results that passed in it. */
struct earlier_failure {
    struct str id;
    uint32_t attempt;
    enum verdict verdict;
    struct str message;
};
struct earlier {
    struct arena arena;
    struct earlier_failure *list; /* by id and attempt */
    uint32_t count, cap;
};
void earlier_load(const struct report_input *input, const struct journal_history *history,
                  struct earlier *earlier);
void earlier_release(struct earlier *earlier);
const struct earlier_failure *earlier_find(const struct earlier *earlier, struct str id, uint32_t *count);

/* ---- case_results.c ---- */

void case_results_tell(const struct report_input *input, const struct journal_history *history,
                       struct report_sink *sink);
void report_result(const struct report_input *input, const struct journal_history *history,
                   const struct journal_result *result, struct report_sink *sink);

/* ---- summary.c, summary_results.c ---- */

void summary_title(const struct report_input *input, struct report_sink *sink, const char *title,
                   uint64_t count);
void summary_flaky_results(const struct report_input *input, struct report_sink *sink);
void summary_slower(const struct report_input *input, struct report_sink *sink);
void summary_slowest_results(const struct report_input *input, struct report_sink *sink);

/* ---- output.c: captured output, line by line ---- */

typedef void report_line(void *user, struct str line);

/* The beginning of `text` up to a newline, taken off it; false when nothing is left. */
bool line_next(struct str *text, struct str *line);
/*
 * At most `most` bytes and `lines` lines of an output, the larger part from its end; one line between says what is left
 * out. -1 and errno before any line.
 */
int output_excerpt(const struct report_input *input, const struct journal_output *output, size_t most,
                   size_t lines, report_line *each, void *user);
/* All of it, however long; a line longer than 64 KiB comes in pieces. */
int output_lines(const struct report_input *input, const struct journal_output *output, report_line *each,
                 void *user);
/* A file of the run folder, and of nowhere else, to be read; -1 and errno. */
int output_open(int folder, struct str path);
/* Where people find it, harmless: ".run-matrix/runs/0042-.../cases/proto/1/stdout". */
void output_where(const struct report_input *input, const struct journal_output *output, struct buf *out);
/* Bytes that each output of the failed attempts may have of `budget`, at most `most`; 0 when it would be a scrap. */
size_t output_share(const struct journal_record *record, size_t budget, size_t most);

/* ---- dump.c ---- */

/* The screen of an attempt that has a dump, line by line and without its head. -1 and errno before any line. */
int dump_lines(const struct report_input *input, const struct journal_attempt *attempt, report_line *each,
               void *user);
/* "where everybody stood: .run-matrix/runs/0042-.../cases/proto/1/dump.txt" */
void dump_where(const struct report_input *input, const struct journal_attempt *attempt, struct buf *out);

/* ---- case.c ---- */

/* "FAIL   ", in its colour where there is to be one. */
void add_label(const struct report_input *input, enum verdict verdict, struct buf *out);

/* ---- xml.c ---- */

/* Well-formed whatever it is: characters that XML has not, and bytes that are no UTF-8, become U+FFFD. */
void xml_text(struct buf *out, struct str text);
void xml_attribute(struct buf *out, const char *name, struct str value); /* with a space before it */

#endif
