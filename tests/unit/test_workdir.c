#include "runner/workdir.h"

#include "runner/base/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define RUN "/nowhere/.run-matrix/runs/0001"

static int set_up(void **state)
{
    static const char pattern[] = "/tmp/wXXXXXX"; /* short, so that it is taken */
    char *folder = strdup(pattern);

    if (!folder || !mkdtemp(folder) || setenv("TMPDIR", folder, 1) < 0)
        return -1;
    *state = folder;
    return signal(SIGXFSZ, SIG_IGN) == SIG_ERR ? -1 : 0;
}

static int tear_down(void **state)
{
    int result = dir_remove(AT_FDCWD, *state);

    free(*state);
    return result;
}

/* As on a full disk: names can be had, and no room for what is in them. */
static void fill_disk(bool full)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = full ? 0 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static bool is_empty(const char *path)
{
    int fd = dir_open(AT_FDCWD, path);
    bool empty = dir_is_empty(fd) == 1;

    close(fd);
    return empty;
}

static bool says_whose(const struct workdirs *dirs)
{
    int at = dir_open(AT_FDCWD, dirs->tmp), fd = openat(at, "run", O_RDONLY | O_CLOEXEC);
    char text[64] = "";
    bool good = read(fd, text, sizeof text - 1) > 0 && strcmp(text, RUN) == 0;

    close(fd);
    close(at);
    return good;
}

static void test_no_room_for_whose_it_is(void **state)
{
    struct workdirs dirs = {0}, shm = {0};
    int result, result_shm, error;

    fill_disk(true);
    result = workdirs_open(&dirs, RUN);
    error = errno;
    result_shm = workdirs_open_shm(&shm, RUN);
    fill_disk(false);
    assert_int_equal(result, -1);
    assert_int_equal(error, EFBIG);
    assert_true(is_empty(*state));
    assert_int_equal(result_shm, -1);
    if (access("/dev/shm", W_OK | X_OK) < 0)
        skip();
    assert_int_equal(workdirs_open_shm(&shm, RUN), 0); /* tried again */
    assert_true(says_whose(&shm));
    assert_int_equal(dir_remove(AT_FDCWD, shm.tmp), 0);
}

/* A case has removed all that there is. */
static void test_no_room_when_it_is_made_again(void **state)
{
    struct workdirs dirs = {0};
    struct workdir dir = {.fd = -1};
    int result;

    assert_int_equal(workdirs_open(&dirs, RUN), 0);
    assert_int_equal(dir_remove(AT_FDCWD, dirs.tmp), 0);
    fill_disk(true);
    result = workdir_lend(&dirs, &dir);
    fill_disk(false);
    assert_int_equal(result, -1);
    assert_true(is_empty(*state));
    assert_int_equal(workdir_lend(&dirs, &dir), 0);
    assert_true(says_whose(&dirs));
    close(dir.fd);
}

/* Two folders of one slot are two folders; each is empty when it is lent. */
static void test_reports(void **state)
{
    struct workdir artifacts = {.fd = -1}, reports = {.fd = -1};
    int run = dir_open(AT_FDCWD, *state);
    char first[sizeof reports.path];

    assert_int_equal(workdir_lend_artifacts(run, &artifacts), 0);
    assert_int_equal(workdir_lend_reports(run, &reports), 0);
    assert_string_not_equal(artifacts.path, reports.path);
    strcpy(first, reports.path);
    close(openat(reports.fd, "x.xml", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    workdir_return_artifacts(run, &reports, false);
    assert_int_equal(faccessat(run, first, F_OK, 0), -1);
    assert_int_equal(workdir_lend_reports(run, &reports), 0);
    assert_int_equal(dir_is_empty(reports.fd), 1);
    workdir_return_artifacts(run, &reports, false);
    workdir_return_artifacts(run, &artifacts, true);
    assert_int_equal(faccessat(run, artifacts.path, F_OK, 0), 0); /* lent again as it is */
    workdirs_close_artifacts(run);
    close(artifacts.fd);
    close(run);
}

static nanos ctime_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec;
}

/* Empty, with this ctime, for `span`: as nobody can put something into it without a trace, this does it with one. */
static void pretend(struct workdir *dir, nanos span)
{
    dir->changed = ctime_of(dir->fd);
    dir->last = clock_now();
    dir->first = dir->last - span;
}

/* It is read again unless nothing can have changed. */
static void test_looked_into_when_changed(void **state)
{
    struct workdir dir = {.fd = -1};
    int run = dir_open(AT_FDCWD, *state);

    assert_int_equal(workdir_lend_artifacts(run, &dir), 0);
    assert_false(workdir_has_artifacts(&dir));
    assert_int_equal(dir.changed, ctime_of(dir.fd));
    pretend(&dir, NS_PER_S);
    close(openat(dir.fd, "x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    dir.changed = 1; /* whatever it was before */
    assert_true(workdir_has_artifacts(&dir));
    pretend(&dir, 0); /* by the same tick of the clock, perhaps */
    assert_true(workdir_has_artifacts(&dir));
    pretend(&dir, NS_PER_S);
    if (dir.changed % NS_PER_S)
        assert_false(workdir_has_artifacts(&dir));
    workdir_return_artifacts(run, &dir, false);
    assert_int_equal(workdir_lend_artifacts(run, &dir), 0);
    assert_int_equal(dir.changed, 0); /* of another folder nothing is known */
    workdirs_close_artifacts(run);
    close(dir.fd);
    close(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_room_for_whose_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_room_when_it_is_made_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_looked_into_when_changed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
