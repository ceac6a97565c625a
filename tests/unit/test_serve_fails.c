/* Servers and children that die or cannot, at every step there is. */
#include "backends/wire.h"
#include "tests/unit/forks.h"
#include "tests/unit/serve_link.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* ---- the other side ---- */

/* A system call; with `argument`, from 1 on, only where that is `value`. */
struct call {
    int number, argument;
    uint32_t value;
};

/* Whoever calls it dies of it: this process and all that come from it. */
static void forbid(struct call call, uint32_t answer)
{
    const uint32_t at =
        (uint32_t)(offsetof(struct seccomp_data, args) + (size_t)(call.argument - 1) * sizeof(uint64_t));
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call.number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, call.argument ? at : (uint32_t)offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.argument ? call.value : (uint32_t)call.number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {ARRAY_LEN(code), code};

    CHECK(prctl(PR_SET_DUMPABLE, 0) == 0); /* no core, wherever the machine puts them */
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

static int run_one(void *user, const struct spawn_spec *spec)
{
    (void)user;
    return (int)strlen(spec->test);
}

/* Whom limits of processes hold. */
static void be_nobody(void)
{
    if (geteuid() == 0)
        CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
}

/* What its variable wants of it, before it serves. */
static void spoil(void)
{
    const char *dies = getenv("DIES"), *lacks = getenv("LACKS");
    struct call call = {0};

    if (dies) {
        CHECK(sscanf(dies, "%d %d %u", &call.number, &call.argument, &call.value) == 3);
        forbid(call, SECCOMP_RET_KILL_PROCESS);
    }
    if (lacks) {
        forbid((struct call){.number = SYS_clone3}, SECCOMP_RET_ERRNO | (uint32_t)atoi(lacks));
        forbid((struct call){.number = SYS_clone}, SECCOMP_RET_ERRNO | (uint32_t)atoi(lacks));
    }
    if (getenv("NOBODY"))
        be_nobody();
}

/* ---- a child that dies on its way ---- */

/* Entering a group, and letting signals in, have a test of their own below. */
static const struct step {
    struct call call;
    enum spawn_stage stage;
    bool loading; /* who loads a program calls it too */
} steps[] = {
    {{SYS_setsid, 0, 0}, SPAWN_STAGE_SESSION, false},
    {{SYS_ioctl, 2, TIOCSCTTY}, SPAWN_STAGE_TERMINAL, false},
    {{SYS_dup3, 0, 0}, SPAWN_STAGE_STDIO, false},
    {{SYS_fcntl, 2, F_DUPFD_CLOEXEC}, SPAWN_STAGE_PASS, false},
    {{SYS_chdir, 0, 0}, SPAWN_STAGE_CWD, false},
    {{SYS_prlimit64, 0, 0}, SPAWN_STAGE_LIMIT, true},
    {{SYS_execve, 0, 0}, SPAWN_STAGE_EXEC, false},
};

/* All that there is to do. Who would take a terminal dies of it, so whatever is none will do. */
static struct spawn_spec whole(const struct bench *bench, struct spawn_spec spec, enum spawn_stage last)
{
    spec.cwd = "/";
    spec.limits[spec.limit_count++] = (struct spawn_limit){RLIMIT_CORE, {0, 0}};
    spec.pass[spec.pass_count++] = bench->null;
    if (last == SPAWN_STAGE_TERMINAL)
        spec.terminal = bench->null;
    return spec;
}

/* It has died where it should, and that can be told. */
static bool died_at(struct bench *bench, const struct step *step)
{
    bool died = dies_of(&bench->process, SIGSYS), executed;

    spawn_let_go(bench->spawn); /* as its watch does */
    executed = phase(bench) == SPAWN_EXECUTED && bench->exec_at;
    return died && spawn_reached(bench->spawn) == step->stage &&
           executed == (step->stage == SPAWN_STAGE_EXEC);
}

static void test_a_child_of_a_server_dies_at_each_step(void **state)
{
    struct link *link = *state;

    for (size_t i = 0; i < ARRAY_LEN(servings); i++)
        for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
            const struct call *call = &steps[k].call;
            struct spawn_spec program = whole(&link->bench, spec_of(&link->bench, ARGV(word("/bin/true"))),
                                              steps[k].stage),
                              test = whole(&link->bench, test_of(link, "other"), steps[k].stage);

            snprintf(link->variable, sizeof link->variable, "DIES=%d %d %u", call->number, call->argument,
                     call->value);
            start_server(link, servings[i]);
            assert_true(ask(link, &program));
            assert_true(died_at(&link->bench, &steps[k]));
            if (steps[k].stage != SPAWN_STAGE_EXEC) { /* which no test comes to */
                assert_true(ask(link, &test));
                assert_true(died_at(&link->bench, &steps[k]));
            }
            end_server(link, 0);
        }
}

static void die_of_ours(struct link *link, const struct backend *backend, const struct step *step)
{
    struct bench *bench = &link->bench;
    struct spawn_spec spec = whole(bench, spec_of(bench, ARGV(word("/bin/true"))), step->stage);

    spec.host = self;
    forbid(step->call, SECCOMP_RET_KILL_PROCESS);
    CHECK(backend->start(bench->spawn, &spec, &bench->process, &bench->error));
    CHECK(died_at(bench, step));
    _exit(0);
}

static void test_a_child_of_ours_dies_at_each_step(void **state)
{
    for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
        pid_t pid = must_fork();
        int status;

        if (pid == 0)
            die_of_ours(*state, backends[BACKEND_EXEC], &steps[k]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

/* A fresh process loads itself first; then it goes the rest of its way, in which there is no session any more. */
static void test_a_fresh_process_dies_on_its_way(void **state)
{
    for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
        pid_t pid;
        int status;

        if (steps[k].loading || steps[k].stage == SPAWN_STAGE_EXEC)
            continue;
        pid = must_fork();
        if (pid == 0)
            die_of_ours(*state, backends[BACKEND_SPAWN], &steps[k]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

/* ---- a child that is stuck on its way ---- */

/* Of a group of version 1 that never answers: nobody reads, and there is no room. */
static void open_stuck(int ends[2])
{
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    while (write(ends[1], "0", 1) == 1)
        ;
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
}

static void drain(int fd)
{
    char bytes[4096];

    while (read(fd, bytes, sizeof bytes) > 0)
        ;
}

static void await_stage(const struct bench *bench, enum spawn_stage stage)
{
    while (spawn_reached(bench->spawn) != stage)
        sched_yield();
}

/*
 * It is killed where it is stuck. What else it is sent there takes effect when it is through, whoever made it: in the
 * step in which signals are let in, and not before.
 */
static void check_stuck(struct link *link, const struct backend *backend, struct spawn_spec spec)
{
    static const struct {
        int signal;
        enum spawn_stage stage;
    } ends[] = {{SIGKILL, SPAWN_STAGE_JOIN}, {SIGTERM, SPAWN_STAGE_SIGNALS}};
    struct bench *bench = &link->bench;

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        int group[2];

        open_stuck(group);
        spec.joined[0] = group[1];
        if (backend->serving)
            assert_true(ask(link, &spec));
        else
            assert_true(backend->start(bench->spawn, &spec, &bench->process, &bench->error));
        await_stage(bench, SPAWN_STAGE_JOIN);
        assert_int_equal(phase(bench), SPAWN_UNDER_WAY);
        assert_int_equal(pidfd_signal(bench->process.pidfd, ends[i].signal), 0);
        if (ends[i].signal != SIGKILL)
            drain(group[0]);
        assert_true(dies_of(&bench->process, ends[i].signal));
        assert_int_equal(spawn_reached(bench->spawn), ends[i].stage);
        spawn_let_go(bench->spawn);
        assert_false(phase(bench) == SPAWN_EXECUTED && bench->exec_at);
        spawn_give_up(bench->spawn);
        fd_close(&group[0]);
        fd_close(&group[1]);
    }
}

static void test_a_child_is_killed_or_sent_a_signal_where_it_is_stuck(void **state)
{
    struct link *link = *state;
    struct spawn_spec program = spec_of(&link->bench, ARGV(word("/bin/true"))), test = test_of(link, "other");

    program.host = self;
    check_stuck(link, backends[BACKEND_EXEC], program);
    check_stuck(link, backends[BACKEND_SPAWN], program);
    for (int i = 0; i < BACKEND_COUNT; i++)
        if (backends[i]->serving && !backends[i]->apart) {
            start_server(link, backends[i]->serving);
            check_stuck(link, backends[i], program);
            check_stuck(link, backends[i], test);
            end_server(link, 0);
        }
}

/* Who takes it to its namespaces dies: there is no child, and that is said. */
static void test_a_child_that_is_not_brought_to_its_namespaces(void **state)
{
    static const int calls[] = {SYS_setns, SYS_unshare};
    struct link *link = *state;
    struct anchor anchor;
    const struct spawn_room rooms[] = {{.anchor = &anchor}, {.isolate = SPAWN_ISOLATE_NET}};

    if (anchor_start(&anchor) < 0)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(servings); i++)
        for (size_t k = 0; k < ARRAY_LEN(rooms); k++) {
            struct spawn_spec program = spec_of(&link->bench, ARGV(word("/bin/true"))),
                              test = test_of(link, "other");

            program.room = test.room = &rooms[k];
            snprintf(link->variable, sizeof link->variable, "DIES=%d 0 0", calls[k]);
            start_server(link, servings[i]);
            for (int again = 0; again < 4; again++) {
                assert_false(ask(link, again % 2 ? &program : &test));
                assert_int_equal(link->bench.error.stage, SPAWN_STAGE_CLONE);
                assert_int_equal(link->bench.error.error, EINTR);
                assert_int_equal(spawn_pid(link->bench.spawn), 0);
                spawn_give_up(link->bench.spawn);
            }
            assert_true(waitpid(-1, NULL, WNOHANG | __WALL) == 0); /* the server and the anchor live */
            end_server(link, 0);
        }
    assert_true(anchor_end(&anchor, 5 * NS_PER_S));
}

/* ---- a server that cannot ---- */

/* By one of its own kind: others may not. */
static _Noreturn void limit_as_nobody(pid_t pid, bool none)
{
    struct rlimit limit;

    be_nobody();
    CHECK(prlimit(pid, RLIMIT_NPROC, NULL, &limit) == 0);
    limit.rlim_cur = none ? 0 : limit.rlim_max;
    CHECK(prlimit(pid, RLIMIT_NPROC, &limit, NULL) == 0);
    _exit(0);
}

static void limit_processes(pid_t server, bool none)
{
    pid_t pid = must_fork();
    int status;

    if (pid == 0)
        limit_as_nobody(server, none);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* As long as there are no processes to be had, and no longer. */
static void test_a_server_is_refused_processes_for_a_while(void **state)
{
    struct link *link = *state;

    strcpy(link->variable, "NOBODY=1");
    for (size_t i = 0; i < ARRAY_LEN(servings); i++) {
        struct spawn_spec program = spec_of(&link->bench, ARGV(word("/bin/true"))),
                          test = test_of(link, "other");

        start_server(link, servings[i]);
        limit_processes(link->server.pid, true);
        for (int k = 0; k < 3; k++) {
            assert_false(ask(link, k % 2 ? &program : &test));
            assert_int_equal(link->bench.error.stage, SPAWN_STAGE_CLONE);
            assert_int_equal(link->bench.error.error, EAGAIN);
            spawn_give_up(link->bench.spawn);
        }
        limit_processes(link->server.pid, false);
        assert_true(ask(link, &test));
        assert_true(exits_with(&link->bench.process, 5));
        assert_true(ask(link, &program));
        assert_true(exits_with(&link->bench.process, 0));
        end_server(link, 0);
    }
}

static void test_a_server_has_no_memory_for_processes(void **state)
{
    struct link *link = *state;
    struct spawn_spec program = spec_of(&link->bench, ARGV(word("/bin/true"))), test = test_of(link, "other");

    snprintf(link->variable, sizeof link->variable, "LACKS=%d", ENOMEM);
    start_server(link, SERVING_ALONE);
    for (int k = 0; k < 4; k++) {
        assert_false(ask(link, k % 2 ? &program : &test));
        assert_int_equal(link->bench.error.stage, SPAWN_STAGE_CLONE);
        assert_int_equal(link->bench.error.error, ENOMEM);
        assert_int_equal(spawn_pid(link->bench.spawn), 0);
        spawn_give_up(link->bench.spawn);
    }
    /* Who looks for leaks at its end would need a process for that. */
    assert_int_equal(pidfd_signal(link->server.pidfd, SIGKILL), 0);
    assert_true(dies_of(&link->server, SIGKILL));
    fd_close(&link->socket);
}

/* ---- a server that is killed before it has said what it did ---- */

/* Is the process waiting in this system call? */
static bool waits_in(pid_t pid, long call)
{
    char path[64];
    struct buf line = {0};
    bool is;

    snprintf(path, sizeof path, "/proc/%d/syscall", pid);
    is = file_read(path, &line, 1 << 12) == 0 && strtol(buf_text(&line), NULL, 10) == call;
    buf_release(&line);
    return is;
}

static void test_killed_between_clone_and_answer(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;
    struct spawn_spec test = test_of(link, "other");
    struct server_told told;
    int unheard = 0;

    if (access("/proc/self/syscall", R_OK) < 0)
        skip();
    link->narrow = true;
    start_server(link, SERVING_ALONE);
    while (!waits_in(link->server.pid, SYS_sendmsg)) { /* with an answer that nobody has room for */
        while (!waits_in(link->server.pid, SYS_recvmsg))
            sched_yield();
        if (unheard++ > 0)
            assert_true(exits_with(&bench->process, 5));
        spawn_expect(bench->spawn);
        assert_true(server_ask(link->socket, 1, &test, &bench->error));
        while (!spawn_pid(bench->spawn))
            sched_yield();
        bench->process = (struct process){spawn_pid(bench->spawn), pidfd_of(spawn_pid(bench->spawn))};
        while (!waits_in(link->server.pid, SYS_sendmsg) && !waits_in(link->server.pid, SYS_recvmsg))
            sched_yield();
    }
    assert_int_equal(pidfd_signal(link->server.pidfd, SIGKILL), 0);
    assert_true(dies_of(&link->server, SIGKILL));
    while (--unheard > 0)
        assert_int_equal(hear(link, &told), SERVER_STARTED);
    assert_int_equal(hear(link, &told), SERVER_GONE);
    assert_true(exits_with(&bench->process, 5));
    fd_close(&link->socket);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(test_a_child_of_a_server_dies_at_each_step),
        LINK_TEST(test_a_child_of_ours_dies_at_each_step),
        LINK_TEST(test_a_fresh_process_dies_on_its_way),
        LINK_TEST(test_a_child_is_killed_or_sent_a_signal_where_it_is_stuck),
        LINK_TEST(test_a_child_that_is_not_brought_to_its_namespaces),
        LINK_TEST(test_a_server_is_refused_processes_for_a_while),
        LINK_TEST(test_a_server_has_no_memory_for_processes),
        LINK_TEST(test_killed_between_clone_and_answer),
    };
    const struct service service = {.argc = argc, .argv = argv, .run = run_one};
    int status;

    if (argc > 1)
        spoil();
    if (serve(&service, &status))
        return status;
    if (!realpath("/proc/self/exe", self))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
