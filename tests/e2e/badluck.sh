#!/bin/bash
# Bad luck: nothing to write to, nothing left to start with, killed in the middle. Said, never a hang, no record lost.
. "$(dirname "$0")/lib.sh"

many() { # COUNT COMMAND
    {
        echo "strategy: {matrix: {n: [$(seq -s, "$1")]}}"
        echo "tests: [{name: t, run: $2}]"
    } >run-matrix.yaml
}

test_processes_run_short_for_a_while() {
    many 20 "['true']"
    for error in EAGAIN ENOMEM; do
        RUN_MATRIX_FAULTS=clone=$error@3x4 run -n 4
        status_is 0
        last_line_is '20 passed, 0 failed'
    done
}

test_processes_run_short_for_good() {
    many 3 "['true']"
    RUN_MATRIX_FAULTS=clone=EAGAIN run
    status_is 1
    last_line_is '0 passed, 3 failed'
    out_has 'cannot start a process'
}

test_descriptors_run_short() {
    many 20 "['true']"
    RUN_MATRIX_FAULTS=capture=EMFILE@5x3 run -n 4
    status_is 0
    last_line_is '20 passed, 0 failed'
}

test_64_descriptors_are_enough() {
    many 100 "[echo, x]"
    (
        ulimit -n 64
        run -n 50
        status_is 0
    )
    last_line_is '100 passed, 0 failed'
    err_has 'descriptors'
}

test_a_case_has_the_limit_of_its_caller() {
    suite '{name: a, run: "ulimit -Sn"}'
    (
        ulimit -Sn 321
        run
    )
    "$program" show a | grep -q '| 321$' || fail 'not 321'
}

test_no_folder_for_the_run() {
    suite '{name: a, run: ["true"]}'
    touch .run-matrix
    run
    status_is 3
    err_has .run-matrix
    run --run-dir /proc/nope
    status_is 3
}

test_the_journal_cannot_be_written() {
    many 20 "['true']"
    RUN_MATRIX_FAULTS=journal=ENOSPC@20 run -n 2
    status_is 3
    tail -c 1 .run-matrix/latest/journal.ndjson | grep -q '^$' || fail 'half a record is left'
    run report
    status_is 0
}

test_a_full_disk_is_said() {
    suite '{name: a, run: [echo, x]}'
    RUN_MATRIX_FAULTS=disk-full run
    status_is 1
    out_has 'may be cut'
}

test_a_really_full_disk() {
    suite '{name: a, run: "dd if=/dev/zero bs=64k count=200 2>/dev/null; exit 0"}' '{name: b, run: [echo, x]}'
    mkdir small
    unshare -Urm sh -c '
        mount -t tmpfs -o size=4m none small || exit 77
        "$0" --run-dir small -n 1
        echo "status $?"
        tail -n 1 small/latest/journal.ndjson | grep -c "^{.*}$"
        exit 0' "$program" >"$scratch/out" 2>&1 || skip 'no name space for a small disk'
    out_has 'may be cut'
    out_has 'status 1'
    last_line_is 1
}

test_output_that_goes_away() {
    many 200 "[sh, -c, 'echo x; exit 1']"
    status=0
    { "$program" 2>"$scratch/err" || echo $? >code; } | head -n 1 >"$scratch/out"
    is "$(cat code)" 1
    is "$(records '"ev":"end"')" 200
    is "$(records '"ev":"finish"')" 1
}

test_a_pipe_that_nobody_reads_does_not_hold_a_cancel() {
    suite '{name: a, run: "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done"}'
    mkfifo pipe
    tail -f /dev/null <pipe &
    reader=$!
    "$program" -s >pipe 2>"$scratch/err" &
    runner=$!
    for _ in $(seq 300); do
        ! grep -q '"ev":"start"' .run-matrix/latest/journal.ndjson 2>/dev/null || break
        sleep 0.1
    done
    kill -TERM "$runner"
    status=0
    wait "$runner" || status=$?
    is "$status" 2
    kill -0 "$reader" || fail 'the reader had ended'
    kill "$reader"
}

test_a_report_that_nobody_reads_can_be_interrupted() {
    suite '{name: a, run: ["true"]}'
    mkfifo pipe
    env --default-signal=INT "$program" --junit-xml pipe >"$scratch/out" 2>"$scratch/err" &
    runner=$!
    for _ in $(seq 300); do
        ! grep -q '"ev":"finish"' .run-matrix/latest/journal.ndjson 2>/dev/null || break
        sleep 0.1
    done
    for _ in $(seq 100); do
        kill -INT "$runner" 2>/dev/null || break
        sleep 0.1
    done
    status=0
    wait "$runner" || status=$?
    is "$status" 130
}

test_a_broken_journal_ends_the_run_at_once() {
    suite '{name: a, stop: [KILL], run: [sleep, "100"]}' '{name: b, run: ["true"]}'
    RUN_MATRIX_FAULTS=journal=ENOSPC@4 run -n 2
    status_is 3
    is "$(records '"ev":"start"')" 0
}

test_an_error_of_the_harness_is_its_own_cases() {
    suite '{name: a, quarantine: {owner: me, reason: r, until: 2099-01-01}, run: "d=${RUN_MATRIX_ARTIFACTS%/*}; rm -rf $d; : >$d"}' \
        '{name: b, run: ["true"]}'
    run -n 1
    status_is 1
    out_has 'ERROR'
    out_has 'b: cannot make a folder for artifacts'
}

test_a_retry_that_is_dropped_does_not_hide_the_failure() {
    suite '{name: a, retries: 1, run: "exit 1"}' '{name: b, run: "exit 1"}'
    RUN_MATRIX_FAULTS=loop-park=500ms@1x1 run -n 2 -x
    status_is 1
    last_line_is '0 passed, 2 failed'
}

test_streams_that_are_closed() {
    many 20 "[echo, x]"
    status=0
    "$program" >&- 2>&- <&- || status=$?
    is "$status" 0
    is "$(records '"ev":"end"')" 20
    "$program" show | grep -q '| x' || fail 'the output of a case was lost'
}

test_children_ignored_and_signals_blocked_by_our_parent() {
    suite "{name: a, run: ['true']}" "{name: s, run: [$kid, signals]}" "{name: h, timeout: 200ms, run: [$kid, hang]}"
    run_command env --ignore-signal=CHLD,INT,TERM,PIPE,HUP --block-signal=INT,TERM,ALRM,USR1 "$program"
    status_is 1
    last_line_is '2 passed, 1 failed'
    "$program" show s | grep -q 'SigIgn 0000000000000000' || fail 'a case ignores signals'
    "$program" show s | grep -q 'SigBlk 0000000000000000' || fail 'a case blocks signals'
}

test_a_wall_clock_that_jumps() {
    suite '{name: a, run: ["true"]}'
    RUN_MATRIX_FAULTS=wall-clock=-80000h run
    status_is 0
    first=$(readlink .run-matrix/latest)
    run
    status_is 0
    [ "$(readlink .run-matrix/latest)" != "$first" ] || fail 'latest is not the latest'
}

test_a_thousand_fast_exits() {
    many 1000 "['$tiny']"
    run -n 8
    status_is 0
    last_line_is '1000 passed, 0 failed'
    is "$(records '"ev":"end"')" 1000
}

test_killed_anywhere_and_resumed() {
    many 12 "[sh, -c, 'echo x; [ \$RUN_MATRIX_AXIS_N != 5 ]']"
    for fault in die-start@4 die-started@6 die-ended@5 die-write@9 die-written@7 die-report die-finish die-write@20; do
        rm -rf .run-matrix
        status=0
        RUN_MATRIX_FAULTS=$fault "$program" -n 2 >"$scratch/out" 2>&1 || status=$?
        is "$status $fault" "137 $fault"
        ran="report after $fault"
        "$program" report >"$scratch/out" 2>"$scratch/err" || fail "no report after $fault"
        "$program" report --format junit | xmllint --noout - || fail "no JUnit after $fault"
        if [ "$fault" = die-report ] || [ "$fault" = die-finish ]; then
            is "$(records '"ev":"end"')" 12
            continue
        fi
        before=$(records '"ev":"end"')
        run --resume
        status_is 1
        last_line_is '11 passed, 1 failed'
        is "$(records '"ev":"end"')" 12
        [ "$before" -lt 12 ] || fail "$fault came too late"
    done
}

# A sanitizer ends whom it finds something in with the status of a run in which a case has failed, a library perhaps
# with 0: that is no verdict.
test_a_runner_that_exits_in_the_midst_of_its_run_is_broken() {
    many 6 "['true']"
    RUN_MATRIX_FAULTS=exit-runner@12 run -n 2
    status_is 3
    err_has 'error: the runner ended with status 1 before its run was over'
    [ "$(records '"ev":"end"')" -lt 6 ] || fail 'it exited too late'
    is "$(records '"ev":"finish"')" 0
    run --resume
    status_is 0
    last_line_is '6 passed, 0 failed'
}

test_a_run_that_is_finished_is_not_resumed() {
    suite '{name: a, run: ["true"]}'
    run
    run --resume
    status_is 4
    err_has 'is finished'
}

test_a_run_is_resumed_with_its_own_cases_or_not_at_all() {
    many 4 "['true']"
    RUN_MATRIX_FAULTS=die-start@3 run -n 1
    many 5 "['true']"
    run --resume
    status_is 4
    err_has 'not those of run'
}

test_two_runs_at_once() {
    many 30 "[echo, x]"
    "$program" >one 2>&1 &
    first=$!
    "$program" >two 2>&1 || fail 'the second failed'
    wait "$first" || fail 'the first failed'
    is "$(find .run-matrix/runs -name journal.ndjson | wc -l)" 2
    for journal in .run-matrix/runs/*/journal.ndjson; do
        is "$(grep -c '"ev":"end"' "$journal")" 30
    done
}

test_hostile_output_spoils_no_report() {
    suite "{name: garbage, run: '$kid garbage; exit 1'}" "{name: mega, run: '$kid megaline; exit 1'}" \
        "{name: \"<&\\\"'>\", run: 'printf \"]]>\\\\n<x>\"; exit 1'}"
    run -v
    status_is 1
    ! LC_ALL=C grep -q "$(printf '[\033\001\007]')" "$scratch/out" || fail 'control characters on the terminal'
    xmllint --noout .run-matrix/latest/junit.xml
    "$program" report --format json | python3 -c 'import json, sys; json.load(sys.stdin)'
    "$program" report --format tap >results
    prove --exec cat results >proved 2>&1 || :
    grep -q 'Failed 3/3 subtests' proved || fail "$(cat proved)"
}

test_memory_stays_flat_when_output_does_not() {
    suite "{name: a, run: [$kid, flood, '200000000']}" "{name: b, run: [$kid, flood, '200000000']}"
    run -n 2
    status_is 0
    is "$(sed -n 's/.*"size":200000000.*/200000000/p' .run-matrix/latest/journal.ndjson | sort | uniq -c | tr -d ' ')" 2200000000
    is "$(find .run-matrix/latest/ -name stdout -size 200000000c | wc -l)" 2
}

run_tests
