#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/dump_made.h"
#include "tests/unit/expect.h"

/* Processes below one another, and those that do the same in one row, with the children of all of them below it. */
static void test_a_stage(void **state)
{
    static const char wanted[] =
        "proto::drain@backend=exec, attempt 1\n"
        "its deadline of 60 s has passed, in its call\n"
        "2026-11-22T05:00:00Z, in 43ms; who was stopped for it stood still for 12ms at most\n"
        "\n"
        "    4711 S     1m  stage (case): in collect at stage.c:31: waits for a mutex\n"
        "    4712 S     1m    branch x 2: in branch at stage.c:40: waits for a child\n"
        "    4803 S     1m      leaf x 14: in produce at stage.c:22: writes to fd 7, a pipe\n"
        "\n"
        "what stands out:\n"
        "- 4803 leaf; 4804 leaf; 4805 leaf; and 11 more (x 14): in produce at stage.c:22: writes to fd 7, a "
        "pipe, "
        "which is full (65536 of 65536 bytes)\n"
        "    4711 stage can read it (fd 6): in collect at stage.c:31: waits for a mutex\n"
        "- 4711 stage: in collect at stage.c:31: waits for a mutex\n";
    struct stage s;
    struct buf out = {0};

    (void)state;
    make_stage(&s);
    dump_write_summary(&s.dump, NULL, &out);
    assert_string_equal(buf_text(&out), wanted);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
