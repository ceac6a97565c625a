#include "runner/base/proc.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE      64
#define FILE_MOST      ((size_t)8 << 20) /* of one process: more than the kernel lets an environment grow */
#define ANCESTORS_MOST 10000
#define WALKS_MOST     10

/* A process that has gone shows as ENOENT before we have its file open. */
static int gone(void)
{
    if (errno == ENOENT)
        errno = ESRCH;
    return -1;
}

/* ---- identities ---- */

void proc_ids_add(struct proc_ids *ids, struct proc_id id)
{
    GROW(ids->list, ids->count, ids->cap);
    ids->list[ids->count++] = id;
}

void proc_ids_release(struct proc_ids *ids)
{
    free(ids->list);
    *ids = (struct proc_ids){0};
}

struct proc_id proc_id_of(const struct proc_stat *stat)
{
    return (struct proc_id){stat->pid, stat->start_ticks};
}

struct proc_id proc_identify(pid_t pid)
{
    struct proc_stat stat;

    return (struct proc_id){pid, proc_stat_read(pid, &stat) == 0 ? stat.start_ticks : 0};
}

bool proc_id_equals(struct proc_id a, struct proc_id b)
{
    return a.pid == b.pid && a.start_ticks == b.start_ticks;
}

bool proc_is(struct proc_id id)
{
    struct proc_stat stat;

    return proc_stat_read(id.pid, &stat) == 0 && stat.start_ticks == id.start_ticks;
}

bool proc_stat_is_alive(const struct proc_stat *stat)
{
    return (stat->state != 'Z' && stat->state != 'X') || stat->threads > 1;
}

/* glibc has both calls from 2.36 on. */
int pidfd_of(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int pidfd_signal(int pidfd, int signal)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int proc_open(struct proc_id id)
{
    int fd = id.pid > 0 ? pidfd_of(id.pid) : -1;

    /* Looked at when we have it: the number was its, or is not the one of our descriptor. */
    if (fd >= 0 && proc_is(id))
        return fd;
    if (fd >= 0 || id.pid <= 0)
        errno = ESRCH;
    fd_close(&fd);
    return -1;
}

bool proc_boot_id(char out[40])
{
    struct buf text = {0};
    bool read = file_read("/proc/sys/kernel/random/boot_id", &text, 4096) == 0;
    struct str id = str_trim(buf_str(&text));

    if (read && id.len && id.len < 40)
        snprintf(out, 40, "%.*s", STR_ARG(id));
    else
        read = false;
    buf_release(&text);
    return read;
}

nanos proc_age(const struct proc_stat *stat)
{
    struct timespec now;
    nanos tick = NS_PER_S / sysconf(_SC_CLK_TCK), age;

    clock_gettime(CLOCK_BOOTTIME, &now); /* what start times are counted in: suspended machines age too */
    age = now.tv_sec * NS_PER_S + now.tv_nsec - (nanos)stat->start_ticks * tick;
    return age > 0 ? age : 0;
}

/* ---- relations ---- */

/* The list is read in one go and each of it looked at later: who is somebody else's by then is left out. */
static void add_children(pid_t parent, struct str numbers, struct proc_ids *out)
{
    const char *at = numbers.ptr, *end = numbers.ptr + numbers.len;

    while (at < end) {
        struct proc_stat stat;
        char *next;
        long pid = strtol(at, &next, 10);

        if (next == at)
            return;
        at = next;
        if (proc_stat_read((pid_t)pid, &stat) == 0 && stat.ppid == parent)
            proc_ids_add(out, (struct proc_id){(pid_t)pid, stat.start_ticks});
    }
}

/* False, with errno, when it cannot be read. */
static bool add_children_of_thread(pid_t pid, const char *thread, struct proc_ids *out)
{
    char path[PATH_SIZE];
    struct buf numbers = {0};
    bool read;

    snprintf(path, sizeof path, "/proc/%ld/task/%.20s/children", (long)pid, thread);
    read = file_read(path, &numbers, FILE_MOST) == 0;
    if (read)
        add_children(pid, buf_str(&numbers), out);
    buf_release(&numbers);
    return read;
}

int proc_children(pid_t pid, struct proc_ids *out)
{
    char path[PATH_SIZE];
    const struct dirent *thread;
    struct proc_stat stat;
    bool any = false;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
    dir = opendir(path);
    if (!dir)
        return gone();
    while ((thread = readdir(dir)))
        if (thread->d_name[0] != '.')
            any = add_children_of_thread(pid, thread->d_name, out) || any;
    closedir(dir);
    if (any)
        return 0;
    errno = proc_stat_read(pid, &stat) < 0 ? ESRCH : ENOENT;
    return -1;
}

static bool reach(pid_t wanted, pid_t from, bool *torn)
{
    struct proc_stat stat;

    for (int i = 0; from > 0 && i < ANCESTORS_MOST; i++, from = stat.ppid) {
        if (from == wanted)
            return true;
        if (proc_stat_read(from, &stat) < 0) {
            *torn = errno == ESRCH;
            return false;
        }
    }
    return false;
}

bool proc_is_ancestor(pid_t pid)
{
    bool torn = true;

    /* A link that dies while we walk hands its children on: then the chain is another one. */
    for (int i = 0; torn && i < WALKS_MOST; i++) {
        torn = false;
        if (reach(pid, getpid(), &torn))
            return true;
    }
    return false;
}

/* ---- belongings ---- */

/* The folder of a thread that is alive; -1: there is none. */
static int living_thread(int process)
{
    int tasks = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = -1;
    DIR *dir = tasks < 0 ? NULL : fdopendir(tasks);
    const struct dirent *thread;

    if (!dir) {
        fd_close(&tasks);
        return -1;
    }
    while (found < 0 && (thread = readdir(dir))) {
        char path[PATH_SIZE];
        struct buf line = {0};
        struct proc_stat stat;

        snprintf(path, sizeof path, "%.20s/stat", thread->d_name);
        if (thread->d_name[0] != '.' && file_read_at(dirfd(dir), path, &line, FILE_MOST) == 0 &&
            proc_stat_parse(buf_str(&line), &stat) && !proc_state_is_end(stat.state))
            found = openat(dirfd(dir), thread->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        buf_release(&line);
    }
    closedir(dir);
    return found;
}

int proc_folder(pid_t pid)
{
    char path[PATH_SIZE];
    struct proc_stat stat;
    int process, thread;

    snprintf(path, sizeof path, "/proc/%ld", (long)pid);
    process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0)
        return gone();
    if (proc_stat_read(pid, &stat) < 0 || stat.state != 'Z' || stat.threads <= 1)
        return process;
    thread = living_thread(process);
    if (thread < 0)
        return process;
    close(process);
    return thread;
}

/*
 * Nothing was read: why? A new program's memory is there before its environment is, and an environment that is
 * being filled has no end yet: the program's code is told of last (create_elf_tables). Where it has come since we
 * read, it is to be read again.
 */
static int why_nothing(int at)
{
    struct buf line = {0};
    struct proc_stat stat;
    bool parsed = file_read_at(at, "stat", &line, FILE_MOST) == 0 && proc_stat_parse(buf_str(&line), &stat);

    buf_release(&line);
    if (!parsed || !proc_stat_is_alive(&stat))
        return ESRCH;
    return stat.code_end && stat.env_end && stat.env_end == stat.env_start ? 0 : EAGAIN;
}

int proc_environ(pid_t pid, struct buf *out)
{
    int at = proc_folder(pid), error = 0;
    size_t before = out->len;

    if (at < 0)
        return -1;
    if (file_read_at(at, "environ", out, FILE_MOST) < 0)
        error = errno == ENOENT ? ESRCH : errno;
    else if (out->len == before)
        error = why_nothing(at);
    fd_close(&at);
    errno = error;
    return error ? -1 : 0;
}

bool proc_has_variable(pid_t pid, const char *entry)
{
    struct buf environment = {0};
    bool has = false;

    if (!strchr(entry, '='))
        return false; /* what a process that renames itself leaves there is nothing that it was given */
    proc_environ(pid, &environment);
    for (struct str rest = buf_str(&environment); rest.len && !has;) {
        size_t len = strnlen(rest.ptr, rest.len);

        has = str_is(str_slice(rest, 0, len), entry);
        rest = str_slice(rest, len < rest.len ? len + 1 : len, rest.len);
    }
    buf_release(&environment);
    return has;
}

/* Where a link of /proc leads: the folder, something in it, or what was either before it was removed. */
static bool leads_below(int at, const char *link, struct str folder)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(at, link, target, sizeof target);
    struct str rest;

    if (len < (ssize_t)folder.len || memcmp(target, folder.ptr, folder.len) != 0)
        return false;
    rest = str_slice((struct str){target, (size_t)len}, folder.len, (size_t)len);
    return !rest.len || rest.ptr[0] == '/' || str_is(rest, " (deleted)");
}

/* The mode of the link is that of the descriptor. */
static bool is_for_writing(int descriptors, const char *name)
{
    struct stat st;

    return fstatat(descriptors, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IWUSR);
}

/* Everything is below it, and nothing below nowhere: who asks may be about to end what is. */
static bool is_folder(const char *folder)
{
    return folder[0] == '/' && folder[1];
}

bool proc_stands_in(pid_t pid, const char *folder)
{
    static const char *const links[] = {"cwd", "root", "exe"};
    int at = is_folder(folder) ? proc_folder(pid) : -1;
    bool found = false;

    for (size_t i = 0; at >= 0 && !found && i < ARRAY_LEN(links); i++)
        found = leads_below(at, links[i], str_of(folder));
    fd_close(&at);
    return found;
}

bool proc_writes_in(pid_t pid, const char *folder)
{
    int at = is_folder(folder) ? proc_folder(pid) : -1,
        fd = at < 0 ? -1 : openat(at, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    bool found = false;

    fd_close(&at);
    while (dir && !found && (entry = readdir(dir)))
        found = leads_below(dirfd(dir), entry->d_name, str_of(folder)) &&
                is_for_writing(dirfd(dir), entry->d_name);
    if (dir)
        closedir(dir);
    else
        fd_close(&fd);
    return found;
}
