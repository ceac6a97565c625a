/* A report on disk is there whole or not at all, however long it is: a temporary beside it, then rename. */
#include "runner/report/internal.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_TRIED 100

static int write_to(const struct report *report, const struct report_input *input, int fd)
{
    struct report_sink sink;

    report_sink_open(&sink, fd);
    report->write(input, &sink);
    errno = report_sink_close(&sink);
    return errno ? -1 : 0;
}

/* Closes it too. A file system over a network may say only then that it is full. */
static int write_and_close(const struct report *report, const struct report_input *input, int *fd)
{
    int result = write_to(report, input, *fd);

    if (result < 0)
        fd_close(fd);
    else if (close(*fd) < 0 && errno != EINTR)
        result = -1;
    *fd = -1;
    return result;
}

static int open_beside(const char *path, struct buf *name)
{
    const char *slash = strrchr(path, '/');

    for (int i = 0; i < NAMES_TRIED; i++) {
        int fd;

        buf_clear(name);
        buf_add(name, path, slash ? (size_t)(slash - path) + 1 : 0);
        buf_addf(name, ".run-matrix-report-%ld-%d", (long)getpid(), i);
        fd = open(buf_text(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static int write_file(const struct report *report, const struct report_input *input, const char *path)
{
    struct buf name = {0};
    int fd = open_beside(path, &name);
    bool made = fd >= 0;
    int result = made ? write_and_close(report, input, &fd) : -1;

    if (result == 0)
        result = rename(buf_text(&name), path);
    if (result < 0 && made) {
        int saved = errno;

        unlink(buf_text(&name));
        errno = saved;
    }
    buf_release(&name);
    return result;
}

/* A pipe, /dev/stdout, a terminal: what must not be replaced by a file. */
static bool is_stream(const char *path)
{
    struct stat st;

    if (str_starts(str_of(path), "/dev/") || str_starts(str_of(path), "/proc/"))
        return true;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int report_write(const struct report *report, const struct report_input *input, const char *path)
{
    char *target;
    int result;

    if (str_is(str_of(path), "-"))
        return write_to(report, input, STDOUT_FILENO);
    if (is_stream(path)) {
        int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);

        return fd < 0 ? -1 : write_and_close(report, input, &fd);
    }
    dir_make_parents(AT_FDCWD, path, 0777); /* what cannot be made is found out below */
    target = realpath(path, NULL);          /* a link stays one */
    result = write_file(report, input, target ? target : path);
    free(target);
    return result;
}
