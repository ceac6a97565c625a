#include "runner/files.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/mem.h"
#include "runner/dumps.h"
#include "runner/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MOST ((size_t)20000)       /* no more are kept of one attempt */
#define HIDE_MOST  ((uint64_t)256 << 20) /* bytes that are looked through for what must not be seen */

/* A test may have put anything there, and anything in place of the folder. */
struct keeping {
    struct session *s;
    struct slot *slot;
    const char *into; /* NULL: they are not kept */
    int from;         /* the folder */
    bool tailed;      /* streams have names there already */
    struct journal_file *list;
    size_t count, cap;
    uint64_t hidden; /* bytes that were looked through */
    bool too_many, untold;
    struct journal_files *record;
};

/* ---- the folder ---- */

/* Each step by itself: none of them is a link. What stands there instead of a folder is removed. */
static int open_step(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        unlinkat(at, name, 0);
    if (fd < 0 && errno == EACCES && fchmodat(at, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd;
}

static int open_folder(int run, const char *path)
{
    int at = run;

    while (at >= 0 && *path) {
        char step[NAME_MAX + 1];
        size_t length = strcspn(path, "/");
        int next;

        snprintf(step, sizeof step, "%.*s", (int)length, path);
        next = open_step(at, step);
        if (at != run)
            fd_close(&at);
        at = next;
        path += length + (path[length] == '/');
    }
    return at;
}

/* A file that we have put there ourselves: of streams, where somebody may follow them; before any are kept. */
static bool is_ours(const struct keeping *k, const char *name)
{
    static const char *const ours[] = {".", "..", "artifacts", "reports", JOURNAL_RESULTS_NAME};

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (strcmp(ours[i], name) == 0)
            return true;
    return (k->tailed && capture_is_stream(name)) || dumps_is_ours(k->slot, name);
}

static int by_name(const void *left, const void *right)
{
    return str_cmp(((const struct journal_file *)left)->name, ((const struct journal_file *)right)->name);
}

/* `each` may remove what it is handed. */
static void for_all(struct keeping *k, void (*each)(struct keeping *k, const char *name))
{
    int fd = openat(k->from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        fd_close(&fd);
        return;
    }
    while ((entry = readdir(dir)))
        if (!is_ours(k, entry->d_name))
            each(k, entry->d_name);
    closedir(dir);
}

/* ---- one of them ---- */

static void drop(struct keeping *k, const char *name)
{
    dir_remove(k->from, name);
}

/* Only files with something in them are worth it. */
static void collect(struct keeping *k, const char *name)
{
    struct stat st;

    if (fstatat(k->from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || capture_is_stream(name) || k->count == FILES_MOST) {
        k->too_many |= k->count == FILES_MOST;
        drop(k, name);
        return;
    }
    GROW(k->list, k->count, k->cap);
    k->list[k->count++] = (struct journal_file){
        .name = str_of(arena_cstr(&k->slot->arena, str_of(name))),
        .size = (uint64_t)st.st_size,
    };
}

static int open_file(struct keeping *k, const char *name)
{
    const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = openat(k->from, name, flags);

    if (fd < 0 && errno == EACCES && fchmodat(k->from, name, 0600, AT_SYMLINK_NOFOLLOW) == 0)
        fd = openat(k->from, name, flags);
    return fd;
}

/* False: it must not be kept. */
static bool hide(struct keeping *k, const struct journal_file *file)
{
    struct session *s = k->s;
    struct capture opened;
    struct capture_file *shown = &opened.files[0];
    bool good;

    if (mask_is_empty(s->mask))
        return true;
    if (file->size > HIDE_MOST - k->hidden)
        return false;
    k->hidden += file->size;
    capture_none(&opened);
    *shown = (struct capture_file){.fd = open_file(k, file->name.ptr),
                                   .given = -1,
                                   .named = true,
                                   .mask = s->mask,
                                   .word = file->name.ptr};
    good = shown->fd >= 0 && capture_hide(s->room, shown) == 0;
    if (good && !shown->named) /* another one in its place */
        good = capture_keep(s->room, shown,
                            arena_printf(&k->slot->arena, "%s/%s", k->slot->folder, file->name.ptr)) == 0;
    capture_close(s->room, &opened);
    return good;
}

static bool move(struct keeping *k, const char *name)
{
    const char *to;

    if (strcmp(k->into, k->slot->folder) == 0)
        return true;
    to = arena_printf(&k->slot->arena, "%s/%s", k->into, name);
    if (renameat(k->from, name, k->s->run.fd, to) == 0)
        return true;
    return errno == ENOENT && dir_make_parents(k->s->run.fd, to, 0777) == 0 &&
           renameat(k->from, name, k->s->run.fd, to) == 0;
}

static void keep_one(struct keeping *k, struct journal_file *file)
{
    struct stat st;
    bool good = k->into && hide(k, file);

    if (fstatat(k->from, file->name.ptr, &st, AT_SYMLINK_NOFOLLOW) == 0)
        file->size = (uint64_t)st.st_size; /* without what was hidden */
    k->record->size = file->size > UINT64_MAX - k->record->size ? UINT64_MAX : k->record->size + file->size;
    if (good && move(k, file->name.ptr))
        return;
    k->untold |= k->into != NULL;
    drop(k, file->name.ptr);
}

/* ---- all of them ---- */

static void say_what_is_missing(struct keeping *k)
{
    struct session *s = k->s;

    if (k->too_many)
        session_note(s, "of the files in the folder of '%.*s' only %zu are kept", STR_ARG(k->slot->recipe.id),
                     FILES_MOST);
    if (k->untold)
        session_note(
            s,
            "not all files in the folder of '%.*s' are kept, since what must not be shown could not be "
            "taken out of them, or they could not be moved",
            STR_ARG(k->slot->recipe.id));
}

static struct journal_files *keep_all(struct keeping *k)
{
    struct journal_file *list;

    for_all(k, collect);
    if (!k->count)
        return NULL;
    qsort(k->list, k->count, sizeof *k->list, by_name);
    k->record = ARENA_ARRAY(&k->slot->arena, struct journal_files, 1);
    for (size_t i = 0; i < k->count; i++)
        keep_one(k, &k->list[i]);
    say_what_is_missing(k);
    k->record->count = k->count < JOURNAL_FILES_MOST ? (uint32_t)k->count : JOURNAL_FILES_MOST;
    k->record->more = k->count - k->record->count;
    list = ARENA_ARRAY(&k->slot->arena, struct journal_file, k->record->count);
    k->record->list = memcpy(list, k->list, k->record->count * sizeof *list);
    k->record->folder = str_of(k->into);
    return k->record;
}

/* And those that it lies in, as long as nothing else is there. */
static void remove_empty(struct keeping *k, const char *path)
{
    struct arena *arena = &k->slot->arena;
    const char *slash;

    while (unlinkat(k->s->run.fd, path, AT_REMOVEDIR) == 0 && (slash = strrchr(path, '/')))
        path = arena_cstr(arena, (struct str){path, (size_t)(slash - path)});
}

const struct journal_files *files_keep(struct session *s, struct slot *slot, const char *into)
{
    struct keeping k = {.s = s,
                        .slot = slot,
                        .into = into,
                        .from = open_folder(s->run.fd, slot->folder),
                        .tailed = slot->tailed};
    const struct journal_files *record;

    if (k.from < 0)
        return NULL;
    record = keep_all(&k);
    free(k.list);
    fd_close(&k.from);
    remove_empty(&k, slot->folder);
    return record;
}

void files_clear(struct session *s, struct slot *slot)
{
    const uint32_t made = s->cases[slot->on].attempts;
    struct keeping k = {.s = s, .slot = slot, .tailed = true};
    const char *path;

    if (s->soak || !s->resumed || !s->resumed->cases[slot->on].open ||
        s->resumed->cases[slot->on].started != made)
        return;
    path = arena_printf(&slot->arena, "%.*s/%u", (int)(strrchr(slot->folder, '/') - slot->folder),
                        slot->folder, made);
    k.from = open_folder(s->run.fd, path);
    if (k.from < 0)
        return;
    for_all(&k, drop);
    fd_close(&k.from);
    remove_empty(&k, path);
}
