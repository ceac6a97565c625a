#include "runner/workdir.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/remains/remains.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE        LAYOUT_ROOTS
#define PREFIX       "/" LAYOUT_ROOT
#define UNIQUE       PREFIX "XXXXXX"
#define LONGEST_SLOT 14 /* "/1234-12345678" */
#define TICK_MOST    (100 * NS_PER_MS)

/* Where the paths of slots stay within WORKDIR_TMP_MOST. */
static const char *parent(void)
{
    const char *given = getenv("TMPDIR");
    struct stat st;

    if (given && given[0] == '/' && strlen(given) + strlen(UNIQUE) + LONGEST_SLOT <= WORKDIR_TMP_MOST &&
        stat(given, &st) == 0 && S_ISDIR(st.st_mode) && access(given, W_OK | X_OK) == 0)
        return given;
    return PLACE;
}

/* A folder that does not say it is nobody's after a kill: there is none. */
static int say_whose(const struct workdirs *dirs)
{
    char path[sizeof dirs->tmp + sizeof LAYOUT_WHOSE + 1];
    int saved;

    snprintf(path, sizeof path, "%s/" LAYOUT_WHOSE, dirs->tmp);
    if (file_write(path, str_of(dirs->run)) == 0)
        return 0;
    saved = errno;
    dir_remove(AT_FDCWD, dirs->tmp);
    errno = saved;
    return -1;
}

static int open_in(struct workdirs *dirs, const char *folder, const char *run_path)
{
    snprintf(dirs->tmp, sizeof dirs->tmp, "%s" UNIQUE, folder);
    dirs->run = run_path;
    if (mkdtemp(dirs->tmp) && say_whose(dirs) == 0)
        return 0;
    dirs->tmp[0] = '\0';
    return -1;
}

int workdirs_open(struct workdirs *dirs, const char *run_path)
{
    return open_in(dirs, parent(), run_path);
}

int workdirs_open_shm(struct workdirs *dirs, const char *run_path)
{
    return dirs->tmp[0] ? 0 : open_in(dirs, "/dev/shm", run_path);
}

int workdirs_open_sign(struct workdirs *sign, const struct workdirs *dirs)
{
    return strncmp(dirs->tmp, PLACE PREFIX, sizeof PLACE PREFIX - 1) == 0 ? 0
                                                                          : open_in(sign, PLACE, dirs->run);
}

void workdirs_close(struct workdirs *dirs)
{
    if (dirs->tmp[0])
        remains_close_root(dirs->tmp, dirs->run);
    dirs->tmp[0] = '\0';
}

/* ---- one folder ---- */

static int make(int at, struct workdir *dir)
{
    struct stat st;

    if (mkdirat(at, dir->path, 0700) < 0)
        return -1;
    dir->fd = dir_open(at, dir->path);
    if (dir->fd < 0 || fstat(dir->fd, &st) < 0)
        return -1;
    dir->device = st.st_dev;
    dir->inode = st.st_ino;
    dir->mode = st.st_mode;
    dir->changed = 0;
    return 0;
}

/*
 * Looked into only when it has changed. That shows in its ctime, which nobody can set back, but two changes may have one
 * and the same: so it is believed of a folder that was empty, with this very ctime, more than a tick of any clock before
 * it was empty last. Where there are but full seconds, it is not.
 */
static bool is_unchanged(const struct workdir *dir, nanos changed)
{
    return changed == dir->changed && changed % NS_PER_S && dir->last - dir->first >= TICK_MOST;
}

/* As dir_is_empty says. */
static int is_empty(struct workdir *dir, const struct stat *st)
{
    nanos changed = st->st_ctim.tv_sec * NS_PER_S + st->st_ctim.tv_nsec;
    int empty;

    if (is_unchanged(dir, changed))
        return 1;
    dir->last = clock_now();
    if (changed != dir->changed)
        dir->first = dir->last;
    empty = dir_is_empty(dir->fd);
    dir->changed = empty == 1 ? changed : 0;
    return empty;
}

/* Looked for by its name: what the case put in its place is not ours, nor what a link there leads to. */
static bool is_as_it_was(int at, struct workdir *dir)
{
    struct stat st;

    return fstatat(at, dir->path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == dir->device &&
           st.st_ino == dir->inode && st.st_mode == dir->mode && is_empty(dir, &st) == 1;
}

static void give_back(int at, struct workdir *dir, bool clean)
{
    if (!dir->path[0] || (clean && is_as_it_was(at, dir)))
        return;
    fd_close(&dir->fd);
    dir_remove(at, dir->path);
    dir->path[0] = '\0';
}

static int lost(struct workdir *dir)
{
    fd_close(&dir->fd);
    dir->path[0] = '\0';
    return -1;
}

/* ---- TMPDIR ---- */

int workdir_lend(struct workdirs *dirs, struct workdir *dir)
{
    if (dir->path[0])
        return 0;
    snprintf(dir->path, sizeof dir->path, "%s/%u-%u", dirs->tmp, dir->slot, dir->renewed++);
    if (make(AT_FDCWD, dir) == 0)
        return 0;
    /* A case may have removed more than its own. */
    if (errno == ENOENT && mkdir(dirs->tmp, 0700) == 0 && say_whose(dirs) == 0 && make(AT_FDCWD, dir) == 0)
        return 0;
    return lost(dir);
}

void workdir_return(struct workdir *dir, bool clean)
{
    give_back(AT_FDCWD, dir, clean);
}

/* ---- artifacts ---- */

static int lend_in_run(int run, struct workdir *dir, const char *what)
{
    if (dir->path[0])
        return 0;
    snprintf(dir->path, sizeof dir->path, LAYOUT_SLOTS "/%u-%u%s", dir->slot, dir->renewed++, what);
    if (make(run, dir) == 0)
        return 0;
    if (errno == ENOENT && dir_make(run, LAYOUT_SLOTS, 0777) == 0 && make(run, dir) == 0)
        return 0;
    return lost(dir);
}

int workdir_lend_artifacts(int run, struct workdir *dir)
{
    return lend_in_run(run, dir, "");
}

int workdir_lend_reports(int run, struct workdir *dir)
{
    return lend_in_run(run, dir, "-reports");
}

bool workdir_has_artifacts(struct workdir *dir)
{
    struct stat st;

    return dir->path[0] && fstat(dir->fd, &st) == 0 && is_empty(dir, &st) == 0;
}

/* By its name too: what was put in its place is no artifact. */
int workdir_move_artifacts(int run, struct workdir *dir, const char *path)
{
    struct stat st;

    if (fstatat(run, dir->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (st.st_dev != dir->device || st.st_ino != dir->inode) {
        errno = ESTALE;
        return -1;
    }
    if (dir_make_parents(run, path, 0777) < 0 || renameat(run, dir->path, run, path) < 0)
        return -1;
    fd_close(&dir->fd);
    dir->path[0] = '\0';
    return 0;
}

void workdir_return_artifacts(int run, struct workdir *dir, bool clean)
{
    give_back(run, dir, clean);
}

void workdirs_close_artifacts(int run)
{
    if (run >= 0)
        dir_remove(run, LAYOUT_SLOTS);
}
