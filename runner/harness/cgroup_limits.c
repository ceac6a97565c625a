/*
 * Limits of a case: by version 2 where its controllers can be had, by groups of version 1 elsewhere. Version
 * 2 gives a controller only to groups whose parent has no process of its own; a shell that we were started
 * from is one.
 */
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/cgroup_room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALUE_SIZE 32

/*
 * Swap would make a limit of memory void. Version 2 counts it apart, and it is forbidden; version 1 limits
 * the sum of both, which must not be below the limit of memory at any time.
 */
struct knob_files {
    const char *limit, *swap, *events, *key; /* key: in `events` */
    const char *none, *swap_before;          /* written for no limit, and to `swap` before any is set */
};

static const struct {
    const char *controller;
    struct knob_files unified, legacy;
} controllers[CGROUP_LIMIT_COUNT] = {
    [CGROUP_PROCESSES] = {"pids",
                          {"pids.max", NULL, "pids.events", "max", "max", NULL},
                          {"pids.max", NULL, "pids.events", "max", "max", NULL}},
    [CGROUP_MEMORY] = {"memory",
                       {"memory.max", "memory.swap.max", "memory.events", "oom_kill", "max", "0"},
                       {"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control",
                        "oom_kill", "-1", "-1"}},
};

static const struct knob_files *files_of(enum cgroup_limit limit, const struct cgroup_knobs *knobs)
{
    return knobs->join < 0 ? &controllers[limit].unified : &controllers[limit].legacy;
}

/* ---- controllers of version 2 ---- */

static int switch_controller(const char *folder, char sign, enum cgroup_limit limit)
{
    struct buf path = {0};
    char text[VALUE_SIZE];
    int result;

    snprintf(text, sizeof text, "%c%s", sign, controllers[limit].controller);
    buf_addf(&path, "%s/cgroup.subtree_control", folder);
    result = cgroup_put(AT_FDCWD, buf_text(&path), text);
    buf_release(&path);
    return result;
}

static int give_on(const struct cgroups *groups, const char *own, enum cgroup_limit limit)
{
    struct buf cases = {0};
    int result = switch_controller(own, '+', limit);

    buf_addf(&cases, "%s/cases", groups->path);
    if (result == 0)
        result = switch_controller(groups->path, '+', limit);
    if (result == 0)
        result = switch_controller(buf_text(&cases), '+', limit);
    buf_release(&cases);
    return result;
}

void cgroup_limits_withdraw(const char *own, const char *run)
{
    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++)
        if (switch_controller(run, '-', i) == 0)
            switch_controller(own, '-', i);
}

/* ---- groups of version 1 ---- */

static char *make_legacy(const struct cgroups *groups, const char *own)
{
    struct buf run = {0}, slot = {0};
    int result = 0;

    buf_addf(&run, "%s%s", own, strrchr(groups->path, '/'));
    for (uint32_t i = 0; i < groups->count && result == 0; i++) {
        buf_clear(&slot);
        buf_addf(&slot, "%s/cases/%u", buf_text(&run), i);
        result = dir_make(AT_FDCWD, buf_text(&slot), 0777);
    }
    buf_release(&slot);
    if (result < 0) {
        cgroups_end(buf_text(&run), 0);
        buf_release(&run);
    }
    return run.ptr;
}

static char *open_legacy(const struct cgroups *groups, enum cgroup_limit limit)
{
    struct cgroup_place place;
    struct buf why = {0};
    char *path = NULL;

    if (cgroup_find(controllers[limit].controller, &place, &why))
        path = make_legacy(groups, place.folder);
    cgroup_place_release(&place);
    buf_release(&why);
    return path;
}

/* ---- opening ---- */

static const char *why_unlimited(int cause)
{
    switch (cause) {
    case EBUSY: return "other processes are in the control group that it was started in";
    case EACCES:
    case EPERM:
    case EROFS: return "the control group that it was started in may not be divided";
    default: return "there is no controller for it that may be used";
    }
}

void cgroup_limits_open(struct cgroups *groups, const char *own)
{
    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++) {
        if (give_on(groups, own, i) == 0)
            continue;
        groups->unlimited[i] = why_unlimited(errno);
        groups->legacy[i] = open_legacy(groups, i);
        if (groups->legacy[i])
            groups->unlimited[i] = NULL;
    }
}

static int open_file(int folder, const char *name, int flags)
{
    return name ? openat(folder, name, flags | O_CLOEXEC) : -1;
}

static void open_knobs(int folder, const struct knob_files *files, struct cgroup_knobs *knobs)
{
    knobs->limit = open_file(folder, files->limit, O_WRONLY);
    knobs->swap = open_file(folder, files->swap, O_WRONLY);
    knobs->events = open_file(folder, files->events, O_RDONLY);
}

static void open_legacy_knobs(const char *path, uint32_t number, const struct knob_files *files,
                              struct cgroup_knobs *knobs)
{
    struct buf slot = {0};
    int folder;

    buf_addf(&slot, "%s/cases/%u", path, number);
    folder = dir_open(AT_FDCWD, buf_text(&slot));
    buf_release(&slot);
    if (folder < 0)
        return;
    open_knobs(folder, files, knobs);
    knobs->join = open_file(folder, "cgroup.procs", O_WRONLY);
    fd_close(&folder);
}

void cgroup_knobs_open(const struct cgroups *groups, struct cgroup *slot, uint32_t number)
{
    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++) {
        struct cgroup_knobs *knobs = &slot->knobs[i];

        if (groups->legacy[i])
            open_legacy_knobs(groups->legacy[i], number, &controllers[i].legacy, knobs);
        else if (!groups->unlimited[i])
            open_knobs(slot->fd, &controllers[i].unified, knobs);
    }
}

void cgroup_knobs_renew(struct cgroup *slot, struct cgroup *old)
{
    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++) {
        if (old->knobs[i].limit < 0)
            continue;
        if (old->knobs[i].join < 0) {
            open_knobs(slot->fd, &controllers[i].unified, &slot->knobs[i]);
            continue;
        }
        slot->knobs[i] = old->knobs[i];
        slot->limited[i] = old->limited[i];
        old->knobs[i] = cgroup_closed.knobs[i];
    }
}

void cgroup_knobs_close(struct cgroup *slot)
{
    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++) {
        fd_close(&slot->knobs[i].limit);
        fd_close(&slot->knobs[i].swap);
        fd_close(&slot->knobs[i].events);
        fd_close(&slot->knobs[i].join);
    }
}

/* ---- setting and asking ---- */

static int put(int fd, const char *text)
{
    return pwrite(fd, text, strlen(text), 0) < 0 ? -1 : 0;
}

bool cgroup_can_limit(const struct cgroup *group, enum cgroup_limit limit)
{
    return group->knobs[limit].limit >= 0;
}

int cgroup_limit(struct cgroup *group, enum cgroup_limit limit, uint64_t most)
{
    const struct cgroup_knobs *knobs = &group->knobs[limit];
    const struct knob_files *files = files_of(limit, knobs);
    bool none = most == UINT64_MAX;
    char text[VALUE_SIZE];

    if (none)
        snprintf(text, sizeof text, "%s", files->none);
    else
        snprintf(text, sizeof text, "%llu", (unsigned long long)most);
    if (knobs->swap >= 0 && put(knobs->swap, none ? files->none : files->swap_before) < 0)
        return -1;
    if (put(knobs->limit, text) < 0)
        return -1;
    group->limited[limit] = !none;
    return knobs->swap >= 0 && knobs->join >= 0 ? put(knobs->swap, text) : 0;
}

uint64_t cgroup_hits(const struct cgroup *group, enum cgroup_limit limit)
{
    const struct cgroup_knobs *knobs = &group->knobs[limit];

    return knobs->events < 0 ? 0 : cgroup_value(knobs->events, files_of(limit, knobs)->key);
}
