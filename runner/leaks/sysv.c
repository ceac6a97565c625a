#include "runner/leaks/internal.h"

#include "runner/base/hash.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <unistd.h>

#define TABLE_MOST      ((size_t)4 << 20)
#define FIELDS          16
#define SEMAPHORES_MOST 1000

const char *const sysv_names[SYSV_KIND_COUNT] = {
#define X(id, name, words) name,
    SYSV_KINDS(X)
#undef X
};

const char *const sysv_words[SYSV_KIND_COUNT] = {
#define X(id, name, words) words,
    SYSV_KINDS(X)
#undef X
};

/* Columns of /proc/sysvipc/<name>; all begin with key, id, permissions. -1: it has none such. */
static const struct columns {
    const char *path;
    int uid, users[2], attached, changed;
} columns[SYSV_KIND_COUNT] = {
    [SYSV_SHM] = {"/proc/sysvipc/shm", .uid = 7, .users = {4, -1}, .attached = 6, .changed = 13},
    [SYSV_SEM] = {"/proc/sysvipc/sem", .uid = 4, .users = {-1, -1}, .attached = -1, .changed = 9},
    [SYSV_MSG] = {"/proc/sysvipc/msg", .uid = 7, .users = {5, 6}, .attached = -1, .changed = 13},
};

void sysv_open(struct sysv *sysv)
{
    *sysv = (struct sysv){.text = {0}};
    for (int i = 0; i < SYSV_KIND_COUNT; i++)
        sysv->fds[i] = open(columns[i].path, O_RDONLY | O_CLOEXEC);
}

void sysv_close(struct sysv *sysv)
{
    for (int i = 0; i < SYSV_KIND_COUNT; i++)
        fd_close(&sysv->fds[i]);
    buf_release(&sysv->text);
}

/* How many numbers a line has; the permissions are octal digits. */
static int take_fields(const char *line, int64_t fields[FIELDS])
{
    int count;
    char *end;

    for (count = 0; count < FIELDS; count++, line = end) {
        fields[count] = strtoll(line, &end, 10);
        if (end == line)
            break;
    }
    return count;
}

static bool parse(enum sysv_kind kind, const char *line, struct sysv_object *object)
{
    const struct columns *at = &columns[kind];
    int64_t fields[FIELDS] = {0};

    if (take_fields(line, fields) <= at->changed)
        return false;
    if (kind == SYSV_SHM && fields[2] / 1000 % 2)
        return false; /* removed: it ends with the last who has it */
    *object = (struct sysv_object){
        .kind = kind,
        .key = fields[0],
        .id = (int)fields[1],
        .uid = (uid_t)fields[at->uid],
        .changed = fields[at->changed] * NS_PER_S,
        .attached = at->attached < 0 ? 0 : (uint64_t)fields[at->attached],
    };
    for (int i = 0; i < 2; i++)
        object->users[i] = at->users[i] < 0 ? 0 : (pid_t)fields[at->users[i]];
    return true;
}

static void read_kind(struct sysv *sysv, enum sysv_kind kind, struct sysv_objects *objects)
{
    char *line, *end;

    buf_clear(&sysv->text);
    if (sysv->fds[kind] < 0 || lseek(sysv->fds[kind], 0, SEEK_SET) < 0)
        return;
    fd_read_all(sysv->fds[kind], &sysv->text, TABLE_MOST);
    for (line = sysv->text.ptr; line && (end = strchr(line, '\n')); line = end + 1) {
        struct sysv_object object;

        *end = '\0';
        if (!parse(kind, line, &object))
            continue; /* the head */
        GROW(objects->list, objects->count, objects->cap);
        objects->list[objects->count++] = object;
    }
}

void sysv_read(struct sysv *sysv, struct sysv_objects *objects)
{
    objects->count = 0;
    for (int i = 0; i < SYSV_KIND_COUNT; i++)
        read_kind(sysv, (enum sysv_kind)i, objects);
}

uint64_t sysv_key(const struct sysv_object *object)
{
    char text[64];

    snprintf(text, sizeof text, "%s %d %" PRId64 " %ld", sysv_names[object->kind], object->id, object->key,
             object->kind == SYSV_SHM ? (long)object->users[0] : 0L);
    return hash_add(HASH_START, str_of(text));
}

/* ---- users ---- */

static bool is_alive(pid_t pid)
{
    struct proc_stat stat;

    return proc_stat_read(pid, &stat) == 0 && proc_stat_is_alive(&stat);
}

/* Semaphores have each a last user, who is in no table. */
static pid_t semaphore_user(int id)
{
    pid_t known = -1;

    for (int i = 0; i < SEMAPHORES_MOST; i++) {
        pid_t pid = semctl(id, i, GETPID);

        if (pid < 0)
            break; /* no more of them, or not ours */
        if (pid > 0 && is_alive(pid))
            return pid;
        if (pid > 0)
            known = 0;
    }
    return known;
}

pid_t sysv_user(const struct sysv_object *object)
{
    pid_t known = -1;

    if (object->kind == SYSV_SEM)
        return semaphore_user(object->id);
    for (int i = 0; i < 2; i++) {
        if (object->users[i] > 0 && is_alive(object->users[i]))
            return object->users[i];
        if (object->users[i] > 0)
            known = 0;
    }
    return known;
}
