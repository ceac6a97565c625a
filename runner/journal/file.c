/* The file behind a journal: whole lines only, with room reserved ahead. */
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/journal/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)

/* ---- open and close ---- */

/* Reads up to `len` bytes that end at `end`; how many, or -1 and errno. */
static ssize_t read_before(int fd, char *bytes, size_t len, uint64_t end)
{
    size_t want = end < len ? (size_t)end : len;
    ssize_t got;

    do
        got = pread(fd, bytes, want, (off_t)(end - want));
    while (got < 0 && errno == EINTR);
    if (got >= 0 && (size_t)got < want) {
        errno = EIO;
        return -1;
    }
    return got;
}

/* Where the last whole line ends. */
static int find_last_line(int fd, uint64_t *end)
{
    char *bytes = mem_alloc(CHUNK);
    ssize_t got = 0;

    while (*end > 0 && (got = read_before(fd, bytes, CHUNK, *end)) > 0) {
        const char *newline = memrchr(bytes, '\n', (size_t)got);

        *end -= (uint64_t)got;
        if (newline) {
            *end += (uint64_t)(newline - bytes) + 1;
            break;
        }
    }
    free(bytes);
    return got < 0 ? -1 : 0;
}

/* A kill may have left half a line behind the last whole one. */
static int find_end(struct journal *journal)
{
    struct stat st;

    if (fstat(journal->fd, &st) < 0)
        return -1;
    journal->size = (uint64_t)st.st_size;
    if (find_last_line(journal->fd, &journal->size) < 0)
        return -1;
    journal->reserved = journal->size;
    return ftruncate(journal->fd, (off_t)journal->size);
}

struct journal *journal_open(int folder, struct faults *faults)
{
    int fd = openat(folder, JOURNAL_NAME, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
    struct journal *journal;

    if (fd < 0)
        return NULL;
    journal = mem_zero(1, sizeof *journal);
    *journal = (struct journal){.fd = fd, .faults = faults, .reserves = true};
    if (find_end(journal) < 0) {
        int saved = errno;

        journal_close(journal);
        errno = saved;
        return NULL;
    }
    return journal;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    /* Gives back what was reserved; when that fails there is nobody it would help to know. */
    if (journal->reserved > journal->size && ftruncate(journal->fd, (off_t)journal->size) < 0)
        journal->torn = true;
    fd_close(&journal->fd);
    buf_release(&journal->line);
    free(journal);
}

/* ---- append ---- */

/* Back to the last whole line. That gives back what was reserved, too. */
static void take_back(struct journal *journal)
{
    int saved = errno;

    journal->torn = ftruncate(journal->fd, (off_t)journal->size) < 0;
    journal->reserved = journal->size;
    if (!journal->torn)
        errno = saved;
}

/* Half a record, as bad luck has it. */
static int write_half(struct journal *journal, int error)
{
    if (fd_write_all(journal->fd, journal->line.ptr, journal->line.len / 2) == 0)
        errno = error;
    return -1;
}

static int write_line(struct journal *journal)
{
    int error;

    if (fault_now(journal->faults, FAULT_DIE_WRITE)) {
        write_half(journal, 0);
        raise(SIGKILL);
    }
    error = fault_errno(journal->faults, FAULT_JOURNAL);
    if (error)
        return write_half(journal, error);
    /* One write. Only a disk that fills up under it takes a part; asked for the rest it says why. */
    return fd_write_all(journal->fd, journal->line.ptr, journal->line.len);
}

int journal_append(struct journal *journal)
{
    if (journal->torn)
        take_back(journal);
    if (journal->torn)
        return -1;
    line_take_out(journal->mask, &journal->line, false);
    buf_addc(&journal->line, '\n');
    if (write_line(journal) < 0) {
        take_back(journal);
        return -1;
    }
    journal->size += journal->line.len;
    return 0;
}

/* ---- room ---- */

static int reserve(struct journal *journal, uint64_t until)
{
    int result;

    do
        result =
            fallocate(journal->fd, FALLOC_FL_KEEP_SIZE, (off_t)journal->size, (off_t)(until - journal->size));
    while (result < 0 && errno == EINTR);
    if (result == 0)
        journal->reserved = until;
    return result;
}

/* Where nothing can be reserved: is there room now? */
static int look_for_room(const struct journal *journal, uint64_t bytes)
{
    struct statvfs fs;
    uint64_t left;

    if (fstatvfs(journal->fd, &fs) < 0)
        return -1;
    left = (uint64_t)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail);
    if (left >= bytes / fs.f_frsize + 1)
        return 0;
    errno = ENOSPC;
    return -1;
}

int journal_room(struct journal *journal, uint32_t records)
{
    uint64_t bytes = records * (uint64_t)JOURNAL_RECORD_MOST, until = journal->size + bytes;

    if (until <= journal->reserved)
        return 0;
    if (journal->reserves) {
        if (reserve(journal, until + JOURNAL_RESERVE) == 0 || reserve(journal, until) == 0)
            return 0;
        if (errno != EOPNOTSUPP && errno != ENOSYS)
            return -1;
        journal->reserves = false;
    }
    return look_for_room(journal, bytes);
}
