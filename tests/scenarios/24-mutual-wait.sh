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

run_tests
