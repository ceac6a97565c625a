#!/bin/sh
# Number 34: a lock is held by another thread when a process is forked, and nobody will ever give it back there.
. "$(dirname "$0")/lib.sh"

test_control_a_child_that_wants_it() {
    for lock in log stdio; do
        begin "$naive" "$lock"
        stuck_in "$(child_of "$child")" futex
        stuck_in "$child" wait4
        stop_it
        end_survivors
    done
}

# Whenever the server forks, one of its threads has just taken the locks of both streams, and gives them back afterwards;
# another one is in malloc most of the time. The child prints and allocates.
test_ours_a_server_with_busy_threads() {
    module t.so <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static pthread_barrier_t about_to_fork, held, forked;
static void *hold(void *user)
{
    for (;;) {
        pthread_barrier_wait(&about_to_fork);
        flockfile(stdout);
        flockfile(stderr);
        pthread_barrier_wait(&held);
        pthread_barrier_wait(&forked);
        funlockfile(stderr);
        funlockfile(stdout);
    }
    return user;
}
static void *allocate(void *user)
{
    static void *volatile kept;
    for (;;) {
        kept = malloc(1000);
        free(kept);
    }
    return user;
}
static void before(void)
{
    pthread_barrier_wait(&about_to_fork);
    pthread_barrier_wait(&held);
}
static void after(void) { pthread_barrier_wait(&forked); }
__attribute__((constructor)) static void begin(void)
{
    const char *whose = getenv("RUN_MATRIX_CASE_ID");
    pthread_t threads[2];
    if (!whose || !strstr(whose, "server:"))
        return;
    pthread_barrier_init(&about_to_fork, NULL, 2);
    pthread_barrier_init(&held, NULL, 2);
    pthread_barrier_init(&forked, NULL, 2);
    if (pthread_create(&threads[0], NULL, hold, NULL) != 0 || pthread_create(&threads[1], NULL, allocate, NULL) != 0 ||
        pthread_atfork(before, after, NULL) != 0)
        abort();
}
TEST(prints)
{
    puts("printed");
    fputs("complained\n", stderr);
    free(malloc(1000000));
}
END
    in_backends main_thread_forkserver "{name: t, timeout: 20s, module: t.so, matrix: {n: [$(seq -s, 10)]}}"
    run -n 4
    status_is 0
    last_line_is '10 passed, 0 failed'
    is "$(printed 't::prints@backend=main_thread_forkserver,n=1' | sort | tr '\n' ' ')" 'complained printed '
    no_server_is_left
}

run_tests
