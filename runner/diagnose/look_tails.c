#include "runner/diagnose/look.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* From the beginning of a line, where there is one in it: what stands before was cut somewhere. */
static struct str whole_lines(struct str text)
{
    const char *end = text.len > 1 ? memchr(text.ptr, '\n', text.len - 1) : NULL;

    return end ? str_slice(text, (size_t)(end + 1 - text.ptr), text.len) : text;
}

static struct str end_of(struct look *look, int fd, uint64_t size)
{
    char bytes[DUMP_TAIL_MOST];
    uint64_t from = size > sizeof bytes ? size - sizeof bytes : 0;
    ssize_t got = pread(fd, bytes, sizeof bytes, (off_t)from);
    struct str text = {bytes, got > 0 ? (size_t)got : 0};

    return arena_str(look->arena, from ? whole_lines(text) : text);
}

static void take(struct look *look, const struct dump_output *output, struct dump_tail *tail)
{
    struct stat st;

    tail->name = output->name ? arena_cstr(look->arena, str_of(output->name)) : NULL;
    tail->path = output->path ? arena_cstr(look->arena, str_of(output->path)) : NULL;
    /* Of a pipe or a terminal we would take what is for others. */
    if (fstat(output->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    tail->size = (uint64_t)st.st_size;
    tail->text = end_of(look, output->fd, tail->size);
}

void look_tails(struct look *look)
{
    const struct dump_wants *wants = look->taking->wants;
    struct dump_tail *tails = ARENA_ARRAY(look->arena, struct dump_tail, wants->output_count);

    for (size_t i = 0; i < wants->output_count; i++)
        take(look, &wants->outputs[i], &tails[i]);
    look->dump->tails = tails;
    look->dump->tail_count = (uint32_t)wants->output_count;
}
