#include "runner/store/store.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct place nowhere = {0};

/* Nothing in here is for version control. One that somebody has changed is left alone. */
static int write_gitignore(int fd)
{
    int file = openat(fd, ".gitignore", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    int result;

    if (file < 0)
        return errno == EEXIST ? 0 : -1;
    result = fd_write_all(file, "*\n", 2);
    fd_close(&file);
    return result;
}

int store_open(struct store *store, const char *path, struct arena *arena, struct diags *diags)
{
    *store = (struct store){arena_cstr(arena, str_of(path)), -1};
    if (dir_make(AT_FDCWD, path, 0777) == 0)
        store->fd = dir_open(AT_FDCWD, path);
    if (store->fd >= 0 && write_gitignore(store->fd) == 0 && dir_make(store->fd, STORE_RUNS, 0777) == 0)
        return 0;
    diag_error(diags, nowhere, "cannot make the folder for runs '%s': %s", path, strerror(errno));
    store_close(store);
    return -1;
}

int store_open_existing(struct store *store, const char *path, struct arena *arena, struct diags *diags)
{
    *store = (struct store){arena_cstr(arena, str_of(path)), dir_open(AT_FDCWD, path)};
    if (store->fd >= 0)
        return 0;
    if (errno == ENOENT)
        diag_error(diags, nowhere, "there is no '%s': nothing was run here yet", path);
    else
        diag_error(diags, nowhere, "cannot open the folder for runs '%s': %s", path, strerror(errno));
    return -1;
}

void store_close(struct store *store)
{
    fd_close(&store->fd);
}

void store_close_run(struct run_folder *run)
{
    fd_close(&run->lock);
    fd_close(&run->fd);
}
