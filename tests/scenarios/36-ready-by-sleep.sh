#!/bin/sh
# Number 36: a daemon is taken to be ready after a while, and is not.
. "$(dirname "$0")/lib.sh"

own_host() { host=127.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1)).${token##*.}; }

test_control_a_server_that_takes_longer() {
    own_host
    mkfifo gate
    run_command "$naive" run "$host" 4711 gate
    status_is 0
    out_is 'Connection refused'
}

# A server with words of its own, and one case that connects to it.
a_server() { # WAY WITHIN
    cat >ask.py <<'END'
import os, socket
socket.create_connection((os.environ["HOST"], 4711)).close()
END
    cat >run-matrix.yaml <<END
fixtures:
  server:
    scope: session
    daemon: [$naive, serve, $host, '4711', $gate, '$1', $token]
    ready: {connect: '$host:4711', within: $2}
    env: {HOST: $host}
tests:
  - {name: t, run: [python3, ask.py], fixtures: [server]}
END
}

# It comes up when it is let go, however long that takes.
test_ours_it_is_asked_until_it_is_up() {
    own_host
    gate=$PWD/gate
    mkfifo gate
    a_server '' 60s
    start
    for _ in $(seq 300); do
        [ -z "$(survivors)" ] || break
        sleep 0.1
    done
    stuck_in "$(survivors)" openat
    : <gate
    finish
    status_is 0
    last_line_is '1 passed, 0 failed'
}

test_ours_late_by_seconds() {
    own_host
    echo 'strategy: {matrix: {late: [0, 0.3, 1, 3]}}' >axis
    suite '{name: t, run: [python3, ask.py], fixtures: [server]}'
    cat >ask.py <<'END'
import os, socket
socket.create_connection((os.environ["HOST"], 4711)).close()
END
    cat axis - >>run-matrix.yaml <<END
fixtures:
  server:
    daemon: 'sleep \${{ matrix.late }}; exec $naive serve $host 4711 /dev/null "" $token'
    ready: {connect: '$host:4711'}
    env: {HOST: $host}
END
    run -n 1
    status_is 0
    last_line_is '4 passed, 0 failed'
    nobody_is_left
}

# It is not waited for until its time is up: that would be ten minutes.
test_ours_one_that_dies_before_is_told_at_once() {
    own_host
    gate=/dev/null
    a_server dies 10m
    run
    status_is 1
    out_has "fixture 'server' ended with exit status 3 before it was ready; its last words: it does not like it here"
    last_line_is '0 passed, 1 failed'
}

test_ours_one_that_does_not_listen_is_never_ready() {
    own_host
    gate=/dev/null
    a_server deaf 500ms
    run
    status_is 1
    out_has "fixture 'server' was not ready within 500ms"
    out_has 'Connection refused'
    nobody_is_left
}

# The kernel takes connections for it: for "connect" it is up. Who has to know more asks it something.
test_ours_one_that_accepts_nobody() {
    own_host
    gate=/dev/null
    a_server mute 10s
    run
    status_is 0
    cat >probe.py <<'END'
import os, socket
with socket.create_connection((os.environ["HOST"], 4711)) as s:
    s.recv(1)
END
    sed -i "s/ready: {connect: [^,]*,/ready: {command: [python3, probe.py],/; s/within: 10s/within: 500ms/" run-matrix.yaml
    run
    status_is 1
    out_has 'was not ready within 500ms'
    nobody_is_left
}

run_tests
