#!/bin/sh
# Number 29: the stacks of a test that hangs are written to where its output goes, and nobody sees them.
. "$(dirname "$0")/lib.sh"

test_control_standard_error_is_elsewhere() {
    run_command "$naive"
    status_is 3
    err_is_empty
}

# Each way of sending it elsewhere; a test goes on when its stacks are on record.
test_ours_stacks_at_a_hang() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>
static __attribute__((noinline)) void hang_here(void)
{
    mx_sleep("1ms");
    mx_dump_on_hang(0.001);
    mx_sleep("1s");
}
TEST(as_it_is) { hang_here(); }
TEST(to_null)
{
    int null = open("/dev/null", O_WRONLY);
    mx_dump_on_hang(0.2);
    dup2(null, 1);
    dup2(null, 2);
    mx_sleep("1s");
}
END
    skip 'draft'
}

run_tests
