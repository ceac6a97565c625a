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

# One that has not asked for anything, and unwinds at the first signal: the dump is of what was before. It counts for ever: 32 bits
# come round in two seconds.
test_ours_the_runner_looks_before_the_first_signal() {
    cat >hangs.c <<'END'
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static sigjmp_buf top;
static pthread_t worker;
void busy_here(volatile unsigned long *count);
__attribute__((noinline)) void busy_here(volatile unsigned long *count)
{
    while (++*count)
        ;
}
static void unwind(int signal)
{
    (void)signal;
    siglongjmp(top, 1);
}
static void cancel(int signal)
{
    (void)signal;
    pthread_kill(worker, SIGUSR1);
}
static void *work(void *arg)
{
    static volatile unsigned long count;
    if (sigsetjmp(top, 1) == 0)
        busy_here(&count);
    puts("unwound");
    fflush(stdout);
    _exit(3);
    return arg;
}
int main(void)
{
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupt, NULL); /* the worker has it blocked */
    signal(SIGUSR1, unwind);
    signal(SIGINT, cancel);
    if (pthread_create(&worker, NULL, work, NULL) != 0)
        return 99;
    pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
    for (;;)
        pause();
}
END
    gcc -O1 -g -Wall -Wextra -Werror -pthread -o hangs hangs.c
    suite "{name: p, run: [./hangs, $token], timeout: 2s, stop: [INT 60s, KILL]}"
    run --keep=all
    status_is 1
    verdict_is p timeout
    is "$(cat .run-matrix/latest/cases/p/1/stdout)" unwound
    ! grep -q SIGKILL "$scratch/out" || fail 'it took SIGKILL'
    grep -q 'busy_here at .*hangs.c:11' .run-matrix/latest/cases/p/1/dump.txt ||
        fail "$(cat .run-matrix/latest/cases/p/1/dump.txt)"
    nobody_is_left
}

run_tests
