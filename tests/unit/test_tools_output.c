/* Output as a value. What is asserted goes through the streams that are captured: so not before they are back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runner/base/io.h"
#include "tests/unit/forks.h"
#include "tests/unit/tools_stage.h"

#include <sys/stat.h>

static void test_both_streams(void **state)
{
    (void)state;
    CAPTURE(said)
    {
        printf("by stdio");
        dprintf(STDOUT_FILENO, "by hand\n");
        fputs("error", stderr);
    }
    assert_string_equal(said.out, "by hand\nby stdio");
    assert_int_equal(said.out_len, strlen("by hand\nby stdio"));
    assert_string_equal(said.err, "error");
}

static void test_nothing(void **state)
{
    (void)state;
    CAPTURE(said)
    {
    }
    assert_string_equal(said.out, "");
    assert_string_equal(said.err, "");
    assert_int_equal(said.out_len + said.err_len, 0);
}

/* What was printed before and has not been written is not of it. */
static void test_only_what_is_within(void **state)
{
    struct mx_output outer_said = {0};

    (void)state;
    CAPTURE(outer)
    {
        printf("before ");
        CAPTURE(inner)
        {
            printf("within");
        }
        printf("after, %s, %zu", inner.out, inner.out_len);
        outer_said = inner;
    }
    assert_string_equal(outer.out, "before after, within, 6");
    assert_string_equal(outer_said.out, "within");
}

static void test_what_children_write(void **state)
{
    (void)state;
    CAPTURE(said)
    {
        for (int i = 0; i < 3; i++) {
            pid_t pid = must_fork();

            if (pid == 0) {
                dprintf(STDOUT_FILENO, "child %d\n", i);
                _exit(0);
            }
            waitpid(pid, NULL, 0);
            printf("parent %d\n", i);
            fflush(stdout);
        }
    }
    assert_string_equal(said.out, "child 0\nparent 0\nchild 1\nparent 1\nchild 2\nparent 2\n");
}

static void *write_much(void *user)
{
    static const char line[] = "0123456789abcdef0123456789abcde\n";

    for (int i = 0; i < 1000; i++)
        fd_write_all(STDOUT_FILENO, line, strlen(line));
    return user;
}

static void test_nothing_is_lost(void **state)
{
    pthread_t threads[4];

    (void)state;
    CAPTURE(said)
    {
        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, write_much, NULL);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(write(STDOUT_FILENO, "\0end", 4), 4);
    }
    assert_int_equal(said.out_len, 4 * 1000 * 32 + 4);
    assert_memory_equal(said.out + said.out_len - 4, "\0end", 4);
}

/* ---- leaving it ---- */

static int leave_by(int how)
{
    for (int i = 0; i < 2; i++) {
        CAPTURE(said)
        {
            puts("lost, as one likes");
            if (how == 0)
                break;
            if (how == 1)
                continue;
            if (how == 2)
                goto out;
            return -1;
        }
        if (how < 2)
            assert_string_equal(said.out, "lost, as one likes\n");
    }
    return 0;
out:
    return 1;
}

static bool is_same(int fd, const struct stat *before)
{
    struct stat now;

    return fstat(fd, &now) == 0 && now.st_ino == before->st_ino && now.st_dev == before->st_dev;
}

static void test_the_block_is_left_in_every_way(void **state)
{
    static const int results[] = {0, 0, 1, -1};
    struct stat out, err;

    (void)state;
    fstat(STDOUT_FILENO, &out);
    fstat(STDERR_FILENO, &err);
    for (int how = 0; how < 4; how++) {
        assert_int_equal(leave_by(how), results[how]);
        assert_true(is_same(STDOUT_FILENO, &out));
        assert_true(is_same(STDERR_FILENO, &err));
        assert_int_equal(real_output(STDERR_FILENO), STDERR_FILENO);
    }
}

static void fail_within(void)
{
    CAPTURE(outer)
    {
        printf("outer ");
        fprintf(stderr, "error ");
        CAPTURE(inner)
        {
            printf("inner");
            failure("f", 1, true, "no");
        }
    }
}

/* Into a file, to see what comes there. */
static int turn_away(int fd, int to)
{
    int before = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    dup2(to, fd);
    return before;
}

static void turn_back(int fd, int before)
{
    dup2(before, fd);
    close(before);
}

static void expect_content(const char *path, const char *wanted)
{
    struct buf text = {0};

    assert_int_equal(file_read(path, &text, 1000), 0);
    assert_string_equal(buf_text(&text), wanted);
    buf_release(&text);
}

static void run_turned_away(void (*run)(void))
{
    const char *out = mx_write_file("out", ""), *err = mx_write_file("err", "");
    int fds[2] = {open(out, O_WRONLY | O_CLOEXEC), open(err, O_WRONLY | O_CLOEXEC)}, before[2];

    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++)
        before[i] = turn_away(i + 1, fds[i]);
    run();
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        turn_back(i + 1, before[i]);
        close(fds[i]);
    }
}

/* Only what the capture gives back: the folder is looked into afterwards. */
static void unwind(void)
{
    size_t mark = stage.count;

    stage.expects = true;
    if (sigsetjmp(stage.out, 1) == 0)
        fail_within();
    stage.expects = false;
    while (stage.count > mark) {
        struct end_of end = stage.ends[--stage.count];

        end.run(end.user);
    }
}

static void test_who_fails_within_shows_what_was_caught(void **state)
{
    (void)state;
    run_turned_away(unwind);
    assert_int_equal(stage.fatal, 1);
    expect_content(mx_path("out"), "outer inner");
    expect_content(mx_path("err"), "error ");
}

static void leave_for_good(void)
{
    CAPTURE(outer)
    {
        printf("outer ");
        CAPTURE(inner)
        {
            printf("inner");
            dprintf(real_output(STDERR_FILENO), "real ");
            output_abandon();
            printf(" and more");
        }
    }
}

static void test_who_ends_within_shows_what_was_caught(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    mx_tmpdir();
    pid = must_fork();
    if (pid == 0) {
        run_turned_away(leave_for_good);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    expect_content(mx_path("out"), "outer inner and more");
    expect_content(mx_path("err"), "real ");
}

static void capture_closed(void)
{
    close(STDOUT_FILENO);
    CAPTURE(said)
    {
        dprintf(STDOUT_FILENO, "caught");
    }
    dprintf(STDERR_FILENO, "%s, %s", said.out, fcntl(STDOUT_FILENO, F_GETFD) < 0 ? "closed" : "open");
}

static void test_a_stream_that_was_closed_is_again(void **state)
{
    (void)state;
    run_turned_away(capture_closed);
    expect_content(mx_path("err"), "caught, closed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(test_both_streams),
        STAGED(test_nothing),
        STAGED(test_only_what_is_within),
        STAGED(test_what_children_write),
        STAGED(test_nothing_is_lost),
        STAGED(test_the_block_is_left_in_every_way),
        STAGED(test_who_fails_within_shows_what_was_caught),
        STAGED(test_who_ends_within_shows_what_was_caught),
        STAGED(test_a_stream_that_was_closed_is_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
