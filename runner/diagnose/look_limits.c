/* Limits that were set for a process, or that it is near to, and those of its control group. */
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

#define FILE_MOST   ((size_t)64 << 10)
#define NEAR        80 /* per cent */
#define LIMITS      16
#define NOT_KNOWN   UINT64_MAX
#define NO_LIMIT    UINT64_MAX
#define V1_NO_LIMIT (UINT64_C(1) << 62) /* memory groups of version 1 have a very large number for none */

struct limits {
    struct dump_limit list[LIMITS];
    uint32_t count;
};

static void add(struct look *look, struct limits *limits, const char *name, uint64_t limit, uint64_t used)
{
    if (limits->count == LIMITS)
        return;
    limits->list[limits->count++] = (struct dump_limit){
        .name = name,
        .soft = arena_printf(look->arena, "%" PRIu64, limit),
        .used = used == NOT_KNOWN ? NULL : arena_printf(look->arena, "%" PRIu64, used),
    };
}

static bool is_near(uint64_t limit, uint64_t used)
{
    return used != NOT_KNOWN && used >= limit / 100 * NEAR && used >= limit * (NEAR / 100.0);
}

/* ---- of the process ---- */

/* "Max open files            1024                 1048576              files" */
static uint64_t soft_limit(struct str limits, const char *name)
{
    struct str value;
    uint64_t limit;

    if (!look_field(limits, name, &value) || sscanf(value.ptr, "%" SCNu64, &limit) != 1)
        return NO_LIMIT;
    return limit;
}

/* What it uses of each, where that is told. */
struct usage {
    uint64_t files, memory, data, locked, signals, seconds;
};

static struct usage usage_of(struct look *look, uint32_t index, int at)
{
    const struct dump_process *process = &look->dump->processes[index];
    struct usage usage = {.files = look->beside[index].open,
                          .memory = NOT_KNOWN,
                          .data = NOT_KNOWN,
                          .locked = NOT_KNOWN,
                          .signals = NOT_KNOWN,
                          .seconds = (process->user_ms + process->system_ms) / 1000};
    struct str status;

    if (!look_read(look, at, "status", FILE_MOST))
        return usage;
    status = buf_str(&look->text);
    usage.memory = look_number(status, "VmSize:", 10) * 1024;
    usage.data = look_number(status, "VmData:", 10) * 1024;
    usage.locked = look_number(status, "VmLck:", 10) * 1024;
    usage.signals = look_number(status, "SigQ:", 10);
    return usage;
}

/* Set is what is less than ours: who runs this has what the machine gives to everybody. */
static void add_own(struct look *look, struct limits *limits, const struct usage *usage, struct str theirs,
                    struct str ours)
{
    const struct {
        const char *line, *name;
        uint64_t used;
        bool is_set_by_many; /* told of only when near */
    } rows[] = {
        {"Max open files", "open files", usage->files, true},
        {"Max address space", "address space, bytes", usage->memory, false},
        {"Max data size", "data, bytes", usage->data, false},
        {"Max locked memory", "locked memory, bytes", usage->locked, true},
        {"Max pending signals", "pending signals", usage->signals, true},
        {"Max cpu time", "processor time, seconds", usage->seconds, false},
        {"Max file size", "size of a file, bytes", NOT_KNOWN, false},
        {"Max processes", "processes of the user", NOT_KNOWN, false},
        {"Max stack size", "stack, bytes", NOT_KNOWN, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t limit = soft_limit(theirs, rows[i].line);
        bool is_set = !rows[i].is_set_by_many && limit < soft_limit(ours, rows[i].line);

        if (limit != NO_LIMIT && (is_set || is_near(limit, rows[i].used)))
            add(look, limits, rows[i].name, limit, rows[i].used);
    }
}

static void take_own(struct look *look, uint32_t index, struct limits *limits, int at)
{
    struct usage usage = usage_of(look, index, at);
    struct buf theirs = {0};

    if (file_read_at(at, "limits", &theirs, FILE_MOST) < 0)
        look_unread(look, &look->dump->processes[index], "its limits", errno);
    else
        add_own(look, limits, &usage, buf_str(&theirs), buf_str(&look->ours));
    buf_release(&theirs);
}

/* ---- of its control group ---- */

/* -1: there is none. Where they are mounted by everybody; version 2 may be beside version 1. */
static int open_group(const char *controller, const char *path)
{
    static const char *const unified[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    char name[4096];
    int fd = -1;

    if (controller) {
        if (snprintf(name, sizeof name, "/sys/fs/cgroup/%s%s", controller, path) < (int)sizeof name)
            fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd;
    }
    for (size_t i = 0; i < ARRAY_LEN(unified) && fd < 0; i++) {
        if (snprintf(name, sizeof name, "%s%s", unified[i], path) < (int)sizeof name)
            fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && faccessat(fd, "cgroup.procs", F_OK, 0) < 0)
            fd_close(&fd);
    }
    return fd;
}

/* "max" is none, as is what cannot be read. */
static uint64_t read_number(struct look *look, int group, const char *file)
{
    char *end;
    uint64_t number;

    if (!look_read(look, group, file, FILE_MOST))
        return NOT_KNOWN;
    number = strtoull(buf_text(&look->text), &end, 10);
    return end == buf_text(&look->text) ? NOT_KNOWN : number;
}

static void add_group(struct look *look, struct limits *limits, int group, const char *name, const char *most,
                      const char *now)
{
    uint64_t limit = read_number(look, group, most);

    if (limit < V1_NO_LIMIT)
        add(look, limits, name, limit, read_number(look, group, now));
}

/* "50000 100000": of each period, in microseconds. */
static void add_processors(struct look *look, struct limits *limits, int group)
{
    uint64_t quota, period;

    if (limits->count < LIMITS && look_read(look, group, "cpu.max", FILE_MOST) &&
        sscanf(buf_text(&look->text), "%" SCNu64 " %" SCNu64, &quota, &period) == 2 && period)
        limits->list[limits->count++] = (struct dump_limit){
            .name = "processors of its control group",
            .soft = arena_printf(look->arena, "%.2f", (double)quota / (double)period),
        };
}

static void take_unified(struct look *look, struct dump_process *process, struct limits *limits,
                         const char *path)
{
    int group = open_group(NULL, path);

    if (group < 0)
        return;
    add_group(look, limits, group, "memory of its control group, bytes", "memory.max", "memory.current");
    add_group(look, limits, group, "processes of its control group", "pids.max", "pids.current");
    add_processors(look, limits, group);
    if (look_read(look, group, "cgroup.events", FILE_MOST))
        process->frozen = look_number(buf_str(&look->text), "frozen", 10) != 0;
    fd_close(&group);
}

static void take_controller(struct look *look, struct dump_process *process, struct limits *limits,
                            struct str controllers, const char *path)
{
    int group;

    if (str_is(controllers, "memory") && (group = open_group("memory", path)) >= 0) {
        add_group(look, limits, group, "memory of its control group, bytes", "memory.limit_in_bytes",
                  "memory.usage_in_bytes");
        fd_close(&group);
    } else if (str_is(controllers, "pids") && (group = open_group("pids", path)) >= 0) {
        add_group(look, limits, group, "processes of its control group", "pids.max", "pids.current");
        fd_close(&group);
    } else if (str_is(controllers, "freezer") && (group = open_group("freezer", path)) >= 0) {
        if (look_read(look, group, "freezer.state", FILE_MOST))
            process->frozen = !str_starts(buf_str(&look->text), "THAWED");
        fd_close(&group);
    }
}

/* "4:memory:/a", "0::/b" */
static void take_groups(struct look *look, struct dump_process *process, struct limits *limits, int at)
{
    struct buf text = {0};
    struct str rest, line;

    if (file_read_at(at, "cgroup", &text, FILE_MOST) == 0) {
        rest = buf_str(&text);
        while (look_line(&rest, &line)) {
            size_t first, second;
            const char *path;

            /* What is outside of our own namespace of groups is not where its path says. */
            if (!str_find(line, ":", &first) || !str_find(line, ":/", &second) || second < first ||
                str_starts(str_slice(line, second + 1, line.len), "/.."))
                continue;
            path = arena_cstr(look->arena, str_slice(line, second + 1, line.len));
            if (str_starts(line, "0::"))
                take_unified(look, process, limits, path);
            else
                take_controller(look, process, limits, str_slice(line, first + 1, second), path);
        }
    }
    buf_release(&text);
}

void look_limits(struct look *look, uint32_t index)
{
    struct dump_process *process = &look->dump->processes[index];
    struct limits limits = {.count = 0};
    struct dump_limit *list;
    int at;

    if (!proc_stat_is_alive(&look->beside[index].stat))
        return;
    at = look_open(process);
    if (at < 0)
        return;
    if (!look->ours.len)
        file_read("/proc/self/limits", &look->ours, FILE_MOST);
    take_own(look, index, &limits, at);
    take_groups(look, process, &limits, at);
    fd_close(&at);
    list = ARENA_ARRAY(look->arena, struct dump_limit, limits.count);
    if (limits.count)
        memcpy(list, limits.list, limits.count * sizeof *list);
    process->limits = list;
    process->limit_count = limits.count;
}
