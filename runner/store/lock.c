#include "runner/base/io.h"
#include "runner/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES 20
#define PID_SIZE   32

/* Somebody may have removed the run between our open and our lock. */
static bool is_linked(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

/*
 * For people who find it locked. A full disk does not keep us from going on. Always as long, so that no pid before it
 * need be cut off: ext4 writes out what was truncated when it is closed, at a cost.
 */
static void write_pid(int fd)
{
    char text[PID_SIZE];
    int len = snprintf(text, sizeof text, "%-10ld\n", (long)getpid());

    if (pwrite(fd, text, (size_t)len, 0) < 0)
        return;
}

int run_lock(int folder)
{
    int fd = openat(folder, STORE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0666);

    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        fd_close(&fd);
        return -1;
    }
    if (!is_linked(fd)) {
        fd_close(&fd);
        errno = ENOENT;
        return -1;
    }
    write_pid(fd);
    return fd;
}

/* Who holds it; 0: not known. */
static int run_lock_pid(int folder)
{
    int fd = openat(folder, STORE_LOCK, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char text[PID_SIZE] = "";
    ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);

    fd_close(&fd);
    return got > 0 ? atoi(text) : 0;
}

bool run_is_locked(int folder)
{
    int fd = openat(folder, STORE_LOCK, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;

    fd_close(&fd);
    return locked;
}

bool store_is_going_on(const struct run_folder *run)
{
    return run_is_locked(run->fd);
}

/* Whoever tidies up holds the lock of any run, but never for long. */
static int lock_patiently(int folder)
{
    const struct timespec pause = {.tv_nsec = 10 * NS_PER_MS};
    int fd = run_lock(folder);

    for (int i = 0; i < LOCK_TRIES && fd < 0 && errno == EWOULDBLOCK; i++) {
        nanosleep(&pause, NULL);
        fd = run_lock(folder);
    }
    return fd;
}

static void complain(const struct run_folder *run, struct diags *diags)
{
    int cause = errno, pid = run_lock_pid(run->fd);
    const struct place nowhere = {0};

    if (cause != EWOULDBLOCK)
        diag_error(diags, nowhere, "cannot lock '%s': %s", run->path, strerror(cause));
    else if (pid)
        diag_error(diags, nowhere, "run '%.*s' is still going on (pid %d)", STR_ARG(run->id), pid);
    else
        diag_error(diags, nowhere, "run '%.*s' is still going on", STR_ARG(run->id));
}

/* Who removes a run takes its name first; the lock we have then is one that we have made in what is left of it. */
static bool is_in_place(const struct run_folder *run)
{
    struct stat by_name, opened;

    errno = ENOENT;
    return fstat(run->fd, &opened) == 0 && stat(run->path, &by_name) == 0 &&
           opened.st_ino == by_name.st_ino && opened.st_dev == by_name.st_dev;
}

static int take(struct run_folder *run, int lock)
{
    run->lock = lock;
    if (run->lock >= 0 && !is_in_place(run))
        fd_close(&run->lock);
    if (run->lock < 0)
        return -1;
    unlinkat(run->fd, STORE_SIZE, 0); /* it will not be true any more */
    return 0;
}

int store_try_lock_run(struct run_folder *run)
{
    return take(run, run_lock(run->fd));
}

int store_lock_run(struct run_folder *run, struct diags *diags)
{
    int result = take(run, lock_patiently(run->fd));

    if (result < 0)
        complain(run, diags);
    return result;
}
