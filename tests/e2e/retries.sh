#!/bin/sh
# Cases that are run again: after which failures, when, and what ends that.
# shellcheck disable=SC2016 # ${{ }} and $VARIABLES are for whoever reads the yaml
. "$(dirname "$0")/lib.sh"

# What a case says when it runs: its name, and which attempt it is.
log='echo "$RUN_MATRIX_CASE_ID $RUN_MATRIX_ATTEMPT" >>log'
fails_once="$log; exit \$((RUN_MATRIX_ATTEMPT < 2))"
# A wait that no test waits for.
long='backoff: 1h'

log_is() { # what stands on stdin
    cat >"$scratch/wanted"
    diff -u "$scratch/wanted" log >"$scratch/diff" || {
        sed 's/^/# /' "$scratch/diff"
        fail 'they ran otherwise'
    }
}

line_of() { # TEXT: its number in the log
    grep -nxF "$1" log | cut -d: -f1
}

# ---- after which failures ----

test_by_class() {
    signals_kill
    suite "{name: failed, retries: {count: 2, on: [crashed]}, run: 'exit 1'}" \
        "{name: hangs, retries: {count: 2, on: [failed]}, timeout: 200ms, run: [$kid, hang]}" \
        "{name: crashes, retries: {count: 2, on: [crashed, failed]}, run: 'kill -SEGV \$\$'}" \
        "{name: both, retries: {count: 3, on: [crashed, failed]}, run: 'case \$RUN_MATRIX_ATTEMPT in 1) exit 1 ;; 2) kill -SEGV \$\$ ;; *) exit 99 ;; esac'}"
    run
    status_is 1
    is "$(told failed 'len(case["attempts"])')" 1
    is "$(told hangs 'len(case["attempts"])')" 1
    is "$(told crashes 'len(case["attempts"])')" 3
    is "$(told both '[a["verdict"] for a in case["attempts"]]')" "['failed', 'crashed', 'error']"
}

test_an_error_only_where_it_is_named() {
    suite '{name: plain, retries: 1, run: "exit 99"}' \
        '{name: named, retries: {count: 1, on: [error]}, run: "exit $(( RUN_MATRIX_ATTEMPT < 2 ? 99 : 0 ))"}'
    run
    status_is 1
    is "$(told plain 'len(case["attempts"])')" 1
    is "$(told named 'case["verdict"]')" flaky
}

test_a_fixture_of_its_own_that_could_not_be_made() {
    suite '{name: a, retries: {count: 2, on: [error]}, fixtures: [db], run: "true"}' \
        '{name: b, retries: 2, fixtures: [db], run: "true"}'
    cat >>run-matrix.yaml <<'YAML'
fixtures:
  db: {scope: case, run: 'echo made >>made; [ "$(wc -l <made)" -gt 2 ]'}
YAML
    run -n 1 --id a
    status_is 0
    is "$(told a '[x["verdict"] for x in case["attempts"]]')" "['error', 'error', 'passed']"
    rm made
    run --id b
    status_is 1
    is "$(wc -l <made)" 1
}

test_the_command_line_changes_what_it_says_and_keeps_the_rest() {
    suite "{name: a, retries: {count: 1, on: [failed], when: end, backoff: 10ms}, run: '$log; [ \$RUN_MATRIX_ATTEMPT = 3 ]'}" "{name: b, run: '$log'}"
    run -n 1 --retries 2
    status_is 0
    out_has '; again when all others are over, not before 10ms from now'
    log_is <<'LOG'
a 1
b 1
a 2
a 3
LOG
    rm log
    run -n 1 --retry-when at-once --retries 3
    status_is 0
    out_has 'exit status 1; again in 10ms'
    log_is <<'LOG'
a 1
b 1
a 2
a 3
LOG
    run -n 1 --retry-on timeout,crashed --id a
    status_is 1
    is "$(records '"ev":"start"')" 1
    run --retry-on timeout,slow
    status_is 4
    err_has "an item of 'on' must be failed, timeout, crashed, leaked, oom, output-limit or error, not 'slow'"
    run show --config --json a
    out_has '{"key":"retries.count","value":1,"layer":"test"'
    out_has '{"key":"retries.when","value":"end","layer":"test"'
}

# ---- when ----

test_a_wait_holds_no_slot_no_lock_and_no_place() {
    suite "{name: a, lock: x, weight: 2, retries: {count: 1, $long}, run: '$log; exit 1'}" \
        "{name: b, lock: x, weight: 2, run: '$log'}" "{name: c, serial: true, run: '$log'}"
    start -n 2
    await log 'c 1'
    await .run-matrix/latest/journal.ndjson '"ev":"end","case":2'
    out_has 'a: exit status 1; again in 1h'
    kill -USR1 "$runner"
    await "$scratch/out" '1 waits to be run again'
    kill -INT "$runner"
    finish
    status_is 2
    is "$(grep -c . log)" 3
    is "$(told a 'case["verdict"]')" failed
    is "$(told a 'last["reason"]')" 'cancelled by SIGINT'
    last_line_is '2 passed, 1 failed'
}

# Nothing else happens that the loop could wake up for.
test_the_end_of_a_wait_is_noticed() {
    suite "{name: a, retries: {count: 3, backoff: {first: 5ms, factor: 3, jitter: 50%}}, run: '$log; [ \$RUN_MATRIX_ATTEMPT = 4 ]'}"
    run
    status_is 0
    is "$(told a 'case["verdict"]')" flaky
    is "$(grep -c . log)" 4
}

test_at_the_end_all_others_are_over() {
    common='defaults: {retries: {count: 2, when: end}}'
    suite "{name: a, run: '$log; [ \$RUN_MATRIX_ATTEMPT = 3 ]'}" "{name: b, run: '$fails_once'}" \
        "{name: now, retries: {when: at-once, backoff: 50ms}, run: '$fails_once'}" "{name: last, serial: true, run: '$log'}"
    run -n 1
    status_is 0
    log_is <<'LOG'
a 1
b 1
now 1
last 1
now 2
a 2
b 2
a 3
LOG
    last_line_is '4 passed, 0 failed'
}

# Its own slot is free, and that of the one that runs is not: the pass begins when that one has ended.
test_the_end_waits_for_what_runs() {
    suite "{name: a, retries: {count: 1, when: end}, run: '$fails_once'}" \
        "{name: b, run: 'touch up; while [ ! -e down ]; do sleep 0.05; done; $log'}"
    start -n 2
    await "$scratch/out" 'a: exit status 1; again when all others are over'
    await_file up
    is "$(cat log)" 'a 1'
    touch down
    finish
    status_is 0
    log_is <<'LOG'
a 1
b 1
a 2
LOG
}

test_fixtures_stay_up_until_the_end() {
    common='strategy: {matrix: {c: [x, y]}}
fixtures:
  cell: {scope: cell, run: "echo up ${{ matrix.c }} >>log", teardown: "echo down ${{ matrix.c }} >>log"}
  all: {scope: session, run: "echo up all >>log", teardown: "echo down all >>log"}'
    suite "{name: a, fixtures: [all, cell], axes: [c], retries: {count: 1, when: end}, run: '$fails_once'}"
    run -n 1
    status_is 0
    is "$(grep -c '^up' log)" 3
    is "$(grep '^a@' log | sed 's/.* //' | tr -d '\n')" 1122
    for cell in x y; do
        for fixture in $cell all; do
            [ "$(line_of "down $fixture")" -gt "$(line_of "a@c=$cell 2")" ] || fail "the fixture of $fixture was gone: $(cat log)"
        done
    done
}

# Its cell stays in flight until it is over; the next could not begin beside it.
test_the_end_is_that_of_the_cell_where_max_parallel_limits_them() {
    common='strategy: {max-parallel: 1, matrix: {c: [x, y]}}'
    suite "{name: a, axes: [c], retries: {count: 1, when: end}, run: '$fails_once'}" "{name: b, axes: [c], run: '$log'}"
    run -n 2
    status_is 0
    is "$(sed -n 3p log)" 'a@c=x 2'
    is "$(sed -n 6p log)" 'a@c=y 2'
}

# Of a suite that can be told what to run those that failed are run, whenever that is.
test_only_what_failed_is_run_at_the_end() {
    write suite <<'SH'
#!/bin/sh
if [ "$1" = --names ]; then
    printf 'a\nb\nc\n'
    exit
fi
echo "suite $*" >>log
for name; do
    if [ "$name" = b ] && [ "$RUN_MATRIX_ATTEMPT" = 1 ]; then
        echo "not ok $name"
        failed=1
    else
        echo "ok $name"
    fi
done
exit "${failed:-0}"
SH
    chmod +x suite
    cat >run-matrix.yaml <<'YAML'
tests:
  - name: s
    retries: {count: 1, on: [failed], when: end, backoff: 10ms}
    run: ./suite a b c
    discover: {list: [./suite, --names], run: [./suite, '{tests}']}
    results: {lines: '^(?<verdict>ok|not ok) (?<name>.+)$'}
  - {name: other, run: 'echo other >>log'}
YAML
    run -n 1
    status_is 0
    log_is <<'LOG'
suite a b c
other
suite b
LOG
    last_line_is '4 passed, 0 failed'
    sed -i 's/on: .failed./on: [timeout]/' run-matrix.yaml
    run -n 1
    status_is 1
    last_line_is '3 passed, 1 failed'
}

test_one_command_without_a_file() {
    run exec --retries 2 --retry-when end -- sh -c "$fails_once"
    status_is 0
    is "$(grep -c . log)" 2
}

# ---- what ends it ----

test_ctrl_c_ends_a_wait_at_once() {
    suite "{name: a, retries: {count: 5, $long}, run: '$log; exit 1'}" "{name: b, retries: {count: 5, when: end, $long}, run: '$log; exit 1'}"
    start
    await "$scratch/out" 'b: exit status 1; again when'
    await "$scratch/out" 'a: exit status 1; again in'
    kill -INT "$runner"
    finish
    status_is 2
    is "$(grep -c . log)" 2
    last_line_is '0 passed, 2 failed'
}

test_the_deadline_of_the_session_ends_a_wait() {
    suite "{name: a, retries: {count: 5, $long}, run: '$log; exit 1'}"
    run --session-timeout 1s
    status_is 1
    is "$(grep -c . log)" 1
    is "$(told a 'last["reason"]')" 'the session deadline struck before'
}

# Once there are enough failures nothing is run again: neither what waits for that, nor what fails later.
test_after_exitfirst_nothing_is_run_again() {
    suite "{name: waits, retries: {count: 5, $long}, run: '$log; touch waits; exit 1'}" \
        "{name: last, retries: {count: 5, when: end}, run: '$log; touch last; exit 1'}" \
        "{name: runs, retries: 5, run: '$log; touch runs; while [ ! -e down ]; do sleep 0.05; done; exit 1'}" \
        "{name: fails, run: 'while [ ! -e waits ] || [ ! -e last ] || [ ! -e runs ] || [ ! -e go ]; do sleep 0.05; done; exit 1'}"
    start -n 4 -x
    await "$scratch/out" 'waits: exit status 1; again in'
    await "$scratch/out" 'last: exit status 1; again when'
    touch go
    await "$scratch/out" ' fails: exit status 1'
    touch down
    finish
    status_is 1
    is "$(grep -c . log)" 3
    is "$(told waits 'last["reason"]')" 'stopped after 1 failure'
    last_line_is '0 passed, 4 failed'
}

# Who waits for another attempt has not failed yet; where it does, that counts.
test_only_the_last_attempt_counts_for_exitfirst() {
    suite "{name: a, retries: 1, run: '$fails_once'}" "{name: b, run: '$log'}"
    run -n 1 -x
    status_is 0
    last_line_is '2 passed, 0 failed'
}

# Cells that are in flight go on, and with them what is to be run again there.
test_fail_fast_leaves_retries_in_cells_that_run() {
    common='strategy: {fail-fast: true, matrix: {c: [x, y]}}'
    suite "{name: a, axes: [c], weight: 2, retries: {count: 1, backoff: 100ms}, run: '$fails_once'}" \
        "{name: b, axes: [c], weight: 2, run: 'exit 1'}"
    run -n 2 --cell c=x
    status_is 1
    is "$(told a@c=x 'case["verdict"]')" flaky
    rm -rf log .run-matrix
    sed -i 's/fail-fast: true/fail-fast: true, max-parallel: 1/' run-matrix.yaml
    run -n 2
    status_is 1
    is "$(told a@c=x 'case["verdict"]')" flaky
    is "$(told a@c=y 'case["verdict"]')" 'not run'
    log_is <<'LOG'
a@c=x 1
a@c=x 2
LOG
}

# Attempts that were made count, and the wait is none any more.
test_a_run_that_died_in_a_wait_is_finished() {
    suite "{name: a, retries: {count: 2, $long}, run: '$fails_once'}"
    RUN_MATRIX_FAULTS=die-written run
    status_is 137
    is "$(cat log)" 'a 1'
    run --resume
    status_is 0
    is "$(told a 'case["verdict"]')" flaky
    log_is <<'LOG'
a 1
a 2
LOG
}

# The clock of a wait stands still while the run does: between two attempts there is all of the backoff besides the stop. Half
# of that is asked for, which is more than whoever counts the stop as waiting comes to.
test_a_stop_and_a_wait() {
    suite "{name: a, retries: {count: 1, backoff: 4s}, run: 'cut -d\" \" -f1 /proc/uptime >>times; $fails_once'}"
    start_job
    await "$scratch/out" 'again in 4s'
    kill -TSTP "$runner"
    state=
    for _ in $(seq 300); do
        state=$(ps -o stat= -p "$runner")
        case $state in T*) break ;; esac
        sleep 0.1
    done
    case $state in T*) ;; *) fail "it is not stopped, but '$state'" ;; esac
    stopped=$(cut -d' ' -f1 /proc/uptime)
    sleep 5
    is "$(grep -c . log)" 1
    continued=$(cut -d' ' -f1 /proc/uptime)
    kill -CONT "$runner"
    finish
    status_is 0
    is "$(grep -c . log)" 2
    python3 -c 'import sys
stopped, continued, first, second = map(float, sys.argv[1:])
assert second - first >= 4 + (continued - stopped) / 2, sys.argv' "$stopped" "$continued" "$(head -n 1 times)" "$(tail -n 1 times)" ||
        fail 'it did not wait'
}

# What it was in is on record with what became of it.
test_a_quarantine_is_not_forgotten_when_a_retry_is_dropped() {
    suite "{name: a, quarantine: {owner: me, reason: r, until: 2999-01-01}, retries: {count: 1, $long}, run: 'exit 1'}" \
        "{name: b, run: 'while [ ! -e go ]; do sleep 0.05; done; exit 1'}"
    start -n 2 -x
    await "$scratch/out" 'again in 1h'
    touch go
    finish
    status_is 1
    last_line_is '0 passed, 1 failed'
    is "$(told a 'case["quarantined"]')" True
}

# ---- what is said of it ----

test_the_header_says_how() {
    common='defaults: {retries: {count: 2}}'
    suite '{name: a, run: "true"}' '{name: b, run: "true"}'
    run
    out_has 'what fails may be run again, up to 2 times'
    run --retries 1 --retry-when end --flaky-result fail
    out_has 'what fails may be run again, up to 1 time, when all others are over; flaky fails the run'
    suite '{name: a, run: "true"}' '{name: b, retries: 0, run: "true"}' '{name: c, retries: {when: end}, run: "true"}'
    run
    out_has '2 of 3 cases may be run again where they fail, up to 2 times, 1 of them when all others are over'
    run --retries 0
    out_lacks 'run again'
}

test_a_flaky_case_is_told_with_each_attempt() {
    suite '{name: a, retries: 3, run: "echo said $RUN_MATRIX_ATTEMPT; exit $((RUN_MATRIX_ATTEMPT < 3 ? RUN_MATRIX_ATTEMPT : 0))"}'
    run --flaky-result fail
    status_is 7
    out_has 'passed on attempt 3; attempt 1: exit status 1; attempt 2: exit status 2'
    run show -v a
    out_has 'attempt 1: failed: exit status 1'
    out_has '| said 1'
    out_has 'attempt 2: failed: exit status 2'
    out_has '| said 2'
    [ "$(grep -o '<flakyFailure' .run-matrix/latest/junit.xml | wc -l)" = 2 ] || fail 'not two flakyFailure'
    is "$(told a '[x["reason"] for x in case["attempts"]]')" "['exit status 1', 'exit status 2', '']"
}

# ---- quarantine ----

in_quarantine() { # UNTIL: the setting
    echo "quarantine: {owner: net-team, reason: '#451', until: $1}"
}

test_a_quarantine_is_told_everywhere() {
    suite "{name: a, $(in_quarantine 2999-12-31), run: 'exit 1'}" '{name: b, run: "true"}'
    run --junit-xml j.xml
    status_is 0
    err_is_empty
    out_has '(quarantined: net-team, until 2999-12-31)'
    out_has 'failed in quarantine: 1'
    grep -qE 'FAIL +a  exit status 1; net-team, #451, until 2999-12-31 \([0-9]+ days left\)' "$scratch/out" || fail 'no row of it'
    last_line_is '1 passed, 0 failed'
    grep -qF '<skipped type="quarantined" message="quarantined: exit status 1 (net-team, #451, until 2999-12-31)">' j.xml || fail 'not in JUnit'
    run report --format tap
    out_has 'not ok 1 - a # TODO quarantined: exit status 1 (net-team, #451, until 2999-12-31)'
    is "$(told a 'case["quarantine"]["owner"]')" net-team
    run list --quarantined
    out_has '2 cases, of which in quarantine:'
    out_has '  a  net-team, #451, until 2999-12-31 ('
    out_lacks '  b'
    run list --json
    out_has '"quarantine":{"owner":"net-team","reason":"#451","until":"2999-12-31"}'
}

test_a_quarantine_that_is_over() {
    suite "{name: a, $(in_quarantine 2001-02-03), run: 'exit 1'}" "{name: b, $(in_quarantine 2001-02-03), run: 'true'}"
    run
    status_is 1
    err_has 'run-matrix.yaml:2:27: warning: the quarantine of 1 case is over, and failures count: net-team, #451, until 2001-02-03 (over for '
    out_has 'its quarantine is over: this fails the run; net-team, #451, until 2001-02-03 (over for '
    out_has 'failed, and counts since quarantine is over: 1'
    last_line_is '1 passed, 1 failed'
    run list
    status_is 0
    err_has 'run-matrix.yaml:3:27: warning: the quarantine of 1 case is over'
}

# In which it was, at the moment at which the run began; wherever one is, by the same clock.
test_a_quarantine_ends_by_universal_time() {
    suite "{name: a, $(in_quarantine "$(date -u +%F)"), run: 'exit 1'}"
    for zone in UTC0 EAST-14 WEST+12; do
        TZ=$zone run
        [ "$status" = 0 ] || is "$(date -u +%F)" "$(sed -n 's/.*until: \([0-9-]*\).*/\1/p' run-matrix.yaml)"
    done
    RUN_MATRIX_FAULTS=wall-clock=25h run
    status_is 1
}

test_a_quarantine_that_is_not_needed_any_more() {
    suite "{name: a, $(in_quarantine 2999-12-31), run: '[ ! -e fails ]'}" "{name: b, $(in_quarantine 2999-12-31), run: 'true'}" '{name: c, run: "true"}'
    touch fails
    run -q
    rm fails
    for _ in $(seq 19); do
        run -q
        err_is_empty
    done
    run -q # twenty passes of b are behind us, and nineteen of a
    err_has 'run-matrix.yaml:3:27: warning: 1 case in quarantine passed each of the last 20 times: it may be lifted; net-team, #451, until 2999-12-31 ('
    err_lacks 'run-matrix.yaml:2:'
    run -q
    err_has 'run-matrix.yaml:2:27: warning: 1 case in quarantine passed each of the last 20 times'
}

# An error of what is around a case in quarantine is its failure too.
test_a_quarantine_covers_a_fixture_of_its_own() {
    suite "{name: a, $(in_quarantine 2999-12-31), fixtures: [db], run: 'true'}" '{name: b, run: "true"}'
    cat >>run-matrix.yaml <<'YAML'
fixtures:
  db: {scope: case, run: 'exit 1'}
YAML
    run
    status_is 0
    out_has 'failed in quarantine: 1'
}

run_tests
