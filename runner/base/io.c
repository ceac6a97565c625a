#include "runner/base/io.h"

#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK       ((size_t)64 << 10)
#define NAMES_TRIED 100

void fd_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd); /* not again on EINTR: Linux has closed it, and the number may be another's by now */
    *fd = -1;
    errno = saved;
}

int fd_guard_stdio(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            return -1;
    return 0;
}

/* Whether a call that failed is worth another try; waits where somebody has made the descriptor non-blocking. */
static bool try_again(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};

    if (errno == EINTR)
        return true;
    if (errno != EAGAIN)
        return false;
    return poll(&poll_fd, 1, -1) >= 0 || errno == EINTR;
}

int fd_write_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t written = write(fd, at, len);

        if (written < 0 && !try_again(fd, POLLOUT))
            return -1;
        if (written > 0) {
            at += written;
            len -= (size_t)written;
        }
    }
    return 0;
}

/* One read; 1, 0 at the end, or -1 and errno. */
static int read_some(int fd, struct buf *out)
{
    ssize_t got;

    buf_reserve(out, CHUNK);
    do
        got = read(fd, out->ptr + out->len, CHUNK);
    while (got < 0 && try_again(fd, POLLIN));
    if (got > 0)
        out->len += (size_t)got;
    out->ptr[out->len] = '\0';
    return got > 0 ? 1 : (int)got;
}

int fd_read_all(int fd, struct buf *out, size_t limit)
{
    size_t before = out->len;
    int more;

    while ((more = read_some(fd, out)) > 0) {
        if (out->len - before > limit) {
            errno = EFBIG;
            return -1;
        }
    }
    return more;
}

rlim_t fd_raise_limit(struct rlimit *before)
{
    struct rlimit limit, raised;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (before)
        *before = limit;
    raised = (struct rlimit){limit.rlim_max, limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

static int read_opened(int fd, struct buf *out, size_t limit)
{
    int result;

    if (fd < 0)
        return -1;
    result = fd_read_all(fd, out, limit);
    fd_close(&fd);
    return result;
}

int file_read(const char *path, struct buf *out, size_t limit)
{
    return read_opened(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), out, limit);
}

int file_read_at(int folder, const char *path, struct buf *out, size_t limit)
{
    return read_opened(openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY), out, limit);
}

int file_read_regular(const char *path, struct buf *out, size_t limit)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO would wait for a writer */
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
        fd_close(&fd);
        errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
    }
    return read_opened(fd, out, limit);
}

/* A new file in the folder of `path`, its name in `name`. With the mode that the umask leaves, unlike mkstemp. */
static int open_beside(const char *path, struct buf *name)
{
    const char *slash = strrchr(path, '/');

    for (int i = 0; i < NAMES_TRIED; i++) {
        int fd;

        buf_clear(name);
        buf_add(name, path, slash ? (size_t)(slash - path) + 1 : 0);
        buf_addf(name, ".run-matrix-%ld-%d", (long)getpid(), i);
        fd = open(buf_text(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

/* /dev/stdout may lead to a regular file, and still must not be replaced by one. In /dev/shm there are files. */
static bool is_stream(const char *path)
{
    struct stat st;

    if ((str_starts(str_of(path), "/dev/") && !str_starts(str_of(path), "/dev/shm/")) ||
        str_starts(str_of(path), "/proc/"))
        return true;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

/* A link stays one: it is its target that is replaced. */
static char *target_of(const char *path)
{
    char *target = realpath(path, NULL);

    if (!target && !(target = strdup(path)))
        mem_exhausted(strlen(path) + 1);
    return target;
}

int file_out_open(struct file_out *out, const char *path)
{
    struct buf name = {0};

    *out = (struct file_out){.fd = -1};
    if (is_stream(path)) {
        out->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
        return out->fd < 0 ? -1 : 0;
    }
    out->path = target_of(path);
    out->fd = open_beside(out->path, &name);
    out->temporary = name.ptr;
    if (out->fd >= 0)
        return 0;
    free(out->path);
    free(out->temporary);
    return -1;
}

int file_out_close(struct file_out *out, bool whole)
{
    int saved = errno, result = whole ? 0 : -1;

    /* A file system over a network may say only now that it is full. */
    if (close(out->fd) < 0 && errno != EINTR && whole)
        result = -1;
    else if (whole && out->temporary)
        result = rename(out->temporary, out->path);
    if (whole)
        saved = errno;
    if (result < 0 && out->temporary)
        unlink(out->temporary);
    free(out->path);
    free(out->temporary);
    errno = saved;
    return result;
}

int file_write(const char *path, struct str content)
{
    struct file_out out;

    if (file_out_open(&out, path) < 0)
        return -1;
    return file_out_close(&out, fd_write_all(out.fd, content.ptr, content.len) == 0);
}

int stream_finish(FILE *stream)
{
    if (fflush(stream) != 0)
        return -1;
    if (!ferror(stream))
        return 0;
    errno = EIO; /* the write that failed was long ago, its errno is gone */
    return -1;
}
