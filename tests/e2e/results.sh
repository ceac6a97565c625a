#!/bin/sh
# Many results inside one process: `results` of a test.
. "$(dirname "$0")/lib.sh"

# The reason of the one case that is called so.
reason_is() { # ID WORDS
    "$program" report --format json >"$scratch/json"
    is "$(python3 -c 'import json, sys
for c in json.load(open(sys.argv[1]))["cases"]:
    if c["id"] == sys.argv[2]: print(c["verdict"] + ": " + c["reason"])' "$scratch/json" "$1")" "$2"
}

# "id verdict" of each result, in order.
results_are() { # stdin: what they should be
    cat >"$scratch/wanted"
    "$program" report --format json >"$scratch/json"
    python3 -c 'import json, sys
for c in json.load(open(sys.argv[1]))["cases"]:
    for r in c.get("results", []): print(r["id"], r["verdict"])' "$scratch/json" >"$scratch/got"
    diff -u "$scratch/wanted" "$scratch/got" >"$scratch/diff" || {
        sed 's/^/# /' "$scratch/diff"
        fail 'the results differ'
    }
}

# Totals of JUnit as its elements give them, and as its head does.
junit_counts() {
    xmllint --noout .run-matrix/latest/junit.xml || fail 'JUnit is no XML'
    python3 -c 'import sys, xml.etree.ElementTree as e
root = e.parse(".run-matrix/latest/junit.xml").getroot()
cases = root.findall(".//testcase")
count = lambda tag: sum(c.find(tag) is not None for c in cases)
got = [len(cases), count("failure"), count("error"), count("skipped")]
said = [int(root.get(k)) for k in ("tests", "failures", "errors", "skipped")]
assert got == said, (got, said)
for suite in root.findall("testsuite"):
    assert int(suite.get("tests")) == len(suite.findall("testcase")), suite.get("name")
print(*got)'
}

# A program that writes JUnit as the many do: results of tests named on its command line, as NAME=VERDICT.
junit_writer() {
    write writer <<'PY'
#!/usr/bin/env python3
import os, signal, sys, time
from xml.sax.saxutils import quoteattr
path, done, open_until = sys.argv[1], [], None
def report(*_):
    with open(path, "w") as out:
        out.write('<testsuite name="s" tests="%d">\n' % len(sys.argv[2:]))
        for name, verdict in done:
            out.write('<testcase classname="k" name=%s time="0.25" file="t.py" line="3">%s</testcase>\n' % (
                quoteattr(name), {"pass": "", "fail": '<failure message="was wrong">t.py:3: was wrong</failure>',
                                  "skip": '<skipped message="no net"/>'}[verdict]))
        out.write("</testsuite>\n")
    if _:
        sys.exit(2)
signal.signal(signal.SIGINT, report)
for arg in sys.argv[2:]:
    name, verdict = arg.split("=")
    if verdict == "hang":
        print("hangs", flush=True)
        time.sleep(1000)
    done.append((name, verdict))
report()
sys.exit(any(v == "fail" for n, v in done))
PY
    chmod +x writer
}

test_tap() {
    write run-matrix.yaml <<'YAML'
strategy:
  matrix: {transport: [tcp, uds]}
tests:
  - name: shell
    results: {tap: stdout}
    run: |
      echo 1..4
      echo "ok 1 - opens"
      echo "some noise"
      [ $RUN_MATRIX_AXIS_TRANSPORT = tcp ] || printf not\ 
      echo "ok 2 - a@b, c=d # 1"
      echo "ok 3 - c # SKIP no net"
      echo "not ok 4 - d # TODO later"
YAML
    run
    status_is 1
    last_line_is '3 passed, 1 failed, 4 skipped'
    results_are <<'END'
shell::opens@transport=tcp passed
shell::a%40b%2C%20c%3Dd%20%23%201@transport=tcp passed
shell::c@transport=tcp skipped
shell::d@transport=tcp xfailed
shell::opens@transport=uds passed
shell::a%40b%2C%20c%3Dd%20%23%201@transport=uds failed
shell::c@transport=uds skipped
shell::d@transport=uds xfailed
END
    reason_is 'shell@transport=uds' 'failed: 1 of 4 tests failed: a@b, c=d # 1'
    reason_is 'shell@transport=tcp' 'passed: '
    is "$(junit_counts)" '8 1 0 4'
    "$program" report --format tap >points
    prove --exec cat points >proved || :
    grep -q 'Failed test:  6' proved || fail 'prove sees something else'
}

test_exit_0_with_failing_tap() {
    suite '{name: a, results: {tap: stdout}, run: "echo 1..2; echo not ok 1 - bad; echo ok 2"}'
    run
    status_is 1
    reason_is a 'failed: 1 of 2 tests failed: bad'
    last_line_is '1 passed, 1 failed'
}

test_what_tap_says_of_itself() {
    suite '{name: all, results: {tap: stdout}, run: "echo 1..0 \\# SKIP no net"}' \
        '{name: each, results: {tap: stdout}, run: "echo 1..1; echo ok 1 - x \\# SKIP no screen"}' \
        '{name: bail, results: {tap: stdout}, run: "echo 1..3; echo ok 1; echo Bail out! no database; exit 3"}' \
        '{name: less, results: {tap: stdout}, run: "echo 1..10; for i in 1 2 3 4 5 6 7; do echo ok $i; done"}' \
        '{name: none, results: {tap: stdout}, run: "echo hello"}' \
        '{name: status, results: {tap: stdout}, run: "echo 1..2; echo ok 1; echo ok 2; exit 4"}' \
        '{name: skips, results: {tap: stdout}, run: "echo nothing here; exit 77"}'
    run
    status_is 1
    reason_is all 'skipped: no net'
    reason_is each 'skipped: no screen'
    reason_is bail 'failed: bailed out: no database'
    reason_is less 'failed: reported 7 of 10 tests'
    reason_is none "error: its report cannot be read: stdout: no TAP was found: neither a plan like 1..5 nor a test like 'ok 1 - name'"
    reason_is status 'failed: exit status 4, though none of its 2 tests failed'
    reason_is skips 'skipped: nothing here'
    # 1 and 7 and 2 passed; bail, less, none and status are bad beyond what their results say; all, each's x, skips
    last_line_is '10 passed, 4 failed, 3 skipped'
}

# A subtest that only sums up is no test of its own; what is in one that is expected to fail is expected, too.
test_subtests() {
    write run-matrix.yaml <<'YAML'
tests:
  - name: a
    results: {tap: stdout}
    run: |
      cat <<'TAP'
      TAP version 14
      1..2
      # Subtest: net
          1..2
          ok 1 - opens
          ok 2 - closes
      ok 1 - net
      # Subtest: later
          1..1
          not ok 1 - sells
      not ok 2 - later # TODO not yet
      TAP
YAML
    run
    status_is 0
    results_are <<'END'
a::net::opens passed
a::net::closes passed
a::later::sells xfailed
END
    last_line_is '2 passed, 0 failed, 1 skipped'
}

# They are no output: --keep has no say.
test_results_are_kept_with_the_run() {
    suite '{name: a, run: "echo 1..1; echo ok 1", results: {tap: stdout}}'
    run --keep=none
    status_is 0
    run --keep=none
    first=$(printf '%s\n' .run-matrix/runs/* | head -n 1)
    [ -f "$first/cases/a/1/results.ndjson" ] || fail 'they are gone'
    run report "$first"
    last_line_is '1 passed, 0 failed'
}

# As prove has it: without a plan nobody knows that nothing is missing.
test_tap_that_is_not_sound() {
    suite '{name: planless, results: {tap: stdout}, run: "echo ok 1; echo ok 2"}' \
        '{name: more, results: {tap: stdout}, run: "echo 1..1; echo ok 1; echo ok 2"}' \
        '{name: twice, results: {tap: stdout}, run: "echo 1..2; echo ok 1; echo ok 2; echo ok 2"}' \
        '{name: status, results: {tap: stdout}, run: "echo ok 1; exit 3"}'
    run
    status_is 1
    reason_is planless 'error: its report is not sound: stdout:1:1: there is no plan: 1..2 would say how many tests there are'
    reason_is more 'error: its report is not sound: stdout:3:1: test 2 is beyond the plan 1..1'
    reason_is twice 'error: its report is not sound: stdout:4:1: test 2 comes a second time: each has a number of its own'
    reason_is status 'failed: exit status 3, though its one test did not fail'
    last_line_is '8 passed, 4 failed'
}

test_junit() {
    junit_writer
    suite '{name: good, run: [./writer, out.xml, a=pass, b=skip], results: {junit: out.xml}}' \
        '{name: bad, cwd: sub, run: [../writer, o.xml, a=pass, b=fail, c=fail], results: {junit: sub/o.xml}}'
    mkdir sub
    run -v --durations=2
    status_is 1
    out_has 'good (2 tests)'
    out_has 'bad (3 tests): 2 of 3 tests failed: k::b, k::c'
    out_has 'FAIL    bad::k::b  250ms'
    out_has '          was wrong'
    out_has '          t.py:3'
    out_has 'slowest tests within: 2'
    last_line_is '2 passed, 2 failed, 1 skipped'
    is "$(junit_counts)" '5 2 0 1'
    grep -q '<testcase classname="bad" name="k::b" time="0.250" file="t.py" line="3">' .run-matrix/latest/junit.xml ||
        fail 'no place in JUnit'
    reason_is bad 'failed: 2 of 3 tests failed: k::b, k::c'
    # the status is explained, and no failure of its own
    is "$(records '"exit status 1"')" 1
}

test_a_status_that_no_test_explains() {
    junit_writer
    suite '{name: a, run: "./writer out.xml a=pass b=pass; exit 5", results: {junit: out.xml}}'
    run
    status_is 1
    reason_is a 'failed: exit status 5, though none of its 2 tests failed'
    last_line_is '2 passed, 1 failed'
}

test_no_report() {
    suite '{name: none, run: ["true"], results: {junit: out.xml}}' \
        '{name: bad, run: ["false"], results: {junit: out.xml}}' \
        '{name: empty, run: "echo >e.xml", results: {junit: e.xml}}' \
        '{name: cut, run: "echo \"<testsuite><testcase name=\\\"a\\\"/><testcase\" >c.xml", results: {junit: c.xml}}' \
        '{name: zero, run: "echo \"<testsuite/>\" >z.xml", results: {junit: z.xml}}' \
        '{name: pipe, run: "mkfifo p.xml", results: {junit: p.xml}}' \
        '{name: json, run: "echo {} >g.xml", results: {gtest: g.xml}}'
    run -j1
    status_is 1
    reason_is none "error: wrote no report: 'out.xml' is not there"
    reason_is bad 'failed: exit status 1'
    is "$(records "\"error: wrote no report: 'out.xml' is not there\"")" 1
    reason_is empty "error: its report cannot be read: e.xml:2:1: the report ends before its first element"
    reason_is cut 'error: not all of its report can be read: c.xml:1:32: the report ends in the middle: </testsuite> is missing'
    reason_is zero "error: there is no test in its report 'z.xml'"
    reason_is pipe 'error: its report cannot be read: p.xml: cannot be read: Operation not supported'
    reason_is json 'error: its report cannot be read: g.xml:1:1: this is JSON; --gtest_output=xml:PATH would be right'
    last_line_is '1 passed, 7 failed'
}

# So that somebody can look at it: the folder that was lent is gone.
test_a_report_that_is_broken_is_kept() {
    suite '{name: a, run: "echo \"<testsuite><testcase name=\\\"a\\\"/>\" >$RUN_MATRIX_RESULTS/x.xml", results: {junit: "$RUN_MATRIX_RESULTS/*.xml"}}' \
        '{name: b, run: "echo \"<testsuite><testcase name=\\\"a\\\"/></testsuite>\" >$RUN_MATRIX_RESULTS/x.xml", results: {junit: "$RUN_MATRIX_RESULTS/*.xml"}}'
    run
    status_is 1
    reason_is a 'error: not all of its report can be read: $RUN_MATRIX_RESULTS/x.xml:2:1: the report ends in the middle: </testsuite> is missing'
    [ -f .run-matrix/latest/cases/a/1/reports/x.xml ] || fail 'it is not there'
    [ ! -e .run-matrix/latest/cases/b/1/reports ] || fail 'the one that is sound is kept'
}

# What stood there before is not this run's, also where its time was set forward.
test_a_stale_report() {
    junit_writer
    ./writer out.xml a=pass
    suite '{name: stale, run: ["true"], results: {junit: out.xml}}' \
        '{name: touched, run: [touch, -d, tomorrow, new.xml], results: {junit: new.xml}}' \
        '{name: again, run: [./writer, o.xml, a=pass], results: {junit: o.xml}}'
    cp -p out.xml new.xml
    cp -p out.xml o.xml
    run -j1
    status_is 1
    reason_is stale "error: wrote no report: 'out.xml' was there before it began, and is as it was"
    reason_is again 'passed: '
    last_line_is '2 passed, 1 failed'
}

test_several_reports() {
    junit_writer
    mkdir old
    ./writer old/x.xml stale=fail || :
    write run-matrix.yaml <<'YAML'
tests:
  - name: many
    run: './writer $RUN_MATRIX_RESULTS/b.xml a=pass; ./writer $RUN_MATRIX_RESULTS/a.xml b=pass c=skip; ls $RUN_MATRIX_RESULTS'
    results: {junit: '$RUN_MATRIX_RESULTS/*.xml'}
  - name: mixed
    run: ./writer old/y.xml d=pass
    results: {junit: 'old/*.xml'}
YAML
    run
    status_is 0
    results_are <<'END'
many::k::b passed
many::k::c skipped
many::k::a passed
mixed::k::d passed
END
    last_line_is '3 passed, 0 failed, 1 skipped'
    # each attempt has an empty one, and it is gone afterwards
    run many
    status_is 0
    [ ! -e .run-matrix/latest/slots ] || fail 'the folder for reports is still there'
}

test_each_cell_and_attempt_has_a_folder_of_its_own() {
    junit_writer
    write run-matrix.yaml <<'YAML'
strategy:
  matrix: {n: [1, 2, 3, 4]}
tests:
  - name: a
    retries: 1
    run: '[ -z "$(ls -A $RUN_MATRIX_RESULTS)" ] && ./writer $RUN_MATRIX_RESULTS/r.xml x=pass && exit ${{ matrix.n == 2 }}'
    results: {junit: '${RUN_MATRIX_RESULTS}/r.xml'}
YAML
    sed -i 's/exit ${{ matrix.n == 2 }}/[ $RUN_MATRIX_AXIS_N$RUN_MATRIX_ATTEMPT != 21 ]/' run-matrix.yaml
    run -j4
    status_is 0
    last_line_is '4 passed, 0 failed'
    is "$(records '"outcome":"flaky"')" 1
}

# Nobody could say whose it is, so they are not run side by side.
test_cases_that_write_one_report() {
    junit_writer
    write run-matrix.yaml <<'YAML'
strategy:
  matrix: {n: [1, 2, 3]}
tests:
  - name: a
    run: 'mkdir busy; ./writer r.xml x$RUN_MATRIX_AXIS_N=pass; rmdir busy'
    results: {junit: r.xml}
YAML
    run -j3
    status_is 0
    results_are <<'END'
a::k::x1@n=1 passed
a::k::x2@n=2 passed
a::k::x3@n=3 passed
END
}

# Where it is a variable that says so, this is known when they start.
test_two_that_write_one_report_by_a_variable() {
    mkfifo f
    write run-matrix.yaml <<'YAML'
strategy:
  matrix: {n: [1, 2]}
tests:
  - name: a
    run: 'echo "<testsuite><testcase name=\"a\"/></testsuite>" >$OUT/r.xml; read x <f || :'
    env: {OUT: .}
    results: {junit: $OUT/r.xml}
    timeout: 30s
YAML
    start -j2
    await "$scratch/out" 'writes the same report'
    echo go >f
    finish
    status_is 1
    out_has "another case that runs beside it writes the same report '\$OUT/r.xml'"
}

# As GoogleTest prints it; what a test prints without a newline is glued to it.
test_lines() {
    write run-matrix.yaml <<'YAML'
tests:
  - name: unit
    run: |
      printf '[ RUN      ] A.x\nno newline[       OK ] A.x (3 ms)\n'
      printf '[ RUN      ] A.y\na.cc:7: bad\n[  FAILED  ] A.y (4 ms)\n' >&2
    results: {lines: '\[ +(?<verdict>RUN|OK|FAILED) +\] (?<name>\S+)(?: \((?<duration>\d+ ms)\))?$'}
  - name: merged
    run: 'echo "test a ... ok" >&2'
    results: {lines: '^test (?<name>.*) \.\.\. (?<verdict>.*)'}
  - name: nothing
    run: echo hello
    results: {lines: '^test (?<name>.*) \.\.\. (?<verdict>.*)'}
YAML
    run --capture=merged merged
    status_is 0
    last_line_is '1 passed, 0 failed'
    run
    status_is 1
    results_are <<'END'
unit::A.x passed
unit::A.y failed
merged::a passed
END
    reason_is nothing "error: no line of its output matches the expression of 'lines'"
    reason_is unit 'failed: 1 of 2 tests failed: A.y'
}

test_a_crash_in_the_middle() {
    write run-matrix.yaml <<'YAML'
tests:
  - name: lines
    limits: {core: 0}
    run: 'echo "start A.x"; echo "ok A.x"; echo "start A.y"; kill -SEGV $$'
    results: {lines: '^(?<verdict>start|ok) (?<name>.*)'}
  - name: tap
    limits: {core: 0}
    run: 'echo 1..5; echo ok 1; echo not ok 2 - b; kill -ABRT $$'
    results: {tap: stdout}
YAML
    run
    status_is 1
    reason_is lines "crashed: SIGSEGV in 'A.y', after 1 test"
    reason_is tap 'crashed: SIGABRT, after 2 of 5 tests'
    results_are <<'END'
lines::A.x passed
lines::A.y not run
tap::%231 passed
tap::b failed
tap::%233 not run
tap::%234 not run
tap::%235 not run
END
    # two passed; both crashes and b
    last_line_is '2 passed, 3 failed'
    out_has 'not run: #3, #4, #5'
    is "$(junit_counts)" '9 3 0 4'
}

# INT comes first, so who writes his report then has written it.
test_a_timeout() {
    junit_writer
    suite '{name: a, run: [./writer, o.xml, a=pass, b=fail, c=hang, d=pass], results: {junit: o.xml}, timeout: 3s}'
    run
    status_is 1
    grep -q '^.*timed out after 3s in its call; .*; after 2 of 4 tests' "$scratch/out" || {
        show out
        fail 'no timeout that says how far it was'
    }
    results_are <<'END'
a::k::a passed
a::k::b failed
END
    last_line_is '1 passed, 2 failed'
}

test_leaks_beside_results() {
    suite "{name: a, run: 'echo 1..1; echo ok 1 - x; $kid sleep 300 $token >/dev/null & exit 0', leak-grace: 100ms, results: {tap: stdout}}"
    run
    status_is 1
    last_line_is '1 passed, 1 failed'
    is "$(records '"verdict":"leaked"')" 1
}

test_flaky_results() {
    junit_writer
    write run-matrix.yaml <<'YAML'
tests:
  - name: a
    retries: 1
    run: '[ $RUN_MATRIX_ATTEMPT = 2 ] && exec ./writer o.xml x=pass y=pass z=pass; ./writer o.xml x=pass y=fail z=fail'
    results: {junit: o.xml}
YAML
    run
    status_is 0
    last_line_is '3 passed, 0 failed'
    results_are <<'END'
a::k::x passed
a::k::y flaky
a::k::z flaky
END
    out_has 'flaky tests: 2'
    out_has 'a::k::y  attempt 1: was wrong'
    grep -q '<flakyFailure type="failed" message="was wrong"/>' .run-matrix/latest/junit.xml || fail 'no flakyFailure'
    [ -f .run-matrix/latest/cases/a/1/results.ndjson ] || fail 'those of the first attempt are gone'
}

test_policies_hold_for_the_whole_case() {
    write run-matrix.yaml <<'YAML'
tests:
  - {name: xfail, run: 'echo 1..2; echo ok 1; echo not ok 2', results: {tap: stdout}, xfail: {reason: bug 12}}
  - {name: fence, run: 'echo 1..2; echo ok 1; echo not ok 2', results: {tap: stdout}, quarantine: {owner: x, reason: y, until: 2999-01-01}}
  - {name: strict, run: 'echo 1..1; echo ok 1', results: {tap: stdout}, xfail: {strict: true}}
YAML
    run xfail fence
    status_is 0
    last_line_is '2 passed, 0 failed, 1 skipped'
    is "$(junit_counts)" '4 0 0 2'
    run strict
    status_is 1
    last_line_is '1 passed, 1 failed'
}

test_show() {
    junit_writer
    write run-matrix.yaml <<'YAML'
strategy:
  matrix: {n: [1, 2]}
tests:
  - {name: t, run: './writer o$RUN_MATRIX_AXIS_N.xml a=pass "b [x]=fail"', results: {junit: 'o${{ matrix.n }}.xml'}}
YAML
    run
    status_is 1
    run show 't::k::b%20%5Bx%5D@n=2'
    status_is 0
    out_has 'FAIL    t::k::b%20%5Bx%5D@n=2'
    out_has 'was wrong'
    out_has "again: $program run --id 't::k::b%20%5Bx%5D@n=2'"
    out_lacks 'n=1'
    run show 't::k::a'
    is "$(grep -c PASS "$scratch/out")" 2
    run show 't@n=1'
    is "$(grep -o '\(PASS\|FAIL\)  *t::k::[ab]' "$scratch/out" | tr -s ' ' | tr '\n' ' ')" 'FAIL t::k::b PASS t::k::a '
    run show 't::nope'
    status_is 5
}

# A report is made of what is on disk, and says what is not there any more.
test_results_that_are_gone() {
    suite '{name: a, run: "echo 1..2; echo ok 1; echo not ok 2", results: {tap: stdout}}'
    run
    status_is 1
    file=.run-matrix/latest/cases/a/1/results.ndjson
    head -c 60 "$file" >half
    cp half "$file"
    run report
    status_is 0
    out_has "$(readlink -f .run-matrix/latest | sed "s,.*/.run-matrix,.run-matrix,")/cases/a/1/results.ndjson: 1 line cannot be read"
    rm "$file"
    run report
    status_is 0
    out_has 'results.ndjson is not there any more'
    last_line_is '1 passed, 1 failed'
    run report --format junit
    status_is 0
    out_has '<testcase classname="a" name="a"'
    run report --format tap
    out_has 'not ok 1 - a'
    out_has '# .run-matrix/'
    run report --format json
    out_has '"results":[]'
}

test_an_expression_that_cannot_be_used() {
    suite '{name: a, run: ["true"], results: {lines: "(?<name>x"}}'
    run
    status_is 4
    err_has "run-matrix.yaml:2:47: error: a: the expression of 'lines' cannot be used: missing closing parenthesis"
    [ ! -e .run-matrix ] || fail 'a run was begun'
}

test_captures_that_nobody_can_read() {
    suite '{name: a, run: "echo 1..1; echo ok 1", results: {tap: stdout}}'
    run --capture=discard
    status_is 5
    out_has "its results are in its output, and capture 'discard' throws that away"
    run --capture=no
    status_is 0
    last_line_is '1 passed, 0 failed'
}

# On a terminal of its own there is no file that output went to.
test_a_terminal_is_no_file() {
    suite '{name: a, run: "echo 1..1; echo ok 1", results: {tap: stdout}}'
    run_command python3 "$root/tests/e2e/on_terminal.py" '' '' "$program" run -s
    status_is 1
    out_has "its results are in its output, and '-s' on a terminal gives that to the terminal alone"
}

test_resume() {
    suite '{name: a, run: "echo 1..2; echo ok 1; echo ok 2", results: {tap: stdout}}' \
        '{name: b, run: "echo 1..1; echo ok 1", results: {tap: stdout}}'
    RUN_MATRIX_FAULTS=die-started@2 run -j1
    run --resume
    status_is 0
    last_line_is '3 passed, 0 failed'
}

# 100 MB, 200,000 tests, some of which failed with long texts.
test_a_large_report_in_bounded_memory() {
    write make-report <<'PY'
import sys
text = "x" * 420
with open(sys.argv[1], "w") as out:
    out.write('<testsuites><testsuite name="s" tests="200000">\n')
    for i in range(200000):
        bad = '<failure message="m">%s</failure>' % (text * 20) if i % 1000 == 0 else ""
        out.write('<testcase classname="c" name="t%d" time="0.001">%s<system-out>%s</system-out></testcase>\n' % (i, bad, text + str(i)))
    out.write("</testsuite></testsuites>\n")
PY
    suite "{name: a, run: 'python3 make-report \$RUN_MATRIX_RESULTS/r.xml; ls -l \$RUN_MATRIX_RESULTS', results: {junit: \$RUN_MATRIX_RESULTS/r.xml}}"
    /usr/bin/env python3 - "$program" >"$scratch/peak" <<'PY'
import os, resource, subprocess, sys
code = subprocess.run([sys.argv[1], "run", "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
    read -r code peak <"$scratch/peak"
    is "$code" 1
    [ "$peak" -lt 200000 ] || [ "${program#*asan}" != "$program" ] || fail "it took $peak KiB"
    is "$(wc -l <.run-matrix/latest/cases/a/1/results.ndjson)" 200001
    run report
    last_line_is '199800 passed, 200 failed'
    out_has '... and 180 more failed; -v shows all'
}

test_pytest_itself() {
    python3 -c 'import pytest' 2>/dev/null || skip 'no pytest'
    write test_a.py <<'PY'
import pytest
def test_good(): pass
@pytest.mark.parametrize("x", ["a/b", "c=d"])
def test_bad(x): assert x == "c=d"
@pytest.mark.skip(reason="no net")
def test_skipped(): pass
PY
    suite '{name: py, run: "python3 -m pytest -q -p no:cacheprovider --junit-xml=$RUN_MATRIX_RESULTS/j.xml", results: {junit: "$RUN_MATRIX_RESULTS/j.xml"}}'
    run
    status_is 1
    last_line_is '2 passed, 1 failed, 1 skipped'
}

# It is interrupted in a test: that one has not passed.
test_pytest_that_hangs() {
    python3 -c 'import pytest' 2>/dev/null || skip 'no pytest'
    write test_h.py <<'PY'
import time
def test_good(): pass
def test_hang(): open("hangs", "w"); time.sleep(1000)
PY
    suite '{name: py, run: "exec python3 -m pytest -q -p no:cacheprovider --junit-xml=$RUN_MATRIX_RESULTS/j.xml", results: {junit: "$RUN_MATRIX_RESULTS/j.xml"}, timeout: 5s}'
    run
    status_is 1
    [ -e hangs ] || skip 'it did not get as far within 5 s'
    last_line_is '1 passed, 1 failed'
    results_are <<'END'
py::test_h::test_good passed
py::%232 not run
END
    out_has '; after 1 of 2 tests'
}

# What was told to end writes its report first, whatever the reason.
test_a_flood() {
    junit_writer
    sed -i 's/print("hangs", flush=True)/print("x" * 100000, flush=True)/' writer
    suite '{name: a, run: [./writer, o.xml, a=pass, c=hang], results: {junit: o.xml}, output-limit: 10k}'
    run
    status_is 1
    is "$(records '"verdict":"output limit"')" 1
    results_are <<'END'
a::k::a passed
END
    last_line_is '1 passed, 1 failed'
}

test_perl_itself() {
    perl -MTest::More -e1 2>/dev/null || skip 'no Test::More'
    suite "{name: a, run: [perl, $root/tests/data/results/perl/shop.t], results: {tap: stdout}}"
    run
    status_is 1
    last_line_is '4 passed, 2 failed, 2 skipped'
    reason_is a 'failed: 2 of 8 tests failed: discount # of 10, stock::deep::bottom'
}

test_node_itself() {
    command -v node >/dev/null || skip 'no node'
    cp "$root/tests/data/results/node/shop.test.mjs" .
    node --test --test-reporter=tap shop.test.mjs >tap 2>&1 || :
    grep -q '^# fail 2' tap || skip 'a node that has no such reporter'
    suite '{name: tap, run: [node, --test, --test-reporter=tap, shop.test.mjs], results: {tap: stdout}}' \
        '{name: xml, run: "node --test --test-reporter=junit --test-reporter-destination=$RUN_MATRIX_RESULTS/x.xml shop.test.mjs", results: {junit: $RUN_MATRIX_RESULTS/x.xml}}'
    run
    status_is 1
    reason_is tap 'failed: 2 of 8 tests failed: discount # of 10, stock::full'
    reason_is xml 'failed: 2 of 8 tests failed: discount # of 10, stock::full'
    last_line_is '8 passed, 4 failed, 4 skipped'
}

test_bats_itself() {
    command -v bats >/dev/null || skip 'no bats'
    write shop.bats <<'BATS'
@test "opens" { true; }
@test "sells @ 5" { [ 1 = 2 ]; }
BATS
    suite '{name: shop, run: [bats, --tap, shop.bats], results: {tap: stdout}}'
    run
    status_is 1
    last_line_is '1 passed, 1 failed'
    reason_is shop 'failed: 1 of 2 tests failed: sells @ 5'
}

run_tests
