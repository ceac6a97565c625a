#!/bin/sh
# Fixtures: made when somebody wants them, shared, unmade whatever happens, and each failure has its sentence.
. "$(dirname "$0")/lib.sh"
own_world "$@"

kvd="python3, $root/tests/e2e/kvd.py"
ask="python3 $root/tests/e2e/kvd.py ask"

# All of the file but its tests stands on stdin; those are the arguments.
file() { # LINE OF TESTS...
    {
        cat
        echo 'tests:'
        printf '  - %s\n' "$@"
    } >run-matrix.yaml
}

# How often somebody wrote a line.
lines() { # FILE
    wc -l <"$1"
}

# ---- making and sharing ----

test_a_command_is_run_once_for_all() {
    file "{name: t, run: 'test -f built', fixtures: [build]}" <<YAML
strategy: {matrix: {n: [1, 2, 3, 4, 5]}}
fixtures:
  build: {scope: session, run: 'echo made >>log; touch built', teardown: 'echo undone >>log; rm built'}
YAML
    run -n 4 -v
    status_is 0
    out_has READY
    last_line_is '5 passed, 0 failed'
    is "$(cat log)" 'made
undone'
    [ ! -e built ] || fail 'it was not undone'
}

# However many they wait for, one after another.
test_who_waits_keeps_his_place() {
    for fixture in one two three; do
        rm -f log
        file "{name: a, run: 'echo a >>log', fixtures: [$fixture]}" "{name: b, run: 'echo b >>log', fixtures: [$fixture]}" \
            "{name: c, run: 'echo c >>log', fixtures: [$fixture]}" <<YAML
fixtures:
  one: {scope: session, run: [true]}
  two: {scope: session, needs: [one], run: [true]}
  three: {scope: session, needs: [two], run: [true]}
YAML
        rm -rf .run-matrix # or how long they took would say who comes first
        run -n 1
        status_is 0
        is "$fixture: $(tr '\n' ' ' <log)" "$fixture: a b c "
    done
}

test_nothing_is_made_that_nobody_wants() {
    file '{name: plain, run: [true]}' '{name: t, run: [true], fixtures: [build]}' \
        '{name: skipped, run: [true], skip: {reason: not today}, fixtures: [build]}' <<YAML
fixtures:
  build: {scope: session, run: 'echo made >>log'}
  other: {scope: session, run: 'echo other >>log'}
YAML
    run plain skipped
    status_is 0
    [ ! -e log ] || fail 'it was made'
    run
    is "$(cat log)" made
}

test_scopes() {
    file '{name: a, run: [true], fixtures: [once, each, mine, axis]}' \
        '{name: b, run: [sh, -c, "test $RUN_MATRIX_ATTEMPT = 2"], retries: 1, fixtures: [once, each, mine]}' <<YAML
strategy: {matrix: {x: [1, 2], y: [3, 4]}}
fixtures:
  once: {scope: session, run: 'echo >>once'}
  each: {scope: cell, run: 'echo \$RUN_MATRIX_AXIS_X \$RUN_MATRIX_AXIS_Y >>each'}
  mine: {run: 'echo >>mine'}
  axis: {scope: session, axes: [x], run: 'echo \${{ matrix.x }} >>axis'}
YAML
    run
    status_is 0
    last_line_is '8 passed, 0 failed'
    is "$(lines once)" 1
    is "$(sort each)" "$(printf '1 3\n1 4\n2 3\n2 4')"
    is "$(lines mine)" 12
    is "$(sort axis)" "$(printf '1\n2')"
}

test_set_up_and_tear_down_are_timed_apart() {
    file '{name: t, run: [true], fixtures: [f]}' '{name: u, run: [true], fixtures: [g]}' <<YAML
fixtures:
  f: {run: [sleep, 0.3], teardown: [sleep, 0.3]}
  g: {scope: session, run: [true]}
YAML
    run
    status_is 0
    is "$("$program" report --format json | python3 -c '
import json, sys
for case in json.load(sys.stdin)["cases"]:
    last = case["attempts"][-1]
    print(case["id"], last.get("setup", 0) >= 0.3, last.get("teardown", 0) >= 0.3)')" 't True True
u False False'
}

test_what_it_gives() {
    file '{name: t, fixtures: [top], run: "echo $A-$B-$C-$D-${HOME-gone}; echo $LONG; echo ${{ fixtures.top.env.D }}"}' <<YAML
fixtures:
  base:
    scope: session
    run: |
      echo A=from base >>\$RUN_MATRIX_ENV
      printf 'LONG<<END\none\ntwo=2\nEND\n' >>\$RUN_MATRIX_ENV
    env: {B: of base, C: of base}
  top: {needs: [base], run: 'test "\$A" = "from base"', env: {C: of top, D: '\${{ fixtures.base.env.A }}', HOME: null}}
YAML
    run
    status_is 0
    run show t
    out_has 'from base-of base-of top-from base-gone'
    out_has 'one two=2'
    out_has '| from base'
}

test_lines_that_are_no_assignments() {
    file '{name: t, fixtures: [f], run: [true]}' <<YAML
fixtures: {f: {scope: session, run: 'printf "A=1\nnonsense\n" >>\$RUN_MATRIX_ENV'}}
YAML
    run
    status_is 1
    out_has "line 2 of its \$RUN_MATRIX_ENV is neither NAME=value nor NAME<<END"
    out_has 'f failed'
}

# ---- daemons ----

test_every_way_to_be_ready() {
    daemon="scope: session, axes: [transport], needs: [addr], env: {URL: '\${{ fixtures.addr.url }}'}"
    while IFS='|' read -r ready words; do
        rm -f up
        file "{name: t, run: '$ask \$URL ping', fixtures: [kvd]}" <<YAML
strategy: {matrix: {transport: [tcp, uds]}}
fixtures:
  addr: {scope: session, axes: [transport], address: '\${{ matrix.transport }}'}
  kvd: {$daemon, daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', $words], ready: {$ready}}
YAML
        run
        status_is 0
        last_line_is '2 passed, 0 failed'
    done <<EOT
connect: '\${{ fixtures.addr }}'|silent
connect: '\${{ fixtures.addr.url }}'|silent
line: 'is listen.*'|line
notify: true|notify
file: '\${{ matrix.transport }}.up'|'file=\${{ matrix.transport }}.up'
command: '$ask \$URL ping'|silent
EOT
}

test_listeners_are_handed_over() {
    file "{name: t, run: '$ask \$URL ping', fixtures: [kvd]}" <<YAML
strategy: {matrix: {transport: [tcp, uds]}}
fixtures:
  addr: {scope: cell, address: '\${{ matrix.transport }}'}
  kvd: {scope: cell, needs: [addr], daemon: [$kvd, fd], pass: fd, env: {URL: '\${{ fixtures.addr.url }}'}}
YAML
    run
    status_is 0
    last_line_is '2 passed, 0 failed'
}

test_a_case_has_a_daemon_of_its_own() {
    file "{name: t, run: '$ask \$URL ping; $ask \$URL exit=0; true', fixtures: [kvd], matrix: {n: [$(seq -s, 20)]}}" <<YAML
strategy: {matrix: {transport: [tcp, uds]}}
fixtures:
  addr: {address: '\${{ matrix.transport }}'}
  kvd:
    needs: [addr]
    daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', $token]
    ready: {connect: '\${{ fixtures.addr }}'}
    env: {URL: '\${{ fixtures.addr.url }}'}
YAML
    run -n 4
    status_is 1
    # Each was ended by its own case, and that is what is said of it.
    last_line_is '0 passed, 40 failed'
    out_has 'kvd ended with exit status 0 '
    out_has 'ago; its last words: kvd leaves'
    sed -i 's/; .* exit=0; true//' run-matrix.yaml
    run -n 4
    status_is 0
    last_line_is '40 passed, 0 failed'
    nobody_is_left
}

test_reg_addr_is_there_for_every_case() {
    file '{name: t, run: [sh, -c, "echo $RUN_MATRIX_REG_ADDR ${{ fixtures.reg_addr.url }}"]}' \
        "{name: d, fixtures: [kvd], run: '$ask \$RUN_MATRIX_REG_ADDR ping'}" <<YAML
strategy: {matrix: {transport: [tcp, uds]}}
fixtures:
  kvd: {needs: [reg_addr], daemon: [$kvd, serve, '\${{ fixtures.reg_addr.url }}'], ready: {connect: '\${{ fixtures.reg_addr }}'}}
YAML
    run
    status_is 0
    run show t
    grep -Eq '^ *\| (tcp://127.0.0.1:[0-9]+) \1$' "$scratch/out" || fail 'no port'
    grep -Eq '^ *\| (unix:///[^ ]*) \1$' "$scratch/out" || fail 'no socket'
}

test_what_a_command_leaves_running_belongs_to_it() {
    file "{name: t, run: '$ask \$URL ping', fixtures: [kvd]}" <<YAML
strategy: {matrix: {n: [1, 2]}}
fixtures:
  addr: {scope: session, address: tcp}
  kvd:
    scope: session
    needs: [addr]
    run: |
      python3 $root/tests/e2e/kvd.py serve \${{ fixtures.addr.url }} line $token >up &
      until grep -q listening up; do sleep 0.01; done
    env: {URL: '\${{ fixtures.addr.url }}'}
YAML
    run
    status_is 0
    last_line_is '2 passed, 0 failed'
    nobody_is_left
}

test_no_two_have_the_same_address() {
    file "{name: t, fixtures: [kvd], matrix: {n: [$(seq -s, 60)]}, run: 'echo \$URL >>urls; $ask \$URL ping'}" <<YAML
fixtures:
  addr: {address: tcp}
  kvd: {needs: [addr], daemon: [$kvd, serve, '\${{ fixtures.addr.url }}'], ready: {connect: '\${{ fixtures.addr }}'}, env: {URL: '\${{ fixtures.addr.url }}'}}
YAML
    mkdir other
    sed "s,urls,$PWD/urls," run-matrix.yaml >other/run-matrix.yaml
    (cd other && "$program" -n 4 >../other.out 2>&1 </dev/null; echo "exit status $?" >>../other.out) &
    run -n 4
    wait $!
    status_is 0
    grep -q 'exit status 0' other.out || fail "the other: $(tail -n 3 other.out)"
    is "$(lines urls)" 120
}

# ---- failures, each with its sentence ----

failing() { # KEYS OF THE FIXTURE
    file '{name: t, run: [true], fixtures: [f]}' '{name: u, run: [true], fixtures: [g]}' '{name: free, run: [true]}' <<YAML
fixtures:
  addr: {scope: session, address: tcp}
  f: {scope: session, needs: [addr], $1}
  g: {scope: session, needs: [f], run: [true]}
YAML
    run
    status_is 1
    last_line_is '1 passed, 1 failed'
    out_has 'not run: 2'
    out_has 'f failed'
    is "$(records '"verdict":"error"')" 1
    out_has 'run --id t'
    run report --format junit
    xmllint --noout --schema "$root/tests/data/junit/jenkins-junit.xsd" "$scratch/out" 2>/dev/null ||
        xmllint --noout "$scratch/out" || fail 'no XML'
    run show fixture:f
    nobody_is_left
}

test_a_command_that_fails() {
    failing 'run: "echo it went wrong >&2; exit 3"'
    out_has "fixture 'f' could not be made: its command ended with exit status 3; its last words: it went wrong"
    failing 'run: [no-such-program]'
    out_has "no program 'no-such-program' on the PATH"
    failing 'run: [sleep, "1000"], timeout: 200ms'
    out_has "fixture 'f' was not made within 200ms; raise 'timeout' at run-matrix.yaml:3:"
}

test_a_daemon_that_is_never_ready() {
    failing "daemon: 'echo kvd thinks about it; exec $kid hang $token', ready: {connect: '\${{ fixtures.addr }}', within: 2s}"
    out_has "fixture 'f' was not ready within 2s: tried to connect to tcp://127.0.0.1:"
    out_has 'times: Connection refused'
    out_has "raise 'within' at run-matrix.yaml:3:"
    out_has 'its last words: ready'
    failing "daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', silent, $token], ready: {line: ready to go, within: 600ms}"
    out_has 'looked for a line that matches ready to go'
    failing "daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', silent, $token], ready: {file: up, within: 600ms}"
    out_has 'times: No such file or directory'
    failing "daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', silent, $token], ready: {notify: true, within: 600ms}"
    out_has 'waited for READY=1'
    failing "daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', silent, $token], ready: {command: 'exit 4', within: 600ms}"
    out_has 'times, and ended with exit status 4'
}

test_a_daemon_that_dies_in_boot() {
    failing "daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', boot=5], ready: {connect: '\${{ fixtures.addr }}'}"
    out_has "fixture 'f' ended with exit status 5 before it was ready; its last words: kvd does not like it here"
    failing 'daemon: "kill -SEGV $$", ready: {line: x}'
    out_has "fixture 'f' died (SIGSEGV) before it was ready"
    failing "daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', daemonize, silent, $token], ready: {line: x}"
    out_has 'does it go into the background?'
}

test_an_address_that_is_taken() {
    file '{name: t, run: [true], fixtures: [kvd]}' <<YAML
fixtures:
  addr: {scope: session, address: tcp}
  squatter:
    scope: session
    needs: [addr]
    daemon: [$kvd, serve, '\${{ fixtures.addr.url }}']
    ready: {connect: '\${{ fixtures.addr }}'}
  kvd:
    scope: session
    needs: [squatter, addr]
    daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', line]
    ready: {line: listening}
YAML
    run
    status_is 1
    out_has 'Address already in use'
    out_has 'is taken by somebody else'
}

test_needs_in_a_circle() {
    file '{name: t, run: [true], fixtures: [a]}' <<YAML
fixtures:
  a: {needs: [b], run: [true]}
  b: {needs: [a], run: [true]}
YAML
    run
    status_is 4
    err_has 'fixtures need each other in a circle: a needs b needs a'
}

test_a_daemon_that_dies_in_use_ends_its_users() {
    file "{name: t, run: '$ask \$URL die; sleep 1000', fixtures: [kvd]}" \
        "{name: u, run: '$ask \$URL ping', fixtures: [kvd]}" <<YAML
fixtures:
  addr: {scope: session, address: tcp}
  kvd:
    scope: session
    needs: [addr]
    daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', $token]
    ready: {connect: '\${{ fixtures.addr }}'}
    env: {URL: '\${{ fixtures.addr.url }}'}
YAML
    run -n 1
    status_is 1
    last_line_is '1 passed, 1 failed'
    out_has 'kvd died (SIGSEGV) '
    out_has 'ago; its last words: kvd dies'
    # Whoever ends by himself as it dies is told the same, not his own exit status.
    sed -i 's/; sleep 1000/; exit 1/' run-matrix.yaml
    run -n 1
    last_line_is '1 passed, 1 failed'
    out_has 'ago; its last words: kvd dies'
    nobody_is_left
}

# What it had open is closed before anybody is told of its end: its client may well be the first to know.
test_whoever_fails_with_its_daemon_is_told_why() {
    file "{name: t, matrix: {n: [$(seq -s, 30)]}, run: 'exec 3<>/dev/tcp/127.0.0.1/\$PORT; echo die >&3; read -r answer <&3', fixtures: [kvd]}" <<YAML
fixtures:
  addr: {address: tcp}
  kvd:
    needs: [addr]
    daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', $token, crowd]
    ready: {connect: '\${{ fixtures.addr }}'}
    env: {PORT: '\${{ fixtures.addr.port }}'}
YAML
    run -n 4 --report json=report.json
    is "$(grep -c '"verdict":"error","reason":"kvd died (SIGSEGV)' report.json)" 30
    nobody_is_left
}

test_a_daemon_that_dies_again_and_again_is_given_up() {
    file '{name: t, run: [true], fixtures: [f]}' <<YAML
fixtures: {f: {scope: session, daemon: 'echo up; exit 1', ready: {line: up}}}
YAML
    run
    status_is 1
    [ ! -e .run-matrix/latest/fixtures/f/4 ] || fail 'it was made too often'
    nobody_is_left
}

test_a_daemon_that_hangs_in_stop_is_killed() {
    file '{name: t, run: [true], fixtures: [f]}' <<YAML
fixtures:
  addr: {scope: session, address: tcp}
  f:
    scope: session
    needs: [addr]
    daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', stubborn, $token]
    ready: {connect: '\${{ fixtures.addr }}'}
    stop: [TERM 200ms, KILL]
YAML
    run
    status_is 0
    out_has "fixture 'f' did not end by SIGTERM, and was killed"
    nobody_is_left
}

test_a_tear_down_that_fails() {
    file '{name: t, run: [true], fixtures: [f]}' <<YAML
fixtures: {f: {scope: session, run: [true], teardown: 'echo no way >&2; exit 7'}}
YAML
    run
    status_is 1
    last_line_is '1 passed, 1 failed'
    out_has "the tear-down of fixture 'f' ended with exit status 7; its last words: no way"
    sed -i 's/teardown.*exit 7./timeout: 300ms, teardown: [sleep, "1000"]/' run-matrix.yaml
    run
    status_is 1
    out_has "the tear-down of fixture 'f' took more than 300ms"
    # That of a case's own is the case's.
    sed -i 's/scope: session, //' run-matrix.yaml
    run
    status_is 1
    last_line_is '0 passed, 1 failed'
    out_has "the tear-down of fixture 'f' took more than 300ms"
}

test_the_tear_down_always_runs() {
    tests="{name: t, fixtures: [f], timeout: 200ms, stop: [KILL], run: [$kid, stubborn, $token]}"
    file "$tests" <<YAML
fixtures: {f: {run: [true], teardown: 'echo undone >>log'}}
YAML
    run
    status_is 1
    out_has 'timed out'
    is "$(lines log)" 1
    sed -i 's/run: \[true\]/run: [false]/' run-matrix.yaml
    run
    status_is 1
    is "$(lines log)" 2
    nobody_is_left
}

test_a_tear_down_knows_what_was_said() {
    file '{name: t, fixtures: [f], run: [true]}' <<YAML
fixtures:
  f:
    run: |
      echo made=here >>\$RUN_MATRIX_ENV
      echo PATH=/nowhere:\$PATH >>\$RUN_MATRIX_ENV
    env: {made: nowhere, kept: yes}
    teardown: 'echo \$made \$kept \${PATH%%:*} >>log'
YAML
    run
    status_is 0
    echo '      exit 1' >"$scratch/failure"
    sed -i "/PATH=/r $scratch/failure" run-matrix.yaml
    run
    status_is 1
    is "$(cat log)" 'here yes /nowhere
here yes /nowhere'
}

# ---- the end of a run ----

long_daemon() { # SCOPE
    file "{name: t, fixtures: [kvd], run: [$kid, hang, $token]}" <<YAML
fixtures:
  addr: {scope: $1, address: tcp}
  kvd:
    scope: $1
    needs: [addr]
    daemon: [$kvd, serve, '\${{ fixtures.addr.url }}', $token]
    ready: {connect: '\${{ fixtures.addr }}'}
  undo: {scope: $1, needs: [kvd], run: 'echo made >>log', teardown: 'echo undone >>log'}
YAML
    sed -i 's/fixtures: \[kvd\], run/fixtures: [kvd, undo], run/' run-matrix.yaml
}

test_a_cancel_undoes_them_after_their_users() {
    for scope in session case; do
        rm -rf log .run-matrix
        long_daemon "$scope"
        start -vv
        await "$scratch/out" 'START              t'
        kill -INT "$runner"
        finish
        status_is 2
        is "$(cat log)" 'made
undone'
        last_line_is '0 passed, 0 failed'
        nobody_is_left
    done
}

test_a_cancel_while_they_are_made() {
    for scope in session case; do
        rm -rf .run-matrix made
        file '{name: t, fixtures: [f], run: [true]}' <<YAML
fixtures: {f: {scope: $scope, run: 'touch made; exec $kid hang $token'}}
YAML
        start -v
        await_file made
        kill -INT "$runner"
        finish
        status_is 2
        last_line_is '0 passed, 0 failed'
        out_has 'not run: 1'
        nobody_is_left
    done
}

test_somebody_who_asks_is_told_of_them() {
    file '{name: t, fixtures: [f], run: [true]}' <<YAML
fixtures: {f: {scope: session, run: 'echo step 1; touch made; exec $kid hang $token', timeout: 20s}}
YAML
    start -v
    await_file made
    kill -USR1 "$runner"
    await "$scratch/out" 'being made'
    out_has fixture:f
    out_has 'fixtures/f/stdout'
    kill -INT "$runner"
    finish
    nobody_is_left
}

test_a_third_signal_kills_them_too() {
    file "{name: t, fixtures: [f], run: [$kid, stubborn, $token]}" <<YAML
fixtures: {f: {scope: session, daemon: [$kid, stubborn, $token], stop: [TERM 1000s, KILL]}}
YAML
    start -vv
    await "$scratch/out" 'START              t'
    kill -INT "$runner"
    await "$scratch/out" ENDING
    kill -TERM "$runner"
    await "$scratch/out" 'sending TERM' # two that come at once are one
    kill -TERM "$runner"
    finish
    status_is 2
    nobody_is_left
}

test_the_session_deadline_undoes_them() {
    long_daemon session
    run --session-timeout 1s
    status_is 1
    is "$(cat log)" 'made
undone'
    nobody_is_left
}

test_a_killed_runner_leaves_none() {
    long_daemon session
    start -vv
    await "$scratch/out" 'START              t'
    kill -KILL "$runner"
    finish
    nobody_is_left
}

test_under_every_containment() {
    for contain in cgroup pidns group; do
        rm -rf log
        long_daemon session
        sed -i "s/run: .*hang.*}/run: [true]}/" run-matrix.yaml
        run --contain "$contain"
        [ "$status" = 4 ] && continue
        status_is 0
        is "$(cat log)" 'made
undone'
        nobody_is_left
    done
}

# ---- what stands on what ----

# A file `die` ends the daemon.
mortal='while [ ! -e die ]; do sleep 0.02; done; rm die; exit 3'

test_what_stands_on_a_dead_one_is_made_anew() {
    file "{name: t, run: 'touch die; sleep 1000', fixtures: [kvd]}" '{name: u, run: [true], fixtures: [kvd]}' <<YAML
fixtures:
  addr: {scope: session, address: tcp}
  config: {scope: session, needs: [addr], run: 'echo \${{ fixtures.addr.port }} >>log'}
  kvd: {scope: session, needs: [addr, config], daemon: '$mortal'}
YAML
    run -n 1
    status_is 1
    last_line_is '1 passed, 1 failed'
    # The address is another one, so what was made for the first is made for it.
    [ "$(sort -u log | wc -l)" = 2 ] || { show out; cat log; fail 'it is not made anew for another address'; }
}

# It is known to be dead when its user is told; he keeps it until the place beside him is free, and known to be.
test_who_waits_for_a_dead_one_gets_the_next() {
    file "{name: t, run: 'trap \"touch known; while kill -0 \\\$(cat h); do sleep 0.02; done; exit 1\" INT; touch die; while :; do sleep 0.02; done', fixtures: [kvd]}" \
        "{name: h, run: 'echo \$\$ >h; until [ -e known ]; do sleep 0.02; done'}" '{name: u, run: [true], fixtures: [seed]}' <<YAML
fixtures:
  kvd: {scope: session, daemon: '$mortal'}
  seed: {scope: session, needs: [kvd], run: [true]}
YAML
    run -n 2
    status_is 1
    last_line_is '2 passed, 1 failed'
}

test_the_failure_of_what_stood_on_a_dead_one_is_not_its_own() {
    # Dead before it fails: a zombie, or reaped.
    alive='grep -q "^State:.[^ZX]" /proc/$(cat pid)/status 2>/dev/null'
    file '{name: a, run: [true], fixtures: [seed]}' <<YAML
fixtures:
  kvd: {scope: session, daemon: 'echo \$\$ >pid; echo up; $mortal', ready: {line: up}}
  seed: {scope: session, needs: [kvd], run: '[ -e once ] || { touch once die; while $alive; do :; done; exit 1; }'}
YAML
    run
    status_is 0
    last_line_is '1 passed, 0 failed'
}

test_what_is_being_ended_does_not_become_ready() {
    file '{name: t, run: [true], fixtures: [d]}' <<YAML
fixtures:
  d:
    scope: session
    daemon: 'trap "touch up; sleep 1; exit 0" TERM; while :; do sleep 0.02; done'
    ready: {file: up, within: 500ms}
YAML
    run
    status_is 1
    out_has "fixture 'd' was not ready within 500ms"
    last_line_is '0 passed, 1 failed'
}

test_a_file_that_was_there_before_says_nothing() {
    touch up
    file '{name: t, run: [true], fixtures: [d]}' <<YAML
fixtures: {d: {scope: session, daemon: [sleep, "1000"], ready: {file: up, within: 400ms}}}
YAML
    run
    status_is 1
    out_has 'it is that which was there before'
}

test_what_it_notifies_is_read_for_as_long_as_it_is_there() {
    file "{name: t, run: 'until [ -e done ]; do sleep 0.02; done', fixtures: [n]}" <<YAML
fixtures:
  n:
    scope: session
    daemon:
      - python3
      - -c
      - |
        import os, socket, time
        talk = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        talk.connect(os.environ["NOTIFY_SOCKET"])
        talk.send(b"READY=1")
        for i in range(1000):
            talk.send(b"STATUS=working")
        open("done", "w").close()
        time.sleep(1000)
    ready: {notify: true}
YAML
    run
    status_is 0
}

test_a_daemon_that_talks_does_not_stop_the_loop() {
    file '{name: t, run: [true], fixtures: [d]}' <<YAML
fixtures: {d: {scope: session, daemon: ['yes', "$(printf 'a%.0s' $(seq 40))"], ready: {line: '(a+)+b', within: 1000s}}}
YAML
    start -v
    await .run-matrix/latest/fixtures/d/stdout aaaa
    kill -INT "$runner"
    finish
    status_is 2
}

test_signals_hurry_a_tear_down() {
    file "{name: t, run: [true], fixtures: [f]}" <<YAML
fixtures: {f: {scope: session, run: [true], teardown: 'touch undoing; sleep 1000', timeout: 0}}
YAML
    start -v
    await_file undoing
    kill -INT "$runner"
    await "$scratch/out" 'again to hurry'
    kill -TERM "$runner"
    finish
    status_is 2
}

test_a_failed_fixture_counts_for_x() {
    file '{name: a, run: [true], fixtures: [f]}' \
        '{name: b, run: "until grep -q :.error .run-matrix/latest/journal.ndjson; do sleep 0.02; done"}' \
        '{name: c, run: [true]}' <<YAML
fixtures: {f: {scope: session, run: [false]}}
YAML
    run -n 1 -x
    status_is 1
    last_line_is '1 passed, 1 failed'
    out_has 'stopped after 1 failure'
}

test_what_speaks_of_others_is_not_evaluated_before_they_are_there() {
    file '{name: t, run: "test $Y = 7", fixtures: [f]}' <<YAML
fixtures:
  cfg: {scope: session, run: 'echo "A={\\"b\\": 7}" >>\$RUN_MATRIX_ENV'}
  f: {scope: session, needs: [cfg], run: [true], env: {Y: '\${{ fromJSON(fixtures.cfg.env.A).b }}'}}
YAML
    run
    status_is 0
}

test_a_start_that_fails_for_want_of_something_is_tried_again() {
    file '{name: t, run: [true], fixtures: [f]}' <<YAML
fixtures: {f: {scope: session, run: 'echo made >>log'}}
YAML
    RUN_MATRIX_FAULTS=clone=EAGAIN@1x3 run
    status_is 0
    is "$(lines log)" 1
    sed -i 's/scope: session, //' run-matrix.yaml
    RUN_MATRIX_FAULTS=clone=EAGAIN@2x1 run -n 1
    status_is 0
    last_line_is '1 passed, 0 failed'
}

test_few_descriptors_are_enough_for_fewer_slots() {
    file "{name: t, matrix: {n: [$(seq -s, 8)]}, run: [true], fixtures: [$(seq -s, -f f%g 10)]}" <<YAML
fixtures:
$(seq -f '  f%g: {run: [true], teardown: [true]}' 10)
YAML
    prlimit --nofile=1024:1024 "$program" -n 8 >out 2>&1 </dev/null || fail "$(cat out)"
    grep -q 'descriptors (ulimit -n) are enough for' out || fail "$(cat out)"
}

# ---- what is kept ----

test_their_output_is_kept() {
    file '{name: t, fixtures: [once, mine], run: [false]}' '{name: u, fixtures: [mine], run: [true]}' <<YAML
strategy: {matrix: {n: [1]}}
fixtures:
  once: {scope: session, axes: [n], run: 'echo once', teardown: 'echo over'}
  mine: {run: 'echo mine'}
YAML
    run
    status_is 1
    is "$(cat .run-matrix/latest/fixtures/once@n=1/stdout)" once
    is "$(cat .run-matrix/latest/fixtures/once@n=1/teardown-stdout)" over
    is "$(cat .run-matrix/latest/cases/t@n=1/1/fixtures/mine/stdout)" mine
    [ ! -e .run-matrix/latest/cases/u@n=1 ] || fail 'that of one that passed is kept'
}

test_what_it_leaves_is_told_and_removed() {
    needs_own_world
    file '{name: t, run: [true], fixtures: [f]}' <<YAML
fixtures: {f: {scope: session, run: 'python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"/tmp/$token\")"'}}
YAML
    run
    status_is 0
    out_has "was left behind by fixture 'f', and removed"
    [ ! -e "/tmp/$token" ] || { rm "/tmp/$token"; fail 'the socket is there'; }
}

# Beside others nobody can say whose it is; that it is of this run is known, and that nobody of it is there any more.
test_what_one_of_several_leaves_is_gone_after_the_run() {
    needs_own_world
    file '{name: t, run: [true], fixtures: [other, f]}' <<YAML
fixtures:
  other: {scope: session, daemon: [$kid, hang, $token]}
  f: {run: 'echo >/dev/shm/$token'}
YAML
    run
    status_is 0
    out_has 'was left behind while'
    [ ! -e "/dev/shm/$token" ] || { rm "/dev/shm/$token"; fail 'it is there'; }
}

test_an_isolated_case_cannot_reach_an_address() {
    file '{name: t, run: [true], isolate: [net], fixtures: [addr]}' <<YAML
fixtures: {addr: {address: tcp}}
YAML
    run
    out_has "'isolate: [net]' hides the address of its fixture 'addr'"
}

test_a_resumed_run_makes_them_anew() {
    file "{name: t, run: [$kid, hang, $token], fixtures: [f]}" '{name: u, run: [true], fixtures: [bad]}' <<YAML
fixtures:
  f: {scope: session, run: 'echo made >>log'}
  bad: {scope: session, run: [false]}
YAML
    start -vv -n 2
    await "$scratch/out" 'START              t'
    await "$scratch/out" ERROR
    kill -KILL "$runner"
    finish
    nobody_is_left
    sed -i 's/hang/exit, "0"/' run-matrix.yaml
    run --resume
    status_is 1
    is "$(lines log)" 2
    last_line_is '1 passed, 1 failed'
}

test_what_was_mended_before_a_run_is_resumed_is_no_failure() {
    file "{name: t, run: [$kid, hang, $token], fixtures: [f]}" '{name: u, run: [true], fixtures: [bad]}' <<YAML
fixtures:
  f: {scope: session, run: [true]}
  bad: {scope: session, run: 'test -e mended'}
YAML
    start -vv -n 2
    await "$scratch/out" 'START              t'
    await "$scratch/out" ERROR
    kill -KILL "$runner"
    finish
    nobody_is_left
    sed -i 's/hang/exit, "0"/' run-matrix.yaml
    touch mended
    run --resume
    out_has 'passed, 0 failed'
}

run_tests
