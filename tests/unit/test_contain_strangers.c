/* Whose a child of ours is that no place knows, where processes hold together by group. */
#include "backends/child.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/contain_internal.h"
#include "tests/unit/forks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include <cmocka.h>

#include "tests/unit/contain_stage.h"

#define RUN  "RUN_MATRIX_RUN_ID=run"
#define CASE "RUN_MATRIX_CASE_ID="
#define TRY  "RUN_MATRIX_ATTEMPT="

static int open_stage(void **state)
{
    struct stage *stage = *state = stage_open("group");

    assert_non_null(stage->contain);
    return 0;
}

/* In a session of its own; it has its environment when this returns. */
static pid_t start_program(const char *path, char *const argv[], const char *const environment[])
{
    int executed[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe2(executed, O_CLOEXEC), 0);
    pid = must_fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG,
              SIGKILL); /* kept over an exec: one that goes on for ever must not outlive a test that fails */
        setsid();
        execve(path, argv, (char *const *)(uintptr_t)environment);
        _exit(1);
    }
    close(executed[1]);
    assert_int_equal(read(executed[0], &byte, 1), 0);
    close(executed[0]);
    return pid;
}

static pid_t start(const char *const environment[])
{
    char *const argv[] = {(char[]){"sleep"}, (char[]){"60"}, NULL};

    return start_program("/bin/sleep", argv, environment);
}

/* A case that has run since before all that is here. */
static struct process begin(struct contain_place *place, const char *const environment[])
{
    struct spawn_spec spec = {.envp = (char *const *)(uintptr_t)environment};
    struct process leader;

    assert_int_equal(contain_prepare(place, &(struct contain_wants){0}, &spec), 0);
    leader.pid = start(environment);
    leader.pidfd = pidfd_of(leader.pid);
    assert_true(leader.pidfd >= 0);
    contain_started(place, leader);
    place->since = 0;
    return leader;
}

/* As the watch does it when there is nobody. */
static void end(struct contain_place *place, struct process *leader)
{
    end_child(leader->pid);
    contain_reaped(place, false);
    fd_close(&leader->pidfd);
}

/* ---- by environment ---- */

static bool is_its(const struct contain_place *place, pid_t pid)
{
    struct proc_stat stat;

    assert_int_equal(proc_stat_read(pid, &stat), 0);
    return stranger_is_its(place, &stat);
}

static void test_what_the_environment_tells(void **state)
{
    static const char *const its[] = {RUN, CASE "b", TRY "2", NULL};
    static const struct {
        const char *environment[5];
        bool its;
    } rows[] = {
        {{RUN, CASE "b", TRY "2"}, true},
        {{RUN, CASE "a", TRY "2"}, false}, /* as of a case that was given up */
        {{RUN, CASE "b", TRY "1"}, false}, /* and of an attempt */
        {{RUN, CASE "bb", TRY "2"}, false},
        {{"A=b", CASE "a", RUN}, false},
        {{NULL}, true}, /* nobody else was there who could have made it */
        {{RUN}, true},
        {{CASE "a", TRY "1"}, true},
        {{"RUN_MATRIX_RUN_ID=other", CASE "a", TRY "1"}, true}, /* a run within the case */
        {{CASE "a", RUN, CASE "b", TRY "2"}, true},
    };
    struct stage *stage = *state;
    struct process leader = begin(stage->places[1], its);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        pid_t pid = start(rows[i].environment);

        if (is_its(stage->places[1], pid) != rows[i].its)
            fail_msg("row %zu", i);
        assert_true(contain_is_empty(stage->places[1]) != rows[i].its);
        end_child(pid);
    }
    end(stage->places[1], &leader);
}

/* Beside another case, which may have made it. */
static void test_what_is_not_known_yet(void **state)
{
    static const char *const first[] = {RUN, CASE "a", TRY "1", NULL}, *const second[] = {RUN, CASE "b",
                                                                                          TRY "1", NULL};
    static const char mark[] = RUN "\0" CASE "a\0" TRY "1";
    struct stage *stage = *state;
    struct process leaders[] = {begin(stage->places[0], first), begin(stage->places[1], second)};
    const struct {
        struct str environment;
        bool pending;
        pid_t session;
        uint64_t start_ticks;
        enum ownership first, second;
    } rows[] = {
        {{mark, sizeof mark}, false, 1, 9, ITS, NOT_ITS},
        {{"", 0}, false, 1, 9, MAY_BE_ITS, MAY_BE_ITS},
        {{"A=b", 4}, false, 1, 9, MAY_BE_ITS, MAY_BE_ITS},
        {{"", 0}, true, 1, 9, NOT_KNOWN_YET, NOT_KNOWN_YET},
        {{"", 0}, true, leaders[0].pid, 9, ITS, NOT_ITS},
        {{"", 0}, true, 1, 2, NOT_ITS, ITS}, /* the second alone was there when it began */
    };

    stage->places[0]->since = 5;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct proc_stat stat = {.session = rows[i].session, .start_ticks = rows[i].start_ticks};
        struct stranger stranger = {.stat = &stat, .pending = rows[i].pending};

        buf_addstr(&stranger.environment, rows[i].environment);
        if (stranger_judge(stage->places[0], &stranger) != rows[i].first ||
            stranger_judge(stage->places[1], &stranger) != rows[i].second)
            fail_msg("row %zu", i);
        buf_release(&stranger.environment);
    }
    end(stage->places[0], &leaders[0]);
    end(stage->places[1], &leaders[1]);
}

#define EXEC_LOOKS 5000

/* Beside another case too it is awaited, in whatever moment it is looked at; of the other one it is none once it is known. */
static void test_who_executes_for_ever_is_awaited(void **state)
{
    static const char *const first[] = {RUN, CASE "a", TRY "1", NULL}, *const second[] = {RUN, CASE "b",
                                                                                          TRY "1", NULL};
    static char again[] = "exec sh -c \"$0\" \"$0\"";
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, again, again, NULL};
    struct stage *stage = *state;
    struct process leaders[] = {begin(stage->places[0], first), begin(stage->places[1], second)};
    pid_t pid = start_program("/bin/sh", argv, first);

    for (int i = 0; i < EXEC_LOOKS; i++)
        assert_false(contain_is_empty(stage->places[0]));
    assert_int_equal(stage->contain->shared.count, 0);
    end_child(pid);
    assert_true(contain_is_empty(stage->places[1]));
    end(stage->places[0], &leaders[0]);
    end(stage->places[1], &leaders[1]);
}

/* Its place is free, or another's; it is our child still, and nobody's business. */
static void test_given_up(void **state)
{
    static const char *const first[] = {RUN, CASE "a", TRY "1", NULL}, *const second[] = {RUN, CASE "b",
                                                                                          TRY "1", NULL};
    struct stage *stage = *state;
    struct process abandoned = begin(stage->places[0], first), leader = begin(stage->places[1], second);

    contain_reaped(stage->places[0], true);
    assert_true(contain_is_empty(stage->places[1]));
    strangers_kill(stage->places[1]);
    assert_int_equal(waitpid(abandoned.pid, NULL, WNOHANG), 0);
    end_child(abandoned.pid);
    fd_close(&abandoned.pidfd);
    end(stage->places[1], &leader);
}

/* ---- who helps us ---- */

#define LOOKS 2000

struct helped {
    struct contain_place *place, *looking;
    atomic_bool over;
};

static void *look_at_ipc(void *user)
{
    struct helped *helped = user;

    for (int i = 0; i < LOOKS; i++) {
        struct buf tables = {0};

        contain_look_at_ipc(helped->looking, &tables);
        buf_release(&tables);
    }
    atomic_store(&helped->over, true);
    return NULL;
}

/* Whoever looks into a namespace for us is nobody's orphan, however short he lives. */
static void test_errand_is_nobody_s(void **state)
{
    static const char *const its[] = {RUN, CASE "b", TRY "1", NULL};
    struct stage *stage = *state;
    struct helped helped = {.place = stage->places[1], .looking = stage->places[0]};
    struct process leader = begin(stage->places[1], its);
    size_t taken = 0;
    pthread_t thread;

    stage->places[0]->ipc = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
    assert_true(stage->places[0]->ipc >= 0);
    assert_int_equal(pthread_create(&thread, NULL, look_at_ipc, &helped), 0);
    while (!atomic_load(&helped.over)) {
        struct census members = {0};

        strangers_members(helped.place, &members);
        taken += members.count;
        census_release(&members);
    }
    pthread_join(thread, NULL);
    assert_int_equal(taken, 0);
    end(stage->places[1], &leader);
}

/* ---- beside one who is expected ---- */

static pid_t one_that_has_ended(void)
{
    siginfo_t info;
    pid_t pid = must_fork();

    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    return pid;
}

/* He himself is left to who waits for him; all others are reaped, as if there was nobody to come. */
static void test_who_is_expected_is_not_reaped(void **state)
{
    struct stage *stage = *state;
    struct board *board = board_new(1);
    struct spawn *spawn = spawn_new();
    pid_t pid;

    assert_true(board && spawn);
    spawn_post(spawn, board, 0);
    spawn_expect(spawn);
    contain_expect(stage->places[1], spawn);
    one_that_has_ended();
    assert_int_equal(contain_tick(stage->contain), 1);
    pid = one_that_has_ended();
    atomic_store(&spawn->words->pid, pid);
    one_that_has_ended();
    assert_int_equal(contain_tick(stage->contain), 1);
    assert_int_equal(contain_tick(stage->contain), 0);
    contain_not_started(stage->places[1]);
    assert_int_equal(contain_tick(stage->contain), 1);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
    spawn_give_up(spawn);
    spawn_free(spawn);
    board_free(board);
}

struct tracer {
    pid_t pid;
    pthread_barrier_t stopped, done;
};

/* What it traces has not ended, nor does anybody hear so, though the kernel tells all threads of ours of its stops. */
static void *trace_somebody(void *user)
{
    struct tracer *tracer = user;
    siginfo_t info;
    bool traced = ptrace(PTRACE_SEIZE, tracer->pid, NULL, NULL) == 0 &&
                  ptrace(PTRACE_INTERRUPT, tracer->pid, NULL, NULL) == 0 &&
                  waitid(P_PID, (id_t)tracer->pid, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL) == 0;

    pthread_barrier_wait(&tracer->stopped);
    pthread_barrier_wait(&tracer->done);
    return traced ? tracer : NULL;
}

static void test_who_is_traced_is_not_reaped(void **state)
{
    struct stage *stage = *state;
    struct tracer tracer = {.pid = must_fork()};
    pthread_t thread;
    void *traced;

    if (tracer.pid == 0) {
        limit_life(60);
        pause();
        _exit(0);
    }
    pthread_barrier_init(&tracer.stopped, NULL, 2);
    pthread_barrier_init(&tracer.done, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, trace_somebody, &tracer), 0);
    pthread_barrier_wait(&tracer.stopped);
    assert_int_equal(contain_tick(stage->contain), 0);
    assert_int_equal(contain_tick(stage->contain), 0);
    pthread_barrier_wait(&tracer.done);
    assert_int_equal(pthread_join(thread, &traced), 0);
    assert_non_null(traced);
    kill(tracer.pid, SIGKILL);
    waitid(P_PID, (id_t)tracer.pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
    assert_int_equal(contain_tick(stage->contain), 1);
    pthread_barrier_destroy(&tracer.stopped);
    pthread_barrier_destroy(&tracer.done);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_the_environment_tells),
        TEST(test_what_is_not_known_yet),
        TEST(test_who_executes_for_ever_is_awaited),
        TEST(test_given_up),
        TEST(test_errand_is_nobody_s),
        TEST(test_who_is_expected_is_not_reaped),
        TEST(test_who_is_traced_is_not_reaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
