#include "runner/workdir.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIQUE       "/rm-XXXXXX"
#define LONGEST_SLOT 14 /* "/1234-12345678" */

/* Where the paths of slots stay within WORKDIR_TMP_MOST. */
static const char *parent(void)
{
    const char *given = getenv("TMPDIR");
    struct stat st;

    if (given && given[0] == '/' && strlen(given) + strlen(UNIQUE) + LONGEST_SLOT <= WORKDIR_TMP_MOST &&
        stat(given, &st) == 0 && S_ISDIR(st.st_mode) && access(given, W_OK | X_OK) == 0)
        return given;
    return "/tmp";
}

int workdirs_open(struct workdirs *dirs)
{
    snprintf(dirs->tmp, sizeof dirs->tmp, "%s" UNIQUE, parent());
    if (mkdtemp(dirs->tmp))
        return 0;
    dirs->tmp[0] = '\0';
    return -1;
}

void workdirs_close(struct workdirs *dirs)
{
    if (dirs->tmp[0])
        dir_remove(AT_FDCWD, dirs->tmp);
    dirs->tmp[0] = '\0';
}

static void name_it(const struct workdirs *dirs, struct workdir *dir)
{
    if (dir->renewed)
        snprintf(dir->path, sizeof dir->path, "%s/%u-%u", dirs->tmp, dir->slot, dir->renewed);
    else
        snprintf(dir->path, sizeof dir->path, "%s/%u", dirs->tmp, dir->slot);
    dir->renewed++;
}

int workdir_lend(struct workdirs *dirs, struct workdir *dir)
{
    if (dir->path[0])
        return 0;
    name_it(dirs, dir);
    if (mkdir(dir->path, 0700) == 0 && (dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0)
        return 0;
    dir->path[0] = '\0';
    return -1;
}

void workdir_return(struct workdir *dir, bool clean)
{
    if (!dir->path[0] || (clean && dir_is_empty(dir->fd) == 1))
        return;
    fd_close(&dir->fd);
    dir_remove(AT_FDCWD, dir->path);
    dir->path[0] = '\0';
}

int workdir_lend_artifacts(int run, struct workdir *dir)
{
    if (dir->path[0])
        return 0;
    snprintf(dir->path, sizeof dir->path, LAYOUT_SLOTS "/%u", dir->slot);
    if (dir_make(run, dir->path, 0777) == 0 && (dir->fd = dir_open(run, dir->path)) >= 0)
        return 0;
    dir->path[0] = '\0';
    return -1;
}

bool workdir_has_artifacts(const struct workdir *dir)
{
    return dir->path[0] && dir_is_empty(dir->fd) == 0;
}

void workdir_return_artifacts(int run, struct workdir *dir, const char *path)
{
    fd_close(&dir->fd);
    if (dir_make_parents(run, path, 0777) < 0 || renameat(run, dir->path, run, path) < 0)
        dir_remove(run, dir->path);
    dir->path[0] = '\0';
}

void workdirs_close_artifacts(int run)
{
    if (run >= 0)
        dir_remove(run, LAYOUT_SLOTS);
}
