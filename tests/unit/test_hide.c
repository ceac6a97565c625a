/* What nobody may read does not get on disk: into no record, and into no output that is kept. */
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/capture.h"
#include "runner/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    char path[64];
    int fd;
    struct faults faults;
    struct arena arena;
    struct mask *mask;
    struct buf text;
};

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    strcpy(s->path, "/tmp/test_hide-XXXXXX");
    s->mask = mask_new();
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
    mask_free(s->mask);
    free(s);
    return 0;
}

static struct str content(struct scene *s, const char *name)
{
    buf_clear(&s->text);
    assert_int_equal(file_read_at(s->fd, name, &s->text, SIZE_MAX / 2), 0);
    return buf_str(&s->text);
}

static bool holds(struct str text, const char *word)
{
    size_t at;

    return str_find(text, word, &at);
}

/* ---- records ---- */

static void write_run(struct journal *journal)
{
    static const struct str argv[] = {STR("run-matrix"), STR("--x=s\"cret"), STR("plain")};
    static const struct str notes[] = {STR("first s\"cret"), STR("nothing")};
    const struct journal_leak leak = {
        .kind = STR("process"), .what = STR("s\"cret"), .words = STR("sleep s\"cret s\"cr\xE2\x80\xA6")};
    const struct journal_output output = {STR("stdout"), 3, STR("cases/passed/1/stdout"), -1};

    journal_run(journal, &(struct journal_run){.id = STR("0001"), .argv = argv, .argc = 3, .cases = 1});
    journal_tests(journal, &(struct journal_test){.name = STR("s\"cret")}, 1);
    journal_cases(
        journal,
        &(struct journal_case){STR("s\"cret@n=12345678"), 0,
                               STR("{\"path\":\"s\\\"cret\",\"n\":12345678,\"l\":[[12345678],{}]}")},
        1);
    journal_ended(journal, &(struct journal_attempt){.attempt = 1,
                                                     .verdict = VERDICT_PASSED,
                                                     .outcome = VERDICT_PASSED,
                                                     .last = true,
                                                     .reason = STR("because of s\"cret, it passed"),
                                                     .at = 12345678000,
                                                     .notes = notes,
                                                     .note_count = 2,
                                                     .leaks = &leak,
                                                     .leak_count = 1,
                                                     .outputs = &output,
                                                     .output_count = 1});
}

static void assert_str(struct str is, const char *should)
{
    if (!str_is(is, should))
        fail_msg("'%.*s' is not '%s'", STR_ARG(is), should);
}

/* Words and numbers of ours stay, though somebody's secret is called so. */
static void test_records(void **state)
{
    struct scene *s = *state;
    struct diags diags = {.arena = &s->arena};
    struct journal *journal = journal_open(s->fd, &s->faults);
    struct journal_record record;
    const struct journal_attempt *a;

    mask_add(s->mask, str_of("s\"cret\n12345678\npassed\nstart\n0001\nprocess"));
    journal_mask(journal, s->mask);
    write_run(journal);
    journal_close(journal);
    assert_false(holds(content(s, JOURNAL_NAME), "cret"));
    assert_true(journal_read(&s->arena, s->fd, s->path, &record, &diags));
    assert_int_equal(record.torn, 0);
    assert_str(record.run.id, "0001");
    assert_str(record.run.argv[1], "--x=***");
    assert_str(record.run.argv[2], "plain");
    assert_str(record.tests[0].name, "***");
    assert_str(record.cases[0].what->id, "***@n=***");
    assert_str(record.cases[0].what->cell, "{\"path\":\"***\",\"n\":\"***\",\"l\":[[\"***\"],{}]}");
    a = &record.cases[0].attempts[0];
    assert_int_equal(a->verdict, VERDICT_PASSED);
    assert_int_equal(a->at, 12345678000);
    assert_str(a->reason, "because of ***, it ***");
    assert_str(a->notes[0], "first ***");
    assert_str(a->notes[1], "nothing");
    assert_str(a->leaks[0].kind, "process");
    assert_str(a->leaks[0].what, "***");
    assert_str(a->leaks[0].words, "sleep *** ***\xE2\x80\xA6");
    assert_str(a->outputs[0].path, "cases/passed/1/stdout");
}

/* ---- output ---- */

static int set_up_spare(void **state)
{
    int result = set_up(state);
    struct scene *s = *state;

    s->faults.any = true;
    s->faults.plans[FAULT_CAPTURE] =
        (struct fault_plan){.set = true, .first = 1, .times = 1, .error = EOPNOTSUPP};
    return result;
}

static ino_t inode_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

#define LONG ((size_t)1 << 20)

static void test_output(void **state)
{
    struct scene *s = *state;
    struct capture_room *room = capture_room_new(s->fd, &s->faults);
    struct capture capture;
    struct capture_file *file = capture.files;
    struct buf text = {0}, line = {0};
    int stdio[3];
    ino_t before;

    mask_add(s->mask, str_of("secret"));
    capture_mask(room, s->mask);
    assert_int_equal(capture_open(room, CAPTURE_FD, &capture, stdio), 0);
    while (text.len < LONG)
        buf_adds(&text, "line\n");
    assert_int_equal(fd_write_all(stdio[1], text.ptr, text.len), 0);
    before = inode_of(file->fd);
    assert_int_equal(capture_hide(room, file), 0);
    assert_int_equal(inode_of(file->fd), before); /* nothing was to be hidden */
    assert_int_equal(fd_write_all(stdio[1], "a secret\n", 9), 0);
    capture_last_line(file, 100, &line);
    assert_string_equal(buf_text(&line), "a ***");
    assert_int_equal(capture_hide(room, file), 0);
    assert_int_equal(capture_size(file), text.len + 6);
    assert_int_equal(capture_keep(room, file, "cases/a/stdout"), 0);
    buf_adds(&text, "a ***\n");
    assert_true(str_eq(content(s, "cases/a/stdout"), buf_str(&text)));
    capture_close(room, &capture);
    capture_room_free(room);
    assert_int_equal(faccessat(s->fd, "spare", F_OK, 0), -1);
    buf_release(&text);
    buf_release(&line);
}

/* Longer than what is looked at of it: nothing that could be the end of a word is told. */
static void test_last_line(void **state)
{
    struct scene *s = *state;
    struct capture_room *room = capture_room_new(s->fd, &s->faults);
    struct capture capture;
    struct buf secret = {0}, line = {0};
    int stdio[3];

    while (secret.len < 10000)
        buf_addf(&secret, "%zu,", secret.len);
    mask_add(s->mask, buf_str(&secret));
    capture_mask(room, s->mask);
    assert_int_equal(capture_open(room, CAPTURE_FD, &capture, stdio), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fd_write_all(stdio[1], secret.ptr, secret.len), 0);
    capture_last_line(capture.files, 100, &line);
    assert_false(holds(buf_str(&line), ",9"));
    buf_clear(&line);
    assert_int_equal(fd_write_all(stdio[1], "\n", 1), 0);
    assert_int_equal(fd_write_all(stdio[1], secret.ptr, secret.len), 0);
    capture_last_line(capture.files, 100, &line);
    assert_string_equal(buf_text(&line), MASK_SHOWN);
    capture_close(room, &capture);
    capture_room_free(room);
    buf_release(&secret);
    buf_release(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_output, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_output, set_up_spare, tear_down),
        cmocka_unit_test_setup_teardown(test_last_line, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
