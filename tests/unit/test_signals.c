#include "runner/base/mem.h"
#include "runner/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What is done to signals cannot be undone, so each test is a process of its own. */
#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition)) {                                                  \
            dprintf(STDERR_FILENO, "# line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                                        \
        }                                                                    \
    } while (0)

static pid_t start(void (*body)(void))
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    return status;
}

static void run(void (*body)(void))
{
    int status = wait_for(start(body));

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static struct signals opened(void)
{
    struct signals signals;

    CHECK(signals_open(&signals) == 0);
    return signals;
}

/* ---- */

static void reads_them(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGTSTP, SIGWINCH};
    struct signals signals = opened();

    CHECK(!signals.nohup);
    CHECK(signals_next(&signals) == 0);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        raise(numbers[i]);
        raise(numbers[i]);
        CHECK(signals_next(&signals) == numbers[i]);
        CHECK(signals_next(&signals) == 0);
    }
    CHECK(fcntl(signals.fd, F_GETFD) == FD_CLOEXEC);
    signals_close(&signals);
    CHECK(signals.fd == -1);
}

static void test_reads(void **state)
{
    (void)state;
    run(reads_them);
}

static void survives_the_rest(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
    struct signals signals = opened();
    sigset_t blocked;

    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (size_t i = 0; i < ARRAY_LEN(crashes); i++) {
        CHECK(!sigismember(&blocked, crashes[i]));
        sigaddset(&blocked, crashes[i]);
    }
    for (int number = 1; number <= SIGRTMAX; number++) {
        if (number == SIGKILL || number == SIGSTOP || (number > SIGSYS && number < SIGRTMIN))
            continue;
        CHECK(sigismember(&blocked, number));
    }
    raise(SIGUSR2);
    raise(SIGTTOU);
    raise(SIGRTMIN);
    CHECK(signals_next(&signals) == 0);
}

static void test_blocks_all_but_crashes(void **state)
{
    (void)state;
    run(survives_the_rest);
}

static void crashes(void)
{
    opened();
    abort();
}

static void test_a_crash_is_one(void **state)
{
    int status;

    (void)state;
    status = wait_for(start(crashes));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void exits_with_seven(void)
{
    _exit(7);
}

/* Ignored as our parent may have left them, they would lose statuses and be passed on to every case. */
static void resets_what_was_ignored(void)
{
    const int ignored[] = {SIGCHLD, SIGINT, SIGQUIT, SIGPIPE, SIGUSR2, SIGTTOU, SIGRTMAX};
    struct sigaction action;
    int status;

    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
    opened();
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        CHECK(sigaction(ignored[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    CHECK(waitpid(start(exits_with_seven), &status, 0) > 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void test_resets_dispositions(void **state)
{
    (void)state;
    run(resets_what_was_ignored);
}

static void keeps_nohup(void)
{
    struct signals signals;

    signal(SIGHUP, SIG_IGN);
    signals = opened();
    CHECK(signals.nohup);
    raise(SIGHUP);
    CHECK(signals_next(&signals) == 0);
    raise(SIGTERM);
    CHECK(signals_next(&signals) == SIGTERM);
}

static void test_nohup(void **state)
{
    (void)state;
    run(keeps_nohup);
}

static void writes_to_nobody(void)
{
    int ends[2];

    opened();
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    CHECK(write(ends[1], "x", 1) < 0 && errno == EPIPE);
}

static void test_a_broken_pipe_is_an_error(void **state)
{
    (void)state;
    run(writes_to_nobody);
}

static void stops_itself(void)
{
    struct signals signals = opened();

    raise(SIGTSTP);
    CHECK(signals_next(&signals) == SIGTSTP);
    signals_stop_self();
    CHECK(signals_next(&signals) == SIGCONT);
    CHECK(signals_next(&signals) == 0);
}

/* Nobody of its session is its parent: TSTP would be ignored. */
static void stops_itself_alone(void)
{
    CHECK(setsid() > 0);
    stops_itself();
}

static void test_stops_itself(void **state)
{
    static void (*const bodies[])(void) = {stops_itself, stops_itself_alone};

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        pid_t pid = start(bodies[i % ARRAY_LEN(bodies)]);
        int status = wait_for(pid);

        assert_true(WIFSTOPPED(status));
        assert_int_equal(WSTOPSIG(status), SIGSTOP);
        assert_int_equal(kill(pid, SIGCONT), 0);
        status = wait_for(pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),          cmocka_unit_test(test_blocks_all_but_crashes),
        cmocka_unit_test(test_a_crash_is_one), cmocka_unit_test(test_resets_dispositions),
        cmocka_unit_test(test_nohup),          cmocka_unit_test(test_a_broken_pipe_is_an_error),
        cmocka_unit_test(test_stops_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
