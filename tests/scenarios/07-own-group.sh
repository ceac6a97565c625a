#!/bin/sh
# Number 7: a process group of its own gets away from killpg.
. "$(dirname "$0")/lib.sh"

test_control_killpg() {
    run_command "$naive"
    status_is 0
    out_is alive
}

# What a signal to the group does not reach is ended by what holds the case together.
in_each_containment() { # VERDICT
    for contain in cgroup pidns group; do
        rm -rf .run-matrix
        run --contain "$contain"
        [ "$status" != 4 ] || continue
        status_is 1
        is "$contain $(records "\"verdict\":\"$1\"")" "$contain 2"
        nobody_is_left
        tried=yes
    done
    is "$tried" yes
}

test_ours_a_case_that_exits() {
    common='defaults: {leak-grace: 50ms}'
    suite "{name: a, run: [$kid, own-group, $token]}" "{name: b, run: [$kid, setsid, $token]}"
    in_each_containment leaked
}

test_ours_a_case_that_is_ended() {
    ladder='timeout: 200ms, stop: [INT group 50ms, KILL]'
    suite "{name: a, $ladder, run: [$kid, stay, own-group, $token]}" "{name: b, $ladder, run: [$kid, stay, setsid, $token]}"
    in_each_containment timeout
}

run_tests
