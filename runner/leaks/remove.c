#include "runner/leaks/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#define PATIENCE (2 * NS_PER_S)

static bool fail(int error)
{
    errno = error;
    return false;
}

/* ---- what has a path ---- */

/* By no namespace's process that we may look at; where a storm leaves no time to look at all, it is somebody's. */
static enum held look_for_holder(const struct file_facts *facts)
{
    struct holders holders = {.list = NULL};
    enum held held;

    holders_find(&holders, PATIENCE);
    held = holders.whole ? HELD_BY_NOBODY : HELD_BY_SOMEBODY;
    for (size_t i = 0; i < holders.count; i++)
        if (holders.list[i].kind == HOLDS_FILE && holders.list[i].device == facts->device &&
            holders.list[i].number == facts->inode)
            held = HELD_BY_SOMEBODY;
    holders_release(&holders);
    return held;
}

static enum held probe(int folder, const char *name, const struct file_facts *facts)
{
    enum held held;

    if (S_ISSOCK(facts->mode))
        return socket_probe(folder, name);
    held = file_probe(folder, name);
    return held == HELD_UNKNOWN ? look_for_holder(facts) : held;
}

/*
 * Looked at before and after it was asked: who has put something else in its place meanwhile keeps that.
 * What is left is the moment between the second look and the unlink, for which Linux has no call.
 */
static bool remove_at(int folder, const char *name, mode_t kind)
{
    struct file_facts before, after;
    enum held held;

    if (!file_look(folder, name, &before))
        return false;
    if ((before.mode & S_IFMT) != kind || before.is_mount)
        return fail(ENOTSUP);
    if (before.uid != geteuid())
        return fail(EPERM);
    held = probe(folder, name, &before);
    if (held == HELD_BY_SOMEBODY || held == HELD_UNKNOWN)
        return fail(EBUSY);
    if (!file_look(folder, name, &after))
        return false;
    if (held == HELD_GONE || after.device != before.device || after.inode != before.inode)
        return fail(EBUSY);
    return unlinkat(folder, name, 0) == 0;
}

static bool remove_path(const char *path, mode_t kind)
{
    const char *slash = strrchr(path, '/');
    struct buf parent = {0};
    int folder;
    bool removed;

    if (path[0] != '/')
        return fail(EINVAL);
    buf_add(&parent, path, slash == path ? 1 : (size_t)(slash - path));
    folder = open(buf_text(&parent), O_PATH | O_DIRECTORY | O_CLOEXEC);
    buf_release(&parent);
    removed = folder >= 0 && remove_at(folder, slash + 1, kind);
    fd_close(&folder);
    return removed;
}

/* ---- System V ---- */

static bool find_object(const struct leak *leak, struct sysv_object *object)
{
    struct sysv sysv;
    struct sysv_objects objects = {.list = NULL};
    bool found = false;

    sysv_open(&sysv);
    sysv_read(&sysv, &objects);
    for (size_t i = 0; i < objects.count && !found; i++) {
        char name[32];

        *object = objects.list[i];
        snprintf(name, sizeof name, "%s:%d", sysv_names[object->kind], object->id);
        found = object->id == leak->number && str_is(leak->what, name);
    }
    sysv_close(&sysv);
    free(objects.list);
    return found;
}

static bool remove_object(const struct leak *leak)
{
    struct sysv_object object;

    if (!find_object(leak, &object))
        return fail(ENOENT);
    if (object.uid != geteuid())
        return fail(EPERM);
    /* Of whom nobody knows who made or used it, nobody knows whether he is still there. */
    if (object.attached || sysv_user(&object) != 0)
        return fail(EBUSY);
    switch (object.kind) {
    case SYSV_SHM: return shmctl(object.id, IPC_RMID, NULL) == 0;
    case SYSV_SEM: return semctl(object.id, 0, IPC_RMID) == 0;
    case SYSV_MSG: return msgctl(object.id, IPC_RMID, NULL) == 0;
    case SYSV_KIND_COUNT: break;
    }
    return fail(EINVAL);
}

static bool remove_segment(const struct leak *leak)
{
    struct buf path = {0};
    bool removed;

    buf_adds(&path, SHM_FOLDER);
    buf_addstr(&path, leak->what);
    removed = str_starts(leak->what, "/") ? remove_path(buf_text(&path), S_IFREG) : fail(EINVAL);
    buf_release(&path);
    return removed;
}

bool leak_remove(const struct leak *leak)
{
    if (leak->kind == LEAK_SOCKET)
        return remove_path(leak->what.ptr, S_IFSOCK);
    if (leak->kind == LEAK_SHM)
        return leak->number >= 0 ? remove_object(leak) : remove_segment(leak);
    return fail(ENOTSUP);
}
