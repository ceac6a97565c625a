#!/bin/sh
# Number 3: what stands in a buffer of stdio at a fork is written by both.
. "$(dirname "$0")/lib.sh"

test_control_a_child_that_leaves_by_exit() {
    run_command "$naive" exit
    is "$(cat "$scratch/out")" once.once.
    run_command "$naive" _exit
    is "$(cat "$scratch/out")" once.
}

# The checks that run a statement in a forked child, in all ways that it can end.
test_ours_statements_of_a_test_in_children() {
    module t.so <<'END'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
TEST(exits) { printf("once."); ASSERT_EXITS(exit(3), 3); }
TEST(exits_at_once) { printf("once."); ASSERT_EXITS(_exit(3), 3); }
TEST(prints_and_exits) { printf("once."); ASSERT_EXITS({ printf("theirs."); exit(3); }, 3); }
TEST(dies) { printf("once."); ASSERT_DIES(abort(), SIGABRT); }
END
    echo 'strategy: {matrix: {backend: [exec, spawn, forkserver, main_thread_forkserver], capture: [fd, pipe]}}' >axis
    suite '{name: t, module: t.so}'
    cat axis >>run-matrix.yaml
    run
    status_is 0
    last_line_is '32 passed, 0 failed'
    "$program" list -q >ids
    is "$(wc -l <ids)" 32
    while IFS= read -r id; do
        is "$id $(printed "$id" | grep -o 'once\.' | wc -l)" "$id 1"
    done <ids
}

# What the program of a server has in its buffer when it forks is no case's.
test_ours_what_stands_in_the_buffer_of_a_server() {
    module t.so <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
__attribute__((constructor)) static void begin(void)
{
    const char *whose = getenv("RUN_MATRIX_CASE_ID");
    if (whose && strstr(whose, "server:"))
        printf("of the server.");
}
TEST(a) { printf("once."); }
TEST(b) { printf("once."); fflush(stdout); }
END
    in_backends 'forkserver main_thread_forkserver' '{name: t, module: t.so}'
    run
    status_is 0
    last_line_is '4 passed, 0 failed'
    for id in $("$program" list -q); do
        is "$id $(printed "$id")" "$id once."
    done
}

run_tests
