#!/bin/sh
# Programs that hang, each just so (tests/hangs), and what their dumps show: at a deadline and on demand, as root and as nobody in
# particular, and of those that would rather not be looked at.
. "$(dirname "$0")/lib.sh"
own_world # what cases leave in the folders of all is theirs

zoo=$root/tests/hangs
hang=$root/build/tests/hangs/hang

# As nobody in particular: copies, where such a one can read them.
use_copies() {
    mkdir -p "$scratch/bin"
    cp "$hang" "${program%/*}"/run-matrix* "$scratch/bin"
    chmod -R a+rX "$scratch/bin" && chmod a+x "$scratch"
    hang=$scratch/bin/hang program=$scratch/bin/run-matrix
}

check() { # ARG...
    python3 "$zoo/check" "$@" >"$scratch/checked" 2>&1 || {
        cat "$scratch/checked"
        fail "check $1"
    }
}

# All of the table that can be run here; with "native", those that need no runtime.
names() {
    python3 "$zoo/check" names | while read -r name command; do
        if [ -z "$command" ] || { [ -z "${1-}" ] && command -v "${command%% *}" >/dev/null; }; then
            echo "$name"
        fi
    done
}

command_of() { # NAME
    command=$(python3 "$zoo/check" names | sed -n "s/^$1 //p")
    echo "${command:-$hang $1} $token"
}

# ---- at a deadline ----

suite_of() { # DEADLINE NAME...
    echo "defaults: {timeout: $1, stop: [KILL]}" && echo 'tests:'
    shift
    for name; do
        echo "  - {name: $name, run: [$(command_of "$name" | sed 's/ /, /g')]}"
    done
}

# On a machine that has too much to do a dump has not all that it should have when its time is over, which is no more than 3 s.
had_time() { # NAME
    [ ! -f "dumps/$1/dump.json" ] || python3 "$zoo/check" fact 'dump["took_ms"] < 2500' "dumps/$1/dump.json" >/dev/null
}

# A deadline that strikes before somebody hangs shows nothing of him: once more then, and later. Dumps are in dumps/NAME.
containment=auto
hang_until_the_deadline() { # NAME...
    rm -rf dumps && mkdir dumps
    for span in 3s 15s 60s; do
        suite_of "$span" "$@" >run-matrix.yaml
        run run -n 6 --keep=all "--contain=$containment"
        status_is 1
        late=
        for name; do
            cp -r ".run-matrix/latest/cases/$name/1" "dumps/$name"
            if ! grep -qx ready "dumps/$name/stdout" || ! had_time "$name"; then
                late="$late $name"
                rm -r "dumps/$name"
            fi
        done
        # shellcheck disable=SC2086 # names are words
        set -- $late
        [ $# -gt 0 ] || return 0
    done
    fail "did not come to hang, or to be looked at in time: $*"
}

check_dumps() { # NAME...
    wrong=0
    for name; do
        [ -f "dumps/$name/dump.json" ] || fail "no dump of $name: $(ls "dumps/$name")"
        python3 "$zoo/check" "$name" "dumps/$name/dump.txt" "dumps/$name/dump.json" >>"$scratch/checked" 2>&1 || {
            wrong=$((wrong + 1))
            python3 "$zoo/check" lines "dumps/$name/dump.txt" | sed "s/^/# $name: /" >>"$scratch/checked"
        }
    done
    [ "$wrong" = 0 ] || { cat "$scratch/checked" && fail "$wrong of $# are not explained"; }
}

test_each_is_explained_at_its_deadline() {
    # shellcheck disable=SC2046 # names are words
    set -- $(names)
    hang_until_the_deadline "$@"
    check_dumps "$@"
    nobody_is_left
}

test_whatever_contains_them() {
    for containment in pidns group; do
        "$program" exec "--contain=$containment" --run-dir "$scratch/probe" -- true >/dev/null 2>&1 || continue
        set -- mutex-pair full-pipe request background zombie
        hang_until_the_deadline "$@"
        check_dumps "$@"
        nobody_is_left
    done
}

test_the_failure_shows_where_they_stood() {
    hang_until_the_deadline full-pipe
    out_has 'writes_its_report'
    out_has '65536'
    out_has '/cases/full-pipe/1/dump.txt'
    run show full-pipe
    out_has 'writes_its_report'
    run report --format junit
    out_has 'writes_its_report'
    xmllint --noout "$scratch/out" || fail 'JUnit is no XML'
}

# ---- on demand ----

# State of each thread that has the word of this test.
states() {
    for pid in $(survivors); do
        sed 's/.*) \(.\).*/\1/' "/proc/$pid"/task/*/stat 2>/dev/null | sed "s/^/$pid /"
    done
}

# They are as they were before, as soon as they have gone back to where they were.
are_undisturbed() { # STATES BEFORE
    for _ in $(seq 100); do
        now=$(states)
        [ "$now" != "$1" ] || return 0
        sleep 0.05
    done
    fail "disturbed: before $(echo "$1" | tr '\n' ' '), now $(echo "$now" | tr '\n' ' ')"
}

# Until a program hangs that is none of ours: $child.
begin() { # COMMAND...
    : >said
    "$@" >said 2>&1 </dev/null &
    child=$!
    await said ready
}

dump_on_demand() { # NAME; with what it is called by before
    name=$1
    mkdir -p "dumps/$name"
    before=$(states)
    run dump --budget 60s "$child"
    status_is 0
    cp "$scratch/out" "dumps/$name/dump.txt"
    run dump --budget 60s --json "$child"
    status_is 0
    cp "$scratch/out" "dumps/$name/dump.json"
    are_undisturbed "$before"
    end_survivors
}

test_each_is_explained_on_demand() {
    for name in $(names native); do
        # shellcheck disable=SC2046 # a command
        begin $(command_of "$name")
        dump_on_demand "$name"
    done
    # shellcheck disable=SC2046
    check_dumps $(names native)
}

# Who is none of a run's is asked in its own language when that is wanted, and lives on. A Python that nobody has prepared
# has its native stacks, and why there is no more.
test_runtimes_are_asked_on_demand() {
    for name in node jvm python; do
        command=$(command_of "$name")
        command -v "${command%% *}" >/dev/null || continue
        # shellcheck disable=SC2086 # a command
        begin $command
        mkdir -p "dumps/$name"
        run dump --budget 60s --ask=safe "$child"
        status_is 0
        cp "$scratch/out" "dumps/$name/dump.txt"
        run dump --budget 60s --ask=safe --json "$child"
        status_is 0
        cp "$scratch/out" "dumps/$name/dump.json"
        [ -n "$(survivors)" ] || fail "$name did not live on"
        end_survivors
        [ "$name" = python ] || check_dumps "$name"
    done
    [ ! -d dumps/python ] || check fact '(processes[0]["runtime"] == "python" and processes[0]["runtime_why_not"] and
        any("PyEval" in (f["function"] or "") for t in threads() for f in frames(t)))' dumps/python/dump.json
}

# ---- a tree ----

test_fourteen_actors_and_a_pipe() {
    cp -r "$root/examples/hangs" . && cd hangs
    for span in 3s 15s 60s; do
        sed -i "s/timeout: [0-9]*s/timeout: $span/" run-matrix.yaml
        run run --keep=all undrained
        status_is 1
        folder=$(echo .run-matrix/latest/cases/undrained*/1)
        ! python3 "$zoo/check" fact 'len(standing_in("tells_a_long_story")) == 8' "$folder/dump.json" || break
    done
    check fact 'len(standing_in("tells_a_long_story")) == 8' "$folder/dump.json"
    # Who they are, what stands in their way, and who could read it: the test, which waits for them.
    check fact 'sum(p["name"].startswith("spawner-") for p in processes) == 6' "$folder/dump.json"
    check fact 'pipe_of(caller_of("write"))["filled"] > pipe_of(caller_of("write"))["room"] * 0.9' "$folder/dump.json"
    check fact '[processes[e["process"]]["name"] for e in pipe_of(caller_of("write"))["ends"] if e["reads"]] == ["nobody_drains"]' \
        "$folder/dump.json"
    # All of it on one screen, with those that are alike in one line.
    python3 "$zoo/check" lines "$folder/dump.txt" >"$scratch/summary"
    [ "$(wc -l <"$scratch/summary")" -le 45 ] || { show summary && fail 'that is more than a screen'; }
    for word in tells_a_long_story nobody_drains spawner talker test_undrained.c 'x 8' 65536; do
        has summary "$word"
    done
    # One stack stands for the eight.
    is "$(grep -c '#[0-9]* *tells_a_long_story' "$folder/dump.txt")" 1
}

# ---- those that nobody may look at ----

as_nobody() { # COMMAND...
    [ "$(id -u)" = 0 ] || { "$@" && return; }
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

needs_nobody() {
    use_copies
    [ "$(id -u)" = 0 ] || return 0
    # shellcheck disable=SC2016 # for that shell, which has lost what root may
    as_nobody sh -c '"$0" refuse true' "$hang" 2>/dev/null || skip 'nobody else can run what stands here'
    chmod 777 .
}

test_nobody_in_particular_sees_as_much_of_what_is_his() {
    needs_nobody
    for name in mutex-pair full-pipe flock-pair request stopped zombie; do
        export TMPDIR="$PWD"
        begin as_nobody "$hang" "$name" "$token"
        child=$(survivors | head -n 1)
        mkdir -p "dumps/$name"
        run_command as_nobody "$program" dump --budget 60s "$child"
        status_is 0
        cp "$scratch/out" "dumps/$name/dump.txt"
        run_command as_nobody "$program" dump --budget 60s --json "$child"
        status_is 0
        cp "$scratch/out" "dumps/$name/dump.json"
        end_survivors
    done
    check_dumps mutex-pair full-pipe flock-pair request stopped zombie
}

# And at a deadline, with whatever containment there is for such a one.
test_nobody_in_particular_has_dumps_at_deadlines() {
    needs_nobody
    cat >"$scratch/bin/unprivileged" <<END
#!/bin/sh
[ "\$(id -u)" != 0 ] || exec setpriv --reuid=65534 --regid=65534 --clear-groups '$program' "\$@"
exec '$program' "\$@"
END
    chmod 755 "$scratch/bin/unprivileged"
    program=$scratch/bin/unprivileged
    set -- mutex-pair join-cycle full-pipe flock-pair request unaccepted stopped background traced zombie undumpable
    hang_until_the_deadline "$@"
    check_dumps "$@"
    nobody_is_left
}

# A child that is not to be looked at (prctl PR_SET_DUMPABLE): its parent is told of, and why it is not.
test_who_is_not_dumpable_is_told_of() {
    needs_nobody
    begin as_nobody "$hang" undumpable "$token"
    child=$(survivors | head -n 1)
    run_command as_nobody "$program" dump --budget 60s "$child"
    status_is 0
    out_has waits_for_its_child
    out_has secretive
    out_lacks keeps_a_secret
    run_command as_nobody "$program" dump --budget 60s --json "$child"
    check fact 'processes[1]["why_no_stacks"] and processes[1]["state"] == "S"' "$scratch/out"
    run dump --budget 60s "$child" # root may
    out_has keeps_a_secret
}

# As where kernel.yama.ptrace_scope is 1: the calls fail, and the setting is there to be read, where a file system can be put in its
# place.
with_ptrace_scope() { # COMMAND...
    # shellcheck disable=SC2016 # for that shell
    unshare --mount sh -c 'mount -t tmpfs none /proc/sys/kernel && mkdir /proc/sys/kernel/yama &&
        echo 1 >/proc/sys/kernel/yama/ptrace_scope && exec "$@"' sh "$hang" refuse "$@"
}

# What there is without tracing is there, and what to do. Looking for leaks is a matter of tracing, too.
test_tracing_is_refused() {
    export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
    begin "$hang" full-pipe "$token"
    run_command "$hang" refuse "$program" dump --budget 60s --json "$child"
    status_is 0
    cp "$scratch/out" refused.json
    check fact 'len(processes) == 2 and all(p["why_no_stacks"] for p in processes)' refused.json
    check fact 'not any(frames(t) for t in threads())' refused.json
    check fact 'any("pipe" in fd["target"] for fd in processes[1]["fds"])' refused.json
    check fact 'any(finding["kind"] == "full" for finding in dump["findings"])' refused.json
    run_command "$hang" refuse "$program" dump --budget 60s "$child"
    status_is 0
    out_has 'it may not be traced'
    out_lacks writes_its_report
    with_ptrace_scope true 2>/dev/null || skip 'no setting of Yama can be shown here; the rest is as it should be'
    run_command with_ptrace_scope "$program" dump --budget 60s "$child"
    status_is 0
    out_has 'ptrace_scope is 1'
}

# ---- those that would write the report themselves ----

# Whatever it is called: no control character, no line that it began, and one line between summary and detail.
is_not_forged() { # FILE
    ! LC_ALL=C grep -nP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$1" >"$scratch/found" || {
        fail "control characters: $(cat -v "$scratch/found" | head -n 3)"
    }
    ! grep -n '^ *FORGED' "$1" >"$scratch/found" || fail "forged: $(head -n 3 "$scratch/found")"
    is "$(grep -cxF -e '---- in detail ----' "$1")" "$2"
}

test_names_and_output_cannot_forge_lines() {
    hang_until_the_deadline hostile
    is_not_forged dumps/hostile/dump.txt 1
    python3 -c 'import json, sys; json.load(open(sys.argv[1], encoding="utf-8"))' dumps/hostile/dump.json
    grep -q FORGED dumps/hostile/dump.txt || fail 'it is not told of at all'
    sed '/^ *stdout /,/^ *again:/d' "$scratch/out" >shown # output is shown as ever
    is_not_forged shown 0
    # shellcheck disable=SC2046 # a command
    begin $(command_of hostile)
    dump_on_demand demanded
    is_not_forged dumps/demanded/dump.txt 1
}

# What is masked is hidden in what others say as well: arguments, names, files, output.
test_secrets_are_masked() {
    suite "{name: a, timeout: 2s, stop: [KILL], mask: [SECRET], run: 'echo \"<\$SECRET>\"; exec $hang full-pipe \"\$SECRET\" $token'}"
    SECRET=s3cr3t-of-the-house
    export SECRET
    run run --keep=all
    status_is 1
    [ -f .run-matrix/latest/cases/a/1/dump.txt ] || fail 'no dump'
    grep -qF '***' .run-matrix/latest/cases/a/1/dump.txt || fail 'nothing is hidden'
    ! grep -raF -e "$SECRET" .run-matrix "$scratch/out" "$scratch/err" >"$scratch/found" ||
        fail "it is in $(cut -c1-300 "$scratch/found" | head -n 3)"
}

run_tests
