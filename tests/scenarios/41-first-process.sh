#!/bin/sh
# Number 41: the first process of a container does not reap, and zombies pile up.
. "$(dirname "$0")/lib.sh"
own_world

as_first() { # COMMAND...
    unshare -Urpf --mount-proc true 2>/dev/null || skip 'no PID namespace to be had'
    run_command unshare -Urpf --mount-proc "$@"
}

test_control_a_first_process_that_waits_for_its_own() {
    as_first "$naive" first 20
    status_is 0
    out_is 20
}

# Seen by the case, as nobody else is there; they are gone as soon as somebody has reaped them.
test_ours_nobody_is_a_zombie() {
    suite "{name: a, run: '$naive make 20; until [ \$($naive count) = 0 ]; do sleep 0.02; done'}"
    for contain in group pidns; do
        as_first "$program" "--contain=$contain"
        [ "$contain $status" != 'pidns 4' ] || continue # not to be had here
        status_is 0
        last_line_is '1 passed, 0 failed'
    done
}

# Those of a runner that is killed are reaped by who is left.
test_ours_when_the_runner_is_killed() {
    cat >first.sh <<'END'
"$1" --contain=group >out 2>&1 &
guard=$!
until [ -e up ]; do sleep 0.02; done
kill -KILL "$(sed 's/.*"runner":{"pid":\([0-9]*\).*/\1/' .run-matrix/latest/held.json)"
wait "$guard"
echo "status $?"
END
    cat >case.sh <<END
for _ in 1 2 3 4 5; do '$kid' daemon $token; done
: >up
exec '$kid' hang $token
END
    suite '{name: a, run: [sh, case.sh]}'
    as_first sh first.sh "$program"
    out_is 'status 137'
    nobody_is_left
}

run_tests
