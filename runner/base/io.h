/* Descriptors and files: who opens one owns it, and all of them close on exec. */
#ifndef RM_BASE_IO_H
#define RM_BASE_IO_H

#include "runner/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>

/* Close and set to -1; an fd that is -1 already is left alone. errno is kept. */
void fd_close(int *fd);

/*
 * Make sure that 0, 1 and 2 are open (on /dev/null), so that no file of ours lands there. For reading only:
 * output that was closed stays something that cannot be written to.
 */
int fd_guard_stdio(void);

/* As many descriptors as we may have. The limit from now on, 0: not known; `before` (may be NULL): what it was. */
rlim_t fd_raise_limit(struct rlimit *before);

/* Both wait where somebody has made the descriptor non-blocking. */
int fd_write_all(int fd, const void *bytes, size_t len); /* 0, or -1 and errno */
int fd_read_all(int fd, struct buf *out,
                size_t limit); /* EFBIG past `limit` bytes; what was read stays in `out` */

/* A regular file or a stream; 0, or -1 and errno (EFBIG past `limit` bytes, EISDIR for a folder). */
int file_read(const char *path, struct buf *out, size_t limit);
int file_read_at(int folder, const char *path, struct buf *out, size_t limit);
/* The same for what is to be a file and nothing that can keep us waiting: ENOTSUP for a FIFO or a device. */
int file_read_regular(const char *path, struct buf *out, size_t limit);
/* Whole or not at all: a temporary beside it, then rename. What is no file, like a pipe, is written to. */
int file_write(const char *path, struct str content);

/* The same for what is longer than memory should hold: open, write to `fd`, close. 0, or -1 and errno. */
struct file_out {
    int fd;
    char *path, *temporary; /* NULL for what is no file; the file_out's own */
};
int file_out_open(struct file_out *out, const char *path);
/* `whole`: it takes the place of what was there; else nothing is left of it, and errno stays. */
int file_out_close(struct file_out *out, bool whole);

/* Flush, and say whether all that was written got out: a full disk or a closed pipe shows only here. */
int stream_finish(FILE *stream);

#endif
