/* What runtimes print, and what is spoken with them, taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/elf.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/diagnose/runtime.h"
#include "tests/unit/runtime_words.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- what they print ---- */

#define NODE_LINES \
    "Debugger listening on ws://127.0.0.1:9229/1\nFor help, see: https://nodejs.org/en/docs/inspector\n"

typedef bool find_printed(struct str text, struct printed *printed);

static bool node_from_the_start(struct str text, struct printed *printed)
{
    return printed_by_node(text, 0, printed);
}

static void test_printed(void **state)
{
    static const struct {
        find_printed *find;
        const char *before, *answer, *after;
        bool whole;
    } rows[] = {
        {printed_by_jvm, "", JVM_DUMP, "", true},
        {printed_by_jvm, "ready\n", JVM_DUMP, "goes on\n", true},
        {printed_by_jvm, "2026-11-22 05:11\n", "Full thread dump X:\n", "", false},
        {printed_by_jvm, "2026-11-22 05:11:1a\n", "Full thread dump X:\nHeap\n\nJNI global refs: 1\n",
         "half a l", false},
        {printed_by_jvm, "says: Full thread dump\n", NULL, "", false},
        {printed_by_jvm, "", NULL, "", false},
        {printed_by_go, "", GO_DUMP, "", true},
        {printed_by_go, "ready\n", GO_DUMP, "and another one\nrax    0x1\n", true},
        {printed_by_go, "rax    0x1\n", "SIGQUIT: quit\ngoroutine 1 [running]:\n", "half", false},
        {printed_by_go, "a SIGQUIT: quit\n", NULL, "", false},
        {node_from_the_start, "one\n", NODE_LINES, "Debugger\nDebugger attached.\n", true},
        {node_from_the_start, "one\nnot Debugger attached.\n", NULL, "Debugger attached.", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *answer = rows[i].answer ? rows[i].answer : "";
        struct printed printed;
        struct buf text = {0};
        size_t from = strlen(rows[i].before);

        buf_addf(&text, "%s%s%s", rows[i].before, answer, rows[i].after);
        if (rows[i].find(buf_str(&text), &printed) != (rows[i].answer != NULL))
            fail_msg("row %zu is found, or not", i);
        if (rows[i].answer &&
            (printed.from != from || printed.to != from + strlen(answer) || printed.whole != rows[i].whole))
            fail_msg("row %zu: from %zu to %zu, %d", i, printed.from, printed.to, printed.whole);
        buf_release(&text);
    }
}

/* A text that ends anywhere: it is found from its first whole line on, and whole with its last. */
static void test_printed_in_pieces(void **state)
{
    static const struct {
        find_printed *find;
        const char *text;
    } rows[] = {{printed_by_jvm, JVM_DUMP}, {printed_by_go, GO_DUMP}, {node_from_the_start, NODE_LINES}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t length = 0; length < strlen(rows[i].text); length++) {
            char *copy =
                memcpy(mem_alloc(length ? length : 1), rows[i].text, length); /* no more is read of it */
            struct printed printed;

            if (rows[i].find((struct str){copy, length}, &printed)) {
                assert_true(printed.to <= length);
                assert_true(i > 0 || !printed.whole);
            }
            free(copy);
        }
}

static void test_names(void **state)
{
    static const struct {
        const char *image;
        enum dump_runtime runtime;
    } rows[] = {
        {"python3.11", RUNTIME_PYTHON}, {"python", RUNTIME_PYTHON},
        {"pypy3", RUNTIME_PYTHON},      {"pythonic", RUNTIME_NONE},
        {"node", RUNTIME_NODE},         {"nodejs", RUNTIME_NODE},
        {"java", RUNTIME_JVM},          {"javac", RUNTIME_NONE},
        {"go", RUNTIME_NONE},           {"", RUNTIME_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(runtime_of_name(str_of(rows[i].image)), rows[i].runtime);
    assert_true(elf_has_note("/proc/self/exe", "GNU", 3)); /* our build-id */
    assert_false(elf_has_note("/proc/self/exe", "Go", 4));
    assert_false(elf_has_note("/proc/self/exe", "GN", 3));
    assert_false(elf_has_note("/proc/self/status", "GNU", 3));
}

/* ---- what is spoken with Node ---- */

static void test_heads(void **state)
{
    static const struct {
        const char *in;
        size_t length, body;
        unsigned status;
    } rows[] = {
        {"HTTP/1.0 200 OK\r\nContent-Length: 651\r\n\r\nbody", 40, 651, 200},
        {"HTTP/1.1 101 Switching\r\ncontent-length:7\r\nA: b\r\n\r\n", 50, 7, 101},
        {"HTTP/1.0 200 OK\r\n\r\n", 19, SIZE_MAX, 200},
        {"HTTP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 57, SIZE_MAX, 200},
        {"HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", 39, SIZE_MAX, 200},
        {"SSH-2.0-OpenSSH\r\n\r\n", 19, SIZE_MAX, 0},
        {"HTTP/1.0 200 OK\r\n", 0, SIZE_MAX, 0},
        {"", 0, SIZE_MAX, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned status;
        size_t body;

        assert_int_equal(talk_head(str_of(rows[i].in), &status, &body), rows[i].length);
        assert_int_equal(body, rows[i].body);
        assert_int_equal(status, rows[i].status);
    }
}

static enum talk_frame kind_of(const char *bytes, size_t length, size_t *taken)
{
    struct str text;

    return talk_next((struct str){bytes, length}, &text, taken);
}

static void test_frames(void **state)
{
    struct str text;
    size_t taken;

    (void)state;
    assert_int_equal(talk_next((struct str)STR("\x81\x02hi\x88\x00"), &text, &taken), TALK_TEXT);
    assert_true(str_is(text, "hi") && taken == 4);
    assert_int_equal(kind_of("\x88\x00", 2, &taken), TALK_CLOSE);
    assert_int_equal(kind_of("\x89\x00", 2, &taken), TALK_OTHER);
    assert_int_equal(kind_of("\x01\x00", 2, &taken), TALK_NONSENSE);
    assert_int_equal(kind_of("\x81\x82....hi", 8, &taken), TALK_NONSENSE);
    assert_int_equal(kind_of("\x81\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10, &taken), TALK_NONSENSE);
    for (size_t length = 0; length < 4; length++)
        assert_int_equal(kind_of("\x81\x7E\x00\x05", length, &taken), TALK_PART);
    assert_int_equal(kind_of("\x81\x7E\x00\x01x", 5, &taken), TALK_TEXT);
    assert_int_equal(taken, 5);
}

/* As a server would read it. */
static void test_frames_of_ours(void **state)
{
    static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536, 70000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        size_t extra = lengths[i] < 126 ? 0 : lengths[i] <= 65535 ? 2 : 8, length = lengths[i];
        struct buf out = {0}, text = {0};
        uint64_t said = 0;

        for (size_t j = 0; j < length; j++)
            buf_addc(&text, (char)('a' + j % 26));
        talk_frame(&out, (struct str){text.ptr, length});
        assert_int_equal(out.len, 2 + extra + 4 + length);
        assert_int_equal((unsigned char)out.ptr[0], 0x81);
        assert_int_equal((unsigned char)out.ptr[1], 0x80 | (extra ? (extra == 2 ? 126 : 127) : length));
        for (size_t j = 0; j < extra; j++)
            said = said << 8 | (unsigned char)out.ptr[2 + j];
        assert_true(!extra || said == length);
        for (size_t j = 0; j < length; j++)
            assert_int_equal(out.ptr[6 + extra + j] ^ out.ptr[2 + extra + j % 4], text.ptr[j]);
        buf_release(&out);
        buf_release(&text);
    }
}

/* ---- answers are cut out ---- */

static void test_cutting(void **state)
{
    static const struct {
        struct dump_answer list[3];
        const char *left;
    } rows[] = {
        {{{0, 2, 4, RUNTIME_NONE}}, "014567890123456789"},
        {{{0, 0, 20, RUNTIME_NONE}}, ""},
        {{{0, 8, 10, RUNTIME_NONE}, {0, 2, 4, RUNTIME_NONE}}, "0145670123456789"},
        {{{0, 2, 6, RUNTIME_NONE}, {0, 4, 8, RUNTIME_NONE}, {0, 8, 9, RUNTIME_NONE}}, "0190123456789"},
        {{{1, 2, 4, RUNTIME_NONE}}, "01234567890123456789"},
        {{{0, 15, 99, RUNTIME_NONE}}, "012345678901234"},
        {{{0, 30, 99, RUNTIME_NONE}}, "01234567890123456789"},
        {{{0, 5, 5, RUNTIME_NONE}, {0, 9, 8, RUNTIME_NONE}}, "01234567890123456789"},
        {{{0, 2, 12, RUNTIME_NONE}, {0, 4, 8, RUNTIME_NONE}}, "0123456789"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dump_answers answers = {.count = 3};
        struct buf left = {0};
        int fd = memfd_create("output", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
        assert_int_equal(fd_write_all(fd, "01234567890123456789", 20), 0);
        memcpy(answers.list, rows[i].list, sizeof rows[i].list);
        assert_int_equal(dump_answers_cut(fd, &answers, 0), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(fd_read_all(fd, &left, 100), 0);
        if (strcmp(buf_text(&left), rows[i].left) != 0)
            fail_msg("row %zu leaves '%s'", i, buf_text(&left));
        buf_release(&left);
        close(fd);
    }
}

/* What has come when nobody waited for it any more, in outputs that are longer than what is read at a time. */
static void test_cutting_what_is_late(void **state)
{
    struct dump_answers answers = {.count = 2};
    struct buf all = {0}, wanted = {0}, left = {0};
    int fd = memfd_create("output", MFD_CLOEXEC);

    (void)state;
    buf_adds(&all, "Debugger attached.\nready\n" JVM_DUMP NODE_LINES);
    buf_adds(&wanted, "Debugger attached.\nready\n");
    for (unsigned i = 0; all.len < 3 * RUNTIME_ANSWER_MOST; i++) {
        buf_addf(&all, "%u Debugger\n", i);
        buf_addf(&wanted, "%u Debugger\n", i);
        if (i % 10000 == 0)
            buf_adds(&all, "Debugger ending on ws://127.0.0.1:9229/1\n");
    }
    assert_int_equal(fd_write_all(fd, all.ptr, all.len), 0);
    answers.list[0] = (struct dump_answer){.from = 19, .to = 19, .late = RUNTIME_JVM};
    answers.list[1] = (struct dump_answer){.from = 19, .to = 19, .late = RUNTIME_NODE};
    assert_int_equal(dump_answers_cut(fd, &answers, 0), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(fd_read_all(fd, &left, 1 << 20), 0);
    assert_string_equal(buf_text(&left), buf_text(&wanted));
    buf_release(&all);
    buf_release(&wanted);
    buf_release(&left);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printed), cmocka_unit_test(test_printed_in_pieces),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_heads),
        cmocka_unit_test(test_frames),  cmocka_unit_test(test_frames_of_ours),
        cmocka_unit_test(test_cutting), cmocka_unit_test(test_cutting_what_is_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
