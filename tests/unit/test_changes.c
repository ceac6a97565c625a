#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "runner/changes/changes.h"
#include "runner/changes/ignore.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    char path[64];
    int fd, fds_before;
    struct faults faults;
    struct changes *changes;
};

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    s->fds_before = proc_count_fds(getpid());
    strcpy(s->path, "/tmp/test_changes-XXXXXX");
    *state = s;
    if (!mkdtemp(s->path))
        return -1;
    s->fd = dir_open(AT_FDCWD, s->path);
    s->changes = changes_new(&s->faults);
    return s->fd < 0 || !s->changes;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    int left;

    changes_free(s->changes);
    fd_close(&s->fd);
    dir_remove(AT_FDCWD, s->path);
    left = proc_count_fds(getpid()) - s->fds_before;
    free(s);
    return left;
}

static void make(struct scene *s, const char *path, const char *text)
{
    int fd;

    assert_int_equal(dir_make_parents(s->fd, path, 0777), 0);
    fd = openat(s->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    close(fd);
}

/* ---- .gitignore ---- */

static void test_ignore(void **state)
{
    static const struct {
        const char *path;
        bool is_folder, ignored;
    } rows[] = {
        {"a.o", false, true},
        {"deep/er/a.o", false, true},
        {"keep.o", false, false}, /* taken back */
        {"a.c", false, false},
        {"build", true, true},
        {"build", false, false}, /* folders alone */
        {"sub/build", true, true},
        {"top", false, true},
        {"sub/top", false, false}, /* from the folder on */
        {"doc/out/x", false, true},
        {"doc/x", false, false},
        {"doc/out/y/x", false, false},
        {"any/where/log", false, true},
        {"log", false, true},
        {"x/a/b/z", false, true},
        {"x/z", false, true},
        {"y/z", false, false},
        {"cache/deep/file", false, true},
        {"cache", true, false},
        {"#odd", false, true},
        {"a b", false, true},
        {"sub/own", false, true}, /* as the one in it says */
        {"own", false, false},
        {"sub/back.o", false, false}, /* ... which comes later */
        {"back.o", false, true},
        {"", false, false},
    };
    struct scene *s = *state;
    struct ignore ignore = {0};
    char folder[128];

    make(s, ".gitignore",
         "# comment\n\n*.o\n!keep.o\nbuild/\n/top\ndoc/*/x\n**/log\nx/**/z\ncache/**\n\\#odd\na b  \r\n");
    make(s, "sub/.gitignore", "own\n!back.o\n");
    snprintf(folder, sizeof folder, "%s/sub", s->path);
    ignore_read(&ignore, s->path);
    ignore_read(&ignore, folder);
    ignore_read(&ignore, "/nowhere");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[256];

        snprintf(path, sizeof path, "%s/%s", s->path, rows[i].path);
        if (ignore_has(&ignore, path, rows[i].is_folder) != rows[i].ignored)
            fail_msg("'%s' is%s ignored", rows[i].path, rows[i].ignored ? " not" : "");
    }
    ignore_release(&ignore);
}

/* ---- changes ---- */

static void watch(struct scene *s)
{
    const char *const roots[] = {s->path};
    char out[128];
    const char *const left_out[] = {out};

    snprintf(out, sizeof out, "%s/out.xml", s->path);
    changes_watch(s->changes, roots, 1, left_out, 1);
}

/* What is told since the last time: one path below the folder, "" for nothing. */
static void assert_told(struct scene *s, const char *path)
{
    changes_read(s->changes);
    assert_false(changes_lost(s->changes));
    if (!*path && changes_any(s->changes))
        fail_msg("told of '%s'", changes_path(s->changes, 0));
    if (*path &&
        (changes_count(s->changes) != 1 || strcmp(changes_path(s->changes, 0) + strlen(s->path) + 1, path)))
        fail_msg("not told of '%s', but of %zu: '%s'", path, changes_count(s->changes),
                 changes_any(s->changes) ? changes_path(s->changes, 0) : "");
    changes_forget(s->changes);
}

static void test_what_is_told(void **state)
{
    struct scene *s = *state;

    make(s, "src/a.c", "");
    make(s, "build/a.o", "");
    make(s, ".git/index", "");
    make(s, ".gitignore", "build/\n*.tmp\n");
    watch(s);
    assert_int_equal(changes_folders(s->changes), 2);
    assert_told(s, "");
    make(s, "src/a.c", "new");
    assert_told(s, "src/a.c");
    make(s, "src/b.c", "");
    make(s, "src/b.c", "");
    assert_told(s, "src/b.c");
    assert_int_equal(renameat(s->fd, "src/b.c", s->fd, "build/b.c"), 0);
    assert_told(s, "src/b.c");
    assert_int_equal(unlinkat(s->fd, "src/a.c", 0), 0);
    assert_told(s, "src/a.c");
    make(s, "build/a.o", "new");
    make(s, "src/x.tmp", "");
    make(s, ".git/index", "new");
    make(s, "src/.a.c.swp", "");
    make(s, "src/a.c~", "");
    make(s, "out.xml", "");
    make(s, ".run-matrix-1-2", "");
    assert_int_equal(mkfifoat(s->fd, "src/pipe", 0666), 0);
    assert_told(s, "");
    assert_int_equal(symlinkat("..", s->fd, "src/up"), 0);
    assert_told(s, "src/up");
    assert_int_equal(changes_folders(s->changes), 2);
    make(s, ".gitignore", "*.tmp\n");
    assert_told(s, ".gitignore");
    assert_int_equal(changes_folders(s->changes), 3);
    make(s, "build/a.o", "");
    assert_told(s, "build/a.o");
}

static void test_folders(void **state)
{
    struct scene *s = *state;

    watch(s);
    make(s, "new/er/file", "");
    assert_told(s, "new"); /* what was made before it was watched is not told of one by one */
    assert_int_equal(changes_folders(s->changes), 3);
    make(s, "new/er/file", "");
    assert_told(s, "new/er/file");
    assert_int_equal(renameat(s->fd, "new", s->fd, "newer"), 0);
    changes_read(s->changes);
    assert_int_equal(changes_count(s->changes), 2);
    changes_forget(s->changes);
    make(s, "newer/er/file", "");
    assert_told(s, "newer/er/file");
    assert_int_equal(dir_remove(s->fd, "newer"), 0);
    changes_read(s->changes);
    assert_true(changes_any(s->changes));
    assert_int_equal(changes_folders(s->changes), 1);
    changes_forget(s->changes);
    assert_told(s, "");
}

static void test_limit(void **state)
{
    struct scene *s = *state;
    const char *trouble;

    s->faults.any = true;
    s->faults.plans[FAULT_NOTIFY] = (struct fault_plan){.set = true, .first = 2, .error = ENOSPC};
    make(s, "a/file", "");
    make(s, "b/file", "");
    watch(s);
    assert_int_equal(changes_folders(s->changes), 1);
    trouble = changes_trouble(s->changes);
    assert_non_null(trouble);
    assert_non_null(strstr(trouble, "max_user_watches"));
    assert_null(changes_trouble(s->changes));
    make(s, "file", "");
    assert_told(s, "file");
}

/* More than can be named is more than is named. */
static void test_many(void **state)
{
    struct scene *s = *state;
    char name[32];

    watch(s);
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "file-%d", i);
        make(s, name, "");
    }
    changes_read(s->changes);
    assert_true(changes_any(s->changes));
    assert_true(changes_lost(s->changes));
    changes_forget(s->changes);
    assert_told(s, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ignore), TEST(test_what_is_told), TEST(test_folders), TEST(test_limit), TEST(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
