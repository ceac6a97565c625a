#!/bin/sh
# Number 8: the runner is killed in the middle, and what it ran is in the way of the next run.
. "$(dirname "$0")/lib.sh"

# An address of the loopback that is this test's alone.
port=4711
own_host() { host=127.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1)).${token##*.}; }

a_case() {
    own_host
    suite "{name: a, timeout: 5m, stop: [KILL], run: [$naive, serve, $host, $port, $token]}"
    cat >>run-matrix.yaml <<END
profiles: {second: {timeout: 300ms}}
END
}

# By the record of what the run holds.
who() { # guard|runner|keeper
    sed 's/.*"'"$1"'":{"pid":\([0-9]*\).*/\1/' .run-matrix/latest/held.json
}

start_and_wait() {
    a_case
    start -s
    await "$scratch/out" ready
}

# It serves until its deadline: the port was free.
the_next_run_is_clean() {
    run -s -P second
    status_is 1
    out_has ready
    out_has 'timed out after 300ms'
    nobody_is_left
}

test_control_who_waits_for_its_child() {
    own_host
    begin "$naive" run "$host" "$port"
    await "$scratch/out" ready
    stop_it
    is "$(survivors | wc -l)" 1
    run_command "$naive" run "$host" "$port" "$token"
    status_is 98
}

test_ours_the_runner_is_killed() {
    start_and_wait
    kill -KILL "$(who runner)"
    finish
    status_is 137
    nobody_is_left
    the_next_run_is_clean
}

test_ours_who_is_seen_is_killed() {
    start_and_wait
    kill -KILL "$runner"
    finish
    status_is 137
    nobody_is_left
    the_next_run_is_clean
}

test_ours_both_are_killed() {
    start_and_wait
    keeper=$(who keeper)
    kill -KILL "$runner" "$(who runner)"
    finish
    status_is 137
    comes_to "$keeper" none
    nobody_is_left
    the_next_run_is_clean
}

# Stopped first, so that none of them can act upon the end of another. Who is left is told and ended before the next run
# begins, by the record of this one.
test_ours_all_three_are_killed() {
    start_and_wait
    runner_pid=$(who runner) keeper=$(who keeper)
    kill -STOP "$keeper" "$runner" "$runner_pid"
    comes_to "$keeper" T
    comes_to "$runner" T
    comes_to "$runner_pid" T
    kill -KILL "$keeper" "$runner" "$runner_pid"
    finish
    status_is 137
    comes_to "$keeper" none
    comes_to "$runner_pid" none
    the_next_run_is_clean
    err_has "$host"
}

# Wherever it is in its work; the last one is not killed any more.
test_ours_killed_in_every_place() {
    own_host
    suite '{name: a, run: [echo, x], matrix: {n: [1, 2]}}' "{name: b, timeout: 150ms, stop: [KILL], run: [$naive, serve, $host, $port, $token]}"
    at=1 status=137
    while [ "$status" = 137 ]; do
        RUN_MATRIX_FAULTS=kill-runner@$at run -n 2
        nobody_is_left
        at=$((at + 3))
    done
    status_is 1
    out_has 'timed out after 150ms'
    [ "$at" -gt 20 ] || fail "only $at places"
}

run_tests
