/* Reports on disk: which match, and which were there before. */
#include "runner/report_files.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int set_up(void **state)
{
    char *folder = strdup("/tmp/reports-XXXXXX");

    if (!folder || !mkdtemp(folder))
        return -1;
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    int result = dir_remove(AT_FDCWD, *state);

    free(*state);
    return result;
}

static const char *in(struct arena *arena, void **state, const char *name)
{
    return arena_printf(arena, "%s/%s", (char *)*state, name);
}

static void put(struct arena *arena, void **state, const char *name, const char *text)
{
    int fd = open(in(arena, state, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    close(fd);
}

static void test_find(void **state)
{
    struct report_files files;
    struct arena arena = {0};

    report_files_find(&files, in(&arena, state, "*.xml"), &arena);
    assert_int_equal(files.count, 0);
    put(&arena, state, "b.xml", "");
    put(&arena, state, "a.xml", "");
    put(&arena, state, "[x].xml", "");
    put(&arena, state, "c.txt", "");
    assert_int_equal(symlink("nowhere", in(&arena, state, "d.xml")), 0);
    report_files_find(&files, in(&arena, state, "*.xml"), &arena);
    assert_int_equal(files.count, 3);
    assert_string_equal(files.list[1].path, in(&arena, state, "a.xml"));
    assert_string_equal(files.list[2].path, in(&arena, state, "b.xml"));
    report_files_find(&files, in(&arena, state, "\\[x].xml"),
                      &arena); /* what a variable held is no pattern */
    assert_int_equal(files.count, 1);
    report_files_find(&files, in(&arena, state, "a.xml"), &arena);
    assert_int_equal(files.count, 1);
    arena_release(&arena);
}

static bool is_stale(struct arena *arena, void **state, const struct report_files *before, const char *name)
{
    struct report_files now;

    report_files_find(&now, in(arena, state, name), arena);
    assert_int_equal(now.count, 1);
    return report_file_is_stale(before, &now.list[0]);
}

/* However the time of a file is set: its inode knows better. */
static void test_stale(void **state)
{
    struct report_files before;
    struct arena arena = {0};
    struct timespec times[2];

    put(&arena, state, "same.xml", "12");
    put(&arena, state, "longer.xml", "12");
    put(&arena, state, "touched.xml", "12");
    put(&arena, state, "replaced.xml", "12");
    report_files_find(&before, in(&arena, state, "*.xml"), &arena);
    for (size_t i = 0; i < before.count;
         i++) /* as if they had been there for long: clocks of files are coarse */
        before.list[i].st.st_ctim.tv_sec -= strstr(before.list[i].path, "touched") ? 10 : 0;
    put(&arena, state, "longer.xml", "123");
    times[0] = times[1] = before.list[0].st.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, in(&arena, state, "touched.xml"), times, 0), 0);
    put(&arena, state, "other", "12");
    assert_int_equal(rename(in(&arena, state, "other"), in(&arena, state, "replaced.xml")), 0);
    put(&arena, state, "new.xml", "12");
    assert_true(is_stale(&arena, state, &before, "same.xml"));
    assert_false(is_stale(&arena, state, &before, "longer.xml"));
    assert_false(is_stale(&arena, state, &before, "touched.xml"));
    assert_false(is_stale(&arena, state, &before, "replaced.xml"));
    assert_false(is_stale(&arena, state, &before, "new.xml"));
    before = (struct report_files){0};
    assert_false(is_stale(&arena, state, &before, "same.xml"));
    arena_release(&arena);
}

/* Written, noted and written again, with the same length, as quickly as can be. */
static void test_written_at_once(void **state)
{
    struct report_files before;
    struct arena arena = {0};

    for (int i = 0; i < 50; i++) {
        put(&arena, state, "x.xml", "12");
        report_files_note(&before, in(&arena, state, "x.xml"), &arena);
        assert_true(is_stale(&arena, state, &before, "x.xml"));
        put(&arena, state, "x.xml", "34");
        assert_false(is_stale(&arena, state, &before, "x.xml"));
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_find, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_written_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
