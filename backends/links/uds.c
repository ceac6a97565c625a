#include "backends/links/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FOLDER_NAME "mx-XXXXXX"
#define FILE_NAME   "s"

/* The folder that it is in, to be put before a name of it: "" or with its slash. */
static size_t folder_length(const char *path)
{
    return (size_t)(strrchr(path, '/') - path) + 1;
}

static void folder_of(const char *path, char folder[SOCKET_PATH_SIZE])
{
    size_t length = folder_length(path);

    memcpy(folder, path, length);
    folder[length] = '\0';
}

/* ---- taking a place ---- */

/*
 * Who looks whether somebody listens at a path, and replaces what is there, is alone in that: he has claimed it by the
 * name of an abstract socket, which goes with him. So nobody's file is taken away between its making and its use. -1 and
 * errno; EADDRINUSE: somebody is at it.
 */
static int claim(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char folder[SOCKET_PATH_SIZE];
    struct stat st;
    int fd, length;

    folder_of(path, folder);
    if (stat(folder, &st) < 0 || (fd = way_socket(AF_UNIX)) < 0)
        return -1;
    /* A name that is too long is cut off: two that are alike may be in one another's way for this moment. */
    length =
        snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "run-matrix/link/%llx:%llx/%s",
                 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, path + folder_length(path));
    if ((size_t)length > sizeof name.sun_path - 1)
        length = sizeof name.sun_path - 1;
    if (bind(fd, (struct sockaddr *)&name,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) < 0)
        fd_close(&fd);
    return fd;
}

/* What is there is a socket that nobody answers at: it goes. -1: it stays, EADDRINUSE, or whatever is in the way. */
static int clear(const char *path, const struct endpoint *endpoint)
{
    struct stat asked, there;
    int error;

    if (lstat(path, &asked) < 0)
        return errno == ENOENT ? 0 : -1;
    error = S_ISSOCK(asked.st_mode) ? endpoint_try(endpoint) : EADDRINUSE;
    if (error != ECONNREFUSED && error != ENOENT) {
        errno = error == EACCES || error == EPERM ? error : EADDRINUSE;
        return -1;
    }
    if (lstat(path, &there) < 0)
        return errno == ENOENT ? 0 : -1;
    if (there.st_dev != asked.st_dev || there.st_ino != asked.st_ino) {
        errno = EADDRINUSE;
        return -1;
    }
    return unlink(path);
}

static int listen_at(struct listener *listener, const struct sockaddr_un *at)
{
    struct stat st;
    int fd = way_socket(AF_UNIX);

    if (fd < 0)
        return -1;
    /* The file is made with the mode of the socket: it is ours alone from its first moment. */
    if (fchmod(fd, S_IRUSR | S_IWUSR) < 0 || bind(fd, (const struct sockaddr *)at, sizeof *at) < 0) {
        fd_close(&fd);
        return -1;
    }
    if (listen(fd, WAITING_MOST) < 0 || lstat(at->sun_path, &st) < 0) {
        unlink(at->sun_path);
        fd_close(&fd);
        return -1;
    }
    memcpy(listener->path, at->sun_path, sizeof listener->path);
    listener->device = st.st_dev;
    listener->inode = st.st_ino;
    return fd;
}

static int open_at(struct listener *listener, const struct endpoint *endpoint)
{
    const struct sockaddr_un *at = (const struct sockaddr_un *)endpoint->at;
    int claimed = claim(at->sun_path), fd = -1;

    if (claimed < 0)
        return -1;
    if (clear(at->sun_path, endpoint) == 0)
        fd = listen_at(listener, at);
    fd_close(&claimed);
    return fd;
}

static int open_below(struct listener *listener, const char *folder)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char own[SOCKET_PATH_SIZE];
    int fd = -1;

    if ((size_t)snprintf(at.sun_path, sizeof at.sun_path, "%s/%s/%s", folder, FOLDER_NAME, FILE_NAME) >=
        sizeof at.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    folder_of(at.sun_path, own);
    own[strlen(own) - 1] = '\0'; /* of its slash: the name is to end in what is replaced */
    if (!mkdtemp(own))
        return -1;
    memcpy(at.sun_path, own, strlen(own));
    if (chmod(own, S_IRWXU) == 0) /* whatever the umask is */
        fd = listen_at(listener, &at);
    if (fd < 0) {
        int saved = errno;

        rmdir(own);
        errno = saved;
    }
    listener->owns_folder = fd >= 0;
    return fd;
}

/* The number of the file is nobody else's as long as its socket is open. */
static void remove_own(const struct listener *listener)
{
    char folder[SOCKET_PATH_SIZE];
    struct stat st;

    if (lstat(listener->path, &st) == 0 && st.st_dev == listener->device && st.st_ino == listener->inode)
        unlink(listener->path);
    if (!listener->owns_folder)
        return;
    folder_of(listener->path, folder);
    rmdir(folder); /* what somebody else has put there keeps it */
}

/* ---- what it is ---- */

static void url(const struct listener *listener, struct buf *out)
{
    buf_addf(out, "unix://%s", listener->path);
}

static bool is_welcome(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid();
}

static void prepare(int fd)
{
    (void)fd;
}

const struct way way_uds = {AF_UNIX, open_below, open_at, remove_own, url, is_welcome, prepare};
