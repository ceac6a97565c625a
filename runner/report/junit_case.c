/* One testcase of a JUnit report, with surefire's elements for attempts that were run again. */
#include "runner/report/junit.h"

#include "runner/base/harmless.h"

#include <errno.h>
#include <string.h>

/* ---- what kind of case it is ---- */

/* Failures are the test's, errors what kept it from being one. */
static bool is_error(const struct journal_attempt *attempt)
{
    return attempt->verdict == VERDICT_ERROR || attempt->verdict == VERDICT_LOST ||
           attempt->verdict == VERDICT_ABANDONED;
}

/* The attempt that stands for a case that failed: the first, as surefire has it. NULL: no attempt failed. */
static const struct journal_attempt *first_failed(const struct journal_history *history)
{
    for (uint32_t i = 0; i < history->count; i++)
        if (attempt_failed(&history->attempts[i]))
            return &history->attempts[i];
    return NULL;
}

enum junit_kind junit_kind(const struct journal_history *history)
{
    const struct journal_attempt *main = first_failed(history);

    if (case_quarantined(history))
        return JUNIT_SKIPPED;
    switch (verdict_counts(journal_outcome(history))) {
    case COUNT_PASSED: return JUNIT_PLAIN;
    case COUNT_FAILED: return main && is_error(main) ? JUNIT_ERROR : JUNIT_FAILURE;
    default: return JUNIT_SKIPPED;
    }
}

/* ---- attributes ---- */

void junit_add_time(struct buf *out, nanos time)
{
    long long ms = time > 0 ? (time + NS_PER_MS / 2) / NS_PER_MS : 0;

    buf_addf(out, " time=\"%lld.%03lld\"", ms / 1000, ms % 1000);
}

/* "proto::nested/depth=3@os=linux" is nested/depth=3 in proto[os=linux]. */
void junit_add_names(struct buf *out, struct str id)
{
    struct buf class = {0};
    size_t at = id.len, colons;
    struct str test, name;

    str_find(id, "@", &at);
    test = name = str_slice(id, 0, at);
    if (str_find(test, "::", &colons)) {
        name = str_slice(test, colons + 2, test.len);
        test = str_slice(test, 0, colons);
    }
    buf_addstr(&class, test);
    if (at < id.len) {
        buf_addc(&class, '[');
        buf_addstr(&class, str_slice(id, at + 1, id.len));
        buf_addc(&class, ']');
    }
    xml_attribute(out, "classname", buf_str(&class));
    xml_attribute(out, "name", name);
    buf_release(&class);
}

void junit_add_place(struct buf *out, const struct journal_test *test)
{
    if (!test->file.len)
        return;
    xml_attribute(out, "file", test->file);
    if (test->line)
        buf_addf(out, " line=\"%u\"", test->line);
}

static struct str message_of(const struct journal_attempt *attempt)
{
    return attempt->reason.len ? attempt->reason : str_of(verdict_word(attempt->verdict));
}

static void add_type_and_message(struct buf *out, const struct journal_attempt *attempt)
{
    xml_attribute(out, "type", str_of(verdict_word(attempt->verdict)));
    xml_attribute(out, "message", message_of(attempt));
}

/* ---- captured output ---- */

static bool goes_to(const struct journal_output *output, bool err)
{
    return output->size > 0 && str_is(output->name, "stderr") == err;
}

static void add_line(void *user, struct str line)
{
    struct junit *j = user;

    buf_clear(&j->line);
    text_harmless(&j->line, line, false);
    xml_text(&j->sink->buf, buf_str(&j->line));
    buf_addc(&j->sink->buf, '\n');
}

static void add_output(struct junit *j, const struct journal_output *output, size_t most, size_t lines)
{
    if (output_excerpt(j->input, output, most, lines, add_line, j) < 0)
        buf_addf(&j->sink->buf, "[not there any more: %s]\n", strerror(errno));
}

/* GitLab reads it out of system-out; the path is as people see it. */
static void add_attachment(struct junit *j, const struct journal_output *output)
{
    struct buf *out = &j->sink->buf;

    if (!output->path.len)
        return;
    buf_adds(out, "[[ATTACHMENT|");
    xml_text(out, str_of(j->input->path));
    buf_addc(out, '/');
    xml_text(out, output->path);
    buf_adds(out, "]]\n");
}

static void add_stream(struct junit *j, const struct journal_attempt *attempt, bool err)
{
    static const char *const names[] = {"system-out", "system-err"};
    struct buf *out = &j->sink->buf;
    bool opened = false;

    for (uint32_t i = 0; i < attempt->output_count; i++) {
        if (!goes_to(&attempt->outputs[i], err))
            continue;
        if (!opened)
            buf_addf(out, "<%s>", names[err]);
        opened = true;
        add_attachment(j, &attempt->outputs[i]);
        add_output(j, &attempt->outputs[i], j->most, SIZE_MAX);
    }
    if (opened)
        buf_addf(out, "</%s>\n", names[err]);
}

static void add_streams(struct junit *j, const struct journal_attempt *attempt)
{
    add_stream(j, attempt, false);
    add_stream(j, attempt, true);
}

/* ---- the text of a failure ---- */

static void add_output_text(struct junit *j, const struct journal_output *output)
{
    struct buf title = {0};
    size_t most = j->most / 4 < JUNIT_TEXT_MOST ? j->most / 4 : JUNIT_TEXT_MOST;

    if (!output->size)
        return;
    buf_addc(&title, '\n');
    buf_addstr(&title, output->name);
    buf_adds(&title, " (");
    size_format(&title, output->size);
    buf_adds(&title, "): ");
    output_where(j->input, output, &title);
    buf_addc(&title, '\n');
    xml_text(&j->sink->buf, buf_str(&title));
    buf_release(&title);
    if (most)
        add_output(j, output, most, JUNIT_TEXT_LINES);
}

/* However many hang: where there is no room for output, there is none for this. */
static void add_dump(struct junit *j, const struct journal_attempt *attempt)
{
    struct buf title = {0};

    if (!attempt->dump.len)
        return;
    buf_addc(&title, '\n');
    dump_where(j->input, attempt, &title);
    buf_addc(&title, '\n');
    xml_text(&j->sink->buf, buf_str(&title));
    buf_release(&title);
    if (j->most && dump_lines(j->input, attempt, add_line, j) < 0)
        buf_addf(&j->sink->buf, "[not there any more: %s]\n", strerror(errno));
}

static void add_text(struct junit *j, const struct journal_test *test, const struct journal_history *history,
                     const struct journal_attempt *attempt)
{
    struct buf text = {0};

    if (test->file.len) {
        buf_addstr(&text, test->file);
        buf_addf(&text, ":%u: ", test->line ? test->line : 1);
    }
    buf_addstr(&text, message_of(attempt));
    buf_addc(&text, '\n');
    attempt_said(attempt, "", &text);
    attempt_facts(attempt, "", &text);
    buf_adds(&text, "again: ");
    report_rerun(j->input, history->what, &text);
    buf_addc(&text, '\n');
    xml_text(&j->sink->buf, buf_str(&text));
    buf_release(&text);
    add_dump(j, attempt);
    for (uint32_t i = 0; i < attempt->output_count; i++)
        add_output_text(j, &attempt->outputs[i]);
}

/* ---- elements of a case ---- */

/* An attempt that another one followed, or that followed a failure: rerunFailure, flakyError, ... */
static void add_rerun(struct junit *j, const struct journal_test *test, const struct journal_history *history,
                      const struct journal_attempt *attempt, const char *how)
{
    struct buf *out = &j->sink->buf;
    const char *what = is_error(attempt) ? "Error" : "Failure";

    buf_addf(out, "      <%s%s", how, what);
    add_type_and_message(out, attempt);
    buf_adds(out, "><stackTrace>");
    add_text(j, test, history, attempt);
    buf_adds(out, "</stackTrace>\n");
    add_streams(j, attempt);
    buf_addf(out, "</%s%s>\n", how, what);
}

static void add_reruns(struct junit *j, const struct journal_test *test,
                       const struct journal_history *history, bool errors)
{
    const struct journal_attempt *main = first_failed(history);
    bool flaky = junit_kind(history) == JUNIT_PLAIN;

    for (uint32_t i = 0; i < history->count; i++) {
        const struct journal_attempt *attempt = &history->attempts[i];

        if (attempt_failed(attempt) && is_error(attempt) == errors && (flaky || attempt != main))
            add_rerun(j, test, history, attempt, flaky ? "flaky" : "rerun");
    }
}

static void add_failure(struct junit *j, const struct journal_test *test,
                        const struct journal_history *history, const char *element)
{
    const struct journal_attempt *attempt = first_failed(history);
    struct buf *out = &j->sink->buf;

    if (!attempt)
        attempt = journal_last(history);
    buf_addf(out, "      <%s", element);
    add_type_and_message(out, attempt);
    buf_addc(out, '>');
    add_text(j, test, history, attempt);
    buf_addf(out, "</%s>\n", element);
}

static void add_skipped(struct junit *j, const struct journal_test *test,
                        const struct journal_history *history)
{
    enum verdict outcome = journal_outcome(history);
    struct buf *out = &j->sink->buf, message = {0};

    if (case_quarantined(history))
        buf_adds(&message, "quarantined: ");
    else if (outcome == VERDICT_NOT_RUN)
        buf_adds(&message, "not run: ");
    buf_addstr(&message, case_reason(j->input, history));
    quarantine_add(&message, history);
    buf_adds(out, "      <skipped");
    xml_attribute(out, "type", str_of(case_quarantined(history) ? "quarantined" : verdict_word(outcome)));
    xml_attribute(out, "message", buf_str(&message));
    if (case_quarantined(history)) {
        buf_addc(out, '>');
        add_text(j, test, history, journal_last(history));
        buf_adds(out, "</skipped>\n");
    } else
        buf_adds(out, "/>\n");
    buf_release(&message);
}

/* In surefire's order, which not all schemas ask for. */
static void add_elements(struct junit *j, const struct journal_test *test,
                         const struct journal_history *history)
{
    enum junit_kind kind = junit_kind(history);

    if (kind == JUNIT_FAILURE)
        add_failure(j, test, history, "failure");
    if (kind != JUNIT_SKIPPED)
        add_reruns(j, test, history, false);
    if (kind == JUNIT_SKIPPED)
        add_skipped(j, test, history);
    if (kind == JUNIT_ERROR)
        add_failure(j, test, history, "error");
    if (kind != JUNIT_SKIPPED)
        add_reruns(j, test, history, true);
    if (kind == JUNIT_FAILURE || kind == JUNIT_ERROR)
        add_streams(j, first_failed(history) ? first_failed(history) : journal_last(history));
}

/* Nothing more is said of a case that passed at once. */
static bool is_bare(const struct journal_history *history)
{
    return junit_kind(history) == JUNIT_PLAIN && !first_failed(history);
}

void junit_case(struct junit *j, const struct journal_test *test, const struct journal_history *history)
{
    struct buf *out = &j->sink->buf;

    buf_adds(out, "    <testcase");
    junit_add_names(out, history->what->id);
    junit_add_time(out, case_duration(history));
    if (!j->input->options->strict)
        junit_add_place(out, test);
    if (is_bare(history)) {
        buf_adds(out, "/>\n");
        return;
    }
    buf_adds(out, ">\n");
    add_elements(j, test, history);
    buf_adds(out, "    </testcase>\n");
}
