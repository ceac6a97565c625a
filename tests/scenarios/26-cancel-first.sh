#!/bin/sh
# Number 26: a cancel, and the error that it is for.
. "$(dirname "$0")/cells.sh"

test_control_the_second_error_is_lost() {
    run_command "$naive"
    status_is 0
    out_is <<'END'
failed with status 3
cancelled (its status was 3)
END
}

test_ours_both_orders_are_told_as_they_were() { passes; }

run_tests
