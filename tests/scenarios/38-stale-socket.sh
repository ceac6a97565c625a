#!/bin/sh
# Number 38: a killed server leaves its socket file, and by the number in its name somebody is there again.
. "$(dirname "$0")/lib.sh"
own_world
own_numbers

serve() { # FOLDER NAME: who listens there, and is killed: his number is $dead
    "$naive" serve "$1" "$2" >server.pid &
    await server.pid ''
    dead=$(cat server.pid)
    kill -KILL "$dead"
    wait "$dead" || :
}

somebody_at() { is "$("$naive" ask "$1")" somebody; }

# A socket of a child, who goes on when the process of the number in the name has ended.
serve_by_a_child() { # FOLDER NAME: $alive
    "$naive" handed "$1" "$2" "$token" >handed.pid
    alive=$1/$2@$(head -n 1 handed.pid).sock
    somebody_at "$alive"
}

test_control_a_sweep_that_goes_by_numbers() {
    needs_own_numbers
    mkdir registry
    serve registry old
    [ -S "registry/old@$dead.sock" ] || fail 'it is gone by itself'
    take_number "$dead" "$kid" linger "$token"
    serve_by_a_child registry new
    run_command "$naive" sweep registry
    out_has "kept old@$dead.sock"    # for ever
    out_has "removed ${alive#*/}" # somebody listens
}

sockets_are_told_apart() {
    [ ! -e "old@$dead.sock" ] || fail 'the socket of the dead is there'
    somebody_at "$alive"
}

# The rest of a case: WHAT it does when its server listens.
case_with_server() { # WHAT
    cat >case.sh <<END
'$naive' serve '$PWD' old >server.pid &
until grep -q . server.pid; do sleep 0.02; done
$1
END
    suite '{name: a, run: [bash, case.sh]}'
}

test_ours_at_the_end_of_a_case() {
    needs_own_world
    needs_own_numbers
    for contain in group cgroup; do
        can_contain "$contain" || continue
        case_with_server 'kill -KILL %1; wait; : >killed; until [ -e taken ]; do sleep 0.02; done'
        start "--contain=$contain"
        await_file killed
        dead=$(cat server.pid)
        take_number "$dead" "$kid" linger "$token"
        serve_by_a_child "$PWD" new
        : >taken
        finish
        status_is 1
        verdict_is a leaked
        is "$(told a '[leak["words"].split("/")[-1] for leak in last["leaks"] if leak["fails"]]')" "['old@$dead.sock']"
        sockets_are_told_apart
        end_survivors
        rm -rf ./* .run-matrix
    done
}

test_ours_by_reap() {
    needs_own_world
    needs_own_numbers
    case_with_server ': >up; while :; do wait; sleep 0.1; done' # it reaps its server
    start --contain=group
    await_file up
    kill_the_crew
    dead=$(cat server.pid)
    kill -KILL "$dead"
    comes_to "$dead" none
    take_number "$dead" "$kid" linger
    taken=$(who_has "$dead")
    serve_by_a_child "$PWD" new
    run reap
    out_has "old@$dead.sock, of run"
    sockets_are_told_apart
    is "$(who_has "$dead")" "$taken"
    kill -KILL "$dead"
}

run_tests
