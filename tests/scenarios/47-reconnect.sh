#!/bin/sh
# Number 47: connections that are left when all ends.
. "$(dirname "$0")/cells.sh"

test_control_one_is_left_each_time() {
    run_command "$naive"
    status_is 0
    out_is '3 connections in CLOSE_WAIT'
}

test_ours_none_is_left() { passes; }

run_tests
