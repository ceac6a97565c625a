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
    # A workflow that another one calls is told of the caller's file, and has a job of that name, too.
    printf 'jobs: {tests: {uses: ./.github/workflows/reused.yml, strategy: {matrix: {a: [1]}}}}\n' >.github/workflows/calls.yml
    GITHUB_WORKFLOW_REF=o/r/.github/workflows/calls.yml@refs/heads/main GITHUB_JOB=tests run list
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
    lines += ['\x1b[m'.join(f'::{name}::x'), '\x1b[m'.join(f'##[{name}]x'), f'\x1b[31m::{name}::x', f'##\x1b[{name}]x']
    lines += [f'::{name.upper()}::x', f'##[{name.title()}]x', f'::stop-commands::{name}', f'::{name}::']
lines += places
for place in places:
    lines += ['\x1b[1m' + place, '  ' + place]
    for colour in ['\x1b[m', '\x1b[1;31m', '\x1b[12']:
        lines += [colour.join(place), place.replace(':', ':' + colour)]
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
ours='^[a-z]*|\(sub/\)\?run-matrix.yaml|\|^[a-z]*|||\(left something behind: \|failed: \|run-matrix soak|\|run-matrix|cannot write \)'

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
    for how in '' -v '--capture no' '--capture merged -v' -q '-s -n 1' --color=always '--capture no --color=always'; do
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

# Standard output is the log, whatever is written there; and data is what it would be elsewhere.
test_reports_in_the_log() {
    nasty
    in_job
    cat >run-matrix.yaml <<'EOF'
tests:
  - {name: out, run: 'python3 nasty.py; exit 1'}
  - {name: 'x::##[error]x', run: 'exit 1'}
  - {name: tap, run: 'echo 1..2; echo "not ok 1 - ##[error]x"; echo "::error::x"; echo "not ok 2 - a.c:12:5: error: x"', results: {tap: stdout}}
EOF
    for format in tap json junit markdown summary; do
        run --report "$format=-" --report "$format=kept"
        status_is 1
        hear
        [ -s "$scratch/out" ] || fail "no $format"
        cp "$scratch/out" printed
        run report latest --format "$format"
        hear
        case $format in
        json) python3 -c 'import json, sys; sys.exit(json.load(open("kept")) != json.load(open("printed")))' || fail 'not the same JSON' ;;
        junit) python3 -c 'import sys, xml.etree.ElementTree as e; a, b = (e.canonicalize(from_file=f) for f in ("kept", "printed")); sys.exit(a != b)' ||
            fail 'not the same XML' ;;
        esac
    done
    run soak --count 2 --report json=- --id out
    hear
    python3 -m json.tool <"$scratch/out" >soak.json || fail 'no JSON'
    run report latest
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

# They speak before a run begins, when commands are not stopped yet; what is in the cache is not compiled again.
test_what_compilers_print_is_no_command() {
    in_job
    write tests/test_t.c <<'EOF'
#include <run_matrix.h>
#pragma message "##[error file=x,line=1]hostile"
#pragma message "##[add-mask]passed"
TEST(a) {}
EOF
    for command in list run; do
        run $command tests
        status_is 0
        err_has 'test_t.c:'
        err_has hostile
        hear
        rm -r .run-matrix/cache
    done
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

# ---- what is left for people ----

test_annotations_within_limits() {
    in_job
    {
        echo 'tests:'
        for i in $(seq 15); do echo "  - {name: 'plain$i', run: 'exit 1'}"; done
        for i in $(seq 12); do echo "  - {name: 'flaky$i', retries: 1, run: 'exit \$((2 - RUN_MATRIX_ATTEMPT))'}"; done
        echo "  - {name: killed, run: 'kill -SEGV \$\$'}"
        echo "  - {name: hidden, mask: [SECRET], run: 'echo \"\$SECRET\"; exit 1'}"
        echo "  - {name: quiet, quarantine: {owner: me, reason: r, until: 2099-01-01}, run: 'exit 1'}"
    } >run-matrix.yaml
    export SECRET='pa%ss,wo:rd'
    run
    status_is 1
    hear
    is "$(grep -c '^error|' "$scratch/heard")" 10
    is "$(grep -c '^warning|' "$scratch/heard")" 10
    is "$(grep '^error|' "$scratch/heard" | head -n 1 | cut -d '|' -f 1-4)" 'error|run-matrix.yaml|29|crashed: killed'
    for file in "$scratch/out" "$scratch/err" summary output; do
        ! grep -q 'ss,wo\|pa%25' "$file" || fail "a secret is in $file"
    done
    grep -q '\*\*\*' summary || fail 'nothing is hidden in the summary'
}

test_one_place_in_many_cells_is_one_annotation() {
    in_job
    cat >run-matrix.yaml <<'EOF'
strategy: {matrix: {v: [1, 2, 3, 4, 5, 6, 7, 8]}}
tests:
  - {name: a, run: [sh, -c, 'exit ${{ matrix.v }}']}
EOF
    run
    status_is 1
    hear
    is "$(grep -c '^error|' "$scratch/heard")" 1
    heard_has 'and 7 more like it: a@v='
}

# As GitHub reads them: a line each in was_read. Heredocs are ended by words that nobody could know.
read_outputs() {
    python3 - output <<'EOF' >was_read
import sys
lines = open(sys.argv[1]).read().split('\n')
at = 0
words = set()
while at < len(lines):
    equals, heredoc = lines[at].find('='), lines[at].find('<<')
    if not lines[at]:
        at += 1
        continue
    if heredoc < 0 or 0 <= equals < heredoc:
        print(lines[at])
        at += 1
        continue
    name, word = lines[at].split('<<')
    end = lines.index(word, at + 1)
    words.add(word)
    print(name + '=' + '\\n'.join(lines[at + 1:end]))
    at = end + 1
assert all(len(word) >= 32 for word in words)
EOF
}

test_outputs() {
    in_job
    matrix
    export GITHUB_JOB='te st:1' GITHUB_RUN_ATTEMPT=3
    printf 'before=1<<2' >output # by an echo -n, say
    RUN_MATRIX_CELL='{"backend": "exec", "v": "1.10"}' run
    status_is 0
    read_outputs
    for line in 'before=1<<2' passed=1 failed=0 skipped=0 not-run=0 flaky=0 exit-code=0 cell=backend=exec,v=1.10; do
        grep -qx "$line" was_read || fail "no $line: $(tr '\n' ' ' <was_read)"
    done
    folder=$(sed -n 's/^run-dir=//p' was_read)
    [ -f "$folder/journal.ndjson" ] || fail "no run in $folder"
    name=$(sed -n 's/^artifact-name=//p' was_read)
    case $name in
    *[!A-Za-z0-9._=,@~+%-]* | '' ) fail "not a name for an artifact: $name" ;;
    run-matrix-*-3) ;;
    *) fail "$name" ;;
    esac
}

# A report that cannot be written, a selection of nothing, a slip on the command line.
test_the_exit_code_is_the_last_word() {
    in_job
    suite '{name: a, run: [true]}'
    while read -r code names words; do
        : >output
        # shellcheck disable=SC2086 # words
        run $words
        status_is "$code"
        read_outputs
        is "$(sed -n 's/^exit-code=//p' was_read)" "$code"
        is "$(cut -d = -f 1 was_read | sort | uniq -d)" ''
        is "$(grep -c '^run-dir=\|^passed=' was_read)" "$names"
    done <<'EOF'
0 2 run
3 2 run --report json=/proc/nowhere/x
3 2 soak --count 2 --report json=/proc/nowhere/x
5 0 run -k nosuch
4 0 run --nosuch
4 0 soak --count 0
1 2 exec -- false
EOF
    GITHUB_OUTPUT=/proc/nowhere/x run
    status_is 0
    is "$(grep -c 'warning: cannot write to the file of GITHUB_OUTPUT: ' "$scratch/err")" 1
    : >output
    run list
    run --version
    run run --help
    read_outputs
    is "$(cat was_read)" ''
}

# Whoever reads stderr first has not heard yet that commands go on.
test_errors_of_a_run_are_told_where_it_ends() {
    in_job
    suite '{name: a, run: [true]}'
    for how in run 'run --report tap=-' 'soak --count 2'; do
        # shellcheck disable=SC2086 # words
        run $how --report json=/proc/nowhere/x
        status_is 3
        told=out other=err
        [ "$how" != 'run --report tap=-' ] || told=err other=out
        is "$(grep -c '^::error' "$scratch/$other")" 0
        is "$(grep -c '^::error' "$scratch/$told")" 1
        hear
        heard_has "error|||run-matrix|cannot write the report '/proc/nowhere/x'"
    done
}

# A variable is no file to show them in.
test_a_wrong_cell_has_no_place() {
    in_job
    matrix
    for cell in '{"backend": "exce", "v": 1.1}' '{'; do
        RUN_MATRIX_CELL=$cell run
        status_is 4
        python3 "$root/tests/e2e/runner_double.py" "$scratch/err" >"$scratch/heard"
        heard_has 'error|||run-matrix|RUN_MATRIX_CELL: '
    done
}

# What stands in a file of somebody's branch.
test_a_workflow_that_does_not_fit() {
    in_job
    suite '{name: a, run: [true]}'
    write .github/workflows/ci.yml <<'EOF'
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: run-matrix/run-matrix/ci@v0
        with: {profile: '##[error]x'}
EOF
    run ci check --workflow .github/workflows/ci.yml
    status_is 1
    err_is_empty
    out_has "'## [error]x'"
    python3 "$root/tests/e2e/runner_double.py" "$scratch/out" >"$scratch/heard"
    is "$(grep -c '^command error' "$scratch/heard")" "$(grep -c '^error|.github/workflows/ci.yml|8|run-matrix|' "$scratch/heard")"
    heard_has "error|.github/workflows/ci.yml|8|run-matrix|"
    heard_has "'##[error]x'"
    lacks heard matched
}

test_names_of_files_may_be_uploaded() {
    in_job
    cat >run-matrix.yaml <<'EOF'
fixtures:
  'd:"<x>|*?': {daemon: 'echo up; exec sleep 1000'}
tests:
  - {name: 'a":<>|*?\b', run: 'echo x >"$RUN_MATRIX_ARTIFACTS/plain"; exit 1', fixtures: ['d:"<x>|*?']}
  - {name: "a::b c\\\"", timeout: 100ms, run: 'sleep 100', leaks: ignore}
  - {name: tap, run: 'echo 1..1; echo "not ok 1 - a:b"; exit 1', results: {tap: stdout}}
EOF
    run
    find .run-matrix/latest/ -mindepth 1 -printf '%f\n' | grep '[":<>|*?\\]' && fail 'such a name cannot be uploaded'
    [ "$(find .run-matrix/latest/ -type f | wc -l)" -gt 5 ] || fail 'there are no files'
}

test_a_summary_is_never_too_long() {
    in_job
    {
        echo 'strategy: {matrix: {v: ['"$(seq -s , 30)"']}}'
        echo 'defaults: {leaks: ignore}'
        echo 'tests:'
        for i in $(seq 12); do
            echo "  - {name: 'fails$i', run: [sh, -c, 'yes \"\$1\" | head -c 100000; exit 1', sh, '<b>\`|&\$i \${{ matrix.v }}']}"
        done
    } >run-matrix.yaml
    run -q --junit-xml j.xml --report markdown=page.md
    status_is 1
    cmp summary page.md || fail 'not the same page'
    for most in 1000000 1048000; do # what others of the step have left
        head -c "$most" /dev/zero | tr '\0' x >summary
        run -q
        [ "$(stat -c %s summary)" -lt 1048576 ] || fail 'GitHub would not show it'
        [ "$most" -gt 1044480 ] || [ "$(stat -c %s summary)" -gt "$((most + 1000))" ] || fail 'ours is not in it'
    done
    [ "$(stat -c %s page.md)" -lt 1048576 ] || fail 'too long'
    grep -q '18 more cells' page.md || fail 'cells are not folded'
    is "$(grep -c '^<details' page.md)" "$(grep -c '^</details>$' page.md)"
}

# GitHub's own parser of Markdown, where it is installed: what others have said is text and no form.
test_the_summary_as_github_reads_it() {
    command -v cmark-gfm >/dev/null || skip 'cmark-gfm is not installed'
    cat >run-matrix.yaml <<'EOF'
bind: {backend: no}
strategy: {matrix: {backend: [exec, 'a|`b\', '*x* <b>_y_ @me #1 https://x www.evil.example a@b.example']}}
tests:
  - {name: good, run: ['true', '${{ matrix.backend }}']}
  - {name: 'bad`|<b>', axes: [], run: "printf '```\\n</details>\\n<script>\\n| a |\\n|---|\\n# b\\n'; echo '</summary><td>|`'; exit 3"}
  - {name: 'pipe\|x', run: ['false', '${{ matrix.backend }}']}
  - {name: skipped, run: [x], axes: [], skip: [{reason: '| `<td>` **bold** <script>'}]}
EOF
    run -q --report markdown=page.md
    cmark-gfm --unsafe -e table -e autolink -e strikethrough page.md >page.html
    is "$(grep -c '<td>' page.html)" "$((4 * 5 + 7))" # and of the slowest, whose times are aligned
    is "$(grep -c '<table>' page.html)" 2
    is "$(grep -c '<h[1-6]>' page.html)" 2
    is "$(grep -c '<details' page.html)" "$(grep -c '^</details>' page.html)"
    ! grep '<script\|<b>\|<strong>\|<a ' page.html || fail 'a piece of its form is not ours'
}

test_a_soak_in_a_job() {
    nasty
    in_job
    cat >run-matrix.yaml <<'EOF'
strategy: {matrix: {v: [1, 2]}}
tests:
  - {name: bad, run: [sh, -c, 'python3 nasty.py; echo "a.c:1:2: error: ##[error]x" >&2; exit ${{ matrix.v }}']}
EOF
    RUN_MATRIX_CELL='{"v": 2}' run soak --count 3
    status_is 1
    hear
    is "$(grep -c '^error|||run-matrix soak|' "$scratch/heard")" 1
    last_line_is '0 passed, 3 failed'
    out_has 'bad@v=2'
    out_lacks 'bad@v=1'
    grep -q '^## run-matrix soak' summary || fail 'no summary of the step'
    grep -q '^run-dir<<' output || fail 'no outputs'
}

# ---- endings ----

killed() { # WHEN
    python3 "$root/tests/e2e/runner_double.py" "$scratch/out" "$scratch/err" >"$scratch/heard"
    nothing "$(grep '^matched\|^mask\|^stopped\|^error\|^warning' "$scratch/heard")"
    has heard 'command resume'
}

test_killed_while_it_prints() {
    nasty
    in_job
    suite "{name: a, leaks: ignore, run: 'python3 nasty.py; echo up >up; while :; do python3 nasty.py; done'}"
    start --capture no
    await "$scratch/out" 'a | '
    await_file up
    kill -KILL "$(sed 's/.*"runner":{"pid":\([0-9]*\).*/\1/' .run-matrix/latest/held.json)"
    finish
    is "$status" 137
    killed
}

test_killed_at_its_end() {
    nasty
    in_job
    suite "{name: a, run: 'python3 nasty.py; exit 1'}"
    for fault in die-finish die-report; do
        RUN_MATRIX_FAULTS=$fault run
        killed
    done
}

# Runner, guard and keeper, as GitHub does it in the end: what there is of the run can be uploaded all the same.
test_killed_all_at_once() {
    in_job
    suite "{name: a, leaks: ignore, run: 'echo up >up; sleep 60; : $token'}"
    start
    await_file up
    folder=$(readlink -f .run-matrix/latest)
    # shellcheck disable=SC2046 # numbers
    kill -KILL $(python3 -c 'import json; held = json.load(open(".run-matrix/latest/held.json"))
print(held["keeper"]["pid"], held["guard"]["pid"], held["runner"]["pid"])')
    finish
    read_outputs
    grep -qx "run-dir=$folder" was_read || fail "no run-dir: $(tr '\n' ' ' <was_read)"
    grep -q '^artifact-name=run-matrix-' was_read || fail 'no name for the artifact'
    ! grep '^exit-code=' was_read || fail 'it has not ended'
    run reap
}

# As a step of the action: a file with the line of the action in it, which is read by a bash. To that bash alone GitHub speaks.
start_step() { # ARG...
    ran="a step with $*"
    mkdir bin
    ln -s "$program" bin/run-matrix
    sed -n "s/^      run: '\(.*run\.sh.*\)'$/\1/p" "$root/ci/action.yml" >step.sh
    : >"$scratch/out"
    env --default-signal=INT,QUIT PATH="$PWD/bin:$PATH" GITHUB_ACTION_PATH="$root/ci" INPUT_ARGS="$*" \
        bash --noprofile --norc -e -o pipefail step.sh >"$scratch/out" 2>"$scratch/err" </dev/null &
    runner=$!
}

# GitHub sends INT, 7.5 s later TERM, and 2.5 s after that it kills.
test_a_cancelled_step_has_everything() {
    nasty
    in_job
    cat >run-matrix.yaml <<'EOF'
defaults: {leaks: ignore, stop: [INT 60s, TERM 60s, KILL]}
fixtures:
  stubborn: {scope: session, daemon: 'trap "" INT TERM; while :; do sleep 1; done', stop: [TERM 60s, KILL]}
tests:
  - {name: failed, run: 'python3 nasty.py; exit 1'}
  - {name: hangs, fixtures: [stubborn], run: 'trap "" INT TERM; python3 nasty.py; echo up >up; while :; do sleep 1; done'}
  - {name: never, serial: true, run: [true]}
EOF
    run doctor --json
    most=$(python3 -c 'import json, sys; print(int(json.load(open(sys.argv[1]))["ending"]["seconds"] * 1000))' "$scratch/out")
    [ "$most" -le 7500 ] || fail "an ending may take $most ms"
    start_step -n 2 --junit-xml j.xml
    await_file up
    await "$scratch/out" 'FAIL '
    began=$(milliseconds)
    kill -INT "$runner"
    finish
    took=$(($(milliseconds) - began))
    status_is 2
    [ "$took" -le "$most" ] || fail "it took $took ms, and $most were said to be enough"
    hear
    heard_has 'error|run-matrix.yaml|5|failed: failed|'
    out_has 'interrupted: '
    grep -q '^\*\*Interrupted\*\*' summary || fail 'no summary of the step'
    grep -q '^exit-code<<' output || fail 'no outputs'
    grep -q '</testsuites>' j.xml || fail 'no JUnit'
}

run_tests
