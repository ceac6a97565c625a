/*
 * Any bytes as what run-matrix-stacks says, and as a copy of processes: what is read of it lies within it, and within what it may
 * hold.
 */
#include "runner/stacks/answer.h"
#include "runner/stacks/copied.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool is)
{
    if (!is)
        abort();
}

/* Looked at to its end: whoever reads too far is told so. */
static size_t length_of(const char *text)
{
    return text ? strlen(text) : 0;
}

static void check_thread(const struct stack_thread *thread, size_t size)
{
    size_t sum = length_of(thread->cut);

    must(thread->frame_count <= STACK_FRAMES_MOST && !thread->why_not);
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        const struct stack_frame *frame = &thread->frames[i];

        must(frame->file || !frame->line);
        sum = length_of(frame->function) + length_of(frame->file) + length_of(frame->module) +
              length_of(frame->build_id);
        must(sum <= size);
    }
}

static void check_answer(struct str bytes)
{
    struct arena arena = {0};
    struct answer answer;

    if (!answer_read(&answer, &arena, bytes))
        must(!answer.whole);
    must(answer.thread_count <= STACK_THREADS_MOST);
    for (uint32_t i = 0; i < answer.thread_count; i++)
        check_thread(&answer.threads[i].thread, bytes.len);
    arena_release(&arena);
}

static void check_within(struct str inner, struct str outer)
{
    must(!inner.len || (inner.ptr >= outer.ptr && inner.ptr + inner.len <= outer.ptr + outer.len));
}

static void check_copy(struct str bytes)
{
    struct arena arena = {0};
    struct copied copied;
    uint32_t threads = 0, memories = 0;

    if (copied_read(&copied, &arena, bytes)) {
        for (uint32_t i = 0; i < copied.process_count; i++) {
            must(copied.processes[i].thread_first == threads);
            threads += copied.processes[i].thread_count;
            check_within(copied.processes[i].maps, bytes);
            length_of(copied.processes[i].why_not);
        }
        must(threads == copied.thread_count);
        for (uint32_t i = 0; i < threads; i++) {
            must(copied.threads[i].memory_first == memories);
            memories += copied.threads[i].memory_count;
        }
        must(memories == copied.memory_count);
        for (uint32_t i = 0; i < memories; i++)
            check_within(copied.memories[i].bytes, bytes);
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    check_answer((struct str){(const char *)bytes, size});
    check_copy((struct str){(const char *)bytes, size});
    return 0;
}
