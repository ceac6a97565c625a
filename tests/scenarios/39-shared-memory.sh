#!/bin/sh
# Number 39: shared memory outlives who was killed, so the next parameter finds it; or a sweep removes somebody else's.
. "$(dirname "$0")/lib.sh"
own_world

# Somebody who keeps a segment: $holder.
hold() {
    "$naive" hold "/$token.held" "$token" >held &
    holder=$!
    await held made
}

segments() { find /dev/shm -name "$token*" -printf '%f\n' | sort | sed "s/^$token//" | xargs; }

test_control_parameters_that_make_the_same_segment() {
    for want in 137 1; do
        run_command "$naive" make "/$token.one"
        status_is "$want"
    done
    err_has 'File exists'
    rm -f "/dev/shm/$token.one"
}

# All that nobody has mapped or open: whose they are there is no telling.
test_control_a_sweep_of_what_nobody_uses() {
    needs_own_world
    "$naive" rest "/$token.rests"
    hold
    "$naive" make "/$token.one" >killed 2>&1 || :
    for file in "/dev/shm/$token"*; do
        find /proc/[0-9]*/fd /proc/[0-9]*/map_files -lname "$file" 2>/dev/null | grep -q . || rm "$file"
    done
    is "$(segments)" .held
}

test_ours_each_parameter_finds_nothing() {
    needs_own_world
    "$naive" rest "/$token.rests"
    suite "{name: a, matrix: {n: [1, 2, 3]}, run: ['$naive', make, /$token.one]}"
    run -n 1
    status_is 1
    for n in 1 2 3; do
        is "$(told "a@n=$n" 'case["verdict"], last["signal"]')" "('crashed', 'SIGKILL')"
        is "$(told "a@n=$n" '[leak["words"] for leak in last["leaks"]]')" "['/$token.one']"
    done
    is "$(segments)" .rests
}

test_ours_what_others_have_stays() {
    needs_own_world
    "$naive" rest "/$token.rests"
    suite "{name: a, run: '$naive make /$token.one || :; : >made; until [ -e go ]; do sleep 0.02; done'}"
    start
    await_file made
    hold
    : >go
    finish
    status_is 1
    verdict_is a leaked
    is "$(segments)" '.held .rests'
    kill -0 "$holder" || fail 'who holds it was ended'
}

run_tests
