/* The file of a soak, by whomever: it is refused, or told of within bounds. Its heads are right, so that more is looked at. */
#include "runner/soak/result.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What follows the fixed head is the fuzzer's, as far as it goes. */
struct input {
    uint8_t count, copies, text_size, below, at_high, at_low;
};

static char *make_file(const uint8_t *bytes, size_t size, size_t *all)
{
    struct state_fixed fixed = {.magic = STATE_MAGIC, .version = STATE_VERSION, .verdicts = VERDICT_COUNT};
    struct input input;
    struct state_head *head;
    size_t room, at;
    char *file;

    memcpy(&input, bytes, sizeof input);
    bytes += sizeof input;
    size -= sizeof input;
    fixed.count = input.count % 8U + 1;
    fixed.copies = input.copies % 3U + 1;
    fixed.text_size = input.text_size;
    fixed.below = input.below / 300.0;
    fixed.confidence = 0.95;
    *all = state_size(&fixed);
    file = mem_zero(1, *all);
    head = (struct state_head *)(void *)file;
    head->fixed = fixed;
    head->fixed_digest = state_digest(&fixed);
    /* Half of it becomes the text, which is last; the other half stands anywhere. */
    room = size / 2 < fixed.text_size ? size / 2 : fixed.text_size;
    memcpy(file + *all - fixed.text_size, bytes, room);
    at = sizeof head->fixed + sizeof head->fixed_digest +
         (size_t)(input.at_high << 8 | input.at_low) % (*all - sizeof *head);
    if (size - room > *all - at)
        size = *all - at + room;
    memcpy(file + at, bytes + room, size - room);
    return file;
}

static void check(int folder, struct arena *arena)
{
    struct diags diags = {.arena = arena};
    const struct soak_result *result = soak_read(folder, "here", arena, &diags);
    struct buf text = {0};

    if (!result != (diags.errors == 1))
        abort();
    if (result) {
        soak_result_text(result, false, 1, &text);
        for (size_t i = 0; i < text.len; i++)
            if ((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\n')
                abort();
        buf_clear(&text);
        soak_result_json(result, &text);
        if (memchr(text.ptr, '\n', text.len))
            abort();
    }
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char folder_path[] = "/dev/shm/fuzz_soak-XXXXXX";
    struct arena arena = {0};
    char path[64], *file;
    int folder, fd;
    size_t all;

    if (size < sizeof(struct input) || !mkdtemp(folder_path))
        return 0;
    file = make_file(bytes, size, &all);
    snprintf(path, sizeof path, "%s/%s", folder_path, SOAK_STATE_NAME);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, file, all) != (ssize_t)all)
        abort();
    close(fd);
    folder = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(folder, &arena);
    close(folder);
    unlink(path);
    rmdir(folder_path);
    arena_release(&arena);
    free(file);
    return 0;
}
