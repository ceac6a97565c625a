/* What is on record of results within a case: the numbers in the journal, a line for each in a file, and how they count. */
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    char path[64];
    int fd;
    struct faults faults;
    struct arena arena;
    struct diags diags;
    struct buf told; /* what was read back */
    uint32_t most;   /* are wanted */
    uint32_t count;
};

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    strcpy(s->path, "/tmp/test_results-XXXXXX");
    s->diags.arena = &s->arena;
    s->most = UINT32_MAX;
    *state = s;
    if (!mkdtemp(s->path))
        return -1;
    s->fd = dir_open(AT_FDCWD, s->path);
    return s->fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    fd_close(&s->fd);
    dir_remove(AT_FDCWD, s->path);
    arena_release(&s->arena);
    buf_release(&s->told);
    free(s);
    return 0;
}

/* ---- the file ---- */

#define NAME "cases/a/1/" JOURNAL_RESULTS_NAME

static bool tell(void *user, const struct journal_result *r)
{
    struct scene *s = user;

    buf_addf(&s->told, "%s %.*s %lld [%.*s] [%.*s] [%.*s] [%.*s] %.*s:%u %u\n", verdict_word(r->verdict),
             STR_ARG(r->id), (long long)r->duration, STR_ARG(r->message), STR_ARG(r->details),
             STR_ARG(r->out), STR_ARG(r->err), STR_ARG(r->file), r->line, r->reruns);
    return ++s->count < s->most;
}

/* 0 or an errno; what was read stands in s->told. */
static int read_back(struct scene *s, uint32_t *torn)
{
    int fd = openat(s->fd, NAME, O_RDONLY | O_CLOEXEC), result;

    assert_true(fd >= 0);
    buf_clear(&s->told);
    s->count = 0;
    result = journal_results_read(fd, tell, s, torn);
    result = result < 0 ? errno : 0;
    fd_close(&fd);
    return result;
}

static void put(struct scene *s, struct str text)
{
    int fd;

    assert_int_equal(dir_make_parents(s->fd, NAME, 0777), 0);
    fd = openat(s->fd, NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text.ptr, text.len), 0);
    fd_close(&fd);
}

static const struct journal_result given[] = {
    {.id = STR("a::b \"c\"\n"), .verdict = VERDICT_PASSED, .duration = -1},
    {STR("x"), VERDICT_FAILED, 1500000, STR("m\x01"), STR("d\nd"), STR("o"), STR("e\xff"), STR("f.c"), 12, 3},
    {.id = STR(""), .verdict = VERDICT_NOT_RUN, .duration = 0},
};

static void test_round_trip(void **state)
{
    struct scene *s = *state;
    struct journal_results_out out;
    uint32_t torn;

    for (int again = 0; again < 2; again++) { /* what is there is written anew */
        assert_int_equal(journal_results_create(&out, s->fd, NAME), 0);
        for (size_t i = 0; i < ARRAY_LEN(given); i++)
            journal_results_add(&out, &given[i]);
        assert_int_equal(journal_results_close(&out), 0);
    }
    assert_int_equal(read_back(s, &torn), 0);
    assert_int_equal(torn, 0);
    assert_string_equal(buf_text(&s->told), "passed a::b \"c\"\n -1 [] [] [] [] :0 0\n"
                                            "failed x 1500000 [m\x01] [d\nd] [o] [e\xEF\xBF\xBD] f.c:12 3\n"
                                            "not run  0 [] [] [] [] :0 0\n");
    s->most = 2;
    assert_int_equal(read_back(s, &torn), 0);
    assert_int_equal(s->count, 2);
}

static void test_write_errors(void **state)
{
    struct scene *s = *state;
    struct journal_results_out out;

    assert_int_equal(journal_results_create(&out, s->fd, "/proc/nowhere/x"), -1);
    assert_int_equal(journal_results_create(&out, s->fd, NAME), 0);
    fd_close(&out.fd);
    out.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < 20000; i++)
        journal_results_add(&out, &given[1]);
    assert_int_equal(journal_results_close(&out), ENOSPC);
}

/* What cannot be read is passed over, all else is there. */
static void test_damage(void **state)
{
    static const struct {
        struct str text;
        uint32_t count, torn;
    } rows[] = {
        {STR(""), 0, 0},
        {STR("{\"schema\":1}\n"), 0, 0},
        {STR("{\"schema\":1}\n{\"id\":\"a\",\"verdict\":\"passed\"}\n{\"id\":\"b\",\"verd"), 1, 1},
        {STR("{\"schema\":1}\nnonsense\n\n{\"id\":\"a\",\"verdict\":\"passed\"}\n"), 1, 2},
        {STR("{\"id\":\"a\",\"verdict\":\"nice\"}\n{\"id\":\"a\"}\n{\"id\":7,\"verdict\":\"passed\"}\n"), 0,
         3},
        {STR("{\"id\":\"a\",\"verdict\":\"passed\",\"new\":{\"x\":[1]}}\n"), 1, 0},
        {STR("{\"id\":\"a\",\"verdict\":\"passed\"} x\n[]\n"), 0, 2},
    };
    struct scene *s = *state;
    uint32_t torn;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put(s, rows[i].text);
        assert_int_equal(read_back(s, &torn), 0);
        if (s->count != rows[i].count || torn != rows[i].torn)
            fail_msg("row %zu: %u read, %u torn", i, s->count, torn);
    }
    put(s, (struct str)STR("{\"schema\":2}\n{\"id\":\"a\",\"verdict\":\"passed\"}\n"));
    assert_int_equal(read_back(s, &torn), EPROTONOSUPPORT);
    assert_int_equal(s->count, 0);
}

/* A line without end takes no more memory than a line may, and those after it are read. */
static void test_endless_line(void **state)
{
    struct scene *s = *state;
    struct buf text = {0};
    uint32_t torn;

    buf_adds(&text, "{\"id\":\"");
    for (size_t i = 0; i < 3 * JOURNAL_RESULT_MOST; i++)
        buf_addc(&text, 'x');
    buf_adds(&text, "\",\"verdict\":\"passed\"}\n{\"id\":\"a\",\"verdict\":\"passed\"}\n");
    put(s, buf_str(&text));
    assert_int_equal(read_back(s, &torn), 0);
    assert_int_equal(torn, 1);
    assert_string_equal(buf_text(&s->told), "passed a -1 [] [] [] [] :0 0\n");
    buf_release(&text);
}

/* Longest texts that results have. */
static void test_longest(void **state)
{
    struct scene *s = *state;
    struct journal_results_out out;
    size_t most = (size_t)64 << 10;
    char *text = mem_alloc(most);
    struct str bytes = {text, most};
    struct journal_result result = {
        .id = STR("a"), .verdict = VERDICT_FAILED, .details = bytes, .out = bytes};
    uint32_t torn;

    memset(text, 1, most);
    result.err = bytes;
    assert_int_equal(journal_results_create(&out, s->fd, NAME), 0);
    journal_results_add(&out, &result);
    journal_results_add(&out, &given[0]);
    assert_int_equal(journal_results_close(&out), 0);
    assert_int_equal(read_back(s, &torn), 0);
    assert_int_equal(torn, 0);
    assert_int_equal(s->count, 2);
    assert_true(s->told.len > 3 * most);
    free(text);
}

/* ---- numbers in the journal ---- */

static void write_run(struct scene *s, const struct journal_attempt *attempt)
{
    static const struct journal_run run = {.id = STR("r"), .cases = 1};
    static const struct journal_test test = {.name = STR("t")};
    static const struct journal_case c = {.id = STR("t")};
    struct journal *journal = journal_open(s->fd, &s->faults);

    assert_non_null(journal);
    assert_int_equal(journal_run(journal, &run), 0);
    assert_int_equal(journal_tests(journal, &test, 1), 0);
    assert_int_equal(journal_cases(journal, &c, 1), 0);
    assert_int_equal(journal_ended(journal, attempt), 0);
    journal_close(journal);
}

static void test_numbers(void **state)
{
    static const struct str problems[] = {STR("x.xml:1:2: bad"), STR("two"), STR("three"), STR("never")};
    static const struct journal_results results = {
        .verdicts = {[VERDICT_PASSED] = 7, [VERDICT_ERROR] = 1, [VERDICT_NOT_RUN] = UINT32_MAX},
        .unlisted = 5,
        .left_out = 6,
        .announced = 100,
        .asked = 7,
        .path = STR(NAME),
        .report = STR("x.xml"),
        .problems = problems,
        .problem_count = 4,
        .problems_more = 9,
    };
    struct journal_attempt attempt = {.attempt = 1,
                                      .verdict = VERDICT_FAILED,
                                      .outcome = VERDICT_FAILED,
                                      .last = true,
                                      .results = &results};
    struct journal_record record;
    const struct journal_results *read;
    struct scene *s = *state;

    write_run(s, &attempt);
    assert_true(journal_read(&s->arena, s->fd, s->path, &record, &s->diags));
    assert_int_equal(record.torn, 0);
    read = journal_last(&record.cases[0])->results;
    assert_non_null(read);
    assert_memory_equal(read->verdicts, results.verdicts, sizeof results.verdicts);
    assert_int_equal(read->unlisted, 5);
    assert_int_equal(read->left_out, 6);
    assert_int_equal(read->announced, 100);
    assert_int_equal(read->asked, 7);
    assert_true(str_is(read->path, NAME));
    assert_true(str_is(read->report, "x.xml"));
    assert_int_equal(read->problem_count, JOURNAL_PROBLEMS_MOST);
    assert_true(str_is(read->problems[2], "three"));
    assert_int_equal(read->problems_more, 9);
}

static void test_none(void **state)
{
    static const struct journal_results nothing = {.announced = -1};
    struct journal_attempt attempt = {
        .attempt = 1, .verdict = VERDICT_ERROR, .outcome = VERDICT_ERROR, .last = true};
    struct journal_record record;
    struct scene *s = *state;

    write_run(s, &attempt);
    assert_true(journal_read(&s->arena, s->fd, s->path, &record, &s->diags));
    assert_null(journal_last(&record.cases[0])->results);
    attempt.results = &nothing;
    write_run(s, &attempt);
    assert_true(journal_read(&s->arena, s->fd, s->path, &record, &s->diags));
    assert_int_equal(journal_last(&record.cases[0])->results->announced, -1);
    assert_false(journal_has_results(journal_last(&record.cases[0])));
}

/* ---- how they count ---- */

#define RESULTS(...)                           \
    .results = &(const struct journal_results) \
    {                                          \
        .verdicts = { __VA_ARGS__ }            \
    }
#define GOOD [VERDICT_PASSED] = 5, [VERDICT_FLAKY] = 1
#define BAD  [VERDICT_FAILED] = 2, [VERDICT_ERROR] = 1
#define REST [VERDICT_NOT_RUN] = 4

static const struct {
    const char *what;
    struct journal_attempt attempt;
    bool itself;
    uint64_t passed, failed, skipped, not_run, quarantined;
} counting[] = {
    {"a case without", {.outcome = VERDICT_FAILED}, true, 0, 1, 0, 0, 0},
    {"passed", {.outcome = VERDICT_PASSED, RESULTS(GOOD)}, false, 6, 0, 0, 0, 0},
    {"failed", {.outcome = VERDICT_FAILED, RESULTS(GOOD, BAD)}, false, 6, 3, 0, 0, 0},
    {"failed by itself", {.outcome = VERDICT_FAILED, RESULTS(GOOD)}, true, 6, 1, 0, 0, 0},
    {"incomplete", {.outcome = VERDICT_FAILED, RESULTS(GOOD, REST)}, true, 6, 1, 0, 4, 0},
    {"crashed", {.outcome = VERDICT_CRASHED, RESULTS(GOOD, BAD, REST)}, true, 6, 4, 0, 4, 0},
    {"leaked", {.outcome = VERDICT_LEAKED, RESULTS(GOOD)}, true, 6, 1, 0, 0, 0},
    {"error", {.outcome = VERDICT_ERROR, RESULTS(GOOD)}, true, 6, 1, 0, 0, 0},
    {"no report", {.outcome = VERDICT_ERROR, RESULTS(0)}, true, 0, 1, 0, 0, 0},
    {"cancelled", {.outcome = VERDICT_NOT_RUN, RESULTS(GOOD)}, true, 6, 0, 0, 1, 0},
    {"skipped", {.outcome = VERDICT_SKIPPED, RESULTS([VERDICT_SKIPPED] = 3)}, false, 0, 0, 3, 0, 0},
    {"skipped before the first", {.outcome = VERDICT_SKIPPED, RESULTS(0)}, true, 0, 0, 1, 0, 0},
    {"flaky", {.outcome = VERDICT_FLAKY, RESULTS(GOOD)}, false, 6, 0, 0, 0, 0},
    {"expected to fail", {.outcome = VERDICT_XFAILED, RESULTS(GOOD, BAD)}, false, 6, 0, 3, 0, 0},
    {"expected to crash", {.outcome = VERDICT_XFAILED, RESULTS(GOOD)}, true, 6, 0, 1, 0, 0},
    {"expected to fail, strictly", {.outcome = VERDICT_XPASSED_STRICT, RESULTS(GOOD)}, true, 6, 1, 0, 0, 0},
    {"quarantine",
     {.outcome = VERDICT_FAILED, .quarantined = true, RESULTS(GOOD, BAD)},
     false,
     6,
     0,
     0,
     0,
     3},
    {"quarantine and a crash",
     {.outcome = VERDICT_CRASHED, .quarantined = true, RESULTS(GOOD)},
     true,
     6,
     0,
     0,
     0,
     1},
    {"announced, and in no list",
     {.outcome = VERDICT_FAILED,
      .results = &(const struct journal_results){.verdicts = {[VERDICT_PASSED] = 1}, .unlisted = 1000}},
     true,
     1,
     1,
     0,
     1000,
     0},
};

static void test_counting(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(counting); i++) {
        struct journal_attempt attempt = counting[i].attempt;
        struct journal_history history = {.attempts = &attempt, .count = 1, .executed = true};
        struct journal_record record = {.cases = &history, .case_count = 1};
        struct journal_counts counts;
        uint64_t cases = 0, told = 0, verdicts = 0;

        attempt.last = true;
        journal_count(&record, &counts);
        if (journal_counts_itself(&history) != counting[i].itself ||
            counts.counts[COUNT_PASSED] != counting[i].passed ||
            counts.counts[COUNT_FAILED] != counting[i].failed ||
            counts.counts[COUNT_SKIPPED] != counting[i].skipped ||
            counts.counts[COUNT_NOT_RUN] != counting[i].not_run ||
            counts.quarantined != counting[i].quarantined)
            fail_msg("'%s': %d, %llu passed, %llu failed", counting[i].what, journal_counts_itself(&history),
                     (unsigned long long)counts.counts[COUNT_PASSED],
                     (unsigned long long)counts.counts[COUNT_FAILED]);
        for (int c = 0; c < COUNT_COUNT; c++) {
            cases += counts.cases[c];
            told += counts.counts[c];
        }
        for (int v = 0; v < VERDICT_COUNT; v++)
            verdicts += counts.verdicts[v];
        assert_int_equal(cases, counting[i].quarantined ? 0 : 1); /* exit codes are by outcomes of cases */
        assert_int_equal(told + counts.quarantined, verdicts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_write_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_endless_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_longest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_none, set_up, tear_down),
        cmocka_unit_test(test_counting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
