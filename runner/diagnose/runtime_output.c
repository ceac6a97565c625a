/*
 * Answers that are printed: where they begin in the run's outputs, and how far they have come. Whatever else is printed
 * meanwhile is there too.
 */
#include "runner/diagnose/runtime.h"

#include "runner/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t output_count(const struct asked *asked)
{
    size_t count = asked->asking->taking->wants->output_count;

    return count < RUNTIME_OUTPUTS ? (uint32_t)count : RUNTIME_OUTPUTS;
}

static int file_of(const struct asked *asked, uint32_t output)
{
    return asked->asking->taking->wants->outputs[output].fd;
}

static uint64_t size_of(const struct asked *asked, uint32_t output)
{
    struct stat st;

    return fstat(file_of(asked, output), &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* A pipe or a terminal that we have too has one of our relays behind it, which writes what comes into the outputs. */
static bool is_relayed(const struct stat *theirs)
{
    DIR *folder = S_ISFIFO(theirs->st_mode) || S_ISCHR(theirs->st_mode) ? opendir("/proc/self/fd") : NULL;
    const struct dirent *entry;
    bool found = false;
    struct stat ours;

    while (folder && !found && (entry = readdir(folder)))
        found = atoi(entry->d_name) > STDERR_FILENO && fstatat(dirfd(folder), entry->d_name, &ours, 0) == 0 &&
                same_file(theirs, &ours);
    if (folder)
        closedir(folder);
    return found;
}

bool marks_watch(struct asked *asked, int fd)
{
    uint32_t count = output_count(asked);
    char path[64];
    struct stat theirs, ours;

    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)asked->process->id.pid, fd);
    if (stat(path, &theirs) < 0)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (fstat(file_of(asked, i), &ours) == 0 && same_file(&theirs, &ours))
            asked->marks.watched |= 1u << i;
    if (!asked->marks.watched && is_relayed(&theirs))
        asked->marks.watched = (1u << count) - 1;
    return asked->marks.watched != 0;
}

void marks_take(struct asked *asked)
{
    for (uint32_t i = 0; i < output_count(asked); i++)
        asked->marks.from[i] = asked->marks.seen[i] = size_of(asked, i);
}

bool marks_moved(struct asked *asked)
{
    bool moved = false;

    for (uint32_t i = 0; i < output_count(asked); i++) {
        uint64_t size = asked->marks.watched & 1u << i ? size_of(asked, i) : 0;

        moved |= size > asked->marks.seen[i];
        if (size > asked->marks.seen[i])
            asked->marks.seen[i] = size;
    }
    if (moved)
        asked_lives(asked);
    return moved;
}

bool marks_read(const struct asked *asked, uint32_t output, struct buf *out)
{
    ssize_t got;

    buf_clear(out);
    if (!(asked->marks.watched & 1u << output))
        return false;
    buf_reserve(out, RUNTIME_ANSWER_MOST);
    while (out->len < RUNTIME_ANSWER_MOST) {
        got = pread(file_of(asked, output), out->ptr + out->len, RUNTIME_ANSWER_MOST - out->len,
                    (off_t)(asked->marks.from[output] + out->len));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        out->len += (size_t)got;
    }
    out->ptr[out->len] = '\0';
    return true;
}

static void add_answer(struct asked *asked, const struct dump_answer *answer)
{
    struct dump_answers *answers = asked->asking->answers;

    if (answers && answers->count < ARRAY_LEN(answers->list))
        answers->list[answers->count++] = *answer;
    else if (answers)
        taking_note(asked->asking->taking,
                    "an answer of %s (pid %ld) stays in its output: there are too many",
                    dump_runtime_words[asked->process->runtime], (long)asked->process->id.pid);
}

void marks_answer(struct asked *asked, uint32_t output, uint64_t from, uint64_t to)
{
    const struct dump_answer answer = {
        .output = output, .from = asked->marks.from[output] + from, .to = asked->marks.from[output] + to};

    add_answer(asked, &answer);
}

/* The lines of a Node are looked for all at once: the first of them says from where on. */
static bool is_looked_for(const struct asked *asked, uint32_t output)
{
    const struct dump_answers *answers = asked->asking->answers;

    for (uint32_t i = 0; answers && i < answers->count; i++)
        if (answers->list[i].output == output && answers->list[i].late == RUNTIME_NODE)
            return asked->process->runtime == RUNTIME_NODE;
    return false;
}

void marks_late(struct asked *asked)
{
    for (uint32_t i = 0; i < RUNTIME_OUTPUTS; i++) {
        const struct dump_answer answer = {.output = i,
                                           .from = asked->marks.from[i],
                                           .to = asked->marks.from[i],
                                           .late = asked->process->runtime};

        if (asked->marks.watched & 1u << i && !is_looked_for(asked, i))
            add_answer(asked, &answer);
    }
}
