#!/bin/sh
# Number 14: a wait in another thread that cannot be cancelled.
. "$(dirname "$0")/cells.sh"

test_control_it_waits_on() {
    begin "$naive"
    for _ in $(seq 300); do
        [ ! -s "$scratch/out" ] || break
        sleep 0.1
    done
    thread=$(head -n 1 "$scratch/out")
    stuck_in "$thread" wait4
    kill -USR2 "$child"
    await "$scratch/out" told
    stuck_in "$thread" wait4
    stop_it
    out_lacks 'it has stopped'
}

test_ours_a_wait_is_cancelled() { passes; }

run_tests
