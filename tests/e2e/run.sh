#!/bin/sh
# Running cases: what starts, what a case gets, what comes of it.
. "$(dirname "$0")/lib.sh"

# The output of a case, by id, from the journal: what `show` prints holds it.
output_has() { # ID TEXT
    "$program" show "$1" >"$scratch/shown"
    grep -qF -e "$2" "$scratch/shown" || {
        sed 's/^/# /' "$scratch/shown"
        fail "the output of $1 has not: $2"
    }
}

test_passed_and_failed() {
    suite '{name: good, run: ["true"]}' '{name: bad, run: ["false"]}'
    run
    status_is 1
    out_has 'exit status 1'
    out_has "run --id bad"
    last_line_is '1 passed, 1 failed'
}

test_all_passed_is_0() {
    suite '{name: good, run: ["true"]}'
    run
    status_is 0
    last_line_is '1 passed, 0 failed'
}

test_run_is_the_command_without_a_word() {
    suite '{name: a, run: ["true"]}' '{name: b, run: ["false"]}'
    run a
    status_is 0
    run run a
    status_is 0
    run b
    status_is 1
}

test_nothing_selected_is_5() {
    suite '{name: a, run: ["true"]}'
    run nope
    status_is 5
    err_has 'none of 1 case is selected'
    run --no-tests=pass nope
    status_is 0
    run lst
    status_is 5
    err_has "did you mean 'list'?"
}

test_only_skipped_is_5() {
    suite '{name: a, run: ["false"], skip: {reason: not today}}'
    run
    status_is 5
    last_line_is '0 passed, 0 failed, 1 skipped'
    run --no-tests=warn
    status_is 0
}

test_every_cell_runs() {
    write run-matrix.yaml <<'YAML'
strategy:
  matrix: {transport: [tcp, uds], n: [1, 2, 3], exclude: [{transport: uds, n: 2}]}
tests:
  - {name: a, run: 'echo over ${{ matrix.transport }} $RUN_MATRIX_AXIS_N of $RUN_MATRIX_CASE_ID'}
YAML
    run
    status_is 0
    last_line_is '5 passed, 0 failed'
    output_has 'a@transport=uds,n=3' 'over uds 3 of a@transport=uds,n=3'
}

test_a_string_fails_in_the_middle() {
    suite '{name: a, run: "false\necho went on"}' '{name: b, shell: bash, run: "false | true\necho went on"}' \
        '{name: c, shell: sh, run: "false\ntrue"}' '{name: d, run: "false | true\necho ${BASH_VERSION:+in bash}"}'
    run
    status_is 1
    last_line_is '1 passed, 3 failed'
    out_lacks 'went on'
}

test_a_list_runs_as_it_stands() {
    suite '{name: a, run: [printf, "%s|", "a b", "$HOME", "*", ""]}'
    run
    status_is 0
    output_has a 'a b|$HOME|*||'
}

test_environment() {
    suite '{name: a, env: {MINE: "1", GONE: null, NUMBER: 3.10}, run: "env | sort"}'
    GONE=here KEPT=here GITHUB_OUTPUT=secret RUN_MATRIX=outer RUN_MATRIX_CELL=outer run
    status_is 0
    "$program" show a >shown
    for line in MINE=1 NUMBER=3.10 KEPT=here RUN_MATRIX=1 RUN_MATRIX_CASE_ID=a RUN_MATRIX_ATTEMPT=1 'RUN_MATRIX_CELL={}'; do
        grep -q "| $line\$" shown || fail "no $line"
    done
    ! grep -q 'GONE\|secret' shown || fail 'what should be gone is there'
    grep -q "| RUN_MATRIX_RUN_ID=$(basename "$(readlink .run-matrix/latest)")\$" shown || fail 'no id of the run'
    tmp=$(sed -n 's/^ *| TMPDIR=//p' shown)
    is "$((${#tmp} > 5 && ${#tmp} <= 40))" 1
    [ ! -e "$tmp" ] || fail "$tmp is still there"
}

test_a_case_gets_nothing_it_was_not_promised() {
    suite "{name: fds, run: [$kid, fds]}" "{name: signals, run: [$kid, signals]}" '{name: stdin, run: [cat]}' \
        "{name: session, run: 'read -r _ _ _ _ pgrp sid _ </proc/self/stat; [ \"\$pgrp\" = \"\$sid\" ]'}"
    (
        trap '' INT QUIT USR2
        exec 5</dev/null 7</dev/null
        run
        status_is 0
    )
    output_has fds '0 1 2'
    ! "$program" show fds | grep -q '\b[3-9]\b.*/dev/null' || fail 'a descriptor was inherited'
    output_has signals 'SigBlk 0000000000000000'
    output_has signals 'SigIgn 0000000000000000'
}

test_working_directory() {
    mkdir -p sub/dir
    suite '{name: a, cwd: sub/dir, run: "pwd; echo x >made"}' '{name: b, run: ["./here.sh"]}' '{name: c, cwd: nowhere, run: ["true"]}'
    printf '#!/bin/sh\npwd\n' >here.sh && chmod +x here.sh
    (cd sub && run && status_is 1)
    [ -e sub/dir/made ] || fail 'it ran elsewhere'
    out_has "cannot enter the working directory '../nowhere'"
    last_line_is '2 passed, 1 failed'
}

test_what_cannot_be_started_is_an_error_of_that_case() {
    printf 'echo no interpreter\n' >script && chmod +x script
    printf '#!/no/such/interpreter\n' >lost && chmod +x lost
    printf '#!/bin/sh\r\ntrue\r\n' >dos && chmod +x dos
    printf 'plain' >plain
    suite '{name: missing, run: [./nowhere]}' '{name: path, run: [no-such-program]}' '{name: plain, run: [./plain]}' \
        '{name: script, run: [./script]}' '{name: lost, run: [./lost]}' '{name: folder, run: [./]}' '{name: dos, run: [./dos]}' \
        '{name: good, run: ["true"]}'
    run -v
    status_is 1
    last_line_is '1 passed, 7 failed'
    out_has "/no/such/interpreter"
    out_has 'no-such-program'
    is "$(grep -c '^ *ERROR' "$scratch/out" | awk '{ print ($1 >= 7) }')" 1
}

test_skips_and_expectations() {
    suite '{name: skip, run: ["false"], skip: {reason: not ready}}' '{name: s77, run: "echo needs a gpu; exit 77"}' \
        '{name: s99, run: "exit 99"}' '{name: xfail, run: ["false"], xfail: {reason: "#12"}}' \
        '{name: xpass, run: ["true"], xfail: {reason: "#12"}}' '{name: strict, run: ["true"], xfail: {reason: "#12", strict: true}}' \
        '{name: needs, run: ["true"], requires: {env: [NO_SUCH_TOKEN], programs: [no-such-program]}}'
    run -v
    status_is 1
    last_line_is '1 passed, 2 failed, 4 skipped'
    out_has 'needs a gpu'
    out_has 'not ready'
    out_has NO_SUCH_TOKEN
}

test_unsupported_says_why() {
    write run-matrix.yaml <<'YAML'
strategy: {matrix: {backend: [exec, trio, subint, forkserver], capture: [fd, sys]}}
tests: [{name: a, run: ["true"]}]
YAML
    run -v
    status_is 0
    last_line_is '3 passed, 0 failed, 5 skipped'
    out_has 'we cannot reach into a program'
}

test_retries_make_flaky() {
    suite "{name: flaky, retries: 2, run: [$kid, flaky, count, 1]}" '{name: bad, retries: 2, run: ["false"]}'
    run -v
    status_is 1
    out_has FLAKY
    last_line_is '1 passed, 1 failed'
    is "$(grep -c '"ev":"end"' .run-matrix/latest/journal.ndjson)" 5
    rm count
    run flaky --flaky-result=fail
    status_is 7
    rm count
    run flaky --retries 0
    status_is 1
}

test_a_failure_can_stop_the_rest() {
    suite '{name: a, run: ["false"]}' '{name: b, run: ["false"]}' '{name: c, run: ["true"]}'
    run -x -n 1
    status_is 1
    last_line_is '0 passed, 1 failed'
    out_has 'stopped after 1 failure'
    run --maxfail 2 -n 1
    last_line_is '0 passed, 2 failed'
}

test_fail_fast_starts_no_other_cell() {
    write run-matrix.yaml <<'YAML'
strategy: {fail-fast: true, max-parallel: 1, matrix: {n: [1, 2, 3]}}
tests:
  - {name: a, run: 'test ${{ matrix.n }} != 2'}
  - {name: b, run: ["true"]}
YAML
    run -n 2
    status_is 1
    last_line_is '3 passed, 1 failed'
}

test_locks_and_serial_keep_apart() {
    suite "{name: a, lock: [db], run: 'mkdir here; sleep 0.05; rmdir here'}" "{name: b, lock: [db], run: 'mkdir here; sleep 0.05; rmdir here'}" \
        "{name: c, serial: true, run: 'mkdir here; sleep 0.05; rmdir here'}" "{name: d, lock: [db, x], run: 'mkdir here; sleep 0.05; rmdir here'}"
    run -n 4
    status_is 0
}

test_live_output_is_harmless_and_labelled() {
    suite "{name: a, run: \"printf 'one\\\\033[2J\\\\033]0;title\\\\007two\\\\n'\"}" '{name: b, run: [echo, bee]}'
    run -s -n 2
    status_is 0
    out_has 'bee'
    ! grep -q "$(printf '\033')" "$scratch/out" || fail 'an escape got through'
}

test_output_of_failures_is_kept_and_passed_ones_until_the_next_run() {
    suite '{name: good, run: [echo, fine]}' '{name: bad, run: "echo broken; exit 1"}'
    run
    first=$(readlink .run-matrix/latest)
    is "$(cat .run-matrix/latest/cases/bad/1/stdout)" broken
    output_has good fine
    run
    [ -e ".run-matrix/$first/cases/bad/1/stdout" ] || fail 'the failure was forgotten'
    "$program" show good --from "$(basename "$first")" >shown
    ! grep -q '^ *fine' shown || fail 'output of passed cases was to be dropped'
    run --keep=none
    ! find .run-matrix/latest/ | grep -q stdout || fail 'something was kept'
}

test_artifacts_are_kept() {
    suite '{name: a, run: "echo x >$RUN_MATRIX_ARTIFACTS/trace"}' '{name: b, run: "ls $RUN_MATRIX_ARTIFACTS; test -z \"$(ls $RUN_MATRIX_ARTIFACTS)\""}'
    run -n 1
    status_is 0
    is "$(cat .run-matrix/latest/cases/a/1/artifacts/trace)" x
}

test_files_in_the_private_folder_are_gone_for_the_next_case() {
    suite '{name: a, run: "mkdir -p $TMPDIR/x/y; echo x >$TMPDIR/x/y/z; chmod 0 $TMPDIR/x/y"}' '{name: b, run: "test -z \"$(ls -A $TMPDIR)\""}'
    run -n 1
    status_is 0
}

test_the_run_folder_can_be_elsewhere() {
    suite '{name: a, run: ["true"]}'
    run --run-dir "$PWD/over there"
    status_is 0
    [ -e 'over there/latest/journal.ndjson' ] || fail 'no journal there'
    [ ! -e .run-matrix ] || fail 'a folder was made here too'
    RUN_MATRIX_DIR=third run
    [ -e third/latest/junit.xml ] || fail 'no junit.xml in third'
    is "$(cat third/.gitignore)" '*'
}

test_exec_runs_one_command() {
    run exec -- sh -c 'echo hello; exit 3'
    status_is 1
    out_has hello
    out_has 'exit status 3'
    run exec -- printf '%s\n' '${{ matrix.x }}' '-n'
    status_is 0
    out_has '${{ matrix.x }}'
    run exec --timeout 200ms -- "$kid" hang
    status_is 1
    out_has 'timed out after 200ms'
    run exec
    status_is 4
}

test_environment_of_the_outer_run_is_not_seen() {
    suite "{name: outer, run: '\"$program\" exec --run-dir inner -- sh -c \"echo inner \\\$RUN_MATRIX_CASE_ID\"'}"
    run
    status_is 0
    output_has outer 'inner sh'
}

run_tests
