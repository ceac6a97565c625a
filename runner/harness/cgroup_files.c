/* Reading, writing, walking and removing in cgroupfs. */
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/cgroup_room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUES_SIZE 4096               /* files of lines "key number" have twenty of them */
#define PROCS_MOST  ((size_t)64 << 20) /* there are no more than 4194304 processes */
#define BELOW_MOST  ((size_t)1 << 20)  /* paths of groups not looked at yet */
#define FOLDER      (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int cgroup_put(int folder, const char *file, const char *text)
{
    int fd = openat(folder, file, O_WRONLY | O_CLOEXEC);
    ssize_t put;

    if (fd < 0)
        return -1;
    put = write(fd, text, strlen(text));
    fd_close(&fd);
    return put < 0 ? -1 : 0;
}

uint64_t cgroup_value(int fd, const char *key)
{
    char text[VALUES_SIZE];
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    size_t len = strlen(key);

    if (got < 0)
        return 0;
    text[got] = '\0';
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, len) == 0 && line[len] == ' ')
            return strtoull(line + len, NULL, 10);
    }
    return 0;
}

/* ---- who is in it ---- */

/* Those in a PID namespace that we cannot see into are listed as 0. */
static void add_process(struct proc_ids *out, long pid)
{
    struct proc_stat stat;

    if (pid > 0 && proc_stat_read((pid_t)pid, &stat) == 0)
        proc_ids_add(out, (struct proc_id){.pid = stat.pid, .start_ticks = stat.start_ticks});
}

static void add_processes(int folder, struct proc_ids *out)
{
    int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    struct buf list = {0};
    char *end;

    if (fd < 0)
        return;
    fd_read_all(fd, &list, PROCS_MOST); /* ENODEV: removed meanwhile. What was read counts */
    fd_close(&fd);
    for (const char *at = buf_text(&list); *at; at = end) {
        add_process(out, strtol(at, &end, 10));
        end += *end == '\n';
        if (end == at)
            break;
    }
    buf_release(&list);
}

/* The next group right below an open one; NULL: there is none. */
static const char *next_below(DIR *dir)
{
    const struct dirent *entry;

    while ((entry = readdir(dir)))
        if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return entry->d_name;
    return NULL;
}

static DIR *open_dir(int at, const char *path)
{
    int fd = openat(at, path, FOLDER);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir)
        fd_close(&fd);
    return dir;
}

/* A case that may make groups can make very many: what is past the limit is not looked at. */
static void add_below(DIR *dir, const char *path, struct buf *paths)
{
    const char *name;

    while (paths->len < BELOW_MOST && (name = next_below(dir))) {
        buf_addf(paths, "%s/%s", path, name);
        buf_addc(paths, '\0');
    }
}

void cgroup_procs_below(int folder, struct proc_ids *out)
{
    struct buf paths = {0}, path = {0};

    buf_add(&paths, ".", sizeof ".");
    for (size_t at = 0; at < paths.len; at += path.len + 1) {
        DIR *dir;

        buf_clear(&path);
        buf_adds(&path, paths.ptr + at);
        dir = open_dir(folder, path.ptr);
        if (!dir)
            continue;
        add_processes(dirfd(dir), out);
        add_below(dir, path.ptr, &paths);
        closedir(dir);
    }
    buf_release(&paths);
    buf_release(&path);
}

/* ---- removing ---- */

/* errno is kept. */
static void close_dir(DIR *dir)
{
    int cause = errno;

    if (dir)
        closedir(dir);
    errno = cause;
}

/*
 * Goes down to the innermost first group and says in whose folder it is (NULL: there is nothing below) and
 * its name. Step by step, as groups can be nested deeper than a path can be long.
 */
static DIR *find_innermost(DIR *dir, char name[NAME_MAX + 1])
{
    DIR *parent = NULL;
    const char *below;

    while (dir && (below = next_below(dir))) {
        snprintf(name, NAME_MAX + 1, "%s", below);
        close_dir(parent);
        parent = dir;
        dir = open_dir(dirfd(parent), name);
    }
    close_dir(dir);
    return parent;
}

int cgroup_remove_one(const char *path)
{
    DIR *dir = open_dir(AT_FDCWD, path), *parent;
    char name[NAME_MAX + 1];
    int result;

    if (!dir)
        return errno == ENOENT ? 1 : -1;
    parent = find_innermost(dir, name);
    result = parent ? unlinkat(dirfd(parent), name, AT_REMOVEDIR) : rmdir(path);
    close_dir(parent);
    if (result < 0 && errno != ENOENT)
        return -1;
    return parent ? 0 : 1;
}
