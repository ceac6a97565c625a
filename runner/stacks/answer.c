#include "runner/stacks/answer.h"

#include "runner/base/buf.h"
#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define FRAMES_MOST 1000000u
#define STRING_MOST ((size_t)4096)
#define CUT_MOST    ((size_t)300)

struct hearing {
    struct answer *out;
    struct arena *arena;
    struct str rest;
    struct stack_frame *frames;
    size_t frame_count, frame_cap;
    size_t thread_cap;
    struct answered_thread *threads;
};

/* A string up to its NUL; NULL where it is empty. False: there is no NUL. */
static bool take_string(struct arena *arena, struct str *rest, const char **out)
{
    const char *end = memchr(rest->ptr, '\0', rest->len);
    size_t len;

    if (!end)
        return false;
    len = (size_t)(end - rest->ptr);
    *out = len ? arena_cstr(arena, str_slice(*rest, 0, len < STRING_MOST ? len : STRING_MOST)) : NULL;
    *rest = str_slice(*rest, len + 1, rest->len);
    return true;
}

static bool take_frame(struct hearing *h, struct str content)
{
    struct answer_frame told;
    struct stack_frame frame = {0};

    if (content.len < sizeof told || h->frame_count == FRAMES_MOST)
        return false;
    memcpy(&told, content.ptr, sizeof told);
    content = str_slice(content, sizeof told, content.len);
    frame.pc = told.pc;
    frame.offset = told.offset;
    frame.line = told.line;
    frame.inlined = told.inlined != 0;
    if (!take_string(h->arena, &content, &frame.function) || !take_string(h->arena, &content, &frame.file) ||
        !take_string(h->arena, &content, &frame.module) || !take_string(h->arena, &content, &frame.build_id))
        return false;
    if (!frame.file)
        frame.line = 0;
    GROW(h->frames, h->frame_count, h->frame_cap);
    h->frames[h->frame_count++] = frame;
    return true;
}

static bool copy_frames(const struct hearing *h, struct str numbers, struct stack_frame *out)
{
    for (size_t i = 0; i * sizeof(uint32_t) < numbers.len; i++) {
        uint32_t number;

        memcpy(&number, numbers.ptr + i * sizeof number, sizeof number);
        if ((number & ~ANSWER_INTERRUPTED) >= h->frame_count)
            return false;
        out[i] = h->frames[number & ~ANSWER_INTERRUPTED];
        out[i].interrupted = (number & ANSWER_INTERRUPTED) != 0;
    }
    return true;
}

static bool take_thread(struct hearing *h, struct str content)
{
    struct answer_thread told;
    struct stack_frame *frames;
    struct str numbers, cut;
    size_t size;

    if (content.len < sizeof told || h->out->thread_count == STACK_THREADS_MOST)
        return false;
    memcpy(&told, content.ptr, sizeof told);
    content = str_slice(content, sizeof told, content.len);
    size = told.frame_count * sizeof(uint32_t);
    if (told.frame_count > STACK_FRAMES_MOST || content.len < size)
        return false;
    numbers = str_slice(content, 0, size);
    cut = str_slice(content, size, content.len < size + CUT_MOST ? content.len : size + CUT_MOST);
    frames = ARENA_ARRAY(h->arena, struct stack_frame, told.frame_count);
    if (!copy_frames(h, numbers, frames))
        return false;
    GROW(h->threads, h->out->thread_count, h->thread_cap);
    h->threads[h->out->thread_count++] =
        (struct answered_thread){told.number,
                                 told.pid,
                                 {.tid = told.tid,
                                  .cut = cut.len ? arena_cstr(h->arena, cut) : NULL,
                                  .frames = frames,
                                  .frame_count = told.frame_count}};
    return true;
}

static bool next(struct hearing *h, struct answer_record *record, struct str *content)
{
    if (h->rest.len < sizeof *record)
        return false;
    memcpy(record, h->rest.ptr, sizeof *record);
    if (record->length > h->rest.len - sizeof *record)
        return false;
    *content = (struct str){h->rest.ptr + sizeof *record, record->length};
    h->rest = str_slice(h->rest, sizeof *record + record->length, h->rest.len);
    return true;
}

static bool hear_all(struct hearing *h)
{
    struct answer_record record;
    struct str content;

    while (!h->out->whole && next(h, &record, &content)) {
        if (record.kind == ANSWER_END)
            h->out->whole = true;
        else if (record.kind == ANSWER_FRAME ? !take_frame(h, content)
                                             : record.kind != ANSWER_THREAD || !take_thread(h, content))
            return false;
    }
    return true;
}

bool answer_read(struct answer *out, struct arena *arena, struct str bytes)
{
    struct hearing h = {.out = out, .arena = arena};
    bool sound;

    *out = (struct answer){0};
    if (bytes.len < sizeof ANSWER_MAGIC || memcmp(bytes.ptr, ANSWER_MAGIC, sizeof ANSWER_MAGIC) != 0)
        return false;
    h.rest = str_slice(bytes, sizeof ANSWER_MAGIC, bytes.len);
    sound = hear_all(&h);
    out->threads = ARENA_ARRAY(arena, struct answered_thread, out->thread_count);
    if (out->thread_count)
        memcpy(out->threads, h.threads, out->thread_count * sizeof *out->threads);
    free(h.threads);
    free(h.frames);
    return sound;
}
