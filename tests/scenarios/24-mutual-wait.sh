#!/bin/sh
# Number 24: parent and child wait for each other.
. "$(dirname "$0")/cells.sh"

test_control_neither_says_anything() {
    begin "$naive"
    stuck_in "$child" wait4
    stuck_in "$(child_of "$child")" read
    stop_it
    out_is_empty
    err_is_empty
}

# It is over at its deadline, who was there is named, and nothing is left of it.
test_ours_it_is_told_who_was_there() {
    for backend in $processes; do
        cat >run-matrix.yaml <<END
strategy: {matrix: {include: [{backend: $backend, transport: uds, capture: fd}]}}
tests: [{name: s, module: '$root/tests/scenarios/suites/24-mutual-wait.c', timeout: 1s}]
END
        run run
        status_is 1
        out_has "TIMEOUT"
        out_has 'timed out after 1s in its call'
        grep -q 'SIGINT to the group; alive: .*(.*), .*(' "$scratch/out" || fail "$backend: two are not named"
        out_has 'when it was ended: SIGINT'
        out_lacks 'leaked'
    done
}

run_tests
