#include "runner/changes/changes.h"

#include "runner/base/arena.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/changes/ignore.h"
#include "runner/changes/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMED_MOST 1000
#define WANTED                                                                                         \
    (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_MOVE_SELF | \
     IN_DELETE_SELF)
#define FOLDERS_CHANGE (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

struct folder {
    int number; /* the kernel's, by which they are sorted */
    char *path;
    bool seen; /* in the walk that is going on */
};

struct changes {
    int fd;
    struct faults *faults;
    struct folder *folders;
    size_t count, cap;
    struct paths roots, left_out, changed;
    struct ignore ignore;
    bool lost;
    bool stale; /* folders have come or gone, or what is ignored may have changed */
    int error;  /* of the first that could not be watched; 0: all are */
    int told;
    char trouble[PATH_MAX + 256];
};

/* ---- opening and closing ---- */

struct changes *changes_new(struct faults *faults)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    struct changes *changes;

    if (fd < 0)
        return NULL;
    changes = mem_zero(1, sizeof *changes);
    changes->fd = fd;
    changes->faults = faults;
    return changes;
}

void changes_free(struct changes *changes)
{
    if (!changes)
        return;
    for (size_t i = 0; i < changes->count; i++)
        free(changes->folders[i].path);
    free(changes->folders);
    paths_release(&changes->roots);
    paths_release(&changes->left_out);
    paths_release(&changes->changed);
    ignore_release(&changes->ignore);
    fd_close(&changes->fd);
    free(changes);
}

int changes_fd(const struct changes *changes)
{
    return changes->fd;
}

size_t changes_folders(const struct changes *changes)
{
    return changes->count;
}

/* ---- what is nobody's business ---- */

/* Of version control, of ours, and what editors make beside what they edit. */
static bool is_by_the_way(const char *name)
{
    static const char *const names[] = {".git", ".hg", ".svn", "4913"};
    static const char *const ends[] = {"~", ".swp", ".swo", ".swx"};
    struct str text = str_of(name);

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_ends(text, ends[i]))
            return true;
    return str_starts(text, ".run-matrix") || str_starts(text, ".#") ||
           (str_starts(text, "#") && str_ends(text, "#"));
}

static bool is_left_out(const struct changes *changes, const char *path, bool is_folder)
{
    return is_by_the_way(strrchr(path, '/') + 1) || paths_have(&changes->left_out, path) ||
           ignore_has(&changes->ignore, path, is_folder);
}

/* ---- folders ---- */

static size_t find_place(const struct changes *changes, int number)
{
    size_t low = 0, high = changes->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (changes->folders[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct folder *find_folder(struct changes *changes, int number)
{
    size_t at = find_place(changes, number);

    return at < changes->count && changes->folders[at].number == number ? &changes->folders[at] : NULL;
}

/* One that was moved keeps its number. */
static void note_folder(struct changes *changes, int number, const char *path)
{
    size_t at = find_place(changes, number);
    struct folder *folder = find_folder(changes, number);

    if (!folder) {
        GROW(changes->folders, changes->count, changes->cap);
        folder = &changes->folders[at];
        memmove(folder + 1, folder, (changes->count++ - at) * sizeof *folder);
        *folder = (struct folder){.number = number};
    }
    free(folder->path);
    folder->path = strdup(path);
    if (!folder->path)
        mem_exhausted(strlen(path) + 1);
    folder->seen = true;
}

static int ask_kernel(struct changes *changes, const char *path)
{
    int error = fault_errno(changes->faults, FAULT_NOTIFY);

    if (!error)
        return inotify_add_watch(changes->fd, path, WANTED | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK);
    errno = error;
    return -1;
}

static const char *hint_of(int error)
{
    if (error == ENOSPC)
        return ": this user may watch no more; 'sysctl fs.inotify.max_user_watches' tells how many, and "
               "'sysctl -w fs.inotify.max_user_watches=524288' allows more";
    return "";
}

/* False: it is not there any more, or cannot be watched. */
static bool watch_folder(struct changes *changes, const char *path)
{
    int number = ask_kernel(changes, path);

    if (number >= 0) {
        note_folder(changes, number, path);
        return true;
    }
    if (errno != ENOENT && errno != ENOTDIR && !changes->error) {
        changes->error = errno;
        snprintf(changes->trouble, sizeof changes->trouble, "changes in '%s' are not seen: %s%s", path,
                 strerror(errno), hint_of(errno));
    }
    return false;
}

static bool is_folder_at(int fd, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void add_below(struct changes *changes, const char *path, struct paths *found)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    struct buf below = {0};

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            !is_folder_at(dirfd(dir), entry))
            continue;
        buf_clear(&below);
        buf_addf(&below, "%s/%s", path, entry->d_name);
        if (!is_left_out(changes, buf_text(&below), true))
            paths_add(found, buf_text(&below));
    }
    if (dir)
        closedir(dir);
    buf_release(&below);
}

static bool is_repository(const char *path)
{
    struct buf git = {0};
    bool is;

    buf_addf(&git, "%s/.git", path);
    is = access(buf_text(&git), F_OK) == 0;
    buf_release(&git);
    return is;
}

/* Those above a folder speak of what is in it too, up to the root of the repository; where there is none nobody does. */
static void read_ignored_above(struct changes *changes, const char *root)
{
    struct paths above = {0};
    char *path = strdup(root), *slash;
    bool top;

    if (!path)
        mem_exhausted(strlen(root) + 1);
    top = is_repository(path);
    while (!top && (slash = strrchr(path, '/')) && slash > path) {
        *slash = '\0';
        paths_add(&above, path);
        top = is_repository(path);
    }
    for (size_t i = above.count; top && i > 0; i--)
        ignore_read(&changes->ignore, above.list[i - 1]);
    paths_release(&above);
    free(path);
}

static bool was_seen(const struct changes *changes, const char *path)
{
    for (size_t i = 0; i < changes->count; i++)
        if (changes->folders[i].seen && strcmp(changes->folders[i].path, path) == 0)
            return true;
    return false;
}

static void walk(struct changes *changes, const char *root)
{
    struct paths found = {0};

    if (was_seen(changes, root))
        return;
    read_ignored_above(changes, root);
    paths_add(&found, root);
    for (size_t i = 0; i < found.count; i++)
        if (watch_folder(changes, found.list[i])) {
            ignore_read(&changes->ignore, found.list[i]);
            add_below(changes, found.list[i], &found);
        }
    paths_release(&found);
}

static void drop_unseen(struct changes *changes)
{
    size_t kept = 0;

    for (size_t i = 0; i < changes->count; i++) {
        struct folder *folder = &changes->folders[i];

        if (folder->seen) {
            changes->folders[kept++] = *folder;
            continue;
        }
        inotify_rm_watch(changes->fd, folder->number);
        free(folder->path);
    }
    changes->count = kept;
}

static void look_again(struct changes *changes)
{
    changes->stale = false;
    changes->error = 0;
    ignore_release(&changes->ignore);
    for (size_t i = 0; i < changes->count; i++)
        changes->folders[i].seen = false;
    for (size_t i = 0; i < changes->roots.count; i++)
        walk(changes, changes->roots.list[i]);
    drop_unseen(changes);
}

void changes_watch(struct changes *changes, const char *const *roots, size_t root_count,
                   const char *const *left_out, size_t left_out_count)
{
    paths_set(&changes->roots, roots, root_count);
    paths_set(&changes->left_out, left_out, left_out_count);
    look_again(changes);
}

const char *changes_trouble(struct changes *changes)
{
    if (!changes->error || changes->error == changes->told)
        return NULL;
    changes->told = changes->error;
    return changes->trouble;
}

/* ---- what has come ---- */

static void note(struct changes *changes, const char *path)
{
    if (paths_have(&changes->changed, path))
        return;
    if (changes->changed.count == NAMED_MOST)
        changes->lost = true;
    else
        paths_add(&changes->changed, path);
}

/* Of a pipe or a socket everything that goes through it looks like a change. */
static bool is_passage(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode);
}

static void take_named(struct changes *changes, const struct folder *folder,
                       const struct inotify_event *event)
{
    bool is_folder = event->mask & IN_ISDIR;
    struct buf path = {0};

    buf_addf(&path, "%s/%s", folder->path, event->name);
    if ((!is_folder || (event->mask & FOLDERS_CHANGE)) && !is_left_out(changes, buf_text(&path), is_folder) &&
        !is_passage(buf_text(&path))) {
        note(changes, buf_text(&path));
        changes->stale |= is_folder || strcmp(event->name, ".gitignore") == 0;
    }
    buf_release(&path);
}

static void take(struct changes *changes, const struct inotify_event *event)
{
    const struct folder *folder = find_folder(changes, event->wd);

    if (event->mask & IN_Q_OVERFLOW)
        changes->lost = changes->stale = true;
    if (!folder)
        return;
    if (event->len)
        take_named(changes, folder, event);
    if (!(event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)))
        return;
    changes->stale = true; /* who it was in tells of it, but for a root */
    if (paths_have(&changes->roots, folder->path))
        note(changes, folder->path);
}

void changes_read(struct changes *changes)
{
    union {
        struct inotify_event event;
        char bytes[64 << 10];
    } in;
    ssize_t got;

    while ((got = read(changes->fd, in.bytes, sizeof in.bytes)) > 0 || (got < 0 && errno == EINTR))
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const void *)(in.bytes + at);

            take(changes, event);
            at += (ssize_t)(sizeof *event + event->len);
        }
    if (changes->stale)
        look_again(changes);
}

bool changes_any(const struct changes *changes)
{
    return changes->changed.count || changes->lost;
}

bool changes_lost(const struct changes *changes)
{
    return changes->lost;
}

size_t changes_count(const struct changes *changes)
{
    return changes->changed.count;
}

const char *changes_path(const struct changes *changes, size_t i)
{
    return changes->changed.list[i];
}

void changes_forget(struct changes *changes)
{
    paths_clear(&changes->changed);
    changes->lost = false;
}
