/* One case at length: what it came to, the head of its dump, and the end of what it printed. */
#include "runner/report/markdown.h"

#include "runner/base/harmless.h"
#include "runner/base/utf8.h"

#define ID_MOST      300
#define REASON_MOST  400
#define LINE_MOST    300
#define DUMP_LINES   40
#define OUTPUT_LINES 20
#define OUTPUT_BYTES ((size_t)8 << 10)
#define SAID_MOST    ((size_t)8 << 10)
#define RESULTS_MOST 20

struct lines {
    struct buf *out;
    uint32_t left;
};

static void add_line(void *user, struct str line)
{
    struct lines *lines = user;
    struct str shown = utf8_cut(line, LINE_MOST);

    if (!lines->left)
        return;
    lines->left--;
    text_harmless(lines->out, shown, false);
    buf_adds(lines->out, shown.len < line.len ? "...\n" : "\n");
}

/* ---- results inside ---- */

struct results {
    const struct journal_history *history;
    struct buf *out;
    uint32_t shown, more;
};

static bool add_result(void *user, const struct journal_result *result)
{
    struct results *r = user;
    struct str message = result->message, line = {0};

    if (verdict_counts(result->verdict) != COUNT_FAILED)
        return true;
    if (r->shown == RESULTS_MOST) {
        r->more++;
        return true;
    }
    r->shown++;
    line_next(&message, &line);
    buf_addf(r->out, "- %s ", markdown_mark(result->verdict));
    markdown_code(r->out, result->id, ID_MOST);
    if (line.len) {
        buf_adds(r->out, ": ");
        markdown_inline(r->out, line, REASON_MOST);
    }
    buf_addc(r->out, '\n');
    return true;
}

static void add_results(const struct report_input *input, const struct journal_history *history,
                        struct buf *out)
{
    struct results r = {history, out, 0, 0};

    if (!case_results(history))
        return;
    results_each(input, case_results(history), add_result, &r);
    if (r.more)
        buf_addf(out, "- and %u more\n", r.more);
    buf_addc(out, '\n');
}

/* ---- the attempt that failed ---- */

static void add_facts(const struct journal_attempt *attempt, struct buf *out)
{
    struct buf lines = {0};

    attempt_said(attempt, "", &lines);
    attempt_facts(attempt, "", &lines);
    markdown_block(out, utf8_cut(buf_str(&lines), SAID_MOST));
    buf_release(&lines);
}

static void add_dump(const struct report_input *input, const struct journal_attempt *attempt, struct buf *out)
{
    struct buf text = {0}, where = {0};
    struct lines lines = {&text, DUMP_LINES};

    if (!attempt->dump.len)
        return;
    dump_where(input, attempt, &where);
    markdown_inline(out, buf_str(&where), SIZE_MAX);
    buf_adds(out, "\n\n");
    dump_lines(input, attempt, add_line, &lines);
    markdown_block(out, buf_str(&text));
    buf_release(&text);
    buf_release(&where);
}

static void add_output(const struct report_input *input, const struct journal_output *output, struct buf *out)
{
    struct buf text = {0}, where = {0};
    struct lines lines = {&text, OUTPUT_LINES + 1};

    if (!output->size)
        return;
    output_where(input, output, &where);
    markdown_inline(out, output->name, ID_MOST);
    buf_adds(out, " (");
    size_format(out, output->size);
    buf_adds(out, "): ");
    markdown_inline(out, buf_str(&where), SIZE_MAX);
    buf_adds(out, "\n\n");
    output_excerpt(input, output, OUTPUT_BYTES, OUTPUT_LINES, add_line, &lines);
    markdown_block(out, buf_str(&text));
    buf_release(&text);
    buf_release(&where);
}

static const struct journal_attempt *failed_attempt(const struct journal_history *history)
{
    for (uint32_t i = history->count; i-- > 0;)
        if (attempt_failed(&history->attempts[i]))
            return &history->attempts[i];
    return NULL;
}

void markdown_case(const struct report_input *input, const struct journal_history *history, bool open,
                   struct buf *out)
{
    const struct journal_attempt *attempt = failed_attempt(history);
    struct str reason = case_reason(input, history);
    struct buf again = {0};

    buf_addf(out, "<details%s><summary>%s ", open ? " open" : "", markdown_mark(journal_outcome(history)));
    markdown_code(out, history->what->id, ID_MOST);
    buf_addf(out, " %s", verdict_word(journal_outcome(history)));
    if (reason.len) {
        buf_adds(out, ": ");
        markdown_inline(out, reason, REASON_MOST);
    }
    buf_adds(out, "</summary>\n\n");
    add_results(input, history, out);
    if (attempt) {
        add_facts(attempt, out);
        add_dump(input, attempt, out);
        for (uint32_t i = 0; i < attempt->output_count; i++)
            add_output(input, &attempt->outputs[i], out);
    }
    report_rerun(input, history->what, &again);
    buf_adds(out, "again: ");
    markdown_code(out, buf_str(&again), SIZE_MAX);
    buf_adds(out, "\n\n</details>\n\n");
    buf_release(&again);
}
