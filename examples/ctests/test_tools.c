/* What a test is lent, and never has to give back: run-matrix examples/ctests/test_tools.c */
#include <run_matrix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For all tests of this file; a test may say otherwise. */
MODULE(.timeout = "20s", .marks = "programs");
MARK(programs, "starts others");

TEST(a_program)
{
    const char *path = mx_write_file("numbers", "10\n9\n1\n");
    struct mx_ran sorted = MX_RUN("sort", "-n", path);

    ASSERT_EQ(sorted.status, 0, "%s", sorted.err);
    ASSERT_STR_EQ(sorted.out, "1\n9\n10\n");
}

TEST(output_is_a_value, .leaks = "fds")
{
    CAPTURE(said)
    {
        puts("by stdio");
        ASSERT_EQ(system("echo by a child >&2"), 0);
    }
    ASSERT_STR_EQ(said.out, "by stdio\n");
    ASSERT_STR_EQ(said.err, "by a child\n");
}

/* Ready when it says so, told what to do by a pipe with a name, stopped at the end, whatever becomes of the test. */
TEST(a_daemon)
{
    static const char counts[] = "trap 'echo bye; exit 0' TERM\n"
                                 "mkfifo \"$1\"; exec 3<>\"$1\"; echo ready\n"
                                 "n=0; while read -r line <&3; do n=$((n + 1)); echo \"$n: $line\"; done";
    const char *orders = mx_path("orders");
    struct mx_daemon *counter = mx_daemon(&(struct mx_daemon_command){
        .argv = MX_ARGV("sh", "-c", counts, "counter", orders),
        .ready = {.line = "^ready$"},
        .within = "10s",
        .stop = "TERM 5s, KILL",
    });
    FILE *to = fopen(orders, "w");

    ASSERT_NOT_NULL(to);
    fputs("apples\npears\n", to);
    ASSERT_OK(fclose(to));
    WAIT_UNTIL(strstr(mx_said(counter).out, "2: pears"), "5s");
    ASSERT_EQ(mx_stop(counter).status, 0);
}
