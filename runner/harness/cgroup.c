/* The group of a slot. */
#include "runner/harness/cgroup.h"

#include "runner/base/io.h"
#include "runner/harness/cgroup_room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUPS_MOST ((size_t)1 << 20)

const struct cgroup cgroup_closed = {
    .fd = -1,
    .events = -1,
    .kill = -1,
    .knobs = {[CGROUP_PROCESSES] = {-1, -1, -1, -1}, [CGROUP_MEMORY] = {-1, -1, -1, -1}},
};

/* ---- making it ---- */

static bool failed(struct buf *why, const char *what, const char *path)
{
    int cause = errno;

    buf_addf(why, "cannot %s '%s': %s", what, path, strerror(cause));
    errno = cause;
    return false;
}

static bool open_kill(struct cgroup *group, struct buf *why)
{
    group->kill = openat(group->fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (group->kill >= 0)
        return true;
    if (errno != ENOENT)
        return failed(why, "open the cgroup.kill of", group->path);
    buf_adds(why, "this kernel has no cgroup.kill, which came with Linux 5.14");
    return false;
}

/* Makes and opens it by its path. */
static bool make(struct cgroup *group, struct buf *why)
{
    if (mkdir(group->path, 0777) < 0)
        return failed(why, "make", group->path);
    group->fd = open(group->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (group->fd >= 0)
        group->events = openat(group->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (group->events < 0)
        return failed(why, "open", group->path);
    return open_kill(group, why);
}

static char *in_folder(const char *folder, size_t len, const struct cgroup *group)
{
    struct buf out = {0};

    buf_addf(&out, "%.*s/%u.%u", (int)len, folder, group->number, group->made);
    return out.ptr;
}

bool cgroup_make(struct cgroup *group, const char *path, const char *name, uint32_t number, struct buf *why)
{
    *group = cgroup_closed;
    group->number = number;
    group->path = in_folder(path, strlen(path), group);
    group->name = in_folder(name, strlen(name), group);
    return make(group, why);
}

static char *next_name(const char *last, const struct cgroup *group)
{
    return in_folder(last, (size_t)(strrchr(last, '/') - last), group);
}

static void remove_all_of(const char *path)
{
    while (cgroup_remove_one(path) == 0)
        continue;
}

/*
 * Not by its old name, which can be in use for a moment more, or for ever by what cannot be killed. What
 * cannot be removed of it goes at the end.
 */
int cgroup_renew(struct cgroup *group)
{
    struct cgroup made = cgroup_closed;
    struct buf why = {0};

    if (!group->killed)
        return 0;
    made.number = group->number;
    made.made = group->made + 1;
    made.path = next_name(group->path, &made);
    made.name = next_name(group->name, &made);
    if (!make(&made, &why)) {
        int cause = errno;

        remove_all_of(made.path);
        cgroup_close(&made);
        buf_release(&why);
        errno = cause;
        return -1;
    }
    cgroup_knobs_renew(&made, group);
    remove_all_of(group->path);
    cgroup_close(group);
    *group = made;
    return 0;
}

/* ---- using it ---- */

void cgroup_close(struct cgroup *group)
{
    fd_close(&group->fd);
    fd_close(&group->events);
    fd_close(&group->kill);
    cgroup_knobs_close(group);
    free(group->path);
    free(group->name);
    *group = cgroup_closed;
}

/* Who has ended counts no more, reaped or not. */
bool cgroup_is_empty(const struct cgroup *group)
{
    return cgroup_value(group->events, "populated") == 0;
}

int cgroup_kill_all(struct cgroup *group)
{
    group->killed = true;
    return pwrite(group->kill, "1", 1, 0) < 0 ? -1 : 0;
}

void cgroup_procs(const struct cgroup *group, struct proc_ids *out)
{
    cgroup_procs_below(group->fd, out);
}

/* Is it in the group that is called `name`, or below? */
static bool is_below(pid_t pid, struct str name)
{
    char path[64];
    struct buf groups = {0};
    struct str in;
    bool below = false;

    snprintf(path, sizeof path, "/proc/%ld/cgroup", (long)pid);
    if (file_read(path, &groups, GROUPS_MOST) == 0) {
        in = cgroup_of_unified(buf_str(&groups));
        below = in.len >= name.len && memcmp(in.ptr, name.ptr, name.len) == 0 &&
                (in.len == name.len || in.ptr[name.len] == '/');
    }
    buf_release(&groups);
    return below;
}

bool cgroup_holds(const struct cgroup *group, pid_t pid)
{
    return is_below(pid, str_of(group->name));
}

bool cgroups_hold(const struct cgroups *groups, pid_t pid)
{
    const char *slot = groups->slots[0].name;

    return is_below(pid, (struct str){slot, (size_t)(strrchr(slot, '/') - slot)});
}
