/* Processes, from their start to their status. */
#include "runner/base/proc.h"
#include "tests/unit/spawn_bench.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- the table ---- */

static void test_table(void **state)
{
    (void)state;
    for (int i = 0; i < BACKEND_COUNT; i++) {
        const struct backend *backend = backends[i];

        assert_non_null(backend);
        assert_ptr_equal(backend_find(str_of(backend->name)), backend);
        assert_ptr_equal(backend_find(str_of(backend->alias)), backend);
        assert_true(backend->unsupported || backend->start || backend->serving);
        assert_int_equal(backend_id(backend), i);
        assert_false(backend->start && backend->serving);
        if (backend->unsupported && !strstr(backend->unsupported, backend->name))
            fail_msg("'%s' does not say which", backend->unsupported);
    }
    assert_null(backend_find(str_of("exe")));
    assert_null(backend_find(str_of("")));
}

/* ---- what is seen of a process ---- */

static void test_status(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, KID(word("exit"), word("42")));
    nanos before = clock_now();

    assert_true(start(bench, &spec));
    assert_true(fcntl(bench->process.pidfd, F_GETFD) & FD_CLOEXEC);
    assert_true(exits_with(&bench->process, 42));
    assert_int_equal(phase(bench), SPAWN_EXECUTED);
    assert_true(bench->exec_at >= before && bench->exec_at <= clock_now());
    assert_int_equal(bench->error.stage, SPAWN_STAGE_NONE);

    spec.argv = KID(word("kill"), word("TERM"));
    assert_true(start(bench, &spec));
    assert_true(dies_of(&bench->process, SIGTERM));
}

static void test_sees(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, KID(word("fds")));
    int leaks[] = {dup(bench->null), fcntl(bench->null, F_DUPFD, 200)};

    assert_true(prints(bench, &spec, "0 1 2\n"));
    for (size_t i = 0; i < ARRAY_LEN(leaks); i++)
        close(leaks[i]);

    spec.argv = KID(word("cwd"));
    spec.cwd = "/usr";
    assert_true(prints(bench, &spec, "/usr\n"));

    spec.argv = KID(word("env"), word("SAY"));
    spec.envp = ARGV(word("A=b"), word("SAY=it"));
    assert_true(prints(bench, &spec, "it\n"));

    spec.path = "env"; /* begins at cwd; argv[0] is what it is */
    spec.cwd = "/usr/bin";
    spec.argv = ARGV(word("another name"));
    assert_true(prints(bench, &spec, "A=b\nSAY=it\n"));
}

/* What is to become 3 and 4 stands there the wrong way round; and nothing else gets in. */
static void test_passes_on(void **state)
{
    struct bench *bench = *state;
    char pid[sizeof "LISTEN_PID=" + SPAWN_PID_SIZE] = "LISTEN_PID=";
    int first = memfd_create("first", MFD_CLOEXEC), second = memfd_create("second", MFD_CLOEXEC);
    struct spawn_spec spec;

    bench->out = fcntl(bench->out, F_DUPFD_CLOEXEC, 200);
    bench->null = fcntl(bench->null, F_DUPFD_CLOEXEC, 200);
    assert_int_equal(write(first, "first\n", 6), 6);
    assert_int_equal(write(second, "second\n", 7), 7);
    lseek(first, 0, SEEK_SET);
    lseek(second, 0, SEEK_SET);
    first = fcntl(first, F_DUPFD_CLOEXEC, 100);
    second = fcntl(second, F_DUPFD_CLOEXEC, 100);
    assert_int_equal(dup3(second, 3, O_CLOEXEC), 3);
    assert_int_equal(dup3(first, 4, O_CLOEXEC), 4);
    spec = spec_of(bench, SHELL("cat <&3; cat <&4; test $LISTEN_PID = $$ && echo me"));
    spec.pass[0] = 4;
    spec.pass[1] = 3;
    spec.pass_count = 2;
    spec.own_pid = pid + strlen(pid);
    spec.envp = ARGV(pid, word("PATH=/usr/bin:/bin"));
    assert_true(prints(bench, &spec, "first\nsecond\nme\n"));
    for (int fd = 3; fd < 10; fd++)
        close(fd);
    close(first);
    close(second);

    spec = spec_of(bench, KID(word("fds")));
    spec.pass[0] = -1;
    spec.pass_count = 1;
    assert_true(start(bench, &spec));
    assert_true(exits_with(&bench->process, 127));
    assert_int_equal(phase(bench), SPAWN_FAILED);
    assert_int_equal(bench->error.stage, SPAWN_STAGE_PASS);
    assert_int_equal(bench->error.error, EBADF);
}

static void test_limits(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, SHELL("ulimit -Sn; ulimit -Hn; ulimit -Sc"));

    spec.limits[0] = (struct spawn_limit){RLIMIT_NOFILE, {50, 60}};
    spec.limits[1] = (struct spawn_limit){RLIMIT_CORE, {0, 0}};
    spec.limit_count = 2;
    assert_true(prints(bench, &spec, "50\n60\n0\n"));
}

static void on_signal(int signal)
{
    (void)signal;
    _exit(3);
}

/* What the runner does when it begins (signals_open), also for the two that libc keeps to itself. */
static void forget_ignored(void)
{
    static const uintptr_t standard[16];

    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, standard, NULL, (size_t)NSIG / 8);
}

static void test_signals(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, KID(word("signals")));
    sigset_t all, before, blocked, after;

    forget_ignored();
    sigfillset(&all);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal}, NULL);
    sigprocmask(SIG_SETMASK, &all, &before);
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    assert_true(
        prints(bench, &spec, "SigBlk 0000000000000000\nSigIgn 0000000000000000\nSigCgt 0000000000000000\n"));
    sigprocmask(SIG_SETMASK, &before, &after);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    for (int i = 1; i <= 64; i++) /* ours is as it was */
        assert_int_equal(sigismember(&blocked, i), sigismember(&after, i));
}

static void test_session(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, KID(word("ids")));
    struct buf out = {0};

    for (int session = 0; session < 2; session++) {
        char expected[64];
        pid_t pid;

        spec.session = session;
        assert_true(start(bench, &spec));
        pid = bench->process.pid;
        assert_true(exits_with(&bench->process, 0));
        snprintf(expected, sizeof expected, "%d %d %d\n", pid, session ? pid : getpgrp(),
                 session ? pid : getsid(0));
        take_output(bench->out, &out);
        assert_string_equal(buf_text(&out), expected);
    }
    buf_release(&out);
}

static void test_terminal(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, KID(word("tty")));
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    spec.terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(spec.terminal >= 0);
    assert_int_equal(write(master, "typed\n", 6), 6);
    assert_true(prints(bench, &spec, "ready\nread typed\n"));

    spec.terminal = -1; /* a session without one, though stdin were a terminal */
    assert_true(start(bench, &spec));
    assert_true(exits_with(&bench->process, 99));
    close(master);
}

/* ---- standard streams ---- */

/* Each file gets the numbers of the descriptors that it became, whichever of ours it was. */
static void check_permutation(struct bench *bench, const int files[5], const int choice[3])
{
    struct spawn_spec spec = spec_of(bench, SHELL("echo 0 >&0; echo 1 >&1; echo 2 >&2"));
    struct buf out = {0}, expected = {0};

    for (int i = 0; i < 3; i++)
        spec.stdio[i] = files[choice[i]];
    CHECK(start(bench, &spec) && exits_with(&bench->process, 0));
    for (int file = 0; file < 5; file++) {
        buf_clear(&expected);
        for (int i = 0; i < 3; i++)
            if (choice[i] == file)
                buf_addf(&expected, "%d\n", i);
        take_output(files[file], &out);
        CHECK(str_eq(buf_str(&out), buf_str(&expected)));
    }
    buf_release(&out);
    buf_release(&expected);
}

/* Of five files three are 0, 1 and 2, and all would be closed by exec. */
static void all_permutations(struct bench *bench)
{
    int files[5];

    for (int i = 0; i < 5; i++) {
        int fd = memfd_create("x", MFD_CLOEXEC);

        files[i] = i < 3 ? dup3(fd, i, O_CLOEXEC) : fd;
        CHECK(files[i] >= 0 && fcntl(files[i], F_SETFL, O_APPEND) == 0);
    }
    for (int n = 0; n < 125; n++)
        check_permutation(bench, files, (const int[3]){n / 25, n / 5 % 5, n % 5});
}

static void test_stdio(void **state)
{
    in_fork(*state, all_permutations);
}

static void without_stdio(struct bench *bench)
{
    struct spawn_spec spec = spec_of(bench, KID(word("fds")));
    struct buf out = {0};

    for (int i = 0; i < 3; i++)
        close(i);
    if (!start(bench, &spec) || !exits_with(&bench->process, 0))
        _exit(2);
    take_output(bench->out, &out);
    _exit(strcmp(buf_text(&out), "0 1 2\n") != 0);
}

static void test_without_stdio(void **state)
{
    in_fork(*state, without_stdio);
}

/* ---- control groups ---- */

/* What a group of version 1 would be told: "0", by whom it is to hold. */
static void test_joined(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, KID(word("fds")));
    int groups[] = {memfd_create("one", MFD_CLOEXEC), memfd_create("two", MFD_CLOEXEC)};
    struct buf told = {0};

    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        spec.joined[i] = groups[i];
    assert_true(prints(bench, &spec, "0 1 2\n"));
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        take_output(groups[i], &told);
        assert_string_equal(buf_text(&told), "0");
        close(groups[i]);
    }
    buf_release(&told);

    spec.joined[0] = 1000; /* no descriptor */
    assert_true(start(bench, &spec) && exits_with(&bench->process, 127));
    assert_int_equal(phase(bench), SPAWN_FAILED);
    assert_int_equal(bench->error.stage, SPAWN_STAGE_JOIN);
    assert_int_equal(bench->error.error, EBADF);
}

/* Below the group we are in, where we may; -1: we may not. */
static int group_make(char path[PATH_MAX])
{
    struct buf groups = {0}, mounts = {0};
    char *mount = NULL, *ours = NULL;

    if (file_read("/proc/self/cgroup", &groups, 1 << 16) == 0 &&
        file_read("/proc/self/mountinfo", &mounts, 1 << 20) == 0) {
        ours = strstr(buf_text(&groups), "0::/");
        mount = strstr(buf_text(&mounts), " - cgroup2 ");
    }
    while (mount && mount > mounts.ptr && mount[-1] != '\n')
        mount--;
    path[0] = '\0';
    if (ours && mount && sscanf(mount, "%*s %*s %*s %*s %2000s", path) == 1)
        snprintf(path + strlen(path), 2000, "%.*s/test-%d", (int)strcspn(ours + 3, "\n"), ours + 3, getpid());
    buf_release(&groups);
    buf_release(&mounts);
    return path[0] && mkdir(path, 0700) == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static void test_cgroup(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, SHELL("cat /proc/self/cgroup"));
    char path[PATH_MAX], expected[64];
    struct buf seen = {0};

    spec.cgroup = group_make(path);
    if (spec.cgroup < 0) {
        print_message("no control group can be made here\n");
        skip();
    }
    snprintf(expected, sizeof expected, "/test-%d\n", getpid());
    assert_true(start(bench, &spec) && exits_with(&bench->process, 0));
    take_output(bench->out, &seen);
    assert_non_null(strstr(buf_text(&seen), expected));
    buf_release(&seen);
    for (int i = 0; rmdir(path) < 0; i++) /* EBUSY for a moment after the last has gone */
        assert_true(errno == EBUSY && i < 100000);

    assert_false(start(bench, &spec)); /* there is no such group any more */
    assert_int_equal(bench->error.stage, SPAWN_STAGE_JOIN);
    assert_int_equal(bench->error.error, ENOENT);
    close(spec.cgroup);
}

/* ---- many ---- */

static void check_many(struct bench *bench, int count)
{
    struct bench other = *bench;
    struct spawn_spec spec = spec_of(bench, KID(word("exit"), NULL));
    int before = proc_count_fds(getpid());

    other.spawn = spawn_new();
    for (int i = 0; i < count; i += 2) { /* two under way side by side */
        char one[8], two[8];
        struct spawn_spec second = spec;

        snprintf(one, sizeof one, "%d", i % 256);
        snprintf(two, sizeof two, "%d", (i + 1) % 256);
        spec.argv = KID(word("exit"), one);
        second.argv = KID(word("exit"), two);
        CHECK(start(bench, &spec) && start(&other, &second));
        CHECK(exits_with(&other.process, (i + 1) % 256) && exits_with(&bench->process, i % 256));
        CHECK(phase(bench) == SPAWN_EXECUTED && phase(&other) == SPAWN_EXECUTED);
    }
    spawn_free(other.spawn);
    CHECK(proc_count_fds(getpid()) == before);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void two_thousand(struct bench *bench)
{
    check_many(bench, 2000);
}

static void with_few_descriptors(struct bench *bench)
{
    struct rlimit limit = {64, 64};

    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    check_many(bench, 200);
}

static void test_many(void **state)
{
    in_fork(*state, two_thousand);
    in_fork(*state, with_few_descriptors);
}

#define THREADS 4

/* While one thread starts and reaps, the other looks, as the watchdog does. */
static void *start_often(void *user)
{
    struct bench *bench = user;
    struct spawn_spec spec = spec_of(bench, KID(word("exit"), word("7")));

    for (int i = 0; i < 100; i++) {
        CHECK(start(bench, &spec));
        while (phase(bench) == SPAWN_UNDER_WAY)
            ;
        CHECK(bench->exec_at > 0 && exits_with(&bench->process, 7));
    }
    return NULL;
}

static void *look(void *user)
{
    struct bench bench = {.spawn = user};

    while (phase(&bench) != SPAWN_FAILED)
        ;
    return NULL;
}

static void from_threads(struct bench *bench)
{
    struct bench benches[THREADS];
    struct spawn_spec wrong = spec_of(bench, ARGV(word("/nowhere")));
    pthread_t threads[THREADS], watcher;

    CHECK(pthread_create(&watcher, NULL, look, bench->spawn) == 0);
    for (int i = 0; i < THREADS; i++) {
        benches[i] = *bench;
        benches[i].spawn = i ? spawn_new() : bench->spawn;
        CHECK(pthread_create(&threads[i], NULL, start_often, &benches[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(start(bench, &wrong) && exits_with(&bench->process, 127));
    CHECK(pthread_join(watcher, NULL) == 0);
    for (int i = 1; i < THREADS; i++)
        spawn_free(benches[i].spawn);
}

static void test_threads(void **state)
{
    in_fork(*state, from_threads);
}

/* ---- what is in the way ---- */

/* As containers have it. */
static void without_clone3(struct bench *bench)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {ARRAY_LEN(code), code};
    struct spawn_spec spec = spec_of(bench, KID(word("exit"), word("0")));

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
    CHECK(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
    check_many(bench, 100);
    spec.cgroup = bench->null; /* what the older call cannot do is said, not left out */
    CHECK(!start(bench, &spec));
    CHECK(bench->error.stage == SPAWN_STAGE_JOIN && bench->error.error == ENOSYS);
}

static void test_without_clone3(void **state)
{
    in_fork(*state, without_clone3);
}

/* No descriptor is left for the pidfd: no process came to be. */
static void without_descriptors(struct bench *bench)
{
    struct spawn_spec spec = spec_of(bench, KID(word("exit"), word("0")));
    struct rlimit limit = {(rlim_t)bench->out + 1, (rlim_t)bench->out + 1};

    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while (dup(bench->null) >= 0)
        ;
    CHECK(!start(bench, &spec));
    CHECK(bench->error.stage == SPAWN_STAGE_CLONE && bench->error.error == EMFILE);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    close(0);
    CHECK(start(bench, &spec) && exits_with(&bench->process, 0)); /* the place can be used again */
}

static void test_without_descriptors(void **state)
{
    in_fork(*state, without_descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),    BENCH_TEST(test_status),
        BENCH_TEST(test_sees),           BENCH_TEST(test_passes_on),
        BENCH_TEST(test_limits),         BENCH_TEST(test_signals),
        BENCH_TEST(test_session),        BENCH_TEST(test_terminal),
        BENCH_TEST(test_stdio),          BENCH_TEST(test_without_stdio),
        BENCH_TEST(test_joined),         BENCH_TEST(test_cgroup),
        BENCH_TEST(test_many),           BENCH_TEST(test_threads),
        BENCH_TEST(test_without_clone3), BENCH_TEST(test_without_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
