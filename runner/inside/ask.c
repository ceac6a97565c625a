/* Everybody is asked for copies of all his threads. */
#include "runner/inside/internal.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ASKED_MOST 256 /* processes of a case */
#define PAUSE_MOST (5 * NS_PER_MS)

/* One who can be asked. */
struct one {
    pid_t pid; /* as it knows itself */
    bool answered;
};

struct asking {
    int copies, all; /* the folder; what was answered, one after another, as one copy */
    struct one list[ASKED_MOST];
    size_t count, answered;
    uint64_t size;
};

static void name_of(char name[40], const char *word, pid_t pid)
{
    snprintf(name, 40, "%s-%d", word, pid);
}

/* ---- asking ---- */

/* Nobody is waited for: a FIFO that nobody reads cannot be opened so. */
static bool ask_by(int copies, const char *name)
{
    int fd = openat(copies, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    bool asked = fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && write(fd, "?", 1) == 1;

    fd_close(&fd);
    return asked;
}

static void ask_one(struct asking *asking, pid_t pid)
{
    char name[40], whole[40];

    name_of(whole, COPIES_THREADS, pid);
    unlinkat(asking->copies, whole, 0); /* of an earlier time */
    name_of(name, COPIES_ASK, pid);
    if (ask_by(asking->copies, name))
        asking->list[asking->count++] = (struct one){.pid = pid};
}

static void ask_all(struct asking *asking, struct arena *arena)
{
    static const char prefix[] = COPIES_ASK "-";
    struct str *names;
    size_t count;

    if (dir_list(asking->copies, ".", arena, &names, &count) < 0)
        return;
    for (size_t i = 0; i < count && asking->count < ASKED_MOST; i++)
        if (str_starts(names[i], prefix))
            ask_one(asking, (pid_t)strtol(names[i].ptr + strlen(prefix), NULL, 10));
}

/* ---- answers ---- */

/* All but its magic, which stands before the first. */
static void take(struct asking *asking, int fd)
{
    char piece[16384];
    off_t at = sizeof COPY_MAGIC;
    ssize_t got;

    while (asking->size < STACKS_COPY_MOST && (got = pread(fd, piece, sizeof piece, at)) > 0) {
        if (fd_write_all(asking->all, piece, (size_t)got) < 0)
            return;
        at += got;
        asking->size += (uint64_t)got;
    }
}

static bool has_magic(int fd)
{
    char magic[sizeof COPY_MAGIC];

    return pread(fd, magic, sizeof magic, 0) == sizeof magic && memcmp(magic, COPY_MAGIC, sizeof magic) == 0;
}

static void look_for(struct asking *asking, struct one *one)
{
    char name[40];
    int fd;

    name_of(name, COPIES_THREADS, one->pid);
    fd = inside_open_copy(asking->copies, name);
    if (fd < 0)
        return;
    if (has_magic(fd))
        take(asking, fd);
    close(fd);
    one->answered = true;
    asking->answered++;
}

static void wait_for_all(struct asking *asking, nanos until)
{
    struct timespec pause = {.tv_nsec = NS_PER_MS};

    for (;;) {
        for (size_t i = 0; i < asking->count; i++)
            if (!asking->list[i].answered)
                look_for(asking, &asking->list[i]);
        if (asking->answered == asking->count || clock_now() >= until)
            return;
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < PAUSE_MOST)
            pause.tv_nsec *= 2;
    }
}

/* ---- as they are called here ---- */

static pid_t number_in_itself(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    return proc_number_within(path);
}

/* Of one that lives in a namespace: which thread here calls itself so there. */
static void rename_threads(struct stack_process *process, struct stack_thread *threads, struct arena *arena)
{
    struct str *names;
    size_t count;
    const char *folder = arena_printf(arena, "/proc/%d/task", process->id.pid);

    if (dir_list(AT_FDCWD, folder, arena, &names, &count) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(arena, "%s/%.*s/status", folder, STR_ARG(names[i]));
        pid_t inside = proc_number_within(path);

        for (uint32_t t = 0; inside && t < process->thread_count; t++)
            if (process->threads[t].tid == inside)
                threads[t].tid = (pid_t)strtol(names[i].ptr, NULL, 10);
    }
}

static const struct proc_id *find(const struct proc_id *list, size_t count, struct proc_id told)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].start_ticks == told.start_ticks &&
            (list[i].pid == told.pid || number_in_itself(list[i].pid) == told.pid))
            return &list[i];
    return NULL;
}

/* What a copy says of whose it is may be anything: nobody is in it who was not asked for. */
static struct stack_process call_by(const struct stack_process *told, const struct proc_id *id,
                                    struct arena *arena)
{
    struct stack_process process = *told;
    struct stack_thread *threads = ARENA_ARRAY(arena, struct stack_thread, told->thread_count);

    process.id = *id;
    if (told->thread_count)
        memcpy(threads, told->threads, told->thread_count * sizeof *threads);
    if (id->pid != told->id.pid)
        rename_threads(&process, threads, arena);
    process.threads = threads;
    return process;
}

static void keep_known(struct stacks *out, struct arena *arena, const struct proc_id *list, size_t count)
{
    struct stack_process *known = ARENA_ARRAY(arena, struct stack_process, out->process_count);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < out->process_count; i++) {
        const struct proc_id *id = find(list, count, out->processes[i].id);

        if (id)
            known[kept++] = call_by(&out->processes[i], id, arena);
    }
    out->processes = known;
    out->process_count = kept;
}

/* ---- the whole ---- */

static void unwind(struct asking *asking, struct stacks *out, struct arena *arena,
                   const struct stacks_wants *wants)
{
    if (lseek(asking->all, 0, SEEK_SET) == 0)
        stacks_of_copy(out, arena, asking->all, wants);
}

static const char *why_none(const struct asking *asking)
{
    if (!asking->count)
        return "timeout-method is thread, and nobody of it is there who could be asked";
    return asking->answered ? NULL : "timeout-method is thread, and it did not answer in time";
}

void inside_ask(struct stacks *out, struct arena *arena, int folder, const struct proc_id *list, size_t count,
                const struct stacks_wants *wants)
{
    struct asking *asking = ARENA_NEW(arena, struct asking);

    *out = (struct stacks){0};
    asking->copies = inside_open(folder);
    asking->all = memfd_create("copies", MFD_CLOEXEC);
    if (asking->copies >= 0 && asking->all >= 0 &&
        fd_write_all(asking->all, COPY_MAGIC, sizeof COPY_MAGIC) == 0) {
        ask_all(asking, arena);
        wait_for_all(asking, wants->copy_by);
    }
    out->why_not = why_none(asking);
    if (!out->why_not) {
        unwind(asking, out, arena, wants);
        keep_known(out, arena, list, count);
    }
    fd_close(&asking->copies);
    fd_close(&asking->all);
}

void inside_forget(int folder)
{
    dir_remove(folder, COPIES_FOLDER);
}
