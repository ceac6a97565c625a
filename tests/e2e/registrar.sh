#!/bin/sh
# Who talks, who has which name, what breaks and who is none of us: suites of C, in a cell for each backend and transport.
. "$(dirname "$0")/lib.sh"
own_world # what is left behind is looked for

library=$root/build/librunmatrix.a
backends='exec spawn forkserver main_thread_forkserver'
cells=8 # with tcp and uds
# A forked actor has a copy of its owner's memory, and none of the pointers to it: a host with LeakSanitizer takes that for leaks.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS
capture=fd

build() { # SOURCE... OUTPUT
    gcc -O1 -g -Wall -Wextra -Werror "-I$root/fixtures" "-I$root" "$@" "$library" -pthread
}

# A module of the suite, in each cell.
in_cells() { # SOURCE
    build -shared -fPIC -o t.so "$root/tests/suites/registrar/$1.c"
    {
        echo "strategy: {matrix: {backend: [$(echo "$backends" | tr ' ' ,)], transport: [tcp, uds], capture: [$capture]}}"
        echo 'tests: [{name: t, module: t.so, leak-grace: 1s}]'
    } >run-matrix.yaml
}

passes_everywhere() { # SOURCE TESTS
    in_cells "$1"
    run run -n 4
    status_is 0
    out_has "$(($2 * cells)) passed, 0 failed"
}

test_names() { passes_everywhere names 11; }

test_talk() { passes_everywhere talk 9; }

test_breaks() { passes_everywhere breaks 24; }

test_strangers() { passes_everywhere strangers 2; }

# Actors that are threads, each with all of this for itself.
test_threads() {
    backends='subint subint_forkserver' cells=4 capture=sys
    in_cells names
    run run -n 4
    status_is 0
    out_has '40 passed, 0 failed, 4 skipped'
    passes_everywhere talk 9
    passes_everywhere breaks 24
}

# As people run one test by itself, without anybody who says what an address is.
test_a_program_by_itself() {
    build -o t "$root/tests/suites/registrar/names.c"
    for name in of_many_at_once/count=4,policy=MX_ONE_OF_A_NAME of_one_that_dies of_two_that_talk; do
        RUN_MATRIX_TRANSPORT=uds run_command ./t --case "$name"
        status_is 0
    done
}

# Whoever has its address already is named, before anything is started; a socket file that was left is no obstacle.
test_an_address_that_is_taken() {
    in_cells taken
    run run -n 4
    status_is 1
    for test in t::by_a_listener t::by_another_process; do
        is "$(verdicts "$test" | sort | uniq -c | sed 's/^ *//')" "$cells failed"
    done
    is "$(verdicts t::by_nobody | sort | uniq -c | sed 's/^ *//')" "$cells passed"
    out_has "there can be no registrar at tcp://127.0.0.1:"
    out_has "there can be no registrar at unix:///"
    out_has "it is in use by '"
    out_lacks 'Address already in use'
}

verdicts() { # TEST
    "$program" report --format json | python3 -c '
import json, sys
for case in json.load(sys.stdin)["cases"]:
    if case["id"].split("@")[0] == sys.argv[1]:
        print(case["verdict"])' "$1"
}

run_tests
