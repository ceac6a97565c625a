#!/bin/sh
# Limits on what a case may use, and what it can have for itself alone; as far as `doctor` says that they hold here.
. "$(dirname "$0")/lib.sh"
own_world

needs() { # NAME BY DOCTOR
    run doctor --json
    why=$(python3 -c '
import json, sys
found = json.load(open(sys.argv[1]))["allows"][sys.argv[2]]
print("" if found["can"] else found["words"])' "$scratch/out" "$1")
    [ -z "$why" ] || skip "$why"
}

# One that heeds the limit beside one that does not.
both() { # LIMIT WORDS OF A KID WITHIN IT, WORDS OF ONE BEYOND
    suite "{name: within, limits: {$1}, run: [$kid, $2]}" "{name: beyond, limits: {$1}, run: [$kid, $3]}"
    run -n 1
    status_is 1
    is "$(told within 'case["verdict"]')" passed
}

test_memory() {
    needs memory
    both 'memory: 64MiB' 'memory, "8"' 'memory, "256"'
    is "$(told beyond 'case["verdict"]')" oom
    told beyond 'last["reason"]' | grep -q 'more than 67108864 bytes' || fail 'the reason does not say what it had'
}

test_memory_of_the_tree() {
    needs memory
    suite "{name: a, limits: {memory: 64MiB}, run: '$kid memory 256; exit 0'}"
    run
    status_is 1
    is "$(told a 'case["verdict"]')" oom
}

test_processes() {
    needs processes
    both 'processes: 8' 'processes, "4"' 'processes, "40"'
    is "$(told beyond 'case["verdict"], last["exit"]')" "('error', 99)" # as the kid says that it cannot fork
    told beyond 'last["notes"]' | grep -q 'was refused a process 1 time, having 8' || fail 'no note of it'
    is "$(told within 'last["notes"]')" '[]'
}

test_cpu() {
    both 'cpu: 1s' 'exit, "0"' 'spin'
    is "$(told beyond 'case["verdict"], last["signal"]')" "('crashed', 'SIGXCPU')"
}

limits_are() { # ID SOFT HARD
    is "$("$program" show "$1" | sed -n 's/^ *| //p' | xargs)" "$2 $3"
}

# Soft and hard.
limit() { # WORD OF ITS NAME IN /proc
    echo "[awk, '/Max $1/ { print \$(NF - 2), \$(NF - 1) }', /proc/self/limits]"
}

test_files() {
    suite "{name: a, limits: {files: 20}, run: $(limit open)}"
    run --keep=all
    status_is 0
    limits_are a 20 20
}

test_core() {
    suite "{name: a, limits: {core: 0B}, run: $(limit core)}"
    run --keep=all
    status_is 0
    limits_are a 0 0
}

# ---- alone ----

test_the_same_port_twice() {
    needs net
    cat >server.py <<'S'
import os, socket, sys, time
one = socket.socket()
one.bind(("127.0.0.1", 47999))
one.listen()
open(sys.argv[1], "w").close()
while not (os.path.exists("a") and os.path.exists("b")):
    time.sleep(0.02)
S
    suite "{name: a, isolate: [net], run: [python3, server.py, a]}" "{name: b, isolate: [net], run: [python3, server.py, b]}"
    run -n 2
    status_is 0
    last_line_is '2 passed, 0 failed'
}

# What is left in them fails the case, since nobody else can have made it.
test_the_same_files_twice() {
    needs files
    elsewhere=$(mktemp -d /var/tmp/run-matrix.XXXXXX) || skip 'no folder to be had that is not in /tmp'
    trap 'rm -rf "$elsewhere"' EXIT
    cd "$elsewhere"
    one="[ ! -e /tmp/$token ] && echo \$NAME >/tmp/$token && echo \$NAME >/dev/shm/$token && echo >\$NAME"
    other="until [ -e a ] && [ -e b ]; do sleep 0.02; done; [ \$(cat /tmp/$token) = \$NAME ] && [ \$(cat /dev/shm/$token) = \$NAME ]"
    for name in a b; do
        echo "$name, isolate: [files], env: {NAME: $name}, run: '$one && { $other; }'"
    done >cases
    suite "{name: $(sed -n 1p cases)}" "{name: $(sed -n 2p cases)}"
    run -n 2
    status_is 1
    for id in a b; do # and it is known to be their own; files in the /tmp of all are whoever's
        is "$(told "$id" 'case["verdict"], [leak["words"] for leak in last["leaks"] if leak["kind"] != "file"]')" \
            "('leaked', ['/dev/shm/$token'])"
    done
    [ ! -e "/tmp/$token" ] || fail 'it is in the /tmp of all'
    [ ! -e "/dev/shm/$token" ] || fail 'it is in the /dev/shm of all'
}

run_tests
