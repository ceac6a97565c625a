#!/bin/sh
# Number 29: the stacks of a test that hangs are written to where its output goes, and nobody sees them.
. "$(dirname "$0")/lib.sh"

test_control_standard_error_is_elsewhere() {
    run_command "$naive"
    status_is 3
    err_is_empty
}

# A test that hangs until all of its stacks are in the file that its standard error was to begin with.
test_ours_stacks_at_a_hang() {
    module t.so <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
void hang_here(int err);
__attribute__((noinline)) void hang_here(int err)
{
    char text[20000];
    ssize_t got;

    do {
        got = pread(err, text, sizeof text - 1, 0);
        text[got > 0 ? got : 0] = '\0';
    } while (!strstr(text, "the test goes on"));
}
static int own_err(void) { return open("/proc/self/fd/2", O_RDONLY | O_CLOEXEC); }
TEST(as_it_is)
{
    mx_dump_on_hang(0.5);
    hang_here(own_err());
}
TEST(sent_to_null)
{
    int err = own_err(), null = open("/dev/null", O_WRONLY);
    mx_dump_on_hang(0.5);
    dup2(null, 1);
    dup2(null, 2);
    hang_here(err);
}
TEST(caught)
{
    int err = own_err();
    CAPTURE(said) {
        mx_dump_on_hang(0.5);
        hang_here(err);
    }
    ASSERT_STR_EQ(said.err, "");
}
TEST(closed)
{
    int err = own_err();
    mx_dump_on_hang(0.5);
    close(1);
    close(2);
    hang_here(err);
}
END
    suite '{name: t, timeout: 20s, module: t.so}'
    run
    status_is 0
    last_line_is '4 passed, 0 failed'
    for id in $("$program" list -q); do
        printed "$id" >seen
        grep -q 'still there after 0.5 s' seen || fail "$id: $(cat seen)"
        grep -q 'hang_here' seen || fail "$id: $(cat seen)"
    done
}

# Who has not asked for one cannot even be in the way: whatever it has done to its descriptors, and though it may write nothing.
test_ours_stacks_of_who_has_not_asked() {
    module t.so <<'END'
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
void hang_here(void);
__attribute__((noinline)) void hang_here(void)
{
    for (;;)
        pause();
}
TEST(as_it_is) { hang_here(); }
TEST(closed)
{
    close(1);
    close(2);
    hang_here();
}
TEST(sent_to_null)
{
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    dup2(null, 2);
    hang_here();
}
TEST(may_write_nothing)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0});
    hang_here();
}
END
    suite '{name: t, timeout: 3s, stop: [KILL], module: t.so}'
    run --keep=all -n 2
    status_is 1
    last_line_is '0 passed, 4 failed'
    for id in $("$program" list -q); do
        "$program" show "$id" >seen
        grep -q 'in hang_here' seen || fail "$id: $(cat seen)"
    done
    is "$(cat .run-matrix/latest/cases/*/1/dump.txt | grep -c '^ *#[0-9]* *hang_here')" 4
}

run_tests
