/* Nothing that was on its way to whoever is looked at is lost by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "runner/base/mem.h"
#include "tests/unit/stacks_stage.h"

#define LOOKS 150

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

/* ---- signals ---- */

/* Seen by who sends, who counts, and the test. */
struct post {
    atomic_long sent, got;
    atomic_bool over;
};

static struct post *post;

static void count_one(int signal)
{
    (void)signal;
    atomic_fetch_add(&post->got, 1);
}

static _Noreturn void count_signals(int ready)
{
    struct sigaction action = {.sa_handler = count_one, .sa_flags = SA_RESTART};

    limit_life(60);
    sigaction(SIGRTMIN + 3, &action, NULL);
    if (write(ready, "", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* Of these each one counts: they are queued. */
static _Noreturn void send_signals(pid_t to)
{
    const union sigval nothing = {0};

    limit_life(60);
    while (!atomic_load(&post->over))
        if (sigqueue(to, SIGRTMIN + 3, nothing) == 0)
            atomic_fetch_add(&post->sent, 1);
        else
            sched_yield();
    _exit(0);
}

static void test_signals(void **state)
{
    nanos until;
    pid_t counts, sends;
    int ready[2];
    char byte;

    post = mmap(NULL, sizeof *post, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(post, MAP_FAILED);
    assert_int_equal(pipe(ready), 0);
    counts = must_fork();
    if (counts == 0)
        count_signals(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    sends = must_fork();
    if (sends == 0)
        send_signals(counts);
    for (int i = 0; i < LOOKS; i++) {
        struct proc_id id = proc_identify(counts);
        struct stacks_wants wants = {.copy_by = clock_now() + PATIENCE, .unwind_by = clock_now()};
        struct stacks stacks;

        stacks_take(&stacks, *state, &id, 1, &wants);
        arena_clear(*state);
    }
    atomic_store(&post->over, true);
    assert_int_equal(waitpid(sends, NULL, 0), sends);
    until = clock_now() + PATIENCE;
    while (atomic_load(&post->got) < atomic_load(&post->sent) && clock_now() < until)
        sched_yield();
    assert_int_equal(atomic_load(&post->got), atomic_load(&post->sent));
    end_child(counts);
    close(ready[0]);
    close(ready[1]);
    munmap(post, sizeof *post);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_signals, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
