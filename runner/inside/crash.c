/* A copy that was left by who crashed. */
#include "runner/inside/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int inside_open(int folder)
{
    return openat(folder, COPIES_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int inside_open_copy(int copies, const char *name)
{
    int fd = openat(copies, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

static int open_crash(int folder, pid_t pid)
{
    int copies = inside_open(folder), fd;
    char name[40];

    if (copies < 0)
        return -1;
    snprintf(name, sizeof name, COPIES_CRASH "-%d", pid);
    fd = inside_open_copy(copies, name);
    close(copies);
    return fd;
}

bool inside_has_crash(int folder, pid_t pid)
{
    int fd = open_crash(folder, pid);
    bool is = fd >= 0;

    fd_close(&fd);
    return is;
}

static bool has_frames(const struct stacks *stacks)
{
    return stacks->process_count && stacks->processes[0].thread_count &&
           stacks->processes[0].threads[0].frame_count;
}

/* The first reason that there is, from the outermost. */
static const char *why_none(const struct stacks *stacks)
{
    if (stacks->why_not)
        return stacks->why_not;
    if (!stacks->process_count)
        return "there is nobody in its copy";
    if (stacks->processes[0].why_not)
        return stacks->processes[0].why_not;
    if (!stacks->processes[0].thread_count)
        return "there is no thread in its copy";
    return stacks->processes[0].threads[0].why_not ? stacks->processes[0].threads[0].why_not
                                                   : "it has no functions";
}

bool inside_crash(struct stacks *out, struct arena *arena, int folder, pid_t pid,
                  const struct stacks_wants *wants)
{
    int fd = open_crash(folder, pid);

    *out = (struct stacks){0};
    if (fd < 0)
        return false;
    stacks_of_copy(out, arena, fd, wants);
    close(fd);
    if (has_frames(out))
        return true;
    out->why_not = why_none(out);
    return false;
}
