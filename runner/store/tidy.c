/* What is kept of old runs. Another runner may be at work in the same store, or at this very thing. */
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tidying {
    struct store *store;
    struct arena scratch;
    struct diags *diags;
};

static void cannot(struct tidying *t, const char *what, const char *path)
{
    diag_warning(t->diags, (struct place){0}, "cannot %s '%s/%s': %s", what, t->store->path, path,
                 strerror(errno));
}

/* Somebody else may be removing it, or have opened it in the same moment and made a lock in it: it goes next time. */
static void cannot_remove(struct tidying *t, const char *path)
{
    if (errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
        cannot(t, "remove", path);
}

/* ---- sizes ---- */

static bool read_size(int folder, uint64_t *bytes)
{
    int fd = openat(folder, STORE_SIZE, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char text[32] = "";
    ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);

    fd_close(&fd);
    return got > 0 && sscanf(text, "%" SCNu64, bytes) == 1;
}

/* On a full disk it is measured again next time. */
static void write_size(int folder, uint64_t bytes)
{
    int fd = openat(folder, STORE_SIZE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);

    if (fd >= 0)
        dprintf(fd, "%" PRIu64 "\n", bytes);
    fd_close(&fd);
}

/* What is still being written is not counted. */
static uint64_t size_of(struct tidying *t, const char *path)
{
    int folder = dir_open(t->store->fd, path);
    uint64_t bytes = 0;

    if (folder < 0)
        return 0;
    if (!read_size(folder, &bytes) && !run_is_locked(folder)) {
        dir_size(t->store->fd, path, &bytes); /* what could be looked at */
        if (!run_is_locked(folder))
            write_size(folder, bytes);
    }
    fd_close(&folder);
    return bytes;
}

/* ---- removing ---- */

/* Opened and locked; false where somebody else has it, or has removed it. */
static bool hold(struct tidying *t, const char *path, struct run_folder *run)
{
    *run = (struct run_folder){.fd = dir_open(t->store->fd, path), .lock = -1};
    if (run->fd >= 0)
        run->lock = run_lock(run->fd);
    if (run->lock >= 0)
        return true;
    if (errno != EWOULDBLOCK && errno != ENOENT)
        cannot(t, "lock", path);
    store_close_run(run);
    return false;
}

static bool has(struct tidying *t, const char *path, const char *name)
{
    const char *there = arena_printf(&t->scratch, "%s/%s", path, name);

    return faccessat(t->store->fd, there, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Output of cases that passed goes first. */
static void remove_passed(struct tidying *t, const char *path)
{
    struct run_folder run;

    if ((!has(t, path, LAYOUT_PACK) && !has(t, path, LAYOUT_PASSED)) || !hold(t, path, &run))
        return;
    unlinkat(run.fd, STORE_SIZE, 0);
    if (dir_remove(run.fd, LAYOUT_PACK) < 0 || dir_remove(run.fd, LAYOUT_PASSED) < 0)
        cannot_remove(t, path);
    store_close_run(&run);
}

/* First the name: what is half removed is not found any more. Should we be killed, the rest goes next time. */
static void remove_folder(struct tidying *t, const char *path, const char *name)
{
    const char *gone = arena_printf(&t->scratch, STORE_RUNS "/" STORE_GONE "%s", name);

    if (renameat(t->store->fd, path, t->store->fd, gone) < 0 || dir_remove(t->store->fd, gone) < 0)
        cannot_remove(t, path);
}

static void remove_run(struct tidying *t, struct str name)
{
    const char *path = run_path(&t->scratch, name);
    struct run_folder run;

    if (!hold(t, path, &run))
        return;
    remove_folder(t, path, name.ptr);
    store_close_run(&run);
}

/* What somebody who was killed has left: claims of numbers, and what was being removed. */
static void remove_leftovers(struct tidying *t)
{
    struct str *names;
    size_t count;

    if (dir_list(t->store->fd, STORE_RUNS, &t->scratch, &names, &count) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *path = run_path(&t->scratch, names[i]);

        if (str_starts(names[i], STORE_CLAIM))
            remove_run(t, names[i]);
        else if (str_starts(names[i], STORE_GONE) && dir_remove(t->store->fd, path) < 0)
            cannot_remove(t, path);
    }
}

/* ---- the whole ---- */

/* How many of the newest may stay. */
static size_t count_kept(struct tidying *t, const struct str *names, size_t count)
{
    uint64_t bytes = 0;
    size_t kept = 0;

    for (; kept < count && kept < STORE_RUNS_MOST; kept++) {
        bytes += size_of(t, run_path(&t->scratch, names[kept]));
        if (kept > 0 && bytes > STORE_SIZE_MOST)
            break;
    }
    return kept;
}

void store_tidy(struct store *store, bool packs, struct diags *diags)
{
    struct tidying t = {.store = store, .diags = diags};
    struct str *names;
    size_t count, kept;

    if (run_names(store, &t.scratch, &names, &count) < 0) {
        cannot(&t, "list", STORE_RUNS);
        return;
    }
    for (size_t i = 1; i < count && !packs; i++)
        remove_passed(&t, run_path(&t.scratch, names[i]));
    kept = count_kept(&t, names, count);
    while (count > kept)
        remove_run(&t, names[--count]);
    remove_leftovers(&t);
    arena_release(&t.scratch);
}
