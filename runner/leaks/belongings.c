#include "runner/leaks/internal.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MOST 1000
#define CLOCK_SLIP (20 * NS_PER_MS) /* file systems and start times count in ticks */

/* "ADDRESS of python3 (pid 4711)" */
static struct leak *add(struct process_look *look, enum leak_kind kind, struct str what, const char *note)
{
    const struct subject *subject = look->subject;
    struct buf words = {0};
    struct leak *leak;

    buf_addstr(&words, what);
    buf_addf(&words, "%s of %.*s (pid %ld)", note, STR_ARG(subject->name), (long)subject->id.pid);
    leak = leak_add(look->leaks, kind, what, buf_str(&words));
    leak->pid = subject->id.pid;
    buf_release(&words);
    return leak;
}

/* What ends with the process, or may be another's, is only told of, once. */
static void mention(struct process_look *look, const char *what, struct str name)
{
    struct buf phrase = {0}, *words = &look->subject->words;

    buf_addf(&phrase, ", with %s '%.*s'", what, STR_ARG(name));
    if (words->len < WORDS_MOST && !memmem(words->ptr, words->len, phrase.ptr, phrase.len))
        buf_addstr(words, buf_str(&phrase));
    buf_release(&phrase);
}

/* ---- sockets ---- */

/*
 * Where a socket file is. What counts is whether it is the same file seen from the process and from us: it
 * may have another root, or a folder of the same name for its own, or have gone elsewhere since it bound a
 * relative path.
 */
static bool find_socket_file(int process, struct str address, struct buf *path)
{
    char theirs[256], folder[PATH_MAX]; /* an address has 107 bytes at most */
    struct file_facts seen, ours;
    ssize_t len;

    snprintf(theirs, sizeof theirs, "%s/%.*s", str_starts(address, "/") ? "root" : "cwd", STR_ARG(address));
    if (!str_starts(address, "/")) {
        len = readlinkat(process, "cwd", folder, sizeof folder);
        buf_add(path, folder, len > 0 ? (size_t)len : 0);
        buf_addc(path, '/');
    }
    buf_addstr(path, address);
    return path_straighten(path) && file_look(process, theirs, &seen) &&
           file_look(AT_FDCWD, buf_text(path), &ours) && S_ISSOCK(ours.mode) && seen.device == ours.device &&
           seen.inode == ours.inode;
}

static void found_socket(struct process_look *look, uint64_t inode)
{
    struct bound_socket *found = socket_find(&look->tables, look->process, inode);
    struct buf path = {0};

    if (!found || found->taken)
        return; /* a child has what its parent has: the first of them is named */
    found->taken = true;
    if (found->family == SOCKET_UNIX && !str_starts(found->address, "@") &&
        find_socket_file(look->process, found->address, &path))
        add(look, LEAK_SOCKET, buf_str(&path), "");
    else
        add(look, LEAK_LISTENER, found->address, found->note);
    buf_release(&path);
}

/* ---- shared memory ---- */

/*
 * To have it open is not to have made it, and whoever reads us may remove it. So one that was there before
 * the oldest of them is only told of; if it appeared in this run all the same, the world knows.
 */
static void add_segment(struct process_look *look, struct str what, int64_t number, nanos born)
{
    struct leak *leak;

    if (!born || born < look->since - CLOCK_SLIP) {
        mention(look, "shared memory", what);
        return;
    }
    if (leak_find(look->leaks, LEAK_SHM, what))
        return;
    leak = add(look, LEAK_SHM, what, "");
    leak->number = number;
    leak->born = born;
}

static void found_file(struct process_look *look, const struct holding *holding)
{
    char path[PATH_MAX];
    struct file_facts facts;

    if (holding->name.len > PATH_MAX / 2)
        return;
    snprintf(path, sizeof path, SHM_FOLDER "%.*s", STR_ARG(holding->name));
    if (file_look(AT_FDCWD, path, &facts) && facts.device == holding->device &&
        facts.inode == holding->number)
        add_segment(look, holding->name, -1, facts.uid == geteuid() ? facts.born : 0);
    else
        mention(look, "shared memory", holding->name);
}

static const struct sysv_object *find_object(struct process_look *look, uint64_t id)
{
    struct sysv sysv;

    if (!look->knows_objects) {
        sysv_open(&sysv);
        sysv_read(&sysv, &look->objects);
        sysv_close(&sysv);
        look->knows_objects = true;
    }
    for (size_t i = 0; i < look->objects.count; i++)
        if (look->objects.list[i].kind == SYSV_SHM && (uint64_t)look->objects.list[i].id == id)
            return &look->objects.list[i];
    return NULL;
}

static bool is_in_our_ipc(int process)
{
    struct stat theirs, ours;

    return fstatat(process, "ns/ipc", &theirs, 0) == 0 && stat("/proc/self/ns/ipc", &ours) == 0 &&
           theirs.st_ino == ours.st_ino;
}

static void found_object(struct process_look *look, uint64_t id)
{
    const struct sysv_object *object = is_in_our_ipc(look->process) ? find_object(look, id) : NULL;
    char what[32];

    snprintf(what, sizeof what, "shm:%llu", (unsigned long long)id);
    if (object)
        /* A time in whole seconds: the end of that second. */
        add_segment(look, str_of(what), object->id,
                    object->uid == geteuid() ? object->changed + NS_PER_S : 0);
    else
        mention(look, "shared memory", str_of(what));
}

static void found(void *user, const struct holding *holding)
{
    struct process_look *look = user;

    switch (holding->kind) {
    case HOLDS_SOCKET: found_socket(look, holding->number); break;
    case HOLDS_FILE: found_file(look, holding); break;
    case HOLDS_OBJECT: found_object(look, holding->number); break;
    case HOLDS_MEMORY: mention(look, "memory file", holding->name); break;
    }
}

void belongings_look(struct process_look *look, struct subject *subject, int process)
{
    look->subject = subject;
    look->process = process;
    holdings_of(process, look->deadline, found, look);
}
