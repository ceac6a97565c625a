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
trap 'case $? in 0) exit 113 ;; 77) exit 114 ;; esac' EXIT # as librunmatrix says that a test has passed, was skipped
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
    err_has "unit: warning: unit: x.c:14: 'timeout' must be a duration such as 30s"
    run run
    status_is 1
    out_has "unit::parsec@backend=exec: x.c:14: 'timeout' must be a duration such as 30s, 1m30s or 250ms, not '3 parsecs'; x.c:14: 'retries' must be"
    out_has "unit::expression@backend=exec: x.c:15: '\${{ 3 }}s' is an expression of run-matrix.yaml; in C there are none"
    last_line_is '1 passed, 2 failed'
    run run -k good
    status_is 0
}

# ---- marks ----

test_marks_are_declared() {
    cat <<'END' | module unit 'exit 0'
{"run-matrix-tests":1,"count":3,"marks":{"disk":"fills the disk"}}
{"name":"one","file":"x.c","line":9,"marks":["slow","disk","net"]}
{"name":"two/n=1","file":"x.c","line":12,"marks":["dsik"]}
{"name":"two/n=2","file":"x.c","line":12,"marks":["dsik"]}
END
    programs 'markers: {net: needs a network}
tests:
  - {name: unit, module: unit, marks: [net, flaky]}
  - {name: other, run: exit 0, marks: nte}
overrides: [{select: other, marks: disk}]'
    run run
    status_is 0
    run list -q --markers
    status_is 0
    out_has 'slow: takes its time  (built in)'
    out_has 'net: needs a network  (run-matrix.yaml:2:11)'
    out_has 'disk: fills the disk  (unit)'
    [ "$(grep -c 'fills the disk' "$scratch/out")" = 1 ] || fail 'twice'
    run list --markers --json
    out_has '{"name":"net","words":"needs a network","declared":"run-matrix.yaml:2:11"}'
    for command in list run; do
        run "$command" --strict-markers
        status_is 4
        err_has "run-matrix.yaml:5:39: error: the mark 'nte' is not declared (strict-markers): it does not stand under 'markers'; did you mean 'net'?"
        err_has "run-matrix.yaml:6:36: error: the mark 'disk' is not declared"
        err_has "x.c:12: error: the mark 'dsik' is not declared (strict-markers): neither under 'markers' nor by MARK in C; did you mean 'disk'?"
        [ "$(grep -c error: "$scratch/err")" = 3 ] || fail "$(cat "$scratch/err")"
    done
    sed -i 's/nte/net/; s/marks: disk/marks: serial/' run-matrix.yaml
    sed -i 's/dsik/disk/' unit.list
    run run --strict-markers
    status_is 0
    sed -i 's/"disk"\]/"dusk"]/' unit.list
    echo 'defaults: {strict-markers: true}
profiles: {lax: {strict-markers: false}}' >>run-matrix.yaml
    run run
    status_is 4
    err_has "the mark 'dusk'"
    run run -P lax
    status_is 0
}

# ---- what they say while they run ----

# With one slot, so that each case is lent the folder of the one before it.
saying() { # BODY, lines of the list on stdin
    {
        cat >lines
        heading "$(wc -l <lines)"
        cat lines
    } | module unit "[ ! -e \"\$TMPDIR/.said\" ] || { echo left over; exit 5; }
$1"
    programs 'defaults: {leaks: {files: fail}, timeout: 20s, limits: {core: 0}, stop: [KILL]}
tests: [{name: unit, module: unit}]'
}

names() { # NAME...
    printf '{"name":"%s","file":"x.c","line":1}\n' "$@"
}

test_failures_become_the_words_of_the_verdict() {
    names fails many forked skips errs errs_and_passes crashes skips_not passes | saying '
case $1 in
fails) say "{\"said\":\"failure\",\"file\":\"t/x.c\",\"line\":21,\"words\":\"expected run() == 0\\n  run(): -1\",\"pid\":$$}"; exit 1 ;;
many) for i in $(seq 30); do say "{\"said\":\"failure\",\"file\":\"t/x.c\",\"line\":$i,\"words\":\"no $i\"}"; done; exit 1 ;;
forked) say "{\"said\":\"failure\",\"file\":\"t/x.c\",\"line\":3,\"words\":\"in a child\"}" ;;
skips) say "{\"said\":\"skip\",\"words\":\"no network\"}"; echo last line; exit 77 ;;
errs) say "{\"said\":\"error\",\"file\":\"t/x.c\",\"line\":5,\"words\":\"cannot connect\"}"; exit 99 ;;
errs_and_passes) say "{\"said\":\"error\",\"file\":\"t/x.c\",\"line\":6,\"words\":\"cannot close\"}" ;;
crashes) say "{\"said\":\"failure\",\"file\":\"t/x.c\",\"line\":7,\"words\":\"before\"}"; kill -SEGV $$ ;;
skips_not) say "{\"said\":\"failure\",\"file\":\"t/x.c\",\"line\":8,\"words\":\"and then\"}"; exit 77 ;;
esac'
    run run -n 1 --report junit=j.xml --report tap=t.tap --report json=r.json
    status_is 1
    out_has 'unit::fails@backend=exec: t/x.c:21: expected run() == 0; run(): -1'
    out_has 'unit::many@backend=exec: t/x.c:1: no 1 (+29 more)'
    out_has 'unit::forked@backend=exec: t/x.c:3: in a child; its own exit status is 0'
    out_has 'no network'
    out_has 'unit::errs@backend=exec: t/x.c:5: cannot connect'
    out_has 'unit::errs_and_passes@backend=exec: t/x.c:6: cannot close'
    out_has 'unit::crashes@backend=exec: SIGSEGV'
    out_has 'failed: t/x.c:7: before'
    out_has 'unit::skips_not@backend=exec: t/x.c:8: and then; its own exit status is 77'
    last_line_is '1 passed, 7 failed, 1 skipped'
    grep -q '<failure type="failed" message="t/x.c:21: expected run() == 0; run(): -1">' j.xml || fail 'no message in JUnit'
    grep -q '^  run(): -1$' j.xml || fail 'no second line in JUnit'
    grep -q '^and 18 more$' j.xml || fail 'how many more there were is not in JUnit'
    grep -q '^    t/x.c:21: expected run() == 0$' t.tap || fail 'no words in TAP'
    python3 - <<'END' || fail 'the JSON report'
import json
cases = {c["id"].split("@")[0]: c["attempts"][0] for c in json.load(open("r.json"))["cases"]}
said = cases["unit::fails"]["said"]
assert len(said) == 1 and said[0]["words"] == "expected run() == 0\n  run(): -1" and said[0]["pid"] > 0, said
assert len(cases["unit::many"]["said"]) == 12 and cases["unit::many"]["said_more"] == 18
assert "said" not in cases["unit::passes"]
END
}

# What is there instead of the file, or in it, is no reason for anything; and the next one finds none of it.
test_nothing_hostile_in_its_place_does_harm() {
    names fifo folder link huge garbage long own last | saying '
said=$TMPDIR/.said
case $1 in
fifo) mkfifo "$said" ;;
folder) mkdir -p "$said/deep/er" && touch "$said/deep/er/file" ;;
link) ln -s /dev/zero "$said" ;;
huge) truncate -s 8G "$said" ;;
garbage) head -c 300000 /dev/urandom >"$said" ;;
long) say "{\"said\":\"failure\",\"words\":\"$(head -c 5000 /dev/zero | tr "\\0" x)\"}" ;;
own) say "{\"said\":\"note\",\"words\":\"\u001b[31m\"}"; chmod 0 "$said" ;;
esac'
    run run -n 1
    status_is 0
    last_line_is '8 passed, 0 failed'
}

test_phases_are_timed_apart() {
    names setup_has_its_own hangs_in_teardown own_is_shorter from_the_future goes_on_for_ever plain | saying '
phase() { # PHASE OF AT [, TIMEOUT]
    say "{\"said\":\"phase\",\"phase\":\"$1\",\"of\":\"$2\",\"at\":$3$4}"
}
case $1 in
setup_has_its_own) phase setup registry "$(now)" ",\"timeout\":\"60s\""; sleep 3; phase call "" "$(now)" ;;
hangs_in_teardown) phase setup registry "$(now)"; phase call "" "$(now)"; phase teardown registry "$(now)"; sleep 1000 ;;
own_is_shorter) phase teardown "a\tb" "$(now)" ",\"timeout\":\"1s\""; sleep 1000 ;;
from_the_future) phase call "" 9000000000000000000; sleep 1000 ;;
goes_on_for_ever) while :; do phase call "" "$(now)"; sleep 0.1; done ;;
plain) sleep 1000 ;;
esac'
    sed -i 's/timeout: 20s/timeout: 2s/' run-matrix.yaml
    run run -n 6 --report json=r.json
    status_is 1
    out_has "unit::hangs_in_teardown@backend=exec: teardown of 'registry' took longer than 2s; raise 'timeout' at run-matrix.yaml:2:"
    out_has "unit::own_is_shorter@backend=exec: teardown of 'a b' took longer than 1s; raise its own timeout, in C"
    out_has "unit::from_the_future@backend=exec: its call took longer than 2s; raise 'timeout' at"
    out_has "unit::goes_on_for_ever@backend=exec: timed out in its call: all of its phases took longer than 3 times 2s; raise 'timeout' at"
    out_has "unit::plain@backend=exec: timed out after 2s in its call; raise 'timeout' at"
    last_line_is '1 passed, 5 failed'
    python3 - <<'END' || fail 'durations of phases'
import json
cases = {c["id"].split("@")[0]: c["attempts"][0] for c in json.load(open("r.json"))["cases"]}
phases = cases["unit::setup_has_its_own"]["phases"]
assert phases["setup"] >= 3 and phases["call"] > 0 and phases["teardown"] == 0, phases
assert "phases" not in cases["unit::plain"]
END
}

# Told to end it has its tear-down, and that the whole of a deadline; who has none ends on the next rung.
test_a_tear_down_at_the_deadline_has_its_own() {
    names tears_down hangs_in_it passes_over_it | saying "
part() { say \"{\\\"said\\\":\\\"phase\\\",\\\"phase\\\":\\\"\$1\\\",\\\"of\\\":\\\"reg\\\",\\\"at\\\":\$(now)\$2}\"; }
torn_down() { part teardown \"\$1\"; sleep \$2; echo \$3 >>$PWD/torn; exit 1; }
case \$1 in
tears_down) trap 'torn_down \"\" 5 tears_down' INT ;;
hangs_in_it) trap 'torn_down \",\\\"timeout\\\":\\\"1s\\\"\" 1000 hangs_in_it' INT ;;
passes_over_it) trap 'sleep 1000; echo passes_over_it >>$PWD/torn' INT ;;
esac
part call
while :; do sleep 0.1; done"
    sed -i 's/timeout: 20s/timeout: 6s/; s/stop: .KILL./stop: [INT leader 2s, KILL]/' run-matrix.yaml
    run run -n 3
    status_is 1
    for test in tears_down hangs_in_it passes_over_it; do
        out_has "unit::$test@backend=exec: call of 'reg' took longer than 6s"
    done
    [ "$(cat torn)" = tears_down ] || fail "torn down: $(cat torn)"
}

run_tests
