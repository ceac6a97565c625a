#!/bin/sh
# Number 31: threads that were given up stay in the process of the harness, with what they hold, and starve the others.
. "$(dirname "$0")/lib.sh"
own_world

test_control_a_harness_that_gives_threads_up() {
    run_command "$naive"
    status_is 0
    out_has 'abandoned: 25'
    out_has 'the next case: the registry is held by a case that is over'
    out_has 'after SIGINT was noted: 25 threads besides the main one'
}

spinners() {
    module spins.so <<'END'
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static atomic_int begun;
static void *spin(void *arg)
{
    pthread_mutex_trylock(&registry);
    begun++;
    for (volatile bool on = true; on;)
        ;
    return arg;
}
TEST(spins, .timeout = "3s")
{
    pthread_t thread;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < 25; i++)
        if (pthread_create(&thread, NULL, spin, NULL) != 0)
            FAIL("no thread");
    while (begun < 25)
        usleep(1000);
    close(open("spinning", O_CREAT | O_WRONLY, 0600));
    spin(NULL);
}
TEST(needs_the_registry)
{
    if (pthread_mutex_trylock(&registry) != 0)
        FAIL("the registry is held by a case that is over");
}
END
}

# Who runs beside them ends when they are there; who comes afterwards finds nothing of them; and the runner answers.
test_ours_others_go_on() {
    spinners
    for pair in subint:abandoned subint_forkserver:timeout; do
        backend=${pair%:*}
        rm -rf .run-matrix spinning
        in_backends "$backend exec" '{name: m, module: spins.so, stop: [INT 100ms, KILL], only: "matrix.backend != '"'exec'"'"}' \
            '{name: beside, run: "until [ -e spinning ]; do sleep 0.02; done", only: "matrix.backend == '"'exec'"'"}'
        began=$(milliseconds)
        start -n 2
        await_file spinning
        kill -USR1 "$runner"
        await "$scratch/out" 'm::spins'
        finish
        took_at_most 60
        status_is 1
        last_line_is '2 passed, 1 failed'
        verdict_is "m::spins@backend=$backend" "${pair#*:}"
        is "$(pgrep -f "$PWD/spins.so" || :)" ''
    done
}

run_tests
