#!/bin/sh
# Number 2: a case has exited, and somebody whom it has left keeps its output open.
. "$(dirname "$0")/lib.sh"

# Its child is there to be reaped, with its status, and it reads.
test_control_the_end_of_file_is_waited_for() {
    for who in child daemon; do
        begin "$naive" "$who"
        case_of_it=$(child_of "$child")
        comes_to "$case_of_it" none
        stuck_in "$child" read
        is "$(sed 's/.*) \(.\).*/\1/' "/proc/$case_of_it/stat")" Z
        stop_it
        end_survivors
    done
}

# No deadline ends it: with 0 there is none. Whose terminal goes away with the case gets HUP from the kernel.
test_ours_the_exit_of_the_case_is_its_end() {
    suite "{name: a, timeout: 0, run: [$kid, grandchild-holds, $token]}" "{name: b, timeout: 0, run: [$kid, daemon, $token]}"
    echo 'defaults: {leak-grace: 50ms}' >>run-matrix.yaml
    for pair in fd:2 merged:2 no:2 pipe:2 pty:1; do
        rm -rf .run-matrix
        run --capture "${pair%:*}"
        status_is 1
        is "${pair%:*}:$(records '"verdict":"leaked"')" "$pair"
        nobody_is_left
    done
}

test_ours_where_it_may_stay_the_case_passes() {
    suite "{name: a, timeout: 0, leaks: ignore, run: [$kid, grandchild-holds, $token]}" \
        "{name: b, timeout: 0, leaks: ignore, run: [$kid, daemon, $token]}"
    for mode in fd pipe; do
        run --capture "$mode"
        status_is 0
        last_line_is '2 passed, 0 failed'
        nobody_is_left
    done
}

run_tests
