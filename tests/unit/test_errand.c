/* Who runs an errand is waited for until its end, also when another thread of ours stops it meanwhile, as a dump does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include "backends/internal.h"
#include "backends/raw.h"
#include "runner/base/clock.h"

#define CHANCES  20000 /* to come back too early */
#define PATIENCE (20 * NS_PER_S)

struct errand_scene {
    atomic_int pid;
    atomic_bool go, done, back, stopped;
};

/* In a process that shares our memory. */
static void run_errand(void *user)
{
    struct errand_scene *scene = user;

    atomic_store(&scene->pid, (int)RAW(getpid));
    while (!atomic_load(&scene->go))
        RAW(sched_yield);
    atomic_store(&scene->done, true);
}

static bool stands(pid_t pid)
{
    struct user_regs_struct registers;
    struct iovec room = {&registers, sizeof registers};

    return ptrace(PTRACE_GETREGSET, pid, (void *)(uintptr_t)NT_PRSTATUS, &room) == 0;
}

static void *stop_it(void *user)
{
    struct errand_scene *scene = user;
    nanos until = clock_now() + PATIENCE;
    pid_t pid;

    while (!(pid = atomic_load(&scene->pid)) && clock_now() < until)
        sched_yield();
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 && ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0) {
        while (!stands(pid) && clock_now() < until)
            sched_yield();
        atomic_store(&scene->stopped, true);
        for (int i = 0; i < CHANCES && !atomic_load(&scene->back); i++)
            sched_yield();
        ptrace(PTRACE_DETACH, pid, NULL, NULL);
    }
    atomic_store(&scene->go, true);
    return NULL;
}

static void test_stopped(void **state)
{
    struct errand_scene scene = {0};
    pthread_t thread;
    bool done;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, stop_it, &scene), 0);
    assert_int_equal(errand(run_errand, &scene), 0);
    done = atomic_load(&scene.done);
    atomic_store(&scene.back, true);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&scene.stopped));
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
