#!/bin/sh
# Number 20: a child dies in boot.
. "$(dirname "$0")/cells.sh"

test_control_its_connection_is_waited_for() {
    begin "$naive"
    booted=$(child_of "$child")
    comes_to "$booted" none
    stuck_in "$child" accept
    stop_it
    out_is_empty
}

test_ours_it_is_told_how_far_it_got() { passes; }

run_tests
