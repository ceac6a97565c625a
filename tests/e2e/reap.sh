#!/bin/sh
# What a dead run has left is found, ended and removed, by `reap` and by the next run; nothing else is.
. "$(dirname "$0")/lib.sh"
own_world # runs of other tests that are beside one of ours keep what tells them so

nothing='0 ended, 0 removed, 0 left'

member() { # runner | guard | keeper
    python3 -c 'import json, sys; print(json.load(open(".run-matrix/latest/held.json"))[sys.argv[1]]["pid"])' "$1"
}

# A run with a case that has left `kids` behind and waits itself, dies, and so do all who look after it. Stopped first: none is to
# see that another is dead.
dies_with() { # CONTAINMENT KID...
    containment=$1
    shift
    run exec "--contain=$containment" --run-dir probe -- true
    [ "$status" != 4 ] || skip "$(head -n 1 "$scratch/err")"
    status_is 0
    {
        for kid_line in "$@"; do
            echo "$kid $kid_line $token"
        done
        echo ': >ready'
        echo "$kid hang $token"
    } >case.sh
    suite "{name: a, run: [sh, case.sh, $token]}"
    start "--contain=$containment"
    for _ in $(seq 300); do
        [ ! -e ready ] || break
        sleep 0.1
    done
    [ -e ready ] || { show out && show err && fail 'the case did not come so far'; }
    crew="$(member guard) $(member runner) $(member keeper)"
    # shellcheck disable=SC2086 # three words
    kill -STOP $crew
    # shellcheck disable=SC2086
    kill -KILL $crew
    finish
    id=$(basename "$(readlink .run-matrix/latest)")
    tmp=$(python3 -c 'import json; print(json.load(open(".run-matrix/latest/held.json"))["tmp"])')
}

# What tells runs of other tests that one was beside them stays until they have ended.
folder_is_gone() { [ ! -e "$tmp" ] || is "$(cd "$tmp" && echo *)" 'ended run'; }

# Where other tests leave things in /tmp meanwhile, there may be lines about them.
is_clean() {
    folder_is_gone
    run reap
    status_is 0
    last_line_is "$nothing"
}

test_nothing_was_run_yet() {
    run reap
    status_is 0
    out_is "$nothing"
    err_is_empty
    [ ! -e .run-matrix ] || fail 'it has made a store'
}

test_nothing_is_left_of_a_run_that_ended() {
    suite '{name: a, run: ["true"]}'
    run
    status_is 0
    for how in '' -n; do
        # shellcheck disable=SC2086 # nothing, or a word
        run reap $how
        status_is 0
        out_is "$nothing"
    done
    run reap --run latest
    status_is 0
    out_is "$nothing"
}

test_usage() {
    run reap x
    status_is 4
    err_has "got 'x'"
    run reap --run 1 --parent 2
    status_is 4
    err_has 'not both'
    run reap --parent 1
    status_is 4
    run reap --parent 99999999
    status_is 4
    err_has 'no process'
    run reap --run 7
    status_is 4
    run reap --run ./nowhere
    status_is 4
    run reap --grace x
    status_is 4
    out_is_empty
}

test_a_dead_run() {
    dies_with group 'daemon' 'listener' "socket $PWD/x.sock"
    run reap -n
    status_is 1
    out_has "kid daemon $token), "
    out_has "of run $id: found"
    out_has 'listening on 127.0.0.1:'
    out_has "socket file $PWD/x.sock"
    out_has "folder $tmp, of run $id: found"
    is "$(tail -n 1 "$scratch/out" | cut -d, -f1,2)" '0 ended, 0 removed'
    [ -e x.sock ] || fail 'a look has removed something'
    run reap
    status_is 0
    out_has "kid daemon $token), "
    out_has "of run $id: ended"
    out_has "folder $tmp, of run $id: removed"
    last_line_is '5 ended, 3 removed, 0 left'
    [ ! -e x.sock ] || fail 'the socket is still there'
    is "$(records 'the runner died; reap ended 5 of its processes')" 1
    is_clean
    run report
    status_is 0
}

test_one_that_does_not_want_to() {
    dies_with group stubborn-daemon stopped-daemon
    run reap --grace 200ms --run latest
    status_is 1
    out_has ': killed'
    last_line_is '4 ended, 2 removed, 0 left'
    is_clean
}

test_control_groups() {
    dies_with cgroup daemon clean-daemon
    run reap
    out_has 'control group '
    is "$(tail -n 1 "$scratch/out" | cut -d' ' -f5,6)" '0 left'
    is_clean
}

test_namespaces() {
    dies_with pidns daemon
    run reap
    status_is 0
    is_clean
}

test_a_decoy_survives() {
    "$kid" daemon decoy >decoy.pid
    env RUN_MATRIX_RUN_ID=0001-20200101-000000-000000 "$kid" daemon other >other.pid
    dies_with group 'daemon decoy'
    run reap
    status_is 0
    for pid in $(tail -n 1 decoy.pid) $(tail -n 1 other.pid); do
        [ -d "/proc/$pid" ] || fail 'a stranger was killed'
        kill -KILL "$pid"
    done
    is_clean
}

test_a_live_run_is_left_alone() {
    suite '{name: a, run: ": >ready; while [ ! -e go ]; do sleep 0.1; done"}'
    start
    for _ in $(seq 300); do
        [ ! -e ready ] || break
        sleep 0.1
    done
    "$program" reap >reaped || fail 'something was left, or ended'
    is "$(cat reaped)" "$nothing"
    status=0
    "$program" reap --run latest >reaped 2>&1 || status=$?
    is "$status" 4
    grep -q 'still going on' reaped || fail "$(cat reaped)"
    : >go
    finish
    is "$(records '"ev":"finish"')" 1
}

test_the_next_run_does_it() {
    dies_with group daemon
    suite '{name: a, run: ["true"]}'
    run
    status_is 0
    err_has "of run $id: ended"
    run reap
    status_is 0
    last_line_is "$nothing"
    folder_is_gone
}

test_descendants() {
    sh -c 'sleep 1000 & sleep 1001 & wait' &
    parent=$!
    for _ in $(seq 100); do
        [ "$(pgrep -P "$parent" | wc -l)" != 2 ] || break
        sleep 0.1
    done
    run reap -n --parent "$parent"
    status_is 1
    last_line_is '0 ended, 0 removed, 2 left'
    run reap --grace 200ms --parent "$parent"
    last_line_is '2 ended, 0 removed, 0 left'
    wait "$parent" || :
}

# ---- before a run ----

await_file() {
    for _ in $(seq 300); do
        [ ! -e "$1" ] || return 0
        sleep 0.1
    done
    fail "no $1"
}

# Runs beside each other, of which nobody is left; the newest is reaped first.
two_die() { # WHAT THE OLDER DOES BEFORE IT WAITS
    crews='' runners=''
    for script in "$1" ''; do
        rm -f ready
        printf '%s\n: >ready\nwhile :; do sleep 0.1; done\n' "$script" >case.sh
        suite '{name: a, timeout: 5m, run: [bash, case.sh]}'
        start --contain=group
        await_file ready
        runners="$runners $runner"
        crews="$crews $(member guard) $(member runner) $(member keeper)"
    done
    # shellcheck disable=SC2086 # words
    kill -STOP $crews
    # shellcheck disable=SC2086
    kill -KILL $crews
    for runner in $runners; do
        finish
    done
}

# Who is asked to end looks at what has been said before.
test_a_run_tells_what_it_reaps_at_once_and_can_be_ended() {
    two_die "trap 'cp $scratch/err some && mv some seen' INT TERM"
    newer=$(basename "$(readlink .run-matrix/latest)")
    suite '{name: a, timeout: 5m, run: [sleep, "300"]}'
    start
    await_file seen
    kill -TERM "$runner"
    finish
    status_is 2
    out_has 'interrupted: SIGTERM'
    grep -q "of run $newer: ended" seen || fail 'that was not said before'
    err_has ': killed'
}

run_tests
