/* One case at length, for the end of a run and for `show`. */
#include "runner/report/internal.h"

#include "runner/base/harmless.h"
#include "runner/base/utf8.h"

#include <errno.h>
#include <string.h>

#define INDENT     "        "
#define GUTTER     INDENT "  | "
#define LINES_MOST 80 /* of output, all streams together; -v: all */
#define BYTES_MOST ((size_t)64 << 10)
#define LINE_MOST  ((size_t)2 << 10)

static bool wants_all(const struct report_input *input)
{
    return input->options->verbose > 0;
}

/* ---- labels ---- */

static const char *const colours[COUNT_COUNT] = {
    [COUNT_PASSED] = "\x1b[32m",
    [COUNT_FAILED] = "\x1b[1;31m",
    [COUNT_SKIPPED] = "\x1b[33m",
    [COUNT_NOT_RUN] = "\x1b[36m",
};

void add_label(const struct report_input *input, enum verdict verdict, struct buf *out)
{
    if (!input->options->colour)
        buf_adds(out, report_label(verdict));
    else
        buf_addf(out, "%s%s\x1b[0m", colours[verdict_counts(verdict)], report_label(verdict));
}

/* ---- captured output ---- */

struct gutter {
    const struct report_input *input;
    struct report_sink *sink;
};

static void add_line(void *user, struct str line)
{
    struct gutter *g = user;
    struct buf *out = &g->sink->buf;
    size_t most = wants_all(g->input) ? SIZE_MAX : LINE_MOST;

    buf_adds(out, GUTTER);
    text_harmless(out, utf8_cut(line, most), g->input->options->colour);
    if (line.len > most) {
        buf_adds(out, " [... ");
        size_format(out, line.len - most);
        buf_adds(out, " of the line left out]");
    }
    buf_addc(out, '\n');
    report_sink_relax(g->sink);
}

static void add_output(struct gutter *g, const struct journal_output *output, size_t lines)
{
    struct buf *out = &g->sink->buf;
    int result;

    buf_adds(out, INDENT);
    utf8_show(out, output->name);
    buf_adds(out, " (");
    size_format(out, output->size);
    buf_adds(out, "): ");
    output_where(g->input, output, out);
    buf_addc(out, '\n');
    if (!output->path.len && output->offset < 0)
        return;
    if (wants_all(g->input))
        result = output_lines(g->input, output, add_line, g);
    else
        result = output_excerpt(g->input, output, BYTES_MOST, lines, add_line, g);
    if (result < 0)
        buf_addf(out, INDENT "  [not there any more: %s]\n", strerror(errno));
}

static void add_dump(const struct report_input *input, const struct journal_attempt *attempt,
                     struct report_sink *sink)
{
    struct gutter g = {input, sink};

    if (!attempt->dump.len)
        return;
    buf_adds(&sink->buf, INDENT);
    dump_where(input, attempt, &sink->buf);
    buf_addc(&sink->buf, '\n');
    if (dump_lines(input, attempt, add_line, &g) < 0)
        buf_addf(&sink->buf, INDENT "  [not there any more: %s]\n", strerror(errno));
}

static void add_outputs(const struct report_input *input, const struct journal_attempt *attempt,
                        struct report_sink *sink)
{
    struct gutter g = {input, sink};
    size_t filled = 0;

    for (uint32_t i = 0; i < attempt->output_count; i++)
        filled += attempt->outputs[i].size > 0;
    for (uint32_t i = 0; i < attempt->output_count; i++)
        if (attempt->outputs[i].size > 0)
            add_output(&g, &attempt->outputs[i], LINES_MOST / filled);
    if (!filled && (attempt->status >= 0 || attempt->signal))
        buf_adds(&sink->buf, INDENT "it printed nothing\n");
}

#define FILES_NAMED 5

/* Names and sizes: what its test had to say of them stands in the test's own words. */
static void add_files(const struct report_input *input, const struct journal_files *files, struct buf *out)
{
    uint64_t all = files->count + files->more;
    uint32_t named = files->count < FILES_NAMED || wants_all(input) ? files->count : FILES_NAMED;

    buf_addf(out, INDENT "%llu file%s (", (unsigned long long)all, all == 1 ? "" : "s");
    size_format(out, files->size);
    buf_adds(out, files->folder.len ? ") in " : "), not kept");
    if (files->folder.len) {
        buf_adds(out, input->path);
        buf_addc(out, '/');
        utf8_show(out, files->folder);
    }
    for (uint32_t i = 0; i < named; i++) {
        buf_adds(out, i ? ", " : ": ");
        utf8_show(out, files->list[i].name);
        buf_adds(out, " (");
        size_format(out, files->list[i].size);
        buf_addc(out, ')');
    }
    if (all > named)
        buf_addf(out, " and %llu more", (unsigned long long)(all - named));
    buf_addc(out, '\n');
}

/* ---- attempts ---- */

/* "attempt 1: timeout: timed out after 10s, 10.4s" */
static void add_attempt_line(const struct journal_attempt *attempt, struct buf *out)
{
    buf_addf(out, INDENT "attempt %u: %s", attempt->attempt, verdict_word(attempt->verdict));
    if (attempt->reason.len) {
        buf_adds(out, ": ");
        utf8_show(out, attempt->reason);
    }
    buf_adds(out, ", ");
    span_format(out, attempt->duration);
    buf_addc(out, '\n');
}

static void add_usage(const struct journal_attempt *attempt, struct buf *out)
{
    buf_adds(out, INDENT "user ");
    span_format(out, attempt->user);
    buf_adds(out, ", system ");
    span_format(out, attempt->system);
    buf_adds(out, ", at most ");
    size_format(out, attempt->rss > 0 ? (uint64_t)attempt->rss << 10 : 0);
    buf_adds(out, " in memory\n");
}

static void add_attempts(const struct report_input *input, const struct journal_history *history,
                         struct report_sink *sink)
{
    for (uint32_t i = 0; i < history->count; i++) {
        const struct journal_attempt *attempt = &history->attempts[i];
        bool at_length = wants_all(input) || i + 1 == history->count;

        if (history->count > 1)
            add_attempt_line(attempt, &sink->buf);
        if (!at_length)
            continue;
        attempt_crash(attempt, INDENT, &sink->buf);
        attempt_facts(attempt, INDENT, &sink->buf);
        if (wants_all(input))
            add_usage(attempt, &sink->buf);
        if (i + 1 == history->count)
            case_results_tell(input, history, sink);
        add_dump(input, attempt, sink);
        add_outputs(input, attempt, sink);
        if (attempt->files)
            add_files(input, attempt->files, &sink->buf);
    }
}

static void add_quarantine(const struct report_input *input, const struct journal_history *history,
                           struct buf *out)
{
    const struct journal_quarantine *quarantine = case_quarantine(history);

    if (case_quarantined(history))
        buf_adds(out, INDENT "in quarantine: this does not fail the run");
    else if (case_released(history))
        buf_adds(out, INDENT "its quarantine is over: this fails the run");
    else
        return;
    if (quarantine) {
        buf_adds(out, "; ");
        quarantine_tell(out, input->record, quarantine);
    }
    buf_addc(out, '\n');
}

static void add_head(const struct report_input *input, const struct journal_history *history, struct buf *out)
{
    /* Where there are several attempts, each tells its own. */
    struct str reason = history->count > 1 ? (struct str){0} : case_reason(input, history);

    add_label(input, journal_outcome(history), out);
    buf_addc(out, ' ');
    utf8_show(out, history->what->id);
    if (history->count) {
        buf_adds(out, "  ");
        span_format(out, case_duration(history));
    }
    buf_addc(out, '\n');
    if (reason.len) {
        buf_adds(out, INDENT);
        utf8_show(out, reason);
        buf_addc(out, '\n');
    }
    add_quarantine(input, history, out);
}

void report_case(const struct report_input *input, const struct journal_history *history,
                 struct report_sink *sink)
{
    add_head(input, history, &sink->buf);
    add_attempts(input, history, sink);
    buf_adds(&sink->buf, INDENT "again: ");
    report_rerun(input, history->what, &sink->buf);
    buf_addc(&sink->buf, '\n');
    report_sink_relax(sink);
}
