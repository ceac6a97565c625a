#!/bin/bash
# Three processes that look like one: statuses, signals and stops of the one that is seen, whoever of them is killed.
. "$(dirname "$0")/lib.sh"

# The case and all below it hold a lock for as long as they live; what number they have is their own matter.
up='exec 9>alive; flock 9; echo >up'

waits() {
    rm -f up go
    suite "{name: a, timeout: 5m, leaks: ignore, run: '$up; while [ ! -e go ]; do sleep 0.1; done'}"
}

# Starts it, and waits until the case is there: $runner is who is seen.
running() { # ARG...
    start "$@"
    await up ''
}

the_case_is_gone() { flock -w 60 alive true || fail 'the case lives'; }

# By the record of what the run holds.
who() { # guard|runner|keeper
    sed 's/.*"'"$1"'":{"pid":\([0-9]*\).*/\1/' .run-matrix/latest/held.json
}

state_of() { # PID; "none" when it is dead
    sed 's/.*) \(.\).*/\1/; s/[ZX]/none/' "/proc/$1/stat" 2>/dev/null || echo none
}

comes_to() { # PID STATE
    for _ in $(seq 300); do
        [ "$(state_of "$1")" != "$2" ] || return 0
        sleep 0.1
    done
    fail "$1 is $(state_of "$1"), not $2"
}

remember() {
    crew="$(who guard) $(who runner) $(who keeper)"
    is "$(echo "$crew" | wc -w)" 3
}

all_are_gone() {
    for member in $crew; do
        comes_to "$member" none
    done
    the_case_is_gone
}

# The runner's child that is a shell.
the_case() {
    tr ' ' '\n' <"/proc/$(who runner)/task/$(who runner)/children" | while read -r child; do
        ! grep -qx bash "/proc/$child/comm" 2>/dev/null || echo "$child"
    done
}

nothing_is_held() { [ ! -e .run-matrix/latest/held.json ] || fail 'the record of what is held is still there'; }

test_who_is_seen_is_the_guard() {
    waits
    running
    is "$(who guard)" "$runner"
    is "$(cat "/proc/$(who runner)/comm") $(cat "/proc/$(who keeper)/comm")" 'run-matrix rm-keeper'
    remember
    touch go
    finish
    status_is 0
    all_are_gone
    nothing_is_held
}

test_statuses() {
    for pair in 0:0 1:1 77:0 99:1; do
        suite "{name: a, leaks: ignore, run: 'exit ${pair%:*}'}"
        run
        status_is "${pair#*:}"
    done
    suite '{name: a, run: }'
    run
    status_is 4
}

test_signals_to_the_one_that_is_seen() {
    for signal in INT TERM HUP QUIT; do
        waits
        running
        remember
        kill "-$signal" "$runner"
        finish
        status_is 2
        out_has "interrupted: SIG$signal"
        is "$(records '"ev":"cancel"')" 1
        all_are_gone
        nothing_is_held
    done
}

test_signals_to_the_group_count_once() {
    suite "{name: a, timeout: 5m, leaks: ignore, stop: [INT 60s, KILL], run: '$up; exec $kid slow-int 500'}"
    set -m
    running
    set +m
    kill -INT "-$runner"
    finish
    status_is 2
    out_has 'SIGINT: starting nothing more'
    out_lacks 'sending'
}

test_the_second_and_the_third() {
    suite "{name: a, timeout: 5m, leaks: ignore, stop: [INT 60s, TERM 60s, KILL], run: 'trap \"\" INT TERM; $up; sleep 300'}"
    running
    kill -INT "$runner"
    await "$scratch/out" 'ending what runs'
    kill -INT "$runner"
    await "$scratch/out" 'sending TERM'
    kill -INT "$runner"
    finish
    status_is 2
    out_has 'sending KILL'
}

test_usr1_says_what_runs() {
    waits
    running
    kill -USR1 "$runner"
    await "$scratch/out" 'a '
    touch go
    finish
    status_is 0
}

test_stop_and_continue() {
    waits
    start_job
    await up ''
    for _ in 1 2 3; do
        kill -TSTP "$runner"
        comes_to "$runner" T
        comes_to "$(who runner)" T
        comes_to "$(the_case)" T
        kill -CONT "$runner"
        comes_to "$(the_case)" S
        comes_to "$(who runner)" S
    done
    touch go
    finish
    status_is 0
}

test_the_runner_is_killed() {
    for signal in KILL SYS; do # of others a sanitizer makes a status
        waits
        running
        remember
        kill "-$signal" "$(who runner)"
        finish
        status_is $((128 + $(kill -l "$signal")))
        all_are_gone
        nothing_is_held
    done
}

test_the_guard_is_killed() {
    waits
    running
    remember
    kill -KILL "$runner"
    finish
    status_is 137
    all_are_gone
    nothing_is_held
}

# In a session of its own it was an orphan before, and the kernel continues nobody for its sake.
test_the_guard_is_killed_while_it_is_stopped() {
    waits
    ran=setsid
    setsid env --default-signal=INT,QUIT "$program" >"$scratch/out" 2>"$scratch/err" </dev/null &
    runner=$!
    await up ''
    remember
    kill -STOP "$runner"
    comes_to "$(who runner)" T
    kill -KILL "$runner"
    finish
    status_is 137
    all_are_gone
    nothing_is_held
}

# Nobody reads the pipe, and after this it takes nothing more.
fill() {
    ! dd if=/dev/zero of=pipe bs=4096 oflag=nonblock 2>/dev/null || fail 'the pipe takes all'
}

open_pipe() {
    mkfifo pipe
    exec 8<>pipe
}

start_into_pipe() { # ARG...
    ran="$program $*"
    "$program" "$@" >pipe 2>"$scratch/err" </dev/null 8>&- &
    runner=$!
    await up ''
    remember
}

test_the_guard_is_killed_while_the_output_is_blocked() {
    suite "{name: a, leaks: ignore, run: 'while [ ! -e go ]; do sleep 0.1; done; exit 1'}" \
        "{name: b, timeout: 5m, leaks: ignore, run: '$up; sleep 300'}"
    open_pipe
    start_into_pipe -n 2
    fill
    touch go
    await .run-matrix/latest/journal.ndjson '"ev":"end"' # is to be told next
    kill -KILL "$(who keeper)" "$runner"                 # who would wake the runner
    finish
    status_is 137
    all_are_gone
    nothing_is_held
}

test_the_guard_is_killed_while_a_report_is_blocked() {
    waits
    open_pipe
    start_into_pipe --report json=-
    fill
    touch go
    await .run-matrix/latest/journal.ndjson '"ev":"finish"'
    kill -KILL "$runner"
    finish
    status_is 137
    all_are_gone
    nothing_is_held
}

# What is on disk is written, and what nobody takes is not waited for.
test_the_guard_is_killed_before_a_report_is_blocked() {
    waits
    open_pipe
    start_into_pipe --junit-xml j.xml --report json=-
    fill
    kill -KILL "$runner"
    finish
    status_is 137
    all_are_gone
    nothing_is_held
    [ -s j.xml ] || fail 'there is no report'
}

test_both_are_killed() {
    waits
    running
    remember
    keeper=$(who keeper) # its record goes with it
    kill -KILL "$runner" "$(who runner)"
    finish
    status_is 137
    comes_to "$keeper" none
    "$program" reap >/dev/null 2>&1 || :
    all_are_gone
}

test_the_keeper_is_killed() {
    waits
    running
    kill -KILL "$(who keeper)"
    touch go
    finish
    status_is 0
    nothing_is_held
}

test_timeout() {
    waits
    run_command timeout 2 "$program"
    status_is 124
    out_has 'interrupted: SIGTERM'
    flock -n alive true || fail 'the case lives'
}

test_timeout_that_kills() {
    waits
    timeout -s KILL 10 "$program" >"$scratch/out" 2>"$scratch/err" </dev/null &
    runner=$! ran=timeout
    await up ''
    remember
    finish
    status_is 137
    all_are_gone
}

test_nohup() {
    waits
    env --ignore-signal=HUP --default-signal=INT,QUIT "$program" >"$scratch/out" 2>"$scratch/err" </dev/null &
    runner=$! ran=nohup
    await up ''
    kill -HUP "$runner"
    kill -USR1 "$runner" # is taken after it
    await "$scratch/out" 'a '
    touch go
    finish
    status_is 0
}

test_a_leader_of_a_session() {
    suite '{name: a, leaks: ignore, run: "exit 1"}'
    run_command setsid -w "$program"
    status_is 1
}

test_a_pipeline_ends() {
    suite '{name: a, leaks: ignore, run: ["true"]}'
    is "$("$program" 2>&1 | tail -n 1)" '1 passed, 0 failed'
}

test_a_pipeline_of_a_killed_run_ends() {
    waits
    { "$program" 2>&1 </dev/null || echo "status $?"; } | cat >"$scratch/out" &
    await up ''
    kill -KILL "$(who runner)"
    wait "$!"
    ran=pipeline
    out_has 'status 137'
}

test_children_that_we_had_before() {
    waits
    bash -c 'sleep 300 & echo $! >before; exec "$0"' "$program" >"$scratch/out" 2>"$scratch/err" </dev/null &
    runner=$!
    await up ''
    kill -KILL "$(who runner)"
    finish
    status_is 137
    kill "$(cat before)" || fail 'who was there before us has been killed'
}

# Before there is a guard we are the one who was executed, and our children are not of the run.
test_children_that_we_had_before_a_mistake() {
    suite '{name: a, run: ["true"]}'
    run_command sh -c 'sleep 300 & echo $! >child; exec "$0" run -n none' "$program"
    status_is 4
    kill -KILL "$(cat child)" || fail 'it was ended'
}

test_the_first_process_of_a_container() {
    unshare -Urpf --mount-proc true 2>/dev/null || skip 'no PID namespace to be had'
    for pair in 'exit 1:1' 'kill -KILL $(sed s/[^0-9].*// /proc/1/task/1/children):137' 'kill -TERM 1; sleep 100:2' \
        'kill -TSTP 1; sleep 1:0'; do
        suite "{name: a, leaks: ignore, run: '${pair%:*}'}"
        run_command unshare -Urpf --mount-proc "$program" --contain=group
        status_is "${pair##*:}"
    done
}

test_below_a_subreaper() {
    suite '{name: a, leaks: ignore, run: ["true"]}'
    run_command python3 -c '
import ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
status = subprocess.run(sys.argv[1:]).returncode
try:
    os.waitpid(-1, os.WNOHANG)
    sys.exit("somebody fell to us")
except ChildProcessError:
    sys.exit(status)' "$program"
    status_is 0
}

run_tests
