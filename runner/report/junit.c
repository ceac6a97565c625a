/*
 * JUnit XML as its readers have it: docs/reports.md. One testsuite per test of run-matrix.yaml; the cell is part of the
 * class name, for GitLab knows a case by class name and name alone.
 */
#include "runner/report/junit.h"

#include "runner/base/mem.h"

#include <stdlib.h>

/* ---- totals ---- */

static void totals_add(struct junit *j, struct junit_totals *totals, const struct journal_history *history)
{
    totals->duration += case_duration(history);
    junit_count_results(j, history, totals);
}

static void add_totals(struct buf *out, const struct junit_totals *totals)
{
    buf_addf(out, " tests=\"%llu\" failures=\"%llu\" errors=\"%llu\"", (unsigned long long)totals->tests,
             (unsigned long long)totals->failures, (unsigned long long)totals->errors);
}

/* ---- one suite ---- */

static void add_property(struct buf *out, const char *name, struct str value)
{
    buf_adds(out, "      <property");
    xml_attribute(out, "name", str_of(name));
    xml_attribute(out, "value", value);
    buf_adds(out, "/>\n");
}

static void add_properties(struct buf *out, const struct journal_run *run)
{
    buf_adds(out, "    <properties>\n");
    add_property(out, "run", run->id);
    add_property(out, "version", run->version);
    add_property(out, "containment", run->containment);
    if (run->containment_why.len)
        add_property(out, "containment-why", run->containment_why);
    if (run->profile.len)
        add_property(out, "profile", run->profile);
    buf_adds(out, "    </properties>\n");
}

/* When the first of its attempts began, or the run where none did. No zone, for many readers know none: it is UTC. */
static void add_timestamp(struct buf *out, const struct journal_record *record, const uint32_t *cases,
                          uint32_t count)
{
    nanos first = -1;

    for (uint32_t i = 0; i < count; i++) {
        const struct journal_attempt *attempts = record->cases[cases[i]].attempts;

        if (record->cases[cases[i]].count && (first < 0 || attempts[0].at - attempts[0].duration < first))
            first = attempts[0].at - attempts[0].duration;
    }
    buf_adds(out, " timestamp=\"");
    time_format(out, record->run.wall + (first > 0 ? first / NS_PER_MS : 0));
    buf_addc(out, '"');
}

static void write_suite(struct junit *j, const struct journal_test *test, const uint32_t *cases,
                        uint32_t count)
{
    const struct journal_record *record = j->input->record;
    struct buf *out = &j->sink->buf;
    struct junit_totals totals = {0};

    for (uint32_t i = 0; i < count; i++)
        totals_add(j, &totals, &record->cases[cases[i]]);
    buf_adds(out, "  <testsuite");
    xml_attribute(out, "name", test->name);
    add_totals(out, &totals);
    buf_addf(out, " skipped=\"%llu\"", (unsigned long long)totals.skipped);
    junit_add_time(out, totals.duration);
    add_timestamp(out, record, cases, count);
    buf_adds(out, ">\n");
    add_properties(out, &record->run);
    for (uint32_t i = 0; i < count; i++) {
        junit_results(j, test, &record->cases[cases[i]]);
        report_sink_relax(j->sink);
    }
    buf_adds(out, "  </testsuite>\n");
}

/* ---- the document ---- */

/* Numbers of cases, those of one test together and in order; `ends[i]` is where test i's are over. */
static uint32_t *sort_cases(const struct journal_record *record, uint32_t *ends)
{
    uint32_t *sorted = mem_zero(record->case_count + (size_t)1, sizeof *sorted);
    uint32_t sum = 0;

    for (uint32_t i = 0; i < record->case_count; i++)
        ends[record->cases[i].what->test]++;
    for (uint32_t i = 0; i < record->test_count; i++) {
        uint32_t count = ends[i];

        ends[i] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < record->case_count; i++)
        sorted[ends[record->cases[i].what->test]++] = i;
    return sorted;
}

static void write_suites(struct junit *j)
{
    const struct journal_record *record = j->input->record;
    uint32_t *ends = mem_zero(record->test_count + (size_t)1, sizeof *ends);
    uint32_t *sorted = sort_cases(record, ends);

    for (uint32_t i = 0, from = 0; i < record->test_count; from = ends[i++])
        if (ends[i] > from)
            write_suite(j, &record->tests[i], sorted + from, ends[i] - from);
    free(sorted);
    free(ends);
}

static void write_head(struct junit *j)
{
    const struct journal_record *record = j->input->record;
    struct buf *out = &j->sink->buf;
    struct junit_totals totals = {0};

    for (uint32_t i = 0; i < record->case_count; i++)
        totals_add(j, &totals, &record->cases[i]);
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"run-matrix\"");
    add_totals(out, &totals);
    if (!j->input->options->strict)
        buf_addf(out, " skipped=\"%llu\"", (unsigned long long)totals.skipped);
    junit_add_time(out, record->duration);
    if (!j->input->options->strict)
        add_timestamp(out, record, NULL, 0);
    buf_adds(out, ">\n");
}

void report_junit_write(const struct report_input *input, struct report_sink *sink)
{
    struct junit j = {.input = input, .sink = sink, .results_left = JUNIT_BUDGET};

    j.most = output_share(input->record, JUNIT_BUDGET, JUNIT_STREAM_MOST);
    write_head(&j);
    write_suites(&j);
    buf_adds(&sink->buf, "</testsuites>\n");
    buf_release(&j.line);
}
