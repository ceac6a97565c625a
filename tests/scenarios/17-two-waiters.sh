#!/bin/bash
# Number 17: two wait for one process, and each is to know how it ended.
. "$(dirname "$0")/lib.sh"

test_control_one_of_two_threads() {
    run_command "$naive"
    case $(cat "$scratch/out") in
    '3 and 0' | '0 and 3') ;;
    *) fail "$(cat "$scratch/out")" ;;
    esac
}

# Its deadline waits for it a second time, and the run waits for it all the while: it exits with 3 upon the signal.
test_ours_the_ladder_and_the_run() {
    in_backends 'exec spawn forkserver main_thread_forkserver' \
        "{name: a, timeout: 3s, stop: [INT 60s, TERM 60s, KILL], run: 'trap \"exit 3\" INT; while :; do sleep 0.02; done'}"
    run -n 4
    status_is 1
    is "$(records '"verdict":"timeout"')" 4
    is "$(records 'when it was ended: exit status 3')" 4
}

# A daemon that twenty cases use, and the run itself.
test_ours_all_who_use_a_daemon() {
    suite "{name: t, matrix: {n: [$(seq -s, 20)]}, timeout: 5m, fixtures: [d], run: 'echo >up-\$RUN_MATRIX_AXIS_N; sleep 300'}"
    cat >>run-matrix.yaml <<'END'
fixtures:
  d: {scope: session, daemon: 'for n in $(seq 20); do until [ -e up-$n ]; do sleep 0.02; done; done; exit 3'}
END
    run -n 20
    status_is 1
    is "$(records '"verdict":"error"')" 20
    is "$(records '"reason":"d ended with exit status 3')" 20
}

# The guard and the keeper wait for the runner, and so does its own parent, for the guard: each does what it has to.
test_ours_guard_and_keeper() {
    suite '{name: a, timeout: 5m, run: "echo >up; sleep 300"}'
    start
    await_file up
    keeper=$(sed 's/.*"keeper":{"pid":\([0-9]*\).*/\1/' .run-matrix/latest/held.json)
    kill -KILL "$(sed 's/.*"runner":{"pid":\([0-9]*\).*/\1/' .run-matrix/latest/held.json)"
    finish
    status_is 137
    comes_to "$keeper" none
    [ ! -e .run-matrix/latest/held.json ] || fail 'the record of what is held is still there'
}

run_tests
