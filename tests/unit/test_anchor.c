/* Anchors: processes in PID namespaces of ours. */
#include "runner/base/proc.h"
#include "tests/unit/forks.h"
#include "tests/unit/spawn_bench.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define SOON (20 * NS_PER_S) /* for what is bound to happen */

/* Runs with an anchor, which is to leave nothing. */
static void with_anchor(struct bench *bench, void (*test)(struct bench *bench, struct anchor *anchor))
{
    int before = proc_count_fds(getpid());
    struct anchor anchor;

    if (anchor_start(&anchor) < 0) {
        struct buf why = {0};

        anchor_probe(&why);
        print_message("%s\n", buf_text(&why));
        buf_release(&why);
        skip();
    }
    test(bench, &anchor);
    assert_true(anchor_end(&anchor, SOON));
    assert_int_equal(anchor.pid, 0);
    assert_int_equal(proc_count_fds(getpid()), before);
    assert_true(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
}

#define ANCHOR_TEST(name)                                         \
    static void name(struct bench *bench, struct anchor *anchor); \
    static void test_##name(void **state)                         \
    {                                                             \
        with_anchor(*state, name);                                \
    }                                                             \
    static void name(struct bench *bench, struct anchor *anchor)

static struct spawn_spec spec_in(const struct bench *bench, const struct spawn_room *room, char *const argv[])
{
    struct spawn_spec spec = spec_of(bench, argv);

    spec.room = room;
    return spec;
}

static bool start_in(struct bench *bench, const struct anchor *anchor, char *const argv[])
{
    struct spawn_room room = {.anchor = anchor};
    struct spawn_spec spec = spec_in(bench, &room, argv);
    bool started = start(bench, &spec);

    while (started && phase(bench) == SPAWN_UNDER_WAY) /* until then it looks at the spec */
        ;
    return started;
}

/* It has exited, and its status can still be taken. */
static void await_exit(const struct process *process)
{
    siginfo_t info;

    assert_int_equal(waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_pid, process->pid);
}

/* For what others do in their own time. */
static void await_empty(bool wanted, const struct anchor *anchor, pid_t leader)
{
    nanos until = clock_now() + SOON;

    while (anchor_is_empty(anchor, leader) != wanted)
        assert_true(clock_now() < until);
}

static bool is_readable(int fd, int milliseconds)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};

    return poll(&look, 1, milliseconds) == 1;
}

/* ---- what is seen ---- */

ANCHOR_TEST(from_inside)
{
    struct spawn_room room = {.anchor = anchor};
    struct spawn_spec shell = spec_in(bench, &room, SHELL("echo $$ $PPID")),
                      kid = spec_in(bench, &room, KID(word("ids")));

    assert_true(prints(bench, &shell, "2 0\n"));
    assert_true(prints(bench, &kid, "3 3 3\n"));
    kid.argv = KID(word("fds"));
    assert_true(prints(bench, &kid, "0 1 2\n"));
    shell.argv = SHELL("read pid rest </proc/self/stat; [ $pid = $$ ] && echo fits");
    if (anchor->proc_error)
        print_message("no /proc of its own: %s\n", strerror(anchor->proc_error));
    else
        assert_true(prints(bench, &shell, "fits\n"));
}

/* It is a child of ours like others, with a number of ours. */
ANCHOR_TEST(from_outside)
{
    struct process *process = &bench->process;
    struct proc_stat listed;
    struct stat its, ours;
    char path[64];

    assert_true(start_in(bench, anchor, KID(word("hang"))));
    assert_int_equal(proc_stat_read(process->pid, &listed), 0);
    assert_int_equal(listed.ppid, getpid());
    assert_int_equal(listed.pgrp, process->pid);
    assert_int_equal(listed.session, process->pid);
    snprintf(path, sizeof path, "/proc/%d/ns/pid", process->pid);
    assert_true(stat(path, &its) == 0 && fstat(anchor->pids, &ours) == 0);
    assert_int_equal(its.st_ino, ours.st_ino);
    assert_true(fcntl(process->pidfd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(kill(-process->pid, SIGTERM), 0);
    assert_true(dies_of(process, SIGTERM));
}

static void from_a_folder(struct bench *bench)
{
    struct anchor anchor;
    struct spawn_room room = {.anchor = &anchor};
    struct spawn_spec spec = spec_in(bench, &room, KID(word("cwd")));

    CHECK(chdir("/usr") == 0 && anchor_start(&anchor) == 0);
    CHECK(prints(bench, &spec, "/usr\n"));
    spec.cwd = "bin"; /* begins where we are */
    CHECK(prints(bench, &spec, "/usr/bin\n"));
    spec.path = "./env";
    spec.argv = ARGV(word("env"));
    spec.envp = ARGV(word("A=b"));
    CHECK(prints(bench, &spec, "A=b\n"));
    spec.cwd = NULL;
    spec.path = "bin/env";
    CHECK(prints(bench, &spec, "A=b\n"));
    CHECK(anchor_end(&anchor, SOON));
}

ANCHOR_TEST(places)
{
    (void)anchor; /* it is there: another can be had */
    in_fork(bench, from_a_folder);
}

/* The ids are those outside, and what it could do in a user namespace is gone when it has executed. */
ANCHOR_TEST(ids)
{
    struct spawn_room room = {.anchor = anchor};
    struct spawn_spec spec =
        spec_in(bench, &room,
                SHELL("id -ru; id -rg; [ $(id -u) = 0 ] || while read key value; do"
                      " case $key in CapEff:) echo $value; esac; done </proc/self/status"));
    char expected[64];

    snprintf(expected, sizeof expected, "%u\n%u\n%s", getuid(), getgid(),
             geteuid() == 0 ? "" : "0000000000000000\n");
    assert_true(prints(bench, &spec, expected));
    assert_int_equal(prctl(PR_GET_DUMPABLE), 1); /* ours: what an usher gains is not to change it */
}

/* ---- failures ---- */

static void check_failure(struct bench *bench, const struct spawn_spec *spec, enum spawn_stage stage,
                          int error)
{
    assert_true(start(bench, spec));
    assert_true(exits_with(&bench->process, 127));
    assert_int_equal(phase(bench), SPAWN_FAILED);
    assert_int_equal(bench->error.stage, stage);
    assert_int_equal(bench->error.error, error);
}

ANCHOR_TEST(failures)
{
    struct spawn_room room = {.anchor = anchor};
    struct spawn_spec spec = spec_in(bench, &room, ARGV(word("/nowhere/x")));

    check_failure(bench, &spec, SPAWN_STAGE_EXEC, ENOENT);
    spec.cwd = "/nowhere";
    check_failure(bench, &spec, SPAWN_STAGE_CWD, ENOENT);
    assert_true(anchor_is_empty(anchor, 0));
}

/* Its namespace cannot be entered any more: not when the init is a zombie, and not when it has been reaped. */
ANCHOR_TEST(dead)
{
    struct spawn_room room = {.anchor = anchor};
    struct spawn_spec spec = spec_in(bench, &room, KID(word("exit"), word("0")));
    int before = proc_count_fds(getpid());

    anchor_kill(anchor);
    assert_true(is_readable(anchor->pidfd, SOON / NS_PER_MS));
    for (int reaped = 0; reaped < 2; reaped++) {
        assert_false(start(bench, &spec));
        assert_int_equal(bench->error.stage, SPAWN_STAGE_ENTER);
        assert_int_equal(bench->error.error, ESRCH);
        assert_int_equal(proc_count_fds(getpid()), before);
        assert_true(anchor_is_empty(anchor, 0));
        waitpid(anchor->pid, NULL, __WALL);
    }
    spec.room = NULL; /* the place can be used again */
    assert_true(start(bench, &spec) && exits_with(&bench->process, 0));
}

/* Killed at any moment of a start: no process, or one that was killed. */
ANCHOR_TEST(killed_meanwhile)
{
    (void)anchor;
    for (int i = 0; i < 100; i++) {
        struct anchor other;
        struct spawn_room room = {.anchor = &other};
        struct spawn_spec spec = spec_in(bench, &room, KID(word("hang")));
        int gate[2];
        pid_t killer;

        assert_int_equal(pipe2(gate, O_CLOEXEC) | anchor_start(&other), 0);
        killer = must_fork();
        assert_true(killer >= 0);
        if (killer == 0) {
            for (volatile int spin = 0; is_readable(gate[0], -1) && spin < i * 500; spin++)
                ;
            anchor_kill(&other);
            _exit(0);
        }
        assert_int_equal(write(gate[1], "", 1), 1);
        if (start(bench, &spec))
            assert_true(dies_of(&bench->process, SIGKILL));
        else
            assert_true(bench->error.error == ESRCH || bench->error.error == ENOMEM);
        assert_true(anchor_end(&other, SOON));
        assert_int_equal(waitpid(killer, NULL, 0), killer);
        close(gate[0]);
        close(gate[1]);
    }
}

/* ---- who is there ---- */

ANCHOR_TEST(leaves_a_daemon)
{
    assert_true(anchor_is_empty(anchor, 0));
    assert_true(start_in(bench, anchor, KID(word("daemon"))));
    await_exit(&bench->process);
    assert_false(anchor_is_empty(anchor, bench->process.pid));
    assert_false(anchor_is_empty(anchor, 0));

    anchor_kill(anchor);
    assert_false(is_readable(anchor->pidfd, 50)); /* its init waits for whom only we can reap */
    assert_true(exits_with(&bench->process, 0));
    assert_true(is_readable(anchor->pidfd, SOON / NS_PER_MS)); /* not before all are dead */
    assert_true(anchor_is_empty(anchor, 0));
}

/* The leader is alive, with children or without. */
ANCHOR_TEST(has_a_leader)
{
    static const struct {
        const char *word, *argument;
        bool empty;
    } rows[] = {{"hang", NULL, true}, {"forkstorm", "3", false}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(start_in(bench, anchor, KID(word(rows[i].word), word(rows[i].argument))));
        await_empty(rows[i].empty, anchor, bench->process.pid);
        assert_int_equal(kill(-bench->process.pid, SIGKILL), 0);
        assert_true(dies_of(&bench->process, SIGKILL));
        await_empty(true, anchor, 0);
    }
}

static void *have_child(void *user)
{
    must_fork();
    for (;;)
        pause();
    return user;
}

static void lead_by_thread(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, have_child, NULL);
    pthread_exit(NULL);
}

/* A leader whose first thread is a zombie lives on, and it was another thread that had the child. */
ANCHOR_TEST(has_a_leader_of_threads)
{
    assert_true(start_in(bench, anchor, ARGV(word("/proc/self/exe"), word("lead by thread"))));
    await_empty(false, anchor, bench->process.pid);
    assert_false(is_readable(bench->process.pidfd, 0));
    assert_int_equal(kill(bench->process.pid, SIGKILL), 0);
    assert_true(dies_of(&bench->process, SIGKILL));
    assert_false(anchor_is_empty(anchor, 0));
}

/* Who hands on life to a child at once is never overlooked. */
ANCHOR_TEST(holds_a_hopper)
{
    assert_true(start_in(bench, anchor, ARGV(word("/proc/self/exe"), word("hop"))));
    assert_true(exits_with(&bench->process, 0));
    for (int i = 0; i < 5000; i++)
        assert_false(anchor_is_empty(anchor, 0));
}

static _Noreturn void hop(void)
{
    setsid();
    for (;;)
        if (must_fork() > 0)
            _exit(0);
}

/* ---- the init ---- */

static uint64_t switches(pid_t pid)
{
    static const char name[] = "\nvoluntary_ctxt_switches:";
    struct buf status = {0};
    char path[64], *line;
    uint64_t count;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    assert_int_equal(file_read(path, &status, 1 << 16), 0);
    line = strstr(buf_text(&status), name);
    assert_non_null(line);
    count = strtoull(line + strlen(name), NULL, 10);
    buf_release(&status);
    return count;
}

/* Used again and again, with orphans each time; the init is not even woken for them. */
ANCHOR_TEST(serves_again)
{
    struct proc_stat init;
    nanos until = clock_now() + SOON;
    uint64_t before;
    int fds = proc_count_fds(getpid());

    do
        assert_true(proc_stat_read(anchor->pid, &init) == 0 && clock_now() < until);
    while (init.state != 'S'); /* it waits for ever from now on */
    before = switches(anchor->pid);
    for (int i = 0; i < 100; i++) {
        assert_true(start_in(bench, anchor, SHELL("(: & : & :) & exit 5")));
        assert_true(exits_with(&bench->process, 5));
        await_empty(true, anchor, 0);
    }
    assert_int_equal(switches(anchor->pid), before);
    assert_int_equal(proc_count_fds(getpid()), fds);
}

/* Nobody waits in vain for the end of a pipe of ours. */
ANCHOR_TEST(init_keeps_nothing)
{
    struct proc_stat init;
    struct anchor other;
    int pipe[2];
    char byte;

    (void)bench;
    assert_int_equal(pipe2(pipe, O_CLOEXEC) | anchor_start(&other), 0);
    close(pipe[1]);
    assert_int_equal(read(pipe[0], &byte, 1), 0);
    close(pipe[0]);
    assert_true(anchor_end(&other, SOON));

    assert_int_equal(proc_count_fds(anchor->pid), 0);
    assert_int_equal(proc_stat_read(anchor->pid, &init), 0);
    assert_string_equal(init.comm, "rm-anchor");
    assert_int_equal(init.session, anchor->pid);
    assert_int_equal(kill(anchor->pid, SIGTERM), 0); /* only SIGKILL reaches it */
    assert_false(is_readable(anchor->pidfd, 50));
}

/* We are killed: the init dies with us, and with it a daemon that nobody else could have found. */
ANCHOR_TEST(dies_with_us)
{
    struct spawn_room room;
    struct anchor other;
    struct spawn_spec spec;
    int pipe[2];
    char byte;
    pid_t pid;

    (void)anchor;
    assert_int_equal(pipe2(pipe, O_CLOEXEC), 0);
    pid = must_fork();
    if (pid == 0) {
        CHECK(anchor_start(&other) == 0);
        room = (struct spawn_room){.anchor = &other};
        spec = spec_in(bench, &room, SHELL("setsid sh -c 'echo; exec sleep 1000' & exec sleep 1000"));
        spec.stdio[1] = pipe[1];
        CHECK(start(bench, &spec));
        CHECK(read(pipe[0], &byte, 1) == 1);
        kill(getpid(), SIGKILL);
    }
    close(pipe[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(is_readable(pipe[0], SOON / NS_PER_MS));
    assert_int_equal(read(pipe[0], &byte, 1), 0); /* the end: nobody holds the other end */
    close(pipe[0]);
}

/* ---- many ---- */

static void *start_often(void *user)
{
    struct bench *bench = user;
    struct anchor anchor;

    CHECK(anchor_start(&anchor) == 0);
    for (int i = 0; i < 100; i++)
        CHECK(start_in(bench, &anchor, KID(word("exit"), word("7"))) && exits_with(&bench->process, 7));
    CHECK(anchor_end(&anchor, SOON));
    return NULL;
}

/* Ushers of several threads share our descriptors, and our memory. */
ANCHOR_TEST(threads)
{
    struct bench benches[3];
    pthread_t threads[ARRAY_LEN(benches)];

    (void)anchor;
    for (size_t i = 0; i < ARRAY_LEN(benches); i++) {
        benches[i] = *bench;
        benches[i].spawn = spawn_new();
        assert_int_equal(pthread_create(&threads[i], NULL, start_often, &benches[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(benches); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        spawn_free(benches[i].spawn);
    }
}

/* ---- elsewhere ---- */

static void check_starts(struct bench *bench)
{
    struct anchor anchor;

    CHECK(anchor_start(&anchor) == 0);
    CHECK(start_in(bench, &anchor, SHELL("[ $PPID = 0 ] && exit 4")) && exits_with(&bench->process, 4));
    CHECK(anchor_is_empty(&anchor, 0) && anchor_end(&anchor, SOON));
}

static void as_somebody(struct bench *bench)
{
    struct buf why = {0};

    if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
        return; /* we are in a user namespace where there is nobody else */
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    if (anchor_probe(&why))
        check_starts(bench);
    else
        CHECK(why.len);
    buf_release(&why);
}

static void test_of_somebody(void **state)
{
    if (geteuid() != 0)
        skip();
    in_fork(*state, as_somebody);
}

static void refuse(long number, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {ARRAY_LEN(code), code};

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
}

static void without_clone3(struct bench *bench)
{
    refuse(SYS_clone3, ENOSYS);
    check_starts(bench);
}

/* As where parts of /proc are covered: a new one would show them. */
static void without_mount(struct bench *bench)
{
    struct buf why = {0};

    refuse(SYS_mount, EPERM);
    CHECK(anchor_probe(&why) && strstr(buf_text(&why), "not permitted"));
    check_starts(bench);
    buf_release(&why);
}

static void check_refused(const char *words)
{
    struct buf why = {0};

    if (anchor_probe(&why) || !strstr(buf_text(&why), words)) {
        fprintf(stderr, "'%s' does not say '%s'\n", buf_text(&why), words);
        _exit(1);
    }
    buf_release(&why);
}

static void without_setns(struct bench *bench)
{
    (void)bench;
    refuse(SYS_setns, EPERM);
    check_refused("cannot enter its namespaces: Operation not permitted");
}

static void without_clone(struct bench *bench)
{
    (void)bench;
    refuse(SYS_clone3, EPERM);
    check_refused("cannot make a PID namespace: Operation not permitted");
}

ANCHOR_TEST(refusals)
{
    (void)anchor;
    in_fork(bench, without_clone3);
    in_fork(bench, without_mount);
    in_fork(bench, without_setns);
    in_fork(bench, without_clone);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_from_inside),
        BENCH_TEST(test_from_outside),
        BENCH_TEST(test_places),
        BENCH_TEST(test_ids),
        BENCH_TEST(test_failures),
        BENCH_TEST(test_dead),
        BENCH_TEST(test_killed_meanwhile),
        BENCH_TEST(test_leaves_a_daemon),
        BENCH_TEST(test_has_a_leader),
        BENCH_TEST(test_has_a_leader_of_threads),
        BENCH_TEST(test_holds_a_hopper),
        BENCH_TEST(test_serves_again),
        BENCH_TEST(test_init_keeps_nothing),
        BENCH_TEST(test_dies_with_us),
        BENCH_TEST(test_threads),
        BENCH_TEST(test_of_somebody),
        BENCH_TEST(test_refusals),
    };

    if (argc > 1 && strcmp(argv[1], "hop") == 0)
        hop();
    if (argc > 1)
        lead_by_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
