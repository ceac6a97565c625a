#!/bin/sh
# Number 46: a machine that gives a tenth of a processor looks like a regression of what is tested.
. "$(dirname "$0")/lib.sh"
own_world

# A group that has a tenth of a processor, by either version: $slow.
tenth_of_a_processor() {
    awk '$3 == "cgroup2" || $3 == "cgroup" && $4 ~ /(^|,)cpu(,|$)/ { print $2 }' /proc/self/mounts >mounts
    while read -r mount; do
        slow=$mount/test-$token
        mkdir "$slow" 2>/dev/null || continue
        trap 'give_back' EXIT
        if [ -w "$slow/cpu.max" ]; then
            echo '10000 100000' >"$slow/cpu.max"
        elif [ -w "$slow/cpu.cfs_quota_us" ]; then
            echo 100000 >"$slow/cpu.cfs_period_us"
            echo 10000 >"$slow/cpu.cfs_quota_us"
        else
            rmdir "$slow"
            continue # the cpu is another's, or not to be had here
        fi
        return 0
    done <mounts
    skip 'no control group can be had that limits processors'
}

give_back() {
    for _ in $(seq 100); do
        ! rmdir "$slow" 2>/dev/null || return 0
        sleep 0.1
    done
    echo "# '$slow' is not empty"
}

slowly() { # COMMAND...
    # shellcheck disable=SC2016 # for that shell
    run_command sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$slow" "$@"
}

# What needs a second of a processor has had less than half of that when two are over.
test_control_a_deadline_by_the_wall_clock() {
    tenth_of_a_processor
    slowly "$naive" 2000 1000
    status_is 0
    out_has 'FAIL after 2000 ms, having had '
    [ "$(sed 's/.*had //' "$scratch/out")" -lt 500 ] || fail "the group does not hold: $(cat "$scratch/out")"
}

# Somebody who takes all that the group has, until it is stopped for that: $spinner.
start_spinner() {
    # shellcheck disable=SC2016 # for that shell
    sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$slow" "$kid" spin "$token" >spins &
    spinner=$!
    for _ in $(seq 300); do
        [ "$(sed -n 's/^nr_throttled //p' "$slow/cpu.stat")" = 0 ] || return 0
        sleep 0.1
    done
    fail 'the group is not slowed down'
}

# That it is the machine is not said yet; it ends in its time, and nobody is left.
test_ours_it_ends_and_leaves_nothing() {
    tenth_of_a_processor
    start_spinner
    suite "{name: hangs, timeout: 300ms, stop: [INT 100ms, TERM 100ms, KILL], run: '$kid daemon $token; exec $kid stubborn $token'}" \
        "{name: leaves, leak-grace: 50ms, stop: [KILL], run: [$kid, stubborn-daemon, $token]}" '{name: passes, run: ["true"]}'
    began=$(milliseconds)
    slowly "$program" --contain=group
    took_at_most 60
    status_is 1
    last_line_is '1 passed, 2 failed'
    verdict_is hangs timeout
    verdict_is leaves leaked
    kill -KILL "$spinner"
    wait "$spinner" || :
    nobody_is_left
}

run_tests
