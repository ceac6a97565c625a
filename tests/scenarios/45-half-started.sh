#!/bin/sh
# Number 45: of two siblings one has not finished its start when the other fails.
. "$(dirname "$0")/cells.sh"

test_control_who_is_not_connected_is_not_told() {
    begin "$naive"
    await "$scratch/out" 'told all who are connected'
    stuck_in "$child" wait4
    stop_it
    out_lacks 'all have ended'
}

test_ours_it_is_reached_all_the_same() { passes; }

run_tests
