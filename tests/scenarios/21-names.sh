#!/bin/sh
# Number 21: several actors of one name.
. "$(dirname "$0")/cells.sh"

test_control_all_but_one_exit_with_2() {
    for count in 2 4 8; do
        rm -f doggy.sock
        run_command "$naive" "$count"
        status_is 0
        out_is "1 has the name, $((count - 1)) exited with status 2"
    done
}

test_ours_nobody_ends_of_it() { passes; }

run_tests
