#!/bin/sh
# What C tests tell of themselves in lists, and of their failures while they run. The modules here are scripts: all
# that is asked of one is an answer to --list and to --case.
. "$(dirname "$0")/lib.sh"

heading() { # COUNT
    printf '{"run-matrix-tests":1,"count":%s}\n' "$1"
}

# A module: its list on stdin, and commands for --case, $1 being the test. They may use say, which appends to .said.
module() { # NAME BODY
    cat >"$1.list"
    {
        cat <<'END'
#!/bin/bash
say() { printf '%s\n' "$1" >>"$TMPDIR/.said"; }
now() { python3 -c 'import time; print(time.monotonic_ns())'; }
END
        printf 'if [ "$1" = --list ]; then exec cat "%s"; fi\nshift\n' "$PWD/$1.list"
        printf '%s\n' "$2"
    } >"$1"
    chmod +x "$1"
}

programs() { # the test is started as programs are
    cat >run-matrix.yaml <<END
strategy: {matrix: {backend: [exec]}}
$1
END
}

# ---- what lists say ----

listed_settings() {
    {
        heading 4
        cat <<'END'
{"name":"nested/depth=3","file":"x.c","line":9,"marks":["slow","net"],"timeout":"30s","slow":"1s"}
{"name":"nested/depth=5,s=a%20b","file":"x.c","line":9,"marks":["net"],"serial":true,"retries":2}
{"name":"plain","file":"x.c","line":12}
{"name":"odd name","file":"x.c","line":13}
END
    } | module unit 'exit 0'
    programs 'defaults: {timeout: 20s}
tests: [{name: unit, module: unit, marks: c}]
overrides: [{select: "unit::nested/depth=5", marks: over, retries: 1}]'
}

test_what_a_list_says_becomes_settings() {
    listed_settings
    run list -v
    status_is 0
    err_is_empty
    out_has 'unit::nested/depth=3@backend=exec  timeout 30s  marks c,slow,net'
    out_has 'unit::nested/depth=5,s=a%20b@backend=exec  timeout 20s  marks c,net,over'
    out_has 'unit::plain@backend=exec  timeout 20s  marks c'
    out_has 'unit::odd%20name@backend=exec'
    run list --json -m slow
    out_has '"id":"unit::nested/depth=3@backend=exec"'
    out_has '"marks":["c","slow","net"],"timeout":30}'
    run show --config unit::nested/depth=3
    grep -q 'timeout  *30s  *C test  x.c:9$' "$scratch/out" || fail 'no place of the timeout'
    run show --config unit::nested/depth=5
    grep -q 'retries  *1  *override  run-matrix.yaml' "$scratch/out" || fail 'an override is above what C says'
    grep -q 'serial  *true  *C test  x.c:9$' "$scratch/out" || fail 'no place of serial'
    run run --timeout 7s --id unit::nested/depth=3
    status_is 0
}

test_names_with_parameters_are_selected_by_them() {
    listed_settings
    run list -q unit::nested
    out_is <<'END'
unit::nested/depth=3@backend=exec
unit::nested/depth=5,s=a%20b@backend=exec
END
    for selection in '--id=unit::nested/depth=3' '-kdepth=3' '-mslow' '--id=unit::*/depth=[1-4]' '--id=/depth=3'; do
        run list -q "$selection"
        out_is unit::nested/depth=3@backend=exec
    done
    run run --id 'unit::nested/s=a b'
    status_is 0
    last_line_is '1 passed, 0 failed'
}

test_skips_start_no_process() {
    {
        heading 4
        cat <<'END'
{"name":"skipped","file":"x.c","line":12,"skip":"waits for ${{ it }}"}
{"name":"not_here","file":"x.c","line":13,"skip_on_backend":["subint","trio"]}
{"name":"elsewhere","file":"x.c","line":14,"skip_on_backend":["subint","mp_spawn"]}
{"name":"nowhere","file":"x.c","line":15,"skip_on_backend":["fork"]}
END
    } | module unit "echo \"\$1\" >>$PWD/ran"
    programs 'tests: [{name: unit, module: unit}]'
    run run
    status_is 1
    out_has 'waits for ${{ it }}'
    out_has "not under backend 'exec' (skip_on_backend at x.c:13)"
    out_has "unit::nowhere@backend=exec: x.c:15: there is no backend 'fork' to be skipped on"
    out_has 'main_thread_forkserver, subint'
    last_line_is '1 passed, 1 failed, 2 skipped'
    [ "$(cat ran)" = elsewhere ] || fail "ran: $(cat ran)"
}

test_failures_are_expected_of_a_kind() {
    {
        heading 6
        cat <<'END'
{"name":"dies","file":"x.c","line":1,"xfail":"it dies","xfail_signal":9}
{"name":"lives","file":"x.c","line":2,"xfail":"it dies","xfail_signal":9}
{"name":"ends","file":"x.c","line":3,"xfail_exit":3}
{"name":"fails","file":"x.c","line":4,"xfail":"it fails"}
{"name":"passes","file":"x.c","line":5,"xfail":"it fails","xfail_strict":true}
{"name":"no_signal","file":"x.c","line":6,"xfail_signal":1000}
END
    } | module unit 'case $1 in dies) kill -9 $$ ;; lives | fails) exit 1 ;; ends) exit 3 ;; esac'
    programs "tests:
  - {name: unit, module: unit}
  - {name: yaml, run: 'exit 4', xfail: {exit: 3}}
  - {name: same, run: 'kill -TERM \$\$', xfail: {signal: TERM, reason: known}}"
    run run
    status_is 1
    out_has 'unit::lives@backend=exec: expected to die of SIGKILL, but exit status 1'
    out_has 'unit::passes@backend=exec: passed, and a failure was expected: it fails'
    out_has "unit::no_signal@backend=exec: x.c:6: 'signal'"
    out_has 'yaml@backend=exec: expected exit status 3, but exit status 4'
    last_line_is '0 passed, 4 failed, 4 skipped'
}

test_what_is_wrong_is_the_error_of_one_case() {
    {
        heading 3
        cat <<'END'
{"name":"parsec","file":"x.c","line":14,"timeout":"3 parsecs","retries":-1}
{"name":"expression","file":"x.c","line":15,"timeout":"${{ 3 }}s","skip":"not to be hidden by this"}
{"name":"good","file":"x.c","line":16}
END
    } | module unit 'exit 0'
    programs 'tests: [{name: unit, module: unit}]'
    run list
    status_is 0
    err_has "warning: unit: x.c:14: 'timeout' must be a duration such as 30s"
    run run
    status_is 1
    out_has "unit::parsec@backend=exec: x.c:14: 'timeout' must be a duration such as 30s, 1m30s or 250ms, not '3 parsecs'; x.c:14: 'retries' must be"
    out_has "unit::expression@backend=exec: x.c:15: '\${{ 3 }}s' is an expression of run-matrix.yaml; in C there are none"
    last_line_is '1 passed, 2 failed'
    run run -k good
    status_is 0
}

run_tests
