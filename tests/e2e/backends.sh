#!/bin/sh
# Every backend starts every program in the same way, and says so in the same words when it cannot.
. "$(dirname "$0")/lib.sh"
own_world

served='forkserver main_thread_forkserver'
all="exec spawn $served"

common='defaults: {stop: [INT 100ms, TERM tree 1s, KILL]}'

# Verdicts of a test, one for each of its cells, the same ones once.
verdicts_of() { # TEST
    "$program" report --format json | python3 -c '
import json, sys
print(*sorted({case["verdict"] for case in json.load(sys.stdin)["cases"] if case["test"] == sys.argv[1]}))' "$1"
}

reasons_of() { # TEST
    "$program" report --format json | python3 -c '
import json, sys
for case in json.load(sys.stdin)["cases"]:
    if case["test"] == sys.argv[1]:
        print(case["attempts"][-1]["reason"])' "$1" | sort -u
}

test_all_give_the_same_verdicts() {
    in_backends "$all" '{name: passes, run: [sh, -c, "exit 0"]}' '{name: fails, run: [sh, -c, "exit 3"]}' \
        '{name: skips, run: [sh, -c, "echo no; exit 77"]}' '{name: crashes, run: [sh, -c, "kill -SEGV $$"]}' \
        '{name: hangs, run: [sleep, "1000"], timeout: 300ms}' '{name: missing, run: [/nowhere]}' \
        '{name: nowhere, run: ["true"], cwd: /nowhere}' '{name: floods, run: ["yes"], output-limit: 10000}' \
        "{name: leaves, run: [sh, -c, \"'$kid' hang $token >/dev/null 2>&1 & exit 0\"]}"
    for contain in group auto; do
        rm -rf .run-matrix
        run --contain="$contain"
        status_is 1
        for pair in passes:passed fails:failed skips:skipped crashes:crashed hangs:timeout missing:error \
            nowhere:error floods:'output limit' leaves:leaked; do
            is "$(verdicts_of "${pair%%:*}")" "${pair#*:}"
        done
        for test in missing nowhere; do
            is "$(reasons_of "$test" | wc -l)" 1
        done
        nobody_is_left
    done
}

test_all_give_the_same_surroundings() {
    in_backends "$all" '{name: t, run: [sh, -c, "env | grep -vE \"AXIS_BACKEND|CASE_ID|CELL|TMPDIR|ARTIFACTS|REG_ADDR|^_=\" | sort; pwd; ls /proc/self/fd; ps -o sid= -p $$ | grep -q $$ && echo own; grep ^Sig[BIC] /proc/self/status; ulimit -a"]}'
    run -n 1
    status_is 0
    for backend in $all; do
        "$program" show "t@backend=$backend" | sed -n 's/^ *| //p' | sed '/^SigQ/d' >"$scratch/$backend"
        [ -s "$scratch/$backend" ] || fail "nothing of $backend"
        cmp "$scratch/exec" "$scratch/$backend" || {
            diff "$scratch/exec" "$scratch/$backend"
            fail "$backend is not as exec"
        }
    done
}

test_a_server_that_is_killed_between_cases_is_started_again() {
    for backend in $served; do
        rm -rf .run-matrix
        in_backends "$backend" '{name: a, run: [touch, a]}' \
            "{name: b, run: ['sh', '-c', 'pkill -KILL -P \$PPID -f \"^run-matrix: $backend\" && while pgrep -P \$PPID -f \"^run-matrix: $backend\"; do :; done']}" \
            '{name: c, run: ["true"]}'
        run -n 1 --contain=group
        status_is 0
        last_line_is '3 passed, 0 failed'
    done
}

test_who_runs_when_its_server_dies_loses_nothing() {
    for backend in $served; do
        rm -rf .run-matrix
        in_backends "$backend" "{name: a, run: ['sh', '-c', 'pkill -KILL -P \$PPID -f \"^run-matrix: $backend\" && exit 5']}"
        run -n 1 --contain=group
        status_is 1
        out_has 'exit status 5'
        is "$(verdicts_of a)" failed
        nobody_is_left
    done
}

nobody_has() { # VARIABLE
    for process in /proc/[0-9]*; do
        if tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -q -x -F -e "$1"; then
            tr '\0' ' ' <"$process/cmdline"
            fail "process ${process#/proc/} is left"
        fi
    done
}

test_nobody_is_left_of_servers() {
    in_backends "$all" "{name: a, run: ['true']}"
    run
    status_is 0
    nobody_has "RUN_MATRIX_RUN_ID=$(basename "$(readlink .run-matrix/latest)")"
}

# Nobody has what it had: not its server, and no other case that was started beside it.
test_who_dies_lets_go_of_what_it_had() {
    cat >listens.py <<'END'
import os, signal, socket
server = socket.create_server(("127.0.0.1", 0))
open("new", "w").write(str(server.getsockname()[1]))
os.rename("new", "port")
peer, _ = server.accept()
peer.recv(1)
os.kill(os.getpid(), signal.SIGKILL)
END
    cat >connects.py <<'END'
import os, socket, time
while not os.path.exists("port"):
    time.sleep(0.01)
port = int(open("port").read())
peer = socket.create_connection(("127.0.0.1", port))
peer.send(b"x")
try:
    assert peer.recv(1) == b""
except ConnectionResetError:
    pass
while True: # its end takes a moment
    try:
        socket.create_server(("127.0.0.1", port))
        break
    except OSError:
        time.sleep(0.01)
open("over", "w")
END
    for backend in $all; do
        rm -rf .run-matrix port over
        in_backends "$backend" '{name: listens, run: [python3, listens.py]}' '{name: connects, run: [python3, connects.py], timeout: 20s}' \
            '{name: stays, run: [sh, -c, "while [ ! -e over ]; do sleep 0.01; done"], timeout: 20s}'
        run -n 3
        status_is 1
        is "$(verdicts_of listens)" crashed
        is "$(verdicts_of connects)" passed
    done
}

test_unsupported_has_a_reason() {
    in_backends 'subint subint_forkserver subint_fork' '{name: t, run: ["true"]}'
    run
    status_is 5
    is "$(verdicts_of t)" unsupported
    reasons_of t | grep -q namespace || fail 'no word of a namespace'
}

run_tests
