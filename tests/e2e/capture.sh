#!/bin/sh
# Where the output of a case goes: files, pipes and terminals of its own. Whatever stands between, nothing is lost.
. "$(dirname "$0")/lib.sh"
own_world

in_cells() { # CAPTURES, LINE OF TESTS...
    echo "strategy: {matrix: {capture: [$1]}}" >cells
    shift
    suite "$@"
    cat cells >>run-matrix.yaml
}

verdict_is() { is "$1: $(told "$1" 'case["verdict"]')" "$1: $2"; }
sizes_are() { is "$1: $(told "$1" '{output["name"]: output["size"] for output in last["outputs"]}')" "$1: $2"; }

kept() { # ID NAME; of a failure
    echo ".run-matrix/latest/cases/$1/1/$2"
}

test_all_of_them() {
    in_cells "fd, merged, discard, 'no', pipe, pty" "{name: a, run: 'echo to-out; echo to-err >&2; echo out-again; exit 1'}"
    run
    status_is 1
    out_has to-out
    for mode in fd no pipe; do
        is "$(cat "$(kept "a@capture=$mode" stdout)")" "$(printf 'to-out\nout-again')"
        is "$(cat "$(kept "a@capture=$mode" stderr)")" to-err
    done
    for mode in merged pty; do
        is "$(cat "$(kept "a@capture=$mode" output)")" "$(printf 'to-out\nto-err\nout-again')"
    done
    sizes_are 'a@capture=discard' '{}'
    is "$(grep -c to-out "$scratch/out")" 6 # as it comes with `no`, and in the summary of all but `discard`
}

test_what_a_case_sees() {
    in_cells 'fd, pipe, pty' "{name: a, run: 'for fd in 0 1 2; do if test -t \$fd; then echo \$fd tty; elif test -p /dev/fd/\$fd; then echo \$fd pipe; else echo \$fd other; fi; done; cat; ls /proc/self/fd | wc -l; exit 1'}"
    run
    # The last number: 0, 1, 2 and what ls reads.
    is "$(tr '\n' ' ' <"$(kept a@capture=fd stdout)")" '0 other 1 other 2 other 4 '
    is "$(tr '\n' ' ' <"$(kept a@capture=pipe stdout)")" '0 other 1 pipe 2 pipe 4 '
    is "$(tr '\n' ' ' <"$(kept a@capture=pty output)")" '0 other 1 tty 2 tty 4 '
}

# The same size wherever we run, and the one of its session: what goes there comes where all goes.
test_a_terminal_of_its_own() {
    in_cells pty "{name: a, run: 'stty size </dev/tty; echo told >/dev/tty; ps -o tpgid= -p \$\$ | tr -d \" \" | grep -qx \$\$ && echo in front; exit 1'}"
    for columns in '' 40; do
        if [ "$columns" ]; then
            TERM=xterm run_command python3 "$root/tests/e2e/on_terminal.py" '' '' sh -c "stty cols $columns rows 10; exec '$program'"
        else
            run
        fi
        is "$(cat "$(kept a@capture=pty output)")" "$(printf '24 80\ntold\nin front')"
    done
}

test_it_is_kept_as_it_was_written() {
    in_cells 'fd, pipe, pty' "{name: a, run: '$kid garbage 2>/dev/null; printf \"a\\nb\\r\\n\\tc\\r\\004\\003\"; exit 1'}"
    run
    cmp "$(kept a@capture=fd stdout)" "$(kept a@capture=pipe stdout)" || fail 'a pipe changes it'
    cmp "$(kept a@capture=fd stdout)" "$(kept a@capture=pty output)" || fail 'a terminal changes it'
}

test_other_modes_of_the_terminal_are_the_programs_own() {
    in_cells pty "{name: a, run: 'stty opost onlcr <&1; echo x; exit 1'}"
    run
    is "$(od -An -c "$(kept a@capture=pty output)" | tr -s ' ')" ' x \r \n'
}

# Written as quickly as it can be, and then its process has ended.
test_nothing_is_lost() {
    in_cells 'pipe, pty' "{name: a, matrix: {n: [$(seq -s, 20)]}, run: [$kid, flood, '1500000']}" \
        "{name: both, run: '$kid flood 700000 stderr & $kid flood 700000; wait'}"
    run -n 8
    status_is 0
    "$kid" flood 1500000 >wanted
    for n in $(seq 20); do
        cmp wanted ".run-matrix/latest/passed/a@capture=pipe,n=$n/1/stdout" || fail "a pipe: $n"
        cmp wanted ".run-matrix/latest/passed/a@capture=pty,n=$n/1/output" || fail "a terminal: $n"
    done
    sizes_are both@capture=pipe "{'stdout': 700000, 'stderr': 700000}"
    sizes_are both@capture=pty "{'output': 1400000}"
}

# The control: where nobody reads, a program hangs as soon as the pipe is full.
test_who_is_not_read_hangs() {
    in_cells 'fd, pipe, pty' "{name: a, run: [$kid, flood, '1048576']}"
    run
    status_is 0
    RUN_MATRIX_FAULTS=relay-park run --timeout 500ms
    status_is 1
    last_line_is '1 passed, 2 failed'
    verdict_is a@capture=fd passed
    verdict_is a@capture=pipe timeout
    verdict_is a@capture=pty timeout
    # What had gone in is kept all the same.
    sizes_are a@capture=pipe "{'stdout': 262144, 'stderr': 0}"
}

# Nobody types. A program that asks is behind /dev/null, or waits for ever.
test_who_asks_a_terminal() {
    in_cells pty "{name: a, run: 'read -r x || test -z \"\$x\"'}" "{name: b, timeout: 300ms, run: 'read -r x </dev/tty'}"
    run
    status_is 1
    verdict_is a@capture=pty passed
    verdict_is b@capture=pty timeout
}

test_a_flood_is_ended() {
    in_cells 'pipe, pty' "{name: a, output-limit: 1MiB, run: [$kid, flood, '100000000000']}"
    for faults in '' loop-park=20ms; do
        RUN_MATRIX_FAULTS=$faults run
        status_is 1
        verdict_is a@capture=pipe 'output limit'
        verdict_is a@capture=pty 'output limit'
        out_has 'wrote more than 1048576 bytes'
    done
}

test_a_quick_flood_is_one_too() {
    in_cells 'pipe, pty' "{name: a, output-limit: 10k, run: [$kid, flood, '10240']}" "{name: b, output-limit: 10k, run: [$kid, flood, '10241']}"
    run
    status_is 1
    for mode in pipe pty; do
        verdict_is "a@capture=$mode" passed
        verdict_is "b@capture=$mode" 'output limit'
    done
}

test_memory_stays_flat() {
    in_cells 'pipe, pty' "{name: a, run: [$kid, flood, '250000000']}"
    run_command python3 - "$program" <<'PY'
import resource, subprocess, sys
done = subprocess.run([sys.argv[1]]).returncode
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(most, "KiB")
sys.exit(done or most > 200000) # a sanitizer has its own idea of what is little
PY
    status_is 0
}

test_who_holds_it_does_not_hold_the_run() {
    in_cells 'pipe, pty' "{name: a, timeout: 0, leaks: ignore, run: [$kid, grandchild-holds, $token]}" \
        "{name: b, timeout: 0, leaks: ignore, run: [$kid, daemon, $token]}"
    run
    status_is 0
    last_line_is '4 passed, 0 failed'
    nobody_is_left
}

# What he writes in his grace is there, and when all is over he is, too. The end of its first process is told to those in
# front of a terminal by the kernel itself; who is deaf to that is like those behind a pipe.
test_who_stays_and_writes() {
    in_cells 'pipe, pty' "{name: a, leak-grace: 2s, run: 'trap \"\" HUP; (echo from behind; exec $kid hang $token) & exit 0'}" \
        "{name: b, run: '(exec $kid hang $token) & exit 0'}"
    run
    status_is 1
    for mode in pipe pty; do
        verdict_is "a@capture=$mode" leaked
        "$program" show "a@capture=$mode" | grep -q 'from behind' || fail 'what he wrote is lost'
    done
    verdict_is b@capture=pipe leaked
    verdict_is b@capture=pty passed
    nobody_is_left
}

test_a_cancel() {
    in_cells 'pipe, pty' "{name: a, timeout: 0, run: ': >started-\$RUN_MATRIX_AXIS_CAPTURE; exec $kid flood 100000000000'}"
    start -n 2
    await_file started-pipe
    await_file started-pty
    kill -INT "$runner"
    finish
    status_is 2
    verdict_is a@capture=pipe 'not run'
    verdict_is a@capture=pty 'not run'
}

test_it_can_be_followed() {
    in_cells 'pipe, pty' "{name: a, slow: 50ms, run: 'printf \"look here\"; until [ -e go ]; do sleep 0.05; done; echo; exit 1'}"
    start -n 2
    for path in "$(kept a@capture=pipe stdout)" "$(kept a@capture=pty output)"; do
        await "$path" 'look here'
    done
    touch go
    finish
    status_is 1
    out_has "$(kept a@capture=pipe stdout | sed 's,.*/cases,/cases,')"
}

test_what_is_hidden() {
    in_cells 'pipe, pty' "{name: a, run: 'printf s3cr; printf et-word; echo; exit 1'}"
    echo 'defaults: {mask: [SECRET]}' >>run-matrix.yaml
    SECRET=s3cret-word run -v
    status_is 1
    is "$(cat "$(kept a@capture=pipe stdout)")" '***'
    is "$(cat "$(kept a@capture=pty output)")" '***'
    ! grep -raF s3cret-word .run-matrix || fail 'it is on disk'
}

test_reports() {
    in_cells 'pipe, pty' '{name: good, run: [echo, good words]}' '{name: bad, run: "echo bad words; exit 1"}'
    run --keep=all
    status_is 1
    is "$(grep -c '| bad words' "$scratch/out")" 2
    is "$(sed -n '/<system-out>/,/<.system-out>/p' .run-matrix/latest/junit.xml | grep -cx 'bad words')" 2
    "$program" show good | grep -c '| good words' >count
    is "$(cat count)" 2
    [ -e .run-matrix/latest/passed.pack ] || fail 'there is no pack'
    run --keep=none
    ! find .run-matrix/latest/ -name stdout -o -name output | grep -q . || fail 'something was kept'
}

# A skip gives its reason on the last line of it.
test_the_last_line() {
    in_cells 'pipe, pty' '{name: a, run: "echo first; echo no such device; exit 77"}'
    run
    status_is 0
    for mode in pipe pty; do
        is "$(told "a@capture=$mode" 'last["reason"]')" 'no such device'
    done
}

test_results_in_it() {
    in_cells 'pipe, pty' '{name: a, run: "echo 1..2; echo ok 1 - x; echo some words >&2; echo ok 2 - y", results: {tap: stdout}}'
    run
    status_is 0
    last_line_is '4 passed, 0 failed'
    err_has "a@capture=pty: its results are on standard output, and with capture 'pty' standard error is in the same file"
}

test_it_is_not_shown_with_s() {
    in_cells "'no', pipe" '{name: a, run: [echo, the words]}'
    run -s
    status_is 0
    is "$(grep -c 'the words' "$scratch/out")" 1
    err_has "run-matrix.yaml:3:37: warning: a@capture=pipe: its cell says how its output is captured, so '--capture=no' is not for it"
}

test_for_one_command() {
    run exec --capture pipe -- sh -c 'test -p /dev/stdout'
    status_is 0
    run exec --capture pty -- sh -c 'echo words; test ! -t 1'
    status_is 1
    out_has words
}

# Whoever makes its process.
test_by_every_backend() {
    backends='exec spawn forkserver main_thread_forkserver'
    in_cells "pipe, pty], backend: [$(echo "$backends" | sed 's/ /, /g')" \
        "{name: a, run: 'if [ \$RUN_MATRIX_AXIS_CAPTURE = pty ]; then test -t 1; echo told >/dev/tty; else test -p /dev/stdout; echo told; fi; exit 1'}" \
        "{name: b, run: [$kid, flood, '1500000']}"
    run
    last_line_is '8 passed, 8 failed'
    for backend in $backends; do
        is "$backend: $(cat "$(kept "a@capture=pipe,backend=$backend" stdout)")" "$backend: told"
        is "$backend: $(cat "$(kept "a@capture=pty,backend=$backend" output)")" "$backend: told"
        sizes_are "b@capture=pipe,backend=$backend" "{'stdout': 1500000, 'stderr': 0}"
        sizes_are "b@capture=pty,backend=$backend" "{'output': 1500000}"
    done
}

# Whatever holds it together.
test_the_terminal_of_a_case_that_is_contained() {
    in_cells pty "{name: a, run: 'echo told >/dev/tty; exit 1'}"
    for contain in cgroup pidns group; do
        run --contain "$contain"
        [ "$status" != 4 ] || continue
        is "$contain: $(cat "$(kept a@capture=pty output)")" "$contain: told"
        ran=yes
    done
    is "$ran" yes
}

# As of a disk that is full: by its own writes the program cannot know.
test_what_cannot_be_written_down() {
    in_cells 'pipe, pty' "{name: a, run: [$kid, flood, '5000000']}" "{name: b, run: '$kid flood 5000000; exit 1'}"
    run_command sh -c "ulimit -f 4096; exec '$program'" # 2 or 4 MiB
    status_is 1
    for mode in pipe pty; do
        verdict_is "a@capture=$mode" error
        is "$(told "a@capture=$mode" 'last["reason"]')" 'its output could not be written down: File too large'
        verdict_is "b@capture=$mode" failed
        is "$(told "b@capture=$mode" 'last["notes"]')" "['its output could not be written down: File too large']"
    done
}

# Who gets none waits for somebody to give his back.
test_all_terminals_are_taken() {
    suite "{name: a, matrix: {n: [$(seq -s, 20)]}, run: [test, -t, '1']}"
    unshare --mount true 2>/dev/null || skip 'no mounts of our own'
    run_command unshare --mount sh -c "mount -t devpts -o newinstance,ptmxmode=0666,max=2 none /dev/pts &&
        exec '$program' --capture=pty -n 8"
    status_is 0
    last_line_is '20 passed, 0 failed'
}

test_no_terminal_is_to_be_had() {
    suite '{name: a, run: [echo, x]}'
    unshare --mount true 2>/dev/null || skip 'no mounts of our own'
    run_command unshare --mount sh -c "mount -t tmpfs none /dev/pts && exec '$program' --capture=pty"
    status_is 1
    out_has 'a: cannot open a terminal for its output: '
}

run_tests
