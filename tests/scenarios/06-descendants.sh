#!/bin/sh
# Number 6: a signal to one process, and the tree below it.
. "$(dirname "$0")/cells.sh"

test_control_who_is_below_a_killed_leader_stays() {
    run_command "$naive"
    status_is 0
    out_is 'the leader is dead, 2 below it are not'
}

test_ours_the_whole_tree_is_gone() { passes; }

run_tests
