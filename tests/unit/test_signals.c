#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "runner/signals.h"
#include "tests/unit/forks.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
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
    pid_t pid = must_fork();

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
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGWINCH};
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
    raise(SIGALRM);
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

/* ---- below a guard, whose part is played here ---- */

/* As from the terminal, or from somebody who is not our guard. */
static void send_direct(int number)
{
    siginfo_t info = {.si_signo = number, .si_code = SI_KERNEL};

    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), number, &info) == 0);
}

struct play {
    struct signals signals;
    struct signal_counts counts;
    int pidfd;
};

static void begin(struct play *play)
{
    *play = (struct play){.signals = opened()};
    play->pidfd = pidfd_of(getpid());
    CHECK(play->pidfd >= 0);
    signals_guarded(&play->signals, getpid(), play->pidfd, &play->counts);
}

static int count_told(struct play *play, int number)
{
    int told = 0, next;

    for (; (next = signals_next(&play->signals)); told++)
        CHECK(next == number);
    return told;
}

/*
 * d: it comes to us; g: the guard gets it, and passes it on; a number: so often we are told when we ask then. "dg" is
 * Ctrl-C, whichever of the two is first.
 */
static const struct {
    const char *name, *order;
} orders[] = {
    {"nothing", "0"},
    {"to the runner alone, twice", "d1 d1"},
    {"to the guard alone, twice", "g1 g1"},
    {"Ctrl-C, both at once", "dg1 0"},
    {"Ctrl-C, both at once, the other way round", "gd1 0"},
    {"Ctrl-C, the guard late", "d1 g0"},
    {"Ctrl-C, the guard early", "g1 d0"},
    {"Ctrl-C three times", "d1g0 d1g0 d1g0"},
    {"... the guard early", "g1d0 g1d0 g1d0"},
    {"... at once", "dg1 dg1 dg1"},
    {"... the kernel keeps one of two, now this one, now that", "gd1 dg1 gd1 dg1"},
    {"... early, at once, late", "g1d0 dg1 d1g0"},
    {"... the guard comes after all of them", "d1 d1 d1 g0 g0 g0"},
    {"... and takes them for one", "d1 d1 d1 g0 d1 g0"},
    {"Ctrl-C twice before we look", "dgdg1 0"},
    {"Ctrl-C, then to the guard alone", "d1g0 g1"},
    {"to the guard alone, then Ctrl-C", "g1 dg1"},
    {"... the guard late: it is told then", "g1 d0 g1"},
    {"to the guard alone twice, then Ctrl-C", "g1 g1 gd1"},
    {"to the guard alone twice before we look", "gg1 g1"},
    {"pkill: to both, one by one", "d1 g0 d1 g0"},
    {"to the runner alone, then to the guard alone: taken for Ctrl-C", "d1 g0 g1"},
};

static void plays(int number)
{
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct play play;

        begin(&play);
        for (const char *at = orders[i].order; *at; at++) {
            if (*at == 'd')
                send_direct(number);
            else if (*at == 'g')
                signals_pass(&play.counts, number, play.pidfd);
            else if (*at != ' ' && count_told(&play, number) != *at - '0') {
                dprintf(STDERR_FILENO, "# %s: at '%s', of signal %d\n", orders[i].name, at, number);
                _exit(1);
            }
        }
        close(play.pidfd);
        signals_close(&play.signals);
    }
}

static void plays_with_all(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP};

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        plays(numbers[i]);
}

static void test_orders(void **state)
{
    (void)state;
    run(plays_with_all);
}

static void counts_each_number(void)
{
    struct play play;

    begin(&play);
    send_direct(SIGINT);
    signals_pass(&play.counts, SIGTERM, play.pidfd);
    send_direct(SIGTERM);
    CHECK(signals_next(&play.signals) == SIGINT);
    CHECK(signals_next(&play.signals) == SIGTERM);
    CHECK(signals_next(&play.signals) == 0);
    signals_pass(&play.counts, SIGINT, play.pidfd);
    CHECK(signals_next(&play.signals) == 0);
}

static void test_numbers_are_counted_apart(void **state)
{
    (void)state;
    run(counts_each_number);
}

/* A stop takes away a SIGCONT that waits, so what was sent of them says nothing. */
static void hears_every_continue(void)
{
    struct play play;

    begin(&play);
    for (int i = 0; i < 3; i++) {
        send_direct(SIGCONT);
        CHECK(count_told(&play, SIGCONT) == 1);
        CHECK(kill(getpid(), SIGCONT) == 0); /* as the guard */
        CHECK(count_told(&play, SIGCONT) == 1);
        send_direct(SIGWINCH);
        CHECK(count_told(&play, SIGWINCH) == 1);
    }
}

static void test_continue_is_not_counted(void **state)
{
    (void)state;
    run(hears_every_continue);
}

static void counts_alone_again(void)
{
    struct play play;

    begin(&play);
    for (int i = 0; i < 3; i++)
        signals_pass(&play.counts, SIGINT, play.pidfd);
    CHECK(count_told(&play, SIGINT) == 1);
    signals_guarded(&play.signals, 0, -1, NULL);
    send_direct(SIGINT);
    CHECK(count_told(&play, SIGINT) == 1);
}

static void test_the_guard_is_dead(void **state)
{
    (void)state;
    run(counts_alone_again);
}

static void begin_and_let_go(struct play *play)
{
    begin(play);
    send_direct(SIGINT);
    CHECK(signals_next(&play->signals) == SIGINT);
    signals_let_go(&play->signals);
    signals_pass(&play->counts, SIGINT, play->pidfd);
}

/* What was heeded before, and is passed on after, does not end us. */
static void is_passed_one_heeded_before(void)
{
    struct play play;

    begin_and_let_go(&play);
}

static void is_passed_another(void)
{
    struct play play;

    begin_and_let_go(&play);
    signals_pass(&play.counts, SIGINT, play.pidfd);
}

static void test_let_go_below_a_guard(void **state)
{
    int status;

    (void)state;
    run(is_passed_one_heeded_before);
    status = wait_for(start(is_passed_another));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

static void looks_at_the_set(void)
{
    static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT};
    struct signals signals = {.fd = -1};
    sigset_t set;

    for (int nohup = 0; nohup < 2; nohup++) {
        signals.nohup = nohup;
        signals_of_guard(&signals, &set);
        for (size_t i = 0; i < ARRAY_LEN(taken); i++)
            CHECK(sigismember(&set, taken[i]) == !(nohup && taken[i] == SIGHUP));
        CHECK(!sigismember(&set, SIGWINCH) && !sigismember(&set, SIGALRM) && !sigismember(&set, SIGSEGV));
    }
}

static void test_what_a_guard_takes(void **state)
{
    (void)state;
    run(looks_at_the_set);
}

static void may_stop(void)
{
    CHECK(signals_may_stop());
}

static void may_not_stop(void)
{
    CHECK(!signals_may_stop());
}

static bool is_good(pid_t pid)
{
    int status;

    return waitpid(pid, &status, 0) == pid && status == 0;
}

static void in_a_job(void)
{
    setpgid(0, 0);
    may_stop();
    CHECK(is_good(start(may_stop))); /* the group counts, not the parent */
}

static void in_an_orphaned_group(void)
{
    setsid();
    may_not_stop();
    CHECK(is_good(start(may_not_stop)));
    CHECK(is_good(start(in_a_job)));
}

static void test_stops_where_there_is_a_shell(void **state)
{
    (void)state;
    run(in_an_orphaned_group);
}

static void tells_what_waits(void)
{
    struct signals signals;

    signal(SIGHUP, SIG_IGN);
    signals = opened();
    raise(SIGUSR1);
    raise(SIGHUP);
    CHECK(!signals_ending_waits(&signals));
    raise(SIGTERM);
    CHECK(signals_ending_waits(&signals) && signals_ending_waits(&signals));
    while (signals_next(&signals) != SIGTERM)
        ;
    CHECK(!signals_ending_waits(&signals));
}

static void test_one_that_ends_waits(void **state)
{
    (void)state;
    run(tells_what_waits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_blocks_all_but_crashes),
        cmocka_unit_test(test_a_crash_is_one),
        cmocka_unit_test(test_resets_dispositions),
        cmocka_unit_test(test_nohup),
        cmocka_unit_test(test_a_broken_pipe_is_an_error),
        cmocka_unit_test(test_stops_itself),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_numbers_are_counted_apart),
        cmocka_unit_test(test_continue_is_not_counted),
        cmocka_unit_test(test_the_guard_is_dead),
        cmocka_unit_test(test_let_go_below_a_guard),
        cmocka_unit_test(test_what_a_guard_takes),
        cmocka_unit_test(test_one_that_ends_waits),
        cmocka_unit_test(test_stops_where_there_is_a_shell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
