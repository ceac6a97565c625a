/* What a C test says may be anything: it is read to its end, and nothing is told that is not there. */
#include "runner/base/buf.h"
#include "runner/said/said.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

static void look_at(const struct said *said)
{
    volatile size_t sum = said->skip.len;

    if (said->kept_count > SAID_KEPT_MOST)
        abort();
    for (uint32_t i = 0; i < said->kept_count; i++) {
        const struct said_line *line = &said->kept[i];

        if (line->kind == SAID_SKIP || line->kind == SAID_PHASE || line->pid < 0)
            abort();
        for (size_t b = 0; b < line->words.len; b++)
            sum += (unsigned char)line->words.ptr[b];
        for (size_t b = 0; b < line->file.len; b++)
            sum += (unsigned char)line->file.ptr[b];
    }
    if ((said->failures || said->errors) && !said->kept_count)
        abort();
    for (int phase = 0; phase < SAID_PHASE_COUNT; phase++)
        if (said->began[phase] < 0)
            abort();
    (void)sum;
}

static void part(void *user, const struct said_part *part)
{
    unsigned *count = user;

    if (!part->phase || part->phase >= SAID_PHASE_COUNT || part->at < 0 || part->timeout < -1 ||
        !memchr(part->of, 0, sizeof part->of))
        abort();
    ++*count;
}

/* In two pieces, as it is found while it is being written: together they tell as much as at once. */
static void follow(const unsigned char *bytes, size_t size)
{
    char folder[] = "/tmp/rm-fuzz-said-XXXXXX";
    struct said_cursor pieces = {0}, whole = {0};
    unsigned in_pieces = 0, at_once = 0;
    size_t half = size / 2;
    int dir, fd;

    if (!mkdtemp(folder))
        return;
    dir = open(folder, O_DIRECTORY | O_CLOEXEC);
    fd = openat(dir, SAID_NAME, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (write(fd, bytes, half) == (ssize_t)half) {
        said_follow(dir, &pieces, part, &in_pieces);
        if (write(fd, bytes + half, size - half) == (ssize_t)(size - half))
            said_follow(dir, &pieces, part, &in_pieces);
        said_follow(dir, &whole, part, &at_once);
        if (size <= SAID_LINE_MOST && in_pieces != at_once)
            abort();
    }
    close(fd);
    said_forget(dir);
    close(dir);
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct arena arena = {0};
    struct said said;

    said_parse((struct str){(const char *)bytes, size}, &arena, &said);
    look_at(&said);
    arena_release(&arena);
    follow(bytes, size);
    return 0;
}
