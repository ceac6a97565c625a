#!/bin/sh
# Number 11: the pipe that wakes a loop is full.
. "$(dirname "$0")/cells.sh"

test_control_a_signal_is_lost_in_a_full_socket() {
    run_command "$naive"
    status_is 0
    out_is 'some bytes, the handler: EAGAIN, SIGINT was not seen'
}

test_ours_signals_and_cancels_are_heard() { passes; }

run_tests
