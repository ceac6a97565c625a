/* Folders of TMPDIRs: each says whose it is, so they tell which runs there are. */
#include "runner/remains/internal.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE  LAYOUT_ROOTS
#define PREFIX LAYOUT_ROOT
#define UNIQUE 6

#define CLOCK_SLIP (100 * NS_PER_MS) /* some times are of the last tick, others of the moment */

/* As mkdtemp makes them. */
static bool is_name(struct str name)
{
    if (!str_starts(name, PREFIX) || name.len != sizeof PREFIX - 1 + UNIQUE)
        return false;
    for (size_t i = sizeof PREFIX - 1; i < name.len; i++)
        if (!isalnum((unsigned char)name.ptr[i]))
            return false;
    return true;
}

bool root_is_path(const char *path)
{
    const char *name = strrchr(path, '/');

    return path[0] == '/' && is_name(str_of(name + 1));
}

static bool is_ours(int fd, mode_t type, struct stat *st)
{
    return fstat(fd, st) == 0 && (st->st_mode & S_IFMT) == type && st->st_uid == geteuid();
}

nanos changed_at(const struct stat *st)
{
    return st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
}

/* What its file says; NULL: there is none. False: it is none of ours. */
static bool read_owner(int folder, struct arena *arena, struct root *root)
{
    int fd = openat(folder, LAYOUT_WHOSE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    struct buf text = {0};
    struct stat st;
    bool ok;

    if (fd < 0)
        return errno == ENOENT;
    ok = is_ours(fd, S_IFREG, &st) && fd_read_all(fd, &text, PATH_MAX) == 0 && text.len &&
         text.ptr[0] == '/' && !memchr(text.ptr, '\0', text.len);
    if (ok) {
        root->run = arena_cstr(arena, str_trim(buf_str(&text)));
        root->since = changed_at(&st);
        root->ended = fstatat(folder, LAYOUT_ENDED, &st, AT_SYMLINK_NOFOLLOW) == 0 ? changed_at(&st) : 0;
    }
    buf_release(&text);
    fd_close(&fd);
    return ok;
}

static bool read_root(const char *path, struct arena *arena, struct root *root)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    bool ok;

    *root = (struct root){.path = path};
    ok = fd >= 0 && is_ours(fd, S_IFDIR, &st) && read_owner(fd, arena, root);
    fd_close(&fd);
    return ok;
}

/* ---- all of them ---- */

struct list {
    struct root *roots; /* malloced */
    size_t count, cap;
};

static void list_in(const char *folder, struct arena *arena, struct list *list)
{
    struct str *names;
    size_t count;

    if (dir_list(AT_FDCWD, folder, arena, &names, &count) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        struct root root;

        if (!is_name(names[i]) ||
            !read_root(arena_printf(arena, "%s/%.*s", folder, STR_ARG(names[i])), arena, &root))
            continue;
        GROW(list->roots, list->count, list->cap);
        list->roots[list->count++] = root;
    }
}

static bool is_new(const char *const *folders, size_t count, const char *folder)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(folders[i], folder) == 0)
            return false;
    return true;
}

size_t roots_list(const char *beside, struct arena *arena, struct root **roots)
{
    const char *given = getenv("TMPDIR"), *slash = beside ? strrchr(beside, '/') : NULL;
    const char *places[] = {
        PLACE,
        "/dev/shm",
        given && given[0] == '/' ? given : PLACE,
        slash && slash > beside ? arena_cstr(arena, (struct str){beside, (size_t)(slash - beside)}) : PLACE,
    };
    struct list list = {0};

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (is_new(places, i, places[i]))
            list_in(places[i], arena, &list);
    *roots = ARENA_ARRAY(arena, struct root, list.count + 1);
    if (list.count)
        memcpy(*roots, list.roots, list.count * sizeof *list.roots);
    free(list.roots);
    return list.count;
}

static bool is_going_on(const char *path)
{
    struct run_folder run = {.fd = dir_open(AT_FDCWD, path), .lock = -1};
    bool going_on = run.fd >= 0 && store_is_going_on(&run);

    store_close_run(&run);
    return going_on;
}

/* One that is dead is nobody's neighbour: its folder may be there for ever. */
static enum neighbour look_at(const struct root *root, nanos born)
{
    if (root->since - CLOCK_SLIP > born || (root->ended && root->ended + CLOCK_SLIP < born))
        return NEIGHBOUR_NONE;
    if (root->ended)
        return NEIGHBOUR_ENDED;
    return is_going_on(root->run) ? NEIGHBOUR_GOING_ON : NEIGHBOUR_NONE;
}

enum neighbour roots_find_neighbour(const struct root *list, size_t count, const char *folder, nanos born)
{
    enum neighbour best = NEIGHBOUR_NONE;

    for (size_t i = 0; i < count && best != NEIGHBOUR_GOING_ON; i++) {
        enum neighbour neighbour =
            list[i].run && strcmp(list[i].run, folder) != 0 ? look_at(&list[i], born) : NEIGHBOUR_NONE;

        if (neighbour > best)
            best = neighbour;
    }
    return best;
}

bool remains_has_neighbour(const char *folder, nanos born)
{
    struct arena arena = {0};
    struct root *roots;
    size_t count = roots_list(NULL, &arena, &roots);
    enum neighbour neighbour = roots_find_neighbour(roots, count, folder, born ? born : clock_wall());

    arena_release(&arena);
    return neighbour != NEIGHBOUR_NONE;
}

/* ---- when its run is over ---- */

/* Only there does everybody look. */
static bool is_seen_by_all(const char *path)
{
    return strncmp(path, PLACE "/", sizeof PLACE) == 0 && !strchr(path + sizeof PLACE, '/');
}

bool root_is_wanted(const struct root *list, size_t count, const struct root *root)
{
    nanos ended = root->ended ? root->ended : clock_wall();

    if (!root->run || !is_seen_by_all(root->path))
        return false;
    for (size_t i = 0; i < count; i++)
        if (list[i].run && !list[i].ended && strcmp(list[i].run, root->run) != 0 &&
            look_at(&list[i], ended) == NEIGHBOUR_GOING_ON)
            return true;
    return false;
}

static int empty(const char *path, struct arena *arena)
{
    struct str *names;
    size_t count;
    int result = dir_list(AT_FDCWD, path, arena, &names, &count);

    for (size_t i = 0; result == 0 && i < count; i++)
        if (!str_is(names[i], LAYOUT_WHOSE) && !str_is(names[i], LAYOUT_ENDED))
            result = dir_remove(AT_FDCWD, arena_printf(arena, "%s/%.*s", path, STR_ARG(names[i])));
    return result;
}

int root_end(const struct root *root)
{
    struct arena arena = {0};
    int result = empty(root->path, &arena);

    if (result == 0 && !root->ended)
        result = file_write(arena_printf(&arena, "%s/" LAYOUT_ENDED, root->path), (struct str)STR(""));
    arena_release(&arena);
    return result;
}

void remains_close_root(const char *path, const char *folder)
{
    struct arena arena = {0};
    struct root *roots = NULL, root = {.path = path, .run = folder};
    size_t count = is_seen_by_all(path) ? roots_list(path, &arena, &roots) : 0;

    if (!root_is_wanted(roots, count, &root) || root_end(&root) < 0)
        dir_remove(AT_FDCWD, path);
    arena_release(&arena);
}

void remains_forget_ended(void)
{
    struct arena arena = {0};
    struct root *roots;
    size_t count = roots_list(NULL, &arena, &roots);

    for (size_t i = 0; i < count; i++)
        if (roots[i].ended && !root_is_wanted(roots, count, &roots[i]))
            dir_remove(AT_FDCWD, roots[i].path);
    arena_release(&arena);
}
