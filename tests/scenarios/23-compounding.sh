#!/bin/sh
# Number 23: timeouts that add up level by level.
. "$(dirname "$0")/cells.sh"

test_control_a_grace_for_each_level() {
    for levels in 1 3 6; do
        run_command "$naive" "$levels"
        status_is 0
        out_is "$levels levels take no less than $levels graces"
    done
}

test_ours_one_budget_for_all() { passes; }

run_tests
