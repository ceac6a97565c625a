#!/bin/sh
# What belongs to a case, where somebody does what nobody should: ends an anchor, leaves a control group, is a sibling.
. "$(dirname "$0")/lib.sh"
own_world

needs() { # CONTAINMENT
    run exec "--contain=$1" --run-dir probe -- true
    [ "$status" != 4 ] || skip "$(head -n 1 "$scratch/err")"
    status_is 0
}

# The anchor of a daemon that was left: its parent, as nobody else is.
anchor_of() { # PID
    anchor=$(ps -o ppid= -p "$1" | tr -d ' ')
    is "$(ps -o comm= -p "$anchor")" rm-anchor
}

# ---- anchors ----

# As the kernel does it for want of memory.
test_a_dead_anchor_spoils_one_case() {
    needs pidns
    suite "{name: a, run: '$kid daemon $token; exec $kid hang $token'}" "{name: b, run: 'true'}" "{name: c, run: 'true'}"
    start --contain=pidns -n 1 -s
    await "$scratch/out" ready
    anchor_of "$(pgrep -f "kid daemon $token")"
    kill -KILL "$anchor"
    finish
    status_is 1
    last_line_is '2 passed, 1 failed'
    err_lacks 'cannot'
    nobody_is_left
}

run_tests
