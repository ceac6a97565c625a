#!/bin/sh
# Number 25: a clean-up without a deadline.
. "$(dirname "$0")/cells.sh"

test_control_the_peer_has_no_reason_to_hang_up() {
    begin "$naive"
    stuck_in "$child" read
    stop_it
    out_is_empty
}

test_ours_it_goes_on_without_them() { passes; }

run_tests
