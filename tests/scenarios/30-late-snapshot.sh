#!/bin/sh
# Number 30: a snapshot is taken when what hung has been unwound already, and shows who takes it.
. "$(dirname "$0")/lib.sh"
own_world

test_control_a_snapshot_where_the_deadline_is_handled() {
    run_command "$naive" # at once
    status_is 0
    out_has busy_here
    run_command "$naive" late
    status_is 0
    out_lacks busy_here
    out_has waits_for_nothing
}

# Before anything is sent to it. And then it is ended in its time, with what it has started.
test_ours_stacks_while_it_hangs() {
    module hangs.so <<END
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
void busy_here(volatile int *count);
__attribute__((noinline)) void busy_here(volatile int *count)
{
    for (;;)
        ++*count;
}
static void *work(void *arg)
{
    static volatile int count;
    busy_here(&count);
    return arg;
}
TEST(hangs, .timeout = "3s")
{
    pthread_t worker;
    if (system("$kid daemon $token") != 0 || pthread_create(&worker, NULL, work, NULL) != 0)
        FAIL("cannot begin");
    signal(SIGINT, SIG_IGN);
    mx_dump_on_hang(0.7);
    for (;;)
        pause();
}
TEST(goes_on) {}
END
    in_backends 'exec forkserver' '{name: m, module: hangs.so, stop: [INT 100ms, KILL]}'
    began=$(milliseconds)
    run --keep=all -n 2
    took_at_most 60
    status_is 1
    last_line_is '2 passed, 2 failed'
    for backend in exec forkserver; do
        verdict_is "m::hangs@backend=$backend" timeout
        "$program" show "m::hangs@backend=$backend" >"$scratch/out"
        out_has busy_here
        out_has pause
    done
    nobody_is_left
}

run_tests
