#!/bin/sh
# What cases leave behind: found, named, judged, and gone afterwards.
. "$(dirname "$0")/lib.sh"
own_world

here=$root/tests/e2e

# Nobody here heeds INT, and what a ladder waits for is tested elsewhere.
common='defaults: {stop: [TERM tree 1s, KILL]}'

# Of the latest run: what the only attempt of a case left, a line each: kind, pid, whether it fails the case, words.
leaks_of() { # ID
    "$program" report --format json | python3 -c '
import json, sys
for case in json.load(sys.stdin)["cases"]:
    if case["id"] == sys.argv[1]:
        for leak in case["attempts"][-1]["leaks"]:
            print(leak["kind"], leak["pid"], "fails" if leak["fails"] else "warns", leak["words"], sep=" | ")' "$1"
}

verdict_is() { is "$(told "$1" 'case["verdict"]')" "$2"; } # ID VERDICT

leak_has() { # ID WORDS...: in one line
    leaks_of "$1" >"$scratch/leaks"
    cp "$scratch/leaks" "$scratch/some"
    id=$1
    shift
    for words; do
        grep -F -e "$words" "$scratch/some" >"$scratch/fewer" || {
            sed 's/^/# /' "$scratch/leaks"
            fail "no leak of $id has: $words"
        }
        mv "$scratch/fewer" "$scratch/some"
    done
}

# What the kid of a case printed: the number of who is left, and a port.
printed() { # ID WORD
    "$program" show "$1" | sed -n 's/^ *| \([0-9]\)/\1/p' | cut -d ' ' -f "$2"
}

containment() { sed -n 's/.*"containment":"\([a-z]*\)".*/\1/p' .run-matrix/latest/journal.ndjson | head -n 1; }

# In a namespace of its own it has another number for itself.
number_is_named() { # ID KIND
    [ "$(containment)" = pidns ] || leak_has "$1" "$2" "| $(printed "$1" 1) |"
}

one_leaks() { # WORDS OF A KID; more settings in $with
    words=$(printf ', "%s"' "$@" "$token")
    suite "{name: a, leak-grace: 50ms, ${with:-marks: []}, run: [$kid$words]}"
    run
}

# ---- the kinds ----

test_a_process_is_named() {
    one_leaks daemon
    status_is 1
    verdict_is a leaked
    last_line_is '0 passed, 1 failed'
    number_is_named a process
    leak_has a process fails "$kid daemon $token" ' old'
    out_has LEAK
    out_has "$kid daemon $token"
    nobody_is_left
}

test_its_age_is_told() {
    suite "{name: a, leak-grace: 1200ms, run: [$kid, daemon, $token]}"
    run
    leaks_of a | grep -q '^process.* [1-9]s old' || fail "no age: $(leaks_of a)"
}

test_all_of_a_tree_are_named() {
    one_leaks sigchld-ignored
    verdict_is a leaked
    is "$(leaks_of a | grep -c '^process')" 3
    nobody_is_left
}

# A grace that nobody waits for: the run ends before.
test_a_process_is_named_when_the_run_is_cancelled() {
    suite "{name: a, leak-grace: 1h, run: [$kid, daemon, $token]}"
    start
    await .run-matrix/latest/journal.ndjson '"ev":"start"'
    for _ in $(seq 300); do
        kill -USR1 "$runner"
        ! grep -q 'left processes behind' "$scratch/out" || break
        sleep 0.1
    done
    kill -INT "$runner"
    finish
    status_is 2
    verdict_is a leaked
    leak_has a process fails "$kid daemon $token"
    nobody_is_left
}

test_a_process_is_named_when_the_session_is_over() {
    suite "{name: a, leak-grace: 1h, run: [$kid, daemon, $token]}"
    run --session-timeout 1s
    status_is 1
    verdict_is a leaked
    leak_has a process fails "$kid daemon $token"
    nobody_is_left
}

# One that has become another user may not be signalled by us: whoever may has to find it on record.
test_a_process_that_cannot_be_ended_stays_on_record() {
    [ "$(id -u)" = 0 ] || skip 'not root'
    chmod 711 "$scratch"
    chown 65534 .
    cp "$(command -v setpriv)" rise
    chmod 4755 rise
    as_nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
    is "$($as_nobody ./rise --reuid 0 id -ru 2>&1)" 0 || skip 'nobody can become another user'
    printf '%s\n' "setsid ./rise --reuid 0 $kid linger $token &" \
        "until grep -q '^Uid:.0.0' /proc/\$!/status; do sleep 0.02; done" >case.sh
    suite '{name: a, leak-grace: 50ms, stop: [KILL 50ms], run: [bash, case.sh]}'
    # shellcheck disable=SC2086 # words
    run_command $as_nobody "$program" --contain=group
    err_has '1 process that fell to the run is still there'
    is "$(records 'is still there')" 1
    verdict_is a leaked
    [ -e .run-matrix/latest/held.json ] || fail 'it is not on record any more'
}

test_a_port_is_named() {
    one_leaks listener
    verdict_is a leaked
    leak_has a listener "127.0.0.1:$(printed a 2)" kid
    number_is_named a listener
    out_has "127.0.0.1:$(printed a 2)"
    nobody_is_left
    one_leaks udp
    leak_has a listener "127.0.0.1:$(printed a 2)"
}

test_a_socket_file_that_is_listened_to() {
    one_leaks socket "$PWD/held"
    verdict_is a leaked
    leak_has a "$PWD/held"
    nobody_is_left
    [ ! -e held ] || fail 'the socket file is there'
}

test_a_socket_file_of_the_dead() {
    needs_own_world
    one_leaks socket-left "$PWD/dead"
    status_is 1
    verdict_is a leaked
    leak_has a 'socket file' fails "$PWD/dead"
    out_has "$PWD/dead"
    [ ! -e dead ] || fail 'the socket file is there'
}

test_a_segment_that_is_held() {
    one_leaks shm "/$token"
    verdict_is a leaked
    leak_has a 'shared memory' "/$token"
    nobody_is_left
    [ ! -e "/dev/shm/$token" ] || fail 'the segment is there'
}

test_a_segment_of_the_dead() {
    needs_own_world
    one_leaks shm-left "/$token"
    status_is 1
    verdict_is a leaked
    leak_has a 'shared memory' fails "/$token"
    [ ! -e "/dev/shm/$token" ] || fail 'the segment is there'
}

# A number that nobody else on this machine takes.
key() { printf '%s' "$token" | cksum | awk '{ print $1 % 1000000000 + 1000000000 }'; }

segment() { awk -v key="$(key)" '$1 == key { print $2 }' /proc/sysvipc/shm; }

test_a_system_v_segment_that_is_held() {
    one_leaks sysv "$(key)"
    verdict_is a leaked
    leak_has a 'shared memory' shm: kid
    nobody_is_left
    is "$(segment)" ''
}

test_a_system_v_segment_of_the_dead() {
    needs_own_world
    one_leaks sysv-left "$(key)"
    status_is 1
    verdict_is a leaked
    leak_has a 'shared memory' fails segment
    is "$(segment)" ''
}

test_a_runaway_is_marked() {
    for _ in $(seq 20); do # on a machine with others on it nobody has all of a processor
        one_leaks runaway
        verdict_is a leaked
        nobody_is_left
        ! leaks_of a | grep -q 'process.*% of a processor' || return 0
    done
    fail 'none of twenty was marked'
}

test_a_memfd_is_its_process() {
    one_leaks memfd
    verdict_is a leaked
    leak_has a process "kid memfd $token"
    nobody_is_left
}

test_files_in_the_private_folder() {
    suite '{name: quiet, run: "echo x >$TMPDIR/rest"}' '{name: strict, leaks: {files: fail}, run: "echo x >$TMPDIR/rest"}' \
        '{name: clean, leaks: {files: fail}, run: "echo x >$TMPDIR/rest; rm $TMPDIR/rest"}'
    run -n 1
    status_is 1
    last_line_is '2 passed, 1 failed'
    leak_has strict file fails rest
    is "$(leaks_of quiet)" ''
}

test_a_file_elsewhere_is_warned_of() {
    needs_own_world
    suite "{name: a, run: [$kid, touch, $PWD/made]}"
    run
    status_is 0
    leak_has a file warns "$PWD/made"
    [ -e made ] || fail 'it was removed'
    suite "{name: a, leaks: {outside-files: fail}, run: [$kid, touch, $PWD/another]}"
    run
    status_is 1
    verdict_is a leaked
    [ -e another ] || fail 'it was removed'
}

test_a_changed_terminal_is_put_back_and_warned_of() {
    suite "{name: a, run: [$kid, termios]}"
    run_command python3 "$here/on_terminal.py" '' '' sh -c 'stty -a | grep -o "[-]*icanon [^ ]* [^ ]* echo "; "$0" -s; echo "status $?"
        stty -a | grep -c " icanon.* echo "' "$program"
    out_has 'status 0'
    is "$(tail -n 1 "$scratch/out" | tr -d '\r')" 1
    grep -q 'terminal' .run-matrix/latest/journal.ndjson || fail 'the journal has no word of the terminal'
}

# ---- what may stay ----

test_allow_lists() {
    for allowed in '{process: kid}' '{process: "k*"}'; do
        with="leaks: {allow: [$allowed]}" one_leaks daemon
        status_is 0
        verdict_is a passed
    done
    for allowed in '{process: kids}' '{process: k}' '{listener: kid}'; do
        with="leaks: {allow: [$allowed]}" one_leaks daemon
        status_is 1
        verdict_is a leaked
    done
}

test_allow_lists_of_things() {
    needs_own_world
    with="leaks: {allow: [{process: kid}]}" one_leaks listener # with all that it holds
    verdict_is a passed
    with="leaks: {allow: [{listener: '127.0.0.1:*'}]}" one_leaks listener
    verdict_is a leaked
    with="leaks: {allow: [{socket: '*/dead'}]}" one_leaks socket-left "$PWD/dead"
    verdict_is a passed
    with="leaks: {allow: [{shm: '/$token*'}]}" one_leaks shm-left "/$token"
    verdict_is a passed
    rm -f "/dev/shm/$token"
}

test_warn_and_ignore() {
    with='leaks: warn' one_leaks daemon
    status_is 0
    verdict_is a passed
    leak_has a process warns "$kid daemon $token"
    out_has "$kid daemon $token"
    nobody_is_left
    with='leaks: ignore' one_leaks daemon
    status_is 0
    out_lacks "$kid daemon $token"
    with='leaks: {processes: warn}' one_leaks listener
    verdict_is a leaked
}

test_xfail_covers_it() {
    suite "{name: a, leak-grace: 0s, xfail: {reason: '#7'}, run: [$kid, daemon, $token]}" '{name: b, run: ["true"]}'
    run
    status_is 0
    verdict_is a xfailed
    last_line_is '1 passed, 0 failed, 1 skipped'
    nobody_is_left
}

test_a_failure_is_the_verdict_and_the_leak_is_told() {
    suite "{name: a, leak-grace: 0s, run: '$kid daemon $token; exit 3'}"
    run
    status_is 1
    verdict_is a failed
    leak_has a process "$kid daemon $token"
    out_has 'exit status 3'
    out_has "$kid daemon $token"
}

# ---- grace ----

test_grace_is_over_as_soon_as_nobody_is_left() {
    suite "{name: a, leak-grace: 60s, run: '$kid sleep 300 $token >/dev/null & exit 0'}"
    began=$(milliseconds)
    run
    status_is 0
    [ $(($(milliseconds) - began)) -lt 30000 ] || fail 'the grace was waited for to its end'
    suite "{name: a, leak-grace: 10ms, run: '$kid sleep 60000 $token >/dev/null & exit 0'}"
    run
    status_is 1
    verdict_is a leaked
    nobody_is_left
}

test_good_cases_pay_nothing() {
    suite '{name: a, leak-grace: 60s, run: ["true"]}' '{name: b, leak-grace: 60s, run: ["true"]}'
    began=$(milliseconds)
    run -n 1
    status_is 0
    [ $(($(milliseconds) - began)) -lt 30000 ] || fail 'they waited'
}

# ---- whose it is ----

# In a folder of its own, with a TMPDIR that nobody else has: its case leaves a socket file and waits for `go`.
start_other() {
    (
        cd other
        suite "{name: b, leaks: ignore, run: '$kid socket-left /tmp/$token.sock; echo >left; until [ -e go ]; do sleep 0.02; done'}"
        TMPDIR=/tmp/other exec "$program" >out 2>err </dev/null
    ) &
    other=$!
}

end_other() {
    touch other/go
    wait "$other" || :
}

nothing_is_taken() {
    verdict_is a passed
    out_has 'and another run beside this one'
    [ -S "/tmp/$token.sock" ] || fail 'what another run has made is gone'
}

test_what_another_run_has_made() {
    needs_own_world
    mkdir -p other /tmp/other
    suite "{name: a, run: 'echo >up; until [ -e other/left ]; do sleep 0.02; done'}"
    start
    await up ''
    start_other
    finish
    status_is 0
    nothing_is_taken
    end_other
    nothing_is_in_tmp
    rm -rf "/tmp/$token.sock" /tmp/other
}

# What it was allowed to leave is not ours when it is over.
test_what_another_run_has_left() {
    needs_own_world
    mkdir -p other /tmp/other
    suite "{name: a, run: 'echo >up; until [ -e go ]; do sleep 0.02; done'}"
    start
    await up ''
    start_other
    await other/left ''
    end_other
    grep -q '1 passed' other/out || fail 'the other run failed'
    [ -S "/tmp/$token.sock" ] || fail 'it is gone already'
    touch go
    finish
    status_is 0
    nothing_is_taken
    nothing_is_in_tmp
    rm -rf "/tmp/$token.sock" /tmp/other
}

nothing_is_in_tmp() {
    for _ in $(seq 100); do # the guard of the last run is who tidies up
        left=$(find /tmp -mindepth 1 -maxdepth 2 -name 'rm-*')
        [ -n "$left" ] || return 0
        sleep 0.1
    done
    fail "there is $left"
}

# One leaves a socket file and ends while another runs.
test_two_candidates_make_a_warning_of_the_run() {
    needs_own_world
    suite "{name: a, run: 'touch one; until [ -e two ]; do sleep 0.02; done; $kid socket-left $PWD/dead'}" \
        "{name: b, run: 'touch two; until grep -q \"^.\\\"ev\\\":\\\"end\\\",\\\"case\\\":0\" .run-matrix/latest/journal.ndjson; do sleep 0.02; done'}"
    run -n 2
    status_is 0
    last_line_is '2 passed, 0 failed'
    is "$(records '"ev":"note"')" 1
    grep '"ev":"note"' .run-matrix/latest/journal.ndjson >"$scratch/note"
    for words in "$PWD/dead" "'a'" "'b'"; do has note "$words"; done
    cat "$scratch/err" "$scratch/out" | grep -qF "$PWD/dead" || fail 'nobody was told'
}

test_processes_are_attributed_also_side_by_side() {
    suite "{name: a, leak-grace: 50ms, run: [$kid, daemon, $token]}" "{name: b, run: 'sleep 0.5'}" \
        "{name: c, leak-grace: 50ms, run: [$kid, listener, $token]}" "{name: d, run: 'sleep 0.5'}"
    run -n 4
    status_is 1
    [ "$(containment)" = group ] || {
        last_line_is '2 passed, 2 failed'
        verdict_is a leaked
        verdict_is c leaked
        leak_has c listener "127.0.0.1:$(printed c 2)"
    }
    nobody_is_left
}

# What was there before the run, or is held by somebody else, is nobody's leak.
test_what_is_not_ours_stays() {
    "$kid" socket-left "$PWD/old"
    "$kid" daemon "$token" >"$scratch/number"
    read -r decoy <"$scratch/number"
    suite '{name: a, run: ["true"]}'
    run
    status_is 0
    [ -S old ] || fail 'a socket file of before is gone'
    [ -d "/proc/$decoy" ] || fail 'a process of before is gone'
}

run_tests
