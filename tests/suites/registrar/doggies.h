/* What the tests of a registrar share: a barrier, and who waits behind it. */
#ifndef TESTS_DOGGIES_H
#define TESTS_DOGGIES_H

#include <run_matrix.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A file that its maker has locked: all who come to it go on in the moment it is closed. */
struct barrier {
    char path[200];
    int fd;
};

static inline void barrier_close(struct barrier *barrier)
{
    snprintf(barrier->path, sizeof barrier->path, "%s/barrier", mx_tmpdir());
    barrier->fd = ASSERT_OK(open(barrier->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_OK(flock(barrier->fd, LOCK_EX));
}

static inline void barrier_open(struct barrier *barrier)
{
    close(barrier->fd);
}

static inline void barrier_await(const char *path)
{
    int fd = ASSERT_OK(open(path, O_RDWR | O_CLOEXEC));

    ASSERT_OK(flock(fd, LOCK_SH));
    close(fd);
}

static inline void says(struct mx_peer *peer, const char *text)
{
    ASSERT(mx_send(peer, text, strlen(text)));
}

static inline const char *hears(struct mx_peer *peer)
{
    struct mx_message message = mx_receive(peer, "30s");

    ASSERT_EQ(message.heard, MX_HEARD);
    return message.bytes;
}

#endif
