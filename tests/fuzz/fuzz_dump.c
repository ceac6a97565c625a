/*
 * A process all of whose words are a stranger's: its dump has the lines that it is to have and no others, no control
 * characters, and is JSON.
 */
#include "runner/base/utf8.h"
#include "runner/diagnose/diagnose.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS 10

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The input in pieces, a NUL between them; the last one has the rest, and only that may have a NUL in it. */
static struct str take(struct arena *arena, struct str *rest, bool last)
{
    size_t length = last ? rest->len : strnlen(rest->ptr, rest->len);
    struct str piece = arena_str(arena, str_slice(*rest, 0, length));

    *rest = str_slice(*rest, length < rest->len ? length + 1 : length, rest->len);
    return piece;
}

/* At the beginning of lines. */
static size_t count_lines(struct str text, const char *beginning)
{
    size_t count = 0;

    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);

        if (!end)
            abort();
        count += str_starts(text, beginning);
        text = str_slice(text, (size_t)(end + 1 - text.ptr), text.len);
    }
    return count;
}

/* Of a dump with a secret in it: the secret, or a line of it, may be in our title. */
static void check_text(struct str text, bool secret)
{
    size_t titles = count_lines(text, "our title");

    if (utf8_valid_until(text) < text.len)
        abort();
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\n' && text.ptr[i] != '\t') ||
            text.ptr[i] == 0x7f)
            abort();
    if (count_lines(text, "process ") != 1 || count_lines(text, "output ") != 1 || titles > 1 ||
        (!titles && !secret) || count_lines(text, DUMP_DETAIL_LINE) != 1 ||
        count_lines(text, "what stands out:") > 1 || count_lines(text, "note: ") != 1 ||
        count_lines(text, "- ") > 2)
        abort();
}

static void check_json(struct str json)
{
    struct json_reader r = {.input = json};
    enum json_token token;

    while ((token = json_next(&r)) != JSON_END)
        if (token == JSON_ERROR)
            abort();
    json_reader_release(&r);
}

static void check_dump(const struct dump *dump)
{
    struct mask *mask = mask_new();
    struct buf out = {0};

    dump_write_text(dump, NULL, &out);
    check_text(buf_str(&out), false);
    buf_clear(&out);
    dump_write_json(dump, NULL, &out);
    check_json(buf_str(&out));
    mask_add(mask, str_of(dump->processes[0].name));
    buf_clear(&out);
    dump_write_text(dump, mask, &out);
    check_text(buf_str(&out), true);
    buf_release(&out);
    mask_free(mask);
}

static void check_process(uint8_t kind, const struct str *text)
{
    const struct stack_frame frames[] = {
        {.function = "pthread_mutex_lock", .module = "/lib/libc.so.6"},
        {.function = text[0].ptr, .file = kind & 1 ? text[1].ptr : NULL, .module = text[2].ptr}};
    const struct stack_thread stack = {.frames = frames, .frame_count = 2, .cut = text[3].ptr};
    const struct dump_fd fd = {
        .number = 3, .kind = kind % DUMP_FD_KIND_COUNT, .target = text[4].ptr, .peer = text[5].ptr};
    const struct dump_thread thread = {.tid = 7,
                                       .name = text[3].ptr,
                                       .state = 'S',
                                       .stack = &stack,
                                       .call = {.name = "x",
                                                .wait = (enum dump_wait)(kind / 8 % DUMP_WAIT_COUNT),
                                                .fds = {3},
                                                .fd_count = 1,
                                                .words = text[6].ptr}};
    const struct dump_tail tail = {
        .name = text[3].ptr, .text = text[TEXTS - 1], .size = text[TEXTS - 1].len + kind};
    const char *notes[] = {text[6].ptr};
    struct dump_process process = {.id = {7, 1},
                                   .parent = DUMP_NOBODY,
                                   .state = 'S',
                                   .name = text[7].ptr,
                                   .role = text[3].ptr,
                                   .command = text[6].ptr,
                                   .threads = &thread,
                                   .thread_count = 1,
                                   .fds = &fd,
                                   .fd_count = 1,
                                   .runtime = (enum dump_runtime)(kind % RUNTIME_COUNT),
                                   .runtime_says = text[8].ptr,
                                   .unread = text[6].ptr};
    const struct dump dump = {.title = "our title",
                              .reason = NULL,
                              .processes = &process,
                              .process_count = 1,
                              .tails = &tail,
                              .tail_count = 1,
                              .notes = notes,
                              .note_count = 1};

    check_dump(&dump);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str rest = {(const char *)bytes + (size > 0), size - (size > 0)}, text[TEXTS];
    struct arena arena = {0};

    for (int i = 0; i < TEXTS; i++)
        text[i] = take(&arena, &rest, i == TEXTS - 1);
    check_process(size ? bytes[0] : 0, text);
    arena_release(&arena);
    return 0;
}
