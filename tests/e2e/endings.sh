#!/bin/sh
# How cases and runs end: deadlines, ladders, signals, stops.
. "$(dirname "$0")/lib.sh"

test_a_deadline_explains_itself() {
    suite "{name: hang, timeout: 200ms, run: [$kid, hang, $token]}"
    run
    status_is 1
    out_has 'timed out after 200ms'
    out_has 'run-matrix.yaml:2'
    out_has SIGINT
    nobody_is_left
}

test_an_exit_0_after_our_signal_is_no_pass() {
    suite "{name: polite, timeout: 200ms, run: [$kid, ignore-then-exit0]}"
    run
    status_is 1
    last_line_is '0 passed, 1 failed'
}

test_the_ladder_goes_up_as_far_as_it_must() {
    suite "{name: int, timeout: 100ms, stop: [INT 9s, KILL], run: [$kid, hang]}" \
        "{name: term, timeout: 100ms, stop: [INT 100ms, TERM 9s, KILL], run: [$kid, stubborn-int, $token]}" \
        "{name: kill, timeout: 100ms, stop: [INT 100ms, TERM 100ms, KILL], run: [$kid, stubborn, $token]}"
    run
    status_is 1
    for id in int:1 term:2 kill:3; do
        rungs=$("$program" report --format json | python3 -c '
import json, sys
for case in json.load(sys.stdin)["cases"]:
    if case["id"] == sys.argv[1]:
        print(len(case["attempts"][-1].get("ladder", [])))' "${id%:*}")
        is "$rungs" "${id#*:}"
    done
}

test_fifty_stubborn_cases_cost_one_ladder() {
    one="timeout: 300ms, stop: [INT 700ms, TERM 500ms, KILL], run: [$kid, stubborn, $token]"
    suite "{name: one, $one}"
    began=$(milliseconds)
    run
    single=$(($(milliseconds) - began))
    {
        echo 'strategy: {matrix: {n: ['"$(seq -s, 50)"']}}'
        echo 'tests:'
        echo "  - {name: 'all', $one}"
    } >run-matrix.yaml
    began=$(milliseconds)
    run -n 50 -v
    all=$(($(milliseconds) - began))
    status_is 1
    last_line_is '0 passed, 50 failed'
    [ "$all" -lt $((single * 4)) ] || fail "one took $single ms, fifty $all ms"
    bound=$(sed -n 's/.*an ending takes at most \([0-9.]*\)s.*/\1/p' "$scratch/out")
    is "$(awk -v all="$all" -v bound="$bound" 'BEGIN { print (all - 300) / 1000 <= bound }')" 1
    nobody_is_left
}

test_deadlines_strike_while_the_loop_stands_still() {
    suite "{name: hang, timeout: 200ms, run: [$kid, hang]}"
    RUN_MATRIX_FAULTS=loop-park=2s run
    status_is 1
    at=$("$program" report --format json | python3 -c '
import json, sys
print(json.load(sys.stdin)["cases"][0]["attempts"][0]["ladder"][0]["at"] < 1.5)')
    is "$at" True
}

test_a_grandchild_that_holds_the_output_does_not_hold_the_run() {
    suite "{name: a, timeout: 50s, leaks: ignore, run: [$kid, grandchild-holds, $token]}" "{name: b, timeout: 50s, leaks: ignore, run: [$kid, grandchild-holds, $token]}"
    began=$(milliseconds)
    run
    status_is 0
    [ $(($(milliseconds) - began)) -lt 20000 ] || fail 'it waited for the grandchild'
    run -s
    status_is 0
    [ $(($(milliseconds) - began)) -lt 40000 ] || fail 'the relay waited for the grandchild'
    nobody_is_left
}

test_a_slow_case_can_be_followed() {
    suite "{name: slow, slow: 100ms, timeout: 1s, run: 'echo look here; exec sleep 60'}"
    run
    out_has SLOW
    path=$(grep -o '[^ ]*/cases/slow/1/stdout' "$scratch/out" | head -n 1)
    is "$(cat "$path")" 'look here'
}

test_a_flood_is_ended() {
    suite "{name: flood, output-limit: 1MiB, run: 'while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done'}"
    run
    status_is 1
    out_has 'wrote more than 1048576 bytes'
    is "$(records '"verdict":"output limit"')" 1
}

test_a_quick_flood_is_one_too() {
    suite "{name: a, output-limit: 10k, run: [$kid, flood, '10000']}" "{name: b, output-limit: 10k, run: [$kid, flood, '10241']}"
    run
    status_is 1
    last_line_is '1 passed, 1 failed'
}

test_the_session_has_a_deadline() {
    suite "{name: a, run: [$kid, hang]}" "{name: b, run: [$kid, hang]}" '{name: c, run: ["true"]}'
    run -n 1 --session-timeout 300ms
    status_is 1
    last_line_is '0 passed, 1 failed'
    out_has 'session-timeout'
}

test_ctrl_c_ends_what_runs_and_starts_no_more() {
    suite "{name: a, retries: 3, run: [$kid, hang]}" '{name: b, run: ["true"]}'
    start -n 1
    await .run-matrix/latest/journal.ndjson '"ev":"start"'
    kill -INT "$runner"
    finish
    status_is 2
    is "$(records '"ev":"start"')" 1
    is "$(records '"ev":"cancel"')" 1
    is "$(records '"ev":"finish"')" 1
    out_has 'cancelled by SIGINT'
    last_line_is '0 passed, 0 failed'
}

test_a_second_ctrl_c_hurries_and_a_third_kills() {
    suite "{name: a, stop: [INT 50s, TERM 50s, KILL], run: [$kid, stubborn, $token]}" "{name: b, stop: [INT 50s, TERM 50s, KILL], run: [$kid, stubborn-int, $token]}"
    start -n 2
    await .run-matrix/latest/journal.ndjson '"ev":"start","case":1'
    await .run-matrix/latest/journal.ndjson '"ev":"start","case":0'
    kill -INT "$runner"
    await "$scratch/out" 'again to hurry'
    kill -INT "$runner"
    await "$scratch/out" 'sending TERM'
    kill -INT "$runner"
    finish
    status_is 2
    nobody_is_left
}

test_term_and_hup_end_a_run() {
    suite "{name: a, run: [$kid, stubborn-int, $token]}"
    for signal in TERM HUP; do
        start
        await .run-matrix/latest/journal.ndjson '"ev":"start"'
        kill "-$signal" "$runner"
        finish
        status_is 2
        rm -rf .run-matrix
    done
}

test_nohup_is_heeded() {
    suite '{name: a, run: "touch up; while [ ! -e down ]; do sleep 0.05; done"}'
    env --ignore-signal=HUP "$program" >"$scratch/out" 2>&1 </dev/null &
    runner=$!
    await .run-matrix/latest/journal.ndjson '"ev":"start"'
    kill -HUP "$runner"
    touch down
    finish
    status_is 0
}

test_usr1_says_what_runs() {
    suite "{name: a, run: 'echo the last line; exec sleep 60'}"
    start
    await .run-matrix/latest/journal.ndjson '"ev":"start"'
    for _ in $(seq 100); do
        kill -USR1 "$runner"
        ! grep -q 'the last line' "$scratch/out" || break
        sleep 0.1
    done
    kill -TERM "$runner"
    finish
    out_has 'the last line'
}

state_of() { sed 's/.*) \(.\).*/\1/' "/proc/$1/stat"; }

# Until a process is in a state.
await_state() { # PID STATE
    for _ in $(seq 300); do
        [ "$(state_of "$1")" != "$2" ] || return 0
        sleep 0.05
    done
    fail "process $1 is $(state_of "$1"), not $2"
}

test_stop_and_continue_reach_the_cases() {
    suite "{name: a, timeout: 900ms, run: 'echo \$\$ >pid; while [ ! -e go ]; do sleep 0.02; done'}"
    start_job
    await .run-matrix/latest/journal.ndjson '"ev":"start"'
    await pid ''
    kill -TSTP "$runner"
    await_state "$runner" T
    await_state "$(cat pid)" T
    sleep 1.2
    touch go
    kill -CONT "$runner"
    finish
    status_is 0
}

test_deadlines_stand_still_while_the_runner_is_stopped() {
    suite "{name: a, timeout: 900ms, run: 'while [ ! -e go ]; do sleep 0.02; done'}"
    start
    await .run-matrix/latest/journal.ndjson '"ev":"start"'
    kill -STOP "$runner"
    await_state "$runner" T
    sleep 1.2
    touch go
    kill -CONT "$runner"
    finish
    status_is 0
}

test_github_gives_little_time() {
    suite "{name: a, stop: [INT 60s, TERM 60s, KILL], run: [$kid, stubborn, $token]}"
    export GITHUB_ACTIONS=true
    start
    await .run-matrix/latest/journal.ndjson '"ev":"start"'
    began=$(milliseconds)
    kill -INT "$runner"
    finish
    status_is 2
    [ $(($(milliseconds) - began)) -lt 20000 ] || fail 'it took all the time it was given'
}

run_tests
