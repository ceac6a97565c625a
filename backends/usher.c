/* Who takes a case to its namespaces. Child's side: see inside.h and child.h. */
#include "backends/inside.h"

#include "backends/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202 /* of the kernel's ipc/mqueue.c, in no header */
#endif

/* Each step answers a number that is negative, -errno, when it failed. */

static long opened(struct usher *usher, long fd)
{
    if (fd >= 0)
        usher->files[usher->count++] = (int)fd;
    return fd;
}

static long find_itself(struct usher *usher)
{
    if (!usher->room->isolate)
        return 0;
    usher->self = (int)opened(usher, RAW(openat, AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return usher->self;
}

/* A mount namespace is entered at its root: ours, and our folder, are found again by what the init has of them. */
static long enter_anchor(struct usher *usher)
{
    const struct anchor *anchor = usher->room->anchor;
    long result;

    if (!anchor)
        return 0;
    result = RAW(setns, anchor->pidfd, anchor->namespaces);
    if (result < 0 || !(anchor->namespaces & CLONE_NEWNS))
        return result;
    result = RAW(fchdir, anchor->root);
    if (result >= 0)
        result = RAW(chroot, ".");
    return result < 0 ? result : RAW(fchdir, anchor->cwd);
}

/* Who may not becomes one who may, in a user namespace of his own; in that of an anchor he is it already. */
static long leave_ours(struct usher *usher)
{
    unsigned isolate = usher->room->isolate;
    int namespaces = (isolate & SPAWN_ISOLATE_NET ? CLONE_NEWNET : 0) |
                     (isolate & SPAWN_ISOLATE_FILES ? CLONE_NEWNS | CLONE_NEWIPC : 0);
    long result = RAW(unshare, namespaces);

    if (result != -EPERM)
        return result;
    result = RAW(unshare, namespaces | CLONE_NEWUSER);
    return result < 0 ? result : inside_map_ids(usher->self, &usher->identity);
}

/* Any socket will do to reach the interfaces. */
static long raise_loopback(struct usher *usher)
{
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    long fd;

    if (!(usher->room->isolate & SPAWN_ISOLATE_NET))
        return 0;
    fd = opened(usher, RAW(socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return fd < 0 ? fd : RAW(ioctl, fd, SIOCSIFFLAGS, &loopback);
}

/* They may lie below one another, and below what is covered by them: all are taken up before one is put down. */
static long mount_folders(struct usher *usher)
{
    const struct spawn_room *room = usher->room;
    const struct {
        const char *folder, *at;
    } places[] = {{room->tmp, "/tmp"}, {room->shm, "/dev/shm"}, {room->kept, room->kept}};
    enum { COUNT = sizeof places / sizeof *places };
    long trees[COUNT], result = 0;

    for (int i = 0; i < COUNT; i++) {
        trees[i] = -1;
        if (places[i].folder)
            trees[i] = opened(usher, RAW(open_tree, AT_FDCWD, places[i].folder,
                                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
        if (places[i].folder && trees[i] < 0)
            return trees[i];
    }
    for (int i = 0; i < COUNT && result >= 0; i++)
        if (trees[i] >= 0)
            result = RAW(move_mount, trees[i], "", AT_FDCWD, places[i].at,
                         MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
    return result;
}

/* Queues are private by the namespace alone; this is for who looks at them as files. */
static long mount_queues(void)
{
    struct statfs fs;

    if (RAW(statfs, "/dev/mqueue", &fs) < 0 || fs.f_type != MQUEUE_MAGIC)
        return 0;
    return RAW(mount, "mqueue", "/dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static long isolate_files(struct usher *usher)
{
    long result;

    if (!(usher->room->isolate & SPAWN_ISOLATE_FILES))
        return 0;
    result = inside_detach_mounts();
    if (result >= 0)
        result = mount_folders(usher);
    return result < 0 ? result : mount_queues();
}

static long leave_ipc(struct usher *usher)
{
    if (!usher->room->ipc || !(usher->room->isolate & SPAWN_ISOLATE_FILES))
        return 0;
    usher->ipc = (int)RAW(openat, usher->self, "ns/ipc", O_RDONLY | O_CLOEXEC);
    return usher->ipc;
}

static long isolate(struct usher *usher)
{
    static long (*const steps[])(struct usher * usher) = {leave_ours, raise_loopback, isolate_files,
                                                          leave_ipc};
    long result = 0;

    for (unsigned i = 0; usher->room->isolate && i < sizeof steps / sizeof *steps && result >= 0; i++)
        result = steps[i](usher);
    return result;
}

long usher_bring_spawn(struct usher *usher)
{
    return child_clone(usher->args, child_main, usher->spawn);
}

static long bring_in(struct usher *usher)
{
    return usher->bring(usher);
}

static const struct {
    enum spawn_stage stage;
    long (*take)(struct usher *usher);
} steps[] = {
    {SPAWN_STAGE_ISOLATE, find_itself},
    {SPAWN_STAGE_ENTER, enter_anchor},
    {SPAWN_STAGE_ISOLATE, isolate},
    {SPAWN_STAGE_CLONE, bring_in},
};

static _Noreturn void leave(void)
{
    for (;;)
        RAW(exit_group, 0);
}

bool usher_walk(struct usher *usher)
{
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        long result = steps[i].take(usher);

        if (result < 0) {
            usher->failure = FAILURE(steps[i].stage, -result);
            return false;
        }
    }
    return true;
}

void usher_main(void *user)
{
    usher_walk(user);
    leave();
}

/* ---- look into an IPC namespace ---- */

/* Only who may do all in the user namespace that owns it may enter. */
static long enter_ipc(struct ipc_look *look)
{
    long result = RAW(setns, look->ipc, CLONE_NEWIPC);

    if (result != -EPERM)
        return result;
    look->owner = (int)RAW(ioctl, look->ipc, NS_GET_USERNS);
    if (look->owner < 0)
        return look->owner;
    result = RAW(setns, look->owner, CLONE_NEWUSER);
    return result < 0 ? result : RAW(setns, look->ipc, CLONE_NEWIPC);
}

void ipc_look_main(void *user)
{
    static const char *const names[IPC_TABLES] = {"/proc/sysvipc/shm", "/proc/sysvipc/sem",
                                                  "/proc/sysvipc/msg"};
    struct ipc_look *look = user;
    long result = enter_ipc(look);

    for (int i = 0; i < IPC_TABLES && result >= 0; i++) {
        result = RAW(openat, AT_FDCWD, names[i], O_RDONLY | O_CLOEXEC);
        look->tables[i] = (int)result;
    }
    if (result < 0)
        look->error = (int)-result;
    leave();
}
