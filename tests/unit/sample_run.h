/*
 * A run made by hand, for the tests of reports: a record, and a folder with captured output.
 * Reports are pure but for reading that folder, so nothing is started here.
 */
#ifndef TESTS_SAMPLE_RUN_H
#define TESTS_SAMPLE_RUN_H

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/report/report.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLE_CASES    12
#define SAMPLE_ATTEMPTS 3
#define SAMPLE_FILES    16
#define SAMPLE_HOSTILE \
    "esc \x1b[31mred\x1b[0m nul \0 bad \xff\xfe ]]> <b> & \"q\" \r\n\x01\x7f \xef\xbf\xbf end"

struct sample {
    struct journal_record record;
    struct journal_test tests[2];
    struct journal_history cases[SAMPLE_CASES];
    struct journal_case whats[SAMPLE_CASES];
    struct journal_attempt attempts[SAMPLE_CASES][SAMPLE_ATTEMPTS];
    struct report_options options;
    struct report_input input;
    struct arena arena;
    char path[64];
    struct journal_output outputs[SAMPLE_FILES]; /* those of one attempt are added one after the other */
    const char *files[SAMPLE_FILES];
    size_t file_count;
};

static inline void sample_open(struct sample *s)
{
    *s = (struct sample){0};
    strcpy(s->path, "/tmp/rm-sample-XXXXXX");
    if (!mkdtemp(s->path))
        abort();
    s->tests[0] = (struct journal_test){STR("proto"), STR("run-matrix.yaml"), 7};
    s->tests[1] = (struct journal_test){STR("services/kv/perms"), STR("services/kv/run-matrix.yaml"), 12};
    for (size_t i = 0; i < SAMPLE_CASES; i++)
        s->cases[i] = (struct journal_history){.what = &s->whats[i], .attempts = s->attempts[i]};
    s->record =
        (struct journal_record){.tests = s->tests, .test_count = 2, .cases = s->cases, .finished = true};
    s->record.run = (struct journal_run){.id = STR("0042-20261121-061247-9f3c1b"),
                                         .version = STR("0.1"),
                                         .file = STR("run-matrix.yaml"),
                                         .folder = STR("/home/x"),
                                         .containment = STR("group"),
                                         .jobs = 2,
                                         .wall = 1795241567000};
    s->record.duration = 90 * NS_PER_S;
    s->options = (struct report_options){.program = STR("run-matrix")};
    s->input =
        (struct report_input){.record = &s->record, .path = ".run-matrix/runs/0042", .options = &s->options};
    s->input.folder = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void sample_close(struct sample *s)
{
    for (size_t i = 0; i < s->file_count; i++)
        unlinkat(s->input.folder, s->files[i], 0);
    fd_close(&s->input.folder);
    rmdir(s->path);
    arena_release(&s->arena);
}

static inline struct journal_history *sample_case(struct sample *s, uint32_t test, const char *id)
{
    uint32_t number = s->record.case_count++;

    s->whats[number] =
        (struct journal_case){.id = str_of(id), .test = test, .cell = STR("{\"os\":\"linux\"}")};
    return &s->cases[number];
}

/* The outcome is the verdict; a case that is flaky says so itself. */
static inline struct journal_attempt *sample_attempt(struct journal_history *history, enum verdict verdict,
                                                     const char *reason)
{
    struct journal_attempt *attempt = &history->attempts[history->count];

    if (history->count)
        history->attempts[history->count - 1].last = false;
    *attempt = (struct journal_attempt){.attempt = ++history->count,
                                        .verdict = verdict,
                                        .outcome = verdict,
                                        .last = true,
                                        .reason = str_of(reason),
                                        .at = 3500 * NS_PER_MS,
                                        .duration = 1500 * NS_PER_MS,
                                        .status = verdict == VERDICT_PASSED  ? 0
                                                  : verdict == VERDICT_ERROR ? -1
                                                                             : 3};
    history->started = history->count;
    history->executed = true;
    return attempt;
}

static inline struct journal_output *sample_output(struct sample *s, struct journal_attempt *attempt,
                                                   const char *name, const void *bytes, size_t len)
{
    struct journal_output *output = &s->outputs[s->file_count];
    const char *file = arena_printf(&s->arena, "%zu-%s", s->file_count, name);
    int fd = openat(s->input.folder, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || fd_write_all(fd, bytes, len) < 0 || s->file_count == SAMPLE_FILES)
        abort();
    close(fd);
    *output = (struct journal_output){.name = str_of(name), .size = len, .path = str_of(file), .offset = -1};
    if (!attempt->output_count++)
        attempt->outputs = output;
    s->files[s->file_count++] = file;
    return output;
}

/* Results of an attempt; a file for each. */
static inline void sample_results(struct sample *s, struct journal_attempt *attempt,
                                  const struct journal_result *list, size_t count)
{
    struct journal_results *results = ARENA_NEW(&s->arena, struct journal_results);
    const char *path = arena_printf(&s->arena, "results-%zu", s->file_count);
    struct journal_results_out out;

    *results = (struct journal_results){.announced = -1, .path = str_of(path), .report = STR("x.xml")};
    if (s->file_count == SAMPLE_FILES || journal_results_create(&out, s->input.folder, path) < 0)
        abort();
    for (size_t i = 0; i < count; i++) {
        journal_results_add(&out, &list[i]);
        results->verdicts[list[i].verdict]++;
    }
    if (journal_results_close(&out))
        abort();
    attempt->results = results;
    s->files[s->file_count++] = path;
}

/* What a report says, as text; the caller releases it. */
static inline void sample_report(struct sample *s, enum report_id id, struct buf *out)
{
    char *path = NULL;

    if (asprintf(&path, "%s/report", s->path) < 0)
        abort();
    if (report_write(reports[id], &s->input, path) < 0 || file_read(path, out, SIZE_MAX / 2) < 0)
        abort();
    unlink(path);
    free(path);
}

/*
 * Exit status of a program that is given a text in a file, its name the last argument; 127 when there is no such
 * program. What it says is thrown away when it is to complain.
 */
static inline int sample_check(const struct buf *text, const char *const *command, bool quiet)
{
    char path[] = "/tmp/rm-check-XXXXXX", *argv[8] = {NULL};
    posix_spawn_file_actions_t actions;
    int fd = mkstemp(path), status = 0, count = 0;
    pid_t pid;

    if (fd < 0 || fd_write_all(fd, text->ptr, text->len) < 0)
        abort();
    close(fd);
    for (; command[count]; count++)
        argv[count] = (char *)(uintptr_t)command[count];
    argv[count] = path;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (quiet)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ))
        status = 127 << 8;
    else if (waitpid(pid, &status, 0) != pid)
        abort();
    posix_spawn_file_actions_destroy(&actions);
    unlink(path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* One of each outcome, each with output that is as bad as can be. */
static inline void sample_fill(struct sample *s)
{
    static const char hostile[] = SAMPLE_HOSTILE;
    static const struct journal_rung rung = {STR("SIGINT"), STR("group"), STR("7 sleep"), NS_PER_S};
    static const struct str note = STR("what else: \"x: y\"");
    static const struct journal_leak leaks[] = {
        {STR("process"), STR("a"), STR("a ]]> <b> & \"c\" \x1b[1m\nd (pid 7)"), 7, true, true},
        {STR("file"), STR("/var/<x>"), STR(""), 0, false, false}};
    struct journal_history *history;
    struct journal_attempt *attempt;

    sample_attempt(sample_case(s, 0, "proto::ok@os=linux"), VERDICT_PASSED, "");
    history = sample_case(s, 1, "services/kv/perms");
    attempt = sample_attempt(history, VERDICT_FAILED, "exit <3> & \"more\"\nsecond line ]]> \x1b[1m");
    attempt->leaks = leaks;
    attempt->leak_count = 2;
    sample_output(s, attempt, "stdout", hostile, sizeof hostile - 1);
    sample_output(s, attempt, "stderr", "  blank first\n\n...\n---\n1..7\nnot ok 9\n", 37);
    history = sample_case(s, 0, "proto::slow/depth=3@os=linux");
    attempt = sample_attempt(history, VERDICT_TIMEOUT, "timed out after 1s");
    attempt->rungs = &rung;
    attempt->notes = &note;
    attempt->rung_count = attempt->note_count = 1;
    attempt = sample_attempt(history, VERDICT_ERROR, "cannot execute './unit': No such file or directory");
    history = sample_case(s, 0, "proto::flaky@os=linux");
    attempt = sample_attempt(history, VERDICT_CRASHED, "killed by SIGSEGV");
    sample_output(s, attempt, "stderr", "boom\n", 5);
    sample_attempt(history, VERDICT_PASSED, "")->outcome = VERDICT_FLAKY;
    sample_attempt(sample_case(s, 0, "proto::skip@os=linux"), VERDICT_SKIPPED, "needs # root");
    sample_attempt(sample_case(s, 0, "proto::unsupported@os=linux"), VERDICT_UNSUPPORTED, "no reach");
    sample_attempt(sample_case(s, 0, "proto::xfail@os=linux"), VERDICT_XFAILED, "#451");
    sample_attempt(sample_case(s, 0, "proto::xpass@os=linux"), VERDICT_XPASSED, "#452");
    sample_attempt(sample_case(s, 0, "proto::fence@os=linux"), VERDICT_FAILED, "exit status 1")->quarantined =
        true;
    sample_attempt(sample_case(s, 0, "proto::error@os=linux"), VERDICT_ERROR, "no such program");
    sample_case(s, 0, "proto::never@os=linux");
}

#endif
