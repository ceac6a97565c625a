#include "runner/leaks/internal.h"

#include "runner/base/installed.h"
#include "runner/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAPS_MOST ((size_t)8 << 20) /* a process may map 65530 things */
#define DELETED   " (deleted)"

int holdings_open(struct proc_id id)
{
    int fd = proc_folder(id.pid);

    /* From here on it answers ESRCH rather than become another's: so it is this one, or none. */
    if (fd >= 0 && !proc_is(id)) {
        fd_close(&fd);
        errno = ESRCH;
    }
    return fd;
}

static bool is_removed(struct str path)
{
    return str_ends(path, DELETED);
}

/* What a link of /proc/PID/fd or a line of maps calls by name. False: none of our business. */
static bool is_shared(struct str path, struct holding *holding)
{
    if (str_starts(path, "/memfd:")) {
        holding->kind = HOLDS_MEMORY;
        holding->name = str_slice(path, strlen("/memfd:"), path.len);
        if (is_removed(holding->name))
            holding->name.len -= strlen(DELETED);
        return !str_starts(holding->name, INSTALLED_PYTHON_MEMORY); /* that is ours */
    }
    holding->kind = HOLDS_FILE;
    holding->name = path;
    if (!str_starts(path, SHM_FOLDER "/") || is_removed(path))
        return false; /* without a name it ends with the last that has it */
    holding->name = str_slice(path, strlen(SHM_FOLDER), path.len);
    return true;
}

/* ---- descriptors ---- */

static void look_at_descriptor(int fds, const char *number, holding_fn *each, void *user)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(fds, number, target, sizeof target - 1);
    struct holding holding = {.number = 0};
    struct stat st;

    if (len <= 0)
        return;
    target[len] = '\0';
    if (sscanf(target, "socket:[%" SCNu64 "]", &holding.number) == 1) {
        holding.kind = HOLDS_SOCKET;
        each(user, &holding);
        return;
    }
    if (!is_shared((struct str){target, (size_t)len}, &holding) || fstatat(fds, number, &st, 0) < 0)
        return;
    holding.number = st.st_ino;
    holding.device = st.st_dev;
    each(user, &holding);
}

void descriptors_of(int process, nanos deadline, holding_fn *each, void *user)
{
    int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        fd_close(&fd);
        return;
    }
    for (unsigned seen = 0; (entry = readdir(dir)); seen++) {
        if (seen % 256 == 255 && clock_now() >= deadline)
            break;
        if (entry->d_name[0] != '.')
            look_at_descriptor(dirfd(dir), entry->d_name, each, user);
    }
    closedir(dir);
}

/* ---- mappings ---- */

/* "7f3c5c000000-7f3c5c001000 rw-s 00000000 00:1a 42      /dev/shm/psm_1" */
static void look_at_mapping(const char *line, const char *end, holding_fn *each, void *user)
{
    struct holding holding = {.number = 0};
    unsigned major, minor;
    int name = 0;
    struct str path;

    if (sscanf(line, "%*x-%*x %*4s %*x %x:%x %" SCNu64 " %n", &major, &minor, &holding.number, &name) != 3 ||
        !name || line + name >= end)
        return;
    path = (struct str){line + name, (size_t)(end - line - name)};
    holding.device = makedev(major, minor);
    if (str_starts(path, "/SYSV"))
        holding.kind = HOLDS_OBJECT; /* its inode is the id of the segment */
    else if (!is_shared(path, &holding))
        return;
    each(user, &holding);
}

static void look_at_mappings(int process, nanos deadline, holding_fn *each, void *user)
{
    int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC);
    struct buf maps = {0};
    char *line, *end;

    if (fd >= 0)
        fd_read_all(fd, &maps, MAPS_MOST);
    fd_close(&fd);
    for (line = maps.ptr; line && (end = strchr(line, '\n')) && clock_now() < deadline; line = end + 1) {
        *end = '\0'; /* sscanf measures all that it is given */
        look_at_mapping(line, end, each, user);
    }
    buf_release(&maps);
}

void holdings_of(int process, nanos deadline, holding_fn *each, void *user)
{
    descriptors_of(process, deadline, each, user);
    look_at_mappings(process, deadline, each, user);
}
