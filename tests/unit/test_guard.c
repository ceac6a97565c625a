#include "runner/guard.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "runner/base/sig.h"
#include "runner/exit.h"
#include "runner/orphans.h"
#include "tests/unit/forks.h"
#include "tests/unit/somebody.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_MS 30000 /* nothing here takes that long */
#define ROUNDS  200

/* ---- a guarded program; what its processes say comes through one pipe, whose end means that all are gone ---- */

struct inner {
    struct guard guard;
    struct signals signals;
    struct guard_plan plan;
    int say, orders;
    bool fatal; /* the guard is killed while it cleans */
    void (*body)(struct inner *inner);
};

struct scene {
    pid_t guard; /* who is seen; leader of a group of its own */
    pid_t runner, keeper;
    int heard, orders;
    struct buf rest; /* what was said at the end */
};

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition))                                                           \
            dprintf(inner->say, "line %d: %s: %m;", __LINE__, #condition), abort(); \
    } while (0)

static void says_kill(void *user)
{
    const struct inner *inner = user;

    dprintf(inner->say, "kill;");
}

static void says_clean(void *user, const char *who)
{
    const struct inner *inner = user;

    dprintf(inner->say, "clean by %s;", who);
    if (inner->fatal && strcmp(who, "its guard") == 0)
        raise(SIGKILL);
}

static void says_exited(void *user, int status)
{
    const struct inner *inner = user;

    dprintf(inner->say, "exited with %d;", status);
}

static void says_left(void *user)
{
    const struct inner *inner = user;

    dprintf(inner->say, "left;");
}

static void says_nothing(void *user)
{
    (void)user;
}

static void tell_pids(struct inner *inner)
{
    const pid_t pids[] = {getpid(), inner->guard.keeper.pid};

    CHECK(fd_write_all(inner->say, pids, sizeof pids) == 0);
}

static _Noreturn void be_program(struct inner *inner)
{
    setpgid(0, 0);
    CHECK(signals_open(&inner->signals) == 0);
    CHECK(guard_start(&inner->guard, &inner->signals, &inner->plan) == 0);
    CHECK(getppid() == inner->guard.guard.pid && inner->guard.pidfd > 2);
    CHECK(inner->signals.guard == inner->guard.guard.pid);
    tell_pids(inner);
    inner->body(inner);
    guard_release(&inner->guard);
    _exit(0);
}

static uint8_t hear_byte(struct scene *scene)
{
    struct pollfd poll_fd = {.fd = scene->heard, .events = POLLIN};
    uint8_t byte;

    assert_int_equal(poll(&poll_fd, 1, LONG_MS), 1);
    assert_int_equal(read(scene->heard, &byte, 1), 1);
    return byte;
}

static pid_t hear_pid(struct scene *scene)
{
    union {
        uint8_t bytes[sizeof(pid_t)];
        pid_t pid;
    } number;

    for (size_t i = 0; i < sizeof number; i++)
        number.bytes[i] = hear_byte(scene);
    return number.pid;
}

static void dies_with_its_guard(struct inner *inner)
{
    (void)inner;
    raise(SIGKILL);
}

/* `flags`: for clone, to be pid 1 of a namespace. False: it may not be had here. */
static bool begin_as(struct scene *scene, void (*body)(struct inner *inner), unsigned long flags)
{
    int heard[2], orders[2];

    assert_int_equal(pipe2(heard, O_CLOEXEC), 0);
    assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
    *scene = (struct scene){.heard = heard[0], .orders = orders[1]};
    scene->guard = flags ? (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0) : must_fork();
    if (scene->guard == 0) {
        struct inner inner = {.say = heard[1], .orders = orders[0], .body = body};

        close(heard[0]);
        close(orders[1]);
        inner.plan = (struct guard_plan){says_kill,    says_clean, says_exited, says_left,
                                         says_nothing, &inner,     inner.say};
        inner.fatal = body == dies_with_its_guard;
        be_program(&inner);
    }
    close(heard[1]);
    close(orders[0]);
    if (scene->guard < 0) {
        close(heard[0]);
        close(orders[1]);
        return false;
    }
    scene->runner = hear_pid(scene);
    scene->keeper = hear_pid(scene);
    return true;
}

static void begin(struct scene *scene, void (*body)(struct inner *inner))
{
    assert_true(begin_as(scene, body, 0));
}

/* Orphans fall to us: after the end there is nobody, dead or alive. */
static void reap_all(void)
{
    while (waitpid(-1, NULL, 0) > 0)
        ;
    assert_int_equal(errno, ECHILD);
}

static int take_in_orphans(void **state)
{
    (void)state;
    return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Until nobody is left who could say anything. */
static const char *hear_the_end(struct scene *scene)
{
    struct pollfd poll_fd = {.fd = scene->heard, .events = POLLIN};
    char some[256];
    ssize_t got;

    do {
        assert_int_equal(poll(&poll_fd, 1, LONG_MS), 1);
        got = read(scene->heard, some, sizeof some);
        if (got > 0)
            buf_add(&scene->rest, some, (size_t)got);
    } while (got > 0);
    return buf_text(&scene->rest);
}

static int end(struct scene *scene)
{
    int status = -1;

    assert_int_equal(waitpid(scene->guard, &status, 0), scene->guard);
    hear_the_end(scene);
    close(scene->heard);
    fd_close(&scene->orders);
    reap_all();
    return status;
}

static void end_with(struct scene *scene, int wanted, const char *said)
{
    int status = end(scene);

    assert_string_equal(buf_text(&scene->rest), said);
    assert_int_equal(status, wanted);
    buf_release(&scene->rest);
}

#define EXITED(code) ((code) << 8)
#define ORDERLY      "left;"
#define BY_GUARD     "kill;clean by its guard;left;"
#define BY_KEEPER    "kill;clean by its keeper;left;"

/* The next order, a byte; 0 at their end. */
static uint8_t order(struct inner *inner)
{
    uint8_t byte = 0;

    while (read(inner->orders, &byte, 1) < 0)
        ;
    return byte;
}

static void give(struct scene *scene, uint8_t byte)
{
    assert_int_equal(write(scene->orders, &byte, 1), 1);
}

/* ---- how it ends ---- */

static void exits_as_told(struct inner *inner)
{
    uint8_t code = order(inner);

    guard_release(&inner->guard);
    exit(code);
}

static void test_exit_status(void **state)
{
    struct scene scene;

    (void)state;
    for (int code = 0; code < 256; code++) {
        begin(&scene, exits_as_told);
        give(&scene, (uint8_t)code);
        end_with(&scene, EXITED(code), ORDERLY);
    }
}

static void exits_without_release(struct inner *inner)
{
    exit(order(inner));
}

/* Whatever it says is not said of a run: not that all have passed, nor that some have not. */
static void test_exit_without_release(void **state)
{
    struct scene scene;
    char said[64];

    (void)state;
    for (int code = 0; code < 256; code += code < 5 ? 1 : 5) {
        begin(&scene, exits_without_release);
        give(&scene, (uint8_t)code);
        snprintf(said, sizeof said, "kill;clean by its guard;exited with %d;left;", code);
        end_with(&scene, EXITED(EXIT_BROKEN), said);
    }
}

static void dies_as_told(struct inner *inner)
{
    struct rlimit limit;
    int number = order(inner);
    sigset_t set;

    CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
    limit.rlim_cur = 0; /* none of the many here */
    CHECK(setrlimit(RLIMIT_CORE, &limit) == 0);
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

static void test_death_by_signal(void **state)
{
    static const int numbers[] = {SIGKILL, SIGSEGV, SIGABRT, SIGBUS,  SIGILL, SIGFPE,
                                  SIGTRAP, SIGSYS,  SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
                                  SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGXCPU};
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < 3 * ARRAY_LEN(numbers); i++) {
        int number = numbers[i % ARRAY_LEN(numbers)];

        begin(&scene, dies_as_told);
        give(&scene, (uint8_t)number);
        end_with(&scene, number, BY_GUARD);
    }
}

/* In a folder of its own: at most one file appears there, and the guard's status does not speak of a core. */
static void test_no_second_core(void **state)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    struct scene scene;
    int status;

    (void)state;
    begin(&scene, dies_as_told);
    if (prlimit(scene.guard, RLIMIT_CORE, &all, NULL) < 0) {
        give(&scene, SIGKILL);
        end(&scene);
        buf_release(&scene.rest);
        skip(); /* the hard limit is 0 */
    }
    give(&scene, SIGSEGV);
    status = end(&scene);
    buf_release(&scene.rest);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && !WCOREDUMP(status));
}

/* ---- who is killed ---- */

static void waits(struct inner *inner)
{
    struct pollfd poll_fd = {.fd = inner->guard.pidfd, .events = POLLIN};

    CHECK(poll(&poll_fd, 1, LONG_MS) == 1);
    dprintf(inner->say, "no guard;");
}

static void test_guard_killed(void **state)
{
    struct scene scene;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        begin(&scene, waits);
        kill(scene.guard, SIGKILL);
        end_with(&scene, SIGKILL, "no guard;" ORDERLY);
    }
}

static void test_runner_killed(void **state)
{
    struct scene scene;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        begin(&scene, waits);
        kill(scene.runner, SIGKILL);
        end_with(&scene, SIGKILL, BY_GUARD);
    }
}

static void waits_for_ever(struct inner *inner)
{
    order(inner);
}

/* The first of the two is not given the time to do anything, or is: both must come to the same. */
static void test_both_killed(void **state)
{
    struct scene scene;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        begin(&scene, waits_for_ever);
        kill(scene.guard, i % 2 ? SIGKILL : SIGSTOP);
        kill(scene.runner, SIGKILL);
        kill(scene.guard, SIGKILL);
        end_with(&scene, SIGKILL, BY_KEEPER);
    }
}

static void test_keeper_killed(void **state)
{
    struct scene scene;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        begin(&scene, exits_as_told);
        kill(scene.keeper, SIGKILL);
        give(&scene, 3);
        end_with(&scene, EXITED(3), ORDERLY);
    }
}

/* By then all are dead, and what it was about to clean is on record. */
static void test_guard_killed_while_it_cleans(void **state)
{
    struct scene scene;

    (void)state;
    for (int i = 0; i < ROUNDS / 4; i++) {
        begin(&scene, dies_with_its_guard);
        end_with(&scene, SIGKILL, "kill;clean by its guard;" BY_KEEPER);
    }
}

/* ---- signals ---- */

static uint8_t next_signal(struct inner *inner, bool *ended)
{
    struct pollfd poll_fds[] = {{.fd = inner->signals.fd, .events = POLLIN},
                                {.fd = inner->orders, .events = POLLIN}};
    int number = 0;

    while (!number && !*ended) {
        CHECK(poll(poll_fds, 2, LONG_MS) > 0);
        number = signals_next(&inner->signals);
        *ended = !number && poll_fds[1].revents;
    }
    return (uint8_t)number;
}

/* Says each signal as a byte, stops when it is to; until there are no more orders. */
static void says_signals(struct inner *inner)
{
    bool ended = false;
    uint8_t number;

    while ((number = next_signal(inner, &ended))) {
        CHECK(write(inner->say, &number, 1) == 1);
        if (number == SIGTSTP)
            signals_stop_self();
    }
}

static void await_sleep(pid_t pid)
{
    nanos until = clock_now() + LONG_MS * NS_PER_MS;
    struct proc_stat stat;

    do
        assert_int_equal(proc_stat_read(pid, &stat), 0);
    while (stat.state != 'S' && clock_now() < until);
    if (stat.state != 'S')
        fail_msg("its state is %c", stat.state);
}

/*
 * What was sent before has been heard: the guard sleeps, so nothing waits for it; the runner tells signals by their
 * numbers, the second of these after all that came with the first. And what the two said to each other has been said.
 */
static void await_guard(struct scene *scene)
{
    await_sleep(scene->guard);
    for (int i = 0; i < 2; i++) {
        uint8_t number;

        assert_int_equal(kill(scene->guard, SIGUSR1), 0);
        while ((number = hear_byte(scene)) != SIGUSR1)
            if (number != SIGCONT)
                fail_msg("%s was heard twice", signal_name(number));
    }
    await_sleep(scene->guard);
    await_sleep(scene->runner);
}

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* One by one: to the group, to the guard, to the group ... Each is heard once. */
static void test_signals_count_once(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, says_signals);
    for (int i = 0; i < 5 * ROUNDS; i++) {
        int number = ending[i % (int)ARRAY_LEN(ending)];

        assert_int_equal(kill(i % 3 ? -scene.guard : scene.guard, number), 0);
        assert_int_equal(hear_byte(&scene), number);
        await_guard(&scene);
    }
    fd_close(&scene.orders);
    end_with(&scene, EXITED(0), ORDERLY);
}

/* As fast as they are heard, whether the guard comes after or not. */
static void test_many_interrupts(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, says_signals);
    for (int i = 0; i < 5 * ROUNDS; i++) {
        assert_int_equal(kill(-scene.guard, SIGINT), 0);
        assert_int_equal(hear_byte(&scene), SIGINT);
    }
    await_guard(&scene);
    fd_close(&scene.orders);
    end_with(&scene, EXITED(0), ORDERLY);
}

static void test_signals_to_the_runner_count(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, says_signals);
    for (int i = 0; i < ROUNDS; i++) {
        int number = ending[i % (int)ARRAY_LEN(ending)];

        assert_int_equal(kill(scene.runner, number), 0);
        assert_int_equal(hear_byte(&scene), number);
    }
    fd_close(&scene.orders);
    end_with(&scene, EXITED(0), ORDERLY);
}

static void lets_go(struct inner *inner)
{
    signals_let_go(&inner->signals);
    dprintf(inner->say, "!");
    order(inner);
}

/* Interrupted while it wrote reports: as without a guard, it ends of that. */
static void test_what_ends_us_at_the_end(void **state)
{
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < 10 * ARRAY_LEN(ending); i++) {
        int number = ending[i % ARRAY_LEN(ending)];

        begin(&scene, lets_go);
        assert_int_equal(hear_byte(&scene), '!');
        assert_int_equal(kill(i & 4 ? -scene.guard : scene.guard, number), 0);
        end_with(&scene, number, BY_GUARD);
    }
}

/* Ctrl-C is heeded, the run ends, and the guard passes its own on as late as may be: that is not a second one. */
static void heeds_one_and_lets_go(struct inner *inner)
{
    bool ended = false;

    CHECK(next_signal(inner, &ended) == SIGINT);
    signals_let_go(&inner->signals);
    dprintf(inner->say, "!");
    order(inner);
}

static void test_a_guard_that_is_late(void **state)
{
    struct scene scene;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        begin(&scene, heeds_one_and_lets_go);
        kill(scene.guard, SIGSTOP);
        kill(-scene.guard, SIGINT);
        assert_int_equal(hear_byte(&scene), '!');
        kill(scene.guard, SIGCONT);
        fd_close(&scene.orders);
        end_with(&scene, EXITED(0), ORDERLY);
    }
}

static void starts_under_nohup(struct scene *scene)
{
    struct sigaction ignored = {.sa_handler = SIG_IGN}, before;

    sigaction(SIGHUP, &ignored, &before);
    begin(scene, says_signals);
    sigaction(SIGHUP, &before, NULL);
}

static void test_nohup(void **state)
{
    struct scene scene;

    (void)state;
    starts_under_nohup(&scene);
    kill(scene.guard, SIGHUP);
    kill(-scene.guard, SIGHUP);
    await_guard(&scene); /* would say that HUP was heard */
    fd_close(&scene.orders);
    end_with(&scene, EXITED(0), ORDERLY);
}

/* ---- stopping ---- */

enum whom { TO_GUARD, TO_GROUP, TO_RUNNER };

static const struct {
    const char *name;
    int number;
    enum whom stopped, continued;
} stops[] = {
    {"TSTP to the guard, CONT to the guard", SIGTSTP, TO_GUARD, TO_GUARD},
    {"TSTP to the guard, CONT to the group", SIGTSTP, TO_GUARD, TO_GROUP},
    {"Ctrl-Z, CONT to the guard", SIGTSTP, TO_GROUP, TO_GUARD},
    {"Ctrl-Z, fg", SIGTSTP, TO_GROUP, TO_GROUP},
    {"TSTP to the runner, fg", SIGTSTP, TO_RUNNER, TO_GROUP},
    {"TSTP to the runner, CONT to the guard", SIGTSTP, TO_RUNNER, TO_GUARD},
    {"TSTP to the runner, CONT to the runner", SIGTSTP, TO_RUNNER, TO_RUNNER},
    {"Ctrl-Z, CONT to the runner", SIGTSTP, TO_GROUP, TO_RUNNER},
    {"STOP to the runner, CONT to the guard", SIGSTOP, TO_RUNNER, TO_GUARD},
    {"STOP to the group, CONT to the guard", SIGSTOP, TO_GROUP, TO_GUARD},
    {"STOP to the group, fg", SIGSTOP, TO_GROUP, TO_GROUP},
};

static void send(const struct scene *scene, enum whom whom, int number)
{
    assert_int_equal(kill(whom == TO_GUARD   ? scene->guard
                          : whom == TO_GROUP ? -scene->guard
                                             : scene->runner,
                          number),
                     0);
}

static void await_stop(const struct scene *scene, const char *name)
{
    nanos until = clock_now() + LONG_MS * NS_PER_MS;
    int status = 0;
    pid_t came;

    while ((came = waitpid(scene->guard, &status, WUNTRACED | WNOHANG)) == 0 && clock_now() < until)
        usleep(100);
    if (came != scene->guard)
        fail_msg("%s: it does not stop", name);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
        fail_msg("%s: status %#x", name, (unsigned)status);
}

/* How often they are told to go on is no matter. */
static void end_running(struct scene *scene)
{
    const char *said;

    fd_close(&scene->orders);
    assert_int_equal(end(scene), 0);
    said = buf_text(&scene->rest);
    assert_string_equal(said + strspn(said, (const char[]){SIGCONT, '\0'}), ORDERLY);
    buf_release(&scene->rest);
}

static void test_stops_and_goes_on(void **state)
{
    (void)state;
    for (size_t row = 0; row < ARRAY_LEN(stops); row++) {
        struct scene scene;

        begin(&scene, says_signals);
        for (int i = 0; i < ROUNDS / 2; i++) {
            send(&scene, stops[row].stopped, stops[row].number);
            await_stop(&scene, stops[row].name);
            if (stops[row].number == SIGTSTP)
                while (hear_byte(&scene) != SIGTSTP)
                    ;
            send(&scene, stops[row].continued, SIGCONT);
            await_guard(&scene);
        }
        end_running(&scene);
    }
}

/* Faster than anybody can stop: at the end it runs. */
static void test_continued_at_once(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, says_signals);
    for (int i = 0; i < 5 * ROUNDS; i++) {
        send(&scene, TO_GROUP, SIGSTOP);
        send(&scene, TO_GROUP, SIGCONT);
        if (i % 5 == 0)
            await_guard(&scene);
    }
    await_guard(&scene);
    end_running(&scene);
}

static void test_killed_while_stopped(void **state)
{
    struct scene scene;

    (void)state;
    for (int i = 0; i < ROUNDS / 4; i++) {
        begin(&scene, says_signals);
        send(&scene, TO_GROUP, SIGTSTP);
        await_stop(&scene, "Ctrl-Z");
        assert_int_equal(hear_byte(&scene), SIGTSTP);
        send(&scene, TO_RUNNER, SIGKILL);
        send(&scene, TO_GUARD, SIGCONT);
        end_with(&scene, SIGKILL, BY_GUARD);
    }
}

/* Nobody else continues it: it has to hear that it is alone. Killed as soon as it has been told to stop, too. */
static void test_guard_killed_while_stopped(void **state)
{
    struct scene scene;

    (void)state;
    for (int i = 0; i < ROUNDS / 4; i++) {
        begin(&scene, says_signals);
        send(&scene, TO_GROUP, SIGTSTP);
        if (i % 2)
            await_stop(&scene, "Ctrl-Z");
        assert_int_equal(hear_byte(&scene), SIGTSTP);
        send(&scene, TO_GUARD, SIGKILL);
        assert_int_equal(hear_byte(&scene), SIGCONT);
        fd_close(&scene.orders);
        assert_int_equal(end(&scene), SIGKILL);
        buf_release(&scene.rest);
    }
}

/* ---- what is left below ---- */

#define GENERATIONS 2000 /* that a hopper lasts: longer than it takes to end it, and not for ever */

static void in_session(void)
{
    setsid();
}

static void twice(void)
{
    if (must_fork())
        _exit(0);
    setsid();
    if (must_fork())
        _exit(0);
}

static void stopped(void)
{
    raise(SIGSTOP);
}

static void hops(void)
{
    for (int i = 0; i < GENERATIONS; i++)
        if (must_fork())
            _exit(0);
}

static void hops_through_sessions(void)
{
    for (int i = 0; i < GENERATIONS; i++) {
        setsid();
        if (must_fork())
            _exit(0);
    }
}

static void hops_in_a_session(void)
{
    setsid();
    hops();
}

static void has_many(void)
{
    setsid();
    for (int i = 0; i < 100; i++)
        if (must_fork() == 0)
            pause();
}

static void (*const strangers[])(void) = {in_session,        twice,   stopped, hops, hops_through_sessions,
                                          hops_in_a_session, has_many};

/* It has what is said open until it is dead. */
static pid_t start_stranger(size_t which)
{
    pid_t pid = must_fork();

    if (pid == 0) {
        strangers[which]();
        for (;;)
            pause();
    }
    return pid;
}

static void leaves_a_stranger(struct inner *inner)
{
    CHECK(start_stranger(order(inner)) > 0);
    raise(SIGKILL);
}

static void test_strangers_are_killed(void **state)
{
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < 30 * ARRAY_LEN(strangers); i++) {
        begin(&scene, leaves_a_stranger);
        give(&scene, (uint8_t)(i % ARRAY_LEN(strangers)));
        end_with(&scene, SIGKILL, BY_GUARD);
    }
}

/* After an orderly end nobody is looked for: what is there has been seen by the runner, and may stay. */
static void leaves_one_that_may_stay(struct inner *inner)
{
    pid_t pid = start_stranger(0);

    CHECK(fd_write_all(inner->say, &pid, sizeof pid) == 0);
}

static void test_who_may_stay_stays(void **state)
{
    struct scene scene;
    pid_t stranger;
    int status;

    (void)state;
    begin(&scene, leaves_one_that_may_stay);
    stranger = hear_pid(&scene);
    assert_int_equal(waitpid(scene.guard, &status, 0), scene.guard);
    assert_int_equal(status, 0);
    assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0); /* ours now, and alive */
    assert_int_equal(kill(stranger, SIGKILL), 0);
    assert_string_equal(hear_the_end(&scene), ORDERLY);
    close(scene.heard);
    close(scene.orders);
    reap_all();
    buf_release(&scene.rest);
}

/* Whoever executed us may have had children. They are not of the run. */
static void test_who_was_there_before_stays(void **state)
{
    int heard[2], alive[2];
    pid_t visible;
    char byte;

    (void)state;
    assert_int_equal(pipe(heard) | pipe(alive), 0);
    visible = must_fork();
    if (visible == 0) {
        struct inner inner = {.say = heard[1], .body = dies_with_its_guard};

        close(alive[0]);
        inner.plan = (struct guard_plan){says_kill,    says_clean, says_exited, says_left,
                                         says_nothing, &inner,     heard[1]};
        setpgid(0, 0); /* what it has here is found by its group at the end */
        if (must_fork() == 0)
            pause();
        close(alive[1]);
        be_program(&inner);
    }
    close(alive[1]);
    assert_int_equal(waitpid(visible, NULL, 0), visible);
    assert_int_equal(fcntl(alive[0], F_SETFL, O_NONBLOCK), 0);
    assert_true(read(alive[0], &byte, 1) < 0 && errno == EAGAIN);
    assert_int_equal(kill(-visible, SIGKILL), 0);
    assert_int_equal(fcntl(alive[0], F_SETFL, 0), 0);
    assert_int_equal(read(alive[0], &byte, 1), 0);
    reap_all();
    close(heard[0]);
    close(heard[1]);
    close(alive[0]);
}

/* An orphan that ends while the runner goes on: it falls to the guard, which is a subreaper. */
static void has_an_orphan(struct inner *inner)
{
    pid_t pid;

    if (must_fork() == 0) {
        if (must_fork() == 0) {
            pid = getpid();
            CHECK(fd_write_all(inner->say, &pid, sizeof pid) == 0);
        }
        _exit(0);
    }
    CHECK(order(inner) == 1);
}

static void test_guard_reaps(void **state)
{
    struct scene scene;
    pid_t orphan;

    (void)state;
    begin(&scene, has_an_orphan);
    orphan = hear_pid(&scene);
    while (kill(orphan, 0) == 0)
        sched_yield();
    give(&scene, 1);
    end_with(&scene, EXITED(0), ORDERLY);
}

/* ---- the runner's own strangers ---- */

static bool is_the_one(void *user, pid_t pid)
{
    return pid == *(const pid_t *)user;
}

static void reaps_strangers(struct inner *inner)
{
    pid_t ours = must_fork();

    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    if (ours == 0)
        for (;;)
            pause();
    for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
        CHECK(start_stranger(i) > 0);
        CHECK(orphans_end(LONG_MS * NS_PER_MS, is_the_one, &ours) == 0);
        CHECK(waitpid(-1, NULL, WNOHANG) == 0); /* there is a child, and it lives */
    }
    CHECK(kill(ours, SIGKILL) == 0 && waitpid(-1, NULL, 0) == ours && waitpid(-1, NULL, 0) < 0);
}

static void test_reap_strangers(void **state)
{
    struct scene scene;

    (void)state;
    for (int i = 0; i < 30; i++) {
        begin(&scene, reaps_strangers);
        end_with(&scene, EXITED(0), ORDERLY);
    }
}

/* A tracer that does not look keeps the dead from being reaped. */
static pid_t start_tracer(struct inner *inner, pid_t traced)
{
    int done[2];
    char byte = 0;
    pid_t pid;

    CHECK(pipe(done) == 0);
    pid = must_fork();
    if (pid == 0) {
        byte = ptrace(PTRACE_SEIZE, traced, NULL, NULL) == 0;
        CHECK(write(done[1], &byte, 1) == 1);
        for (;;)
            pause();
    }
    CHECK(read(done[0], &byte, 1) == 1);
    if (!byte)
        kill(pid, SIGKILL);
    return byte ? pid : 0;
}

static void has_one_that_stays(struct inner *inner)
{
    pid_t traced = must_fork(), tracer;

    if (traced == 0) {
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
        CHECK(write(inner->say, "r", 1) == 1);
        for (;;)
            pause();
    }
    CHECK(order(inner) == 'r');
    tracer = start_tracer(inner, traced);
    CHECK(!tracer || orphans_end(20 * NS_PER_MS, is_the_one, &tracer) == 1);
    kill(tracer ? tracer : traced, SIGKILL);
    CHECK(orphans_end(LONG_MS * NS_PER_MS, NULL, NULL) == 0);
    dprintf(inner->say, tracer ? "waited" : "may not trace");
}

static void test_patience_ends(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, has_one_that_stays);
    assert_int_equal(hear_byte(&scene), 'r');
    give(&scene, 'r');
    assert_int_equal(end(&scene), 0);
    if (strcmp(buf_text(&scene.rest), "may not trace" ORDERLY) != 0)
        assert_string_equal(buf_text(&scene.rest), "waited" ORDERLY);
    buf_release(&scene.rest);
}

/* ---- pid 1 ---- */

static bool begin_as_first(struct scene *scene, void (*body)(struct inner *inner))
{
    return begin_as(scene, body, CLONE_NEWPID) || begin_as(scene, body, CLONE_NEWUSER | CLONE_NEWPID);
}

static void test_first_process_of_a_container(void **state)
{
    static const int deaths[] = {SIGKILL, SIGTERM, SIGSEGV};
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < 5 * ARRAY_LEN(deaths); i++) {
        int number = deaths[i % ARRAY_LEN(deaths)];

        if (!begin_as_first(&scene, dies_as_told))
            skip();
        assert_int_equal(scene.runner, 2);
        give(&scene, (uint8_t)number);
        end_with(&scene, EXITED(128 + number), BY_GUARD);
    }
}

/* It cannot stop: so neither can what is below it. */
static void test_first_process_goes_on(void **state)
{
    struct scene scene;

    (void)state;
    if (!begin_as_first(&scene, says_signals))
        skip();
    for (int i = 0; i < 50; i++) {
        assert_int_equal(kill(scene.guard, SIGTSTP), 0);
        assert_int_equal(hear_byte(&scene), SIGTSTP);
        assert_int_equal(hear_byte(&scene), SIGCONT);
        assert_int_equal(kill(scene.guard, SIGINT), 0);
        assert_int_equal(hear_byte(&scene), SIGINT);
    }
    fd_close(&scene.orders);
    end_with(&scene, EXITED(0), ORDERLY);
}

static void test_first_process_ends_strangers(void **state)
{
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(strangers); i++) {
        if (!begin_as_first(&scene, leaves_a_stranger))
            skip();
        give(&scene, (uint8_t)(i % ARRAY_LEN(strangers)));
        end_with(&scene, EXITED(128 + SIGKILL), BY_GUARD);
    }
}

/* ---- what they hold and are ---- */

static void checks_identities(struct inner *inner)
{
    struct proc_stat keeper;

    CHECK(proc_is(inner->guard.guard) && proc_is(inner->guard.keeper));
    CHECK(proc_stat_read(inner->guard.keeper.pid, &keeper) == 0);
    CHECK(keeper.ppid == getppid() && keeper.ppid == inner->guard.guard.pid);
    CHECK(fcntl(inner->guard.pidfd, F_GETFD) == FD_CLOEXEC);
    order(inner);
}

static void leads_to(pid_t pid, int fd, const char *wanted)
{
    char path[64], target[64] = "";

    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)pid, fd);
    assert_true(readlink(path, target, sizeof target - 1) > 0);
    assert_string_equal(target, wanted);
}

static void test_what_the_keeper_holds(void **state)
{
    struct proc_stat stat;
    struct scene scene;

    (void)state;
    begin(&scene, checks_identities);
    while (proc_count_fds(scene.keeper) !=
           6) /* streams, the lock, two pidfds; as soon as it has come so far */
        sched_yield();
    for (int fd = 0; fd < 3; fd++)
        leads_to(scene.keeper, fd, "/dev/null");
    assert_int_equal(proc_stat_read(scene.keeper, &stat), 0);
    assert_string_equal(stat.comm, "rm-keeper");
    assert_int_equal(stat.session, scene.keeper);
    while (proc_count_fds(scene.guard) != 5) /* streams, the lock, a pidfd */
        sched_yield();
    assert_int_equal(proc_stat_read(scene.guard, &stat), 0);
    assert_int_equal(stat.pgrp, scene.guard);
    assert_int_equal(proc_stat_read(scene.runner, &stat), 0);
    assert_int_equal(stat.pgrp, scene.guard);
    fd_close(&scene.orders);
    end_with(&scene, EXITED(0), ORDERLY);
}

/* What was not flushed when it began is written once. */
static void test_output_is_written_once(void **state)
{
    char text[64] = "";
    int out[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(out), 0);
    pid = must_fork();
    if (pid == 0) {
        struct inner inner = {.say = out[1]};
        FILE *stream = fdopen(out[1], "w");

        inner.plan =
            (struct guard_plan){says_kill, says_clean, says_exited, says_left, says_nothing, &inner, -1};
        if (!stream || fputs("once", stream) < 0 || signals_open(&inner.signals) < 0 ||
            guard_start(&inner.guard, &inner.signals, &inner.plan) < 0)
            abort();
        guard_release(&inner.guard);
        exit(0);
    }
    close(out[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(read(out[0], text, sizeof text - 1), 4);
    assert_string_equal(text, "once");
    assert_int_equal(read(out[0], text, sizeof text), 0);
    close(out[0]);
}

/* ---- no guard ---- */

#define UNUSED 54321 /* number of a user who has no processes */

/* With so few processes allowed: 1 there is no guard, and nothing of it; 0 there is. */
static int starts_with(rlim_t processes)
{
    const struct rlimit most = {processes, processes};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct inner of_this = {.say = null}, *inner = &of_this;
    int fds = proc_count_fds(getpid());

    inner->plan = (struct guard_plan){says_kill, says_clean, says_exited, says_left, says_nothing, inner, -1};
    if (geteuid() == 0)
        CHECK(setresuid(UNUSED, UNUSED, UNUSED) == 0); /* root has no limit */
    CHECK(setrlimit(RLIMIT_NPROC, &most) == 0);
    CHECK(signals_open(&inner->signals) == 0);
    if (guard_start(&inner->guard, &inner->signals, &inner->plan) == 0) {
        guard_release(&inner->guard);
        return 0;
    }
    CHECK(errno == EAGAIN);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    CHECK(proc_count_fds(getpid()) == fds + 1); /* that of the signals */
    CHECK(inner->guard.guard.pid == 0 && inner->guard.pidfd == -1);
    guard_release(&inner->guard);
    return 1;
}

static void test_no_process_to_be_had(void **state)
{
    int status = 1 << 8, failed = -1;

    (void)state;
    if (geteuid() == 0 && !can_be(UNUSED))
        skip();
    for (rlim_t processes = 1; status; processes++, failed++) {
        pid_t pid = must_fork();

        if (pid == 0)
            _exit(starts_with(processes));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        assert_true(processes < 100000);
    }
    assert_true(failed >= 2); /* the first process, and the second */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_status),
        cmocka_unit_test(test_exit_without_release),
        cmocka_unit_test(test_death_by_signal),
        cmocka_unit_test(test_no_second_core),
        cmocka_unit_test(test_guard_killed),
        cmocka_unit_test(test_runner_killed),
        cmocka_unit_test(test_both_killed),
        cmocka_unit_test(test_keeper_killed),
        cmocka_unit_test(test_guard_killed_while_it_cleans),
        cmocka_unit_test(test_signals_count_once),
        cmocka_unit_test(test_many_interrupts),
        cmocka_unit_test(test_signals_to_the_runner_count),
        cmocka_unit_test(test_what_ends_us_at_the_end),
        cmocka_unit_test(test_a_guard_that_is_late),
        cmocka_unit_test(test_nohup),
        cmocka_unit_test(test_stops_and_goes_on),
        cmocka_unit_test(test_continued_at_once),
        cmocka_unit_test(test_killed_while_stopped),
        cmocka_unit_test(test_guard_killed_while_stopped),
        cmocka_unit_test(test_strangers_are_killed),
        cmocka_unit_test(test_who_may_stay_stays),
        cmocka_unit_test(test_who_was_there_before_stays),
        cmocka_unit_test(test_guard_reaps),
        cmocka_unit_test(test_reap_strangers),
        cmocka_unit_test(test_patience_ends),
        cmocka_unit_test(test_first_process_of_a_container),
        cmocka_unit_test(test_first_process_goes_on),
        cmocka_unit_test(test_first_process_ends_strangers),
        cmocka_unit_test(test_what_the_keeper_holds),
        cmocka_unit_test(test_output_is_written_once),
        cmocka_unit_test(test_no_process_to_be_had),
    };

    return cmocka_run_group_tests(tests, take_in_orphans, NULL);
}
