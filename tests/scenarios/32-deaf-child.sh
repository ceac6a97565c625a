#!/bin/sh
# Number 32: a child that never comes to a place where it would notice a cancel.
. "$(dirname "$0")/lib.sh"

test_control_a_signal_and_a_wait() {
    begin "$naive"
    await "$scratch/out" sent
    stuck_in "$(child_of "$child")" rt_sigsuspend
    stuck_in "$child" wait4
    grep -q '^ShdPnd:.*2$' "/proc/$(child_of "$child")/status" || fail 'the signal does not wait for it'
    stop_it
}

# What an ending may take is told, and not more than that is taken.
bounded() { # ID...
    bound=$(sed -n 's/.*an ending takes at most \([0-9.]*\)s.*/\1/p' "$scratch/out")
    [ -n "$bound" ] || fail 'no bound is told'
    for id in "$@"; do
        is "$id $(told "$id" '[rung["signal"] for rung in last["ladder"]]')" "$id ['SIGINT', 'SIGTERM', 'SIGKILL']"
        is "$(told "$id" "last['ladder'][-1]['at'] - last['ladder'][0]['at'] <= $bound")" True
    done
}

test_ours_the_ladder_comes_to_its_end() {
    ladder='timeout: 200ms, stop: [INT 300ms, TERM 300ms, KILL]'
    suite "{name: a, $ladder, run: [$naive, child, $token]}" "{name: b, $ladder, run: [$kid, deaf, $token]}" \
        "{name: c, $ladder, run: [$kid, stubborn, $token]}"
    run -n 3 -v
    status_is 1
    last_line_is '0 passed, 3 failed'
    bounded a b c
    nobody_is_left
}

# A whole tree of them costs what one costs.
test_ours_a_tree_of_them() {
    suite "{name: a, timeout: 1s, stop: [INT 300ms, TERM 300ms, KILL], run: 'for n in 1 2 3 4 5; do $naive child $token & done; wait'}"
    run -v
    status_is 1
    is "$(told a '[rung["signal"] for rung in last["ladder"]][-1]')" SIGKILL
    nobody_is_left
}

test_ours_a_cancel() {
    suite "{name: a, timeout: 5m, stop: [INT 300ms, TERM 300ms, KILL], run: [$naive, child, $token]}"
    start -s
    await "$scratch/out" ready
    kill -INT "$runner"
    finish
    status_is 2
    nobody_is_left
}

run_tests
