#!/bin/sh
# The examples are what they say: `list` takes every one of them.
. "$(dirname "$0")/lib.sh"

test_every_example_is_listed() {
    count=0
    for file in "$root"/examples/*/run-matrix.yaml; do
        cd "$(dirname "$file")"
        run list
        status_is 0
        err_is_empty
        run list -q
        status_is 0
        [ -s "$scratch/out" ] || fail "no case in $file"
        count=$((count + 1))
    done
    [ "$count" -gt 0 ] || fail 'no examples'
}

# In copies, so that the examples stay clean.
run_example() { # NAME ARG...
    cp -r "$root/examples/$1" . && cd "$1" && rm -rf .run-matrix
    shift
    run run "$@"
}

test_the_first_one_passes() {
    run_example first
    status_is 0
    is "$(tail -n 1 "$scratch/out")" '5 passed, 0 failed'
}

test_a_daemon_is_shared() {
    run_example daemon
    status_is 0
    is "$(tail -n 1 "$scratch/out")" '4 passed, 0 failed'
}

test_a_monorepo_is_one_run() {
    run_example monorepo
    status_is 0
    is "$(tail -n 1 "$scratch/out")" '4 passed, 0 failed'
}

test_suites_of_many_tests() {
    run_example results
    status_is 0
    is "$(tail -n 1 "$scratch/out")" '7 passed, 0 failed, 3 skipped'
}

test_suites_as_they_are() {
    run_example suites
    status_is 0
    is "$(tail -n 1 "$scratch/out")" '12 passed, 0 failed'
    run run till::opens stock::count shop::closes@transport=uds
    status_is 0
    is "$(tail -n 1 "$scratch/out")" '3 passed, 0 failed'
}

# Each as its head says: a file by itself, a folder with its fixtures, and all of them.
test_c_sources_without_a_file() {
    signals_kill
    cp -r "$root/examples/ctests" . && cd ctests
    while IFS='|' read -r what tally; do
        run "$what"
        status_is 0
        err_is_empty
        is "$what: $(tail -n 1 "$scratch/out")" "$what: $tally"
    done <<'END'
test_five_lines.c|1 passed, 0 failed
test_parameters.c|12 passed, 0 failed, 2 skipped
test_checks.c|4 passed, 0 failed
test_tools.c|3 passed, 0 failed
index|3 passed, 0 failed
END
    run run --strict-markers .
    is "$(tail -n 1 "$scratch/out")" '23 passed, 0 failed, 2 skipped'
    run list -q -m huge .
    out_is 'test_parameters::reads/text=too_long'
}

test_c_tests_are_built_and_run() {
    LIBRUNMATRIX="-I$root/fixtures $root/build/librunmatrix.a"
    export LIBRUNMATRIX
    run_example module
    status_is 0
    is "$(tail -n 1 "$scratch/out")" '1 passed, 0 failed, 1 skipped'
}

# One cell of each backend; the whole matrix is a part of ours: run-matrix examples/actors
test_actors() {
    for cell in exec,transport=tcp,capture=fd spawn,transport=uds,capture=sys forkserver,transport=uds,capture=merged \
        main_thread_forkserver,transport=tcp,capture=tee-sys subint,transport=uds,capture=sys \
        subint_forkserver,transport=uds,capture=tee-sys; do
        set -- "$@" --cell "backend=$cell"
    done
    # Some hundred hosts, each with a sanitizer: that takes long, and shows nothing new. One that was forked beside a thread
    # finds leaks that are none.
    case $program in
    */asan/*)
        set -- "$@" -k 'first or cancels or breaks'
        export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
        ;;
    esac
    run_example actors "$@"
    status_is 0
    out_has ' passed, 0 failed, '
}

# Each has its dump; what stands in it is looked at in hangs.sh.
test_hangs() {
    run_example hangs
    status_is 1
    is "$(tail -n 1 "$scratch/out")" '0 passed, 3 failed'
    is "$(find .run-matrix/latest/cases/ -name dump.txt | wc -l)" 3
}

# Whether the race is lost in so few runs nobody can promise; that the other cell never loses it can be.
test_a_race_that_a_soak_finds() {
    command -v cc >/dev/null || skip 'no cc'
    cp -r "$root/examples/flaky" . && cd flaky && rm -rf .run-matrix
    run soak --count 40
    [ "$status" = 0 ] || status_is 1
    python3 - <<'END' || fail 'see above'
import json
soak = json.load(open(".run-matrix/latest/soak.json"))
for case in soak["cases"]:
    assert case["runs"] == 40, case
    assert "claim=look" in case["id"] or case["failed"] == 0, case
END
    run soak --below 5% --cell claim=at-once
    status_is 0
}

test_the_demo_shows_a_bit_of_everything() {
    run_example demo
    status_is 1
    for word in FAIL TIMEOUT FLAKY SKIP XFAIL UNSUPP 'run --id'; do
        out_has "$word"
    done
    is "$(tail -n 1 "$scratch/out")" '7 passed, 2 failed, 3 skipped'
}

run_tests
