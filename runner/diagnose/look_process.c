#include "runner/diagnose/look.h"

#include "runner/base/io.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS_MOST ((size_t)64 << 10)

static uint64_t to_ms(uint64_t ticks)
{
    return ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

void look_name(struct look *look, uint32_t index)
{
    struct dump_process *process = &look->dump->processes[index];
    const struct proc_stat *stat = &look->beside[index].stat;

    process->ppid = stat->ppid;
    process->pgrp = stat->pgrp;
    process->session = stat->session;
    process->state = proc_stat_is_alive(stat) && stat->state == 'Z' ? 'S' : stat->state;
    process->terminal = stat->tty != 0;
    process->name = arena_cstr(look->arena, str_of(stat->comm));
    process->age = proc_age(stat);
    process->user_ms = to_ms(stat->user_ticks);
    process->system_ms = to_ms(stat->system_ticks);
    process->resident = stat->rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void take_status(struct look *look, struct dump_process *process, int at)
{
    struct str status;

    if (!look_read(look, at, "status", STATUS_MOST)) {
        look_unread(look, process, "its status", errno);
        return;
    }
    status = buf_str(&look->text);
    process->tracer = (pid_t)look_number(status, "TracerPid:", 10);
    process->uid = (uint32_t)look_number(status, "Uid:", 10);
    process->pending = look_number(status, "ShdPnd:", 16);
    process->ignored = look_number(status, "SigIgn:", 16);
    process->caught = look_number(status, "SigCgt:", 16);
}

/* Read by its number: who is still there afterwards was there meanwhile. */
static void take_command(struct look *look, struct dump_process *process)
{
    struct buf command = {0};

    if (proc_cmdline(process->id.pid, &command) == 0 && command.len && proc_is(process->id))
        process->command = arena_cstr(look->arena, buf_str(&command));
    buf_release(&command);
}

/* That of version 2, where it is in one but the root; else the first other one that says more: "4:memory:/a/b", "0::/c". */
static void take_group(struct look *look, struct dump_process *process, int at)
{
    struct str rest, line, unified = {NULL, 0}, other = {NULL, 0};

    if (!look_read(look, at, "cgroup", STATUS_MOST))
        return;
    rest = buf_str(&look->text);
    while (look_line(&rest, &line)) {
        size_t at_path;
        bool is_unified = str_starts(line, "0::");

        if (!str_find(line, ":/", &at_path))
            continue;
        line = str_slice(line, at_path + 1, line.len);
        if (is_unified)
            unified = line;
        else if (line.len > 1 && !other.len)
            other = line;
    }
    if (unified.len <= 1 && other.len)
        unified = other;
    if (unified.len)
        process->cgroup = arena_cstr(look->arena, unified);
}

void look_process(struct look *look, uint32_t index)
{
    struct dump_process *process = &look->dump->processes[index];
    struct look_beside *beside = &look->beside[index];
    int at, things;
    struct stat st;

    at = look_open(process);
    things = at < 0 ? -1 : proc_folder(process->id.pid);
    if (things < 0) {
        fd_close(&at);
        look_unread(look, process, "what it is", errno);
        return;
    }
    take_status(look, process, at);
    if (proc_stat_is_alive(&beside->stat)) {
        take_group(look, process, things);
        process->program = look_link(look, things, "exe");
        if (!process->program && errno != ENOENT) /* a thread of the kernel has none */
            look_unread(look, process, "its program", errno);
        process->cwd = look_link(look, things, "cwd");
        if (fstatat(things, "ns/net", &st, 0) == 0)
            beside->network = st.st_ino;
        process->memory_held = !dump_memory_answers(process->id.pid);
        if (process->memory_held)
            look_unread(look, process, "its memory", EBUSY);
        else
            take_command(look, process);
    }
    fd_close(&at);
    fd_close(&things);
}
