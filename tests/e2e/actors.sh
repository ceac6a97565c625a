#!/bin/sh
# Actors: a suite that is its own matrix of backends and transports, as a module and as a program, with and without run-matrix.
. "$(dirname "$0")/lib.sh"
own_world # what is left behind is looked for

library=$root/build/librunmatrix.a

build() { # WORD ... OUTPUT
    gcc -O1 -g -Wall -Wextra -Wno-unused-result "-I$root/fixtures" "$@" "$root/tests/suites/actors/actors.c" "$library" -pthread
}

test_a_module() {
    build -shared -fPIC -o t.so
    echo 'tests: [{name: t, module: t.so, leak-grace: 1s}]' >run-matrix.yaml
    run run -n 4
    status_is 0
    out_has ' passed, 0 failed'
}

test_a_program() {
    build -o t
    echo 'tests: [{name: t, module: t, leak-grace: 1s}]' >run-matrix.yaml
    run run -n 4
    status_is 0
}

# Without anybody around it: nothing is left either.
test_a_program_by_itself() {
    build -o t
    for name in many_side_by_side boot_death_is_an_outcome chain; do
        for test in $(./t --list | sed -n "s/.*\"name\":\"\([^\"]*${name}[^\"]*\)\".*/\1/p" | grep -v hang | head -n 8); do
            run_command ./t --case "$test"
            status_is 0
        done
    done
}

# The library itself, looked at by sanitizers; leaks are looked for in every actor.
test_an_instrumented_library() {
    instrumented=$root/build/asan/tests/librunmatrix.a
    [ -e "$instrumented" ] || skip 'there is none'
    gcc -O1 -g -fsanitize=address,undefined -Wno-unused-result "-I$root/fixtures" -o t "$root/tests/suites/actors/actors.c" \
        "$instrumented" -pthread
    echo 'tests: [{name: t, module: t, leak-grace: 3s}]' >run-matrix.yaml
    run run -n 2 -k "forkserver and not main_thread and tcp and not stuck and not chain and not cancelled and not many and not waits_for and not CPU"
    status_is 0
}

run_tests
