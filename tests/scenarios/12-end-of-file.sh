#!/bin/sh
# Number 12: the end of a stream is no progress.
. "$(dirname "$0")/cells.sh"

test_control_a_loop_that_goes_on_reading() {
    run_command "$naive"
    status_is 0
    out_is 'it is not done after a million rounds'
}

test_ours_the_end_is_heard_once() { passes; }

run_tests
