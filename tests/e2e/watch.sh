#!/bin/sh
# -w: run again when something changes, and nothing that changes is missed.
. "$(dirname "$0")/lib.sh"
own_world

# Two tests that say when they run, and fail as long as there is a file that says so.
two_tests() {
    mkdir -p src
    for name in one two; do
        printf '#!/bin/sh\ntest ! -e fails-%s\n' "$name" >"$name.sh"
        chmod +x "$name.sh"
    done
    suite '{name: one, run: [./one.sh]}' '{name: two, run: [./two.sh]}'
    echo '*.tmp' >.gitignore
}

# In the background, on no terminal: $runner. What it prints is in the file out.
watch() { # ARG...
    : >"$scratch/out"
    start -w "$@"
    rounds=0
}

# Waits until so many more rounds are over.
next_round() {
    rounds=$((rounds + 1))
    for _ in $(seq 600); do
        [ "$(grep -c '^waiting for changes' "$scratch/out")" -lt "$rounds" ] || return 0
        kill -0 "$runner" || break
        sleep 0.05
    done
    show out
    show err
    fail "round $rounds did not come"
}

quit() {
    kill -TERM "$runner"
    finish
}

runs() { find .run-matrix/runs -mindepth 1 -maxdepth 1 | wc -l; }

latest_has() { # CASES
    is "$(records '"ev":"start"')" "$1"
}

test_runs_again_when_a_file_changes() {
    two_tests
    watch
    next_round
    latest_has 2
    : >src/new
    next_round
    latest_has 2
    is "$(runs)" 2
    : >src/x.tmp
    : >src/new
    next_round
    is "$(runs)" 3
    quit
    status_is 0
}

# What failed, and what names the file that has changed; the rest when that cannot be told.
test_what_is_run_again() {
    two_tests
    : >fails-two
    watch -v
    next_round
    latest_has 2
    echo '# changed' >>one.sh
    next_round
    latest_has 2
    rm fails-two
    next_round
    latest_has 2
    echo '# changed' >>one.sh
    next_round
    latest_has 1
    is "$(records '"id=one"')" 0
    is "$(records '--id=one')" 1
    : >fails-one
    next_round
    latest_has 2
    echo '# changed' >>two.sh
    next_round
    latest_has 2
    echo '# changed' >>one.sh
    next_round
    latest_has 1
    quit
    status_is 1
}

test_the_yaml_is_read_again() {
    two_tests
    watch
    next_round
    echo '  - {name: three, run: "true"}' >>run-matrix.yaml
    next_round
    latest_has 3
    echo '  - {nme: four}' >>run-matrix.yaml
    next_round
    has err "run-matrix.yaml:5:6: error: unknown key 'nme'"
    is "$(runs)" 2
    : >src/new
    next_round
    is "$(runs)" 2
    sed -i '/nme/d' run-matrix.yaml
    next_round
    latest_has 3
    quit
    status_is 0
}

test_the_exit_code_is_the_last_one() {
    two_tests
    : >fails-one
    watch
    next_round
    quit
    status_is 1
}

# Ones that are made later, moved, and filled before anybody watches them.
test_new_folders() {
    two_tests
    watch
    next_round
    mkdir -p src/a/b/c
    next_round
    : >src/a/b/c/file
    next_round
    mv src/a src/z
    next_round
    : >src/z/b/c/file
    next_round
    rm -r src/z
    next_round
    quit
    status_is 0
}

# A change while a run goes on is of the next one: the watch was there before it.
test_a_change_during_a_run() {
    mkfifo begun go
    suite '{name: a, run: "echo x >begun; cat go"}'
    watch
    cat begun
    : >new
    echo x >go
    cat begun
    echo x >go
    next_round
    is "$(runs)" 2
    quit
    status_is 0
}

# A test that writes below its own folder does not run for ever.
test_who_changes_files_himself() {
    suite '{name: a, run: "date >>written"}'
    watch
    next_round
    out_has "written' has changed in each of 3 runs"
    is "$(runs)" 3
    : >other
    next_round
    [ "$(runs)" -gt 3 ]
    quit
}

test_what_runs_write_is_no_change() {
    two_tests
    watch --junit-xml out.xml --report tap=src/out.tap
    next_round
    : >src/new
    next_round
    is "$(runs)" 2
    quit
    status_is 0
}

# Too many at once for the kernel's queue: all is looked at again.
test_an_overflow() {
    two_tests
    echo 'echo two >>two-ran' >>two.sh
    echo two-ran >>.gitignore
    watch
    next_round
    kill -STOP "$runner"
    python3 -c '
most = int(open("/proc/sys/fs/inotify/max_queued_events").read())
for i in range(most + 10):
    open("src/%d" % (i % 7), "w").close()
    open("one.sh", "a").close()'
    mkdir src/late
    kill -CONT "$runner"
    next_round
    latest_has 2
    : >src/late/file
    next_round
    quit
    status_is 0
}

test_a_limit_of_the_kernel() {
    two_tests
    RUN_MATRIX_FAULTS=notify=ENOSPC@2 watch
    next_round
    err_has "changes in '$(pwd -P)/src' are not seen"
    err_has 'fs.inotify.max_user_watches'
    : >new
    next_round
    quit
    status_is 0
    is "$(grep -c 'are not seen' "$scratch/err")" 1
}

# Suites of a monorepo are run by themselves when what has changed is in their folders.
test_a_monorepo() {
    write run-matrix.yaml <<'Y'
suites: [a/run-matrix.yaml, b/run-matrix.yaml]
Y
    for name in a b; do
        echo "tests: [{name: t, run: 'true'}, {name: u, run: 'true'}]" | write "$name/run-matrix.yaml"
    done
    watch
    next_round
    latest_has 4
    : >a/file
    next_round
    latest_has 2
    is "$(records '--id=a/')" 1
    : >file
    next_round
    latest_has 4
    quit
    status_is 0
}

# Who wants one suite alone is not disturbed by others.
test_a_suite_of_a_monorepo() {
    write run-matrix.yaml <<'Y'
suites: [a/run-matrix.yaml, b/run-matrix.yaml]
Y
    for name in a b; do
        echo "tests: [{name: t, run: 'true'}]" | write "$name/run-matrix.yaml"
    done
    watch a
    next_round
    latest_has 1
    : >b/file
    : >file
    : >a/file
    next_round
    latest_has 1
    is "$(runs)" 2
    is "$(records '"id":"a/t"')" 1
    quit
    status_is 0
}

# ---- ending ----

test_the_run_ends_with_who_watches() {
    suite "{name: a, run: [$kid, hang, $token]}"
    watch
    for _ in $(seq 100); do
        [ -z "$(survivors)" ] || break
        sleep 0.1
    done
    kill -KILL "$runner"
    nobody_is_left
    finish
}

test_a_signal_ends_the_run_too() {
    suite "{name: a, run: [$kid, hang, $token]}"
    watch
    await .run-matrix/latest/journal.ndjson '"ev":"start"'
    kill -INT "$runner"
    finish
    status_is 2
    nobody_is_left
    is "$(runs)" 1
}

test_what_it_cannot_be_together_with() {
    two_tests
    run -w --resume
    status_is 4
    err_has "'--watch' runs again and again"
    cd src
    rm ../run-matrix.yaml
    run -w
    status_is 4
    err_has 'no run-matrix.yaml here'
}

on_terminal() { # WORD KEYS [--then WORD KEYS]...
    run_command python3 "$root/tests/e2e/on_terminal.py" "$@" "$program" -w
}

test_keys() {
    two_tests
    TERM=xterm on_terminal 'q ends' '\n' --then 'q ends' '\n' --then 'q ends' 'q'
    status_is 0
    is "$(runs)" 3
    : >fails-one
    TERM=xterm on_terminal 'q ends' '\x03'
    status_is 1
    is "$(runs)" 4
}

test_ctrl_c_ends_the_run_and_the_watch() {
    suite '{name: a, run: [sleep, "100"]}'
    TERM=xterm on_terminal 'a 0s' '\x03'
    status_is 2
    is "$(runs)" 1
}

# ---- for long ----

memory_of() { awk '/^VmRSS/ { print $2 }' "/proc/$runner/status"; }
descriptors_of() { find "/proc/$runner/fd" -mindepth 1 | wc -l; }

test_fifty_rounds() {
    two_tests
    export ASAN_OPTIONS="${ASAN_OPTIONS-}:quarantine_size_mb=1" # else what is freed stays
    watch -q --keep=none
    for round in $(seq 50); do
        next_round
        if [ "$round" = 10 ]; then
            memory=$(memory_of) descriptors=$(descriptors_of)
        fi
        mkdir -p "src/$round"
        touch one.sh
    done
    next_round
    is "$(descriptors_of)" "$descriptors"
    [ "$(memory_of)" -le $((memory + 512)) ] || fail "$memory kB have become $(memory_of)"
    quit
    status_is 0
}

run_tests
