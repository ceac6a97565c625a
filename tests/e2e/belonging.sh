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

# ---- limits ----

needs_limit() { # LIMIT, as `doctor` calls it
    needs cgroup
    run doctor
    grep -q "^limit on $1  *yes" "$scratch/out" || skip "no limit on $1 can be had"
}

# However much of it there is before the limit comes.
test_who_takes_too_much_at_once_is_oom() {
    needs_limit memory
    {
        echo "strategy: {matrix: {n: [$(seq -s, 40)]}}"
        echo "tests: [{name: a, limits: {memory: 8MiB}, axes: [n], run: [$kid, block, 48, \"$token\"]}]"
    } >run-matrix.yaml
    run --contain=cgroup -n 2
    status_is 1
    last_line_is '0 passed, 40 failed'
    is "$(records '"verdict":"oom"')" 40
    nobody_is_left
}

run_tests
