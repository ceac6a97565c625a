#!/bin/sh
# Number 28: the means by which a test is ended spoil the runner, and the tests after it.
. "$(dirname "$0")/lib.sh"

test_control_a_jump_out_of_the_test() {
    begin "$naive" jump
    await "$scratch/out" 'first timed out'
    stuck_in "$child" futex
    stop_it
    out_lacks 'second passed'
}

test_control_the_process_is_left() {
    run_command "$naive" exit
    status_is 1
    out_is_empty
}

# The first ignores INT and TERM, and is ended by KILL, however it came to be; where it is a thread, by giving up its
# process. What is torn down is torn down.
test_ours_the_next_case_knows_nothing_of_it() {
    module t.so <<'END'
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
TEST(first, .timeout = "1s")
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    pthread_mutex_lock(&lock);
    for (;;)
        pause();
}
TEST(second)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    ASSERT(signal(SIGINT, SIG_DFL) != SIG_IGN);
}
END
    in_backends 'exec spawn forkserver main_thread_forkserver subint subint_forkserver' \
        '{name: t, timeout: 30s, module: t.so, fixtures: [f]}'
    cat >>run-matrix.yaml <<'END'
defaults: {stop: [INT 50ms, TERM 50ms, KILL]}
fixtures:
  f: {scope: cell, run: [touch, 'up-${{ matrix.backend }}'], teardown: [rm, 'up-${{ matrix.backend }}']}
END
    run -n 1
    status_is 1
    last_line_is '6 passed, 6 failed'
    is "$(records '"verdict":"timeout"') $(records '"verdict":"abandoned"')" '5 1'
    is "$(find . -name 'up-*')" ''
    no_server_is_left
}

test_ours_programs() {
    suite "{name: a, timeout: 300ms, stop: [INT 50ms, TERM 50ms, KILL], run: [$kid, stubborn, $token]}" \
        "{name: b, timeout: 300ms, stop: [INT 50ms, TERM 50ms, KILL], run: [$kid, deaf, $token]}" '{name: c, run: ["true"]}'
    run -n 1
    status_is 1
    last_line_is '1 passed, 2 failed'
    nobody_is_left
}

run_tests
