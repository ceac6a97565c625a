/*
 * Where a process may be forked from, and from where it must not: the reason why backend subint_fork is refused, and why
 * subint_forkserver forks first. Each is shown by a lock that another thread of the main namespace holds at the time:
 * fork() of the libc that the lock belongs to makes it usable in the child, another libc's knows nothing of it.
 */
#include "tests/unit/forks.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/lib-names.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ALIVE 42

/* ---- a process with a thread that holds the lock of a stream ---- */

struct holder {
    FILE *stream;
    pthread_t thread;
    atomic_bool holds, over;
};

static void *hold(void *user)
{
    struct holder *holder = user;

    flockfile(holder->stream);
    atomic_store(&holder->holds, true);
    while (!atomic_load(&holder->over))
        sched_yield();
    funlockfile(holder->stream);
    return NULL;
}

static void begin(struct holder *holder)
{
    holder->stream = fopen("/dev/null", "w");
    assert_non_null(holder->stream);
    assert_int_equal(pthread_create(&holder->thread, NULL, hold, holder), 0);
    while (!atomic_load(&holder->holds))
        sched_yield();
}

static void end(struct holder *holder)
{
    atomic_store(&holder->over, true);
    pthread_join(holder->thread, NULL);
    fclose(holder->stream);
}

static _Noreturn void use(FILE *stream)
{
    fputs("x", stream);
    fflush(stream);
    _exit(ALIVE);
}

/* ---- what became of a child ---- */

/* It waits for a lock, and nobody is there who could give it back: it has one thread. */
static bool waits_for_a_lock(pid_t pid)
{
    char path[64];
    struct buf text = {0};
    bool waits;

    snprintf(path, sizeof path, "/proc/%ld/syscall", (long)pid);
    file_read(path, &text, 4096);
    waits = atoi(buf_text(&text)) == SYS_futex && text.len && text.ptr[0] >= '0' && text.ptr[0] <= '9';
    buf_release(&text);
    return waits;
}

enum fate { FATE_ENDED_WELL, FATE_ENDED_BADLY, FATE_STUCK };

static enum fate fate_of(pid_t pid)
{
    int status;

    assert_true(pid > 0);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (waits_for_a_lock(pid)) {
            end_child(pid);
            return FATE_STUCK;
        }
        sched_yield();
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == ALIVE ? FATE_ENDED_WELL : FATE_ENDED_BADLY;
}

/* ---- handlers around fork ---- */

static atomic_int prepared;

static void prepare(void)
{
    atomic_fetch_add(&prepared, 1);
}

/* ---- the four ---- */

/* The libc of a new namespace; NULL: it cannot be loaded here. */
static void *another_libc(void)
{
    return dlmopen(LM_ID_NEWLM, LIBC_SO, RTLD_NOW | RTLD_LOCAL);
}

/* The control: this is what subint_fork would do. */
static void test_from_a_namespace(void **state)
{
    void *libc = another_libc();
    pid_t (*its_fork)(void);
    struct holder holder = {0};
    int before;
    pid_t pid;

    (void)state;
    if (!libc)
        skip();
    *(void **)&its_fork = dlsym(libc, "fork");
    begin(&holder);
    before = atomic_load(&prepared);
    pid = its_fork();
    if (pid == 0)
        use(holder.stream);
    assert_int_equal(fate_of(pid), FATE_STUCK);
    assert_int_equal(atomic_load(&prepared), before); /* those who prepare for a fork heard nothing of it */
    end(&holder);
    dlclose(libc);
}

static void test_from_the_main_thread(void **state)
{
    struct holder holder = {0};
    int before = atomic_load(&prepared);
    pid_t pid;

    (void)state;
    begin(&holder);
    pid = fork();
    if (pid == 0)
        use(holder.stream);
    assert_int_equal(fate_of(pid), FATE_ENDED_WELL);
    assert_int_equal(atomic_load(&prepared), before + 1);
    end(&holder);
}

struct worker {
    struct holder *holder;
    void (*child)(FILE *stream);
    pid_t pid;
};

static void *fork_here(void *user)
{
    struct worker *worker = user;

    worker->pid = fork();
    if (worker->pid == 0)
        worker->child(worker->holder->stream);
    return NULL;
}

static enum fate from_a_worker(void (*child)(FILE *stream))
{
    struct holder holder = {0};
    struct worker worker = {.holder = &holder, .child = child};
    enum fate fate;
    pthread_t thread;

    begin(&holder);
    assert_int_equal(pthread_create(&thread, NULL, fork_here, &worker), 0);
    pthread_join(thread, NULL);
    fate = fate_of(worker.pid);
    end(&holder);
    return fate;
}

static void test_from_a_worker_thread(void **state)
{
    (void)state;
    assert_int_equal(from_a_worker(use), FATE_ENDED_WELL);
}

/* A process of its own first, then the namespace in it: whatever is locked outside is not known there. */
static void use_another_libc(FILE *stream)
{
    void *libc = another_libc();
    int (*its_snprintf)(char *at, size_t size, const char *format, ...);
    char text[8];

    if (!libc)
        _exit(ALIVE);
    *(void **)&its_snprintf = dlsym(libc, "snprintf");
    if (its_snprintf(text, sizeof text, "%d", ALIVE) != 2 || strcmp(text, "42") != 0)
        _exit(1);
    use(stream);
}

static void test_full_architecture(void **state)
{
    (void)state;
    assert_int_equal(from_a_worker(use_another_libc), FATE_ENDED_WELL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_a_namespace),
        cmocka_unit_test(test_from_the_main_thread),
        cmocka_unit_test(test_from_a_worker_thread),
        cmocka_unit_test(test_full_architecture),
    };

    pthread_atfork(prepare, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
