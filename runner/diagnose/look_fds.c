/* Which descriptors a process has: all of their ends are noted, and as many of them told of as there is room for. */
#include "runner/diagnose/look.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ---- what they are ---- */

/* "pipe:[4711]" */
static bool is_numbered(const char *target, const char *prefix, uint64_t *inode)
{
    size_t len = strlen(prefix);

    return strncmp(target, prefix, len) == 0 && sscanf(target + len, "%" SCNu64 "]", inode) == 1;
}

static enum dump_fd_kind anonymous_kind(const char *target)
{
    static const struct {
        const char *name;
        enum dump_fd_kind kind;
    } rows[] = {
        {"[eventpoll]", DUMP_FD_EPOLL}, {"[eventfd]", DUMP_FD_EVENT}, {"[timerfd]", DUMP_FD_TIMER},
        {"[signalfd]", DUMP_FD_SIGNAL}, {"inotify", DUMP_FD_INOTIFY}, {"[inotify]", DUMP_FD_INOTIFY},
        {"[pidfd]", DUMP_FD_PROCESS},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(target, rows[i].name) == 0)
            return rows[i].kind;
    return DUMP_FD_OTHER;
}

static bool is_terminal(const char *target)
{
    return strncmp(target, "/dev/pts/", 9) == 0 || strncmp(target, "/dev/tty", 8) == 0 ||
           strncmp(target, "/dev/ptmx", 9) == 0 || strcmp(target, "/dev/console") == 0;
}

/* Of what has a path. No server is asked: one that does not answer may be why we are here. */
static enum dump_fd_kind kind_of_file(int fds, const char *name, const char *target, uint64_t *inode,
                                      uint64_t *device)
{
    struct statx facts;

    if (strncmp(target, "/memfd:", 7) == 0)
        return DUMP_FD_MEMORY;
    if (statx(fds, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO, &facts) < 0)
        return DUMP_FD_OTHER;
    *inode = facts.stx_ino;
    *device = makedev(facts.stx_dev_major, facts.stx_dev_minor);
    switch (facts.stx_mode & S_IFMT) {
    case S_IFREG: return DUMP_FD_FILE;
    case S_IFDIR: return DUMP_FD_FOLDER;
    case S_IFIFO: return DUMP_FD_FIFO;
    case S_IFCHR: return is_terminal(target) ? DUMP_FD_TERMINAL : DUMP_FD_DEVICE;
    case S_IFBLK: return DUMP_FD_DEVICE;
    default: return DUMP_FD_OTHER;
    }
}

/* ---- one of them ---- */

struct entry {
    int number;
    bool reads, writes, is_told;
    char *target; /* malloced */
};

struct listing {
    struct entry *list; /* malloced; by number, in the end */
    size_t count, cap;
    bool whole;
};

/* The mode of the link is that of the descriptor. */
static bool list_one(struct listing *listing, int fds, const char *name)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(fds, name, target, sizeof target - 1);
    struct stat st;
    struct entry *entry;

    if (len < 0 || fstatat(fds, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    target[len] = '\0';
    GROW(listing->list, listing->count, listing->cap);
    entry = &listing->list[listing->count++];
    *entry = (struct entry){.number = atoi(name),
                            .reads = (st.st_mode & S_IRUSR) != 0,
                            .writes = (st.st_mode & S_IWUSR) != 0,
                            .target = memcpy(mem_alloc((size_t)len + 1), target, (size_t)len + 1)};
    return true;
}

static int by_number(const void *a, const void *b)
{
    int left = ((const struct entry *)a)->number, right = ((const struct entry *)b)->number;

    return (left > right) - (left < right);
}

static void sort(struct listing *listing)
{
    if (listing->count)
        qsort(listing->list, listing->count, sizeof *listing->list, by_number);
}

static struct entry *find(const struct listing *listing, int number)
{
    struct entry wanted = {.number = number};

    return listing->count ? bsearch(&wanted, listing->list, listing->count, sizeof wanted, by_number) : NULL;
}

static bool is_epoll(const struct dump_call *call)
{
    return call->number >= 0 && call->wait == DUMP_WAITS_POLL && strncmp(call->name, "epoll", 5) == 0;
}

/* Of very many those at which somebody waits, wherever they are. */
static void list_awaited(const struct dump_process *process, struct listing *listing, int fds)
{
    size_t most = listing->count + DUMP_FDS_MOST;
    char name[16];

    for (uint32_t i = 0; i < process->thread_count && listing->count < most; i++) {
        const struct dump_call *call = &process->threads[i].call;

        for (uint32_t k = 0; k <= call->fd_count; k++) {
            int number = k < call->fd_count ? call->fds[k] : is_epoll(call) ? (int)call->args[0] : -1;

            snprintf(name, sizeof name, "%d", number);
            if (number >= 0 && !find(listing, number) && list_one(listing, fds, name))
                sort(listing);
        }
    }
}

static void list_all(struct look *look, const struct dump_process *process, struct listing *listing, DIR *dir)
{
    const struct dirent *entry = NULL;
    unsigned seen = 0;

    while (seen < LOOK_FDS_READ_MOST && (seen % 64 || !look_is_late(look)) && (entry = readdir(dir)))
        if (isdigit((unsigned char)entry->d_name[0])) {
            list_one(listing, dirfd(dir), entry->d_name);
            seen++;
        }
    listing->whole = !entry;
    sort(listing);
    if (!listing->whole)
        list_awaited(process, listing, dirfd(dir));
}

static void release(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->list[i].target);
    free(listing->list);
}

/* ---- those that are told of ---- */

static void tell(struct listing *listing, int number, size_t *room)
{
    struct entry *found = find(listing, number);

    if (!found || found->is_told || !*room)
        return;
    found->is_told = true;
    --*room;
}

/* First those that a thread waits at. How many. */
static size_t choose(const struct dump_process *process, struct listing *listing, size_t room)
{
    size_t before = room;

    for (uint32_t i = 0; i < process->thread_count; i++) {
        const struct dump_call *call = &process->threads[i].call;

        if (is_epoll(call))
            tell(listing, (int)call->args[0], &room);
        for (uint32_t k = 0; k < call->fd_count; k++)
            tell(listing, call->fds[k], &room);
    }
    for (size_t i = 0; i < listing->count && room; i++)
        tell(listing, listing->list[i].number, &room);
    return before - room;
}

static void note_end(struct look *look, uint32_t index, const struct dump_fd *fd, struct look_key key)
{
    const struct dump_process *process = &look->dump->processes[index];

    look_end_add(look, key,
                 (struct dump_end){.process = index,
                                   .pid = process->id.pid,
                                   .name = process->name,
                                   .fd = fd->number,
                                   .reads = fd->reads,
                                   .writes = fd->writes});
}

/* What it is; and its end is noted where it has one, also when it is not told of. */
static struct dump_fd understand(struct look *look, uint32_t index, const struct entry *entry, int fds,
                                 uint64_t *device)
{
    struct dump_fd fd = {
        .number = entry->number,
        .kind = DUMP_FD_OTHER,
        .target = entry->target,
        .reads = entry->reads,
        .writes = entry->writes,
        .position = -1,
        .filled = -1,
        .room = -1,
        .receive_queue = -1,
        .send_queue = -1,
    };
    char name[16];

    *device = 0;
    snprintf(name, sizeof name, "%d", fd.number);
    if (is_numbered(fd.target, "pipe:[", &fd.inode))
        fd.kind = DUMP_FD_PIPE;
    else if (is_numbered(fd.target, "socket:[", &fd.inode))
        fd.kind = DUMP_FD_SOCKET;
    else if (strncmp(fd.target, "anon_inode:", 11) == 0)
        fd.kind = anonymous_kind(fd.target + 11);
    else if (entry->is_told)
        fd.kind = kind_of_file(fds, name, fd.target, &fd.inode, device);
    if (fd.kind == DUMP_FD_PIPE || fd.kind == DUMP_FD_SOCKET || fd.kind == DUMP_FD_FIFO)
        note_end(look, index, &fd, (struct look_key){*device, fd.inode});
    return fd;
}

static bool is_output(const struct look *look, const struct dump_fd *fd, uint64_t device)
{
    const struct dump_wants *wants = look->taking->wants;
    struct stat st;

    if (fd->kind != DUMP_FD_FILE || !fd->writes)
        return false;
    for (size_t i = 0; i < wants->output_count; i++)
        if (fstat(wants->outputs[i].fd, &st) == 0 && st.st_ino == fd->inode && st.st_dev == device)
            return true;
    return false;
}

static void tell_all(struct look *look, uint32_t index, struct listing *listing, int at, int fds)
{
    struct dump_process *process = &look->dump->processes[index];
    size_t room = look->fds_left < DUMP_FDS_MOST ? look->fds_left : DUMP_FDS_MOST,
           count = choose(process, listing, room);
    struct dump_fd *told = ARENA_ARRAY(look->arena, struct dump_fd, count);

    look->fds_left -= count;
    process->fds = told;
    for (size_t i = 0; i < listing->count; i++) {
        uint64_t device;
        struct dump_fd fd = understand(look, index, &listing->list[i], fds, &device);

        if (!listing->list[i].is_told)
            continue;
        fd.target = arena_cstr(look->arena, str_of(fd.target));
        fd.is_output = is_output(look, &fd, device);
        look_fdinfo(look, index, at, &fd);
        told[process->fd_count++] = fd;
    }
}

/* The kernel counts them (6.2 and later); else we do. */
static size_t count_fds(const struct listing *listing, int fds)
{
    struct stat st;

    return fstat(fds, &st) == 0 && (size_t)st.st_size > listing->count ? (size_t)st.st_size : listing->count;
}

static DIR *open_fds(int at)
{
    int fd = at < 0 ? -1 : openat(at, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir)
        fd_close(&fd);
    return dir;
}

static void look_through(struct look *look, uint32_t index, int at, DIR *dir)
{
    struct dump_process *process = &look->dump->processes[index];
    struct listing listing = {.list = NULL};

    list_all(look, process, &listing, dir);
    tell_all(look, index, &listing, at, dirfd(dir));
    look->beside[index].open = count_fds(&listing, dirfd(dir));
    /* The kernel also counts the one that a thread is about to get, as who waits in open() is. */
    process->fds_more =
        (uint32_t)((listing.whole ? listing.count : look->beside[index].open) - process->fd_count);
    if (!listing.whole) {
        look->ends.whole = false;
        look_unread(look, process, "some of its descriptors", look_is_late(look) ? 0 : E2BIG);
    }
    release(&listing);
}

void look_fds(struct look *look, uint32_t index)
{
    struct dump_process *process = &look->dump->processes[index];
    int at;
    DIR *dir;

    if (!proc_stat_is_alive(&look->beside[index].stat))
        return;
    at = proc_folder(process->id.pid);
    if (at >= 0 && !proc_is(process->id)) {
        fd_close(&at);
        errno = ESRCH;
    }
    dir = open_fds(at);
    if (dir)
        look_through(look, index, at, dir);
    else
        look_unread(look, process, "its descriptors", errno);
    if (dir)
        closedir(dir);
    fd_close(&at);
}

struct dump_fd *look_fd_find(const struct dump_process *process, int number)
{
    /* They are ours, and constant only for who reads the dump. */
    struct dump_fd *fds = (struct dump_fd *)(uintptr_t)process->fds;
    size_t low = 0, high = process->fd_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (fds[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < process->fd_count && fds[low].number == number ? &fds[low] : NULL;
}
