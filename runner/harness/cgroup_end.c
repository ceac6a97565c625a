/* The end of a run's groups, by path alone: for whoever is left to do it. */
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/cgroup_room.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define RUN_PREFIX    "run-matrix-"
#define PAUSE         (2 * NS_PER_MS)
#define REMOVING_MOST NS_PER_S /* beyond the patience, while every step removes something */

/* The path may come from a record that somebody has damaged. */
static bool is_run(const char *path)
{
    const char *name = strrchr(path, '/');

    return path[0] == '/' && strncmp(name + 1, RUN_PREFIX, strlen(RUN_PREFIX)) == 0;
}

static bool is_gone(const char *path)
{
    return access(path, F_OK) < 0 && errno == ENOENT;
}

static bool is_cgroupfs(const char *path)
{
    struct statfs fs;

    return statfs(path, &fs) == 0 && (fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC);
}

static char *joined(const char *path, size_t len, const char *name)
{
    struct buf out = {0};

    buf_addf(&out, "%.*s/%s", (int)len, path, name);
    return out.ptr;
}

/* ---- killing ---- */

void cgroups_kill(const char *path)
{
    char *file = joined(path, strlen(path), "cases/cgroup.kill");

    if (is_run(path))
        cgroup_put(AT_FDCWD, file, "1");
    free(file);
}

bool cgroups_procs(const char *path, struct proc_ids *out)
{
    char *cases = joined(path, strlen(path), "cases");
    int fd = open(cases, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    free(cases);
    if (fd < 0)
        return false;
    cgroup_procs_below(fd, out);
    fd_close(&fd);
    return true;
}

/* ---- leaving ---- */

/* Children of ours keep their numbers until we reap them. */
static bool is_us_or_ours(pid_t pid)
{
    struct proc_stat stat;

    return pid == getpid() || (proc_stat_read(pid, &stat) == 0 && stat.ppid == getpid());
}

/* Those of us that are there: ourselves, and a keeper, who stays until there is nothing left for it to do. */
static void find_us_in(const char *folder, struct proc_ids *out)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t count = 0;

    if (fd < 0)
        return;
    cgroup_procs_below(fd, out);
    fd_close(&fd);
    for (size_t i = 0; i < out->count; i++)
        if (is_us_or_ours(out->list[i].pid))
            out->list[count++] = out->list[i];
    out->count = count;
}

static int put_into(const char *procs, pid_t pid)
{
    char number[32];

    snprintf(number, sizeof number, "%ld", (long)pid);
    return cgroup_put(AT_FDCWD, procs, number);
}

/*
 * A group that has given its controllers on can be entered by nobody. When that is the state of the one we
 * came from, it was us: it had a process, us, when we came, and could not have done so before.
 */
static void leave(const char *path)
{
    char *harness = joined(path, strlen(path), "harness");
    char *own = joined(path, (size_t)(strrchr(path, '/') - path), "");
    char *procs = joined(own, strlen(own), "cgroup.procs");
    struct proc_ids us = {0};

    find_us_in(harness, &us);
    for (size_t i = 0; i < us.count; i++)
        if (put_into(procs, us.list[i].pid) < 0 && errno == EBUSY) {
            cgroup_limits_withdraw(own, path);
            put_into(procs, us.list[i].pid);
        }
    proc_ids_release(&us);
    free(harness);
    free(own);
    free(procs);
}

/* ---- removing ---- */

/* Killing does not wait, and a group whose last process is just going says EBUSY for a moment more. */
static bool remove_groups(const char *top, const char *run, nanos until)
{
    const struct timespec pause = {.tv_nsec = PAUSE};

    for (;;) {
        int result = cgroup_remove_one(top);
        nanos now = clock_now();

        if (result > 0)
            return true;
        if (now >= (result < 0 ? until : until + REMOVING_MOST))
            return false;
        if (result < 0) {
            nanosleep(&pause, NULL);
            cgroups_kill(run);
        }
    }
}

bool cgroups_end_cases(const char *path, nanos patience)
{
    char *cases;
    bool ended;

    if (!is_run(path))
        return false;
    if (!is_cgroupfs(path))
        return is_gone(path);
    cgroups_kill(path);
    cases = joined(path, strlen(path), "cases");
    ended = remove_groups(cases, path, clock_now() + patience);
    free(cases);
    return ended;
}

bool cgroups_end(const char *path, nanos patience)
{
    nanos until = clock_now() + patience;
    bool ended = cgroups_end_cases(path, patience);

    if (!is_run(path) || !is_cgroupfs(path))
        return ended;
    leave(path);
    return remove_groups(path, path, until) && ended;
}

bool cgroups_end_all(const struct cgroups *groups, nanos patience)
{
    bool ended = cgroups_end(groups->path, patience);

    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++)
        if (groups->legacy[i] && !cgroups_end(groups->legacy[i], patience))
            ended = false;
    return ended;
}
