/*
 * A number that was somebody's when he was found is somebody else's when he is to be signalled: nothing happens to the
 * one who has it now. In a PID namespace, where the next number can be chosen.
 */
#include "runner/base/io.h"
#include "runner/base/proc.h"
#include "runner/harness/harness.h"
#include "tests/unit/forks.h"
#include "tests/unit/name_space.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

/* cmocka must not go on with the next test in a process that was forked. */
#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: %s is not so\n", __FILE__, __LINE__, #condition); \
            _exit(1);                                                                 \
        }                                                                             \
    } while (0)

/* ---- processes ---- */

struct child {
    pid_t pid;
    int line; /* what we say there it says as well */
};

static struct child start_child(void)
{
    struct child child;
    int line[2];
    char byte;

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) == 0);
    child = (struct child){must_fork(), line[0]};
    CHECK(child.pid >= 0);
    while (child.pid == 0 && read(line[1], &byte, 1) == 1)
        CHECK(write(line[1], &byte, 1) == 1);
    if (child.pid == 0)
        _exit(0);
    close(line[1]);
    return child;
}

static struct proc_stat stat_of(pid_t pid)
{
    struct proc_stat stat;

    CHECK(proc_stat_read(pid, &stat) == 0);
    return stat;
}

/* Until a process that is started now has another start than one that is there already. */
static void await_next_tick(void)
{
    struct timespec now;
    long tick = -1, hertz = sysconf(_SC_CLK_TCK);

    for (;;) {
        clock_gettime(CLOCK_BOOTTIME, &now);
        if (tick >= 0 && now.tv_nsec / (1000000000 / hertz) != tick)
            return;
        tick = now.tv_nsec / (1000000000 / hertz);
    }
}

/* The next process gets this number. False: that cannot be said here. */
static bool choose_next(pid_t pid)
{
    char text[32];
    int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    bool chosen;

    snprintf(text, sizeof text, "%d", pid - 1);
    chosen = fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
    fd_close(&fd);
    return chosen;
}

static struct proc_stat victim(void)
{
    return stat_of(start_child().pid);
}

/* Somebody who takes the number of one that dies now. */
static struct child replace(pid_t pid)
{
    struct child decoy;

    end_child(pid);
    await_next_tick();
    CHECK(choose_next(pid));
    decoy = start_child();
    CHECK(decoy.pid == pid);
    return decoy;
}

/* A signal that was sent before the question would strike before the answer. */
static void lives(struct child decoy)
{
    char byte = '?';

    CHECK(send(decoy.line, &byte, 1, MSG_NOSIGNAL) == 1);
    CHECK(read(decoy.line, &byte, 1) == 1);
}

/* ---- tests: bodies that run as the first process of a namespace ---- */

static void identity(void)
{
    struct proc_stat old = victim();
    struct proc_id id = {old.pid, old.start_ticks};
    struct child decoy;

    CHECK(proc_is(id));
    decoy = replace(old.pid);
    CHECK(!proc_is(id));
    CHECK(proc_open(id) == -1 && errno == ESRCH);
    lives(decoy);
}

static void descriptor(void)
{
    struct proc_stat old = victim();
    int fd = proc_open((struct proc_id){old.pid, old.start_ticks});
    struct child decoy;

    CHECK(fd >= 0);
    decoy = replace(old.pid);
    CHECK(pidfd_signal(fd, SIGKILL) == -1 && errno == ESRCH);
    lives(decoy);
    fd_close(&fd);
}

/* Found as a member of a case, gone, and its number another's before the signal is sent. */
static void member(void)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    struct buf why = {0};
    struct contain *contain = contain_open("group", "reuse", 1, &why);
    struct contain_place *place;
    struct process leader = {.pid = start_child().pid};
    struct proc_stat old;
    struct child decoy;
    struct census found;

    CHECK(contain && contain_start(contain) == 0);
    place = contain_place(contain, 0);
    leader.pidfd = pidfd_of(leader.pid);
    contain_started(place, leader);
    old = victim();
    decoy = replace(old.pid);
    found = (struct census){.list = &old, .count = 1, .cap = 1};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        contain_signal(place, LADDER_TREE, signals[i], &found);
        lives(decoy);
    }
    buf_release(&why);
}

/* ---- the namespace ---- */

static int as_first(void (*body)(void))
{
    if (mount("proc", "/proc", "proc", 0, NULL) < 0 || !choose_next(100))
        return 77;
    body();
    return 0;
}

static int in_namespace(void (*body)(void))
{
    int status;
    pid_t pid;

    if (!enter_namespace() || unshare(CLONE_NEWPID) < 0)
        return 77;
    pid = must_fork();
    if (pid == 0)
        _exit(as_first(body));
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void run_in_namespace(void (*body)(void))
{
    int status;
    pid_t pid = must_fork();

    if (pid == 0)
        _exit(in_namespace(body));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status == W_EXITCODE(77, 0)) {
        print_message("no PID namespace with numbers to be chosen here\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static void test_identity(void **state)
{
    (void)state;
    run_in_namespace(identity);
}

static void test_descriptor(void **state)
{
    (void)state;
    run_in_namespace(descriptor);
}

static void test_member(void **state)
{
    (void)state;
    run_in_namespace(member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_descriptor),
        cmocka_unit_test(test_member),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
