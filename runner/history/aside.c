/* A file that cannot be used gets another name, so that whoever wants it has it. */
#include "runner/history/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define BROKEN_MOST 5 /* kept; the last of them gives way */
#define NAME_SIZE   64

static const struct place nowhere = {0};

/* What SQLite writes beside a file is part of it: a journal that stays would be rolled back into the next. */
static const char *const companions[] = {"-journal", "-wal", "-shm"};

/* -1: somebody has it for longer than we wait, or there are no such locks here. */
static int lock_folder(const struct history *h)
{
    const struct timespec pause = {.tv_nsec = 10 * NS_PER_MS};
    int fd = openat(h->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    nanos waited = 0;

    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited > HISTORY_WAIT) {
            fd_close(&fd);
            break;
        }
        nanosleep(&pause, NULL);
        waited += pause.tv_nsec;
    }
    return fd;
}

static bool is_there(const struct history *h, const char *name)
{
    return faccessat(h->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void free_name(const struct history *h, char *name)
{
    for (int n = 1; n <= BROKEN_MOST; n++) {
        snprintf(name, NAME_SIZE, HISTORY_NAME ".broken-%d", n);
        if (!is_there(h, name))
            return;
    }
}

static void move_companion(const struct history *h, const char *name, const char *companion)
{
    char from[NAME_SIZE], to[NAME_SIZE + 16];

    snprintf(from, sizeof from, HISTORY_NAME "%s", companion);
    snprintf(to, sizeof to, "%s%s", name, companion);
    if (renameat(h->folder, from, h->folder, to) < 0)
        unlinkat(h->folder, to, 0); /* one of what had this name before */
}

/* The companions first: a kill in between leaves a file without them, which is broken as before. */
static bool rename_all(struct history *h, const char *why)
{
    char name[NAME_SIZE] = "";

    free_name(h, name);
    for (size_t i = 0; i < sizeof companions / sizeof *companions; i++)
        move_companion(h, name, companions[i]);
    if (renameat(h->folder, HISTORY_NAME, h->folder, name) == 0) {
        diag_warning(h->diags, nowhere, "'%s' %s: it is '%s/%s' now, and a new one is begun", h->file, why,
                     h->path, name);
        return true;
    }
    diag_warning(h->diags, nowhere, "'%s' %s, and cannot be renamed (%s): this run goes without history",
                 h->file, why, strerror(errno));
    return false;
}

/* Nobody else renames it between the look and the renaming, where folders can be locked. */
bool aside_put(struct history *h, const char *why)
{
    int lock = lock_folder(h);
    struct stat now;
    bool done = true;

    if (fstatat(h->folder, HISTORY_NAME, &now, AT_SYMLINK_NOFOLLOW) < 0)
        done = errno == ENOENT;
    else if (now.st_dev == h->opened.st_dev && now.st_ino == h->opened.st_ino)
        done = rename_all(h, why);
    fd_close(&lock);
    return done;
}
