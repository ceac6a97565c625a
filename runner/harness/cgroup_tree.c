/* The groups of a run: made, tried out, ended. */
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/cgroup_room.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIAL_MOST_MS 10000 /* for a process that was killed to be gone, on a machine that is very busy */

static bool failed(struct buf *why, const char *what, const char *path)
{
    buf_addf(why, "cannot %s '%s': %s", what, path, strerror(errno));
    return false;
}

static char *joined(const char *folder, const char *name)
{
    struct buf path = {0};

    buf_addf(&path, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    return path.ptr;
}

/* ---- trying it out ---- */

static void wait_to_be_killed(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
        for (;;)
            pause();
    _exit(1);
}

/*
 * Like fork. No signal is sent when it ends, so that none is left over for the caller. We have no other
 * thread, and nothing of the C library's state changes hands.
 */
static pid_t start_in(int folder, int *pidfd)
{
    pid_t parent = getpid();
    struct clone_args args = {
        .flags = CLONE_INTO_CGROUP | CLONE_PIDFD,
        .cgroup = (unsigned)folder,
        .pidfd = (uintptr_t)pidfd,
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);

    if (pid == 0)
        wait_to_be_killed(parent);
    return pid;
}

/* It is killed by its group, and else by us. */
static bool try_out(struct cgroup *group, struct buf *why)
{
    struct pollfd ended = {.fd = -1, .events = POLLIN};
    pid_t pid = start_in(group->fd, &ended.fd);
    siginfo_t info;
    bool killed;

    if (pid < 0)
        return failed(why, "start a process in", group->path);
    killed = cgroup_kill_all(group) == 0 && poll(&ended, 1, TRIAL_MOST_MS) == 1;
    if (!killed) {
        buf_addf(why, "a process in '%s' is not killed by its cgroup.kill", group->path);
        kill(pid, SIGKILL);
    }
    waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL);
    fd_close(&ended.fd);
    return killed && (cgroup_renew(group) == 0 || failed(why, "make anew", group->path));
}

/* ---- making it ---- */

static bool make_folders(const char *run, struct buf *why)
{
    static const char *const names[] = {"", "/harness", "/cases"};
    struct buf path = {0};
    bool made = true;

    for (size_t i = 0; i < ARRAY_LEN(names) && made; i++) {
        buf_clear(&path);
        buf_addf(&path, "%s%s", run, names[i]);
        made = mkdir(buf_text(&path), 0777) == 0 || failed(why, "make", buf_text(&path));
    }
    buf_release(&path);
    return made;
}

static bool enter_harness(const struct cgroups *groups, struct buf *why)
{
    struct buf path = {0};
    bool entered;

    buf_addf(&path, "%s/harness/cgroup.procs", groups->path);
    entered = cgroup_put(AT_FDCWD, buf_text(&path), "0") == 0 || failed(why, "enter", buf_text(&path));
    buf_release(&path);
    return entered;
}

static bool make_slots(struct cgroups *groups, const char *name, struct buf *why)
{
    char *path = joined(groups->path, "cases"), *shown = joined(name, "cases");
    bool made = true;

    for (uint32_t i = 0; i < groups->count && made; i++)
        made = cgroup_make(&groups->slots[i], path, shown, i, why);
    free(path);
    free(shown);
    return made;
}

/* ---- all of it ---- */

char *cgroups_home(struct buf *why)
{
    struct cgroup_place own;
    char *folder = NULL;

    if (cgroup_find("", &own, why)) {
        folder = own.folder;
        own.folder = NULL;
    }
    cgroup_place_release(&own);
    return folder;
}

static void begin(struct cgroups *groups, const char *folder, const char *name, uint32_t slots)
{
    *groups = (struct cgroups){
        .path = joined(folder, name),
        .slots = mem_alloc(slots * sizeof *groups->slots),
        .count = slots,
    };
    for (uint32_t i = 0; i < slots; i++)
        groups->slots[i] = cgroup_closed;
}

bool cgroups_open(struct cgroups *groups, const char *name, uint32_t slots, struct buf *why)
{
    struct cgroup_place own;
    char *shown;
    bool opened;

    if (!cgroup_find("", &own, why))
        return false;
    begin(groups, own.folder, name, slots);
    shown = joined(own.name, name);
    opened = make_folders(groups->path, why) && enter_harness(groups, why) &&
             make_slots(groups, shown, why) && try_out(&groups->slots[0], why);
    if (opened) {
        cgroup_limits_open(groups, own.folder);
        for (uint32_t i = 0; i < slots; i++)
            cgroup_knobs_open(groups, &groups->slots[i], i);
    } else {
        cgroups_end(groups->path, NS_PER_S);
        cgroups_close(groups);
    }
    free(shown);
    cgroup_place_release(&own);
    return opened;
}

void cgroups_close(struct cgroups *groups)
{
    for (uint32_t i = 0; i < groups->count; i++)
        cgroup_close(&groups->slots[i]);
    free(groups->slots);
    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++)
        free(groups->legacy[i]);
    free(groups->path);
    *groups = (struct cgroups){0};
}
