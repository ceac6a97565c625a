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
#define LOCK_NAME   "history.lock"

static const struct place nowhere = {0};

/* What SQLite writes beside a file is part of it: a journal that stays would be rolled back into the next. */
static const char *const companions[] = {"-journal", "-wal", "-shm"};

/* ---- the lock ---- */

/* Where nobody can write there is nothing to be locked. */
static void open_lock(struct history *h)
{
    const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

    if (h->lock < 0)
        h->lock = openat(h->folder, LOCK_NAME, O_RDWR | O_CREAT | flags, 0666);
    if (h->lock < 0)
        h->lock = openat(h->folder, LOCK_NAME, O_RDONLY | flags);
}

static bool take_lock(struct history *h, int how)
{
    const struct timespec pause = {.tv_nsec = 10 * NS_PER_MS};

    open_lock(h);
    while (h->lock >= 0 && flock(h->lock, how | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            fd_close(&h->lock); /* no such locks here */
        else if (h->waited >= HISTORY_WAIT)
            return false;
        nanosleep(&pause, NULL);
        h->waited += pause.tv_nsec;
    }
    return true;
}

bool lock_shared(struct history *h)
{
    if (take_lock(h, LOCK_SH))
        return true;
    diag_warning(h->diags, nowhere, "'%s': somebody else has it locked: this run goes without history",
                 h->file);
    return false;
}

void lock_release(struct history *h)
{
    fd_close(&h->lock);
}

/* ---- another name ---- */

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

bool aside_put(struct history *h, const char *why)
{
    struct stat now;
    bool done = true;

    lock_release(h); /* two who had it both would wait for each other */
    if (!take_lock(h, LOCK_EX)) {
        diag_warning(h->diags, nowhere,
                     "'%s' %s, and somebody else has it open: this run goes without history", h->file, why);
        done = false;
    } else if (fstatat(h->folder, HISTORY_NAME, &now, AT_SYMLINK_NOFOLLOW) < 0) {
        done = errno == ENOENT;
    } else if (now.st_dev == h->opened.st_dev && now.st_ino == h->opened.st_ino) {
        done = rename_all(h, why);
    }
    lock_release(h);
    return done;
}
