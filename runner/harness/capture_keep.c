/* What is worth keeping gets a name, or a place in the pack. */
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/mem.h"
#include "runner/harness/capture_room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- names ---- */

/* Is it there under this name already? */
static bool is_named(const struct capture_room *room, const struct capture_file *file, const char *path)
{
    struct stat named, st;

    return fstatat(room->run, path, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(file->fd, &st) == 0 &&
           named.st_ino == st.st_ino && named.st_dev == st.st_dev;
}

/* The way through /proc is everybody's; the other is for where /proc is not, and asks for a capability. */
static int link_nameless(const struct capture_room *room, const struct capture_file *file, const char *path)
{
    char name[32];

    snprintf(name, sizeof name, "/proc/self/fd/%d", file->fd);
    if (linkat(AT_FDCWD, name, room->run, path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    return errno == EEXIST ? -1 : linkat(file->fd, "", room->run, path, AT_EMPTY_PATH);
}

static int give_name(const struct capture_room *room, struct capture_file *file, const char *path)
{
    if (!file->spare[0])
        return link_nameless(room, file, path);
    if (renameat(room->spares, file->spare, room->run, path) < 0)
        return -1;
    file->spare[0] = '\0';
    return 0;
}

/* All that is in it now; the offset that we share with the case is left alone. */
static int copy_all(int from, int to)
{
    off_t at = 0;
    ssize_t sent;

    do
        sent = sendfile(to, from, &at, (size_t)1 << 30);
    while (sent > 0);
    return (int)sent;
}

static int keep_copy(const struct capture_room *room, const struct capture_file *file, const char *path)
{
    int to, result;

    if (unlinkat(room->run, path, 0) < 0 && errno != ENOENT)
        return -1;
    to = openat(room->run, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (to < 0)
        return -1;
    result = copy_all(file->fd, to);
    fd_close(&to);
    if (result < 0) {
        int saved = errno;

        unlinkat(room->run, path, 0);
        errno = saved;
    }
    return result;
}

int capture_keep(struct capture_room *room, struct capture_file *file, const char *path)
{
    int result;

    file->named = true;
    if (is_named(room, file, path))
        return 0;
    result = give_name(room, file, path);
    if (result < 0 && errno == ENOENT && dir_make_parents(room->run, path, 0777) == 0)
        result = give_name(room, file, path);
    if (result < 0 && errno == EEXIST && unlinkat(room->run, path, 0) == 0)
        result = give_name(room, file, path);
    return result < 0 ? keep_copy(room, file, path) : 0;
}

void capture_unkeep(struct capture_room *room, const char *path)
{
    char *name = strdup(path);
    char *slash;

    if (!name)
        mem_exhausted(strlen(path) + 1);
    for (int flags = 0; unlinkat(room->run, name, flags) == 0 && (slash = strrchr(name, '/'));
         flags = AT_REMOVEDIR)
        *slash = '\0';
    free(name);
}

/* ---- the pack ---- */

/* A run that is resumed goes on behind what is there. */
static int open_pack(struct capture_room *room)
{
    struct stat st;

    room->pack = openat(room->run, LAYOUT_PACK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (room->pack < 0)
        return -1;
    if (fstat(room->pack, &st) < 0) {
        fd_close(&room->pack);
        return -1;
    }
    room->pack_end = (uint64_t)st.st_size;
    room->pack_buffer = mem_alloc(CAPTURE_PACK_MOST);
    return 0;
}

/* All of it or nothing: what a write that failed half way has left is overwritten by the next. */
static bool append(struct capture_room *room, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t written = pwrite(room->pack, bytes + done, size - done, (off_t)(room->pack_end + done));

        if (written <= 0) {
            errno = written < 0 ? errno : ENOSPC;
            return false;
        }
        done += (size_t)written;
    }
    room->pack_end += size;
    return true;
}

bool capture_pack(struct capture_room *room, struct capture_file *file, uint64_t *offset)
{
    uint64_t size = capture_size(file);
    ssize_t got;

    *offset = 0;
    if (size == 0)
        return true;
    if (size > CAPTURE_PACK_MOST) {
        errno = EFBIG;
        return false;
    }
    if (room->pack < 0 && open_pack(room) < 0)
        return false;
    got = pread(file->fd, room->pack_buffer, size, 0);
    if (got < 0)
        return false;
    *offset = room->pack_end;
    return append(room, room->pack_buffer, (size_t)got);
}
