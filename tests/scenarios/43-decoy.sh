#!/bin/sh
# Number 43: a program of the same kind, that somebody else runs, is taken for one of the run's.
. "$(dirname "$0")/lib.sh"
own_world

# The same program with the same words, of another run; in the same folder.
start_decoy() {
    env RUN_MATRIX_RUN_ID=0001-20200101-000000-000000 RUN_MATRIX_CASE_ID=a "$kid" daemon "$token" >decoy.pid
    decoy=$(cat decoy.pid)
}

decoy_lives() {
    is "$(ps -o stat=,args= -p "$decoy" | tr -s ' ')" "S $kid daemon $token"
}

test_control_a_reaper_by_name() {
    start_decoy
    "$kid" daemon "$token" >mine
    pkill -KILL -f "kid daemon $token"
    comes_to "$(cat mine)" none
    comes_to "$decoy" none
}

test_ours_at_the_end_of_a_case() {
    suite "{name: a, leak-grace: 50ms, run: [$kid, daemon, $token]}"
    for contain in group cgroup pidns; do
        can_contain "$contain" || continue
        start_decoy
        run "--contain=$contain"
        status_is 1
        verdict_is a leaked
        nobody_is_left
        decoy_lives
        kill -KILL "$decoy"
    done
}

test_ours_by_reap() {
    start_decoy
    suite "{name: a, run: '$kid daemon $token; : >up; exec $kid hang $token'}"
    start --contain=group
    await_file up
    kill_the_crew
    run reap
    out_has "kid daemon $token"
    nobody_is_left
    decoy_lives
}

run_tests
