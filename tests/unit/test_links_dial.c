/* Who dials comes as soon as somebody is there, and gives up when his time is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/forks.h"
#include "tests/unit/link_bench.h"

static void expect_nobody(struct str url, int error)
{
    nanos until = clock_now() + 100 * NS_PER_MS;

    assert_int_equal(link_dial(url, until), -1);
    assert_int_equal(errno, error);
    assert_true(clock_now() >= until);
    /* Once at least, however late it is. */
    assert_int_equal(link_dial(url, 0), -1);
    assert_int_equal(errno, error);
}

static void test_nobody_is_there(void **state)
{
    struct link_bench *bench = *state;

    expect_nobody(own_url(bench), ENOENT);
    leave_stale(own_path(bench));
    expect_nobody(own_url(bench), ECONNREFUSED);
    assert_int_equal(unlink(own_path(bench)), 0);
    assert_int_equal(file_write(own_path(bench), str_of("no socket")), 0);
    expect_nobody(own_url(bench), ECONNREFUSED);
    assert_int_equal(unlink(own_path(bench)), 0);
    assert_int_equal(link_dial(own_url(bench), 0), -1);
}

static void test_nobody_is_at_a_port(void **state)
{
    struct link_bench *bench = *state;

    listener_close(&bench->listener);
    expect_nobody(buf_str(&bench->url), ECONNREFUSED);
}

/* The child has been refused before anybody listens: it says so, and tries again. */
static void test_it_waits_for_somebody(void **state)
{
    struct link_bench *bench = *state;
    int tried[2], status;
    char byte;
    pid_t pid;

    if (bench->transport == TRANSPORT_UDS)
        own_url(bench);
    listener_close(&bench->listener);
    assert_int_equal(pipe2(tried, O_CLOEXEC), 0);
    pid = must_fork();
    if (pid == 0) {
        limit_life(60);
        if (link_dial(buf_str(&bench->url), 0) >= 0 || write(tried[1], "", 1) != 1)
            _exit(2);
        link_open(&bench->here, link_dial(buf_str(&bench->url), clock_now() + WITHIN), MOST);
        _exit(!link_say(&bench->here, 1, 1, "at last", 7));
    }
    assert_int_equal(read(tried[0], &byte, 1), 1);
    assert_int_equal(listener_open_at(&bench->listener, buf_str(&bench->url)), 0);
    link_open(&bench->there, accept_one(&bench->listener), MOST);
    expect_frame(&bench->there, 1, 1, str_of("at last"));
    expect_over(&bench->there, LINK_ENDED);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    fd_close(&tried[0]);
    fd_close(&tried[1]);
}

/* As many wait as may: whoever comes then tries until one is taken, or until its time is over. */
static void test_where_many_wait(void **state)
{
    struct link_bench *bench = *state;
    int waiting[2], count = 0, status;
    pid_t pid;

    assert_int_equal(listen(bench->listener.fd, 0), 0);
    waiting[count++] = link_dial(buf_str(&bench->url), clock_now() + WITHIN);
    assert_true(waiting[0] >= 0);
    waiting[count] = link_dial(buf_str(&bench->url), clock_now() + 100 * NS_PER_MS);
    assert_int_equal(waiting[count], -1);
    assert_int_equal(errno, bench->transport == TRANSPORT_UDS ? EAGAIN : ETIMEDOUT);

    pid = must_fork();
    if (pid == 0) {
        limit_life(60);
        _exit(link_dial(buf_str(&bench->url), clock_now() + WITHIN) < 0);
    }
    for (int i = 0; i < 2; i++) {
        int fd = accept_one(&bench->listener);

        close(fd);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(waiting[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BARE(test_nobody_is_there, TRANSPORT_UDS),
        WITH_LISTENER(test_nobody_is_at_a_port, TRANSPORT_TCP),
        BY_BOTH(test_it_waits_for_somebody),
        BY_BOTH(test_where_many_wait),
    };

    return cmocka_run_group_tests_name("links_dial", tests, NULL, NULL);
}
