/* What the kernel says of an open descriptor: how it was opened, where it stands, which locks it has. */
#include "runner/diagnose/look.h"

#include "runner/base/mem.h"
#include "runner/base/sig.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FDINFO_MOST ((size_t)64 << 10)
#define LISTED_MOST 16

/* "tfd:        5 events:       19 data: ..." */
static void add_watched(struct buf *out, struct str info)
{
    struct str line;
    unsigned count = 0;

    while (look_line(&info, &line)) {
        if (!str_starts(line, "tfd:"))
            continue;
        if (count++ < LISTED_MOST)
            buf_addf(out, count > 1 ? ", %d" : "watches %d", atoi(line.ptr + strlen("tfd:")));
    }
    if (!count)
        buf_adds(out, "watches nothing");
    if (count > LISTED_MOST)
        buf_addf(out, " and %u more", count - LISTED_MOST);
}

static void add_process(struct buf *out, struct str info)
{
    struct str value;
    pid_t pid;

    if (!look_field(info, "Pid:", &value))
        return;
    pid = (pid_t)look_number(info, "Pid:", 10);
    if (pid > 0)
        buf_addf(out, "of process %ld", (long)pid);
    else
        buf_adds(out, pid < 0 ? "of a process that is gone" : "of a process of elsewhere");
}

static void add_signals(struct buf *out, struct str info)
{
    uint64_t mask = look_number(info, "sigmask:", 16);
    bool any = false;

    for (int signal = 1; signal <= 64; signal++)
        if (mask >> (signal - 1) & 1) {
            buf_addf(out, any ? ", %s" : "takes %s", signal_name(signal));
            any = true;
        }
}

/* "it_value: (12, 345678)": what is left; nothing at all is a timer that is not set. */
static void add_timer(struct buf *out, struct str info)
{
    struct str value;
    long seconds = 0, nanoseconds = 0;

    if (!look_field(info, "it_value:", &value) ||
        sscanf(value.ptr, "(%ld, %ld)", &seconds, &nanoseconds) != 2)
        return;
    if (seconds || nanoseconds)
        buf_addf(out, "rings in %ld.%03ld s", seconds, nanoseconds / 1000000);
    else
        buf_adds(out, look_number(info, "ticks:", 10) ? "has rung" : "is not set");
}

static void add_detail(struct buf *out, enum dump_fd_kind kind, struct str info)
{
    switch (kind) {
    case DUMP_FD_EPOLL: add_watched(out, info); break;
    case DUMP_FD_EVENT: buf_addf(out, "counts %" PRIu64, look_number(info, "eventfd-count:", 16)); break;
    case DUMP_FD_PROCESS: add_process(out, info); break;
    case DUMP_FD_SIGNAL: add_signals(out, info); break;
    case DUMP_FD_TIMER: add_timer(out, info); break;
    default: break;
    }
}

static void take_locks(struct look *look, uint32_t index, const struct dump_fd *fd)
{
    struct look_locks *locks = &look->locks;
    struct str rest = buf_str(&look->text), line;

    while (look_line(&rest, &line)) {
        struct look_hold hold = {.process = index, .path = fd->target};

        if (!str_starts(line, "lock:") ||
            !look_lock_parse(str_slice(line, strlen("lock:"), line.len), &hold.lock))
            continue;
        GROW(locks->held, locks->count, locks->cap);
        locks->held[locks->count++] = hold;
    }
}

void look_fdinfo(struct look *look, uint32_t index, int at, struct dump_fd *fd)
{
    struct buf detail = {0};
    char path[32];
    struct str info;

    fd->waits = true;
    snprintf(path, sizeof path, "fdinfo/%d", fd->number);
    if (!look_read(look, at, path, FDINFO_MOST))
        return;
    info = buf_str(&look->text);
    fd->waits = !(look_number(info, "flags:", 8) & O_NONBLOCK);
    if (fd->kind == DUMP_FD_FILE || fd->kind == DUMP_FD_MEMORY)
        fd->position = (int64_t)look_number(info, "pos:", 10);
    if (!fd->inode)
        fd->inode = look_number(info, "ino:", 10);
    add_detail(&detail, fd->kind, info);
    if (detail.len)
        fd->detail = arena_cstr(look->arena, buf_str(&detail));
    buf_release(&detail);
    take_locks(look, index, fd);
}
