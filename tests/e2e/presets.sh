#!/bin/sh
# Tests inside suites: listed before the run, run apart, chosen by id and -k, run again alone.
. "$(dirname "$0")/lib.sh"

# A suite of its own kind: it names its tests, and runs those that it is told, or all. `names` holds "name verdict"
# lines; what it ran is told in `ran`, a line for each process.
hand_made() { # LINE...
    printf '%s\n' "$@" >names
    cat >suite <<'SH'
#!/bin/sh
if [ "$1" = --names ]; then
    sed 's/ [a-z]*$//' names
    exit
fi
[ $# -gt 0 ] || set -f
echo "$*" >>ran
status=0
while IFS= read -r line; do
    name=${line% *} verdict=${line##* }
    wanted=$([ $# = 0 ] && echo yes || for one; do [ "$one" != "$name" ] || echo yes; done)
    [ -n "$wanted" ] || continue
    [ "$verdict" != later ] || { [ "$RUN_MATRIX_ATTEMPT" -gt 1 ] && verdict=ok || verdict=fail; }
    [ "$verdict" = silent ] || echo "$verdict: $name"
    [ "$verdict" != fail ] || status=1
done <names
exit $status
SH
    chmod +x suite
}

lines_of_suite="results: {lines: '^(?<verdict>ok|fail|skip|xfail): (?<name>.+)\$'}"
apart="discover: {list: [./suite, --names], run: [./suite, '{test}']}"
together="discover: {list: [./suite, --names], run: [./suite, '{tests}']}"

results_are() { # stdin: "id verdict" of every result, or of a case that has none
    cat >"$scratch/wanted"
    "$program" report --format json >"$scratch/json"
    python3 -c 'import json, sys
for c in json.load(open(sys.argv[1]))["cases"]:
    for r in c.get("results", [c]): print(r["id"], r["verdict"])' "$scratch/json" >"$scratch/got"
    diff -u "$scratch/wanted" "$scratch/got" >"$scratch/diff" || {
        sed 's/^/# /' "$scratch/diff"
        fail 'the results differ'
    }
}

reason_is() { # ID WORDS
    "$program" report --format json >"$scratch/json"
    is "$(python3 -c 'import json, sys
for c in json.load(open(sys.argv[1]))["cases"]:
    if c["id"] == sys.argv[2]: print(c["verdict"] + ": " + c["reason"])' "$scratch/json" "$1")" "$2"
}

# ---- apart ----

test_each_test_is_a_case() {
    hand_made 'a::one ok' "it's [b] \"\$x\" ok" 'c fail'
    suite "{name: t, run: ./suite, $apart}" '{name: u, run: ["true"]}'
    run list
    out_is <<'END'
run-matrix.yaml: 1 cell
4 cases
  t::a::one
  t::it%27s%20%5Bb%5D%20%22%24x%22
  t::c
  u
END
    [ ! -e ran ] || fail 'a test was started'
    run
    status_is 1
    last_line_is '3 passed, 1 failed'
    is "$(sort ran)" "$(printf '%s\n' 'a::one' 'c' "it's [b] \"\$x\"" | sort)"
    out_has "again: $program run --id t::c"
    rm ran
    run run 't::it'\''s [b] "$x"'
    status_is 0
    is "$(cat ran)" "it's [b] \"\$x\""
}

test_selection_of_cases_inside() {
    hand_made 'a::one ok' 'a::two ok' 'b::one ok'
    suite "{name: t, run: ./suite, $apart, retries: 3}"
    echo "overrides: [{select: 't::a::*', timeout: 7s}]" >>run-matrix.yaml
    run list -q -k 'one and not b'
    out_is 't::a::one'
    run list -q t::a
    out_is <<'END'
t::a::one
t::a::two
END
    run list -q --deselect 't::*::one'
    out_is 't::a::two'
    run list -q --partition slice:2/3
    out_is 't::a::two'
    run list --json
    is "$(python3 -c 'import json, sys
print([c["timeout"] for c in json.load(open(sys.argv[1]))["cases"]])' "$scratch/out")" '[7, 7, 60]'
}

test_what_a_test_apart_comes_to() {
    hand_made 'a ok' 'b fail' 'c skip' 'd xfail' 'e silent'
    suite "{name: t, run: ./suite, $apart, $lines_of_suite}"
    run
    status_is 1
    last_line_is '1 passed, 2 failed, 2 skipped'
    results_are <<'END'
t::a passed
t::b failed
t::c skipped
t::d xfailed
t::e failed
END
    reason_is t::e 'failed: reported 0 of 1 test'
}

test_lists_that_differ_from_cell_to_cell() {
    cat >run-matrix.yaml <<'YAML'
strategy: {matrix: {n: [1, 2]}}
tests:
  - {name: t, run: ['true'], discover: {list: [seq, '${{ matrix.n }}'], run: ['true', '{test}']}}
  - {name: u, run: ['true'], discover: {list: [sh, -c, 'echo x; echo >>asked'], run: ['true', '{test}']}}
YAML
    run list -q
    out_is <<'END'
t::1@n=1
t::1@n=2
t::2@n=2
u::x@n=1
u::x@n=2
END
    is "$(wc -l <asked)" 1
}

test_names_by_an_expression() {
    suite '{name: t, run: ["true"], discover: {list: [printf, "# suite\n* a b\n* c\n"], lines: "^\\* (?<name>.+)$",
    run: [test, "{test}", "=", "a b"]}}'
    run
    status_is 1
    results_are <<'END'
t::a%20b passed
t::c failed
END
    run show t::c
    status_is 0
    out_has 'FAIL    t::c'
    out_lacks 't::a'
}

test_names_by_an_expression_are_told_as_they_are() {
    suite '{name: t, run: ["true"], discover: {list: [printf, "* tab\\there\n* tab\\\\there\n* tab\\there\n"], lines: "^\\* (?<name>.+)$",
    run: [sh, -c, "printf %s\\\\n \"$1\" | od -An -tx1 >>ran", s, "{test}"]}}'
    run run -j1
    status_is 0
    is "$(cat ran)" ' 74 61 62 09 68 65 72 65 0a
 74 61 62 5c 74 68 65 72 65 0a'
}

test_ten_thousand() {
    suite '{name: t, run: ["true"], discover: {list: [seq, "10000"], run: [test, "{test}", -gt, "9998"]}}'
    run list -q
    is "$(wc -l <"$scratch/out")" 10000
    run run 't::999?'
    status_is 1
    last_line_is '1 passed, 9 failed'
}

# Fixtures are not made for a list; what one of the session has to build first is asked for later, and is one case.
test_lists_and_fixtures() {
    cat >run-matrix.yaml <<'YAML'
fixtures:
  build: {scope: session, run: [touch, built]}
  there: {run: [touch, made]}
tests:
  - {name: t, run: ['true'], fixtures: [there], discover: {list: [echo, a], run: [test, -e, made, -a, '{test}', =, a]}}
  - {name: u, run: [test, -e, built], fixtures: [build], discover: {list: [echo, a], run: ['false', '{test}']}}
YAML
    run list
    out_is <<'END'
run-matrix.yaml: 1 cell
2 cases
  t::a
  u  (collected after fixture build)
END
    if [ -e built ] || [ -e made ]; then fail 'a fixture was made'; fi
    run
    status_is 0
    last_line_is '2 passed, 0 failed'
}

# ---- together ----

test_ids_and_keywords_reach_in() {
    hand_made 'a::one ok' 'a::two fail' 'b one ok'
    suite "{name: t, run: ./suite, $together, $lines_of_suite}" '{name: u, run: ["true"]}'
    run list t::a::one
    out_is <<'END'
run-matrix.yaml: 1 cell
1 of 2 cases
  t  (1 of its tests)
END
    run run t::a::one
    status_is 0
    results_are <<'END'
t::a::one passed
END
    run run -k one
    status_is 0
    last_line_is '2 passed, 0 failed'
    run run t --deselect t::a
    status_is 0
    last_line_is '1 passed, 0 failed'
    run run t
    status_is 1
    last_line_is '2 passed, 1 failed'
    is "$(cat ran)" "$(printf 'a::one\na::one b one\nb one\n\n')"
    out_has "again: $program run --id t::a::two"
    run run t::none
    status_is 5
    err_has 'none of 2 cases is selected'
}

test_only_what_failed_is_run_again() {
    hand_made 'a ok' 'b later' 'c later' 'd skip'
    suite "{name: t, run: ./suite, $together, $lines_of_suite, retries: 1}"
    run
    status_is 0
    last_line_is '3 passed, 0 failed, 1 skipped'
    is "$(cat ran)" "$(printf '\nb c\n')"
    results_are <<'END'
t::b flaky
t::c flaky
t::a passed
t::d skipped
END
    # also of those that were selected
    rm ran
    run run t::a t::b
    status_is 0
    is "$(cat ran)" "$(printf 'a b\nb\n')"
    last_line_is '2 passed, 0 failed'
}

# What cannot be told which of its tests to run runs all of them again.
test_all_are_run_again_where_it_must_be() {
    hand_made 'a ok' 'b later'
    suite "{name: t, run: ./suite, $lines_of_suite, retries: 1}"
    run
    status_is 0
    is "$(cat ran)" "$(printf '\n\n')"
    run run t::b
    status_is 0
    err_has 'run-matrix.yaml:2:5: warning: t: all its tests are run: by what names it could be told to run some of them is not known'
    last_line_is '2 passed, 0 failed'
}

# A second attempt that tells nothing does not take away what the first one told of the others.
test_what_was_not_run_again_stays_where_nothing_is_told() {
    hand_made 'a ok' 'b later'
    sed -i '2i [ "$RUN_MATRIX_ATTEMPT" = 1 ] || [ "$1" = --names ] || exit 3' suite
    suite "{name: t, run: ./suite, $together, $lines_of_suite, retries: 1}"
    run
    status_is 1
    grep -q '"id":"a"' .run-matrix/latest/cases/t/2/results.ndjson || fail 'what had passed is gone'
}

# A name that is hidden is not on record, and cannot be asked for.
test_what_is_hidden_is_not_asked_for() {
    hand_made 'a ok' 'b-hidden-word later'
    suite "{name: t, run: ./suite, $together, $lines_of_suite, retries: 1}"
    echo 'defaults: {mask: [SECRET]}' >>run-matrix.yaml
    SECRET=hidden-word run
    status_is 0
    is "$(cat ran)" "$(printf '\n\n')"
    results_are <<'END'
t::a passed
t::b-%2A%2A%2A flaky
END
}

test_what_was_asked_for_must_be_told() {
    hand_made 'a ok' 'b silent' 'c ok'
    suite "{name: t, run: ./suite, $together, $lines_of_suite}"
    run run t::a t::b
    status_is 1
    reason_is t 'failed: reported 1 of 2 tests'
    run run t::b
    status_is 1
    reason_is t 'failed: reported 0 of 1 test'
}

# ---- presets ----

test_automake() {
    command -v make >/dev/null || skip 'no make'
    cat >Makefile <<'MAKE'
TESTS = a.sh sub/b.sh c.sh
check:
	@for t in $(TESTS); do case $$t in *b*) echo "FAIL: $$t";; *) echo "PASS: $$t";; esac; done; test "$(TESTS)" = a.sh
MAKE
    suite '{name: t, preset: automake, run: [make, -s, check]}' \
        '{name: u, preset: automake, run: [make, -s, check], discover: per-test}'
    run
    status_is 1
    results_are <<'END'
t::a.sh passed
t::sub/b.sh failed
t::c.sh passed
u::a.sh passed
u::sub/b.sh failed
u::c.sh failed
END
    reason_is u::c.sh 'failed: exit status 2, though its one test did not fail'
    run run t::a.sh
    status_is 0
    last_line_is '1 passed, 0 failed'
}

test_cmocka() {
    cat >shop.c <<'C'
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
static void opens(void **state) { (void)state; }
static void sells(void **state) { (void)state; assert_int_equal(1, 2); }
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(opens), cmocka_unit_test(sells)};
    return cmocka_run_group_tests_name("shop", tests, NULL, NULL);
}
C
    cc -o shop shop.c -lcmocka 2>"$scratch/cc" || skip 'a cmocka program cannot be built'
    suite '{name: t, preset: cmocka, run: [./shop]}'
    run
    status_is 1
    results_are <<'END'
t::shop::opens passed
t::shop::sells failed
END
    run run t::shop::opens
    status_is 1
    err_has 'warning: t: all its tests are run'
    suite '{name: t, preset: cmocka, run: [./shop], discover: per-test}'
    run list
    status_is 0
    run
    status_is 4
    err_has "run-matrix.yaml:2:56: error: t: 'discover' cannot be had: a cmocka program cannot be asked for the names of its tests"
}

# Its XML is written at the end. A program that speaks as GoogleTest does, and crashes.
test_gtest_that_crashes() {
    write gtest <<'SH'
#!/bin/sh
echo '[ RUN      ] Shop.Price'
echo '[       OK ] Shop.Price (0 ms)'
echo '[ RUN      ] Shop.Till'
printf 'no newline at its end[  FAILED  ] Shop.Till (1 ms)\n'
echo '[ RUN      ] Crash.Here'
kill -SEGV $$
SH
    chmod +x gtest
    suite '{name: t, preset: gtest, run: [./gtest]}'
    run
    status_is 1
    results_are <<'END'
t::Shop.Price passed
t::Shop.Till failed
t::Crash.Here not run
END
    reason_is t "crashed: SIGSEGV in 'Crash.Here', after 2 tests"
}

test_pytest_with_settings_below() {
    write low/test_a.py </dev/null
    write pytest <<'SH'
#!/bin/sh
echo "$*" >>ran
case "$PYTEST_ADDOPTS" in *--junit-xml=*) ;; *) exit 4 ;; esac
report=${PYTEST_ADDOPTS#*--junit-xml=}
echo '<testsuite><testcase classname="test_a" name="test_y" file="test_a.py"><failure/></testcase>
</testsuite>' >"${report%% *}"
exit 1
SH
    chmod +x pytest
    suite '{name: t, preset: pytest, run: [./pytest, low], retries: 1}'
    run
    status_is 1
    is "$(cat ran)" 'low
low/test_a.py::test_y'
}

test_scripts_hand_on_words() {
    write ctest <<'SH'
#!/bin/sh
case "$*" in
*--show-only*) echo '{"tests": [{"name": "a b"}, {"name": "c"}]}' ;;
*) echo "$*" | sed 's,/[^ ]*/report.xml,REPORT,' >>ran
   while [ "$1" != --output-junit ]; do shift; done
   echo '<testsuite><testcase name="a b" classname="a b" status="run"/></testsuite>' >"$2" ;;
esac
SH
    chmod +x ctest
    suite "{name: t, preset: ctest, run: 'true && ./ctest -j2 \"\$@\"'}" "{name: u, preset: ctest, run: ./ctest -j2}"
    run run 't::a b'
    status_is 0
    is "$(cat ran)" '-j2 --output-junit REPORT -R ^(a b)$'
    run run u
    status_is 1
    reason_is u 'error: the command is a string that hands nothing on: it would have to end in "$@"'
}

test_a_command_that_cannot_be_asked_runs_all() {
    write gtest <<'SH'
#!/bin/sh
[ $# = 0 ] || echo "$*" >>asked
echo '[ RUN      ] Shop.Price'
echo '[       OK ] Shop.Price (0 ms)'
SH
    chmod +x gtest
    suite "{name: t, preset: gtest, run: 'true && ./gtest'}" \
        "{name: u, preset: gtest, run: 'true && ./gtest', discover: per-test}" '{name: v, run: ["true"]}'
    run run -k v
    status_is 1 # by its name v, and u whose tests are not known
    last_line_is '1 passed, 1 failed'
    run run t::Shop.Price
    status_is 0
    err_has 'warning: t: '
    results_are <<'END'
t::Shop.Price passed
END
    run run u
    status_is 1
    reason_is u 'error: its tests cannot be listed: the command is a string that hands nothing on: it would have to end in "$@"'
    [ ! -e asked ] || fail 'the suite was given words'
}

# ---- lists that cannot be had ----

test_a_list_that_fails() {
    suite '{name: t, run: ["true"], discover: {list: [sh, -c, "echo x; echo cannot import this >&2; exit 3"], run: [echo, "{test}"]}}' \
        '{name: u, run: ["true"], discover: {list: ["true"], run: [echo, "{test}"]}}' \
        '{name: v, run: ["true"], discover: {list: [./none], run: [echo, "{test}"]}}' \
        '{name: w, run: ["true"]}'
    run list
    status_is 0
    err_has "run-matrix.yaml:2:40: warning: t: its tests cannot be listed: 'sh' failed (status 3); it said: cannot import this"
    run
    status_is 1
    last_line_is '1 passed, 3 failed'
    reason_is t "error: its tests cannot be listed: 'sh' failed (status 3); it said: cannot import this"
    reason_is u "error: its tests cannot be listed: 'true' named no test (status 0)"
    reason_is v "error: its tests cannot be listed: cannot execute './none': No such file or directory"
}

test_an_expression_that_cannot_be_used() {
    suite '{name: t, run: ["true"], discover: {list: [echo, a], lines: "(?<nam>.*)", run: [echo, "{test}"]}}'
    run
    status_is 4
    err_has "run-matrix.yaml:2:65: error: t: the expression of 'lines' cannot be used: 'nam' is no group that is known"
}

test_a_list_that_hangs_leaves_nothing() {
    suite "{name: t, run: ['true'], timeout: 500ms, stop: [KILL], discover: {list: ['$kid', group-escape, $token], run: [echo, '{test}']}}"
    for means in auto group; do
        run --contain "$means"
        status_is 1
        "$program" report --format json | grep -q "its tests cannot be listed: '$kid' was not done in time" ||
            fail 'it does not say so'
        nobody_is_left
    done
}

listing_for_ever() {
    suite "{name: t, run: ['true'], discover: {list: [sh, -c, 'touch begun; exec \"$kid\" group-escape $token'], run: [echo, '{test}']}}"
}

test_an_interrupted_list_leaves_nothing() {
    listing_for_ever
    start run
    await_file begun
    kill -INT "$runner"
    finish
    [ "$status" != 0 ] || fail 'it passed'
    nobody_is_left
}

test_a_killed_run_takes_its_list_along() {
    listing_for_ever
    start run
    await_file begun
    kill -KILL "$runner"
    finish
    nobody_is_left
    end_survivors
}

run_tests
