#include "runner/leaks/world.h"

#include "runner/base/hash.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MOST 20000
/* Time stamps are of the last tick of the system: what follows within it cannot be told from what was before. */
#define TICK (20 * NS_PER_MS)

/* ---- keys ---- */

void hashes_add(struct hashes *keys, uint64_t key)
{
    GROW(keys->list, keys->count, keys->cap);
    keys->list[keys->count++] = key;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

void hashes_sort(struct hashes *keys)
{
    if (keys->count)
        qsort(keys->list, keys->count, sizeof *keys->list, compare);
}

bool hashes_have(const struct hashes *keys, uint64_t key)
{
    return keys->count && bsearch(&key, keys->list, keys->count, sizeof *keys->list, compare);
}

void hashes_release(struct hashes *keys)
{
    free(keys->list);
    *keys = (struct hashes){0};
}

/* ---- folders ---- */

int folder_open(struct folder *folder, const char *path)
{
    struct stat st;

    *folder = (struct folder){.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .fresh = true};
    if (folder->fd < 0)
        return -1;
    folder->path = realpath(path, NULL);
    if (!folder->path || fstat(folder->fd, &st) < 0) {
        folder_close(folder);
        return -1;
    }
    folder->device = st.st_dev;
    return 0;
}

void folder_close(struct folder *folder)
{
    fd_close(&folder->fd);
    free(folder->path);
    folder->path = NULL;
    hashes_release(&folder->known);
}

bool folder_changed(const struct folder *folder)
{
    struct stat st;

    return folder->fresh || fstat(folder->fd, &st) < 0 || st.st_mtim.tv_sec != folder->changed.tv_sec ||
           st.st_mtim.tv_nsec != folder->changed.tv_nsec;
}

/* Before its names are read: a change in between must show as one later. */
static void note_time(struct folder *folder)
{
    struct stat st;

    folder->fresh = true;
    if (fstat(folder->fd, &st) < 0)
        return;
    folder->changed = st.st_mtim;
    folder->fresh = clock_wall() - (st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec) < TICK;
}

/* With its inode: another file of the same name is another. */
static uint64_t key_of(const struct dirent *entry)
{
    uint64_t hash = hash_add(HASH_START, str_of(entry->d_name)), inode = entry->d_ino;

    for (size_t i = 0; i < sizeof inode; i++)
        hash = hash_byte(hash, (unsigned char)(inode >> 8 * i));
    return hash;
}

struct names {
    struct arena texts;
    const char **list;
    size_t count, cap;
};

static void add_name(struct names *names, const char *name)
{
    GROW(names->list, names->count, names->cap);
    names->list[names->count++] = arena_cstr(&names->texts, str_of(name));
}

/* False: too many to know, or it cannot be read. */
static bool read_names(const struct folder *folder, struct hashes *now, struct names *added)
{
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        fd_close(&fd);
        return false;
    }
    while (now->count <= NAMES_MOST && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        hashes_add(now, key_of(entry));
        if (!hashes_have(&folder->known, now->list[now->count - 1]))
            add_name(added, entry->d_name);
    }
    closedir(dir);
    hashes_sort(now);
    return now->count <= NAMES_MOST;
}

void folder_read(struct folder *folder,
                 void (*each)(void *user, const struct folder *folder, const char *name), void *user)
{
    struct hashes now = {0};
    struct names added = {.list = NULL};
    bool whole;

    note_time(folder);
    whole = read_names(folder, &now, &added);
    hashes_release(&folder->known);
    folder->known = now;
    /* What was not known for its number is not new when it can be known again. */
    for (size_t i = 0; each && whole && !folder->lost && i < added.count; i++)
        each(user, folder, added.list[i]);
    folder->lost = !whole;
    free(added.list);
    arena_release(&added.texts);
}
