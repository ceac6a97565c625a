/* Programs with a deadline, and daemons. This program is one of them, when its first word says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runner/base/address.h"
#include "tests/unit/forks.h"
#include "tests/unit/tools_stage.h"

#include <signal.h>
#include <sys/prctl.h>

#define SHELL(script) MX_ARGV("sh", "-c", script)

/*
 * A pipe whose writing end all that is started inherits: it is at its end when nobody of them is alive. Nobody asks how
 * long that took.
 */
static int alive[2];

static void open_alive(void)
{
    assert_int_equal(pipe(alive), 0);
    fcntl(alive[0], F_SETFD, FD_CLOEXEC);
}

static void await_all_dead(void)
{
    char byte;

    close(alive[1]);
    assert_int_equal(read(alive[0], &byte, 1), 0);
    close(alive[0]);
}

/* ---- run to their ends ---- */

static void test_status_and_output(void **state)
{
    struct mx_ran ran = MX_RUN("sh", "-c", "echo out; echo err >&2; exit 3");

    (void)state;
    assert_int_equal(ran.status, 3);
    assert_int_equal(ran.signal, 0);
    assert_false(ran.timed_out);
    assert_string_equal(ran.out, "out\n");
    assert_string_equal(ran.err, "err\n");
    assert_true(ran.took > 0);
    assert_int_equal(MX_RUN("true").status, 0);
    ran = MX_RUN("sh", "-c", "kill -USR1 $$");
    assert_int_equal(ran.status, -1);
    assert_int_equal(ran.signal, SIGUSR1);
}

static void test_much_output(void **state)
{
    struct mx_ran ran =
        MX_RUN("sh", "-c", "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2; printf end");

    (void)state;
    assert_int_equal(ran.out_len, 3000003);
    assert_int_equal(ran.err_len, 2000000);
    assert_string_equal(ran.out + 3000000, "end");
}

static void test_input(void **state)
{
    (void)state;
    assert_int_equal(MX_RUN("cat").out_len, 0);
    assert_string_equal(mx_run(&(struct mx_command){.argv = MX_ARGV("cat"), .input = "a\nb"}).out, "a\nb");
    assert_int_equal(
        mx_run(&(struct mx_command){.argv = MX_ARGV("wc", "-c"), .input = "a\0b", .input_len = 3}).out[0],
        '3');
    assert_int_equal(mx_run(&(struct mx_command){.argv = MX_ARGV("cat"), .input = ""}).out_len, 0);
}

static void test_environment_and_folder(void **state)
{
    struct mx_ran ran;

    (void)state;
    mx_setenv("TOOLS_KEPT", "kept");
    mx_setenv("TOOLS_GONE", "here");
    mx_setenv("TOOLS_NEW", "old");
    ran = mx_run(&(struct mx_command){
        .argv = SHELL("echo $TOOLS_KEPT,${TOOLS_GONE-gone},$TOOLS_NEW,$TOOLS_TWICE; pwd"),
        .env = MX_ARGV("TOOLS_GONE", "TOOLS_NEW=new", "TOOLS_TWICE=1", "TOOLS_TWICE=2"),
        .cwd = "/"});
    assert_string_equal(ran.out, "kept,gone,new,2\n/\n");
}

/* What the test has done to its own signals and descriptors is its own matter. */
static void test_it_begins_as_from_a_shell(void **state)
{
    unsigned long mask, ignored;
    struct mx_ran ran;
    sigset_t blocked, before;

    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    ran = MX_RUN("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status");
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(sscanf(ran.out, "SigBlk: %lx SigIgn: %lx", &mask, &ignored), 2);
    assert_int_equal(mask, 0);
    assert_int_equal(ignored & 0x7fffffff, 0); /* two above are the C library's own */
    /* Files without names are for its output alone. */
    assert_string_equal(MX_RUN("sh", "-c", "ls -l /proc/$$/fd | grep -c deleted").out, "2\n");
    assert_string_equal(MX_RUN("sh", "-c", "[ $$ = $(ps -o pgid= -p $$) ] && echo own").out, "own\n");
}

static void test_streams_that_were_closed(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    pid = must_fork();
    if (pid == 0) {
        struct mx_ran ran;

        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        ran = mx_run(&(struct mx_command){.argv = MX_ARGV("cat"), .input = "in"});
        _exit(ran.status != 0 || strcmp(ran.out, "in") != 0);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void test_what_cannot_be_run(void **state)
{
    static const char *const nothing[] = {NULL};

    (void)state;
    REFUSED(MX_RUN("/nowhere/prog", "x"), "cannot run '/nowhere/prog': No such file or directory");
    assert_int_equal(stage.line, __LINE__ - 1);
    REFUSED(MX_RUN("/etc/passwd"), "cannot run '/etc/passwd': Permission denied");
    REFUSED(mx_run(&(struct mx_command){.argv = MX_ARGV("true"), .cwd = "/nowhere"}),
            "cannot run 'true' in '/nowhere': No such file or directory");
    REFUSED(mx_run(&(struct mx_command){.argv = nothing}), "there is no program to run");
    REFUSED(mx_run(&(struct mx_command){.argv = MX_ARGV("true"), .timeout = "soon"}),
            "'soon' is no span of time");
}

static void test_checked(void **state)
{
    (void)state;
    assert_string_equal(mx_run(&(struct mx_command){.argv = SHELL("echo fine"), .check = true}).out,
                        "fine\n");
    REFUSED(
        mx_run(&(struct mx_command){.argv = SHELL("echo why >&2; seq 20; exit 2"), .check = true}),
        "'sh' exited with status 2\n  its stderr:\n    why\n  its last words on stdout:\n    11\n    12\n");
    said("    19\n    20");
    REFUSED(mx_run(&(struct mx_command){.argv = SHELL("kill -SEGV $$"), .check = true}),
            "'sh' died (SIGSEGV)");
    REFUSED(mx_run(&(struct mx_command){
                .argv = SHELL("echo so far; exec sleep 1000"), .timeout = "100ms", .check = true}),
            "'sh' did not end within 100ms\n  its stdout:\n    so far");
}

/* ---- deadlines ---- */

static void test_time_is_up(void **state)
{
    struct mx_ran ran;

    (void)state;
    open_alive();
    ran = mx_run(
        &(struct mx_command){.argv = SHELL("echo begun; sleep 1000 & sleep 1000"), .timeout = "100ms"});
    assert_true(ran.timed_out);
    assert_int_equal(ran.status, -1);
    assert_int_equal(ran.signal, SIGINT);
    assert_string_equal(ran.out, "begun\n");
    await_all_dead(); /* its whole group, of which one ignores INT as background processes do */
}

static void test_who_hears_nothing_is_killed(void **state)
{
    struct mx_ran ran;

    (void)state;
    open_alive();
    ran = mx_run(&(struct mx_command){
        .argv = SHELL("trap 'echo int' INT; trap 'echo term' TERM; while :; do sleep 0.01; done"),
        .timeout = "200ms"});
    assert_true(ran.timed_out);
    assert_int_equal(ran.signal, SIGKILL);
    assert_string_equal(ran.out, "int\nterm\n");
    await_all_dead();
}

static void test_who_is_stopped_is_ended(void **state)
{
    struct mx_ran ran;

    (void)state;
    open_alive();
    ran = mx_run(&(struct mx_command){.argv = SHELL("kill -STOP $$; sleep 1000"), .timeout = "100ms"});
    assert_true(ran.timed_out);
    assert_int_equal(ran.signal, SIGINT);
    await_all_dead();
}

static void test_who_left_its_group_is_ended(void **state)
{
    struct mx_ran ran;

    (void)state;
    open_alive();
    ran = mx_run(&(struct mx_command){.argv = MX_ARGV("/proc/self/exe", "regroup"), .timeout = "300ms"});
    assert_string_equal(ran.out, "regrouped\n");
    assert_true(ran.timed_out);
    assert_int_equal(ran.signal, SIGINT);
    await_all_dead();
}

static void test_who_keeps_the_output_keeps_nobody(void **state)
{
    struct mx_ran ran;

    (void)state;
    open_alive();
    ran = MX_RUN("sh", "-c", "sleep 1000 & echo $!");
    assert_int_equal(ran.status, 0);
    assert_int_equal(kill(atoi(ran.out), SIGKILL), 0);
    await_all_dead();
}

static void test_nobody_knows_how_it_ended(void **state)
{
    (void)state;
    signal(SIGCHLD, SIG_IGN);
    assert_int_equal(MX_RUN("true").status, -1);
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(stage.others, 1);
    said("'true' ended, and nobody knows how: SIGCHLD is ignored");
}

static void unwind(int signal)
{
    (void)signal;
    failure("f", 1, true, "out of a handler");
}

/* The test ends while it waits: what it waited for ends with the case. */
static void test_unwinding_ends_it(void **state)
{
    (void)state;
    open_alive();
    signal(SIGALRM, unwind);
    alarm(1);
    REFUSED(MX_RUN("sleep", "1000"), "out of a handler");
    signal(SIGALRM, SIG_DFL);
    end_case();
    await_all_dead();
}

/* ---- daemons ---- */

#define DAEMON(...) mx_daemon(&(struct mx_daemon_command){__VA_ARGS__})

static void test_ready_by_a_line(void **state)
{
    struct mx_daemon *daemon;
    struct mx_ran ran;

    (void)state;
    open_alive();
    daemon = DAEMON(.argv = SHELL("echo not up 1; echo 'up 12' >&2; exec sleep 1000"),
                    .ready = {.line = "^up [0-9]+$"});
    assert_string_equal(mx_said(daemon).err, "up 12\n");
    assert_int_equal(kill(daemon->pid, 0), 0);
    ran = mx_stop(daemon);
    assert_int_equal(ran.signal, SIGTERM);
    assert_false(ran.timed_out);
    assert_string_equal(ran.out, "not up 1\n");
    assert_int_equal(mx_stop(daemon).signal, SIGTERM);
    await_all_dead();
    assert_int_equal(stage.others, 0);
}

static void test_ready_by_the_last_of_much_output(void **state)
{
    (void)state;
    open_alive();
    DAEMON(.argv = SHELL("seq 100000; head -c 20000 /dev/zero; echo; printf 'ready> '; exec sleep 1000"),
           .ready = {.line = "^ready> $"});
    end_case();
    await_all_dead();
}

static void test_ready_by_a_file(void **state)
{
    const char *path = mx_write_file("here", "of a former one");
    struct mx_daemon *daemon;

    (void)state;
    daemon = DAEMON(.argv = SHELL("mv new here; exec sleep 1000"), .cwd = mx_tmpdir(), .within = "100ms",
                    .may_end = true);
    mx_stop(daemon);
    mx_write_file("new", "");
    daemon =
        DAEMON(.argv = SHELL("mv new here; exec sleep 1000"), .cwd = mx_tmpdir(), .ready = {.file = path});
    assert_string_equal(mx_read_file(path), "");
}

static void ready_by_connecting(const char *transport)
{
    struct mx_addr address = mx_new_addr(transport);
    struct endpoint endpoint;

    open_alive();
    DAEMON(.argv = MX_ARGV("/proc/self/exe", "listen", address.url), .ready = {.connect = address.url});
    assert_true(endpoint_parse(str_of(address.url), &endpoint));
    assert_int_equal(endpoint_try(&endpoint), 0);
    end_case();
    await_all_dead();
    assert_int_equal(stage.others, 0);
}

static void test_ready_by_connecting(void **state)
{
    (void)state;
    ready_by_connecting("tcp");
    ready_by_connecting("uds");
}

static void test_never_ready(void **state)
{
    (void)state;
    open_alive();
    REFUSED(
        DAEMON(.argv = SHELL("echo trying; exec sleep 1000"), .ready = {.line = "^up"}, .within = "200ms"),
        "sh was not ready within 200ms: looked for a line that matches ^up\n  its stdout:\n    trying");
    REFUSED(DAEMON(.argv = MX_ARGV("sleep", "1000"), .ready = {.file = "/nowhere"}, .within = "100ms"),
            "sleep was not ready within 100ms: looked for the file /nowhere ");
    said(" times: No such file or directory");
    REFUSED(DAEMON(.argv = MX_ARGV("sleep", "1000"), .ready = {.connect = "127.0.0.1:1"}, .within = "100ms"),
            "tried to connect to 127.0.0.1:1 ");
    said("Connection refused");
    end_case();
    await_all_dead();
    assert_int_equal(stage.others, 0);
}

static void test_dead_before_it_is_ready(void **state)
{
    (void)state;
    REFUSED(DAEMON(.argv = SHELL("echo bad config >&2; kill -SEGV $$"), .ready = {.line = "up"}),
            "sh died (SIGSEGV) before it was ready\n  its stderr:\n    bad config");
    assert_in_range(stage.line, __LINE__ - 2, __LINE__ - 1);
    REFUSED(DAEMON(.argv = SHELL("exit 3"), .ready = {.file = "/nowhere"}),
            "sh exited with status 3 before it was ready");
    end_case();
    assert_int_equal(stage.others, 0); /* it was said */
}

static void await_end(const struct mx_daemon *daemon)
{
    siginfo_t info;

    assert_int_equal(waitid(P_PID, (id_t)daemon->pid, &info, WEXITED | WNOWAIT), 0);
}

static void test_dead_while_in_use(void **state)
{
    struct mx_daemon *daemon;

    (void)state;
    await_end(DAEMON(.argv = SHELL("echo help; kill -KILL $$")));
    end_case();
    assert_int_equal(stage.others, 1);
    said("sh died (SIGKILL) while it was in use\n  its stdout:\n    help");
    daemon = DAEMON(.argv = SHELL("exit 0"));
    await_end(daemon);
    assert_int_equal(mx_stop(daemon).status, 0);
    assert_int_equal(stage.others, 2);
    said("sh exited with status 0 while it was in use");
    await_end(DAEMON(.argv = SHELL("exit 5"), .may_end = true));
    end_case();
    assert_int_equal(stage.others, 2);
}

static void test_how_it_is_stopped(void **state)
{
    static const char script[] = "trap 'echo usr; exit 4' USR1; trap 'echo int' INT; trap : TERM; echo up; "
                                 "while :; do sleep 0.01; done";
    struct mx_daemon *daemon;
    struct mx_ran ran;

    (void)state;
    open_alive();
    daemon = DAEMON(.argv = SHELL(script), .ready = {.line = "up"}, .stop = "INT 100ms, SIGUSR1 1m,KILL");
    ran = mx_stop(daemon);
    assert_string_equal(ran.out, "up\nint\nusr\n");
    assert_int_equal(ran.status, 4);
    assert_true(ran.timed_out);
    ran = mx_stop(DAEMON(.argv = SHELL(script), .ready = {.line = "up"}, .stop = "TERM 100ms"));
    assert_int_equal(ran.signal, SIGKILL); /* whatever is asked for, it ends */
    await_all_dead();
    REFUSED(DAEMON(.argv = SHELL(":"), .stop = "TERM five"), "'TERM five' is no way to stop a daemon");
    REFUSED(DAEMON(.argv = SHELL(":"), .stop = "TREM 5s"), "'TREM 5s' is no way");
    REFUSED(DAEMON(.argv = SHELL(":"), .stop = ""), "'' is no way");
}

static void test_what_it_forks_ends_with_it(void **state)
{
    (void)state;
    open_alive();
    DAEMON(.argv = SHELL("sleep 1000 & sleep 1000 & echo up; wait"), .ready = {.line = "up"});
    end_case();
    await_all_dead();
}

static void test_what_no_daemon_can_be_asked(void **state)
{
    (void)state;
    REFUSED(DAEMON(.argv = SHELL(":"), .ready = {.line = "("}), "'(' is no regular expression: ");
    REFUSED(DAEMON(.argv = SHELL(":"), .ready = {.connect = "there"}), "'there' is no address to connect to");
    REFUSED(DAEMON(.argv = SHELL(":"), .ready = {.line = "a", .file = "b"}),
            "takes one of .connect, .file and .line");
    REFUSED(DAEMON(.argv = SHELL(":"), .within = "x"), "'x' is no span");
    REFUSED(DAEMON(.argv = MX_ARGV("/nowhere")), "cannot run '/nowhere'");
    REFUSED(mx_stop(NULL), "there is no daemon to stop");
    REFUSED(mx_said(NULL), "there is no daemon");
}

/* ---- what it is as a program ---- */

static int listen_at(const char *url)
{
    struct address address = ADDRESS_NONE;

    if (strncmp(url, "tcp://127.0.0.1:", 16) == 0)
        address.port = (uint16_t)atoi(url + 16);
    else {
        address.transport = TRANSPORT_UDS;
        snprintf(address.path, sizeof address.path, "%s", url + strlen("unix://"));
    }
    if (address_listen(&address) < 0)
        return 1;
    for (;;)
        pause();
}

/* Into the group of somebody else; who leads that one ends with us. */
static int regroup(void)
{
    pid_t pid = must_fork();

    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    setpgid(pid, pid);
    if (setpgid(0, pid) < 0)
        return 1;
    dprintf(STDOUT_FILENO, "regrouped\n");
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        STAGED(test_status_and_output),
        STAGED(test_much_output),
        STAGED(test_input),
        STAGED(test_environment_and_folder),
        STAGED(test_it_begins_as_from_a_shell),
        STAGED(test_streams_that_were_closed),
        STAGED(test_what_cannot_be_run),
        STAGED(test_checked),
        STAGED(test_time_is_up),
        STAGED(test_who_hears_nothing_is_killed),
        STAGED(test_who_is_stopped_is_ended),
        STAGED(test_who_left_its_group_is_ended),
        STAGED(test_who_keeps_the_output_keeps_nobody),
        STAGED(test_nobody_knows_how_it_ended),
        STAGED(test_unwinding_ends_it),
        STAGED(test_ready_by_a_line),
        STAGED(test_ready_by_the_last_of_much_output),
        STAGED(test_ready_by_a_file),
        STAGED(test_ready_by_connecting),
        STAGED(test_never_ready),
        STAGED(test_dead_before_it_is_ready),
        STAGED(test_dead_while_in_use),
        STAGED(test_how_it_is_stopped),
        STAGED(test_what_it_forks_ends_with_it),
        STAGED(test_what_no_daemon_can_be_asked),
    };

    if (argc == 3 && strcmp(argv[1], "listen") == 0)
        return listen_at(argv[2]);
    if (argc == 2 && strcmp(argv[1], "regroup") == 0)
        return regroup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
