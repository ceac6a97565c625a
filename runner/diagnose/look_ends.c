/* Who has which pipe, fifo and socket: those of the dump, and everybody else on the machine whom we may look at. */
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
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define ENDS_MOST ((size_t)1 << 18)

void look_end_add(struct look *look, struct look_key key, struct dump_end end)
{
    struct look_ends *ends = &look->ends;

    if (ends->count == ENDS_MOST) {
        ends->whole = false;
        return;
    }
    GROW(ends->list, ends->count, ends->cap);
    ends->list[ends->count++] = (struct look_end){key, end};
}

static int compare_keys(struct look_key a, struct look_key b)
{
    if (a.device != b.device)
        return a.device < b.device ? -1 : 1;
    return (a.inode > b.inode) - (a.inode < b.inode);
}

/* Those of the dump first, in its order. */
static int by_key(const void *a, const void *b)
{
    const struct look_end *left = a, *right = b;
    int order = compare_keys(left->key, right->key);

    if (order)
        return order;
    if (left->end.process != right->end.process)
        return left->end.process < right->end.process ? -1 : 1;
    if (left->end.pid != right->end.pid)
        return left->end.pid < right->end.pid ? -1 : 1;
    return (left->end.fd > right->end.fd) - (left->end.fd < right->end.fd);
}

/* ---- everybody else ---- */

struct walk {
    struct look *look;
    struct look_key *wanted; /* sorted */
    size_t count;
    bool fifos;  /* there are some among them, which have a path */
    pid_t *ours; /* sorted: of the dump */
};

static int by_wanted(const void *a, const void *b)
{
    return compare_keys(*(const struct look_key *)a, *(const struct look_key *)b);
}

static int by_pid(const void *a, const void *b)
{
    pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

    return (left > right) - (left < right);
}

static bool is_wanted(const struct walk *walk, struct look_key key)
{
    return bsearch(&key, walk->wanted, walk->count, sizeof key, by_wanted) != NULL;
}

static bool key_of_link(const struct walk *walk, int fds, const char *number, struct look_key *key)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(fds, number, target, sizeof target - 1);
    struct statx facts;

    if (len <= 0)
        return false;
    target[len] = '\0';
    *key = (struct look_key){0};
    if (sscanf(target, "pipe:[%" SCNu64 "]", &key->inode) == 1 ||
        sscanf(target, "socket:[%" SCNu64 "]", &key->inode) == 1)
        return true;
    if (!walk->fifos || *target != '/' ||
        statx(fds, number, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO, &facts) < 0 ||
        !S_ISFIFO(facts.stx_mode))
        return false;
    *key = (struct look_key){makedev(facts.stx_dev_major, facts.stx_dev_minor), facts.stx_ino};
    return true;
}

static void look_at_link(const struct walk *walk, int fds, const char *number, const struct proc_stat *stat,
                         const char **name)
{
    struct look_key key;
    struct stat st;

    if (!key_of_link(walk, fds, number, &key) || !is_wanted(walk, key) ||
        fstatat(fds, number, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (!*name)
        *name = arena_cstr(walk->look->arena, str_of(stat->comm));
    look_end_add(walk->look, key,
                 (struct dump_end){.process = DUMP_NOBODY,
                                   .pid = stat->pid,
                                   .name = *name,
                                   .fd = atoi(number),
                                   .reads = (st.st_mode & S_IRUSR) != 0,
                                   .writes = (st.st_mode & S_IWUSR) != 0});
}

static void look_through(const struct walk *walk, DIR *dir, const struct proc_stat *stat)
{
    const struct dirent *entry = NULL;
    const char *name = NULL;
    unsigned seen = 0;

    while (seen < LOOK_FDS_READ_MOST && (seen % 64 || !look_is_late(walk->look)) && (entry = readdir(dir)))
        if (isdigit((unsigned char)entry->d_name[0])) {
            look_at_link(walk, dirfd(dir), entry->d_name, stat, &name);
            seen++;
        }
    if (entry || look_is_late(walk->look))
        walk->look->ends.whole = false;
}

static bool look_at(void *user, pid_t pid)
{
    const struct walk *walk = user;
    struct proc_stat stat;
    int process, fds;
    DIR *dir;

    if (bsearch(&pid, walk->ours, walk->look->dump->process_count, sizeof pid, by_pid))
        return true;
    if (proc_stat_read(pid, &stat) < 0)
        return true;
    process = proc_folder(pid);
    fds = process < 0 ? -1 : openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd_close(&process);
    dir = fds < 0 ? NULL : fdopendir(fds);
    if (dir) {
        look_through(walk, dir, &stat);
        closedir(dir);
    } else {
        if (errno == EMFILE || errno == ENFILE)
            walk->look->ends.whole = false;
        fd_close(&fds);
    }
    if (look_is_late(walk->look))
        walk->look->ends.whole = false;
    return !look_is_late(walk->look);
}

/* What has ends in the dump, and where their other ends are. */
static void gather_wanted(struct walk *walk)
{
    struct look *look = walk->look;
    size_t cap = look->ends.count + LOOK_FDS_ALL_MOST;

    walk->wanted = mem_zero(cap + 1, sizeof *walk->wanted);
    for (size_t i = 0; i < look->ends.count; i++) {
        walk->wanted[walk->count++] = look->ends.list[i].key;
        walk->fifos = walk->fifos || look->ends.list[i].key.device;
    }
    for (uint32_t i = 0; i < look->dump->process_count; i++)
        for (uint32_t k = 0; k < look->dump->processes[i].fd_count; k++) {
            uint64_t peer = look->dump->processes[i].fds[k].peer_inode;

            if (peer && walk->count < cap)
                walk->wanted[walk->count++] = (struct look_key){.inode = peer};
        }
    if (walk->count)
        qsort(walk->wanted, walk->count, sizeof *walk->wanted, by_wanted);
}

static void look_outside(struct look *look)
{
    struct walk walk = {.look = look};
    uint32_t count = look->dump->process_count;

    gather_wanted(&walk);
    walk.ours = mem_zero(count + 1, sizeof *walk.ours);
    for (uint32_t i = 0; i < count; i++)
        walk.ours[i] = look->dump->processes[i].id.pid;
    qsort(walk.ours, count, sizeof *walk.ours, by_pid);
    if (walk.count && proc_each(look_at, &walk) < 0)
        look->ends.whole = false;
    free(walk.wanted);
    free(walk.ours);
}

/* ---- who has what ---- */

struct group {
    const struct dump_end *ends;
    uint32_t count;
};

static struct group group_at(const struct look *look, const struct dump_end *told, size_t first)
{
    struct group group = {told + first, 0};

    while (first + group.count < look->ends.count &&
           compare_keys(look->ends.list[first].key, look->ends.list[first + group.count].key) == 0)
        group.count++;
    return group;
}

static struct group group_of(const struct look *look, const struct dump_end *told, struct look_key key)
{
    size_t low = 0, high = look->ends.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_keys(look->ends.list[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == look->ends.count || compare_keys(look->ends.list[low].key, key) != 0)
        return (struct group){NULL, 0};
    return group_at(look, told, low);
}

/* The number may be of something else by now, which may hear of it when it is asked what it holds: a device, say. */
static bool is_that_pipe(int fd, struct look_key key)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_ino == key.inode &&
           (!key.device || st.st_dev == key.device);
}

/*
 * A copy of the descriptor, as opening it anew would add an end that nobody expects, and so would a fork of ours that had
 * it for long: it is there for two calls. False: we may not.
 */
static bool measure(int pidfd, struct look_key key, int number, int64_t *filled, int64_t *room)
{
    int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, number, 0), bytes = 0, size;

    if (fd < 0)
        return false;
    if (!is_that_pipe(fd, key)) {
        fd_close(&fd);
        errno = EBADF;
        return false;
    }
    size = ioctl(fd, FIONREAD, &bytes) < 0 ? -1 : fcntl(fd, F_GETPIPE_SZ);
    fd_close(&fd);
    *filled = bytes;
    *room = size;
    return size >= 0;
}

static void measure_group(struct look *look, struct look_key key, struct group group, int64_t *filled,
                          int64_t *room)
{
    bool known = false;

    *filled = *room = -1;
    for (uint32_t i = 0; i < group.count && !known && i < 4 && group.ends[i].process != DUMP_NOBODY; i++) {
        uint32_t index = group.ends[i].process;
        int pidfd = proc_open(look->dump->processes[index].id);

        known = measure(pidfd, key, group.ends[i].fd, filled, room);
        /* It is told of once for all of its pipes; a descriptor that it has closed since is none. */
        if (!known && errno != EBADF && errno != ESRCH && !look->beside[index].is_kept_from_us)
            look_unread(look, &look->dump->processes[index], "what its pipes hold", errno);
        look->beside[index].is_kept_from_us |= !known;
        fd_close(&pidfd);
    }
    if (!known)
        *filled = *room = -1;
}

static bool is_pipe(const struct dump_fd *fd)
{
    return fd->kind == DUMP_FD_PIPE || fd->kind == DUMP_FD_FIFO;
}

/* All of the dump that have this pipe. */
static void tell_pipe(struct look *look, struct look_key key, struct group group)
{
    int64_t filled = -1, room = -1;
    bool measured = false;

    for (uint32_t i = 0; i < group.count && group.ends[i].process != DUMP_NOBODY; i++) {
        struct dump_fd *fd = look_fd_find(&look->dump->processes[group.ends[i].process], group.ends[i].fd);

        if (!fd || !is_pipe(fd))
            continue;
        if (!measured)
            measure_group(look, key, group, &filled, &room);
        measured = true;
        fd->ends = group.ends;
        fd->end_count = group.count;
        fd->ends_known = look->ends.whole;
        fd->filled = filled;
        fd->room = room;
    }
}

static void tell_sockets(struct look *look, struct dump_process *process, const struct dump_end *told)
{
    for (uint32_t i = 0; i < process->fd_count; i++) {
        struct dump_fd *fd = look_fd_find(process, process->fds[i].number);
        struct group group;

        if (!fd->peer_inode)
            continue;
        group = group_of(look, told, (struct look_key){.inode = fd->peer_inode});
        fd->ends = group.ends;
        fd->end_count = group.count;
        fd->ends_known = look->ends.whole;
    }
}

void look_ends(struct look *look)
{
    struct look_ends *ends = &look->ends;
    struct dump_end *told;

    look_outside(look);
    if (ends->count)
        qsort(ends->list, ends->count, sizeof *ends->list, by_key);
    told = ARENA_ARRAY(look->arena, struct dump_end, ends->count);
    for (size_t i = 0; i < ends->count; i++)
        told[i] = ends->list[i].end;
    for (size_t i = 0; i < ends->count;) {
        struct group group = group_at(look, told, i);

        tell_pipe(look, ends->list[i].key, group);
        i += group.count;
    }
    for (uint32_t i = 0; i < look->dump->process_count; i++)
        tell_sockets(look, &look->dump->processes[i], told);
}
