/* A look at a tree: who is in it, in which order, and what is told of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/look_stage.h"
#include "tests/unit/somebody.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void must(bool done)
{
    if (!done)
        _exit(2);
}

static void in_hang(void *user)
{
    (void)user;
    hang();
}

/* ---- who ---- */

struct family {
    pid_t elder, younger, grandchild;
};

/* Its pids come through a pipe; the elder has a child of its own, which is younger than both. */
static void make_family(void *user)
{
    int *report = user, ready[2];
    struct family family = {0};
    char c;

    must(pipe(ready) == 0);
    family.elder = fork();
    if (family.elder == 0) {
        limit_life(LIFE);
        must(read(ready[0], &c, 1) == 1);
        family.grandchild = fork();
        if (family.grandchild == 0) {
            limit_life(LIFE);
            in_hang(NULL);
        }
        must(write(report[1], &family.grandchild, sizeof(pid_t)) == sizeof(pid_t));
        in_hang(NULL);
    }
    family.younger = fork();
    if (family.younger == 0) {
        limit_life(LIFE);
        in_hang(NULL);
    }
    must(write(report[1], &family, sizeof family) == sizeof family);
    must(write(ready[1], "x", 1) == 1);
    in_hang(NULL);
}

static pid_t start_family(struct look_stage *stage, struct family *family)
{
    int report[2];
    pid_t pid;

    assert_int_equal(pipe(report), 0);
    pid = start_kid(stage, make_family, report);
    assert_int_equal(read(report[0], family, sizeof *family), sizeof *family);
    assert_int_equal(read(report[0], &family->grandchild, sizeof(pid_t)), sizeof(pid_t));
    close(report[0]);
    close(report[1]);
    return pid;
}

static void end_family(const struct family *family)
{
    kill(family->elder, SIGKILL);
    kill(family->younger, SIGKILL);
    kill(family->grandchild, SIGKILL);
}

static void test_order(void **state)
{
    struct look_stage *stage = *state;
    struct family family;
    pid_t root = start_family(stage, &family);
    const struct dump *dump;

    /* In another order, and one of them twice; and one that is gone, or was never there. */
    stage->members[1].id = stage->members[0].id;
    stage->members[0].id = proc_identify(family.grandchild);
    stage->members[2].id = proc_identify(family.younger);
    stage->members[2].role = "younger";
    stage->members[3].id = proc_identify(family.elder);
    stage->members[4].id = (struct proc_id){root, 1};
    stage->members[5].id = stage->members[1].id;
    stage->count = 6;
    dump = look_now(stage);
    assert_int_equal(dump->process_count, 4);
    assert_int_equal(dump->processes[0].id.pid, root);
    assert_int_equal(dump->processes[0].parent, DUMP_NOBODY);
    assert_int_equal(dump->processes[1].id.pid, family.elder);
    assert_int_equal(dump->processes[1].parent, 0);
    assert_int_equal(dump->processes[2].id.pid, family.grandchild);
    assert_int_equal(dump->processes[2].parent, 1);
    assert_int_equal(dump->processes[2].depth, 2);
    assert_int_equal(dump->processes[3].id.pid, family.younger);
    assert_int_equal(dump->processes[3].parent, 0);
    assert_string_equal(dump->processes[3].role, "younger");
    assert_null(dump->processes[0].role);
    end_family(&family);
    stage->members[0].id.pid = root;
    stage->count = 1;
}

static void test_nobody(void **state)
{
    struct look_stage *stage = *state;
    const struct dump *dump;

    stage->members[stage->count++].id = (struct proc_id){getpid(), 1};
    dump = look_now(stage);
    stage->count = 0;
    assert_int_equal(dump->process_count, 0);
    look_at_shares(&stage->taking, 0);
}

static bool is_member(const struct dump_member *members, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].id.pid == pid)
            return true;
    return false;
}

static void test_members(void **state)
{
    struct look_stage *stage = *state;
    struct family family;
    pid_t root = start_family(stage, &family), other = start_kid(stage, in_hang, NULL);
    struct dump_member *members;
    size_t count = dump_members_below(&stage->arena, stage->members[0].id, &members);

    assert_int_equal(count, 4);
    assert_true(is_member(members, count, root) && is_member(members, count, family.elder) &&
                is_member(members, count, family.younger) && is_member(members, count, family.grandchild));
    assert_false(is_member(members, count, other));
    count = dump_members_below(&stage->arena, (struct proc_id){root, 1}, &members);
    assert_int_equal(count, 0);
    end_family(&family);
}

/* One in a session of its own whose maker has ended, and one of its session whose leader has ended too. */
static void lose_children(void *user)
{
    int *report = user;
    pid_t lost;

    must(setsid() > 0);
    if (fork() == 0) {
        lost = fork();
        if (lost == 0) {
            limit_life(LIFE);
            in_hang(NULL);
        }
        must(write(report[1], &lost, sizeof lost) == sizeof lost);
        _exit(0);
    }
    must(wait(NULL) > 0);
    must(write(report[1], &(pid_t){0}, sizeof(pid_t)) == sizeof(pid_t));
    in_hang(NULL);
}

static void test_lost_members(void **state)
{
    struct look_stage *stage = *state;
    struct dump_member *members;
    int report[2];
    pid_t lost, end;
    size_t count;

    assert_int_equal(pipe(report), 0);
    start_kid(stage, lose_children, report);
    assert_int_equal(read(report[0], &lost, sizeof lost), sizeof lost);
    assert_int_equal(read(report[0], &end, sizeof end), sizeof end);
    stage->members[0].id = proc_identify(stage->members[0].id.pid);
    count = dump_members_below(&stage->arena, stage->members[0].id, &members);
    assert_int_equal(count, 2);
    assert_true(is_member(members, count, lost));
    kill(lost, SIGKILL);
    close(report[0]);
    close(report[1]);
}

/* ---- what is told ---- */

static void with_a_strange_name(void *user)
{
    sigset_t set;

    (void)user;
    must(prctl(PR_SET_NAME, "a) R 1\n(b") == 0 && chdir("/") == 0);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR2, _exit);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGTERM);
    in_hang(NULL);
}

static uint64_t bit(int signal)
{
    return UINT64_C(1) << (signal - 1);
}

static void test_facts(void **state)
{
    struct look_stage *stage = *state;
    pid_t pid = start_kid(stage, with_a_strange_name, NULL);
    const struct dump_process *process;
    const struct dump_thread *thread;

    until_in(pid, HANGS);
    process = process_of(look_now(stage), pid);
    assert_string_equal(process->name, "a) R 1\n(b");
    assert_int_equal(process->state, 'S');
    assert_int_equal(process->ppid, getpid());
    assert_int_equal(process->pgrp, getpgrp());
    assert_int_equal(process->session, getsid(0));
    assert_int_equal(process->uid, getuid());
    assert_int_equal(process->tracer, 0);
    assert_string_equal(process->cwd, "/");
    assert_true(str_ends(str_of(process->program), "/test_look"));
    assert_true(strstr(process->command, "test_look"));
    assert_true(process->ignored & bit(SIGHUP));
    assert_true(process->caught & bit(SIGUSR2));
    assert_false(process->caught & bit(SIGHUP));
    assert_true(process->pending & bit(SIGTERM));
    assert_non_null(process->cgroup);
    assert_true(process->resident > 0 && process->age >= 0);
    assert_null(process->unread);
    assert_int_equal(process->thread_count, 1);
    assert_int_equal(process->threads_more, 0);
    thread = &process->threads[0];
    assert_int_equal(thread->tid, pid);
    assert_int_equal(thread->blocked, bit(SIGUSR1) | bit(SIGTERM));
    assert_int_equal(thread->call.wait, DUMP_WAITS_POLL);
    assert_string_equal(thread->call.words, "ppoll([], 0, NULL, NULL)");
}

static void with_a_zombie(void *user)
{
    if (fork() == 0)
        _exit(3);
    in_hang(user);
}

static void test_zombie(void **state)
{
    struct look_stage *stage = *state;
    pid_t pid = start_kid(stage, with_a_zombie, NULL);
    struct proc_ids children = {0};
    const struct dump_process *zombie;

    until_in(pid, HANGS);
    assert_int_equal(proc_children(pid, &children), 0);
    assert_int_equal(children.count, 1);
    until_state(children.list[0].pid, 'Z');
    stage->members[1].id = children.list[0];
    stage->count = 2;
    zombie = &look_now(stage)->processes[1];
    stage->count = 1;
    assert_int_equal(zombie->id.pid, children.list[0].pid);
    assert_int_equal(zombie->state, 'Z');
    assert_int_equal(zombie->parent, 0);
    assert_null(zombie->command);
    assert_null(zombie->unread);
    assert_int_equal(zombie->fd_count, 0);
    proc_ids_release(&children);
}

static void traced(void *user)
{
    (void)user;
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGUSR1);
    in_hang(NULL);
}

static void test_traced(void **state)
{
    struct look_stage *stage = *state;
    pid_t pid = start_kid(stage, traced, NULL);

    until_state(pid, 't');
    assert_int_equal(process_of(look_now(stage), pid)->tracer, getpid());
    assert_int_equal(stage->dump.processes[0].state, 't');
}

static void *sleep_body(void *user)
{
    in_hang(user);
    return NULL;
}

#define THREADS 40

static void *thread_body(void *user)
{
    pthread_setname_np(pthread_self(), "worker");
    pthread_barrier_wait(user);
    in_hang(NULL);
    return NULL;
}

static void with_threads(void *user)
{
    pthread_barrier_t barrier;
    pthread_t thread;

    must(pthread_barrier_init(&barrier, NULL, THREADS + 1) == 0);
    for (int i = 0; i < THREADS; i++)
        must(pthread_create(&thread, NULL, thread_body, &barrier) == 0);
    pthread_barrier_wait(&barrier);
    if (user)
        pthread_exit(NULL);
    in_hang(NULL);
}

static void test_threads(void **state)
{
    struct look_stage *stage = *state;
    pid_t pid = start_kid(stage, with_threads, NULL);
    const struct dump_process *process;

    until_in(pid, HANGS);
    process = process_of(look_now(stage), pid);
    assert_int_equal(process->thread_count, THREADS + 1);
    assert_int_equal(process->threads[0].tid, pid);
    for (int i = 1; i <= THREADS; i++)
        assert_string_equal(process->threads[i].name, "worker");
}

/* Its first thread has ended: what it has is told all the same. */
static void test_first_thread_ended(void **state)
{
    struct look_stage *stage = *state;
    pid_t pid = start_kid(stage, with_threads, stage);
    const struct dump_process *process;

    until_state(pid, 'Z');
    process = process_of(look_now(stage), pid);
    assert_int_equal(process->thread_count, THREADS + 1);
    assert_int_equal(process->threads[0].state, 'Z');
    assert_int_equal(process->state, 'S');
    assert_string_equal(process->threads[1].name, "worker");
    assert_non_null(process->program);
    assert_true(process->fd_count > 0);
}

/* Nothing at all can be done in no time, and who they are is told still. */
static void test_no_time(void **state)
{
    struct look_stage *stage = *state;
    pid_t pid = start_kid(stage, in_hang, NULL);
    const struct dump_process *process;

    until_in(pid, HANGS);
    process = process_of(look_within(stage, 0), pid);
    assert_string_equal(process->unread,
                        "what it is, its threads, its descriptors, its limits: there was no time");
    assert_string_equal(process->name, "test_look");
    assert_int_equal(process->ppid, getpid());
    look_at_shares(&stage->taking, NS_PER_S);
}

/* Children that come and go as fast as they can, each with a thread and a pipe. */
static void with_many_births(void *user)
{
    (void)user;
    for (;;) {
        pid_t pid = fork();

        if (pid == 0) {
            pthread_t thread;
            int ends[2];

            must(pipe(ends) == 0 && pthread_create(&thread, NULL, sleep_body, NULL) == 0);
            _exit(0);
        }
        must(pid > 0 && waitpid(pid, NULL, 0) == pid);
    }
}

#define LOOKS 100

/* Whoever ends between any two things that are read of him is told of as far as he was seen. */
static void test_births_and_deaths(void **state)
{
    struct look_stage *stage = *state;

    for (int i = 0; i < 4; i++)
        start_kid(stage, with_many_births, NULL);
    for (int i = 0; i < LOOKS; i++) {
        struct look_stage seen = {.count = 0};
        struct dump_member *members;

        seen.wants.member_count = dump_members_below(&seen.arena, proc_identify(getpid()), &members);
        seen.wants.members = members;
        seen.taking = (struct taking){
            .dump = &seen.dump, .arena = &seen.arena, .wants = &seen.wants, .began = clock_now()};
        seen.taking.until = seen.taking.began + LOOK_BUDGET;
        look_at_all(&seen.taking);
        look_at_shares(&seen.taking, 0);
        assert_true(seen.dump.process_count >= stage->count);
        for (uint32_t k = 0; k < seen.dump.process_count; k++)
            assert_non_null(seen.dump.processes[k].name);
        arena_release(&seen.arena);
    }
}

/* Who may not look at somebody says so, and has what everybody may see. */
static void test_refused(void **state)
{
    struct look_stage *stage = *state;
    pid_t pid, looker;
    int status;

    if (!can_be(NOBODY))
        skip();
    pid = start_kid(stage, in_hang, NULL);
    until_in(pid, HANGS);
    looker = must_fork();
    if (looker == 0) {
        const struct dump_process *process;

        must(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
        process = &look_now(stage)->processes[0];
        must(stage->dump.process_count == 1 && process->thread_count == 1 && process->fd_count == 0 &&
             process->command && !process->program && process->threads[0].call.number == -1 &&
             strcmp(process->unread, "its program, its system calls, its descriptors: Permission denied") ==
                 0);
        _exit(0);
    }
    assert_int_equal(waitpid(looker, &status, 0), looker);
    assert_int_equal(status, 0);
}

#define IT(name) cmocka_unit_test_setup_teardown(name, open_look_stage, close_look_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT(test_order),
        IT(test_nobody),
        IT(test_members),
        IT(test_lost_members),
        IT(test_facts),
        IT(test_zombie),
        IT(test_traced),
        IT(test_threads),
        IT(test_first_thread_ended),
        IT(test_births_and_deaths),
        IT(test_no_time),
        IT(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
