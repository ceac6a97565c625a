#include "runner/leaks/world.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELD_MOST   256  /* that are looked at again; more are taken for known */
#define DEPTH_MOST  3    /* of folders that are new */
#define NESTED_MOST 1000 /* names in them, of one look */
#define PATIENCE    (2 * NS_PER_S)

struct world_look {
    struct world *world;
    const struct proc_id *own;
    size_t own_count;
    struct leak_list *leaks;
    struct leak_list mine; /* what the own hold, once somebody asked */
    bool knows_mine;
    struct holders holders;
    unsigned nested;
};

/* ---- what comes of a thing ---- */

static void add(struct world_look *look, enum leak_kind kind, struct str what, struct str words, pid_t pid,
                nanos born, int64_t number)
{
    struct leak *leak;

    if (leak_find(look->leaks, kind, what))
        return; /* it was found with the process that holds it */
    leak = leak_add(look->leaks, kind, what, words);
    leak->pid = pid;
    leak->born = born;
    leak->number = number;
}

static void hold(struct world_look *look, struct held_thing held)
{
    struct world *world = look->world;

    if (world->held_count == HELD_MOST)
        return;
    if (held.path)
        held.path = strcpy(mem_alloc(strlen(held.path) + 1), held.path);
    GROW(world->held, world->held_count, world->held_cap);
    world->held[world->held_count++] = held;
}

static bool is_own(const struct world_look *look, struct proc_id id)
{
    for (size_t i = 0; i < look->own_count; i++)
        if (look->own[i].pid == id.pid && look->own[i].start_ticks == id.start_ticks)
            return true;
    return false;
}

/* ---- sockets ---- */

static const struct leak *find_mine(struct world_look *look, struct str path)
{
    if (!look->own_count)
        return NULL;
    if (!look->knows_mine) {
        look->mine.arena = look->leaks->arena;
        leaks_of_processes(&look->mine, look->own, look->own_count, false, PATIENCE);
        look->knows_mine = true;
    }
    return leak_find(&look->mine, LEAK_SOCKET, path);
}

static void judge_socket(struct world_look *look, char *path, nanos born)
{
    struct str what = str_of(path);
    enum held held = socket_probe(AT_FDCWD, path);
    const struct leak *mine;

    if (held == HELD_GONE)
        return;
    mine = held == HELD_BY_NOBODY ? NULL : find_mine(look, what);
    if (held == HELD_BY_NOBODY)
        add(look, LEAK_SOCKET, what, what, 0, born, -1);
    else if (mine)
        add(look, LEAK_SOCKET, what, mine->words, mine->pid, born, -1);
    else
        hold(look, (struct held_thing){.thing = THING_SOCKET, .path = path});
}

/* ---- shared memory ---- */

/* Who holds it: somebody else before one of the own. NULL: nobody that we can see. */
static const struct holder *find_holder(struct world_look *look, struct holder wanted)
{
    const struct holder *found = NULL;

    holders_find(&look->holders, PATIENCE);
    for (size_t i = 0; i < look->holders.count; i++) {
        const struct holder *holder = &look->holders.list[i];

        if (holder->kind != wanted.kind || holder->device != wanted.device || holder->number != wanted.number)
            continue;
        found = holder;
        if (!is_own(look, holder->id))
            break;
    }
    return found;
}

static void judge_segment(struct world_look *look, char *path)
{
    enum held held = file_probe(AT_FDCWD, path);
    struct held_thing thing = {.thing = THING_FILE, .path = path};
    const struct holder *holder = NULL;
    struct file_facts facts;
    struct str what = str_of(path + strlen(SHM_FOLDER));

    if (held == HELD_GONE || !file_look(AT_FDCWD, path, &facts))
        return;
    if (held != HELD_BY_NOBODY)
        holder = find_holder(look, (struct holder){HOLDS_FILE, facts.device, facts.inode, {0}});
    if (holder)
        thing.holder = holder->id;
    if (holder ? is_own(look, holder->id)
               : held == HELD_BY_NOBODY || (held == HELD_UNKNOWN && look->holders.whole))
        add(look, LEAK_SHM, what, what, thing.holder.pid, facts.born, -1);
    else
        hold(look, thing);
}

/* Its holder, or else somebody who made or used it and is alive. False: there is nobody. */
static bool find_user(struct world_look *look, const struct sysv_object *object, struct proc_id *user)
{
    const struct holder *holder = NULL;
    struct proc_stat stat;

    *user = (struct proc_id){0};
    if (object->attached) {
        holder = find_holder(look, (struct holder){HOLDS_OBJECT, 0, (uint64_t)object->id, {0}});
        if (holder)
            *user = holder->id;
        return true;
    }
    user->pid = sysv_user(object);
    if (user->pid <= 0 || proc_stat_read(user->pid, &stat) < 0) {
        user->pid = 0;
        return false;
    }
    user->start_ticks = stat.start_ticks;
    return true;
}

static void judge_object(struct world_look *look, const struct sysv_object *object)
{
    struct proc_id user;
    bool used;
    char what[32], words[64];

    if (object->uid != geteuid())
        return;
    used = find_user(look, object, &user);
    if (used && !is_own(look, user)) {
        hold(look, (struct held_thing){.thing = THING_OBJECT, .object = *object, .holder = user});
        return;
    }
    snprintf(what, sizeof what, "%s:%d", sysv_names[object->kind], object->id);
    snprintf(words, sizeof words, "%s %d", sysv_words[object->kind], object->id);
    add(look, LEAK_SHM, str_of(what), str_of(words), user.pid, object->changed, object->id);
}

/* ---- files ---- */

static void search(struct world_look *look, int at, const char *name, const char *path, int depth);

/* One name in a folder that is new: only a socket means anything to others. */
static void look_below(struct world_look *look, int at, const char *name, const char *folder, int depth)
{
    struct file_facts facts;
    struct buf path = {0};

    buf_addf(&path, "%s/%s", folder, name);
    if (file_look(at, name, &facts) && facts.uid == geteuid() && !facts.is_mount &&
        !world_leaves_out(look->world, buf_text(&path))) {
        if (S_ISSOCK(facts.mode))
            judge_socket(look, path.ptr, facts.born);
        else if (S_ISDIR(facts.mode))
            search(look, at, name, buf_text(&path), depth + 1);
    }
    buf_release(&path);
}

static void search(struct world_look *look, int at, const char *name, const char *path, int depth)
{
    int fd = depth > DEPTH_MOST ? -1 : openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        fd_close(&fd);
        return;
    }
    while (look->nested < NESTED_MOST && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        look->nested++;
        look_below(look, dirfd(dir), entry->d_name, path, depth);
    }
    closedir(dir);
}

static void judge_file(struct world_look *look, const struct folder *folder, const char *name, char *path)
{
    struct file_facts facts;

    if (!file_look(folder->fd, name, &facts) || facts.uid != geteuid() || facts.is_mount ||
        facts.device != folder->device)
        return;
    if (S_ISSOCK(facts.mode)) {
        judge_socket(look, path, facts.born);
        return;
    }
    if (S_ISREG(facts.mode) && folder->is_shm) {
        judge_segment(look, path);
        return;
    }
    add(look, LEAK_OUTSIDE_FILE, str_of(path), str_of(path), 0, facts.born, -1);
    if (S_ISDIR(facts.mode))
        search(look, folder->fd, name, path, 1);
}

static void judge_name(void *user, const struct folder *folder, const char *name)
{
    struct world_look *look = user;
    struct buf path = {0};

    buf_addf(&path, "%s/%s", strcmp(folder->path, "/") == 0 ? "" : folder->path, name);
    if (!world_leaves_out(look->world, buf_text(&path)))
        judge_file(look, folder, name, path.ptr);
    buf_release(&path);
}

/* ---- all of it ---- */

static void look_at_objects(struct world_look *look)
{
    struct world *world = look->world;
    struct hashes now = {0};

    world->objects_hash = world_read_objects(world);
    for (size_t i = 0; i < world->objects.count; i++) {
        uint64_t key = sysv_key(&world->objects.list[i]);

        hashes_add(&now, key);
        if (!hashes_have(&world->known_objects, key))
            judge_object(look, &world->objects.list[i]);
    }
    hashes_sort(&now);
    hashes_release(&world->known_objects);
    world->known_objects = now;
}

static void judge_again(struct world_look *look, struct held_thing *held)
{
    struct file_facts facts;

    switch (held->thing) {
    case THING_SOCKET:
        if (file_look(AT_FDCWD, held->path, &facts))
            judge_socket(look, held->path, facts.born);
        break;
    case THING_FILE: judge_segment(look, held->path); break;
    case THING_OBJECT:
        for (size_t i = 0; i < look->world->objects.count; i++)
            if (sysv_key(&look->world->objects.list[i]) == sysv_key(&held->object))
                judge_object(look, &look->world->objects.list[i]);
        break;
    }
    free(held->path);
}

/* Each is held anew, or is not any more. */
static void look_at_held(struct world_look *look)
{
    struct world *world = look->world;
    struct held_thing *list = world->held;
    size_t count = world->held_count;

    world->held = NULL;
    world->held_count = world->held_cap = 0;
    for (size_t i = 0; i < count; i++)
        judge_again(look, &list[i]);
    free(list);
}

void world_look(struct world *world, const struct proc_id *own, size_t own_count, struct leak_list *leaks)
{
    struct world_look look = {.world = world, .own = own, .own_count = own_count, .leaks = leaks};

    world_read_objects(world);
    look_at_held(&look);
    for (size_t i = 0; i < world->folder_count; i++)
        if (folder_changed(&world->folders[i]))
            folder_read(&world->folders[i], judge_name, &look);
    look_at_objects(&look);
    holders_release(&look.holders);
    leak_list_release(&look.mine);
}
