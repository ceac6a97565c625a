#!/bin/sh
# Number 42: between the listing and the kill a process ends, and another one gets its number.
. "$(dirname "$0")/lib.sh"
own_world
own_numbers

# Somebody with the number of who is dead: $decoy, whom no test looks for, as he has no word of it.
take_its_number() { # PID
    take_number "$1" "$kid" linger
    stranger=$1 was=$(who_has "$1")
}

stranger_is_dead() {
    comes_to "$stranger" none
}

stranger_lives() {
    is "$(who_has "$stranger")" "$was"
    is "$(state_of "$stranger")" S
    kill -KILL "$stranger"
}

test_control_a_reaper_by_numbers() {
    needs_own_numbers
    "$kid" linger "$token" &
    victim=$!
    mkfifo over
    exec 9<>over
    "$naive" "linger $token" 9 >listed <&9 &
    reaper=$!
    await listed 1 # it has listed it
    kill -KILL "$victim"
    wait "$victim" || :
    take_its_number "$victim"
    echo over >&9
    wait "$reaper"
    stranger_is_dead
}

# One ends by INT, and its number is taken; the other waits for KILL.
two_members() {
    cat >case.sh <<END
env --default-signal=INT '$kid' daemon $token >victim
'$kid' stubborn-daemon $token
: >up
trap '' INT TERM
while :; do sleep 0.1; done
END
    suite '{name: a, stop: [INT tree 5m, TERM tree 5m, KILL], run: [bash, case.sh]}'
}

# Ctrl-C says when the next step is taken.
test_ours_a_ladder_that_is_climbed_by_hand() {
    needs_own_numbers
    for contain in group cgroup; do
        can_contain "$contain" || continue
        two_members
        start "--contain=$contain"
        await_file up
        victim=$(cat victim)
        kill -INT "$runner"
        comes_to "$victim" none
        take_its_number "$victim"
        kill -INT "$runner"
        await "$scratch/out" 'sending TERM'
        kill -INT "$runner"
        finish
        status_is 2
        out_has 'sending KILL'
        stranger_lives
        nobody_is_left
        rm -rf ./* .run-matrix
    done
}

test_ours_a_reaper_that_has_listed_it() {
    needs_own_numbers
    two_members
    start --contain=group
    await_file up
    victim=$(cat victim)
    kill_the_crew
    "$program" reap --grace 6s >"$scratch/out" 2>&1 &
    reaper=$! ran=reap
    comes_to "$victim" none # by INT
    take_its_number "$victim"
    kill -0 "$reaper" 2>/dev/null || fail 'it was over before there was somebody of that number'
    wait "$reaper" || :
    out_has ': killed' # the other one, after that
    stranger_lives
    nobody_is_left
}

run_tests
