#!/bin/sh
# Where everybody stood: when a dump is made, where it lies, and who tells of it. What has to be in one is tested in hangs.sh.
. "$(dirname "$0")/lib.sh"
own_world

folder=.run-matrix/latest/cases

has_text() { # FILE TEXT
    [ -f "$1" ] || fail "there is no $1: $(find .run-matrix/latest/cases -type f)"
    grep -qF -e "$2" "$1" || {
        sed 's/^/# /' "$1" | head -n 60
        fail "$1 has not: $2"
    }
}

lacks_text() { # FILE TEXT
    ! grep -qF -e "$2" "$1" || fail "$1 has: $2"
}

dumped() { # CASE: is there one, for people and for programs?
    has_text "$folder/$1/1/dump.txt" "$1, attempt 1"
    python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$folder/$1/1/dump.json" || fail "no JSON: $1"
    is "$(told "$1" "last['dump']")" "cases/$1/1/dump.txt"
}

not_dumped() { # CASE
    [ -z "$(find "$folder/$1" -name 'dump*' 2>/dev/null)" ] || fail "$1 has a dump"
    is "$(told "$1" "'dump' in last")" False
}

test_before_a_deadline_is_paid_for() {
    suite "{name: hang, run: ['$kid', spin, $token], timeout: 200ms}"
    run
    status_is 1
    dumped hang
    has_text "$folder/hang/1/dump.txt" 'its deadline of 200ms has passed, in its call'
    has_text "$folder/hang/1/dump.txt" '---- in detail ----'
    out_has "where everybody stood: .run-matrix/runs/"
    out_has ' kid (case): '
    out_lacks 'hang, attempt 1'
    out_lacks 'in detail'
    is "$(told hang "last['verdict'], last['ladder'][0]['signal']")" "('timeout', 'SIGINT')"
    run show hang
    out_has ' kid (case): '
    out_lacks 'has passed, in its call'
    run report --format tap
    out_has '  dump: "cases/hang/1/dump.txt"'
    run report --format junit
    out_has ' kid (case): '
    [ -z "$(command -v xmllint)" ] || xmllint --noout "$scratch/out" || fail 'that is no XML'
}

# By whoever it is: the case, what it has started, and the daemons that it talks to.
test_who_is_in_it() {
    common="fixtures: {kvd: {daemon: ['$kid', hang, $token, kvd]}}"
    write act <<SH
#!/bin/bash
exec -a 'actor reader@17' '$kid' hang $token
SH
    chmod +x act
    suite '{name: hang, run: "./act & wait", timeout: 1s, fixtures: [kvd]}'
    run
    status_is 1
    python3 - "$folder/hang/1/dump.json" >"$scratch/roles" <<'PY'
import json, sys
print(sorted(p["role"] for p in json.load(open(sys.argv[1]))["processes"] if p.get("role")))
PY
    is "$(cat "$scratch/roles")" "['case', 'fixture kvd', 'reader@17']"
}

test_before_kill() {
    suite "{name: deaf, run: ['$kid', stubborn, $token], timeout: 200ms, stop: [INT 100ms, KILL], dump: [kill]}" \
        "{name: meek, run: ['$kid', hang, $token], timeout: 200ms, stop: [INT 60s, KILL], dump: [kill]}"
    # Half a second is little where a machine is busy.
    for _ in 1 2 3 4 5 6; do
        run -n2
        status_is 1
        [ ! -e "$folder/deaf/1/dump.txt" ] || break
        out_has 'there is no dump: it was not made in time'
    done
    dumped deaf
    has_text "$folder/deaf/1/dump.txt" 'it goes on although it was told to end (deadline), and KILL is next'
    not_dumped meek
}

test_the_session_deadline() {
    suite "{name: one, run: ['$kid', hang, $token]}" "{name: two, run: ['$kid', hang, $token]}"
    run -n2 --session-timeout 500ms
    status_is 1
    for name in one two; do
        dumped "$name"
        has_text "$folder/$name/1/dump.txt" 'the deadline of the run has passed'
    done
}

# A dump of what is made for cases lies beside what it wrote; who reads why a case could not start reads where.
test_fixtures() {
    common="fixtures:
  made: {run: ['$kid', hang, $token], timeout: 200ms}
  never: {daemon: ['$kid', hang, $token], ready: {file: there, within: 200ms}, scope: session}
  undone: {run: ['true'], teardown: ['$kid', hang, $token], timeout: 1s}"
    suite '{name: one, run: ["true"], fixtures: [made]}' '{name: two, run: ["true"], fixtures: [never]}' \
        '{name: three, run: ["true"], fixtures: [undone]}'
    run
    status_is 1
    for file in cases/one/1/fixtures/made/dump.txt fixtures/never/dump.txt cases/three/1/fixtures/undone/teardown-dump.txt; do
        out_has "; where everybody stood: .run-matrix/runs/$(basename "$(readlink -f .run-matrix/latest)")/$file"
        has_text ".run-matrix/latest/$file" 'has passed, in its call'
        has_text ".run-matrix/latest/$file" '---- in detail ----'
    done
    has_text .run-matrix/latest/fixtures/never/dump.txt 'fixture:never, attempt 1'
}

test_none_where_none_is_wanted() {
    suite "{name: never, run: ['$kid', stubborn, $token], timeout: 200ms, stop: [INT 100ms, KILL], dump: []}" \
        '{name: fine, run: ["true"]}' '{name: bad, run: ["false"]}'
    run
    status_is 1
    not_dumped never
    not_dumped fine
    not_dumped bad
    suite "{name: hang, run: ['$kid', hang, $token], timeout: 200ms}"
    RUN_MATRIX_FAULTS=dump-park=1h run --keep none # whoever looked would be late, and say so
    not_dumped hang
    is "$(records 'there is no dump')" 0
}

# One of them has a tracer already, which is all that it can have; the other has left a zombie, of which nothing is missing.
test_not_all_could_be_looked_at() {
    cat >traced.py <<'END'
import ctypes, os, signal, sys
child = os.fork()
if not child:
    signal.pause()
if not os.fork():
    os._exit(0)
if sys.argv[1] == "traced" and ctypes.CDLL(None).ptrace(0x4206, child, None, None):  # PTRACE_SEIZE
    sys.exit("it cannot be traced")
signal.pause()
END
    suite '{name: traced, run: [python3, traced.py, traced], timeout: 2s}' \
        '{name: free, run: [python3, traced.py, free], timeout: 2s}'
    run -n2
    status_is 1
    out_has "where everybody stood, as far as it could be known: .run-matrix/runs/"
    is "$(told traced "last['dump_partial']") $(told free "last['dump_partial']")" 'True False'
    has_text "$folder/traced/1/dump.txt" 'no stacks of 1 of them'
}

test_the_path_of_a_flaky_case() {
    suite "{name: flaky, retries: 1, timeout: 500ms, run: '[ -e again ] || { touch again; exec sleep 60; }'}"
    run
    status_is 0
    has_text "$folder/flaky/1/dump.txt" 'flaky, attempt 1'
    out_has '          where everybody stood: .run-matrix/runs/'
    out_has '/cases/flaky/1/dump.txt'
}

test_each_attempt_has_its_own() {
    suite "{name: hang, run: ['$kid', hang, $token], timeout: 200ms, retries: 1}"
    run
    has_text "$folder/hang/1/dump.txt" 'hang, attempt 1'
    has_text "$folder/hang/2/dump.txt" 'hang, attempt 2'
    is "$(records '"dump":"cases/hang/2/dump.txt"')" 1
}

# What must not be shown is in its command line, and in its output.
test_masked() {
    suite "{name: hang, run: \"echo it-is-\$TOKEN; echo; '$kid' hang $token \$TOKEN\", timeout: 500ms, env: {TOKEN: swordfish99}, mask: [TOKEN]}"
    run
    status_is 1
    dumped hang
    for file in "$folder/hang/1/dump.txt" "$folder/hang/1/dump.json" "$scratch/out"; do
        lacks_text "$file" swordfish99
        has_text "$file" hang
    done
    has_text "$folder/hang/1/dump.txt" '***'
}

test_slow_when_asked() {
    suite "{name: slow, run: 'until [ -e told ]; do sleep 0.1; done', slow: 100ms, timeout: 60s, dump: [slow]}"
    start
    await "$scratch/out" 'DUMP'
    : >told
    finish
    status_is 0
    out_has 'cases/slow/1/dump-slow.txt'
    has_text "$folder/slow/1/dump-slow.txt" 'it has been running for 100ms, and is slow'
    is "$(told slow "'dump' in last")" False
}

# The run does not end before it, and says nothing after its last line.
test_slow_and_over_at_once() {
    suite "{name: slow, run: 'sleep 0.3', slow: 100ms, dump: [slow]}"
    run
    status_is 0
    last_line_is '1 passed, 0 failed'
    out_has 'cases/slow/1/dump-slow.txt'
    has_text "$folder/slow/1/dump-slow.txt" '---- in detail ----'
}

test_under_every_containment() {
    for contain in cgroup pidns group; do
        suite "{name: hang, run: \"'$kid' hang $token & '$kid' spin $token\", timeout: 500ms}"
        run --contain "$contain"
        [ "$status" != 4 ] || continue
        status_is 1
        dumped hang
        is "$(python3 -c '
import json, sys
dump = json.load(open(sys.argv[1]))
print(len(dump["processes"]), [p["role"] for p in dump["processes"] if p.get("role")],
      all(t["stack"] is not None for p in dump["processes"] for t in p["threads"]))' "$folder/hang/1/dump.json")" "3 ['case'] True"
    done
}

# The guard is who people send signals to; it passes them on.
test_all_that_run_when_asked() {
    suite "{name: one, run: 'touch begun; until [ -e told ]; do sleep 0.1; done', timeout: 60s}" \
        "{name: two, run: 'touch begun-too; until [ -e told ]; do sleep 0.1; done', timeout: 60s}"
    start -n2
    await_file begun
    await_file begun-too
    kill -USR2 "$runner"
    await "$scratch/out" 'one, attempt 1'
    await "$scratch/out" 'two, attempt 1'
    kill -USR2 "$runner"
    await "$scratch/out" 'one/1/dump-asked-2.txt'
    await "$scratch/out" 'two/1/dump-asked-2.txt'
    : >told
    finish
    status_is 0
    for name in one two; do
        has_text "$folder/$name/1/dump-asked.txt" 'somebody has asked for it (SIGUSR2)'
        has_text "$folder/$name/1/dump-asked-2.json" SIGUSR2
    done
}

# Each kind is counted for itself.
test_asked_for_after_it_became_slow() {
    suite "{name: slow, run: 'until [ -e told ]; do sleep 0.1; done', slow: 100ms, timeout: 60s, dump: [slow]}"
    start
    await "$scratch/out" 'slow/1/dump-slow.txt'
    kill -USR2 "$runner"
    await "$scratch/out" 'slow/1/dump-asked.txt'
    : >told
    finish
    status_is 0
    has_text "$folder/slow/1/dump-asked.txt" 'somebody has asked for it (SIGUSR2)'
}

# ---- when something goes wrong ----

test_who_makes_it_never_answers() {
    suite "{name: hang, run: ['$kid', hang, $token], timeout: 200ms}" "{name: next, run: ['true']}"
    RUN_MATRIX_FAULTS=dump-park=1h run
    status_is 1
    not_dumped hang
    out_has 'there is no dump: it was not made in time'
    is "$(told hang "last['verdict'], last['ladder'][0]['signal']")" "('timeout', 'SIGINT')"
    is "$(told next "case['verdict']")" passed
}

# Of the two files one can be written: that one is told of, and that there is no other.
test_only_the_text_can_be_written() {
    suite "{name: hang, run: 'mkdir -p .run-matrix/latest/cases/hang/1/dump.json/x; exec \"$kid\" hang $token', timeout: 500ms}"
    run
    status_is 1
    has_text "$folder/hang/1/dump.txt" 'hang, attempt 1'
    is "$(told hang "last['dump']")" 'cases/hang/1/dump.txt'
    out_has "cannot write 'cases/hang/1/dump.json': Is a directory"
}

# Nobody waits for what is not wanted for a deadline; but whoever has asked for it hears that there is none.
test_what_was_asked_for_is_not_made() {
    suite "{name: slow, run: 'until [ -e told ]; do sleep 0.1; done', slow: 100ms, timeout: 60s, dump: [slow]}"
    export RUN_MATRIX_FAULTS=dump-park=4s
    start
    await "$scratch/out" 'DUMP'
    : >told
    finish
    unset RUN_MATRIX_FAULTS
    status_is 0
    out_has 'slow, attempt 1: none, there was no time'
    not_dumped slow
}

# Who is looked at because he is slow is let go when his deadline strikes: that dump has its time for itself.
test_a_deadline_goes_before_what_is_slow() {
    suite "{name: hang, run: ['$kid', hang, $token], slow: 100ms, timeout: 500ms, dump: [slow, timeout]}"
    RUN_MATRIX_FAULTS=dump-park=1h@1x1 run
    status_is 1
    dumped hang
    out_has 'hang, attempt 1: none, there was no time'
    [ ! -e "$folder/hang/1/dump-slow.txt" ] || fail 'both were made'
}

# Whoever looks takes his time, and the case writes on: its disk is not to be full when he is done.
test_it_floods_meanwhile() {
    suite "{name: hang, run: 'sleep 1; exec yes $token', timeout: 300ms, output-limit: 1M}"
    RUN_MATRIX_FAULTS=dump-park=1h run
    status_is 1
    not_dumped hang
    out_has 'there is no dump: it wrote too much meanwhile'
    is "$(told hang "last['verdict'], last['ladder'][0]['signal']")" "('timeout', 'SIGKILL')"
}

# The watchdog has it made, whatever the loop does: the first rung is taken before that wakes up.
test_the_loop_stands_still() {
    suite "{name: hang, run: ['$kid', hang, $token], timeout: 200ms}"
    RUN_MATRIX_FAULTS=loop-park=6s@1x1 run
    status_is 1
    dumped hang
    is "$(told hang "last['ladder'][0]['at'] < 6")" True
}

# The runner dies while one is made, its cases frozen perhaps: they are ended all the same.
test_the_runner_dies_meanwhile() {
    suite "{name: hang, run: ['$kid', stubborn, $token], timeout: 100ms}"
    export RUN_MATRIX_FAULTS=dump-park=1h
    start
    await .run-matrix/latest/journal.ndjson '"ev":"start"'
    kill -KILL "$(sed 's/.*"runner":{"pid":\([0-9]*\).*/\1/' .run-matrix/latest/held.json)"
    finish
    nobody_is_left
}

# As it stands when its stacks are copied.
test_the_runner_dies_while_a_case_is_frozen() {
    "$program" exec --contain cgroup -- true >/dev/null 2>&1 || skip 'no control groups'
    rm -rf .run-matrix
    suite "{name: hang, run: ['$kid', stubborn, $token]}"
    start --contain cgroup
    await .run-matrix/latest/journal.ndjson '"ev":"start"'
    pid=$(sed -n 's/.*"ev":"start".*"pid":\([0-9]*\).*/\1/p' .run-matrix/latest/journal.ndjson)
    group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
    echo 1 >"$group/cgroup.freeze"
    await "$group/cgroup.events" 'frozen 1'
    kill -KILL "$(sed 's/.*"runner":{"pid":\([0-9]*\).*/\1/' .run-matrix/latest/held.json)"
    finish
    nobody_is_left
}

test_many_at_once() {
    cases=$(seq -s, 40)
    echo "strategy: {matrix: {n: [$cases]}}
tests:
  - {name: hang, run: ['$kid', hang, $token], timeout: 500ms}" >run-matrix.yaml
    run -n40
    status_is 1
    last_line_is '0 passed, 40 failed'
    dumps=$(find "$folder" -name dump.txt | wc -l)
    # Eight at a time have stacks, 32 are made at all; of these some come too late where a machine is busy.
    [ "$dumps" -ge 8 ] || fail "only $dumps dumps"
    is "$((dumps + $(records 'there is no dump: ')))" 40
    find "$folder" -name dump.json -exec python3 -c '
import json, sys
why = [d["why_no_stacks"] for d in map(lambda path: json.load(open(path)), sys.argv[1:])]
print(sum(w is None for w in why) >= 8 or why, {w for w in why} - {None, "too many others were looked at"})' {} + >"$scratch/whys"
    is "$(cat "$scratch/whys")" 'True set()'
}

# No status is lost, and none is another's, while others are stopped, copied and let go beside them.
test_statuses_while_dumps_are_made() {
    n=${DUMP_CASES:-400} hangs=${DUMP_HANGS:-3}
    cat >run-matrix.yaml <<YAML
strategy: {matrix: {n: [$(seq -s, "$n")]}}
tests:
  - {name: quick, run: [sh, -c, "exit \$((RUN_MATRIX_AXIS_N % 3))"]}
  - {name: hang, axes: [], run: "'$kid' hang $token & '$kid' spin $token", timeout: 300ms, retries: $((hangs - 1))}
YAML
    run -n6 -q
    status_is 1
    "$program" report --format json | python3 -c '
import json, sys
cases = json.load(sys.stdin)["cases"]
wrong = [c["id"] for c in cases if c["test"] == "quick" and c["attempts"][-1]["exit"] != c["cell"]["n"] % 3]
hung = [a for c in cases if c["test"] == "hang" for a in c["attempts"]]
late = [a for a in hung if "dump" not in a and not any("it was not made in time" in n for n in a["notes"])]
print(len(cases), wrong, len(hung), {a["verdict"] for a in hung}, len(late), any("dump" in a for a in hung))' >"$scratch/told"
    is "$(cat "$scratch/told")" "$((n + 1)) [] $hangs {'timeout'} 0 True"
}

# ---- what can be said of it ----

test_a_thread_of_a_program() {
    suite '{name: t, run: ["true"], timeout-method: thread}'
    run
    status_is 4
    err_has "'timeout-method: thread' is for C tests, and 't' is a program"
    suite '{name: t, run: ["true"], dump: [never]}'
    run
    status_is 4
    suite '{name: t, run: ["true"], runtimes: {x: ruby}}'
    run
    status_is 4
}

test_what_it_may_take_is_in_the_bound() {
    suite '{name: t, run: ["true"], stop: [INT 1s, KILL 1s], dump: []}'
    run -v
    out_has 'dump, ladder and reaping 2s'
    suite '{name: t, run: ["true"], stop: [INT 1s, KILL 1s]}'
    run -v
    out_has 'dump, ladder and reaping 5s'
}

run_tests
