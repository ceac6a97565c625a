#include "runner/base/dir.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define OPEN_FOLDER  (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define ENTRIES_SIZE ((size_t)32 << 10)
#define TRIES_MOST   100000

/* ---- making ---- */

static int make_one(int at, const char *path, mode_t mode)
{
    struct stat st;

    if (mkdirat(at, path, mode) == 0)
        return 0;
    if (errno != EEXIST || fstatat(at, path, &st, 0) < 0)
        return -1;
    errno = ENOTDIR;
    return S_ISDIR(st.st_mode) ? 0 : -1;
}

int dir_make_parents(int at, const char *path, mode_t mode)
{
    char *parent = strdup(path);
    char *slash = parent;
    int result = 0;

    if (!parent)
        mem_exhausted(strlen(path) + 1);
    while (result == 0 && (slash = strchr(slash, '/'))) {
        *slash = '\0';
        if (*parent)
            result = make_one(at, parent, mode | S_IWUSR | S_IXUSR);
        *slash++ = '/';
    }
    free(parent);
    return result;
}

/* Somebody may remove folders that are empty as he goes: one that we have just made, too. Then all begins again. */
int dir_make(int at, const char *path, mode_t mode)
{
    int result = make_one(at, path, mode);

    for (int tries = 0; result < 0 && errno == ENOENT && tries < TRIES_MOST; tries++) {
        result = dir_make_parents(at, path, mode);
        if (result == 0)
            result = make_one(at, path, mode);
    }
    return result;
}

int dir_open(int at, const char *path)
{
    return openat(at, path, OPEN_FOLDER);
}

/* ---- reading ---- */

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* The entry at `at` of those that were read, . and .. passed over; NULL at their end. */
static const struct dirent64 *next_entry(const char *entries, ssize_t size, ssize_t *at)
{
    while (*at < size) {
        const struct dirent64 *entry = (const void *)(entries + *at);

        *at += entry->d_reclen;
        if (!is_dots(entry->d_name))
            return entry;
    }
    return NULL;
}

int dir_is_empty(int fd)
{
    _Alignas(struct dirent64) char entries[1024];
    const struct dirent64 *entry = NULL;
    ssize_t got;

    if (lseek(fd, 0, SEEK_SET) < 0)
        return -1;
    while (!entry && (got = getdents64(fd, entries, sizeof entries)) > 0)
        entry = next_entry(entries, got, &(ssize_t){0});
    if (entry)
        return 0;
    return got < 0 ? -1 : 1;
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* `text`: so many names, each with its NUL. */
static struct str *sorted_names(struct arena *arena, struct str text, size_t count)
{
    struct str *names = ARENA_ARRAY(arena, struct str, count);
    const char *at = arena_str(arena, text).ptr;

    for (size_t i = 0; i < count; i++) {
        names[i] = str_of(at);
        at += names[i].len + 1;
    }
    if (count > 1)
        qsort(names, count, sizeof *names, compare_names);
    return names;
}

int dir_list(int at, const char *path, struct arena *arena, struct str **names, size_t *count)
{
    int fd = dir_open(at, path);
    char *entries = mem_alloc(ENTRIES_SIZE);
    struct buf text = {0};
    ssize_t got = -1;

    *count = 0;
    while (fd >= 0 && (got = getdents64(fd, entries, ENTRIES_SIZE)) > 0) {
        const struct dirent64 *entry;

        for (ssize_t next = 0; (entry = next_entry(entries, got, &next)); ++*count)
            buf_add(&text, entry->d_name, strlen(entry->d_name) + 1);
    }
    *names = sorted_names(arena, buf_str(&text), *count);
    fd_close(&fd);
    buf_release(&text);
    free(entries);
    return got < 0 ? -1 : 0;
}

/* ---- walking ---- */

/* A folder between the top and where the walk stands, itself included. */
struct level {
    dev_t dev;
    ino_t ino;
    size_t pending; /* in `names`: where the folders in it begin that are still to be entered */
};

/*
 * A walk through all folders below one. It holds one descriptor: it goes down by name and comes back by "..", and
 * makes sure that it came back to where it was, since what lives there may move its folders around meanwhile.
 */
struct walk {
    const struct errand *errand;
    bool mounted_top; /* where it begins may be the root of a mount */
    int fd;           /* the folder it stands in */
    int error;        /* the first */
    struct level *levels;
    size_t depth, capacity;
    struct buf names; /* each with its NUL; the last of a level is the folder that was entered from there */
    uint64_t bytes;
    char *entries;
};

/* What a walk is for. */
struct errand {
    bool opens_up;                                                  /* folders of ours that forbid it */
    bool (*visit)(struct walk *walk, const struct dirent64 *entry); /* true: a folder to be entered */
    void (*leave)(struct walk *walk, const char *name);             /* all in it was visited; may be NULL */
};

/* What vanished by itself is no error. */
static void walk_failed(struct walk *walk, int error)
{
    if (!walk->error && error != ENOENT)
        walk->error = error;
}

static dev_t device_of(const struct statx *what)
{
    return makedev(what->stx_dev_major, what->stx_dev_minor);
}

/* Before 5.8 the kernel does not tell the root of a mount, and a bind mount of the same file system passes. */
static bool is_mount(const struct walk *walk, const struct statx *what)
{
    bool root = what->stx_attributes & what->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT;

    if (walk->depth == 0)
        return root && !walk->mounted_top;
    return root || device_of(what) != walk->levels[walk->depth - 1].dev;
}

static bool may_open_up(const struct walk *walk, const struct statx *what)
{
    return walk->errand->opens_up && S_ISDIR(what->stx_mode) && what->stx_uid == geteuid() &&
           (what->stx_mode & S_IRWXU) != S_IRWXU && !is_mount(walk, what);
}

static int look_at(int at, const char *name, struct statx *what)
{
    return statx(at, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH, STATX_BASIC_STATS, what);
}

static int open_folder(const struct walk *walk, int at, const char *name)
{
    int fd = openat(at, name, OPEN_FOLDER | O_NOFOLLOW);
    struct statx what;

    if (fd >= 0 || errno != EACCES)
        return fd;
    if (look_at(at, name, &what) == 0 && may_open_up(walk, &what) &&
        fchmodat(at, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0)
        return openat(at, name, OPEN_FOLDER | O_NOFOLLOW);
    errno = EACCES;
    return -1;
}

/* Whether a folder that was opened may be walked in: 0, or -1 and errno. */
static int examine(const struct walk *walk, int fd, struct statx *what)
{
    if (look_at(fd, "", what) < 0)
        return -1;
    if (is_mount(walk, what)) {
        errno = EXDEV;
        return -1;
    }
    if (may_open_up(walk, what))
        fchmod(fd, S_IRWXU);
    return faccessat(fd, "..", F_OK, 0); /* there must be a way back */
}

static int enter(struct walk *walk, int at, const char *name)
{
    int fd = open_folder(walk, at, name);
    struct statx what;

    if (fd < 0)
        return -1;
    if (examine(walk, fd, &what) < 0) {
        fd_close(&fd);
        return -1;
    }
    GROW(walk->levels, walk->depth, walk->capacity);
    walk->levels[walk->depth++] = (struct level){device_of(&what), what.stx_ino, walk->names.len};
    fd_close(&walk->fd);
    walk->fd = fd;
    return 0;
}

static int go_up(struct walk *walk)
{
    const struct level *parent = &walk->levels[walk->depth - 2];
    int fd = openat(walk->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statx what;

    if (fd < 0)
        return -1;
    if (look_at(fd, "", &what) < 0 || what.stx_ino != parent->ino || device_of(&what) != parent->dev) {
        fd_close(&fd);
        errno = ESTALE;
        return -1;
    }
    fd_close(&walk->fd);
    walk->fd = fd;
    walk->depth--;
    return 0;
}

/* Visits what is in the folder, whole, before it goes deeper: so no place in it has to be remembered. */
static void scan(struct walk *walk)
{
    ssize_t got;

    while ((got = getdents64(walk->fd, walk->entries, ENTRIES_SIZE)) > 0) {
        const struct dirent64 *entry;

        for (ssize_t at = 0; (entry = next_entry(walk->entries, got, &at));)
            if (walk->errand->visit(walk, entry))
                buf_add(&walk->names, entry->d_name, strlen(entry->d_name) + 1);
    }
    if (got < 0)
        walk_failed(walk, errno);
}

/* Of the folder it stands in; NULL: all were entered. */
static const char *last_pending(const struct walk *walk)
{
    size_t from = walk->levels[walk->depth - 1].pending;
    const char *before;

    if (walk->names.len == from)
        return NULL;
    before = memrchr(walk->names.ptr + from, '\0', walk->names.len - 1 - from);
    return before ? before + 1 : walk->names.ptr + from;
}

static void drop_pending(struct walk *walk, const char *name)
{
    walk->names.len = (size_t)(name - walk->names.ptr);
}

/* Into the next folder that is still to be entered from here. */
static bool go_down(struct walk *walk)
{
    const char *name = last_pending(walk);

    if (!name)
        return false;
    if (enter(walk, walk->fd, name) == 0)
        scan(walk);
    else {
        walk_failed(walk, errno);
        drop_pending(walk, name);
    }
    return true;
}

/* Out of a folder that all was done in. */
static bool go_back(struct walk *walk)
{
    const char *name;

    if (walk->depth == 1)
        return false;
    if (go_up(walk) < 0) {
        walk_failed(walk, errno);
        return false;
    }
    name = last_pending(walk);
    if (walk->errand->leave)
        walk->errand->leave(walk, name);
    drop_pending(walk, name);
    return true;
}

/* From the top, which was entered, through everything. */
static void walk_through(struct walk *walk)
{
    walk->entries = mem_alloc(ENTRIES_SIZE);
    scan(walk);
    do
        while (go_down(walk))
            ;
    while (go_back(walk));
}

/* 0, or -1 and the first error. */
static int walk_end(struct walk *walk)
{
    fd_close(&walk->fd);
    buf_release(&walk->names);
    free(walk->levels);
    free(walk->entries);
    errno = walk->error ? walk->error : errno;
    return walk->error ? -1 : 0;
}

/* ---- removing ---- */

static bool remove_entry(struct walk *walk, const struct dirent64 *entry)
{
    if (entry->d_type == DT_DIR)
        return true;
    if (unlinkat(walk->fd, entry->d_name, 0) == 0)
        return false;
    if (errno == EISDIR) /* a file system that does not tell types */
        return true;
    walk_failed(walk, errno);
    return false;
}

static void remove_emptied(struct walk *walk, const char *name)
{
    if (unlinkat(walk->fd, name, AT_REMOVEDIR) < 0)
        walk_failed(walk, errno);
}

static const struct errand removal = {.opens_up = true, .visit = remove_entry, .leave = remove_emptied};

int dir_empty(int fd)
{
    struct walk walk = {.errand = &removal, .mounted_top = true, .fd = -1};

    if (enter(&walk, fd, ".") < 0)
        walk_failed(&walk, errno);
    else
        walk_through(&walk);
    return walk_end(&walk);
}

int dir_remove(int at, const char *path)
{
    struct walk walk = {.errand = &removal, .fd = -1};

    if (enter(&walk, at, path) == 0) {
        walk_through(&walk);
        if (unlinkat(at, path, AT_REMOVEDIR) < 0)
            walk_failed(&walk, errno);
    } else if (errno != ENOTDIR || unlinkat(at, path, 0) < 0)
        walk_failed(&walk, errno);
    return walk_end(&walk);
}

/* ---- measuring ---- */

static bool measure_entry(struct walk *walk, const struct dirent64 *entry)
{
    struct statx what;

    if (look_at(walk->fd, entry->d_name, &what) < 0) {
        walk_failed(walk, errno);
        return false;
    }
    if (is_mount(walk, &what))
        return false;
    walk->bytes += what.stx_blocks * 512;
    return S_ISDIR(what.stx_mode);
}

static const struct errand measuring = {.visit = measure_entry};

int dir_size(int at, const char *path, uint64_t *bytes)
{
    struct walk walk = {.errand = &measuring, .mounted_top = true, .fd = -1};

    if (enter(&walk, at, path) < 0)
        walk_failed(&walk, errno);
    else
        walk_through(&walk);
    *bytes = walk.bytes;
    return walk_end(&walk);
}
