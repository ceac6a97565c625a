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

# ---- control groups ----

# A group beside that of the run, as root has many and others may: $other.
another_group() {
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
    other=$mount$(sed -n 's/^0:://p' /proc/self/cgroup)/test-$token
    mkdir "$other" 2>/dev/null || skip "no group can be made below '${other%/*}'"
    trap 'rm_group' EXIT
}

rm_group() {
    for _ in $(seq 50); do
        ! rmdir "$other" 2>/dev/null || return 0
        sleep 0.1
    done
    echo "# '$other' is not empty"
}

# A script, to which a file is given for the number of whom it leaves, and what that one is started by.
leaver() {
    cat >leave <<END
#!/bin/sh
mkfifo "\$1.gone"
setsid sh -c 'echo 0 >"$other/cgroup.procs"; echo \$\$ >"\$1"; echo >"\$1.gone"; shift; exec "\$@"' sh "\$1" \$2 $kid linger $token &
read -r gone <"\$1.gone"
END
    chmod +x leave
}

is_named() { # FILE
    is "$(records "\"pid\":$(cat "$1"),")" 1
}

test_who_leaves_the_control_group_is_named_and_ended() {
    needs cgroup
    another_group
    leaver
    suite "{name: a, leak-grace: 50ms, run: [./leave, one]}" "{name: b, leak-grace: 50ms, run: [./leave, two]}" \
        "{name: c, run: 'true'}"
    run --contain=cgroup -n 2
    status_is 1
    last_line_is '1 passed, 2 failed'
    is "$(records '"verdict":"leaked"')" 2
    is_named one
    is_named two
    nobody_is_left
}

# Alone it is known without its environment; and it is gone before the next one comes.
test_who_leaves_the_control_group_without_environment() {
    needs cgroup
    another_group
    leaver
    suite "{name: a, leak-grace: 50ms, run: [./leave, one, env -i]}" \
        "{name: b, run: '! kill -0 \$(cat one)'}"
    run --contain=cgroup -n 1
    status_is 1
    last_line_is '1 passed, 1 failed'
    is "$(records '"verdict":"leaked"')" 1
    is_named one
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

limited_suite() {
    suite "{name: a, limits: {memory: 64MiB}, run: 'true'}" "{name: b, limits: {memory: 32MiB, processes: 20}, run: 'true'}"
}

# Once for each limit, in the journal and whatever is made of it; and only where a case wants one.
test_limits_that_do_not_hold_are_said() {
    limited_suite
    run --contain=group
    status_is 0
    out_has "'limits: memory' does not hold: only control groups can hold it, and '--contain' wants process groups"
    out_has "'limits: processes' does not hold"
    is "$(records 'does not hold')" 2
    run report
    out_has "'limits: memory' does not hold"
    suite "{name: a, limits: {files: 20}, run: 'true'}"
    run --contain=group
    out_lacks 'does not hold'
}

test_limits_that_hold_are_not_talked_about() {
    needs_limit memory
    needs_limit processes
    limited_suite
    run
    status_is 0
    is "$(records 'does not hold')" 0
}

# Why, and where to look for what would allow it.
test_limits_that_cannot_be_had() {
    run exec --contain=cgroup --run-dir probe -- true
    [ "$status" = 4 ] || skip 'there are control groups'
    limited_suite
    run
    status_is 0
    out_has "'limits: memory' does not hold: only control groups can hold it (no control groups: "
    out_has "'run-matrix doctor' says what would allow it"
}

run_tests
