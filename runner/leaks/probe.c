#include "runner/leaks/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

bool file_look(int at, const char *path, struct file_facts *facts)
{
    struct statx stx;

    if (statx(at, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
              STATX_BASIC_STATS | STATX_BTIME, &stx) < 0)
        return false;
    *facts = (struct file_facts){
        .mode = stx.stx_mode,
        .uid = stx.stx_uid,
        .device = makedev(stx.stx_dev_major, stx.stx_dev_minor),
        .inode = stx.stx_ino,
        .is_mount = stx.stx_attributes & STATX_ATTR_MOUNT_ROOT,
    };
    if (stx.stx_mask & STATX_BTIME)
        facts->born = stx.stx_btime.tv_sec * NS_PER_S + stx.stx_btime.tv_nsec;
    return true;
}

bool path_straighten(struct buf *path)
{
    const char *slash = strrchr(buf_text(path), '/');
    struct buf folder = {0}, name = {0};
    char *real;

    if (!slash)
        return false;
    buf_add(&folder, path->ptr, slash == path->ptr ? 1 : (size_t)(slash - path->ptr));
    buf_adds(&name, slash);
    real = realpath(buf_text(&folder), NULL);
    buf_clear(path);
    buf_addf(path, "%s%s", !real || strcmp(real, "/") == 0 ? "" : real, buf_text(&name));
    buf_release(&folder);
    buf_release(&name);
    free(real);
    return real != NULL;
}

/*
 * A datagram socket reaches whatever kind is bound there: of another kind the kernel says EPROTOTYPE, of the
 * same it connects without a word to the other side. So nobody has to accept us, and one that is bound but
 * does not listen yet is seen too. By the descriptor, for a path may be longer than an address.
 */
static enum held connect_to(int file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    enum held held = HELD_BY_SOMEBODY;

    if (fd < 0)
        return held;
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED)
        held = HELD_BY_NOBODY;
    fd_close(&fd);
    return held;
}

enum held socket_probe(int at, const char *path)
{
    int file = openat(at, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    enum held held = HELD_GONE;
    struct stat st;

    if (file < 0)
        return HELD_GONE;
    if (fstat(file, &st) == 0 && S_ISSOCK(st.st_mode))
        held = connect_to(file);
    fd_close(&file);
    return held;
}

/*
 * A lease for writing is given only to who alone has the file open, and a mapping keeps it open. Somebody
 * who opens it in the moment of the lease waits until we close; we are told by a signal, which is made one
 * that is ignored unless somebody wants it.
 */
enum held file_probe(int at, const char *path)
{
    int fd = openat(at, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    enum held held = HELD_UNKNOWN;
    struct stat st;

    if (fd < 0)
        return errno == ENOENT ? HELD_GONE : HELD_UNKNOWN;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        held = HELD_GONE;
    else if (fcntl(fd, F_SETSIG, SIGURG) == 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
        held = HELD_BY_NOBODY;
    else if (errno == EAGAIN)
        held = HELD_BY_SOMEBODY;
    fd_close(&fd);
    return held;
}
