#!/bin/sh
# Number 49: somebody has the case in a debugger, or has its terminal: signals do not reach it, or it is killed under him.
. "$(dirname "$0")/lib.sh"
own_world

# Signals that are to end it wait until the debugger lets it go on, and so does whoever waits for its end.
test_control_a_wait_without_a_bound() {
    run_command "$naive"
    status_is 0
    out_has 'tracing stop'
    out_has '0000000000004002' # INT and TERM
    begin "$naive" wait
    stuck_in "$child" wait4
    pkill -KILL -P "$child" # the debugger goes, and with him its hold
    ended
    status_is 0
}

# That nobody is killed under whoever looks at it is not there yet: it ends in its time, and nobody is left.
test_ours_below_a_debugger_that_holds_it() {
    suite "{name: a, timeout: 500ms, stop: [INT 100ms, TERM 100ms, KILL], run: '$kid traced $token; exec $kid stubborn $token'}"
    for contain in group cgroup pidns; do
        can_contain "$contain" || continue
        began=$(milliseconds)
        run "--contain=$contain"
        took_at_most 60
        status_is 1
        verdict_is a timeout
        nobody_is_left
    done
}

# It waits for somebody to type, and nobody does.
test_ours_at_a_terminal() {
    suite "{name: a, timeout: 500ms, stop: [INT 100ms, TERM 100ms, KILL], run: 'trap \"\" INT TERM HUP; $kid daemon $token; while :; do read -r _ </dev/tty || :; done'}"
    began=$(milliseconds)
    run --capture=pty
    took_at_most 60
    status_is 1
    verdict_is a timeout
    nobody_is_left
}

run_tests
