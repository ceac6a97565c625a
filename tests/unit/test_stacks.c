#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "tests/unit/somebody.h"
#include "tests/unit/stacks_stage.h"

#define FORKS 5

static int setup(void **state)
{
    *state = test_calloc(1, sizeof(struct arena));
    return 0;
}

static int teardown(void **state)
{
    arena_release(*state);
    test_free(*state);
    return 0;
}

/* ---- children that stand somewhere ---- */

enum { LINE_OF_WAIT = __LINE__ + 4 };
static __attribute__((noinline)) void waits_for_nobody(void)
{
    for (;;) {
        poll(NULL, 0, -1);
    }
}

static __attribute__((noinline)) void *second_body(void *user)
{
    waits_for_nobody();
    return user;
}

static __attribute__((noinline)) void *third_body(void *user)
{
    volatile unsigned long *count = user;

    for (;;)
        ++*count;
    return NULL;
}

static _Noreturn void hang_with_threads(volatile unsigned long *count)
{
    pthread_t thread;

    limit_life(60);
    if (pthread_create(&thread, NULL, second_body, NULL) != 0 ||
        pthread_create(&thread, NULL, third_body, (void *)(uintptr_t)count) != 0)
        _exit(1);
    waits_for_nobody();
    _exit(0);
}

static pid_t start_hanging(void)
{
    pid_t pid = must_fork();

    if (pid == 0) {
        limit_life(60);
        waits_for_nobody();
        _exit(0);
    }
    await_sleep(pid);
    return pid;
}

static volatile unsigned long *shared_count(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(page, MAP_FAILED);
    return page;
}

/* Looked at until it stands where it shall. */
static struct stacks take_until(struct arena *arena, pid_t pid, const char *const *functions, size_t count)
{
    nanos until = clock_now() + PATIENCE;

    for (;;) {
        struct stacks stacks = take_of(arena, &pid, 1);
        size_t found = 0;

        for (size_t i = 0; i < count && stacks.process_count; i++)
            found += frame_in(&stacks.processes[0], functions[i]) != NULL;
        if (found == count)
            return stacks;
        if (clock_now() > until) {
            print_stacks(&stacks);
            fail_msg("%zu of %zu functions are there", found, count);
        }
    }
}

static void test_threads(void **state)
{
    static const char *const functions[] = {"hang_with_threads", "second_body", "third_body",
                                            "waits_for_nobody"};
    volatile unsigned long *count = shared_count();
    const struct stack_process *process;
    const struct stack_frame *frame;
    struct stacks stacks;
    pid_t pid = must_fork();

    if (pid == 0)
        hang_with_threads(count);
    await_sleep(pid);
    stacks = take_until(*state, pid, functions, ARRAY_LEN(functions));
    assert_null(stacks.why_not);
    process = &stacks.processes[0];
    assert_int_equal(process->id.pid, pid);
    assert_int_equal(process->thread_count, 3);
    assert_int_equal(process->threads[0].tid, pid);
    frame = frame_of(&process->threads[0], "waits_for_nobody");
    assert_non_null(frame);
    assert_int_equal(frame->line, LINE_OF_WAIT);
    assert_non_null(strstr(frame->file, "test_stacks.c"));
    assert_non_null(strstr(frame->module, "test_stacks"));
    assert_true(frame->offset && frame->offset < frame->pc);
    assert_null(process->threads[0].cut);
    assert_true(stacks.stood_still > 0);
    end_child(pid);
    munmap((void *)(uintptr_t)count, 4096);
}

static void test_forks(void **state)
{
    struct stacks stacks;
    pid_t pids[FORKS];

    for (int i = 0; i < FORKS; i++)
        pids[i] = start_hanging();
    stacks = take_of(*state, pids, FORKS);
    assert_int_equal(stacks.process_count, FORKS);
    for (int i = 0; i < FORKS; i++) {
        assert_int_equal(stacks.processes[i].id.pid, pids[i]);
        assert_non_null(frame_in(&stacks.processes[i], "waits_for_nobody"));
        end_child(pids[i]);
    }
}

/* It goes on as if nothing had been: its count grows, dump after dump. */
static void test_goes_on(void **state)
{
    static const char *const functions[] = {"third_body"};
    volatile unsigned long *count = shared_count(), before;
    nanos until = clock_now() + PATIENCE;
    pid_t pid = must_fork();

    if (pid == 0)
        hang_with_threads(count);
    for (int i = 0; i < 5; i++) {
        take_until(*state, pid, functions, 1);
        before = *count;
        while (*count == before && clock_now() < until)
            sched_yield();
        assert_true(*count > before);
    }
    end_child(pid);
    munmap((void *)(uintptr_t)count, 4096);
}

/* ---- who cannot be, or need not be ---- */

static void test_stopped(void **state)
{
    pid_t pid = start_hanging();
    struct stacks stacks;

    kill(pid, SIGSTOP);
    await_state(pid, 'T');
    stacks = take_of(*state, &pid, 1);
    assert_non_null(frame_in(&stacks.processes[0], "waits_for_nobody"));
    await_state(pid, 'T');
    kill(pid, SIGCONT);
    await_state(pid, 'S');
    end_child(pid);
}

static void assert_why(struct arena *arena, struct proc_id id, const char *words)
{
    struct stacks_wants wants = wants_of(arena);
    struct stacks stacks;

    stacks_take(&stacks, arena, &id, 1, &wants);
    assert_int_equal(stacks.process_count, 1);
    if (!stacks.processes[0].why_not || !strstr(stacks.processes[0].why_not, words))
        fail_msg("it says '%s', not '%s'", stacks.processes[0].why_not, words);
}

static void test_not_there(void **state)
{
    pid_t pid = start_hanging();
    struct proc_id id = proc_identify(pid), another = {pid, id.start_ticks + 1};

    assert_why(*state, another, "it is gone");
    assert_true(proc_is(id));
    kill(pid, SIGKILL);
    await_state(pid, 'Z');
    assert_why(*state, id, "it has ended");
    end_child(pid);
    assert_why(*state, id, "it is gone");
    assert_why(*state, proc_identify(getpid()), "it is who makes this dump");
    if (geteuid() == 0 && proc_identify(2).start_ticks)
        assert_why(*state, proc_identify(2), "thread of the kernel");
}

static void test_traced(void **state)
{
    pid_t pid = start_hanging(), tracer;
    char name[64];
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    tracer = must_fork();
    if (tracer == 0) {
        limit_life(60);
        prctl(PR_SET_NAME, "somebody");
        if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        waits_for_nobody();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    snprintf(name, sizeof name, "it is traced by somebody (%d)", tracer);
    assert_why(*state, proc_identify(pid), name);
    end_child(tracer);
    end_child(pid);
}

/* In a process of its own, as it becomes somebody who may not do all. */
static void as_nobody(struct arena *arena, pid_t hidden, pid_t of_root)
{
    struct stacks_wants wants = wants_of(arena);
    struct proc_id list[] = {proc_identify(hidden), proc_identify(of_root)};
    struct stacks stacks;

    stacks_take(&stacks, arena, list, 2, &wants);
    if (stacks.process_count != 2 || !stacks.processes[0].why_not || !stacks.processes[1].why_not)
        _exit(1);
    if (!strstr(stacks.processes[0].why_not, "PR_SET_DUMPABLE"))
        _exit(2);
    _exit(strstr(stacks.processes[1].why_not, "it is of another user (0)") ? 0 : 3);
}

static void test_refused(void **state)
{
    pid_t root, nobody;
    int status, ready[2];
    char byte;

    if (!can_be(NOBODY))
        skip();
    root = start_hanging();
    assert_int_equal(pipe(ready), 0);
    nobody = must_fork();
    if (nobody == 0) {
        pid_t hidden;

        limit_life(60);
        if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
            _exit(9);
        hidden = must_fork();
        if (hidden == 0) {
            limit_life(60);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            prctl(PR_SET_DUMPABLE, 0);
            if (write(ready[1], "", 1) == 1)
                waits_for_nobody();
            _exit(1);
        }
        if (read(ready[0], &byte, 1) == 1)
            as_nobody(*state, hidden, root);
        _exit(8);
    }
    assert_int_equal(waitpid(nobody, &status, 0), nobody);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(ready[0]);
    close(ready[1]);
    end_child(root);
}

static int pause_until_killed(void *user)
{
    (void)user;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (pause() < 0)
        ;
    return 0;
}

/* Who waits in the kernel, deaf to everything but being killed, shows where by his call. */
static __attribute__((noinline)) void waits_for_who_shares_its_memory(void)
{
    static _Alignas(16) char stack[65536];
    volatile int made =
        clone(pause_until_killed, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

    (void)made;
}

static void test_deaf(void **state)
{
    struct proc_ids below = {0};
    struct stacks stacks;
    pid_t pid = must_fork();

    if (pid == 0) {
        limit_life(60);
        waits_for_who_shares_its_memory();
        _exit(0);
    }
    await_state(pid, 'D');
    stacks = take_of(*state, &pid, 1);
    if (!frame_in(&stacks.processes[0], "waits_for_who_shares_its_memory")) {
        print_stacks(&stacks);
        fail();
    }
    await_state(pid, 'D');
    assert_int_equal(proc_children(pid, &below), 0);
    assert_int_equal(below.count, 1);
    kill(below.list[0].pid,
         SIGKILL); /* as a child that its parent cannot reap just now it keeps its number */
    proc_ids_release(&below);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Whoever asks too late is told that, and not that it is anybody's fault. */
static void test_too_late(void **state)
{
    struct stacks_wants wants = wants_of(*state);
    pid_t pid = start_hanging();
    struct proc_id id = proc_identify(pid);
    struct stacks stacks;

    wants.copy_by = clock_now();
    stacks_take(&stacks, *state, &id, 1, &wants);
    assert_non_null(stacks.why_not);
    assert_string_equal(stacks.why_not, "there was no time to stop them");
    end_child(pid);
}

/* ---- the program ---- */

static void write_program(char *path, const char *script)
{
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, script, strlen(script)), 0);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
}

/* With another one that does not do what it should. */
static struct stacks take_with(struct arena *arena, pid_t pid, const char *script, nanos within)
{
    struct stacks_wants wants = wants_of(arena);
    struct proc_id id = proc_identify(pid);
    char path[] = "/tmp/stacks-XXXXXX";
    struct stacks stacks;

    write_program(path, script);
    wants.program = *script ? path : NULL;
    wants.unwind_by = clock_now() + within;
    stacks_take(&stacks, arena, &id, 1, &wants);
    unlink(path);
    return stacks;
}

static void test_programs_that_fail(void **state)
{
    static const struct {
        const char *script, *words;
        nanos within;
    } rows[] = {
        {"", "it is not there", PATIENCE},
        {"#!/bin/sh\nkill -SEGV $$\n", "it died of SIGSEGV", PATIENCE},
        {"#!/bin/sh\nexit 7\n", "it ended with status 7", PATIENCE},
        {"#!/bin/sh\n", "its answer is none", PATIENCE},
        {"#!/bin/sh\nexec cat\n", "its answer is none", PATIENCE},
        {"#!/bin/sh\nexec cat /dev/zero\n", "it says more than", PATIENCE},
        {"#!/bin/sh\nexec sleep 60\n", "it was not done in time", 50 * NS_PER_MS},
        {"#!/bin/sh\nexec sleep 60 >&-\n", "it does not end", PATIENCE},
        {"#!/nowhere/at/all\n", "it cannot be started", PATIENCE},
    };
    pid_t pid = start_hanging();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stacks stacks = take_with(*state, pid, rows[i].script, rows[i].within);

        if (!stacks.why_not || !strstr(stacks.why_not, rows[i].words))
            fail_msg("it says '%s', not '%s'", stacks.why_not, rows[i].words);
        assert_int_equal(stacks.process_count, 1);
        assert_int_equal(stacks.processes[0].thread_count, 1);
        assert_non_null(stacks.processes[0].threads[0].why_not);
    }
    end_child(pid);
}

/* With its function and its line. */
static bool is_whole(const struct stack_process *process)
{
    const struct stack_frame *frame = frame_in(process, "waits_for_nobody");

    return frame && frame->line == LINE_OF_WAIT;
}

static void assert_hostile(const struct stack_process *process, bool plain)
{
    const struct stack_frame *frame = frame_in(process, "waits_for_nobody");

    assert_int_equal(frame != NULL, plain);
    if (plain)
        assert_null(frame->file);
    else
        assert_non_null(strstr(process->threads[0].why_not, "it died of SIGSEGV"));
}

/*
 * The program as it is, but for what happens before it looks at the first process. What it ends of is what one does that is
 * hostile: whoever stands behind it has his stacks, functions and lines; and it has its own, if it is not hostile in symbols too.
 */
static void assert_goes_round(struct arena *arena, const char *when, const char *how, bool plain,
                              nanos within)
{
    const char *script = arena_printf(arena,
                                      "#!/bin/sh\ncase $2,$3 in %s) printf 'RMANS\\n\\1\\0'; %s;; esac\n"
                                      "exec %s \"$@\"\n",
                                      when, how, unwinder_path(arena));
    struct stacks_wants wants = wants_of(arena);
    char path[] = "/tmp/stacks-XXXXXX";
    pid_t pids[] = {start_hanging(), start_hanging()};
    struct proc_id list[] = {proc_identify(pids[0]), proc_identify(pids[1])};
    struct stacks stacks;
    int hostile;

    wants.program = path;
    write_program(path, script);
    wants.unwind_by = clock_now() + within;
    stacks_take(&stacks, arena, list, 2, &wants);
    unlink(path);
    assert_null(stacks.why_not);
    /* They stand in the copy in the order in which they came to a stand, so either may be the first. */
    hostile = is_whole(&stacks.processes[0]) ? 1 : 0;
    assert_true(is_whole(&stacks.processes[1 - hostile]));
    assert_hostile(&stacks.processes[hostile], plain);
    end_child(pids[0]);
    end_child(pids[1]);
}

static void test_who_is_behind(void **state)
{
    assert_goes_round(*state, "0,0", "kill -SEGV $$", true, PATIENCE);
    assert_goes_round(*state, "0,0|0,1", "kill -SEGV $$", false, PATIENCE);
    assert_goes_round(*state, "0,0", "exec sleep 60", true, PATIENCE / 2);
}

/* Whoever waits for any child of the process on another thread does not see it. */
static void test_its_child_is_nobody_s(void **state)
{
    pid_t pid = start_hanging();
    struct stacks stacks;
    siginfo_t info;

    stacks = take_of(*state, &pid, 1);
    assert_non_null(frame_in(&stacks.processes[0], "waits_for_nobody"));
    end_child(pid);
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL), -1);
    assert_int_equal(errno, ECHILD);
}

/* ---- the freezer ---- */

struct freezer {
    int on, off;
};

static bool freeze(void *user, bool on)
{
    struct freezer *freezer = user;

    ++*(on ? &freezer->on : &freezer->off);
    return true;
}

static void test_freezer(void **state)
{
    struct stacks_wants wants = wants_of(*state);
    struct freezer freezer = {0};
    pid_t pid = start_hanging();
    struct proc_id id = proc_identify(pid);
    struct stacks stacks;

    wants.freeze = freeze;
    wants.user = &freezer;
    stacks_take(&stacks, *state, &id, 1, &wants);
    assert_non_null(frame_in(&stacks.processes[0], "waits_for_nobody"));
    assert_int_equal(freezer.on, 1);
    assert_int_equal(freezer.off, 1);
    end_child(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_traced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deaf, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_late, setup, teardown),
        cmocka_unit_test_setup_teardown(test_programs_that_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_is_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_its_child_is_nobody_s, setup, teardown),
        cmocka_unit_test_setup_teardown(test_freezer, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
