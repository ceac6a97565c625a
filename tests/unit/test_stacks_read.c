/* What strangers may have written: a copy, and what is said of one; cut off anywhere, and changed anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/mem.h"
#include "runner/stacks/answer.h"
#include "runner/stacks/copied.h"

static void add(struct buf *out, uint32_t kind, const void *first, size_t first_size, const void *second,
                size_t second_size)
{
    struct copy_record record = {kind, (uint32_t)(first_size + second_size)};

    buf_add(out, &record, sizeof record);
    buf_add(out, first, first_size);
    buf_add(out, second, second_size);
}

/* ---- copies ---- */

static void add_process(struct buf *out, pid_t pid, const char *why_not)
{
    const struct copy_process process = {.pid = pid, .start_ticks = 7};

    add(out, COPY_PROCESS, &process, sizeof process, "", 0);
    if (why_not)
        add(out, COPY_WHY_NOT, why_not, strlen(why_not), "", 0);
}

static void add_thread(struct buf *out, pid_t tid, const char *memory, const char *why_not)
{
    const struct copy_thread thread = {.tid = tid};
    const uint64_t address = 0x1000;

    add(out, COPY_THREAD, &thread, sizeof thread, "", 0);
    if (memory)
        add(out, COPY_MEMORY, &address, sizeof address, memory, strlen(memory));
    if (why_not)
        add(out, COPY_WHY_NOT, why_not, strlen(why_not), "", 0);
}

static void write_copy(struct buf *out)
{
    const uint32_t more = 3;

    buf_add(out, COPY_MAGIC, sizeof COPY_MAGIC);
    add_process(out, 10, "it is gone");
    add_process(out, 20, NULL);
    add(out, COPY_MAPS, "maps", 4, "", 0);
    add_thread(out, 20, "stack", NULL);
    add_thread(out, 21, NULL, "it did not stop");
    add(out, 999, "of a later one", 14, "", 0);
    add_thread(out, 22, "more", NULL);
    add(out, COPY_MORE, &more, sizeof more, "", 0);
}

static void test_copy(void **state)
{
    struct arena arena = {0};
    struct copied copied;
    struct buf bytes = {0};

    (void)state;
    write_copy(&bytes);
    assert_true(copied_read(&copied, &arena, buf_str(&bytes)));
    assert_int_equal(copied.process_count, 2);
    assert_int_equal(copied.thread_count, 3);
    assert_string_equal(copied.processes[0].why_not, "it is gone");
    assert_int_equal(copied.processes[0].thread_count, 0);
    assert_null(copied.processes[1].why_not);
    assert_int_equal(copied.processes[1].id.pid, 20);
    assert_int_equal(copied.processes[1].id.start_ticks, 7);
    assert_int_equal(copied.processes[1].thread_count, 3);
    assert_int_equal(copied.processes[1].threads_more, 3);
    assert_true(str_is(copied.processes[1].maps, "maps"));
    assert_string_equal(copied.threads[1].why_not, "it did not stop");
    assert_int_equal(copied.threads[2].tid, 22);
    assert_int_equal(copied.threads[2].memory_count, 1);
    assert_true(str_is(copied.memories[copied.threads[2].memory_first].bytes, "more"));
    buf_release(&bytes);
    arena_release(&arena);
}

static void test_copy_cut(void **state)
{
    struct buf bytes = {0};
    uint32_t processes = 0;

    (void)state;
    write_copy(&bytes);
    for (size_t len = 0; len <= bytes.len; len++) {
        struct arena arena = {0};
        struct copied copied;
        char *own = mem_alloc(len);

        memcpy(own, bytes.ptr, len);
        assert_int_equal(copied_read(&copied, &arena, (struct str){own, len}), len >= sizeof COPY_MAGIC);
        assert_true(copied.process_count >= processes);
        processes = copied.process_count;
        free(own);
        arena_release(&arena);
    }
    assert_int_equal(processes, 2);
    buf_release(&bytes);
}

/* ---- answers ---- */

static void add_frame(struct buf *out, uint64_t pc, const char *strings, size_t size)
{
    const struct answer_frame frame = {.pc = pc, .offset = pc & 0xFFF, .line = 12, .inlined = pc == 2};

    add(out, ANSWER_FRAME, &frame, sizeof frame, strings, size);
}

static void add_told(struct buf *out, uint32_t count, const void *rest, size_t size)
{
    const struct answer_thread thread = {4, 20, 21, count};

    add(out, ANSWER_THREAD, &thread, sizeof thread, rest, size);
}

static void write_answer(struct buf *out)
{
    const uint32_t numbers[] = {1, 0 | ANSWER_INTERRUPTED};

    buf_add(out, ANSWER_MAGIC, sizeof ANSWER_MAGIC);
    add_frame(out, 1, "main\0/x/a.c\0/x/a\0abcd", 22);
    add_frame(out, 2, "\0\0\0", 4);
    add_told(out, 2, numbers, sizeof numbers);
    add(out, ANSWER_END, "", 0, "", 0);
}

static void test_answer(void **state)
{
    const struct stack_frame *frames;
    struct arena arena = {0};
    struct answer answer;
    struct buf bytes = {0};

    (void)state;
    write_answer(&bytes);
    assert_true(answer_read(&answer, &arena, buf_str(&bytes)));
    assert_true(answer.whole);
    assert_int_equal(answer.thread_count, 1);
    assert_int_equal(answer.threads[0].number, 4);
    assert_int_equal(answer.threads[0].pid, 20);
    assert_int_equal(answer.threads[0].thread.tid, 21);
    assert_int_equal(answer.threads[0].thread.frame_count, 2);
    assert_null(answer.threads[0].thread.cut);
    frames = answer.threads[0].thread.frames;
    assert_null(frames[0].function);
    assert_null(frames[0].file);
    assert_int_equal(frames[0].line, 0);
    assert_true(frames[0].inlined);
    assert_false(frames[0].interrupted);
    assert_string_equal(frames[1].function, "main");
    assert_string_equal(frames[1].file, "/x/a.c");
    assert_int_equal(frames[1].line, 12);
    assert_string_equal(frames[1].module, "/x/a");
    assert_string_equal(frames[1].build_id, "abcd");
    assert_true(frames[1].interrupted);
    buf_release(&bytes);
    arena_release(&arena);
}

static void test_answer_cut(void **state)
{
    struct buf bytes = {0};

    (void)state;
    write_answer(&bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        struct arena arena = {0};
        struct answer answer;
        char *own = mem_alloc(len);

        memcpy(own, bytes.ptr, len);
        assert_int_equal(answer_read(&answer, &arena, (struct str){own, len}), len >= sizeof ANSWER_MAGIC);
        assert_false(answer.whole);
        free(own);
        arena_release(&arena);
    }
    buf_release(&bytes);
}

/* What came before the nonsense counts. */
static void test_answer_lies(void **state)
{
    static const uint32_t unknown[] = {0, 7}, many[] = {0};
    const struct {
        uint32_t count;
        const void *rest;
        size_t size;
    } rows[] = {
        {2, unknown, sizeof unknown},
        {2, many, sizeof many},
        {STACK_FRAMES_MOST + 1, many, sizeof many},
        {UINT32_MAX, many, sizeof many},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const uint32_t number = 0;
        struct arena arena = {0};
        struct answer answer;
        struct buf bytes = {0};

        buf_add(&bytes, ANSWER_MAGIC, sizeof ANSWER_MAGIC);
        add_frame(&bytes, 1, "f\0\0\0", 5);
        add_told(&bytes, 1, &number, sizeof number);
        add_told(&bytes, rows[i].count, rows[i].rest, rows[i].size);
        assert_false(answer_read(&answer, &arena, buf_str(&bytes)));
        assert_int_equal(answer.thread_count, 1);
        buf_release(&bytes);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),       cmocka_unit_test(test_copy_cut),    cmocka_unit_test(test_answer),
        cmocka_unit_test(test_answer_cut), cmocka_unit_test(test_answer_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
