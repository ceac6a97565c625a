#include "runner/leaks/world.h"

#include "runner/base/hash.h"
#include "runner/base/mem.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- making one ---- */

struct world *world_empty(void)
{
    struct world *world = mem_zero(1, sizeof *world);

    sysv_open(&world->sysv);
    return world;
}

/* The same folder under another name is there already. */
static bool has_folder(const struct world *world, const struct folder *folder)
{
    for (size_t i = 0; i < world->folder_count; i++)
        if (strcmp(world->folders[i].path, folder->path) == 0)
            return true;
    return false;
}

void world_add_folder(struct world *world, const char *path)
{
    struct folder folder;

    if (path[0] != '/' || folder_open(&folder, path) < 0)
        return;
    if (has_folder(world, &folder)) {
        folder_close(&folder);
        return;
    }
    folder.is_shm = strcmp(path, SHM_FOLDER) == 0;
    GROW(world->folders, world->folder_count, world->folder_cap);
    world->folders[world->folder_count++] = folder;
}

/* /proc/sysvipc tells of times and loads too; only who is there counts. */
uint64_t world_read_objects(struct world *world)
{
    uint64_t hash = HASH_START;

    sysv_read(&world->sysv, &world->objects);
    for (size_t i = 0; i < world->objects.count; i++) {
        uint64_t key = sysv_key(&world->objects.list[i]);

        hash = hash_add(hash, (struct str){(const char *)&key, sizeof key});
    }
    return hash;
}

static void know_all(struct world *world)
{
    for (size_t i = 0; i < world->folder_count; i++)
        folder_read(&world->folders[i], NULL, NULL);
    world->objects_hash = world_read_objects(world);
    for (size_t i = 0; i < world->objects.count; i++)
        hashes_add(&world->known_objects, sysv_key(&world->objects.list[i]));
    hashes_sort(&world->known_objects);
}

struct world *world_new(const char *const *more, size_t count)
{
    struct world *world = world_empty();
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char user[64];

    world_add_folder(world, "/tmp");
    world_add_folder(world, SHM_FOLDER);
    if (runtime)
        world_add_folder(world, runtime);
    snprintf(user, sizeof user, "/run/user/%lu", (unsigned long)geteuid());
    world_add_folder(world, user);
    for (size_t i = 0; i < count; i++)
        world_add_folder(world, more[i]);
    know_all(world);
    return world;
}

void world_free(struct world *world)
{
    if (!world)
        return;
    for (size_t i = 0; i < world->folder_count; i++)
        folder_close(&world->folders[i]);
    for (size_t i = 0; i < world->held_count; i++)
        free(world->held[i].path);
    for (size_t i = 0; i < world->left_out_count; i++)
        free(world->left_out[i]);
    sysv_close(&world->sysv);
    hashes_release(&world->known_objects);
    free(world->objects.list);
    free(world->folders);
    free(world->held);
    free(world->left_out);
    free(world);
}

/* ---- ours ---- */

void world_leave_out(struct world *world, const char *path)
{
    struct buf text = {0};

    buf_adds(&text, path);
    while (text.len > 1 && text.ptr[text.len - 1] == '/')
        text.ptr[--text.len] = '\0';
    if (!path_straighten(&text)) {
        buf_release(&text);
        return;
    }
    GROW(world->left_out, world->left_out_count, world->left_out_cap);
    world->left_out[world->left_out_count++] = text.ptr;
}

bool world_leaves_out(const struct world *world, const char *path)
{
    for (size_t i = 0; i < world->left_out_count; i++) {
        const char *ours = world->left_out[i];
        size_t len = strlen(ours);

        if (strncmp(path, ours, len) == 0 && (!path[len] || path[len] == '/'))
            return true;
        if (fnmatch(ours, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0)
            return true;
    }
    return false;
}

/* ---- has anything changed? ---- */

static const struct sysv_object *find_object(const struct world *world, uint64_t key)
{
    for (size_t i = 0; i < world->objects.count; i++)
        if (sysv_key(&world->objects.list[i]) == key)
            return &world->objects.list[i];
    return NULL;
}

static bool is_let_go(const struct world *world, const struct held_thing *held)
{
    const struct sysv_object *object;

    if (held->holder.pid)
        return !proc_is(held->holder);
    switch (held->thing) {
    case THING_SOCKET: return socket_probe(AT_FDCWD, held->path) != HELD_BY_SOMEBODY;
    case THING_FILE: return file_probe(AT_FDCWD, held->path) != HELD_BY_SOMEBODY;
    case THING_OBJECT: break;
    }
    object = find_object(world, sysv_key(&held->object));
    return !object || !object->attached;
}

bool world_changed(struct world *world)
{
    for (size_t i = 0; i < world->folder_count; i++)
        if (folder_changed(&world->folders[i]))
            return true;
    if (world_read_objects(world) != world->objects_hash)
        return true;
    for (size_t i = 0; i < world->held_count; i++)
        if (is_let_go(world, &world->held[i]))
            return true;
    return false;
}
