#!/bin/sh
# Number 40: who looks for orphans below process 1 does not find those that fell to somebody else on the way.
. "$(dirname "$0")/lib.sh"
own_world
own_numbers

test_control_a_search_below_process_1() {
    needs_own_numbers
    "$kid" daemon "$token" >daemon.pid
    is "$("$naive" find "daemon $token")" "$(cat daemon.pid)"
    "$naive" below "$kid" daemon "$token.below" >said &
    await said ' ' # when the command has ended
    orphan=$(head -n 1 said)
    comes_to "$orphan" S
    is "$("$naive" find "daemon $token.below")" ''
}

# The runner is below one, and the case has one itself.
test_ours_orphans_of_a_subreaper() {
    suite "{name: a, leak-grace: 50ms, stop: [TERM tree 1s, KILL], run: '$naive below $kid daemon $token >said & until grep -q \" \" said; do sleep 0.02; done'}"
    for contain in group cgroup pidns; do
        can_contain "$contain" || continue
        run_command "$naive" below -x "$program" "--contain=$contain"
        status_is 1
        verdict_is a leaked
        told a '"; ".join(leak["words"] for leak in last["leaks"] if leak["fails"])' >"$scratch/leaks"
        has leaks "$naive below"
        has leaks "$kid daemon $token"
        nobody_is_left
        rm said
    done
}

test_ours_by_reap() {
    suite "{name: a, run: '$naive below $kid daemon $token >said & until grep -q \" \" said; do sleep 0.02; done; : >up; exec $kid hang $token'}"
    ran="a run below a subreaper"
    "$naive" below -x "$program" --contain=group >"$scratch/out" 2>"$scratch/err" </dev/null &
    runner=$!
    await_file up
    kill_the_crew
    run reap --grace 1s
    out_has "$kid daemon $token"
    out_has "$naive below"
    nobody_is_left
}

run_tests
