#!/bin/sh
# In a job of GitHub Actions: which cell it is, and what the runner reads out of what is printed.
. "$(dirname "$0")/lib.sh"

matrix() {
    cat >run-matrix.yaml <<'EOF'
strategy: {matrix: {backend: [exec, spawn], v: [1.10, '1.10']}}
tests:
  - {name: all, run: [echo, '${{ matrix.backend }}']}
  - {name: once, run: ['true'], axes: []}
  - {name: by-backend, run: ['true'], axes: [backend]}
EOF
}

list_of() { # CELL
    RUN_MATRIX_CELL=$1 run list -q
    status_is 0
    cat "$scratch/out"
}

test_each_case_is_the_job_of_one_cell() {
    matrix
    run list -q
    sort "$scratch/out" >all
    {
        list_of '{"backend": "exec", "v": 1.1}'
        list_of '{
  "backend": "exec",
  "v": "1.10"
}'
        list_of '{"v":1.1,"backend":"spawn","id":"spawn_1_1"}'
        list_of '{"backend": "spawn", "v": "1.10", "id": "spawn_1_10"}'
    } | sort >parts
    cmp all parts || fail 'not every case once'
}

test_a_job_runs_its_cell() {
    matrix
    RUN_MATRIX_CELL='{"backend": "spawn", "v": 1.1}' run
    status_is 0
    out_has ', cell backend=spawn,v=1.1'
    out_has '2 passed, 0 failed'
    RUN_MATRIX_CELL='{"backend": "spawn", "v": 1.1}' run --cell backend=exec
    status_is 5
    RUN_MATRIX_CELL='{"backend": "spawn", "v": 1.1}' run show --config all
    status_is 0
    out_has 'all@backend=spawn,v=1.1'
    out_lacks 'backend=exec'
}

test_what_is_no_cell() {
    matrix
    RUN_MATRIX_CELL='{"backend": "exce", "v": 1.1}' run
    status_is 4
    err_has 'the nearest is {"backend":"exec","v":1.1}'
    for text in '{' '[]' '"exec"' '{}' null; do
        RUN_MATRIX_CELL=$text run
        status_is 4
    done
    RUN_MATRIX=1 RUN_MATRIX_CELL='{"backend": "exce"}' run list
    status_is 0
    RUN_MATRIX_CELL='' run list
    status_is 0
}

test_a_matrix_of_jobs_that_do_not_say_their_cell() {
    matrix
    mkdir -p .github/workflows
    printf 'jobs: {tests: {strategy: {matrix: {a: [1]}}}, plain: {}}\n' >.github/workflows/ci.yml
    GITHUB_WORKSPACE=$PWD GITHUB_WORKFLOW_REF=o/r/.github/workflows/ci.yml@refs/heads/main
    export GITHUB_WORKSPACE GITHUB_WORKFLOW_REF
    GITHUB_JOB=tests run
    status_is 4
    err_has ".github/workflows/ci.yml:1:35: error: job 'tests' has a matrix"
    err_has "RUN_MATRIX_CELL: \${{ toJSON(matrix) }}"
    GITHUB_JOB=plain run list
    status_is 0
    GITHUB_JOB=tests RUN_MATRIX_CELL='{"backend": "exec", "v": 1.1}' run
    status_is 0
    suite '{name: a, run: ["true"]}'
    GITHUB_JOB=tests run
    status_is 0
}

# ---- what the log is read for ----

# Everything that somebody may print, for a runner that believes it: raw, the double finds plenty in it.
nasty() {
    cat >nasty.py <<'EOF'
import sys

names = """set-env set-output save-state add-mask add-path add-matcher remove-matcher debug warning error notice group endgroup echo
           stop-commands pause-logging""".split()
before = ['', ' ', '\t', '\v', '\ufeff', '\u200b', '\u00a0', '\u3000', '\x1b[31m', '\x1b[0m ', '\r', 'text\r', '\x00', ':', 'a\u2028']
places = """main.c:12:5: error: gcc
src/a.ts(10,5): error TS1005: tsc
/x/a.js
  3:14  error  stylish  no-undef
  4:14  error  stylish again  no-undef
a.js: line 50, col 11, Error - compact (no-unused-vars)
  File "a.py", line 3, in f
    raise Bad('python')
./main.go:3:4: go
./main.go: go
Exception in thread "main" java.lang.Error: java
a.cs(3,4): error CS1002: csc [a.csproj]
error[E0308]: rust
  --> src/main.rs:2:5
warning: rust
 --> src/main.rs:2:5
tests/a.php:12
a.py:1:2: E0001: pylint
a.cc:7: FAILED
a.c:\u0663:\u0664: error: digits of others""".split('\n')
lines = []
for name in names:
    for blank in before:
        lines += [f'{blank}::{name} file=a.c,line=1::x', f'{blank}##[{name} file=a.c;line=1]x', f'{blank}::{name}::x']
    lines += [f'::{name.upper()}::x', f'##[{name.title()}]x', f'::stop-commands::{name}', f'::{name}::']
lines += places
for place in places:
    lines += ['\x1b[1m' + place, '  ' + place]
lines += ['::' + '0' * 32 + '::', '::stop-commands::' + 'f' * 32, '::add-mask::passed', '::' * 1000, '##[' * 1000 + 'error]x']
lines += ['::error::' + 'x' * 70000, '::error']
text = '\n'.join(lines) + '\n::error::without an end'
out = sys.stderr if len(sys.argv) > 1 else sys.stdout
out.buffer.write(text.encode('utf-8', 'surrogatepass'))
EOF
}

in_job() {
    export GITHUB_ACTIONS=true CI=true GITHUB_WORKSPACE="$PWD" GITHUB_STEP_SUMMARY="$PWD/summary" GITHUB_OUTPUT="$PWD/output"
    : >summary
    : >output
}

# Annotations of ours: with a place in the file, or of a command that has none.
ours='^[a-z]*|\(sub/\)\?run-matrix.yaml|\|^[a-z]*|||\(left something behind\|failed\): '

nothing() { # HEARD
    [ -z "$1" ] || fail "it has heard: $(echo "$1" | cut -c 1-300 | head -n 5)"
}

# What the runner makes of the last run, as $scratch/heard; which of the two streams it reads first nobody knows.
hear() {
    python3 "$root/tests/e2e/runner_double.py" "$scratch/err" "$scratch/out" >heard_late
    python3 "$root/tests/e2e/runner_double.py" "$scratch/out" "$scratch/err" >"$scratch/heard"
    for heard in heard_late "$scratch/heard"; do
        nothing "$(grep '^matched\|^mask\|^stopped\|^dropped\|^too long' "$heard")"
        nothing "$(grep '^command' "$heard" | grep -vx 'command \(group\|endgroup\|stop-commands\|resume\|error\|warning\)')"
        nothing "$(grep '^\(error\|warning\|notice\)|' "$heard" | grep -v "$ours")"
    done
    is "$(grep -cx 'command stop-commands' "$scratch/heard")" "$(grep -cx 'command resume' "$scratch/heard")"
}

heard_has() { has heard "$1"; }

test_the_double_hears() {
    nasty
    python3 nasty.py >raw
    python3 "$root/tests/e2e/runner_double.py" raw >heard
    for word in '^error|' '^warning|' '^matched gcc' '^matched go' '^matched java' '^dropped error' '^command set-output' '^stopped'; do
        grep -q "$word" heard || fail "no $word in what is raw"
    done
}

test_what_tests_print_is_no_command() {
    nasty
    in_job
    cat >run-matrix.yaml <<'EOF'
tests:
  - {name: out, run: 'python3 nasty.py; exit 1'}
  - {name: err, run: 'python3 nasty.py err; exit 1'}
  - {name: both, run: 'python3 nasty.py & python3 nasty.py err; wait; exit 1'}
  - {name: retried, retries: 1, run: 'python3 nasty.py; exit 1'}
  - {name: 'x::##[error]x', run: 'exit 1'}
  - {name: '##[error]x', run: 'exit 1'}
  - {name: skipped, run: [x], skip: [{reason: '::error::x ##[error]x'}]}
  - {name: xfailed, run: 'exit 1', xfail: [{reason: '##[error]x'}]}
  - {name: tap, run: 'echo 1..1; echo "not ok 1 - ##[error]x"; echo "::error::x"', results: {tap: stdout}}
  - {name: hangs, slow: 1ms, timeout: 100ms, leaks: ignore, run: 'python3 nasty.py; exec -a "##[error]x" sleep 100'}
EOF
    for how in '' -v '--capture no' '--capture merged -v' -q '-s -n 1' --color=always; do
        # shellcheck disable=SC2086 # words
        run $how
        status_is 1
        hear
        heard_has 'error|run-matrix.yaml|2|failed: out|'
        heard_has 'error|run-matrix.yaml|11|timeout: hangs|'
        is "$(grep -c '^error|' "$scratch/heard")" 8
        last_line_is '0 passed, 8 failed, 2 skipped'
    done
    run show
    hear
}

test_one_command_in_a_job() {
    nasty
    in_job
    run exec -- python3 nasty.py
    status_is 0
    hear
    run exec -- sh -c 'python3 nasty.py; exit 1'
    status_is 1
    is "$(grep -c '^::error' "$scratch/out")" 1
}

# Mistakes in the yaml are shown where they are.
test_errors_of_the_file() {
    in_job
    mkdir sub
    printf 'tests:\n  - {name: a, rnu: [x]}\n' >sub/run-matrix.yaml
    cd sub
    run
    status_is 4
    cd ..
    python3 "$root/tests/e2e/runner_double.py" "$scratch/err" >"$scratch/heard"
    heard_has "error|sub/run-matrix.yaml|2|"
    unset GITHUB_ACTIONS
    run list sub
    err_lacks '::error'
}

run_tests
