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
        await "$scratch/out" 'the last words'
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

# ---- job control, as an interactive bash does it ----

in_bash() { # WORD KEYS [--then WORD KEYS]...; the prompt is "ready>"
    echo "PS1='ready>' HISTFILE=" >"$scratch/rc"
    run_command python3 "$here/on_terminal.py" "$@" \
        env --default-signal=INT,QUIT,TSTP,TTIN,TTOU bash --noprofile --rcfile "$scratch/rc" --noediting -i
}

waits() {
    suite '{name: a, timeout: 5m, leaks: ignore, run: "while [ ! -e go ]; do sleep 0.1; done"}'
}

test_ctrl_z_and_fg() {
    waits
    in_bash 'ready>' "$program; echo status=\$?\n" \
        --then 'a 0s' '\x1a' --then 'status=1' 'jobs; echo "that is all"\n' --then 'Stopped' '' \
        --then 'that is all' 'touch go; fg; echo status=$?\n' --then 'status=0' 'exit\n'
    out_has 'Stopped'
    out_has '1 passed, 0 failed'
}

test_ctrl_z_fg_and_ctrl_c() {
    waits
    in_bash 'ready>' "$program\n" --then 'a 0s' '\x1a' --then 'Stopped' '' --then 'ready>' 'fg; echo status=$?\n' \
        --then 'run-matrix' '' --then 'a ' '\x03' --then 'status=2' 'exit\n'
    out_has 'interrupted: SIGINT'
    out_has 'status=2'
}

# Nobody could continue it: as of any program then, the kernel would take no notice.
test_ctrl_z_where_there_is_no_shell() {
    waits
    run_command python3 "$here/on_terminal.py" 'a 0s' '\x1a' --then 'a ' '\x03' "$program"
    status_is 2
    out_has 'interrupted: SIGINT'
}

test_ctrl_z_again_and_again() {
    waits
    in_bash 'ready>' "$program\n" --then 'a 0s' '\x1a' --then 'ready>' 'fg\n' --then 'a ' '\x1a' \
        --then 'ready>' 'fg\n' --then 'a ' '\x1a' --then 'ready>' 'touch go; fg; echo status=$?\n' \
        --then 'status=0' 'exit\n'
    out_has '1 passed, 0 failed'
}

test_bg() {
    waits
    in_bash 'ready>' "$program\n" --then 'a 0s' '\x1a' --then 'ready>' 'bg; jobs; touch go; wait %1; echo status=$?\n' \
        --then 'status=0' 'exit\n'
    out_has 'Running'
    out_has '1 passed, 0 failed'
}

test_kill_of_a_stopped_job() {
    waits
    in_bash 'ready>' "$program\n" --then 'a 0s' '\x1a' --then 'ready>' 'kill %1; while jobs >j; [ -s j ]; do cp j last; sleep 0.1; done; cat last\n' --then 'Exit 2' 'exit\n'
    out_has 'interrupted: SIGTERM'
    out_has 'Exit 2'
}

# By its guard, which has the terminal too. With -s it is the case that has changed the modes.
test_a_killed_run_gives_the_terminal_back() {
    waits
    cat >script <<'EOF'
stty -g >before
exec 3<&0
"$@" <&3 &
until [ -e up ]; do sleep 0.1; done
stty -g >during
kill -KILL $(sed 's/.*"runner":{"pid":\([0-9]*\).*/\1/' .run-matrix/latest/held.json)
wait "$!"
stty -g >after
EOF
    for args in run 'exec -s --'; do
        rm -f up
        suite '{name: a, timeout: 5m, leaks: ignore, run: ">up; sleep 300"}'
        [ "$args" = run ] || set -- sh -c 'stty raw -echo; >up; exec sleep 300'
        # shellcheck disable=SC2086 # words
        run_command python3 "$here/on_terminal.py" '' '' sh script "$program" $args "$@"
        is "$(cat before)" "$(cat after)"
        [ "$(cat before)" != "$(cat during)" ] || fail 'its modes were never changed'
    done
}

test_the_terminal_goes_away() {
    waits
    on_terminal 'a 0s' 'hang up'
    status_is 2
    is "$(records '"ev":"cancel"')" 1
}

run_tests
