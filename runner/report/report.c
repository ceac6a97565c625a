#include "runner/report/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>

/* ---- the table ---- */

#define X(id, word, file, sentence, form) \
    [id] = &(const struct report){#word, file, sentence, report_##word##_write, form},
const struct report *const reports[REPORT_COUNT] = {REPORTS(X)};
#undef X

const struct report *report_find(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(reports); i++)
        if (str_is(word, reports[i]->word))
            return reports[i];
    return NULL;
}

/* ---- sinks ---- */

#define SINK_MUCH ((size_t)64 << 10)

void report_sink_open(struct report_sink *sink, int fd)
{
    *sink = (struct report_sink){.fd = fd};
}

static void make_harmless(struct report_sink *sink)
{
    struct buf text = {0};

    inert_add(&sink->inert, buf_str(&sink->buf), &text);
    buf_release(&sink->buf);
    sink->buf = text;
}

void report_sink_flush(struct report_sink *sink)
{
    if (sink->harmless)
        make_harmless(sink);
    if (!sink->error && sink->buf.len && fd_write_all(sink->fd, sink->buf.ptr, sink->buf.len) < 0)
        sink->error = errno;
    buf_clear(&sink->buf);
}

void report_sink_relax(struct report_sink *sink)
{
    if (sink->buf.len >= SINK_MUCH)
        report_sink_flush(sink);
}

int report_sink_close(struct report_sink *sink)
{
    report_sink_flush(sink);
    buf_release(&sink->buf);
    return sink->error;
}

/* ---- words ---- */

static const char *const labels[VERDICT_COUNT] = {
    [VERDICT_PASSED] = "PASS   ",       [VERDICT_FLAKY] = "FLAKY  ",          [VERDICT_XPASSED] = "XPASS  ",
    [VERDICT_SKIPPED] = "SKIP   ",      [VERDICT_UNSUPPORTED] = "UNSUPP ",    [VERDICT_XFAILED] = "XFAIL  ",
    [VERDICT_FAILED] = "FAIL   ",       [VERDICT_XPASSED_STRICT] = "XPASS! ", [VERDICT_CRASHED] = "CRASH  ",
    [VERDICT_TIMEOUT] = "TIMEOUT",      [VERDICT_LEAKED] = "LEAK   ",         [VERDICT_OOM] = "OOM    ",
    [VERDICT_OUTPUT_LIMIT] = "FLOOD  ", [VERDICT_ABANDONED] = "STUCK  ",      [VERDICT_LOST] = "LOST   ",
    [VERDICT_ERROR] = "ERROR  ",        [VERDICT_NOT_RUN] = "NOT RUN",
};

const char *report_label(enum verdict verdict)
{
    return labels[verdict];
}

void report_tally(const struct journal_counts *counts, struct buf *out)
{
    const uint64_t *c = counts->counts;

    buf_addf(out, "%llu passed, %llu failed", (unsigned long long)c[COUNT_PASSED],
             (unsigned long long)c[COUNT_FAILED]);
    if (c[COUNT_SKIPPED])
        buf_addf(out, ", %llu skipped", (unsigned long long)c[COUNT_SKIPPED]);
}
