#!/bin/sh
# On a terminal: the live line, keys, Ctrl-C, and the terminal itself for a case.
. "$(dirname "$0")/lib.sh"

export TERM=xterm
here=$root/tests/e2e

on_terminal() { # WORD KEYS ARG...
    word=$1 keys=$2
    shift 2
    run_command python3 "$here/on_terminal.py" "$word" "$keys" "$program" "$@"
}

suite() { # LINE OF TESTS...
    {
        echo 'tests:'
        printf '  - %s\n' "$@"
    } >run-matrix.yaml
}

test_the_live_line_shows_how_far_it_is() {
    suite '{name: a, run: [sleep, "0.6"]}' '{name: b, run: ["true"]}'
    on_terminal '' ''
    status_is 0
    out_has '[1/2]'
    out_has '2 passed, 0 failed'
}

test_a_key_says_what_runs() {
    suite '{name: a, run: "echo the last words; while [ ! -e go ]; do sleep 0.1; done"}'
    (
        for _ in $(seq 300); do
            ! grep -q '"ev":"start"' .run-matrix/latest/journal.ndjson 2>/dev/null || break
            sleep 0.1
        done
        sleep 2
        touch go
    ) &
    on_terminal 'a 1s' t
    status_is 0
    out_has 'the last words'
}

test_ctrl_c_ends_the_run() {
    suite '{name: a, run: [sleep, "100"]}'
    on_terminal 'a 0s' '\x03'
    status_is 2
    out_has 'interrupted'
}

test_colours_and_none() {
    suite '{name: a, run: ["false"]}'
    on_terminal '' ''
    grep -q "$(printf '\033\\[1;31m')" "$scratch/out" || fail 'no colour'
    NO_COLOR=1 on_terminal '' ''
    ! grep -q "$(printf '\033\\[1;31m')" "$scratch/out" || fail 'a colour'
}

test_s_gives_the_terminal_and_takes_it_back_as_it_was() {
    on_terminal '' '' exec -s -- sh -c 'exec </dev/tty; echo "it is $(tty)"; stty raw -echo'
    status_is 0
    out_has 'it is /dev/'
    # A terminal that was left raw would not turn this newline into two characters.
    out_has "$(printf '1 passed, 0 failed\r')"
}

test_s_takes_keys() {
    on_terminal 'say' 'hello\n' exec -s -- sh -c 'echo say; read -r word; echo "you said $word"'
    status_is 0
    out_has 'you said hello'
}

test_ctrl_c_with_s_is_a_cancel() {
    on_terminal 'up' '\x03' exec -s -- sh -c 'echo up; exec sleep 100'
    status_is 2
    out_lacks CRASH
}

run_tests
