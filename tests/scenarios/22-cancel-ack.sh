#!/bin/sh
# Number 22: the answer to a cancel comes late or never.
. "$(dirname "$0")/cells.sh"

test_control_who_never_answers_is_waited_for() {
    begin "$naive"
    await "$scratch/out" 'no answer'
    stuck_in "$child" wait4
    stop_it
    out_lacks 'it has ended'
}

test_ours_it_is_over_when_its_time_is() { passes; }

run_tests
