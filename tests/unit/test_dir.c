#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "tests/unit/forks.h"
#include "tests/unit/name_space.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534
#define DEEP   8000

/* Every test has a folder of its own, which must be empty of descriptors and files when it is over. */
struct scratch {
    char path[64];
    int fd, fds_before;
};

static int setup_in(void **state, const char *folder)
{
    struct scratch *scratch = mem_zero(1, sizeof *scratch);

    scratch->fds_before = proc_count_fds(getpid());
    snprintf(scratch->path, sizeof scratch->path, "%s/test_dir-XXXXXX", folder);
    if (!mkdtemp(scratch->path) || chmod(scratch->path, 0777) < 0)
        return -1;
    scratch->fd = dir_open(AT_FDCWD, scratch->path);
    *state = scratch;
    return scratch->fd < 0;
}

static int setup(void **state)
{
    return setup_in(state, "/tmp");
}

/* For thousands of folders a disk is slow. */
static int setup_memory(void **state)
{
    return setup_in(state, access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp");
}

static int teardown(void **state)
{
    struct scratch *scratch = *state;
    int left;

    close(scratch->fd);
    left = proc_count_fds(getpid()) - scratch->fds_before;
    if (dir_remove(AT_FDCWD, scratch->path) < 0 || access(scratch->path, F_OK) == 0 || left != 0) {
        print_error("'%s' is not removed (%s), or %d descriptors are open\n", scratch->path, strerror(errno),
                    left);
        return -1;
    }
    free(scratch);
    return 0;
}

static int at_of(void **state)
{
    return ((struct scratch *)*state)->fd;
}

static bool exists(int at, const char *path)
{
    return faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A file of `size` bytes, its folders made. */
static bool put_file(int at, const char *path, size_t size)
{
    char *bytes = mem_zero(1, size + 1);
    int fd =
        dir_make_parents(at, path, 0777) < 0 ? -1 : openat(at, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    bool done = fd >= 0 && fd_write_all(fd, bytes, size) == 0;

    fd_close(&fd);
    free(bytes);
    return done;
}

/* Runs `body` in a process of its own that is not root; what it says. */
static bool as_nobody(bool (*body)(int at), int at)
{
    int status;
    pid_t pid = must_fork();

    if (pid == 0) {
        if (geteuid() == 0 && (fchown(at, NOBODY, NOBODY) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
            _exit(2);
        _exit(body(at) ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0;
}

/* ---- making ---- */

static void test_make(void **state)
{
    static const char *const paths[] = {"a",    "a",   "b/c/d",  "b/c/d/",
                                        "b//e", "./f", "b/../g", "b/c/d/h/i/j/k/l/m"};
    int at = at_of(state);

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct stat st;

        if (dir_make(at, paths[i], 0755) < 0 || fstatat(at, paths[i], &st, 0) < 0 || !S_ISDIR(st.st_mode))
            fail_msg("'%s': %s", paths[i], strerror(errno));
    }
    assert_int_equal(dir_make_parents(at, "p/q/file", 0755), 0);
    assert_true(exists(at, "p/q"));
    assert_false(exists(at, "p/q/file"));
    assert_int_equal(dir_make_parents(at, "file", 0755), 0);
    assert_false(exists(at, "file"));
}

static void test_make_mode(void **state)
{
    int at = at_of(state);
    struct stat st;

    assert_int_equal(dir_make(at, "a/b", 0500), 0);
    assert_int_equal(fstatat(at, "a", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(fstatat(at, "a/b", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0500);
}

/* Others remove what is empty, in which somebody is about to make something. */
static void test_make_beside_a_remover(void **state)
{
    int at = at_of(state), status;
    pid_t remover = must_fork();

    if (remover == 0)
        limit_life(60);
    while (remover == 0)
        unlinkat(at, "a", AT_REMOVEDIR);
    for (int i = 0; i < 500; i++) {
        if (dir_make(at, "a/b/c", 0755) < 0)
            fail_msg("%d: %s", i, strerror(errno));
        assert_int_equal(unlinkat(at, "a/b/c", AT_REMOVEDIR), 0);
        assert_int_equal(unlinkat(at, "a/b", AT_REMOVEDIR), 0);
    }
    kill(remover, SIGKILL);
    assert_int_equal(waitpid(remover, &status, 0), remover);
}

static void test_make_refused(void **state)
{
    static const char *const paths[] = {"file", "file/a", "file/a/b"};
    int at = at_of(state);

    assert_true(put_file(at, "file", 1));
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (dir_make(at, paths[i], 0755) == 0 || errno != ENOTDIR)
            fail_msg("'%s': %s", paths[i], strerror(errno));
    assert_int_equal(dir_make(at, "", 0755), -1);
    assert_int_equal(errno, ENOENT);
}

/* ---- reading ---- */

static void test_is_empty(void **state)
{
    int at = at_of(state), fd;

    assert_int_equal(dir_make(at, "a", 0755), 0);
    fd = dir_open(at, "a");
    assert_int_equal(dir_is_empty(fd), 1);
    for (int time = 0; time < 3; time++) {
        assert_true(put_file(fd, ".hidden", 0));
        assert_int_equal(dir_is_empty(fd), 0);
        assert_int_equal(dir_is_empty(fd), 0);
        assert_int_equal(unlinkat(fd, ".hidden", 0), 0);
        assert_int_equal(dir_is_empty(fd), 1);
    }
    assert_int_equal(unlinkat(at, "a", AT_REMOVEDIR), 0);
    assert_int_equal(dir_is_empty(fd), -1);
    assert_int_equal(errno, ENOENT);
    close(fd);
}

static void test_list(void **state)
{
    static const char *const names[] = {"..a", ".b", "B", "a", "a b", "ab", "\xFF"};
    static const char *const made[] = {"ab", "\xFF", ".b", "B", "a b", "..a", "a"};
    struct arena arena = {0};
    struct str *list;
    size_t count;
    int at = at_of(state);

    assert_int_equal(dir_list(at, ".", &arena, &list, &count), 0);
    assert_int_equal(count, 0);
    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        assert_true(put_file(at, made[i], 0));
    assert_int_equal(dir_list(at, ".", &arena, &list, &count), 0);
    assert_int_equal(count, ARRAY_LEN(names));
    for (size_t i = 0; i < count; i++)
        if (!str_is(list[i], names[i]))
            fail_msg("name %zu is '%.*s', not '%s'", i, STR_ARG(list[i]), names[i]);
    assert_int_equal(dir_list(at, "none", &arena, &list, &count), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(count, 0);
    arena_release(&arena);
}

static void test_list_many(void **state)
{
    struct arena arena = {0};
    struct str *list;
    size_t count;
    int at = at_of(state);
    char name[80];

    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "%05d-a name that is long enough for several reads of the folder", i);
        assert_true(put_file(at, name, 0));
    }
    assert_int_equal(dir_list(at, ".", &arena, &list, &count), 0);
    assert_int_equal(count, 3000);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(atoi(list[i].ptr), i);
    arena_release(&arena);
}

/* ---- removing ---- */

static void make_special(int at)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(mkfifoat(at, "tree/fifo", 0600), 0);
    assert_int_equal(symlinkat("/nowhere", at, "tree/broken"), 0);
    snprintf(name.sun_path, sizeof name.sun_path, "/proc/self/fd/%d/tree/socket", at);
    assert_int_equal(bind(fd, (const void *)&name, sizeof name), 0);
    close(fd);
}

static void make_tree(int at, int width)
{
    char path[64];

    for (int a = 0; a < width; a++)
        for (int b = 0; b < width; b++) {
            snprintf(path, sizeof path, "tree/%d/%d/empty", a, b);
            assert_int_equal(dir_make(at, path, 0755), 0);
            snprintf(path, sizeof path, "tree/%d/%d/.file", a, b);
            assert_true(put_file(at, path, 10));
            snprintf(path, sizeof path, "tree/%d/file %d", a, b);
            assert_true(put_file(at, path, 10));
        }
}

static void test_remove(void **state)
{
    int at = at_of(state);

    make_tree(at, 12);
    make_special(at);
    assert_int_equal(dir_remove(at, "tree"), 0);
    assert_false(exists(at, "tree"));
    assert_int_equal(dir_remove(at, "tree"), 0);
    assert_int_equal(dir_is_empty(at), 1);
}

static void test_empty(void **state)
{
    int at = at_of(state), tree;

    make_tree(at, 3);
    make_special(at);
    tree = dir_open(at, "tree");
    assert_int_equal(dir_empty(tree), 0);
    assert_int_equal(dir_is_empty(tree), 1);
    assert_true(exists(at, "tree"));
    assert_int_equal(dir_empty(tree), 0);
    assert_true(put_file(tree, "still/there", 1));
    close(tree);
}

static void test_remove_wide(void **state)
{
    int at = at_of(state);
    char path[64];

    for (int i = 0; i < 5000; i++) {
        snprintf(path, sizeof path, "tree/%d/file", i);
        assert_true(put_file(at, path, 0));
    }
    assert_int_equal(dir_remove(at, "tree"), 0);
}

/* What links lead to stays, wherever the link is. */
static void test_remove_links(void **state)
{
    struct scratch *scratch = *state;
    char outside[96];
    int at = scratch->fd;

    snprintf(outside, sizeof outside, "%s/outside", scratch->path);
    assert_true(put_file(at, "outside/keep", 1));
    assert_int_equal(dir_make(at, "tree/a", 0755), 0);
    assert_int_equal(symlinkat(outside, at, "tree/absolute"), 0);
    assert_int_equal(symlinkat("../../outside", at, "tree/a/relative"), 0);
    assert_int_equal(symlinkat("..", at, "tree/a/up"), 0);
    assert_int_equal(linkat(at, "outside/keep", at, "tree/a/hard", 0), 0);
    assert_int_equal(dir_remove(at, "tree"), 0);
    assert_int_equal(symlinkat("outside", at, "link"), 0);
    assert_int_equal(dir_remove(at, "link"), 0);
    assert_false(exists(at, "link"));
    assert_true(put_file(at, "file", 1));
    assert_int_equal(dir_remove(at, "file"), 0);
    assert_false(exists(at, "file"));
    assert_true(exists(at, "outside/keep"));
}

static void make_deep(int at, int depth)
{
    int fd = dup(at);

    for (int level = 0; level < depth; level++) {
        int next;

        assert_int_equal(mkdirat(fd, "a folder", 0755), 0);
        assert_true(put_file(fd, "file", 0));
        next = openat(fd, "a folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    close(fd);
}

static void test_deep(void **state)
{
    struct rlimit before, few;
    uint64_t bytes;
    int at = at_of(state);

    make_deep(at, DEEP);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)proc_count_fds(getpid()) + 2;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(dir_size(at, ".", &bytes), 0);
    assert_int_equal(dir_remove(at, "a folder"), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(exists(at, "a folder"));
}

static void test_no_descriptors(void **state)
{
    struct rlimit before, none;
    uint64_t bytes;
    int at = at_of(state);

    assert_true(put_file(at, "tree/file", 1));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(dir_remove(at, "tree"), -1);
    assert_int_equal(errno, EMFILE);
    assert_int_equal(dir_size(at, "tree", &bytes), -1);
    assert_int_equal(errno, EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(exists(at, "tree/file"));
}

/* ---- what is forbidden ---- */

static bool remove_forbidden(int at)
{
    static const mode_t modes[] = {0000, 0100, 0200, 0300, 0400, 0500, 0600};
    char path[64];

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        snprintf(path, sizeof path, "tree/%zu/in/it/file", i);
        if (!put_file(at, path, 1))
            return false;
        for (int level = 0; level < 3; level++) {
            *strrchr(path, '/') = '\0';
            if (fchmodat(at, path, modes[i], 0) < 0)
                return false;
        }
    }
    return fchmodat(at, "tree", 0, 0) == 0 && dir_remove(at, "tree") == 0 && !exists(at, "tree");
}

static void test_forbidden(void **state)
{
    assert_true(as_nobody(remove_forbidden, at_of(state)));
}

/* A link in the place of a folder must not have what it leads to opened up. */
static bool remove_forbidden_link(int at)
{
    struct stat st;

    if (!put_file(at, "outside/keep", 1) || dir_make(at, "tree", 0755) < 0 ||
        symlinkat("../outside", at, "tree/l") < 0)
        return false;
    return fchmodat(at, "outside", 0, 0) == 0 && dir_remove(at, "tree") == 0 &&
           fstatat(at, "outside", &st, 0) == 0 && (st.st_mode & 0777) == 0;
}

static void test_forbidden_link(void **state)
{
    assert_true(as_nobody(remove_forbidden_link, at_of(state)));
}

static bool remove_others(int at)
{
    return put_file(at, "tree/mine/file", 1) && put_file(at, "tree/z/file", 1) &&
           dir_remove(at, "tree") == -1 && errno == EACCES && exists(at, "tree/closed") &&
           exists(at, "tree/listed") && !exists(at, "tree/mine") && !exists(at, "tree/z");
}

/* Other people's folders are left, all around them goes. */
static void test_others(void **state)
{
    int at = at_of(state);

    if (geteuid() != 0)
        skip();
    assert_true(put_file(at, "tree/closed/file", 1));
    assert_true(put_file(at, "tree/listed/file", 1));
    assert_int_equal(fchmodat(at, "tree/closed", 0700, 0), 0);
    assert_int_equal(fchmodat(at, "tree/listed", 0744, 0), 0);
    assert_int_equal(fchownat(at, "tree", NOBODY, NOBODY, 0), 0);
    assert_true(as_nobody(remove_others, at));
    assert_true(exists(at, "tree/closed/file"));
    assert_true(exists(at, "tree/listed/file"));
}

/* ---- measuring ---- */

static void test_size(void **state)
{
    int at = at_of(state);
    uint64_t none, some, linked;

    assert_int_equal(dir_size(at, "none", &none), 0);
    assert_int_equal(none, 0);
    assert_true(put_file(at, "outside/large", 4 << 20));
    assert_int_equal(dir_make(at, "tree/a", 0755), 0);
    assert_int_equal(dir_size(at, "tree", &none), 0);
    assert_true(put_file(at, "tree/a/file", 300 << 10));
    assert_true(put_file(at, "tree/file", 100 << 10));
    assert_int_equal(dir_size(at, "tree", &some), 0);
    assert_true(some - none >= 400 << 10);
    assert_true(some - none < 1 << 20);
    assert_int_equal(symlinkat("../outside", at, "tree/link"), 0);
    assert_int_equal(symlinkat("../outside/large", at, "tree/file-link"), 0);
    assert_int_equal(dir_size(at, "tree", &linked), 0);
    assert_true(linked - some < 64 << 10);
    assert_int_equal(dir_size(at, "tree/file", &some), -1);
    assert_int_equal(errno, ENOTDIR);
}

static bool measure_forbidden(int at)
{
    uint64_t bytes;
    struct stat st;

    if (!put_file(at, "tree/a/file", 100 << 10) || !put_file(at, "tree/b/c/file", 100 << 10) ||
        !put_file(at, "tree/d/file", 100 << 10) || fchmodat(at, "tree/a", 0, 0) < 0 ||
        fchmodat(at, "tree/b", 0400, 0) < 0)
        return false;
    return dir_size(at, "tree", &bytes) == -1 && errno == EACCES && bytes >= 100 << 10 && bytes < 200 << 10 &&
           fstatat(at, "tree/a", &st, 0) == 0 && (st.st_mode & 0777) == 0;
}

static void test_size_forbidden(void **state)
{
    assert_true(as_nobody(measure_forbidden, at_of(state)));
}

/* ---- mounts ---- */

/* In a mount namespace of its own, where `path` has to be opened anew; 77: this cannot be done here. */
static int with_mounts(const char *path)
{
    uint64_t bytes;
    bool bound;
    int at;

    if (!enter_namespace() || chdir(path) < 0 || mount("none", "tree/other", "tmpfs", 0, NULL) < 0)
        return 77;
    at = dir_open(AT_FDCWD, ".");
    bound = mount("outside", "tree/same", NULL, MS_BIND, NULL) == 0;
    if (!put_file(at, "tree/other/keep", 1 << 20) || dir_size(at, "tree", &bytes) < 0 || bytes >= 1 << 20)
        return 1;
    if (dir_size(at, "tree/other", &bytes) < 0 || bytes < 1 << 20)
        return 2;
    if (dir_remove(at, "tree") == 0 || errno != EXDEV || exists(at, "tree/file"))
        return 3;
    if (dir_remove(at, "tree/other") == 0 || errno != EXDEV || !exists(at, "tree/other/keep"))
        return 4;
    if (bound && (dir_remove(at, "tree/same") == 0 || errno != EXDEV || !exists(at, "outside/keep")))
        return 5;
    return 0;
}

static void test_mounts(void **state)
{
    struct scratch *scratch = *state;
    int status;
    pid_t pid;

    assert_true(put_file(scratch->fd, "outside/keep", 1 << 20));
    assert_true(put_file(scratch->fd, "tree/file", 1));
    assert_int_equal(dir_make(scratch->fd, "tree/other", 0755), 0);
    assert_int_equal(dir_make(scratch->fd, "tree/same", 0755), 0);
    pid = must_fork();
    if (pid == 0)
        _exit(with_mounts(scratch->path));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status == W_EXITCODE(77, 0))
        skip();
    assert_int_equal(status, 0);
}

/* ---- folders that move ---- */

static _Noreturn void move_for_ever(int at)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        renameat(at, "tree/a/b", at, "outside/b");
        renameat(at, "outside/b", at, "tree/a/b");
    }
}

/* Something to be walked through in `b`, beside folders that have the names of what must be left alone. */
static void make_movable(int at)
{
    static const char *const paths[] = {"tree/a/keep", "tree/a/b/1/2/3", "tree/a/b/4/5/6", "tree/a/b/7/8/9",
                                        "tree/a/keep too"};

    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        dir_make(at, paths[i], 0755);
}

/* Whatever comes of the walk, it does not come out of the tree. */
static void test_moving(void **state)
{
    int at = at_of(state);
    pid_t mover;

    assert_true(put_file(at, "outside/keep/file", 1));
    assert_true(put_file(at, "outside/keep too/file", 1));
    mover = must_fork();
    if (mover == 0)
        move_for_ever(at);
    for (int time = 0; time < 300; time++) {
        make_movable(at);
        dir_remove(at, "tree");
        if (!exists(at, "outside/keep/file") || !exists(at, "outside/keep too/file")) {
            kill(mover, SIGKILL);
            fail_msg("walked out of the tree the %dth time", time);
        }
    }
    kill(mover, SIGKILL);
    assert_int_equal(waitpid(mover, NULL, 0), mover);
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_LARGE(name) cmocka_unit_test_setup_teardown(name, setup_memory, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_make),
        TEST(test_make_mode),
        TEST(test_make_beside_a_remover),
        TEST(test_make_refused),
        TEST(test_is_empty),
        TEST(test_list),
        TEST_LARGE(test_list_many),
        TEST(test_remove),
        TEST(test_empty),
        TEST_LARGE(test_remove_wide),
        TEST(test_remove_links),
        TEST_LARGE(test_deep),
        TEST(test_no_descriptors),
        TEST(test_forbidden),
        TEST(test_forbidden_link),
        TEST(test_others),
        TEST(test_size),
        TEST(test_size_forbidden),
        TEST(test_mounts),
        TEST_LARGE(test_moving),
    };

    umask(022);
    return cmocka_run_group_tests_name("dir", tests, NULL, NULL);
}
