/* The results of one case for people: those that failed with what they say, those that did not run, the others on request. */
#include "runner/report/internal.h"

#include "runner/base/harmless.h"
#include "runner/base/utf8.h"

#define INDENT       "        "
#define GUTTER       INDENT "  | "
#define FAILED_MOST  20 /* at length; -v: all */
#define OTHERS_MOST  100
#define DETAILS_MOST 15 /* lines, from the end */
#define NAMED_MOST   5
#define LINE_MOST    ((size_t)2 << 10)

struct telling {
    const struct report_input *input;
    const struct journal_history *history;
    struct report_sink *sink;
    uint32_t told, failed;
    struct buf not_run; /* names of some */
    uint32_t named;
};

static bool wants_all(const struct telling *t)
{
    return t->input->options->verbose > 0;
}

static bool has_failed(const struct journal_result *result)
{
    return verdict_counts(result->verdict) == COUNT_FAILED;
}

/* ---- one result ---- */

/* Begins where only so many lines are left. */
static struct str tail_of(struct str text, uint32_t lines)
{
    size_t at = text.len;

    if (at && text.ptr[at - 1] == '\n')
        at--;
    while (at > 0) {
        if (text.ptr[at - 1] == '\n' && !--lines)
            break;
        at--;
    }
    return str_slice(text, at, text.len);
}

static void add_text(const struct telling *t, const char *title, struct str text)
{
    struct buf *out = &t->sink->buf;
    struct str tail = wants_all(t) ? text : tail_of(text, DETAILS_MOST), line;

    if (!text.len)
        return;
    if (*title)
        buf_addf(out, INDENT "  %s:\n", title);
    if (tail.len < text.len) {
        buf_adds(out, GUTTER "[... ");
        size_format(out, text.len - tail.len);
        buf_adds(out, " left out]\n");
    }
    while (line_next(&tail, &line)) {
        buf_adds(out, GUTTER);
        text_harmless(out, utf8_cut(line, LINE_MOST), t->input->options->colour);
        buf_addc(out, '\n');
        report_sink_relax(t->sink);
    }
}

/* "FAIL    clients::tests/test_a.py::test_x  0.2s" */
static void add_head(const struct telling *t, const char *indent, const struct journal_result *result)
{
    struct buf *out = &t->sink->buf;

    buf_adds(out, indent);
    add_label(t->input, result->verdict, out);
    buf_addc(out, ' ');
    result_id(out, t->history->what->id, result->id);
    if (result->duration >= 0) {
        buf_adds(out, "  ");
        span_format(out, result->duration);
    }
    if (result->reruns)
        buf_addf(out, "  (failed %u time%s before)", result->reruns, result->reruns == 1 ? "" : "s");
    buf_addc(out, '\n');
}

static void add_message(const struct telling *t, const struct journal_result *result)
{
    struct buf *out = &t->sink->buf;

    if (result->message.len) {
        buf_adds(out, INDENT "  ");
        utf8_show(out, result->message);
        buf_addc(out, '\n');
    }
    if (!result->file.len)
        return;
    buf_adds(out, INDENT "  ");
    utf8_show(out, result->file);
    if (result->line)
        buf_addf(out, ":%u", result->line);
    buf_addc(out, '\n');
}

static void add_again(const struct telling *t, const char *indent, const struct journal_result *result)
{
    buf_addf(&t->sink->buf, "%sagain: ", indent);
    report_rerun_result(t->input, t->history->what, result->id, &t->sink->buf);
    buf_addc(&t->sink->buf, '\n');
}

static void add_texts(const struct telling *t, const struct journal_result *result)
{
    if (!str_eq(result->details, result->message))
        add_text(t, "", result->details);
    add_text(t, "stdout", result->out);
    add_text(t, "stderr", result->err);
}

/* ---- those of a case ---- */

static bool add_failed(void *user, const struct journal_result *result)
{
    struct telling *t = user;

    if (result->verdict == VERDICT_NOT_RUN && t->named < NAMED_MOST) {
        buf_adds(&t->not_run, t->named++ ? ", " : "");
        utf8_show(&t->not_run, result->id);
    }
    if (!has_failed(result))
        return true;
    t->failed++;
    if (t->told >= FAILED_MOST && !wants_all(t))
        return true;
    t->told++;
    add_head(t, INDENT, result);
    add_message(t, result);
    add_texts(t, result);
    add_again(t, INDENT "  ", result);
    report_sink_relax(t->sink);
    return true;
}

static void add_not_run(struct telling *t, const struct journal_results *results)
{
    uint64_t count = results->verdicts[VERDICT_NOT_RUN] + results->unlisted;
    struct buf *out = &t->sink->buf;

    if (!count)
        return;
    buf_addf(out, INDENT "not run: %s", t->named ? buf_text(&t->not_run) : "");
    if (count > t->named)
        buf_addf(out, "%s%llu%s", t->named ? " and " : "", (unsigned long long)(count - t->named),
                 t->named ? " more" : " that were announced");
    buf_addc(out, '\n');
}

static bool add_other(void *user, const struct journal_result *result)
{
    struct telling *t = user;

    if (has_failed(result))
        return true;
    if (t->told >= OTHERS_MOST && !wants_all(t)) {
        buf_adds(&t->sink->buf, INDENT "... and more; -v shows all\n");
        return false;
    }
    t->told++;
    add_head(t, INDENT, result);
    if (result->verdict != VERDICT_PASSED)
        add_message(t, result);
    report_sink_relax(t->sink);
    return true;
}

static void add_problems(struct telling *t, const struct journal_results *results)
{
    struct buf *out = &t->sink->buf;

    for (uint32_t i = 0; i < results->problem_count; i++) {
        buf_adds(out, INDENT "report: ");
        utf8_show(out, results->problems[i]);
        buf_addc(out, '\n');
    }
    if (results->problems_more)
        buf_addf(out, INDENT "report: and %u more\n", results->problems_more);
    if (results->left_out)
        buf_addf(out, INDENT "report: %llu more tests than are kept\n",
                 (unsigned long long)results->left_out);
}

void case_results_tell(const struct report_input *input, const struct journal_history *history,
                       struct report_sink *sink)
{
    const struct journal_attempt *last = journal_last(history);
    struct telling t = {input, history, sink, .told = 0};
    struct results_read read;

    if (!last || !last->results)
        return;
    read = results_each(input, last, add_failed, &t);
    if (t.failed > t.told)
        buf_addf(&sink->buf, INDENT "... and %u more failed; -v shows all\n", t.failed - t.told);
    add_not_run(&t, last->results);
    t.told = 0;
    if (input->options->results)
        results_each(input, last, add_other, &t);
    add_problems(&t, last->results);
    buf_adds(&sink->buf, read.error || read.torn ? INDENT : "");
    if (results_trouble(input, last, read, &sink->buf))
        buf_addc(&sink->buf, '\n');
    buf_release(&t.not_run);
}

void report_result(const struct report_input *input, const struct journal_history *history,
                   const struct journal_result *result, struct report_sink *sink)
{
    struct telling t = {input, history, sink, .told = 0};

    add_head(&t, "", result);
    add_message(&t, result);
    add_texts(&t, result);
    add_again(&t, INDENT, result);
    report_sink_relax(sink);
}

/* ---- looking for some ---- */

struct finding {
    const struct report_input *input;
    const struct journal_history *history;
    report_result_wanted *wanted;
    void *user;
    struct report_sink *sink;
    struct buf id;
    uint32_t found;
};

static bool find(void *user, const struct journal_result *result)
{
    struct finding *f = user;

    buf_clear(&f->id);
    result_id(&f->id, f->history->what->id, result->id);
    if (!f->wanted(f->user, buf_str(&f->id)))
        return true;
    f->found++;
    report_result(f->input, f->history, result, f->sink);
    return true;
}

uint32_t report_results(const struct report_input *input, const struct journal_history *history,
                        report_result_wanted *wanted, void *user, struct report_sink *sink)
{
    struct finding f = {input, history, wanted, user, sink, {0}, 0};

    results_each(input, journal_last(history), find, &f);
    buf_release(&f.id);
    return f.found;
}
