#!/bin/sh
# Number 15: a child has exited before anybody watches it, or waits for it. FAST=10000 has so many that exit at once.
. "$(dirname "$0")/lib.sh"

fast=${FAST:-500}
backends='exec spawn forkserver main_thread_forkserver'

test_control_a_signal_that_has_come() {
    for when in before between; do
        begin "$naive" "$when"
        stuck_in "$child" pause
        is "$(sed 's/.*) \(.\).*/\1/' "/proc/$(child_of "$child")/stat")" Z
        stop_it
        out_is_empty
    done
}

exits() {
    in_backends "$backends" "{name: good, run: ['$tiny'], matrix: {n: [1, 2, 3]}}" "{name: bad, run: [$kid, exit, '3'], matrix: {n: [1, 2, 3]}}"
}

all_are_known() {
    status_is 1
    last_line_is '12 passed, 12 failed'
    is "$(records '"reason":"exit status 3"')" 12
}

test_ours_before_the_loop_looks() {
    exits
    RUN_MATRIX_FAULTS=loop-park=300ms@1x3 run -n 4
    all_are_known
}

# Who was asked for it has started it, and says so never.
test_ours_before_it_is_told_that_they_are_there() {
    in_backends 'forkserver main_thread_forkserver' "{name: good, run: ['$tiny']}" "{name: bad, run: [$kid, exit, '3']}"
    RUN_MATRIX_FAULTS=server-mute run -n 1 --contain=group
    status_is 1
    last_line_is '2 passed, 2 failed'
    is "$(records '"reason":"exit status 3"')" 2
}

test_ours_many_that_exit_at_once() {
    in_backends "$backends" "{name: good, run: ['$tiny'], matrix: {n: [$(seq -s, $((fast / 4)))]}}"
    run -n 8
    status_is 0
    last_line_is "$((fast / 4 * 4)) passed, 0 failed"
}

run_tests
