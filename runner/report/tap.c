/*
 * TAP 14 under the version line of 13: prove of today calls 14 an error, and nothing here is read in another way
 * for it. The YAML is what prove's small reader takes: strings in double quotes, literals, one mapping.
 */
#include "runner/report/internal.h"

#include "runner/base/harmless.h"
#include "runner/base/json.h"
#include "runner/base/sig.h"
#include "runner/base/utf8.h"

#include <errno.h>
#include <string.h>

#define TAP_BUDGET      ((size_t)8 << 20)
#define TAP_STREAM_MOST ((size_t)8 << 10)
#define TAP_LINES       40
#define TAP_LINE_MOST   ((size_t)2 << 10)

struct tap {
    const struct report_input *input;
    struct report_sink *sink;
    size_t most;         /* of each stream */
    uint64_t number;     /* of the last point */
    size_t results_left; /* bytes that details of results may still have, all together */
};

/* ---- test lines ---- */

/* How a verdict is said: TODO is expected to fail and fails nobody, SKIP was not tried. */
struct saying {
    bool ok;
    const char *directive; /* with its space; NULL: none */
    const char *before;    /* the reason */
};

static const struct saying sayings[VERDICT_COUNT] = {
    [VERDICT_PASSED] = {.ok = true},
    [VERDICT_FLAKY] = {.ok = true},
    [VERDICT_XPASSED] = {.ok = true, .directive = "TODO", .before = ""},
    [VERDICT_SKIPPED] = {.ok = true, .directive = "SKIP", .before = ""},
    [VERDICT_UNSUPPORTED] = {.ok = true, .directive = "SKIP", .before = "unsupported: "},
    [VERDICT_XFAILED] = {.directive = "TODO", .before = ""},
    [VERDICT_NOT_RUN] = {.ok = true, .directive = "SKIP", .before = "not run: "},
    /* all others failed: nothing more to say in the line */
};

static const struct saying quarantined = {.directive = "TODO", .before = "quarantined: "};

static void add_description(struct buf *out, struct str id)
{
    struct buf shown = {0};

    utf8_show(&shown, id);
    for (size_t i = 0; i < shown.len; i++) {
        if (shown.ptr[i] == '#' || shown.ptr[i] == '\\')
            buf_addc(out, '\\');
        buf_addc(out, shown.ptr[i]);
    }
    buf_release(&shown);
}

static void add_point(struct tap *tap, const struct saying *saying, struct str id, struct str reason)
{
    struct buf *out = &tap->sink->buf;

    buf_addf(out, "%sok %llu - ", saying->ok ? "" : "not ", (unsigned long long)++tap->number);
    add_description(out, id);
    if (saying->directive) {
        buf_addf(out, " # %s %s", saying->directive, saying->before);
        utf8_show(out, reason);
    }
    buf_addc(out, '\n');
}

static void add_line(struct tap *tap, const struct journal_history *history)
{
    struct buf reason = {0};

    buf_addstr(&reason, case_reason(tap->input, history));
    quarantine_add(&reason, history);
    add_point(tap, case_quarantined(history) ? &quarantined : &sayings[journal_outcome(history)],
              history->what->id, buf_str(&reason));
    buf_release(&reason);
}

/* ---- diagnostics ---- */

static void add_string(struct buf *out, const char *key, struct str value)
{
    struct buf shown = {0};

    utf8_show(&shown, value);
    buf_addf(out, "  %s: ", key);
    json_quote(out, buf_str(&shown));
    buf_addc(out, '\n');
    buf_release(&shown);
}

static void add_place(struct buf *out, const struct journal_test *test)
{
    if (!test->file.len)
        return;
    buf_adds(out, "  at:\n  ");
    add_string(out, "file", test->file);
    buf_addf(out, "    line: %u\n", test->line);
}

/* A line of a literal: indented even when empty, for prove sees the end of the block in one that is not. */
static void add_line_of_output(void *user, struct str line)
{
    struct buf *out = user;

    buf_adds(out, "    ");
    text_harmless(out, utf8_cut(line, TAP_LINE_MOST), false);
    buf_addc(out, '\n');
}

/* Its first line is ours: one that begins with a blank would set the indent of the literal. */
static void add_output(struct tap *tap, const struct journal_output *output)
{
    struct buf *out = &tap->sink->buf;

    if (!output->size)
        return;
    buf_adds(out, "  ");
    utf8_show(out, output->name);
    buf_adds(out, ": |\n    [");
    size_format(out, output->size);
    buf_adds(out, ": ");
    output_where(tap->input, output, out);
    buf_adds(out, "]\n");
    if (output_excerpt(tap->input, output, tap->most, TAP_LINES, add_line_of_output, out) < 0)
        buf_addf(out, "    [not there any more: %s]\n", strerror(errno));
}

static void add_facts(struct buf *out, const struct journal_history *history)
{
    struct buf facts = {0};

    for (uint32_t i = 0; i < history->count; i++) {
        const struct journal_attempt *attempt = &history->attempts[i];

        if (history->count > 1) {
            buf_addf(&facts, "    attempt %u: %s ", attempt->attempt, verdict_word(attempt->verdict));
            utf8_show(&facts, attempt->reason);
            buf_addc(&facts, '\n');
        }
        attempt_said(attempt, "    ", &facts);
        attempt_facts(attempt, "    ", &facts);
    }
    if (facts.len) {
        buf_adds(out, "  facts: |\n");
        buf_addstr(out, buf_str(&facts));
    }
    buf_release(&facts);
}

static const char *severity_of(const struct journal_history *history)
{
    if (verdict_counts(journal_outcome(history)) == COUNT_PASSED)
        return "comment";
    return sayings[journal_outcome(history)].directive || case_quarantined(history) ? "todo" : "fail";
}

static void add_diagnostics(struct tap *tap, const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);
    struct buf *out = &tap->sink->buf, again = {0};

    buf_adds(out, "  ---\n");
    add_string(out, "message", case_reason(tap->input, history));
    buf_addf(out, "  severity: %s\n  verdict: %s\n", severity_of(history),
             verdict_word(journal_outcome(history)));
    buf_addf(out, "  duration_ms: %lld\n", (long long)(case_duration(history) / NS_PER_MS));
    add_place(out, &tap->input->record->tests[history->what->test]);
    if (last->signal)
        buf_addf(out, "  signal: %s\n", signal_name(last->signal));
    else if (last->status >= 0)
        buf_addf(out, "  exit: %d\n", last->status);
    add_facts(out, history);
    if (last->dump.len)
        add_string(out, "dump", last->dump);
    for (uint32_t i = 0; attempt_failed(last) && i < last->output_count; i++)
        add_output(tap, &last->outputs[i]);
    report_rerun(tap->input, history->what, &again);
    add_string(out, "again", buf_str(&again));
    buf_adds(out, "  ...\n");
    buf_release(&again);
}

/* What passed at once, was skipped or did not run has said it all in its line. */
static bool has_diagnostics(const struct journal_history *history)
{
    enum verdict outcome = journal_outcome(history);

    return journal_last(history) && outcome != VERDICT_PASSED && outcome != VERDICT_SKIPPED &&
           outcome != VERDICT_UNSUPPORTED && outcome != VERDICT_NOT_RUN;
}

/* ---- results within a case ---- */

struct points {
    struct tap *tap;
    const struct journal_history *history;
};

static void add_details(struct tap *tap, struct str details)
{
    struct buf *out = &tap->sink->buf;
    size_t most = tap->results_left < TAP_STREAM_MOST ? tap->results_left : TAP_STREAM_MOST;
    struct str rest = utf8_cut(details, most), line;

    tap->results_left -= rest.len;
    if (!rest.len)
        return;
    buf_addf(out, "  details: |\n    [%zu of %zu bytes]\n", rest.len, details.len);
    while (line_next(&rest, &line))
        add_line_of_output(out, line);
}

static void add_result_diagnostics(struct points *p, const struct journal_result *result)
{
    struct buf *out = &p->tap->sink->buf, again = {0};
    const struct journal_test place = {.file = result->file, .line = result->line};

    buf_adds(out, "  ---\n");
    add_string(out, "message", result->message);
    buf_addf(out, "  severity: %s\n  verdict: %s\n", case_quarantined(p->history) ? "todo" : "fail",
             verdict_word(result->verdict));
    if (result->duration >= 0)
        buf_addf(out, "  duration_ms: %lld\n", (long long)(result->duration / NS_PER_MS));
    add_place(out, &place);
    add_details(p->tap, result->details);
    report_rerun_result(p->tap->input, p->history->what, result->id, &again);
    add_string(out, "again", buf_str(&again));
    buf_adds(out, "  ...\n");
    buf_release(&again);
}

static bool add_result(void *user, const struct journal_result *result)
{
    struct points *p = user;
    bool failed = verdict_counts(result->verdict) == COUNT_FAILED;
    struct buf id = {0}, reason = {0};

    result_id(&id, p->history->what->id, result->id);
    buf_addstr(&reason, result->message);
    if (failed)
        quarantine_add(&reason, p->history);
    add_point(p->tap, failed && case_quarantined(p->history) ? &quarantined : &sayings[result->verdict],
              buf_str(&id), buf_str(&reason));
    buf_release(&reason);
    buf_release(&id);
    if (failed)
        add_result_diagnostics(p, result);
    report_sink_relax(p->tap->sink);
    return true;
}

static void add_case(struct tap *tap, const struct journal_history *history)
{
    struct points points = {tap, history};
    struct results_read read = results_each(tap->input, case_results(history), add_result, &points);
    struct buf trouble = {0};

    if (case_itself(history, read)) {
        add_line(tap, history);
        if (has_diagnostics(history))
            add_diagnostics(tap, history);
    }
    if (results_trouble(tap->input, journal_last(history), read, &trouble))
        buf_addf(&tap->sink->buf, "# %s\n", buf_text(&trouble));
    buf_release(&trouble);
}

/* ---- the document ---- */

static uint64_t count_points(const struct report_input *input)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < input->record->case_count; i++) {
        const struct journal_history *history = &input->record->cases[i];
        struct results_read read = results_each(input, case_results(history), NULL, NULL);

        count += read.count + case_itself(history, read);
    }
    return count;
}

static void add_plan(struct tap *tap)
{
    struct buf *out = &tap->sink->buf;

    buf_adds(out, "TAP version 13\n");
    if (tap->input->record->case_count)
        buf_addf(out, "1..%llu\n", (unsigned long long)count_points(tap->input));
    else
        buf_adds(out, "1..0 # SKIP no case was selected\n");
}

static void add_end(struct tap *tap)
{
    const struct journal_record *record = tap->input->record;
    struct buf *out = &tap->sink->buf;

    for (uint32_t i = 0; i < record->note_count; i++) {
        buf_adds(out, "# ");
        utf8_show(out, record->notes[i]);
        buf_addc(out, '\n');
    }
    if (record->cancelled.len) {
        buf_adds(out, "Bail out! ");
        utf8_show(out, record->cancelled);
        buf_addc(out, '\n');
    } else if (!record->finished) {
        buf_addf(out, "Bail out! the run %s\n", tap->input->going_on ? "is going on" : "died");
    }
}

void report_tap_write(const struct report_input *input, struct report_sink *sink)
{
    struct tap tap = {.input = input, .sink = sink, .results_left = TAP_BUDGET};

    tap.most = output_share(input->record, TAP_BUDGET, TAP_STREAM_MOST);
    add_plan(&tap);
    for (uint32_t i = 0; i < input->record->case_count; i++) {
        add_case(&tap, &input->record->cases[i]);
        report_sink_relax(sink);
    }
    add_end(&tap);
}
