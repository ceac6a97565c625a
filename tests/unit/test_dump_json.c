#include "runner/diagnose/telling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/dump_made.h"
#include "tests/unit/expect.h"

static void write_json(const struct dump *dump, struct buf *out)
{
    buf_clear(out);
    dump_write_json(dump, NULL, out);
}

/* How many values the text `wanted` has, in all of it; it is JSON, and one line. */
static size_t count_strings(const struct buf *json, const char *wanted)
{
    struct json_reader r = {.input = buf_str(json)};
    enum json_token token;
    size_t count = 0;

    while ((token = json_next(&r)) != JSON_END) {
        if (token == JSON_ERROR)
            fail_msg("%u:%u: %s", r.place.line, r.place.col, r.error);
        count += token == JSON_STRING && str_is(r.text, wanted);
    }
    json_reader_release(&r);
    assert_int_equal(occurrences(json, "\n"), 1);
    assert_true(str_ends(buf_str(json), "\n"));
    return count;
}

static void test_it_is_json(void **state)
{
    struct stage s;
    struct buf out = {0};

    (void)state;
    make_stage(&s);
    write_json(&s.dump, &out);
    assert_int_equal(count_strings(&out, "produce"), 1 + LEAVES); /* one stack, and where each stands */
    assert_int_equal(count_strings(&out, "in produce at stage.c:22: writes to fd 7, a pipe"), 2 * LEAVES);
    expect(&out, "{\"schema\":1,\"title\":\"proto::drain@backend=exec, attempt 1\",");
    expect(&out, "\"stacks\":[{\"count\":1,");
    expect(&out, "{\"count\":14,\"frames\":[{\"pc\":\"0x7f0000000050\",\"function\":\"write\",");
    expect(&out, "\"ends_more\":0,\"ends_known\":true");
    buf_release(&out);
}

static void test_it_is_the_same_again(void **state)
{
    struct stage s;
    struct buf once = {0}, twice = {0};

    (void)state;
    make_stage(&s);
    write_json(&s.dump, &once);
    write_json(&s.dump, &twice);
    assert_string_equal(buf_text(&once), buf_text(&twice));
    buf_release(&once);
    buf_release(&twice);
}

static void test_names_that_are_no_text(void **state)
{
    struct stage s;
    struct buf out = {0};

    (void)state;
    make_stage(&s);
    s.processes[0].name = "\xff\"}],\n\x01";
    s.processes[0].command = NULL;
    s.dump.title = "a\\b";
    write_json(&s.dump, &out);
    assert_int_equal(count_strings(&out, "\xEF\xBF\xBD\"}],\n\x01"), 1 + 1); /* it, and its finding */
    expect(&out, "\"command\":null");
    buf_release(&out);
}

/* Who has a pipe is told to a bound, and descriptors are only counted when there is too much of them. */
static void test_it_has_an_end(void **state)
{
    static struct dump_end ends[300];
    static struct dump_fd fds[256];
    static struct dump_process processes[200];
    struct dump dump;
    struct buf out = {0};

    (void)state;
    for (uint32_t i = 0; i < 300; i++)
        ends[i] = (struct dump_end){
            .process = i < 200 ? i : DUMP_NOBODY, .pid = 10 + (pid_t)i, .name = "x", .fd = 3, .reads = true};
    for (uint32_t i = 0; i < 256; i++)
        fds[i] = (struct dump_fd){FD((int)i, DUMP_FD_PIPE, "pipe:[1]"), .inode = 1, .ends = ends,
                                  .end_count = 300};
    for (uint32_t i = 0; i < 200; i++)
        processes[i] = (struct dump_process){.id = {10 + (pid_t)i, 1},
                                             .parent = i ? 0 : DUMP_NOBODY,
                                             .state = 'S',
                                             .name = "x",
                                             .fds = fds,
                                             .fd_count = 256};
    make_dump(&dump, processes, 200);
    write_json(&dump, &out);
    count_strings(&out, "");
    expect(&out, "\"ends_more\":236,");
    expect(&out, "\"fds\":[],\"fds_more\":256,");
    assert_in_range(out.len, (size_t)8 << 20, (size_t)10 << 20);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_json),
        cmocka_unit_test(test_it_is_the_same_again),
        cmocka_unit_test(test_names_that_are_no_text),
        cmocka_unit_test(test_it_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
