#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/json.h"
#include "runner/base/mem.h"
#include "runner/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define US 1000LL

/* A folder of its own for each test. */
struct scene {
    char path[64];
    int fd;
    struct faults faults;
    struct arena arena;
    struct diags diags;
    struct buf text; /* of the journal, when asked for */
};

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    strcpy(s->path, "/tmp/test_journal-XXXXXX");
    s->diags.arena = &s->arena;
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
    buf_release(&s->text);
    free(s);
    return 0;
}

static struct journal *opened(struct scene *s)
{
    struct journal *journal = journal_open(s->fd, &s->faults);

    assert_non_null(journal);
    return journal;
}

static struct str content(struct scene *s)
{
    int fd = openat(s->fd, JOURNAL_NAME, O_RDONLY | O_CLOEXEC);

    buf_clear(&s->text);
    assert_true(fd >= 0);
    assert_int_equal(fd_read_all(fd, &s->text, SIZE_MAX / 2), 0);
    fd_close(&fd);
    return buf_str(&s->text);
}

static void put(struct scene *s, struct str text)
{
    int fd = openat(s->fd, JOURNAL_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text.ptr, text.len), 0);
    fd_close(&fd);
}

static bool try_read(struct scene *s, struct journal_record *record)
{
    return journal_read(&s->arena, s->fd, s->path, record, &s->diags);
}

static void read_back(struct scene *s, struct journal_record *record)
{
    if (!try_read(s, record))
        fail_msg("not read: %s", s->diags.list[s->diags.count - 1].text);
}

static void assert_str(struct str is, const char *should)
{
    if (!str_is(is, should))
        fail_msg("'%.*s' is not '%s'", STR_ARG(is), should);
}

/* ---- a run ---- */

static const struct str argv_given[] = {STR("run-matrix"), STR("-n2"), STR("a \"b\"\n\x01\xff")};
static const struct journal_run run_given = {
    .id = STR("0007-20261121-061247-9f3c1b"),
    .version = STR("0.1.0"),
    .file = STR("sub/run-matrix.yaml"),
    .folder = STR("/somewhere/else"),
    .argv = argv_given,
    .argc = 3,
    .profile = STR("ci"),
    .containment = STR("group"),
    .containment_why = STR("no \"writable\" control group"),
    .jobs = 2,
    .cases = 3,
    .wall = 1795241567123,
    .pid = 4321,
    .pid_start = 987654321,
    .digest = 0xFEDCBA9876543210,
    .soak = true,
};
static const struct journal_test tests_given[] = {
    {STR("unit"), STR("sub/run-matrix.yaml"), 12},
    {STR("proto"), STR(""), 0},
};
static const struct journal_case cases_given[] = {
    {STR("unit"), 0, STR("")},
    {STR("proto@backend=exec"), 1, STR("{\"backend\":\"exec\"}")},
    {STR("proto@backend=spawn"), 1, STR("{\"backend\":\n{\"deep\":[1,\"}\"]}}")},
};
static const struct journal_output outputs_given[] = {
    {STR("stdout"), 12, STR(""), 345},
    {STR("stderr"), 1234567890123, STR("cases/proto/1/stderr"), -1},
};
static const struct journal_rung rungs_given[] = {
    {STR("INT"), STR("group"), STR("sleep (77)"), 1000 * US},
    {STR("KILL"), STR("tree"), STR(""), 3000 * US},
};
static const struct journal_leak leaks_given[] = {
    {STR("process"), STR("sleep"), STR("sleep 9 (pid 77), 3 s old"), 77, true, true},
    {STR("file"), STR("/var/\n"), STR(""), 0, false, false},
};
static const struct str notes_given[] = {STR("left 2 files"), STR("nul \0 within")};

static struct journal_attempt passed(uint32_t number, uint32_t attempt)
{
    return (struct journal_attempt){.number = number,
                                    .attempt = attempt,
                                    .verdict = VERDICT_PASSED,
                                    .outcome = VERDICT_PASSED,
                                    .last = true,
                                    .at = 50 * US,
                                    .duration = (number + 1) * 7 * US};
}

static const struct journal_attempt attempt_given = {
    .number = 1,
    .attempt = 1,
    .slot = 1,
    .verdict = VERDICT_TIMEOUT,
    .last = true,
    .outcome = VERDICT_TIMEOUT,
    .flaky_fails = true,
    .quarantined = true,
    .quarantine = &(const struct journal_quarantine){STR("net-team"), STR("\"#451\""), STR("2026-12-01")},
    .reason = STR("timed out after 10s"),
    .at = 10000123 * US,
    .duration = 9999999 * US,
    .user = 17 * US,
    .system = 18 * US,
    .rss = 1980,
    .status = -1,
    .signal = 9,
    .core = true,
    .outputs = outputs_given,
    .rungs = rungs_given,
    .notes = notes_given,
    .leaks = leaks_given,
    .output_count = 2,
    .rung_count = 2,
    .note_count = 2,
    .leak_count = 2,
    .leaks_more = 5,
    .dump = STR("cases/kv/1/dump.txt"),
    .dump_partial = true,
};

static void write_head(struct journal *journal)
{
    assert_int_equal(journal_run(journal, &run_given), 0);
    assert_int_equal(journal_tests(journal, tests_given, 1), 0);
    assert_int_equal(journal_tests(journal, tests_given + 1, 1), 0);
    assert_int_equal(journal_cases(journal, cases_given, 2), 0);
    assert_int_equal(journal_cases(journal, cases_given + 2, 1), 0);
}

/* 13 records. */
static void write_run(struct scene *s)
{
    struct journal *journal = opened(s);
    struct journal_attempt a = passed(0, 1);

    write_head(journal);
    assert_int_equal(journal_started(journal, 0, 1, 0, 100, 10 * US), 0);
    assert_int_equal(journal_started(journal, 1, 1, 1, 101, 11 * US), 0);
    assert_int_equal(journal_ended(journal, &a), 0);
    assert_int_equal(journal_note(journal, str_of("the disk is slow"), 60 * US), 0);
    assert_int_equal(journal_ended(journal, &attempt_given), 0);
    assert_int_equal(journal_cancelled(journal, str_of("SIGINT"), 10000200 * US), 0);
    assert_int_equal(journal_started(journal, 2, 1, 0, 102, 10000201 * US), 0);
    assert_int_equal(journal_finished(journal, 2, 10000300 * US), 0);
    journal_close(journal);
}

/* Stands before the end of its attempt, and is that one's alone. */
static void test_said(void **state)
{
    static const struct journal_said said_given[] = {
        {STR("failure"), STR("t/x.c"), STR("expected a == b\n  a: 1"), 21, 77},
        {.kind = STR("note"), .words = STR("so")},
    };
    struct scene *s = *state;
    struct journal *journal = opened(s);
    struct journal_attempt a = passed(1, 1), b = passed(1, 2), c = passed(2, 1);
    struct journal_record r;

    a.said = said_given, a.said_count = 2, a.said_more = 3;
    a.last = false;
    a.in_setup = 5 * US, a.in_teardown = 7 * US;
    write_head(journal);
    assert_int_equal(journal_said(journal, &a), 0);
    assert_int_equal(journal_said(journal, &c), 0); /* nothing: no record */
    assert_int_equal(journal_ended(journal, &c), 0);
    assert_int_equal(journal_ended(journal, &a), 0);
    assert_int_equal(journal_ended(journal, &b), 0);
    journal_close(journal);
    read_back(s, &r);
    assert_int_equal(r.torn, 0);
    assert_int_equal(r.cases[1].count, 2);
    assert_int_equal(r.cases[1].attempts[0].said_count, 2);
    assert_int_equal(r.cases[1].attempts[0].said_more, 3);
    assert_str(r.cases[1].attempts[0].said[0].kind, "failure");
    assert_str(r.cases[1].attempts[0].said[0].file, "t/x.c");
    assert_str(r.cases[1].attempts[0].said[0].words, "expected a == b\n  a: 1");
    assert_true(r.cases[1].attempts[0].said[0].line == 21 && r.cases[1].attempts[0].said[0].pid == 77);
    assert_str(r.cases[1].attempts[0].said[1].words, "so");
    assert_true(r.cases[1].attempts[0].in_setup == 5 * US && !r.cases[1].attempts[0].in_call &&
                r.cases[1].attempts[0].in_teardown == 7 * US);
    assert_int_equal(r.cases[1].attempts[1].said_count, 0);
    assert_int_equal(r.cases[2].attempts[0].said_count, 0);
}

/* As long as it may be, and longer, it is one record. */
static void test_much_is_said(void **state)
{
    struct journal_said said[JOURNAL_SAID_MOST + 4];
    struct buf control = {0};
    struct scene *s = *state;
    struct journal *journal = opened(s);
    struct journal_attempt a = passed(1, 1);
    struct journal_record r;

    for (int i = 0; i < 5000; i++)
        buf_addc(&control, 1);
    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        said[i] = (struct journal_said){buf_str(&control), buf_str(&control), buf_str(&control), UINT32_MAX,
                                        INT32_MAX};
    a.said = said, a.said_count = ARRAY_LEN(said), a.said_more = 1;
    write_head(journal);
    assert_int_equal(journal_said(journal, &a), 0);
    assert_int_equal(journal_ended(journal, &a), 0);
    journal_close(journal);
    read_back(s, &r);
    assert_int_equal(r.torn, 0);
    assert_int_equal(r.cases[1].attempts->said_count, JOURNAL_SAID_MOST);
    assert_int_equal(r.cases[1].attempts->said_more, 1 + 4);
    buf_release(&control);
}

static void check_run_record(const struct journal_run *run)
{
    assert_str(run->id, "0007-20261121-061247-9f3c1b");
    assert_str(run->version, "0.1.0");
    assert_str(run->file, "sub/run-matrix.yaml");
    assert_str(run->folder, "/somewhere/else");
    assert_str(run->profile, "ci");
    assert_str(run->containment, "group");
    assert_str(run->containment_why, "no \"writable\" control group");
    assert_int_equal(run->argc, 3);
    assert_str(run->argv[1], "-n2");
    assert_str(run->argv[2], "a \"b\"\n\x01\xEF\xBF\xBD");
    assert_int_equal(run->jobs, 2);
    assert_int_equal(run->cases, 3);
    assert_int_equal(run->wall, run_given.wall);
    assert_int_equal(run->pid, 4321);
    assert_int_equal(run->pid_start, 987654321);
    assert_true(run->digest == run_given.digest);
    assert_true(run->soak);
}

static void check_leaks(const struct journal_attempt *a)
{
    assert_true(a->leak_count == 2 && a->leaks_more == 5);
    assert_str(a->leaks[0].kind, "process");
    assert_str(a->leaks[0].what, "sleep");
    assert_str(a->leaks[0].words, "sleep 9 (pid 77), 3 s old");
    assert_true(a->leaks[0].pid == 77 && a->leaks[0].fails && a->leaks[0].ended);
    assert_str(a->leaks[1].kind, "file");
    assert_str(a->leaks[1].what, "/var/\n");
    assert_str(a->leaks[1].words, "");
    assert_true(a->leaks[1].pid == 0 && !a->leaks[1].fails && !a->leaks[1].ended);
}

static void check_attempt(const struct journal_attempt *a)
{
    const struct journal_attempt *should = &attempt_given;

    assert_true(a->number == 1 && a->attempt == 1 && a->slot == 1 && a->last);
    assert_int_equal(a->verdict, VERDICT_TIMEOUT);
    assert_int_equal(a->outcome, VERDICT_TIMEOUT);
    assert_true(a->flaky_fails && a->quarantined && a->core);
    assert_str(a->quarantine->owner, "net-team");
    assert_str(a->quarantine->reason, "\"#451\"");
    assert_str(a->quarantine->until, "2026-12-01");
    assert_str(a->reason, "timed out after 10s");
    assert_str(a->dump, "cases/kv/1/dump.txt");
    assert_true(a->dump_partial);
    assert_true(a->at == should->at && a->duration == should->duration);
    assert_true(a->user == should->user && a->system == should->system && a->rss == 1980);
    assert_true(a->status == -1 && a->signal == 9);
    assert_true(a->output_count == 2 && a->rung_count == 2 && a->note_count == 2);
    assert_str(a->outputs[0].name, "stdout");
    assert_str(a->outputs[0].path, "");
    assert_true(a->outputs[0].size == 12 && a->outputs[0].offset == 345);
    assert_str(a->outputs[1].path, "cases/proto/1/stderr");
    assert_true(a->outputs[1].size == 1234567890123 && a->outputs[1].offset == -1);
    assert_str(a->rungs[0].signal, "INT");
    assert_str(a->rungs[0].target, "group");
    assert_str(a->rungs[0].alive, "sleep (77)");
    assert_str(a->rungs[1].alive, "");
    assert_true(a->rungs[1].at == 3000 * US);
    assert_true(str_eq(a->notes[1], notes_given[1]));
    check_leaks(a);
}

static void test_round_trip(void **state)
{
    struct scene *s = *state;
    struct journal_record r;

    write_run(s);
    read_back(s, &r);
    check_run_record(&r.run);
    assert_int_equal(r.torn, 0);
    assert_int_equal(r.test_count, 2);
    assert_str(r.tests[0].name, "unit");
    assert_str(r.tests[0].file, "sub/run-matrix.yaml");
    assert_int_equal(r.tests[0].line, 12);
    assert_str(r.tests[1].name, "proto");
    assert_int_equal(r.case_count, 3);
    assert_str(r.cases[0].what->cell, "{}");
    assert_str(r.cases[1].what->id, "proto@backend=exec");
    assert_int_equal(r.cases[1].what->test, 1);
    assert_str(r.cases[2].what->cell, "{\"backend\": {\"deep\":[1,\"}\"]}}");
    assert_int_equal(r.cases[1].count, 1);
    check_attempt(r.cases[1].attempts);
    assert_true(r.cases[0].executed && !r.cases[0].open && r.cases[0].started == 1);
    assert_int_equal(r.cases[0].attempts->status, 0);
    assert_true(!r.cases[0].attempts->leaks && !r.cases[0].attempts->leak_count &&
                !r.cases[0].attempts->leaks_more);
    assert_true(r.cases[2].executed && r.cases[2].open && r.cases[2].count == 0 && r.cases[2].pid == 102);
    assert_true(r.cases[2].started_at == 10000201 * US);
    assert_int_equal(journal_outcome(&r.cases[2]), VERDICT_NOT_RUN);
    assert_null(journal_last(&r.cases[2]));
    assert_int_equal(r.note_count, 1);
    assert_str(r.notes[0], "the disk is slow");
    assert_str(r.cancelled, "SIGINT");
    assert_true(r.finished && r.exit_code == 2 && r.duration == 10000300 * US);
}

/* Every line is JSON, is whole, and begins with what it is about; the first tells the schema. */
static size_t check_lines(struct str text)
{
    size_t lines = 0;

    for (const char *at = text.ptr, *end = text.ptr + text.len, *next; at < end; at = next, lines++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct json_reader json = {0};
        enum json_token token;

        assert_non_null(newline);
        next = newline + 1;
        assert_true((size_t)(next - at) <= JOURNAL_RECORD_MOST);
        json.input = (struct str){at, (size_t)(newline - at)};
        assert_true(str_starts(json.input, lines ? "{\"ev\":\"" : "{\"ev\":\"run\",\"schema\":1,"));
        while ((token = json_next(&json)) != JSON_END)
            if (token == JSON_ERROR)
                fail_msg("line %zu: %s", lines, json.error);
        json_reader_release(&json);
    }
    return lines;
}

static void test_lines(void **state)
{
    struct scene *s = *state;

    write_run(s);
    assert_int_equal(check_lines(content(s)), 13);
}

/* ---- a kill at any byte ---- */

static size_t lines_until(struct str text, size_t end)
{
    size_t lines = 0;

    for (size_t i = 0; i < end; i++)
        lines += text.ptr[i] == '\n';
    return lines;
}

/* What may be known after so many whole lines. */
static void check_prefix(const struct journal_record *r, size_t lines, bool torn, size_t cut)
{
    bool good = r->torn == torn && r->test_count == (lines >= 2) + (lines >= 3 ? 1u : 0u) &&
                r->case_count == (lines >= 4 ? 2u : 0u) + (lines >= 5) && r->note_count == (lines >= 9) &&
                r->finished == (lines >= 13) && (r->cancelled.len > 0) == (lines >= 11);

    if (good && lines >= 4)
        good = r->cases[0].executed == (lines >= 6) && r->cases[1].executed == (lines >= 7) &&
               r->cases[0].count == (lines >= 8) && r->cases[1].count == (lines >= 10) &&
               r->cases[0].open == (lines == 6 || lines == 7);
    if (!good)
        fail_msg("cut at byte %zu, after %zu lines", cut, lines);
}

static void go_on(struct scene *s, struct str prefix, struct journal_record *r)
{
    struct journal *journal = opened(s);
    uint32_t notes = r->note_count;
    struct str text;

    assert_int_equal(journal_note(journal, str_of("more"), 1), 0);
    journal_close(journal);
    text = content(s);
    assert_memory_equal(text.ptr, prefix.ptr, prefix.len);
    assert_int_equal(lines_until(text, text.len), lines_until(prefix, prefix.len) + 1);
    read_back(s, r);
    assert_int_equal(r->torn, 0);
    assert_int_equal(r->note_count, notes + 1);
}

static void test_every_byte(void **state)
{
    struct scene *s = *state;
    struct buf whole = {0};

    write_run(s);
    buf_addstr(&whole, content(s));
    for (size_t cut = 0; cut <= whole.len; cut++) {
        struct str text = {whole.ptr, cut};
        size_t lines = lines_until(text, cut), end = cut;
        struct journal_record r;

        while (end && text.ptr[end - 1] != '\n')
            end--;
        put(s, text);
        assert_int_equal(try_read(s, &r), lines > 0);
        if (lines) {
            check_prefix(&r, lines, end < cut, cut);
            go_on(s, str_slice(text, 0, end), &r);
        }
        arena_clear(&s->arena);
        s->diags = (struct diags){.arena = &s->arena};
    }
    buf_release(&whole);
}

/* Each line replaced by garbage: what the others say is still there. */
static void test_garbage_within(void **state)
{
    static const struct str garbage[] = {
        STR("\n"),
        STR("{\n"),
        STR("\0\0\0\n"),
        STR("{\"ev\":\"end\",\"case\":0,\"attempt\":1\n"),
        STR("[]\n"),
        STR("{\"ev\":\"end\",\"case\":0,\"verdict\":\"no such\"}\n"),
        STR("{\"ev\":3}\n"),
        STR("{}\n"),
        STR("{\"ev\":\"end\",\"verdict\":\"passed\"}\n"),
        STR("{\"case\":0,\"ev\":\"start\"}\n"),
        STR("{\"ev\":\"start\",\"case\":-1}\n"),
        STR("{\"ev\":\"start\",\"case\":1e99}\n"),
        STR("{\"ev\":\"start\",\"case\":3}\n"),
        STR("{\"ev\":\"end\",\"case\":0,\"case\":4294967295,\"verdict\":\"passed\"}\n"),
        STR("{\"ev\":\"cases\",\"from\":4000000000,\"cases\":[{}]}\n"),
        STR("{\"ev\":\"note\",\"at\":1e16}\n"),
        STR("{\"ev\":\"cases\",\"from\":3,\"cases\":[{\"id\":\"x\"},{\"id\":1}]}\n"),
        STR("{\"ev\":\"start\",\"case\":2} {}\n"),
    };
    struct scene *s = *state;
    struct buf whole = {0}, text = {0};

    write_run(s);
    buf_addstr(&whole, content(s));
    for (size_t g = 0; g < ARRAY_LEN(garbage); g++) {
        const char *middle = memmem(whole.ptr, whole.len, "{\"ev\":\"note\"", 12);
        struct journal_record r;

        buf_clear(&text);
        buf_add(&text, whole.ptr, (size_t)(middle - whole.ptr));
        buf_addstr(&text, garbage[g]);
        buf_adds(&text, middle);
        put(s, buf_str(&text));
        read_back(s, &r);
        if (r.torn != 1 || r.case_count != 3 || r.test_count != 2 || r.note_count != 1 || !r.finished ||
            r.cases[0].count != 1 || r.duration != 10000300 * US)
            fail_msg("garbage %zu: torn %u, cases %u", g, r.torn, r.case_count);
    }
    buf_release(&whole);
    buf_release(&text);
}

#define HEAD "{\"ev\":\"run\",\"schema\":1}\n"
#define ONE  HEAD "{\"ev\":\"cases\",\"from\":0,\"cases\":[{\"id\":\"a\"}]}\n"

static void test_tolerance(void **state)
{
    static const struct {
        const char *text;
        uint32_t torn, cases, attempts, started;
        bool open, executed;
        enum verdict outcome;
    } rows[] = {
        {HEAD "{\"ev\":\"weather\",\"x\":{\"a\":[1]}}\n", 0, 0, 0, 0, false, false, VERDICT_NOT_RUN},
        {ONE "{\"ev\":\"end\",\"new\":[{}],\"case\":0,\"verdict\":\"failed\",\"z\":null}\n", 0, 1, 1, 1,
         false, false, VERDICT_FAILED},
        /* the same attempt again: the later one counts */
        {ONE "{\"ev\":\"start\",\"case\":0}\n{\"ev\":\"end\",\"case\":0,\"verdict\":\"failed\"}\n"
             "{\"ev\":\"end\",\"case\":0,\"verdict\":\"passed\"}\n",
         0, 1, 1, 1, false, true, VERDICT_PASSED},
        /* killed under the first, resumed, killed under the second */
        {ONE "{\"ev\":\"start\",\"case\":0,\"attempt\":1}\n" HEAD
             "{\"ev\":\"start\",\"case\":0,\"attempt\":2}\n",
         0, 1, 0, 2, true, true, VERDICT_NOT_RUN},
        /* ... and come to its end */
        {ONE "{\"ev\":\"start\",\"case\":0}\n" HEAD "{\"ev\":\"start\",\"case\":0,\"attempt\":2}\n"
             "{\"ev\":\"end\",\"case\":0,\"attempt\":2,\"verdict\":\"passed\"}\n",
         0, 1, 1, 2, false, true, VERDICT_PASSED},
        /* given up, then resumed */
        {ONE "{\"ev\":\"end\",\"case\":0,\"verdict\":\"not run\",\"outcome\":\"not run\"}\n" HEAD
             "{\"ev\":\"start\",\"case\":0}\n",
         0, 1, 0, 1, true, true, VERDICT_NOT_RUN},
        {ONE "{\"ev\":\"end\",\"case\":0,\"verdict\":\"passed\",\"outcome\":\"flaky\",\"attempt\":3}\n", 0, 1,
         1, 3, false, false, VERDICT_FLAKY},
        /* a line of cases is missing: the others keep their numbers, also told twice */
        {HEAD "{\"ev\":\"cases\",\"from\":1,\"cases\":[{\"id\":\"b\",\"test\":7}]}\n"
              "{\"ev\":\"cases\",\"from\":1,\"cases\":[{\"id\":\"c\"}]}\n",
         0, 2, 0, 0, false, false, VERDICT_NOT_RUN},
        {"garbage\n" ONE "{\"ev\":\"start\",\"case\":0", 2, 1, 0, 0, false, false, VERDICT_NOT_RUN},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct journal_history none = {0}, *history;
        struct journal_record r;

        put(s, str_of(rows[i].text));
        read_back(s, &r);
        history = r.case_count ? r.cases : &none;
        if (r.torn != rows[i].torn || r.case_count != rows[i].cases || history->count != rows[i].attempts ||
            history->started != rows[i].started || history->open != rows[i].open ||
            history->executed != rows[i].executed || journal_outcome(history) != rows[i].outcome)
            fail_msg("row %zu: torn %u, cases %u, attempts %u, started %u, outcome %d", i, r.torn,
                     r.case_count, history->count, history->started, (int)journal_outcome(history));
        for (uint32_t c = 0; c < r.case_count; c++)
            if (r.cases[c].what->test >= r.test_count)
                fail_msg("row %zu: case %u is of no test", i, c);
    }
}

static void test_refuses(void **state)
{
    static const struct {
        struct str text;
        const char *error;
    } rows[] = {
        {STR(""), "is empty: the run died before it began"},
        {STR("{\"ev\":\"run\",\"schema\":1"), "is empty: the run died before it began"},
        {STR("\0\0\n\n"), "is no journal"},
        {STR("{\"ev\":\"note\",\"text\":\"x\"}\n"), "is no journal"},
        {STR("{\"ev\":\"run\",\"schema\":2}\n"),
         "was written by a newer run-matrix (schema 2, this one reads 1)"},
    };
    struct scene *s = *state;
    struct journal_record r;

    assert_false(try_read(s, &r));
    assert_non_null(strstr(s->diags.list[0].text, "cannot open"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put(s, rows[i].text);
        if (try_read(s, &r) || !strstr(s->diags.list[s->diags.count - 1].text, rows[i].error))
            fail_msg("row %zu: '%s'", i, s->diags.list[s->diags.count - 1].text);
    }
}

/* ---- what is too long ---- */

static struct str repeated(struct scene *s, const char *piece, size_t times)
{
    size_t len = strlen(piece);
    char *text = arena_alloc(&s->arena, len * times + 1);

    for (size_t i = 0; i < times; i++)
        memcpy(text + i * len, piece, len);
    return (struct str){text, len * times};
}

/* Whatever is in it, the record is whole, and cut texts say so. */
static void test_long_texts(void **state)
{
    static const char *const pieces[] = {"x", "\x01", "\"", "\xE2\x82\xAC", "\xff", "\xF0\x9F\x98\x80"};
    struct scene *s = *state;

    for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
        struct str text = repeated(s, pieces[p], 100000), notes[JOURNAL_NOTES_MOST];
        struct journal_output outputs[JOURNAL_OUTPUTS_MOST];
        struct journal_rung rungs[JOURNAL_RUNGS_MOST];
        struct journal_leak leaks[JOURNAL_LEAKS_MOST];
        struct journal_attempt a = attempt_given;
        struct journal *journal;
        struct journal_record r;

        for (size_t i = 0; i < ARRAY_LEN(notes); i++)
            notes[i] = text;
        for (size_t i = 0; i < ARRAY_LEN(outputs); i++)
            outputs[i] = (struct journal_output){text, UINT32_MAX, text, INT32_MAX};
        for (size_t i = 0; i < ARRAY_LEN(rungs); i++)
            rungs[i] = (struct journal_rung){text, text, text, INT32_MAX * US};
        for (size_t i = 0; i < ARRAY_LEN(leaks); i++)
            leaks[i] = (struct journal_leak){text, text, text, INT32_MAX, true, true};
        a.reason = text;
        a.notes = notes, a.outputs = outputs, a.rungs = rungs, a.leaks = leaks;
        a.note_count = a.output_count = a.rung_count = a.leak_count = 1000; /* more than there is room for */
        put(s, str_of(""));
        journal = opened(s);
        write_head(journal);
        assert_int_equal(journal_ended(journal, &a), 0);
        assert_int_equal(journal_note(journal, text, 0), 0);
        journal_close(journal);
        assert_int_equal(check_lines(content(s)), 7);
        read_back(s, &r);
        assert_int_equal(r.torn, 0);
        assert_int_equal(r.cases[1].attempts->note_count, JOURNAL_NOTES_MOST);
        assert_int_equal(r.cases[1].attempts->rung_count, JOURNAL_RUNGS_MOST);
        assert_int_equal(r.cases[1].attempts->leak_count, JOURNAL_LEAKS_MOST);
        assert_int_equal(r.cases[1].attempts->leaks_more, 5 + 1000 - JOURNAL_LEAKS_MOST);
        assert_true(str_ends(r.cases[1].attempts->leaks[0].what, "\xE2\x80\xA6"));
        assert_true(str_ends(r.cases[1].attempts->reason, "\xE2\x80\xA6") &&
                    str_ends(r.notes[0], "\xE2\x80\xA6"));
        assert_true(r.notes[0].len > 9000);
    }
}

static void test_split_lists(void **state)
{
    enum { MANY = 5000 };
    struct scene *s = *state;
    struct str *args = ARENA_ARRAY(&s->arena, struct str, MANY);
    struct journal_case *cases = ARENA_ARRAY(&s->arena, struct journal_case, MANY);
    struct journal_run run = run_given;
    struct journal *journal = opened(s);
    struct journal_record r;

    for (int i = 0; i < MANY; i++) {
        args[i] = str_of(arena_printf(&s->arena, "argument number %d", i));
        cases[i] = (struct journal_case){args[i], 0, STR("{\"a\":1}")};
    }
    args[17] = cases[18].id = cases[19].cell = repeated(s, "\x02", 50000);
    run.argv = args, run.argc = MANY, run.cases = MANY;
    assert_int_equal(journal_run(journal, &run), 0);
    assert_int_equal(journal_tests(journal, tests_given, 2), 0);
    assert_int_equal(journal_cases(journal, cases, MANY), 0);
    journal_close(journal);
    assert_in_range(check_lines(content(s)), 9, 12);
    read_back(s, &r);
    assert_int_equal(r.torn, 0);
    assert_true(r.run.argc == MANY && r.case_count == MANY);
    for (int i = 0; i < MANY; i++) {
        assert_true(i == 17 || str_eq(r.run.argv[i], args[i]));
        assert_true(i == 18 || str_eq(r.cases[i].what->id, cases[i].id));
    }
    assert_str(r.cases[19].what->cell, "{}");
}

/* ---- going on ---- */

static void test_resume(void **state)
{
    struct scene *s = *state;
    struct journal_run again = run_given;
    struct journal_attempt a = passed(2, 2);
    struct journal *journal;
    struct journal_record r;

    write_run(s);
    journal = opened(s);
    again.pid = 777, again.wall += 3600000, again.argc = 1;
    assert_int_equal(journal_run(journal, &again), 0);
    assert_int_equal(journal_tests(journal, tests_given, 2), 0);
    assert_int_equal(journal_cases(journal, cases_given, 3), 0);
    assert_int_equal(journal_started(journal, 2, 2, 0, 200, 10 * US), 0);
    assert_int_equal(journal_ended(journal, &a), 0);
    journal_close(journal);
    read_back(s, &r);
    assert_true(r.run.pid == 777 && r.run.argc == 1 && r.run.wall == run_given.wall);
    assert_true(r.test_count == 2 && r.case_count == 3 && r.torn == 0);
    assert_true(!r.finished && r.cancelled.len == 0);
    assert_true(r.cases[2].count == 1 && r.cases[2].attempts->attempt == 2 && !r.cases[2].open);
    /* the hour between does not count */
    assert_true(r.cases[2].started_at == 10000310 * US && r.duration == 10000350 * US);
}

/* ---- bad luck ---- */

static void test_failed_write(void **state)
{
    struct scene *s = *state;
    struct journal *journal = opened(s);
    struct buf before = {0};
    struct journal_record r;

    write_head(journal);
    buf_addstr(&before, content(s));
    assert_true(faults_parse(&s->faults, "journal=ENOSPC@1x2", &s->diags));
    for (int i = 0; i < 2; i++) {
        errno = 0;
        assert_int_equal(journal_note(journal, str_of("lost"), 0), -1);
        assert_int_equal(errno, ENOSPC);
        assert_true(str_eq(content(s), buf_str(&before)));
    }
    assert_int_equal(journal_note(journal, str_of("kept"), 0), 0);
    journal_close(journal);
    read_back(s, &r);
    assert_true(r.torn == 0 && r.note_count == 1);
    buf_release(&before);
}

static void test_killed_while_writing(void **state)
{
    struct scene *s = *state;
    struct journal_record r;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct journal *journal = journal_open(s->fd, &s->faults);

        write_head(journal);
        faults_parse(&s->faults, "die-write", &s->diags);
        journal_started(journal, 0, 1, 0, 1, 0);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(!str_ends(content(s), "\n"));
    read_back(s, &r);
    assert_true(r.torn == 1 && r.case_count == 3 && !r.cases[0].executed);
    journal_close(opened(s));
    assert_int_equal(check_lines(content(s)), 5);
}

static blkcnt_t blocks(struct scene *s)
{
    struct stat st;

    assert_int_equal(fstatat(s->fd, JOURNAL_NAME, &st, 0), 0);
    return st.st_blocks;
}

/* Room is there before it is needed, the file does not show it, and it is given back. */
static void test_room(void **state)
{
    struct scene *s = *state;
    struct journal *journal = opened(s);
    size_t size;

    write_head(journal);
    size = content(s).len;
    assert_int_equal(journal_room(journal, 40), 0);
    assert_int_equal(content(s).len, size);
    if (blocks(s) * 512 < 40 * (blkcnt_t)JOURNAL_RECORD_MOST) {
        journal_close(journal);
        skip(); /* a file system that cannot reserve */
    }
    journal_close(journal);
    assert_true(blocks(s) * 512 < (blkcnt_t)JOURNAL_RECORD_MOST);
    assert_int_equal(content(s).len, size);
}

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;

    fd_close(&fd);
    return written;
}

/* A mount namespace of our own; who is not root takes a user namespace along, and is himself in it. */
static bool enter_namespace(struct arena *arena)
{
    const char *users = arena_printf(arena, "%u %u 1", getuid(), getuid());
    const char *groups = arena_printf(arena, "%u %u 1", getgid(), getgid());

    if (unshare(CLONE_NEWNS) == 0)
        return true;
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/setgroups", "deny") &&
           write_text("/proc/self/uid_map", users) && write_text("/proc/self/gid_map", groups);
}

/* 0 when nothing was wrong, 77 when there can be no such disk. */
static int fill_a_disk(struct scene *s)
{
    struct faults faults = {0};
    struct journal_attempt a = passed(0, 1);
    struct journal *journal;
    char block[4096] = {0};
    int folder, filler, room = 0;

    if (!enter_namespace(&s->arena))
        return 77;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("x", s->path, "tmpfs", 0, "size=4m") < 0)
        return 77;
    folder = dir_open(AT_FDCWD, s->path);
    journal = journal_open(folder, &faults);
    if (!journal || journal_run(journal, &run_given) < 0 || journal_cases(journal, cases_given, 3) < 0)
        return 1;
    if (journal_room(journal, 4) < 0)
        return 2;
    filler = openat(folder, "filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (write(filler, block, sizeof block) == (ssize_t)sizeof block)
        continue;
    /* What was reserved is there although the disk is full … */
    while (journal_room(journal, 4) == 0) {
        if (journal_started(journal, 0, 1, 0, 1, 1) < 0 || journal_ended(journal, &a) < 0)
            return 3;
        room++;
    }
    if (errno != ENOSPC || room < 1000)
        return 4;
    /* … and so is what the cases that run then will need. */
    for (int i = 0; i < 4; i++)
        if (journal_ended(journal, &attempt_given) < 0)
            return 5;
    while (journal_ended(journal, &attempt_given) == 0)
        continue;
    if (errno != ENOSPC)
        return 6;
    journal_close(journal);
    return 0;
}

static void test_full_disk(void **state)
{
    struct scene *s = *state;
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(fill_a_disk(s));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- what comes of it ---- */

static void test_count(void **state)
{
    static const struct {
        enum verdict outcome;
        bool quarantined, flaky_fails, executed;
    } rows[] = {
        {VERDICT_PASSED, false, false, true},   {VERDICT_PASSED, true, false, true},
        {VERDICT_FAILED, false, false, true},   {VERDICT_FAILED, true, false, true},
        {VERDICT_TIMEOUT, true, false, true},   {VERDICT_FLAKY, false, true, true},
        {VERDICT_FLAKY, false, false, true},    {VERDICT_FLAKY, true, true, true},
        {VERDICT_SKIPPED, false, false, false}, {VERDICT_ERROR, false, false, false},
        {VERDICT_NOT_RUN, false, false, false},
    };
    struct journal_attempt attempts[ARRAY_LEN(rows)] = {{0}};
    struct journal_history cases[ARRAY_LEN(rows) + 1] = {{0}};
    struct journal_record r = {.cases = cases, .case_count = ARRAY_LEN(cases)};
    struct journal_counts counts;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        attempts[i] = (struct journal_attempt){.verdict = rows[i].outcome,
                                               .outcome = rows[i].outcome,
                                               .quarantined = rows[i].quarantined,
                                               .flaky_fails = rows[i].flaky_fails};
        cases[i] =
            (struct journal_history){.attempts = &attempts[i], .count = 1, .executed = rows[i].executed};
    }
    journal_count(&r, &counts);
    assert_int_equal(counts.counts[COUNT_PASSED], 5);
    assert_int_equal(counts.counts[COUNT_FAILED], 2);
    assert_int_equal(counts.counts[COUNT_SKIPPED], 1);
    assert_int_equal(counts.counts[COUNT_NOT_RUN], 2);
    assert_int_equal(counts.quarantined, 2);
    assert_int_equal(counts.flaky_fails, 1);
    assert_int_equal(counts.executed, 8);
    assert_int_equal(counts.verdicts[VERDICT_FAILED], 2);
    assert_int_equal(counts.verdicts[VERDICT_FLAKY], 3);
}

static void test_slower(void **state)
{
    struct scene *s = *state;
    struct journal *journal = opened(s);
    struct journal_attempt a = passed(0, 1);
    struct journal_record record;

    journal_run(journal, &run_given);
    journal_cases(journal, cases_given, 2);
    journal_ended(journal, &a);
    assert_int_equal(journal_slower(journal, 0, 800 * US, 14), 0);
    assert_int_equal(journal_slower(journal, 77, US, 14), 0); /* there is no such case */
    journal_close(journal);
    assert_true(journal_read(&s->arena, s->fd, "x", &record, &s->diags));
    assert_int_equal(record.cases[0].was, 800 * US);
    assert_int_equal(record.cases[0].was_runs, 14);
    assert_int_equal(record.cases[1].was_runs, 0);
    assert_int_equal(record.torn, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),
        TEST(test_said),
        TEST(test_much_is_said),
        TEST(test_lines),
        TEST(test_every_byte),
        TEST(test_garbage_within),
        TEST(test_tolerance),
        TEST(test_refuses),
        TEST(test_long_texts),
        TEST(test_split_lists),
        TEST(test_resume),
        TEST(test_failed_write),
        TEST(test_killed_while_writing),
        TEST(test_room),
        TEST(test_full_disk),
        TEST(test_count),
        TEST(test_slower),
    };

    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
