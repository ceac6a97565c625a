#!/bin/sh
# Programs that hang are asked in their own language, and what they answer is in the dump and nowhere else.
. "$(dirname "$0")/lib.sh"

dump() { # CASE
    cat ".run-matrix/latest/cases/$1/1/dump.txt" 2>/dev/null || fail "no dump of $1"
}

dump_has() { # CASE TEXT
    dump "$1" >"$scratch/dump"
    has dump "$2"
}

dump_lacks() { # CASE TEXT
    dump "$1" >"$scratch/dump"
    lacks dump "$2"
}

# What is kept of a stream of a case, all of it.
output_is() { # CASE STREAM TEXT
    is "$(cat ".run-matrix/latest/cases/$1/1/$2" 2>/dev/null)" "$3"
}

need() { # PROGRAM
    command -v "$1" >/dev/null || skip "there is no $1"
}

# ---- Python ----

write_python() {
    cat >hang.py <<'PY'
import sys, threading, time

def stuck_in_thread():
    threading.Event().wait()

def stuck_here():
    print("ready", flush=True)
    time.sleep(1000)

threading.Thread(target=stuck_in_thread, daemon=True).start()
stuck_here()
PY
    cat >forks.py <<'PY'
import os, sys, time

def stuck_in_child():
    time.sleep(1000)

def stuck_in_parent():
    os.wait()

if os.fork() == 0:
    os.close(1)
    os.close(2)
    stuck_in_child()
stuck_in_parent()
PY
}

test_python() {
    need python3
    write_python
    cat >awaits.py <<'PY'
import asyncio

async def stuck_in_task():
    await asyncio.Event().wait()

asyncio.run(stuck_in_task())
PY
    suite '{name: plain, timeout: 3s, run: python3 hang.py}' \
        '{name: swallowed, timeout: 3s, run: python3 hang.py >/dev/null 2>&1}' \
        '{name: forks, timeout: 3s, run: [python3, forks.py]}' \
        '{name: awaits, timeout: 3s, run: [python3, awaits.py]}' \
        '{name: alone, timeout: 3s, run: [python3, -I, hang.py]}' \
        '{name: none, timeout: 3s, run: [python3, hang.py], runtimes: none}' \
        '{name: chosen, timeout: 3s, run: [python3, hang.py], runtimes: {"python*": none}}'
    run run -n 4
    status_is 1
    for name in plain swallowed; do
        dump_has "$name" 'in stuck_here'
        dump_has "$name" 'in stuck_in_thread'
    done
    dump_has awaits 'in stuck_in_task'
    dump_has forks 'in stuck_in_child'
    dump_has forks 'in stuck_in_parent'
    output_is plain stdout ready
    is "$(grep -c 'most recent call first' .run-matrix/latest/cases/plain/1/stderr)" 0
    dump_has alone 'it was not started to be asked'
    dump_lacks alone 'in stuck_in_thread'
    dump_lacks none 'in stuck_in_thread'
    dump_lacks chosen 'in stuck_in_thread'
}

# What was found without us is found all the same, and says what it likes; nothing of ours is left behind.
test_sitecustomize() {
    need python3
    mkdir theirs broken
    echo 'import sys; sys.theirs = __file__' >theirs/sitecustomize.py
    echo 'import no_such_module' >broken/sitecustomize.py
    cat >tell.py <<'PY'
import os, sys
print(getattr(sys, "theirs", None) == os.getcwd() + "/theirs/sitecustomize.py", os.environ["OURS"] in sys.path)
PY
    suite '{name: none, run: [python3, tell.py]}' \
        '{name: theirs, run: [python3, tell.py], env: {PYTHONPATH: theirs}}' \
        '{name: broken, run: [python3, tell.py], env: {PYTHONPATH: broken}}' \
        '{name: path, run: "echo $PYTHONPATH", env: {PYTHONPATH: theirs}}' \
        '{name: without, run: "echo $PYTHONPATH", env: {PYTHONPATH: theirs}, runtimes: none}' \
        '{name: fd, run: "python3 -c \"import os; print(sorted(map(int, os.listdir(\\\"/proc/self/fd\\\")))[:3])\""}'
    unset PYTHONPATH
    OURS=$(dirname "$program")/python
    export OURS
    run run --keep all -n 1
    status_is 0
    "$program" show none >"$scratch/none"
    has none 'False False'
    "$program" show theirs >"$scratch/theirs"
    has theirs 'True False'
    "$program" show broken >"$scratch/broken"
    has broken 'no_such_module'
    has broken 'False False'
    "$program" show path >"$scratch/path"
    has path "$OURS:theirs"
    "$program" show without >"$scratch/without"
    lacks without "$OURS"
    "$program" show fd >"$scratch/fd"
    has fd '[0, 1, 2]'
    [ ! -d "$OURS/__pycache__" ] || fail 'something was compiled into our folder'
}

# ---- Node ----

write_busy() {
    cat >busy.js <<'JS'
function spins() {
    console.log('ready');
    for (;;);
}
function calls() {
    spins();
}
calls();
JS
}

# Its port is there only for who is in its network.
test_node_in_a_network_of_its_own() {
    need node
    unshare -n true 2>/dev/null || skip 'there can be no network of its own'
    write_busy
    suite '{name: apart, timeout: 3s, run: [node, busy.js], isolate: [net]}'
    run run
    status_is 1
    dump_has apart 'at calls ('
}

test_node() {
    need node
    write_busy
    cat >idle.js <<'JS'
const server = require('net').createServer();
server.listen(0, '127.0.0.1', () => console.log('ready'));
JS
    suite '{name: busy, timeout: 3s, run: [node, busy.js]}' '{name: idle, timeout: 3s, run: [node, idle.js]}' \
        '{name: two, timeout: 3s, run: "node busy.js & node busy.js"}' '{name: piped, timeout: 3s, run: "node busy.js 2>&1 | cat"}'
    run run -n 2
    status_is 1
    for name in busy two piped; do
        dump_has "$name" 'at spins ('
        dump_has "$name" 'at calls ('
    done
    is "$(dump two | grep -c 'at calls (')" 2
    dump_has idle 'no JavaScript runs'
    dump_has idle 'Server: listens at 127.0.0.1:'
    output_is busy stdout ready
    output_is busy stderr ''
    output_is idle stderr ''
    output_is two stderr ''
}

# ---- JVM ----

write_java() {
    cat >Hang.java <<'JAVA'
public class Hang {
    static void stuckHere() throws Exception {
        Object lock = new Object();
        System.out.println("ready");
        synchronized (lock) {
            lock.wait();
        }
    }
    public static void main(String[] words) throws Exception {
        stuckHere();
    }
}
JAVA
    javac Hang.java || fail 'it does not compile'
}

test_jvm() {
    need javac
    write_java
    suite '{name: joined, timeout: 5s, run: [java, -Xshare:auto, Hang]}' \
        '{name: prints, timeout: 5s, run: [java, -XX:+DisableAttachMechanism, Hang]}' \
        '{name: merged, timeout: 5s, run: "java -XX:+DisableAttachMechanism Hang & java -XX:+DisableAttachMechanism Hang"}' \
        '{name: deaf, timeout: 5s, run: [java, -Xrs, -XX:+DisableAttachMechanism, Hang]}' \
        '{name: away, timeout: 5s, run: "java Hang >/dev/null"}'
    run run -n 3
    status_is 1
    for name in joined prints merged away; do
        dump_has "$name" 'Full thread dump'
        dump_has "$name" 'at Hang.stuckHere(Hang.java:'
    done
    dump_has deaf 'it does not catch SIGQUIT'
    output_is joined stdout ready
    output_is prints stdout ready
    output_is merged stdout 'ready
ready'
    is "$(find /tmp -maxdepth 1 -name '.attach_pid*' -newer Hang.java)" ''
    err_lacks 'left behind'
}

# ---- Go: it ends by being asked, and was to be ended ----

test_go() {
    need go
    cat >hang.go <<'GO'
package main

import (
	"fmt"
	"net"
)

func stuckHere(listener net.Listener) {
	fmt.Println("ready")
	listener.Accept()
}

func main() {
	listener, err := net.Listen("unix", "@"+fmt.Sprint("run-matrix"))
	if err != nil {
		panic(err)
	}
	stuckHere(listener)
}
GO
    GOCACHE=$root/build/tests/go HOME=$PWD GOFLAGS=-mod=mod GO111MODULE=off CGO_ENABLED=0 go build -o hang hang.go ||
        fail 'it does not compile'
    suite '{name: go, timeout: 3s, run: [./hang]}'
    run run
    status_is 1
    dump_has go 'SIGQUIT: quit'
    dump_has go 'main.stuckHere('
    output_is go stdout ready
    output_is go stderr ''
    out_has 'timeout'
}

run_tests
