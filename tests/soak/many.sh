#!/bin/sh
# Full counts of what `make check` does in small: many cases, long stops.
. "$(dirname "$0")/../e2e/lib.sh"

grid() { # ROWS COLUMNS COMMAND
    {
        echo "strategy: {matrix: {row: [$(seq -s, "$1")], column: [$(seq -s, "$2")]}}"
        echo "tests: [{name: t, run: $3}]"
    } >run-matrix.yaml
}

# The one below the guard, which is what we started.
runner_of() { # GUARD
    until number=$(sed -n 's/.*"runner":{"pid":\([0-9]*\).*/\1/p' .run-matrix/latest/held.json 2>/dev/null) && [ -n "$number" ]; do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.05
    done
    echo "$number"
}

# What the runner itself has open and what it has not reaped, looked at while it goes on.
watch_runner() { # PID
    zombies=0
    : >"$scratch/descriptors"
    while kill -0 "$1" 2>/dev/null; do
        find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l >>"$scratch/descriptors"
        now=$(pgrep -c -r Z -P "$1" || :)
        [ "$now" -le "$zombies" ] || zombies=$now
        sleep 0.02
    done
}

most() { sort -n | tail -n 1; }

# It has as many open near its end as it had near its beginning; how many these are is its own matter.
descriptors_do_not_grow() { # [HOW MANY MORE MAY BE OPEN FOR A MOMENT]
    fifth=$(($(wc -l <"$scratch/descriptors") / 5))
    [ "$fifth" -ge 3 ] || fail 'the runner was hardly seen'
    early=$(head -n "$fifth" "$scratch/descriptors" | most)
    late=$(tail -n "$fifth" "$scratch/descriptors" | most)
    [ "$early" -gt 3 ] || fail 'the runner was not seen'
    [ $((late - early)) -le "${1-8}" ] || fail "$early descriptors in the first fifth of the run, $late in the last"
}

test_ten_thousand_fast_exits_five_times() {
    grid 100 100 "['$tiny']"
    for _ in 1 2 3 4 5; do
        "$program" -n 8 >"$scratch/out" 2>"$scratch/err" &
        runner=$!
        watch_runner "$(runner_of "$runner")"
        wait "$runner" || fail 'it failed'
        last_line_is '10000 passed, 0 failed'
        is "$(grep -c '"verdict":"lost"' .run-matrix/latest/journal.ndjson)" 0
        descriptors_do_not_grow
        [ "$zombies" -le 8 ] || fail "$zombies zombies"
    done
}

# What is opened for the sake of who is left, and of who is ended, is closed again.
test_a_thousand_that_leak_or_time_out() {
    {
        echo "strategy: {matrix: {n: [$(seq -s, 500)]}}"
        echo 'defaults: {leak-grace: 0s, stop: [KILL]}'
        echo 'tests:'
        echo "  - {name: leaves, run: ['$kid', daemon, '$token']}"
        echo "  - {name: stays, timeout: 100ms, run: ['$kid', linger, '$token']}"
    } >run-matrix.yaml
    start -n 8
    watch_runner "$(runner_of "$runner")"
    finish
    status_is 1
    last_line_is '0 passed, 1000 failed'
    is "$(records '"verdict":"leaked"') $(records '"verdict":"timeout"')" '500 500'
    descriptors_do_not_grow
    nobody_is_left
}

each_second() { # SIGNAL PID
    while kill "-$1" "$2" 2>/dev/null; do sleep 1; done
}

# Statuses, descriptors and who is left over, while three hundred who hang are looked at, and all who run each second.
# In small: DUMP_SIDE.
test_ten_thousand_beside_dumps() {
    side=${DUMP_SIDE:-100}
    cat >run-matrix.yaml <<YAML
strategy: {matrix: {row: [$(seq -s, "$side")], column: [$(seq -s, "$side")]}}
tests:
  - {name: quick, run: [sh, -c, "exit \$((RUN_MATRIX_AXIS_COLUMN % 3))"]}
  - {name: hang, axes: [row], run: "'$kid' hang $token & '$kid' spin $token", timeout: 300ms, stop: [KILL], retries: 2}
YAML
    start -n 8 -q
    number=$(runner_of "$runner")
    each_second USR2 "$runner" &
    asking=$!
    watch_runner "$number"
    finish
    wait "$asking" || :
    status_is 1
    "$program" report --format json | python3 -c '
import json, sys
cases = json.load(sys.stdin)["cases"]
quick = [c for c in cases if c["test"] == "quick"]
wrong = [c["id"] for c in quick if c["attempts"][-1]["exit"] != c["cell"]["column"] % 3]
hung = [a for c in cases if c["test"] == "hang" for a in c["attempts"]]
untold = [a for a in hung if "dump" not in a and not any("there is no dump: " in n for n in a["notes"])]
print(len(quick), wrong, len(hung), {a["verdict"] for a in hung}, len(untold), sum("dump" in a for a in hung) * 2 > len(hung))
' >"$scratch/told"
    is "$(cat "$scratch/told")" "$((side * side)) [] $((side * 3)) {'timeout'} 0 True"
    [ -n "$(find .run-matrix/latest/ -name 'dump-asked*.txt' | head -n 1)" ] || fail 'nobody was looked at when asked'
    descriptors_do_not_grow 64 # those of the dumps that are being made
    nobody_is_left
}

test_a_hundred_thousand() {
    grid 1000 100 "['$tiny']"
    run -n 2 -q
    status_is 0
    last_line_is '100000 passed, 0 failed'
}

test_stopped_for_a_minute() {
    printf 'tests:\n  - {name: a, timeout: 5s, run: "while [ ! -e go ]; do sleep 0.1; done"}\n' >run-matrix.yaml
    "$program" >"$scratch/out" 2>"$scratch/err" &
    runner=$!
    while ! grep -q '"ev":"start"' .run-matrix/latest/journal.ndjson 2>/dev/null; do sleep 0.1; done
    kill -STOP "$runner"
    sleep 60
    touch go
    kill -CONT "$runner"
    wait "$runner" || fail 'the minute was counted'
}

test_killed_and_resumed_until_done() {
    grid 40 50 "['$tiny']"
    times=0
    while :; do
        times=$((times + 1))
        if [ "$times" = 1 ]; then set --; else set -- --resume; fi
        "$program" "$@" >"$scratch/out" 2>"$scratch/err" &
        runner=$!
        sleep "0.0$((times % 7 + 2))"
        kill -KILL "$runner" 2>/dev/null || :
        if wait "$runner" 2>/dev/null; then break; fi
        grep -q '"ev":"run"' .run-matrix/latest/journal.ndjson 2>/dev/null || { rm -rf .run-matrix && times=0; }
    done
    run report -q
    last_line_is '2000 passed, 0 failed'
}

run_tests
