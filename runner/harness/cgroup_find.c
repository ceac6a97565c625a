/*
 * Which folder is the group that we are in. The kernel names it from the root of our namespace, and a mount
 * may begin below that (or, in a container, above), so both have to be looked at.
 */
#include "runner/harness/cgroup_room.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOUNTS_MOST ((size_t)16 << 20)
#define GROUPS_MOST ((size_t)1 << 20)

/* Takes what is before the next `end` off the front of `rest`; all of it when there is none. */
static struct str take(struct str *rest, char end)
{
    const char *at = memchr(rest->ptr, end, rest->len);
    size_t len = at ? (size_t)(at - rest->ptr) : rest->len;
    struct str taken = str_slice(*rest, 0, len);

    *rest = str_slice(*rest, at ? len + 1 : len, rest->len);
    return taken;
}

static bool lists(struct str words, const char *wanted)
{
    while (words.len)
        if (str_is(take(&words, ','), wanted))
            return true;
    return false;
}

/* ---- /proc/PID/cgroup: "4:memory:/a", "0::/a" for version 2 ---- */

/* .ptr is NULL when the hierarchy is not there. Names may hold colons, but no line ends. */
static struct str group_named(struct str groups, const char *controller)
{
    while (groups.len) {
        struct str line = take(&groups, '\n'), number = take(&line, ':'), controllers = take(&line, ':');

        if (*controller ? lists(controllers, controller) : str_is(number, "0"))
            return line;
    }
    return (struct str){0};
}

struct str cgroup_of_unified(struct str groups)
{
    return group_named(groups, "");
}

/* ---- /proc/self/mountinfo: "41 31 0:38 /root /mounted/at rw,relatime [...] - cgroup2 cgroup2 rw" ---- */

struct mount {
    struct str root, point, kind, options;
};

static struct mount mount_parse(struct str line)
{
    struct mount mount = {0};

    for (int i = 0; i < 3; i++)
        take(&line, ' ');
    mount.root = take(&line, ' ');
    mount.point = take(&line, ' ');
    while (line.len && !str_is(take(&line, ' '), "-"))
        continue;
    mount.kind = take(&line, ' ');
    take(&line, ' ');
    mount.options = line;
    return mount;
}

static bool is_octal(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '7')
            return false;
    return true;
}

/* Blanks, line ends and backslashes are written there as \040 and the like. */
static void add_unescaped(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *c = text.ptr + i;

        if (*c == '\\' && text.len - i > 3 && is_octal(str_slice(text, i + 1, i + 4))) {
            buf_addc(out, (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0')));
            i += 3;
        } else {
            buf_addc(out, *c);
        }
    }
}

/* Both are absolute paths. What is left of `path` below `root` begins with a slash or is empty. */
static bool strip_root(struct str *path, struct str root)
{
    if (root.len == 1)
        root.len = 0;
    if (path->len < root.len || memcmp(path->ptr, root.ptr, root.len) != 0)
        return false;
    *path = str_slice(*path, root.len, path->len);
    if (str_is(*path, "/"))
        path->len = 0;
    return !path->len || path->ptr[0] == '/';
}

/* A group outside our namespace is named "/../other", and so is the root of a mount that begins outside. */
static bool climbs(struct str path)
{
    while (path.len)
        if (str_is(take(&path, '/'), ".."))
            return true;
    return false;
}

static bool is_below(const struct mount *mount, struct str name, struct buf *folder)
{
    struct buf root = {0};
    bool below;

    add_unescaped(&root, mount->root);
    below = strip_root(&name, buf_str(&root)) && !climbs(name);
    buf_release(&root);
    if (!below)
        return false;
    add_unescaped(folder, mount->point);
    buf_addstr(folder, name);
    return true;
}

static char *text_of(struct str text)
{
    char *copy = mem_alloc(text.len + 1);

    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

static bool is_mount_of(const struct mount *mount, const char *controller)
{
    return *controller ? str_is(mount->kind, "cgroup") && lists(mount->options, controller)
                       : str_is(mount->kind, "cgroup2");
}

bool cgroup_locate(struct str mounts, struct str groups, const char *controller, struct cgroup_place *place,
                   struct buf *why)
{
    const char *what = *controller ? controller : "cgroup2";
    struct str name = group_named(groups, controller);
    struct buf folder = {0};
    bool mounted = false;

    while (name.len && mounts.len && !folder.len) {
        struct mount mount = mount_parse(take(&mounts, '\n'));

        if (!is_mount_of(&mount, controller))
            continue;
        mounted = true;
        is_below(&mount, name, &folder);
    }
    if (folder.len)
        *place = (struct cgroup_place){text_of(buf_str(&folder)), text_of(name)};
    else if (mounted)
        buf_addf(why, "our control group '%.*s' is not below a mount of %s", STR_ARG(name), what);
    else
        buf_addf(why, "no %s is mounted", what);
    mounted = folder.len > 0;
    buf_release(&folder);
    return mounted;
}

/* ---- of this process ---- */

bool cgroup_find(const char *controller, struct cgroup_place *place, struct buf *why)
{
    struct buf mounts = {0}, groups = {0};
    const char *failed = file_read("/proc/self/mountinfo", &mounts, MOUNTS_MOST) < 0 ? "mountinfo"
                         : file_read("/proc/self/cgroup", &groups, GROUPS_MOST) < 0  ? "cgroup"
                                                                                     : NULL;
    bool found = false;

    *place = (struct cgroup_place){0};
    if (failed)
        buf_addf(why, "cannot read '/proc/self/%s': %s", failed, strerror(errno));
    else
        found = cgroup_locate(buf_str(&mounts), buf_str(&groups), controller, place, why);
    buf_release(&mounts);
    buf_release(&groups);
    return found;
}

void cgroup_place_release(struct cgroup_place *place)
{
    free(place->folder);
    free(place->name);
    *place = (struct cgroup_place){0};
}
