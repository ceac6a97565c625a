#!/bin/sh
# Number 13: a descriptor's number that belongs to something else by now.
. "$(dirname "$0")/cells.sh"

test_control_the_next_one_gets_it() {
    run_command "$naive"
    status_is 0
    out_is 'the second got what was for the first'
}

test_ours_who_was_hung_up_on_is_nobody_else() { passes; }

run_tests
