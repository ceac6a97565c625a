/* What a thread waits for, as its system call and the memory that this speaks of tell. */
#include "runner/diagnose/look.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FDINFO_MOST ((size_t)64 << 10)
#define SETS        3 /* of select */

/* ---- memory ---- */

#define PAGE_IS_THERE (UINT64_C(1) << 63) /* in an entry of pagemap */

/* Whoever serves the fault of a page that is not there (userfaultfd, FUSE, a dead server) may never do so. */
static bool is_there(int task, uint64_t address, size_t size)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), entry = 0;
    int pages = openat(task, "pagemap", O_RDONLY | O_CLOEXEC);
    bool there = pages >= 0;

    for (uint64_t at = address / page; there && at <= (address + size - 1) / page; at++)
        there = pread(pages, &entry, sizeof entry, (off_t)(at * sizeof entry)) == sizeof entry &&
                (entry & PAGE_IS_THERE);
    fd_close(&pages);
    return there;
}

bool look_memory(int task, uint64_t address, void *out, size_t size)
{
    int memory;
    bool read;

    /* The upper half is the kernel's. */
    if (!size || !address || address > INT64_MAX - size || !is_there(task, address, size))
        return false;
    memory = openat(task, "mem", O_RDONLY | O_CLOEXEC);
    read = memory >= 0 && pread(memory, out, size, (off_t)address) == (ssize_t)size;
    fd_close(&memory);
    return read;
}

/* ---- descriptors that it waits at ---- */

static void add_fd(struct dump_call *call, int fd)
{
    for (uint32_t i = 0; i < call->fd_count; i++)
        if (call->fds[i] == fd)
            return;
    if (fd >= 0 && call->fd_count < ARRAY_LEN(call->fds))
        call->fds[call->fd_count++] = fd;
}

static void take_polled(struct dump_call *call, int task)
{
    struct pollfd list[ARRAY_LEN(call->fds)];
    size_t count = call->args[1] < ARRAY_LEN(list) ? (size_t)call->args[1] : ARRAY_LEN(list);

    if (!look_memory(task, call->args[0], list, count * sizeof *list))
        return;
    for (size_t i = 0; i < count; i++)
        add_fd(call, list[i].fd);
}

static void take_selected(struct dump_call *call, int task)
{
    fd_set set;
    int64_t count = (int)call->args[0] < FD_SETSIZE ? (int)call->args[0] : FD_SETSIZE;

    for (int i = 1; i <= SETS && count > 0; i++) {
        memset(&set, 0, sizeof set);
        if (!look_memory(task, call->args[i], &set,
                         (size_t)(count + NFDBITS - 1) / NFDBITS * sizeof(fd_mask)))
            continue;
        for (int fd = 0; fd < count; fd++)
            if (FD_ISSET(fd, &set))
                add_fd(call, fd);
    }
}

static bool read_fdinfo(struct look *look, int task, int fd)
{
    char path[32];

    snprintf(path, sizeof path, "fdinfo/%d", fd);
    return look_read(look, task, path, FDINFO_MOST);
}

/* "tfd:        5 events:       19 data: ..." */
static void take_watched(struct look *look, struct dump_call *call, int task)
{
    struct str rest, line;

    if (!read_fdinfo(look, task, (int)call->args[0]))
        return;
    rest = buf_str(&look->text);
    while (look_line(&rest, &line))
        if (str_starts(line, "tfd:"))
            add_fd(call, atoi(line.ptr + strlen("tfd:")));
}

/* ---- by kinds of waiting ---- */

/* Its first argument is the descriptor, or what tells of several. */
static void take_fds(struct look *look, struct dump_call *call, const struct look_call *known, int task)
{
    if (strchr(known->takes, 'P'))
        take_polled(call, task);
    else if (strchr(known->takes, 'S'))
        take_selected(call, task);
    else if (strchr(known->takes, 'E'))
        take_watched(look, call, task);
    else if (known->takes[0] == 'f')
        add_fd(call, (int)call->args[0]);
}

static void take_futex(struct dump_call *call, const struct look_call *known, int task)
{
    uint64_t waiter[2]; /* the first of a struct futex_waitv: value, address */

    if (known->number != SYS_futex) {
        if (look_memory(task, call->args[0], waiter, sizeof waiter))
            call->address = waiter[1];
        return;
    }
    call->address = call->args[0];
    switch (call->args[1] & (uint64_t)FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
    case FUTEX_LOCK_PI:
    case 13: /* FUTEX_LOCK_PI2, which older headers have not */ break;
    default: call->wait = DUMP_WAITS_OTHER;
    }
}

static void take_child(struct look *look, struct dump_call *call, const struct look_call *known, int task)
{
    int64_t pid = (int)call->args[known->number == SYS_waitid];

    if (known->number == SYS_waitid && call->args[0] == P_PIDFD) {
        add_fd(call, (int)pid);
        pid = read_fdinfo(look, task, (int)pid) ? (pid_t)look_number(buf_str(&look->text), "Pid:", 10) : 0;
    } else if (known->number == SYS_waitid && call->args[0] != P_PID) {
        pid = 0;
    }
    call->pid = pid > 0 ? (pid_t)pid : 0;
}

/* A listener whose backlog is full shows nowhere who wants to be its peer, but in the call. */
static void take_connect(struct look *look, uint32_t index, const struct dump_call *call, int task)
{
    struct sockaddr_storage address;
    struct look_connect *connect = &look->connects[look->connect_count];
    size_t size = call->args[2] < sizeof address ? (size_t)call->args[2] : sizeof address;

    if (look->connect_count == ARRAY_LEN(look->connects) ||
        !look_memory(task, call->args[1], &address, size) || size <= sizeof(sa_family_t) ||
        address.ss_family != AF_UNIX)
        return;
    *connect = (struct look_connect){index, (int)call->args[0], look_address(look->arena, &address, size)};
    look->connect_count += connect->name != NULL;
}

/* The first path that it takes; of who opens one, whom a fifo would want at its other end. */
static void take_path(struct look *look, struct dump_call *call, const struct look_call *known, int task)
{
    const char *takes = strchr(known->takes, 's');
    size_t at = takes ? (size_t)(takes - known->takes) : 0;
    uint64_t mode;

    if (!takes)
        return;
    call->path = look_path(look, task, call->args[at]);
    call->is_open = strncmp(known->name, "open", 4) == 0 || strcmp(known->name, "creat") == 0;
    if (strcmp(known->name, "open") != 0 && strcmp(known->name, "openat") != 0)
        return;
    mode = call->args[at + 1] & O_ACCMODE;
    call->wants_writers = mode == O_RDONLY;
    call->wants_readers = mode == O_WRONLY;
}

/* Not until when. A call that goes on after a stop may have been another one, with a pointer in the place of the clock. */
static void take_sleep(struct dump_call *call, const struct look_call *known, int task)
{
    bool clock = known->number == SYS_clock_nanosleep;
    struct timespec time;

    if (clock && (call->args[0] > 15 || (call->args[1] & TIMER_ABSTIME)))
        return;
    if (look_memory(task, call->args[clock ? 2 : 0], &time, sizeof time) && time.tv_sec >= 0 &&
        time.tv_nsec >= 0 && time.tv_nsec < NS_PER_S)
        call->seconds = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void take_wait(struct look *look, uint32_t index, struct dump_call *call,
                      const struct look_call *known, int task)
{
    switch (call->wait) {
    case DUMP_WAITS_LOCK:
        if (known->number == SYS_fcntl && call->args[1] != F_SETLKW && call->args[1] != F_OFD_SETLKW)
            call->wait = DUMP_WAITS_OTHER;
        take_fds(look, call, known, task);
        break;
    case DUMP_WAITS_CONNECT:
        take_connect(look, index, call, task);
        take_fds(look, call, known, task);
        break;
    case DUMP_WAITS_FUTEX: take_futex(call, known, task); break;
    case DUMP_WAITS_CHILD: take_child(look, call, known, task); break;
    case DUMP_WAITS_SLEEP: take_sleep(call, known, task); break;
    case DUMP_WAITS_NOT:
    case DUMP_WAITS_SIGNAL: break;
    default: take_fds(look, call, known, task);
    }
}

/* ---- the line ---- */

/*
 * A call that goes on after a stop has another number, and the registers of the first: where the thread sleeps tells which it
 * was. After a dump, many are.
 */
static const struct look_call *goes_on_as(const char *wchan)
{
    if (!wchan)
        return NULL;
    if (strstr(wchan, "futex"))
        return look_call_find(SYS_futex);
    if (strstr(wchan, "poll"))
#ifdef SYS_poll
        return look_call_find(SYS_poll);
#else
        return look_call_find(SYS_ppoll);
#endif
    return look_call_find(SYS_clock_nanosleep); /* there is no other that goes on in this way */
}

static bool parse(struct str line, struct dump_call *call)
{
    return sscanf(line.ptr, "%d %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64,
                  &call->number, &call->args[0], &call->args[1], &call->args[2], &call->args[3],
                  &call->args[4], &call->args[5]) == 7;
}

void look_decode(struct look *look, uint32_t index, struct dump_thread *thread, int task, struct str line)
{
    struct dump_call call = {.number = -1};
    const struct look_call *known, *before;

    if (!line.len || !parse(line, &call) || call.number < 0)
        return; /* it runs, or was stopped while it did */
    known = look_call_find(call.number);
    before = call.number == SYS_restart_syscall ? goes_on_as(thread->wchan) : NULL;
    known = before ? before : known;
    call.name = known ? known->name : NULL;
    call.wait = known ? known->wait : DUMP_WAITS_OTHER;
    if (known) {
        take_wait(look, index, &call, known, task);
        take_path(look, &call, known, task);
    }
    call.words = look_words(look, &call, known, task);
    thread->call = call;
}
