#!/bin/sh
# Number 48: two want the one alarm of a process, or the same signal; the inner takes it, and the outer is not there any more.
. "$(dirname "$0")/lib.sh"
own_world

test_control_two_watchdogs_with_one_alarm() {
    run_command "$naive"
    status_is 0
    out_is <<'END'
outer: armed
inner: fired; outer: not armed
END
}

# The test has alarms and SIGUSR1 for itself; inside a deadline of a program, around that one for stacks, and around all
# of them that of the run.
test_ours_each_fires() {
    module nested.so <<END
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static volatile sig_atomic_t alarms, signals;
static void rang(int signal) { (void)signal; alarms++; }
static void came(int signal) { (void)signal; signals++; }
TEST(hangs, .timeout = "3s")
{
    struct mx_ran inner;
    signal(SIGALRM, rang);
    signal(SIGUSR1, came);
    mx_dump_on_hang(0.5);
    alarm(1);
    inner = mx_run(&(struct mx_command){.argv = MX_ARGV("$kid", "stubborn", "$token"), .timeout = "100ms"});
    ASSERT(inner.timed_out);
    puts("inner: fired");
    raise(SIGUSR1);
    while (!alarms)
        pause();
    printf("alarms: %d, signals: %d\n", (int)alarms, (int)signals);
    fflush(stdout);
    for (;;)
        pause();
}
TEST(goes_on) {}
END
    in_backends 'exec forkserver main_thread_forkserver' '{name: m, module: nested.so, stop: [INT 100ms, KILL]}'
    began=$(milliseconds)
    run --keep=all -n 3
    took_at_most 60
    status_is 1
    last_line_is '3 passed, 3 failed'
    for backend in exec forkserver main_thread_forkserver; do
        verdict_is "m::hangs@backend=$backend" timeout
        "$program" show "m::hangs@backend=$backend" >"$scratch/out"
        out_has 'inner: fired'
        out_has 'alarms: 1, signals: 1'
        out_has 'still there after 0.5 s; its threads are at'
    done
    nobody_is_left
}

# A run in a case, whose own deadline strikes first; then that of the case.
test_ours_a_run_in_a_run() {
    mkdir inner
    (cd inner && suite "{name: a, timeout: 200ms, stop: [INT 100ms, KILL], run: [$kid, stubborn, $token]}")
    suite "{name: outer, timeout: 4s, stop: [INT 100ms, KILL], run: '(cd inner && $program) || echo status \$?; exec $kid stubborn $token'}"
    began=$(milliseconds)
    run --keep=all
    took_at_most 60
    status_is 1
    verdict_is outer timeout
    run show outer
    out_has 'timed out after 200ms'
    out_has 'status 1'
    nobody_is_left
}

run_tests
