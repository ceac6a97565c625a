#!/bin/bash
# Soaks: cases over and over, until it is known how often they fail. What the program is to find is made by rules of the cases
# themselves, so that every number here is known beforehand.
. "$(dirname "$0")/lib.sh"

notes='echo "$RUN_MATRIX_CASE_ID $RUN_MATRIX_ATTEMPT" >>log;'

# A value of the result: as Python has it of `soak`.
of_soak() { # EXPRESSION
    python3 -c 'import json, sys
soak = json.load(open(".run-matrix/latest/soak.json"))
print(eval(sys.argv[1]))' "$1"
}

attempts() { wc -l <log; }

# ---- what is asked, and what it comes to ----

test_so_many_runs_prove_a_rate() {
    run soak --below 0.3% --confidence 95% -- "$tiny"
    status_is 0
    is "$(of_soak 'soak["runs"]')" 998
    is "$(of_soak 'soak["failed"]')" 0
    out_has 'the rate is below 0.3 %'
    last_line_is '998 passed, 0 failed, below'
}

test_a_rate_is_said_in_either_way() {
    for rate in 10% 0.1 0.10; do
        run soak --below "$rate" -- "$tiny"
        status_is 0
        is "$(of_soak 'soak["runs"]')" 29
    done
    for rate in 0 0% 1 100% 3 -1 x '' 0.3%% nan; do
        run soak --below "$rate" -- "$tiny"
        status_is 4
        err_has "'--below' wants a rate"
    done
    run soak --below 10% --confidence 100% -- "$tiny"
    status_is 4
}

test_without_a_question_it_is_one_percent() {
    run soak -- "$tiny"
    status_is 0
    is "$(of_soak 'soak["runs"]')" 299
}

test_what_fails_too_often_is_not_below() {
    suite "{name: t, run: 'test \$((RUN_MATRIX_ATTEMPT % 3)) != 0'}"
    run soak --below 1%
    status_is 1
}

test_undecided_when_attempts_or_time_are_up() {
    run soak --below 1% --count 20 -- "$tiny"
    status_is 6
    is "$(of_soak 'soak["runs"]')" 20
    run soak --below 0.001% --within 2s -- "$tiny"
    status_is 6
    run soak --within 1s -- "$tiny"
    status_is 4
    err_has "say '--below', or '--duration'"
}

test_a_count_of_each_case() {
    suite "{name: t, run: '$notes'}" "{name: u, run: '$notes exit 1'}"
    run soak --count 7 t
    status_is 0
    is "$(attempts)" 7
    run soak --count 7
    status_is 1
    is "$(grep -c '^u ' log)" 7
    is "$(grep '^u ' log | sort -u | wc -l)" 7
}

test_a_duration() {
    run soak --duration 2s -- "$tiny"
    status_is 0
    [ "$(of_soak 'soak["runs"]')" -gt 0 ] || fail 'nothing was run'
}

test_no_time_at_all_is_refused() {
    for option in --duration --within; do
        for none in 0 0s 0.0ms; do
            run soak --below 10% "$option" "$none" -- "$tiny"
            status_is 4
            err_has "'$option' wants more than 0"
        done
    done
    for key in duration within; do
        for none in 0 0s; do
            suite "{name: t, run: ['true']}"
            echo "profiles: {p: {soak: {below: 10%, $key: $none}}}" >>run-matrix.yaml
            run soak -P p
            status_is 4
            err_has "'$key' of the profile's 'soak' wants more than 0"
            run soak -P p "--$key" 1h
            status_is 0
        done
    done
    run soak --resume "--$key" 0
    status_is 4
}

# On a terminal and elsewhere: what a fixture of the session takes is no time of the soak.
test_a_duration_begins_with_the_first_attempt() {
    cat >run-matrix.yaml <<'END'
fixtures: {build: {scope: session, run: [sleep, '2']}}
tests: [{name: t, fixtures: [build], run: ['true']}]
END
    run soak --duration 1s
    status_is 0
    TERM=xterm run_command python3 "$root/tests/e2e/on_terminal.py" '' '' "$program" soak --duration 1s
    status_is 0
    [ "$(of_soak 'soak["runs"]')" -gt 0 ] || fail 'nothing was run'
}

test_until_it_fails() {
    suite "{name: t, run: '$notes test \$RUN_MATRIX_ATTEMPT != 5'}"
    run soak --until-fail
    status_is 1
    is "$(attempts)" 5
    # More of it, which it was not asked for at first, is until the next; and so is being told again.
    suite "{name: t, run: '$notes test \$RUN_MATRIX_ATTEMPT != 8 -a \$RUN_MATRIX_ATTEMPT -lt 11'}"
    run soak --resume --count 50
    status_is 1
    is "$(attempts)" 8
    run soak --resume --until-fail
    status_is 1
    is "$(attempts)" 11
    is "$(of_soak 'soak["failed"]')" 3
}

# What passes is that, whatever came before it.
test_each_attempt_is_by_itself() {
    suite "{name: t, run: 'test \$RUN_MATRIX_ATTEMPT != 2'}"
    run soak -vv --count 4
    status_is 1
    is "$(grep -c '^PASS .* t' "$scratch/out")" 3
    out_lacks FLAKY
}

test_what_is_skipped_is_nothing() {
    run soak --count 9 -- sh -c 'exit 77'
    status_is 5
    out_has 'every attempt was skipped'
    suite "{name: t, skip: {if: 'true', reason: no}, run: ['true']}" "{name: u, run: ['true']}"
    run soak --count 3
    status_is 0
    out_has '1 case left out'
    run soak --count 3 t
    status_is 5
}

test_cases_or_a_command() {
    suite '{name: t, run: ["true"]}'
    run soak t -- true
    status_is 4
    err_has 'one or the other'
    run soak --count 2 --name called -- "$tiny"
    status_is 0
    out_has '1 case'
    run soak -- /nowhere/at/all
    status_is 1
}

# ---- order, copies, locks ----

six='strategy: {matrix: {a: [x, y], b: [1, 2, 3]}}'

in_six() { # LINE OF A TEST
    suite "$1"
    echo "$six" >>run-matrix.yaml
}

order() { # SEED
    rm -f log
    run soak -q -n 1 --count 5 --seed "$1"
    status_is 0
    cat log
}

test_a_seed_is_an_order() {
    in_six "{name: t, run: '$notes : \${{ matrix.a }}'}"
    first=$(order 2a)
    is "$(order 0x2A)" "$first"
    [ "$(order 2b)" != "$first" ] || fail 'two seeds have one order'
    is "$(sort -u log | wc -l)" 30
    # Each round has every case once.
    is "$(head -n 6 log | sort -u | wc -l)" 6
    for seed in x '' 0x 12345678901234567; do
        run soak --seed "$seed"
        status_is 4
    done
}

test_the_seed_is_told() {
    suite '{name: t, run: ["true"]}'
    run soak --count 2 --seed 2a
    out_has 2a
    is "$(of_soak 'int(soak["seed"], 16)')" 42
}

test_one_at_a_time_whatever_n_says() {
    suite "{name: t, run: 'mkdir lock && rmdir lock'}"
    run soak --count 40 -n 8
    status_is 0
}

# Each waits until all are there: with one less it would wait for ever.
test_copies_run_beside_one_another() {
    suite "{name: t, timeout: 60s, run: 'touch here.\$RUN_MATRIX_ATTEMPT; until [ \"\$(ls here.* | wc -l)\" -ge 3 ]; do sleep 0.05; done'}"
    run soak --count 3 --copies 3
    status_is 0
    is "$(of_soak 'soak["runs"]')" 3
}

test_copies_are_bounded() {
    suite "{name: t, run: ['true']}"
    run soak --count 2 --copies 1001
    status_is 4
    err_has "'--copies' is at most 1000"
    run soak --count 2 --copies 1000 -n 2
    status_is 0
    is "$(of_soak 'soak["plan"]["copies"]')" 1000
    echo 'profiles: {many: {soak: {count: 2, copies: 1001}}}' >>run-matrix.yaml
    run soak -P many
    status_is 4
    err_has 'copies'
}

test_locks_hold_among_copies() {
    suite "{name: t, lock: [db], run: 'mkdir lock && rmdir lock'}" \
        "{name: u, serial: true, run: '! ls lock alone 2>/dev/null && mkdir alone && rmdir alone'}"
    run soak --count 20 --copies 3 -n 4
    status_is 0
}

test_cells_in_flight_are_bounded() {
    cat >run-matrix.yaml <<'END'
strategy: {max-parallel: 1, matrix: {a: [x, y]}}
tests:
  - name: t
    run: |
      mkdir "in.${{ matrix.a }}.$RUN_MATRIX_ATTEMPT"
      test "$(ls -d in.* | cut -d. -f2 | sort -u | wc -l)" = 1
      rmdir "in.${{ matrix.a }}.$RUN_MATRIX_ATTEMPT"
END
    run soak --count 15 --copies 2 -n 4
    status_is 0
    is "$(of_soak 'soak["runs"]')" 30
}

# ---- what is kept ----

test_the_first_of_each_kind_is_kept_whole() {
    suite "{name: t, run: 'echo some words; touch \$RUN_MATRIX_ARTIFACTS/there; case \$RUN_MATRIX_ATTEMPT in 4|6|8) echo \"assertion one\" >&2; exit 3;; 5|7) echo \"another thing entirely\" >&2; kill -SEGV \$\$;; esac'}"
    run soak --count 10 -n 1
    status_is 1
    is "$(cd .run-matrix/latest/cases/t && echo *)" '4 5'
    is "$(cat .run-matrix/latest/cases/t/4/stderr)" 'assertion one'
    [ -e .run-matrix/latest/cases/t/5/artifacts/there ] || fail 'no artifacts'
    out_has 'the first of its kind'
    is "$(grep -c '^ *the first of its kind' "$scratch/out")" 2
    is "$(of_soak '[kind["first"]["evidence"] for kind in soak["kinds"]]')" "['cases/t/4', 'cases/t/5']"
    is "$(of_soak 'soak["failed"]')" 5
    is "$(records '"verdict":"passed"')" 0
    is "$(records '"soak":true')" 1
    run show
    status_is 0
    out_has 'assertion one'
    out_has 'another thing entirely'
}

test_a_hang_ends_at_its_deadline_and_has_a_dump() {
    suite "{name: t, timeout: 1s, run: 'test \$RUN_MATRIX_ATTEMPT != 3 || exec sleep 1000'}"
    run soak --count 4
    status_is 1
    [ -s .run-matrix/latest/cases/t/3/dump.txt ] || fail 'no dump'
    [ -s .run-matrix/latest/cases/t/3/dump.json ] || fail 'no dump.json'
    out_has 'timed out'
}

test_a_command_has_a_deadline_too() {
    run soak --count 1 --timeout 1s -- sleep 1000
    status_is 1
    out_has 'timed out after 1s'
}

test_a_failure_has_its_place() {
    signals_kill
    write test_places.c <<'END'
#include <run_matrix.h>
#include <stdlib.h>
#include <unistd.h>

static void bottom(void)
{
    *(volatile int *)0 = 1;
}

static void stuck(void)
{
    for (;;)
        pause();
}

TEST(places, .timeout = "2s")
{
    int attempt = atoi(getenv("RUN_MATRIX_ATTEMPT"));

    if (attempt == 1)
        bottom();
    if (attempt == 2)
        stuck();
    ASSERT_EQ(attempt, 4);
}
END
    run soak --count 4 -n 1 test_places.c
    status_is 1
    python3 - <<'END' || fail 'places'
import json
kinds = json.load(open(".run-matrix/latest/soak.json"))["kinds"]
places = {kind["verdict"]: kind["place"] for kind in kinds}
assert places["crashed"].startswith("bottom at ") and places["crashed"].endswith("test_places.c:7"), places
assert places["timeout"].startswith("stuck at ") and "test_places.c:1" in places["timeout"], places
assert places["failed"].endswith("test_places.c:24"), places
END
}

test_an_error_is_not_left_out() {
    suite '{name: t, requires: {env: [NOBODY_SETS_THIS]}, run: ["true"]}'
    printf 'profiles: {strict: {requires: fail}}\n' >>run-matrix.yaml
    run soak --count 2
    status_is 5
    run soak --count 2 -P strict
    status_is 1
    last_line_is '0 passed, 2 failed'
}

test_who_asks_is_told_how_far_it_is() {
    suite "{name: t, run: '$notes sleep 0.1'}"
    start soak --duration 1h
    await log 't 2'
    kill -USR1 "$runner"
    await "$scratch/out" 'running, '
    grep -q '^[0-9]* run.*, 0 failed' "$scratch/out" || fail 'not how far it is'
    "$program" report | tail -n 1 >last
    grep -q ' passed, 0 failed, so far$' last || fail "$(cat last)"
    kill -TERM "$runner"
    finish
    status_is 2
}

test_no_retries() {
    suite "{name: t, retries: 3, run: '$notes exit 1'}"
    run soak --count 4
    status_is 1
    is "$(attempts)" 4
    run soak --retries 3
    status_is 4
}

test_what_nobody_may_see_is_nowhere() {
    SECRET="xyzzy-$token"
    export SECRET
    suite "{name: t, mask: [SECRET], run: 'echo \"no \$SECRET here\" >&2; exit 1'}"
    run soak --count 3
    status_is 1
    ! grep -rqF "$SECRET" .run-matrix "$scratch/out" "$scratch/err" || fail "it is in $(grep -rlF "$SECRET" .run-matrix "$scratch/out" "$scratch/err")"
}

# What is told of an output is its end, and that may begin in the midst of what nobody may see.
test_half_of_a_secret_is_nowhere() {
    SECRET=xyzzy-abcdefghijklmnopqrstuvwxyz0123456789
    export SECRET
    cat >t.py <<'END'
import os, sys
secret, cut, rest = os.environ["SECRET"], int(sys.argv[1]), ": error: wrong password "
print("x" * 20000 + secret + rest + "y" * (16384 - (len(secret) - cut) - len(rest) - 1))
sys.exit(1)
END
    # Where what is told begins, and where what is read for it does: two words before.
    for cut in 10 30 $((2 * ${#SECRET} + 10)) $((2 * ${#SECRET} + 30)); do
        echo "{name: t$cut, mask: [SECRET], run: [python3, t.py, '$cut']}"
    done >tests
    mapfile -t tests <tests
    suite "${tests[@]}"
    run soak --count 1
    status_is 1
    for file in soak.state soak.json soak.txt; do
        ! grep -qF 0123456789 ".run-matrix/latest/$file" || fail "half of it is in $file"
    done
    out_lacks 0123456789
}

test_names_are_masked_too() {
    SECRET=xyzzyplugh
    export SECRET
    cat >run-matrix.yaml <<END
strategy: {matrix: {of_$SECRET: [1, 2]}}
tests: [{name: 't-$SECRET', mask: [SECRET], run: 'exit 1 # \${{ matrix.of_$SECRET }}'}]
END
    run soak --count 3
    status_is 1
    for file in soak.state soak.json soak.txt; do
        ! grep -qF "$SECRET" ".run-matrix/latest/$file" || fail "it is in $file"
    done
}

# What the runner holds in memory and on disk does not grow with the attempts: of one with a fixture of its own, and of one that
# always fails, which looks at its runner.
test_nothing_grows() {
    case $program in
    */asan/* | */tsan/*) skip 'a sanitizer keeps what was freed' ;;
    esac
    cat >run-matrix.yaml <<'END'
fixtures: {own: {run: ['true']}}
tests:
  - {name: own, fixtures: [own], run: ['true']}
  - name: bad
    run: |
      case $RUN_MATRIX_ATTEMPT in
      500 | 4000)
        readlink /proc/$PPID/exe >who
        sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$PPID/status >"memory.$RUN_MATRIX_ATTEMPT"
        du -s --apparent-size .run-matrix/latest/ | cut -f1 >"disk.$RUN_MATRIX_ATTEMPT"
        ;;
      esac
      exit 1
END
    run soak --count 4000
    status_is 1
    [ -s memory.4000 ] || fail "no memory"
    grep -q run-matrix who || fail "it was not the runner: $(cat who)"
    [ "$(cat memory.4000)" -lt $(($(cat memory.500) + 100)) ] || fail "memory: $(cat memory.500) then $(cat memory.4000) KB"
    [ "$(cat disk.4000)" -le $(($(cat disk.500) + 4)) ] || fail "disk: $(cat disk.500) then $(cat disk.4000) KB"
}

# ---- which axis ----

test_the_axis_that_carries_it_is_named() {
    in_six "{name: t, run: 'test \${{ matrix.a }}:\$((RUN_MATRIX_ATTEMPT % 4)) != y:0 # \${{ matrix.b }}'}"
    run soak --count 40
    status_is 1
    is "$(of_soak 'soak["failed"]')" 30
    is "$(of_soak '[by["axis"] + "=" + by["value"] for by in soak["carried_by"]]')" "['a=y']"
}

# ---- fixtures ----

test_wide_fixtures_stay_up() {
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {a: [x, y]}}
fixtures:
  once: {scope: session, run: 'echo up >>once', teardown: 'echo down >>once'}
  each: {scope: cell, run: 'echo ${{ matrix.a }} >>each'}
  own: {run: 'echo up >>own'}
tests: [{name: t, fixtures: [once, each, own], run: ['true']}]
END
    run soak --count 5
    status_is 0
    is "$(paste -sd' ' once)" 'up down'
    is "$(sort each | paste -sd' ')" 'x y'
    is "$(wc -l <own)" 10
}

test_a_fixture_that_fails_is_the_end() {
    cat >run-matrix.yaml <<'END'
fixtures: {build: {scope: session, run: [sh, -c, 'echo broken; exit 1']}}
tests: [{name: t, fixtures: [build], run: ['true']}, {name: u, run: ['true']}]
END
    run soak --below 0.01%
    status_is 1
    out_has 'build failed'
}

# A fixture whose tear-down fails in the middle of it: of a run it would be the end of all other cells.
test_fail_fast_is_for_runs() {
    cat >run-matrix.yaml <<'END'
strategy: {fail-fast: true, matrix: {a: [x, y, z]}}
fixtures:
  below: {scope: cell, daemon: 'echo $$ >pid.${{ matrix.a }}; exec sleep 1000', ready: {file: 'pid.${{ matrix.a }}'}}
  above: {scope: cell, needs: [below], run: ['true'], teardown: 'kill -0 $(cat pid.${{ matrix.a }})'}
tests:
  - name: t
    lock: [db]
    fixtures: [above, below]
    run: |
      test ${{ matrix.a }}.$RUN_MATRIX_ATTEMPT = x.3 || exit 0
      kill -KILL $(cat pid.x)
      rm pid.x
      exec sleep 1000
END
    run soak --count 10 -n 2
    status_is 1
    is "$(of_soak '[c["runs"] for c in soak["cases"]]')" '[10, 10, 10]'
    is "$(of_soak 'soak["failed"]')" 1
}

# ---- profiles ----

nightly() {
    cat >run-matrix.yaml <<'END'
tests:
  - {name: good, run: ['true']}
  - {name: bad, run: ['false']}
profiles:
  nightly: {soak: {select: good, below: 10%, confidence: 95%, within: 45m}, reports: {json: out/soak.json}}
  often: {soak: {count: 3, copies: 2}}
  other: {select: bad}
END
}

test_a_profile_has_a_plan() {
    nightly
    run soak -P nightly
    status_is 0
    is "$(of_soak 'soak["runs"]')" 29
    cmp out/soak.json .run-matrix/latest/soak.json
    # The command line goes over it, key by key.
    run soak -P nightly --below 5%
    status_is 0
    is "$(of_soak 'soak["runs"]')" 59
    run soak -P nightly bad
    status_is 1
    run soak -P often good
    status_is 0
    is "$(of_soak 'soak["runs"]')" 3
    run soak -P other --count 1
    status_is 1
}

# A profile may be for runs as well.
test_reports_that_soaks_have_not_are_told() {
    suite "{name: t, run: ['true']}"
    echo 'profiles: {p: {reports: {junit: a.xml, markdown: a.md, json: a.json, summary: a.txt}}}' >>run-matrix.yaml
    run soak -P p --count 2
    status_is 0
    err_has "warning: a soak has no report 'junit': json and summary"
    err_has "warning: a soak has no report 'markdown'"
    [ ! -e a.xml ] || fail 'it has been written all the same'
    cmp a.json .run-matrix/latest/soak.json
    cmp a.txt .run-matrix/latest/soak.txt
    run run -P p
    status_is 0
    grep -q '^1 passed' a.txt || fail "$(cat a.txt)"
}

test_a_profile_is_asked_no_less_than_a_command_line() {
    for key in 'below: 0.0000000001%' 'confidence: 20%' 'confidence: 99.99999999%'; do
        suite "{name: t, run: ['true']}"
        echo "profiles: {p: {soak: {count: 2, $key}}}" >>run-matrix.yaml
        run soak -P p
        status_is 4
        err_has "'${key%%:*}' of the profile's 'soak' wants"
    done
    # What the command line says instead is asked for.
    run soak -P p --confidence 90%
    status_is 0
}

# ---- interrupted, killed, resumed ----

forever() {
    suite "{name: t, run: '$notes test \$((RUN_MATRIX_ATTEMPT % 7)) != 0 || exit 1'}"
}

test_ctrl_c_gives_the_result_so_far() {
    forever
    start soak --duration 1h --seed 77
    await log 't 10'
    kill -INT "$runner"
    finish
    status_is 2
    out_has 'interrupted, so far'
    before=$(of_soak 'soak["runs"]')
    [ "$before" -ge 9 ] || fail "only $before runs"
    [ "$(of_soak 'soak["failed"]')" -ge 1 ] || fail 'none failed'
    run soak --resume --count $((before + 20))
    status_is 1
    is "$(of_soak 'soak["runs"]')" $((before + 20))
    grep -q '^goes on after [1-9]' "$scratch/out" || fail 'nothing was before it'
}

test_ctrl_c_of_what_hangs() {
    suite "{name: t, stop: [KILL], run: 'touch there; exec sleep 1000'}"
    start soak --count 5
    await_file there
    kill -INT "$runner"
    finish
    status_is 2
    is "$(of_soak 'soak["runs"]')" 0
    is "$(of_soak 'soak["unended"]')" 1
    is "$(of_soak 'soak["cases"][0]["unended"]')" 1
    out_has '1 begun and not ended'
}

# Whoever waits for a lock has not begun.
test_who_waits_has_not_begun() {
    {
        echo 'strategy: {matrix: {n: [1, 2, 3, 4, 5, 6]}}'
        echo "tests: [{name: t, lock: [db], stop: [KILL], run: 'touch there; exec sleep 1000'}]"
    } >run-matrix.yaml
    start soak --count 5 -n 6
    await_file there
    kill -INT "$runner"
    finish
    status_is 2
    is "$(of_soak 'soak["unended"]')" 1
}

# Those that fail hang: who looks meanwhile is not told that nothing fails.
test_what_still_runs_may_fail() {
    {
        echo 'strategy: {matrix: {n: [1, 2, 3, 4]}}'
        echo "tests: [{name: t, stop: [KILL], run: '[ \${{ matrix.n }} = 1 ] || { $notes exit 0; }; exec sleep 1000'}]"
    } >run-matrix.yaml
    start soak --duration 1h -n 2
    await log 't@n=4 2'
    run report
    out_has '1 begun and not ended'
    out_lacks 'the rate is below'
    kill -INT "$runner"
    finish
    status_is 2
    is "$(of_soak 'soak["failed"]')" 0
    of_soak 'soak["high"] > 1 - 0.05 ** (1 / soak["runs"])' | grep -q True || fail 'it is as if nothing had hung'
    out_lacks 'the rate is below'
}

# An exit status is all that a silent test says.
test_exit_statuses_are_kinds() {
    suite "{name: t, run: 'exit \$((RUN_MATRIX_ATTEMPT % 2 + 3))'}"
    run soak --count 4
    status_is 1
    is "$(of_soak 'len(soak["kinds"])')" 2
    is "$(of_soak 'sorted(kind["failed"] for kind in soak["kinds"])')" '[2, 2]'
}

# Of the attempts that were cut short nothing is known, and their numbers are not used again.
killed_and_resumed() { # FAULT
    rm -rf .run-matrix log
    RUN_MATRIX_FAULTS=$1 run soak -n 2 --count 12 --seed 99
    [ "$status" = 137 ] || [ "$status" = 3 ] || [ "$status" = 2 ] || fail "$1: exit status $status"
    flock -w 30 .run-matrix/latest/lock true
    run soak --resume
    status_is 1
    python3 - <<'END' || fail "after $1"
import json
run = ".run-matrix/latest/"
soak = json.load(open(run + "soak.json"))
log = [line.split() for line in open("log")]
assert soak["runs"] == 24 and int(soak["seed"], 16) == 0x99, soak
assert len({tuple(line) for line in log}) == len(log), log
# Of those two that were cut short some may have written their lines.
lost = len(log) - 24
assert 0 <= lost <= soak["unended"] <= 2, (lost, soak["unended"], log)
assert soak["unended"] == sum(case["unended"] for case in soak["cases"]), soak
failed = sum(int(attempt) % 3 == 0 for value, attempt in log)
assert failed - lost <= soak["failed"] <= failed, (failed, lost, soak["failed"])
evidence = soak["kinds"][0]["first"]["evidence"]
assert open(run + evidence + "/stdout").read() == "boo\n", evidence
END
    # Evidence that was kept, and did not count any more, is kept again.
    [ "$(find .run-matrix/latest/cases -name stdout | wc -l)" -le 2 ] || fail "$1: evidence was kept too often"
}

rule() {
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {a: [x, y]}}
tests:
  - name: t
    run: |
      echo "${{ matrix.a }} $RUN_MATRIX_ATTEMPT" >>log
      test $((RUN_MATRIX_ATTEMPT % 3)) != 0 || { echo boo; exit 1; }
END
}

test_resumed_where_it_was_killed() {
    rule
    for place in 3 9 17 31 50 77; do
        killed_and_resumed "kill-runner@$place"
    done
    killed_and_resumed kill-guard@40
    killed_and_resumed kill-both@40
    killed_and_resumed die-ended@5
    killed_and_resumed die-written@6
    killed_and_resumed die-finish
}

# The guard is what people see, and may kill; the runner ends by itself then.
test_killed_by_somebody() {
    rule
    start soak -n 2 --duration 1h --seed 5
    await log 'x 9'
    kill -KILL "$runner"
    finish
    flock -w 30 .run-matrix/latest/lock true
    run soak --resume --count 60
    status_is 1
    is "$(of_soak 'soak["runs"]')" 120
    is "$(of_soak 'soak["seed"]')" 0x5
    is "$(sort log | uniq -d)" ''
}

test_a_decision_stays() {
    suite '{name: t, run: ["true"]}'
    RUN_MATRIX_FAULTS=die-report run soak --below 10%
    [ ! -e .run-matrix/latest/soak.json ] || fail 'it was told'
    run soak --resume
    status_is 0
    is "$(of_soak 'soak["runs"]')" 29
    run soak --resume
    status_is 0
    is "$(of_soak 'soak["runs"]')" 29
    run soak --resume --below 1%
    status_is 4
    run soak --resume --seed 1
    status_is 4
    err_has "'--seed' cannot be changed"
}

test_within_is_for_what_is_proven() {
    suite "{name: t, run: ['true']}"
    run soak --count 3
    status_is 0
    run soak --resume --within 1h
    status_is 4
    err_has "'--duration' says how long to go on"
    run soak --resume --count 2
    status_is 4
    err_has 'it is to run each case 3 times, which can become more, and not less'
    run soak --resume --count 5
    status_is 0
    is "$(of_soak 'soak["runs"]')" 5
}

test_resume_is_of_its_kind() {
    suite '{name: t, run: ["true"]}'
    run soak --count 2
    status_is 0
    run run --resume
    status_is 4
    err_has "'run-matrix soak --resume' goes on with it"
    run run
    run soak --resume
    status_is 4
    err_has 'is no soak'
    sed -i 's/name: t/name: v/' run-matrix.yaml
    run soak --resume --from 1
    status_is 4
    sed -i 's/name: v/name: t/' run-matrix.yaml
    rm .run-matrix/runs/0001*/soak.state
    run soak --resume --from 1
    status_is 4
    err_has 'the record of this soak is gone: begin another soak'
    is "$(find .run-matrix/runs/0001* -name 'soak.state*')" ''
}

# ---- reports ----

test_reports() {
    suite '{name: t, run: ["true"]}'
    run soak --count 3 --report json=a/b.json --report summary=c.txt
    status_is 0
    cmp a/b.json .run-matrix/latest/soak.json
    cmp c.txt .run-matrix/latest/soak.txt
    run report
    status_is 0
    cmp "$scratch/out" .run-matrix/latest/soak.txt
    run report --format json -o d.json
    status_is 0
    cmp d.json .run-matrix/latest/soak.json
    run report --format junit
    status_is 4
    err_has 'is a soak'
    run soak --count 1 --report junit=x.xml
    status_is 4
    run show
    status_is 0
    err_has 'nothing failed'
    run soak -q --count 1 --report json=-
    status_is 0
    python3 -m json.tool <"$scratch/out" >/dev/null || fail 'no JSON'
}

test_a_soak_is_no_history() {
    suite '{name: t, run: ["false"]}'
    run soak --count 3
    status_is 1
    run list --lf
    out_has 'last failed: 0 of 1 case'
    run run
    status_is 1
    run list --lf
    out_has 'last failed: 1 of 1 case'
}

test_on_a_terminal_one_line_tells_how_far_it_is() {
    suite '{name: t, run: [sleep, "0.3"]}'
    TERM=xterm run_command python3 "$root/tests/e2e/on_terminal.py" '' '' "$program" soak --count 4
    status_is 0
    grep -q "$(printf '\r').*run.*$(printf '\033\\[K')" "$scratch/out" || {
        show out
        fail 'no live line'
    }
}

run_tests
