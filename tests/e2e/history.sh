#!/bin/sh
# What cases came to in earlier runs: which are run, in what order, and what is said of it.
. "$(dirname "$0")/lib.sh"

db=.run-matrix/history.db

# A case for each word: it passes where there is a file of that name.
cases() { # NAME...
    {
        echo 'tests:'
        for one; do
            echo "  - {name: $one, run: [test, -e, ok.$one]}"
        done
    } >run-matrix.yaml
}

passes() { for one; do : >"ok.$one"; done; }
fails() { for one; do rm -f "ok.$one"; done; }

list_is() { # "a b c" OPTION...
    wanted=$1
    shift
    run list -q "$@"
    is "$(tr '\n' ' ' <"$scratch/out")" "$wanted${wanted:+ }"
}

# What has run, in order.
ran() { python3 -c 'import json, sys
names, order = {}, []
for line in open(".run-matrix/latest/journal.ndjson"):
    e = json.loads(line)
    if e["ev"] == "cases":
        for i, c in enumerate(e["cases"]): names[e.get("from", 0) + i] = c["id"]
    if e["ev"] == "start": order.append(names[e["case"]])
print(*order)'; }

# ---- what failed ----

test_last_failed() {
    cases a b c d
    passes a c
    list_is 'a b c d' --lf
    run
    status_is 1
    list_is 'b d' --lf
    run --lf
    out_has 'last failed: 2 of 4 cases'
    is "$(ran | tr ' ' '\n' | sort | tr '\n' ' ')" 'b d '
    passes b
    run --last-failed
    list_is 'd' --lf
    list_is 'a' --lf -k a # none of these has failed
}

test_last_failed_when_none_did() {
    cases a b
    passes a b
    run list --lf
    out_has 'last failed: 0 of 2 cases, so all are run'
    [ ! -e .run-matrix ] || fail 'a list made a folder'
    run
    status_is 0
    list_is 'a b' --lf
    run --lf --lfnf none
    status_is 5
    err_has 'none of 2 cases is selected'
    run --lf --last-failed-no-failures=all
    status_is 0
}

test_last_failed_and_selection() {
    cases a b c
    run
    list_is 'b c' --lf -k 'not a'
    list_is 'b' --lf b
    passes b
    run b
    list_is 'a c' --lf
    cases a c e
    list_is 'a c' --lf # what was deleted is not missed, and what is new has not failed
    cases e
    list_is 'e' --lf
}

test_what_was_not_run_is_as_it_was() {
    cases a b
    run
    run -x -n 1
    list_is 'a b' --lf
}

test_quarantine_and_expected_failures() {
    cat >run-matrix.yaml <<'YAML'
tests:
  - {name: q, run: ["false"], quarantine: {owner: me, reason: r, until: 2999-01-01}}
  - {name: x, run: ["false"], xfail: {reason: known}}
  - {name: f, run: ["false"]}
  - {name: l, run: 'test "$RUN_MATRIX_ATTEMPT" = 2', retries: 1, flaky-result: fail}
YAML
    run
    list_is 'f l' --lf
}

test_parameters() {
    cat >run-matrix.yaml <<'YAML'
strategy: {matrix: {n: [1, 2, 3]}}
tests:
  - {name: t, run: [test, '${{ matrix.n }}', '!=', 2]}
YAML
    run
    list_is 't@n=2' --lf
    list_is 't@n=2 t@n=1 t@n=3' --ff
}

# ---- order ----

test_failed_first() {
    cases a b c d
    passes a c
    run
    list_is 'b d a c' --ff
    run --ff -n 1
    out_has 'failed first: 2 of 4 cases'
    is "$(ran)" 'b d a c'
    list_is 'b d' --lf --ff
}

test_new_first() {
    cases b d
    passes a b c d e
    run
    cases a b d
    run
    cases a b c d e
    list_is 'c e a b d' --nf
    run --nf -n 1
    out_has 'new first: 2 of 5 cases'
    is "$(ran)" 'c e a b d'
    fails d
    run d
    list_is 'd c e a b' --ff --nf
}

test_longest_first() {
    cat >run-matrix.yaml <<'YAML'
tests:
  - {name: a, run: ["true"]}
  - {name: b, run: sleep 0.3}
  - {name: c, run: sleep 0.1}
YAML
    run -n 2
    rm -r .run-matrix/runs # history outlives them
    printf '  - {name: z, run: ["true"]}\n' >>run-matrix.yaml
    run -n 2
    python3 -c 'import sys
order = sys.argv[1].split()
assert order.index("z") == 0 and order.index("b") < order.index("a") and order.index("c") < order.index("a"), order' "$(ran)"
}

# ---- stepwise ----

test_stepwise() {
    cases a b c d
    passes a c
    run --sw -n 1
    status_is 1
    is "$(ran)" 'a b'
    list_is 'b c d' --sw
    run --stepwise -n 1
    out_has 'stepwise: from b, without 1 case before it'
    is "$(ran)" 'b'
    passes b
    run --sw -n 1
    is "$(ran)" 'b c d'
    passes d
    run --sw -n 1
    status_is 0
    is "$(ran)" 'd'
    run --sw -n 1
    out_has 'stepwise: from the first case'
    is "$(ran)" 'a b c d'
}

test_stepwise_skip() {
    cases a b c d e
    passes a c e
    run --sw-skip -n 1
    status_is 1
    is "$(ran)" 'a b c d'
    run --sw-skip -n 1
    is "$(ran)" 'b c d'
    passes d
    run --sw-skip -n 1
    is "$(ran)" 'b c d e'
}

# ---- tests inside a suite ----

# As the one of presets.sh: it runs the tests that it is told, or all.
suite_of() { # "NAME VERDICT"...
    printf '%s\n' "$@" >names
    cat >suite <<'SH'
#!/bin/sh
[ "$1" != --names ] || exec sed 's/ .*//' names
echo "$*" >>asked
status=0
while read -r name verdict; do
    [ $# = 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
    echo "$verdict: $name"
    [ "$verdict" != fail ] || status=1
done <names
exit $status
SH
    chmod +x suite
    cat >run-matrix.yaml <<'YAML'
tests:
  - {name: t, run: ./suite, discover: {list: [./suite, --names], run: [./suite, '{tests}']},
     results: {lines: '^(?<verdict>ok|fail): (?<name>.+)$'}}
  - {name: other, run: ["true"]}
YAML
}

test_last_failed_reaches_into_a_suite() {
    suite_of 'one ok' 'two fail' 'three fail' 'four ok'
    run
    status_is 1
    rm asked
    run --lf
    is "$(cat asked)" 'two three'
    out_has 'last failed: 1 of 2 cases'
    suite_of 'one ok' 'two ok' 'three fail' 'four ok'
    rm asked
    run t::two
    is "$(cat asked)" 'two'
    run --lf # the other was not run since
    is "$(tail -n 1 asked)" 'three'
    suite_of 'one ok' 'two ok' 'three ok' 'four ok'
    rm asked
    run --lf
    status_is 0
    is "$(cat asked)" 'three'
    run list --lf
    out_has '0 of 2 cases'
}

test_last_failed_within_what_is_selected() {
    suite_of 'one fail' 'two fail' 'three ok'
    run
    rm asked
    run --lf 't::t*'
    is "$(cat asked)" 'two'
}

test_a_suite_whose_own_end_was_bad() {
    suite_of 'one ok' 'two fail'
    echo 'kill -9 $$' >>suite
    sed -i 's/^exit.*//' suite
    run
    rm asked
    run --lf
    is "$(cat asked)" ''
}

# ---- slower ----

test_slower_than_it_was() {
    cat >run-matrix.yaml <<'YAML'
tests:
  - {name: a, run: 'sleep "$(cat span)"'}
  - {name: b, run: 'sleep "$(cat other)"'}
YAML
    echo 0 >span
    echo 1 >other
    for _ in 1 2 3 4 5; do
        run
        out_lacks slower
    done
    echo 1 >span  # a thousand times as long, whatever else the machine does
    echo 0 >other # to be slower than it was it would have to take two seconds for nothing
    run
    status_is 0
    out_has 'slower than it was: 1'
    out_has ' in 5 runs  a'
    is "$(told a "case['slower']['runs']")" 5
    is "$(told b "'slower' in case")" False
    rm "$db"
    run report
    out_has 'slower than it was: 1' # the journal has it
}

# ---- runs that died, and those of others ----

test_a_run_that_died_is_remembered() {
    cases a b c
    RUN_MATRIX_FAULTS=die-finish run
    [ "$status" != 1 ] || fail 'it did not die'
    list_is 'a b c' --lf
    passes a
    RUN_MATRIX_FAULTS=die-start@2 run -n 1
    list_is 'b c' --lf
}

test_killed_while_it_goes_into_history() {
    cases a b c
    passes a
    for place in 1 2 3; do
        rm -rf .run-matrix
        RUN_MATRIX_FAULTS=die-history@$place run
        is "$(sqlite3 "$db" 'SELECT count(*) FROM results')" 0
        list_is 'b c' --lf
        is "$(sqlite3 "$db" 'SELECT count(*) FROM results')" 3
    done
}

test_resumed() {
    cases a b c d
    passes a
    run
    RUN_MATRIX_FAULTS=die-start@2 run --lf -n 1
    [ "$status" != 1 ] || fail 'it did not die'
    passes b # a run of another in between, which knows of both
    run a
    run --resume --from 2
    status_is 1
    last_line_is '0 passed, 3 failed'
    list_is 'b c d' --lf
}

test_commands_have_a_history_of_their_own() {
    cases a
    run exec --name a -- false
    list_is 'a' --lf --lfnf all
    run list --lf
    out_has '0 of 1 case'
}

test_several_runners() {
    cases a b c d
    passes a b
    for i in 1 2 3 4 5; do
        "$program" -q >"out.$i" 2>&1 &
    done
    wait
    is "$(cat out.* | grep -c '^2 passed, 2 failed$')" 5
    is "$(sqlite3 "$db" 'SELECT count(*) FROM runs')" 5
    is "$(sqlite3 "$db" 'SELECT count(*) FROM results')" 20
    list_is 'c d' --lf
}

# ---- the file ----

test_a_broken_file() {
    cases a b
    passes a
    run
    echo 'no database' >"$db"
    run
    status_is 1
    err_has "'$db' is broken: it is '$db.broken-1' now, and a new one is begun"
    is "$(cat "$db.broken-1")" 'no database'
    list_is b --lf
    is "$(sqlite3 "$db" 'SELECT count(*) FROM runs')" 2 # the folder of the first is still there
}

test_a_file_that_is_not_ours() {
    cases a
    run
    sqlite3 "$db" 'PRAGMA application_id = 1'
    passes a
    run
    status_is 0
    err_has 'is not a history of run-matrix'
    run
    err_is_empty
}

test_a_newer_file() {
    cases a b
    run
    sqlite3 "$db" 'PRAGMA user_version = 9'
    cp "$db" before
    passes a b
    run
    status_is 0
    err_has 'a newer run-matrix'
    is "$(grep -c 'newer run-matrix' "$scratch/err")" 1
    cmp before "$db"
}

test_no_place_to_write_it() {
    cases a b
    passes a
    run
    mkdir -p other && mv "$db" other && mkdir "$db"
    run
    status_is 1
    err_has 'is no file'
    last_line_is '1 passed, 1 failed'
}

test_a_run_dir_has_its_own() {
    cases a b
    passes a
    run --run-dir here
    [ -e here/history.db ] || fail 'no history'
    list_is 'a b' --lf
    list_is 'b' --lf --run-dir here
}

run_tests
