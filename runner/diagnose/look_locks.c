/* Who holds which lock on a file, and who waits for it. */
#include "runner/diagnose/look.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCKS_MOST      ((size_t)4 << 20) /* bytes of /proc/locks */
#define LOCKS_TOLD_MOST 64                /* of one process */
#define LOCKS_PIECE     ((size_t)16 << 10)
#define LOCKS_SHARE     4 /* a part of the time that is left */

/* "1: FLOCK  ADVISORY  WRITE 23602 fe:00:11149678 0 EOF", with "->" in front of the kind where it waits. */
bool look_lock_parse(struct str line, struct look_lock *lock)
{
    char text[200], arrow[4] = "", mode[16], to[32], *rest;
    long pid;
    int at = 0;

    *lock = (struct look_lock){0};
    if (line.len >= sizeof text)
        return false;
    memcpy(text, line.ptr, line.len);
    text[line.len] = '\0';
    if (sscanf(text, " %" SCNu64 ": %n", &lock->id, &at) != 1 || !at)
        return false;
    rest = text + at;
    lock->waits = sscanf(rest, " %3s", arrow) == 1 && strcmp(arrow, "->") == 0;
    rest = lock->waits ? strstr(rest, "->") + 2 : rest;
    if (sscanf(rest, " %15s %*s %15s %ld %x:%x:%" SCNu64 " %" SCNu64 " %31s", lock->kind, mode, &pid,
               &lock->major, &lock->minor, &lock->inode, &lock->from, to) != 8)
        return false;
    lock->pid = (pid_t)pid;
    lock->writes = strcmp(mode, "WRITE") == 0;
    lock->to = strcmp(to, "EOF") == 0 ? UINT64_MAX : strtoull(to, NULL, 10);
    return true;
}

struct locks {
    struct look *look;
    struct look_lock *list; /* malloced: of the whole machine */
    size_t count, cap;
};

static bool is_same_file(const struct look_lock *a, const struct look_lock *b)
{
    return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

static bool is_same(const struct look_lock *a, const struct look_lock *b)
{
    return is_same_file(a, b) && strcmp(a->kind, b->kind) == 0 && a->writes == b->writes &&
           a->from == b->from && a->to == b->to;
}

/*
 * The kernel counts from the first lock again for every page that is read, so of many locks a page may take as long as a
 * short list as a whole. False: not all of it is there.
 */
static bool read_until(struct look *look, nanos until)
{
    int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : 1;

    buf_clear(&look->text);
    while (got > 0 && look->text.len < LOCKS_MOST && clock_now() < until) {
        buf_reserve(&look->text, LOCKS_PIECE);
        do
            got = read(fd, look->text.ptr + look->text.len, LOCKS_PIECE);
        while (got < 0 && errno == EINTR);
        look->text.len += got > 0 ? (size_t)got : 0;
    }
    fd_close(&fd);
    return got == 0;
}

static void read_all(struct locks *locks)
{
    struct look *look = locks->look;
    nanos now = clock_now();
    struct str rest, line;
    struct look_lock lock;

    if (!read_until(look, now + (look->until - now) / LOCKS_SHARE))
        taking_note(look->taking, "the locks of the machine were not all looked at: there was no time");
    rest = buf_str(&look->text);
    while (look_line(&rest, &line)) {
        /* A last line without its end may have lost some of its digits. */
        if (line.ptr + line.len == look->text.ptr + look->text.len || !look_lock_parse(line, &lock))
            continue;
        GROW(locks->list, locks->count, locks->cap);
        locks->list[locks->count++] = lock;
    }
}

/* What is held descriptors tell; the list of the machine says who waits, and for whom. */
static bool may_wait(const struct dump_thread *thread)
{
    return thread->call.wait == DUMP_WAITS_LOCK || (thread->call.number < 0 && thread->state != 'R');
}

static bool some_may_wait(const struct dump *dump)
{
    for (uint32_t i = 0; i < dump->process_count; i++)
        for (uint32_t k = 0; k < dump->processes[i].thread_count; k++)
            if (may_wait(&dump->processes[i].threads[k]))
                return true;
    return false;
}

static uint32_t process_of(const struct look *look, pid_t pid)
{
    for (uint32_t i = 0; pid > 0 && i < look->dump->process_count; i++)
        if (look->dump->processes[i].id.pid == pid)
            return i;
    return DUMP_NOBODY;
}

static const char *path_of(const struct look *look, const struct look_lock *lock)
{
    for (size_t i = 0; i < look->locks.count; i++)
        if (is_same_file(&look->locks.held[i].lock, lock))
            return look->locks.held[i].path;
    return NULL;
}

/* ---- what one process has ---- */

struct told {
    struct dump_lock list[LOCKS_TOLD_MOST];
    struct look_lock of[LOCKS_TOLD_MOST];
    uint32_t count;
};

static struct dump_lock *tell(struct told *told, const struct look *look, const struct look_lock *lock,
                              const char *path)
{
    struct dump_lock *dump = &told->list[told->count];

    if (told->count == LOCKS_TOLD_MOST)
        return NULL;
    told->of[told->count++] = *lock;
    *dump = (struct dump_lock){.kind = arena_cstr(look->arena, str_of(lock->kind)),
                               .writes = lock->writes,
                               .waits = lock->waits,
                               .path = path ? path : path_of(look, lock),
                               .inode = lock->inode,
                               .from = lock->from,
                               .to = lock->to,
                               .process = DUMP_NOBODY};
    return dump;
}

static bool is_told(const struct told *told, const struct look_lock *lock)
{
    for (uint32_t i = 0; i < told->count; i++)
        if (told->of[i].waits == lock->waits && is_same(&told->of[i], lock))
            return true;
    return false;
}

/* By its descriptors, and those that the kernel says are its own: not an flock that it has made and left to others. */
static void tell_held(const struct locks *locks, uint32_t index, struct told *told)
{
    const struct look *look = locks->look;

    for (size_t i = 0; i < look->locks.count; i++)
        if (look->locks.held[i].process == index && !is_told(told, &look->locks.held[i].lock))
            tell(told, look, &look->locks.held[i].lock, look->locks.held[i].path);
    for (size_t i = 0; i < locks->count; i++)
        if (!locks->list[i].waits && locks->list[i].pid == look->dump->processes[index].id.pid &&
            (strcmp(locks->list[i].kind, "FLOCK") != 0 || !look->dump->processes[index].fd_count) &&
            !is_told(told, &locks->list[i]))
            tell(told, look, &locks->list[i], NULL);
}

/*
 * Who locked it may be gone, and has left the lock to those who have the descriptor; of locks of open files (OFD) the kernel
 * tells nobody. So the descriptors tell first.
 */
static void tell_holder(const struct locks *locks, const struct look_lock *wanted, struct dump_lock *dump)
{
    const struct look *look = locks->look;
    const struct look_lock *held = NULL;
    const struct look_hold *holder = NULL;

    for (size_t i = 0; i < locks->count && !held; i++)
        if (locks->list[i].id == wanted->id && !locks->list[i].waits)
            held = &locks->list[i];
    for (size_t i = 0; held && i < look->locks.count; i++) {
        const struct look_hold *hold = &look->locks.held[i];

        if (is_same(&hold->lock, held) &&
            (!holder || look->dump->processes[hold->process].id.pid == held->pid))
            holder = hold;
    }
    if (holder)
        dump->process = holder->process;
    else if (held)
        dump->process = process_of(look, held->pid);
    if (dump->process != DUMP_NOBODY)
        dump->holder = look->dump->processes[dump->process].id.pid;
    else if (held && held->pid > 0)
        dump->holder = held->pid;
}

/* The descriptor with which a thread of it waits for a lock on that file. */
static const struct dump_fd *waits_with(const struct dump_process *process, uint64_t inode)
{
    for (uint32_t i = 0; i < process->thread_count; i++) {
        const struct dump_call *call = &process->threads[i].call;
        const struct dump_fd *fd = call->number >= 0 && call->wait == DUMP_WAITS_LOCK && call->fd_count
                                       ? look_fd_find(process, call->fds[0])
                                       : NULL;

        if (fd && fd->inode == inode)
            return fd;
    }
    return NULL;
}

static void tell_awaited(const struct locks *locks, uint32_t index, struct told *told)
{
    const struct dump_process *process = &locks->look->dump->processes[index];

    for (size_t i = 0; i < locks->count; i++) {
        const struct look_lock *lock = &locks->list[i];
        const struct dump_fd *with = lock->waits ? waits_with(process, lock->inode) : NULL;
        struct dump_lock *dump = NULL;

        if (!lock->waits || (lock->pid != process->id.pid && !(lock->pid < 0 && with)))
            continue;
        dump = tell(told, locks->look, lock, with ? with->target : NULL);
        if (dump)
            tell_holder(locks, lock, dump);
    }
}

void look_locks(struct look *look)
{
    struct locks locks = {.look = look};
    struct told told;

    if (some_may_wait(look->dump))
        read_all(&locks);
    for (uint32_t i = 0; i < look->dump->process_count && !look_is_late(look); i++) {
        struct dump_process *process = &look->dump->processes[i];
        struct dump_lock *list;

        told.count = 0;
        tell_awaited(&locks, i, &told);
        tell_held(&locks, i, &told);
        list = ARENA_ARRAY(look->arena, struct dump_lock, told.count);
        if (told.count)
            memcpy(list, told.list, told.count * sizeof *list);
        process->locks = list;
        process->lock_count = told.count;
    }
    free(locks.list);
}
