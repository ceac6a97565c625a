/* A testcase for each result within a case: its own file and line, its own words and output. */
#include "runner/report/junit.h"

#include "runner/base/harmless.h"
#include "runner/base/utf8.h"

struct writing {
    struct junit *j;
    const struct journal_test *test;
    const struct journal_history *history;
    struct earlier earlier;
    struct junit_totals *totals; /* NULL: they are written */
};

static bool is_quarantined(const struct journal_history *history, const struct journal_result *result)
{
    return case_quarantined(history) && verdict_counts(result->verdict) == COUNT_FAILED;
}

static enum junit_kind kind_of(const struct journal_history *history, const struct journal_result *result)
{
    if (is_quarantined(history, result))
        return JUNIT_SKIPPED;
    switch (verdict_counts(result->verdict)) {
    case COUNT_PASSED: return JUNIT_PLAIN;
    case COUNT_FAILED: return result->verdict == VERDICT_ERROR ? JUNIT_ERROR : JUNIT_FAILURE;
    default: return JUNIT_SKIPPED;
    }
}

/* ---- texts, as long as there is room for them ---- */

static void add_lines(struct writing *w, struct str text)
{
    struct junit *j = w->j;
    struct str rest = utf8_cut(text, j->results_left < j->most ? j->results_left : j->most), line;
    bool cut = rest.len < text.len;

    j->results_left -= rest.len;
    while (line_next(&rest, &line)) {
        buf_clear(&j->line);
        text_harmless(&j->line, line, false);
        xml_text(&j->sink->buf, buf_str(&j->line));
        buf_addc(&j->sink->buf, '\n');
    }
    if (cut)
        buf_addf(&j->sink->buf, "[... %zu bytes left out]\n", text.len - utf8_cut(text, j->most).len);
}

static void add_stream(struct writing *w, const char *element, struct str text)
{
    struct buf *out = &w->j->sink->buf;

    if (!text.len)
        return;
    buf_addf(out, "      <%s>", element);
    add_lines(w, text);
    buf_addf(out, "</%s>\n", element);
}

static struct str message_of(const struct journal_result *result)
{
    return result->message.len ? result->message : str_of(verdict_word(result->verdict));
}

static void add_type_and_message(struct buf *out, enum verdict verdict, struct str message)
{
    xml_attribute(out, "type", str_of(verdict_word(verdict)));
    xml_attribute(out, "message", message);
}

/* "file:line: message" comes first, as readers that annotate want it. */
static void add_text(struct writing *w, const struct journal_result *result)
{
    struct buf text = {0};

    if (result->file.len) {
        buf_addstr(&text, result->file);
        buf_addf(&text, ":%u: ", result->line ? result->line : 1);
    }
    buf_addstr(&text, message_of(result));
    buf_addc(&text, '\n');
    xml_text(&w->j->sink->buf, buf_str(&text));
    if (!str_eq(result->details, result->message))
        add_lines(w, result->details);
    buf_clear(&text);
    buf_adds(&text, "again: ");
    report_rerun_result(w->j->input, w->history->what, result->id, &text);
    buf_addc(&text, '\n');
    xml_text(&w->j->sink->buf, buf_str(&text));
    buf_release(&text);
}

/* ---- elements ---- */

static void add_failure(struct writing *w, const struct journal_result *result, const char *element)
{
    struct buf *out = &w->j->sink->buf;

    buf_addf(out, "      <%s", element);
    add_type_and_message(out, result->verdict, message_of(result));
    buf_addc(out, '>');
    add_text(w, result);
    buf_addf(out, "</%s>\n", element);
}

static void add_skipped(struct writing *w, const struct journal_result *result)
{
    struct buf *out = &w->j->sink->buf, message = {0};
    bool quarantined = is_quarantined(w->history, result);

    buf_adds(&message, quarantined ? "quarantined: " : result->verdict == VERDICT_NOT_RUN ? "not run: " : "");
    buf_addstr(&message, result->message);
    if (quarantined)
        quarantine_add(&message, w->history);
    buf_adds(out, "      <skipped");
    xml_attribute(out, "type", str_of(quarantined ? "quarantined" : verdict_word(result->verdict)));
    xml_attribute(out, "message", buf_str(&message));
    buf_adds(out, quarantined ? ">" : "/>\n");
    if (quarantined) {
        add_text(w, result);
        buf_adds(out, "</skipped>\n");
    }
    buf_release(&message);
}

static void add_flaky(struct writing *w, const char *element, enum verdict verdict, struct str message)
{
    struct buf *out = &w->j->sink->buf;

    buf_addf(out, "      <%s", element);
    add_type_and_message(out, verdict, message.len ? message : str_of(verdict_word(verdict)));
    buf_addf(out, "/>\n");
}

/* In earlier attempts, and in this one where the suite has run it again by itself. */
static void add_flaky_all(struct writing *w, const struct journal_result *result)
{
    uint32_t count;
    const struct earlier_failure *failure = earlier_find(&w->earlier, result->id, &count);

    for (int errors = 0; errors < 2; errors++)
        for (uint32_t i = 0; i < count; i++)
            if ((failure[i].verdict == VERDICT_ERROR) == errors)
                add_flaky(w, errors ? "flakyError" : "flakyFailure", failure[i].verdict, failure[i].message);
    if (result->reruns)
        add_flaky(w, "flakyFailure", VERDICT_FAILED, result->message);
}

static void add_elements(struct writing *w, const struct journal_result *result, enum junit_kind kind)
{
    if (kind == JUNIT_FAILURE)
        add_failure(w, result, "failure");
    if (kind == JUNIT_SKIPPED)
        add_skipped(w, result);
    if (kind == JUNIT_ERROR)
        add_failure(w, result, "error");
    if (kind == JUNIT_PLAIN)
        add_flaky_all(w, result);
    add_stream(w, "system-out", result->out);
    add_stream(w, "system-err", result->err);
}

static bool is_bare(const struct journal_result *result)
{
    return result->verdict == VERDICT_PASSED && !result->out.len && !result->err.len;
}

static void add_place(struct writing *w, const struct journal_result *result)
{
    struct buf *out = &w->j->sink->buf;

    if (w->j->input->options->strict)
        return;
    if (!result->file.len) {
        junit_add_place(out, w->test);
        return;
    }
    xml_attribute(out, "file", result->file);
    if (result->line)
        buf_addf(out, " line=\"%u\"", result->line);
}

static void write_one(struct writing *w, const struct journal_result *result)
{
    struct buf *out = &w->j->sink->buf, id = {0};

    result_id(&id, w->history->what->id, result->id);
    buf_adds(out, "    <testcase");
    junit_add_names(out, buf_str(&id));
    junit_add_time(out, result->duration);
    add_place(w, result);
    buf_release(&id);
    if (is_bare(result)) {
        buf_adds(out, "/>\n");
    } else {
        buf_adds(out, ">\n");
        add_elements(w, result, kind_of(w->history, result));
        buf_adds(out, "    </testcase>\n");
    }
    report_sink_relax(w->j->sink);
}

/* ---- those of a case ---- */

void junit_count(struct junit_totals *totals, enum junit_kind kind)
{
    totals->tests++;
    switch (kind) {
    case JUNIT_PLAIN: break;
    case JUNIT_SKIPPED: totals->skipped++; break;
    case JUNIT_FAILURE: totals->failures++; break;
    case JUNIT_ERROR: totals->errors++; break;
    }
}

static bool each(void *user, const struct journal_result *result)
{
    struct writing *w = user;

    if (w->totals)
        junit_count(w->totals, kind_of(w->history, result));
    else
        write_one(w, result);
    return true;
}

void junit_count_results(struct junit *j, const struct journal_history *history, struct junit_totals *totals)
{
    struct writing w = {.j = j, .history = history, .totals = totals};

    if (case_itself(history, results_each(j->input, case_results(history), each, &w)))
        junit_count(totals, junit_kind(history));
}

void junit_results(struct junit *j, const struct journal_test *test, const struct journal_history *history)
{
    struct writing w = {.j = j, .test = test, .history = history};

    earlier_load(j->input, history, &w.earlier);
    if (case_itself(history, results_each(j->input, case_results(history), each, &w)))
        junit_case(j, test, history);
    earlier_release(&w.earlier);
}
