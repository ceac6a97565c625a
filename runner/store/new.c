/*
 * A new run. Its number is claimed by making a folder named after the number alone; in it the lock is taken, and
 * with the lock held it becomes the run by a rename. So a run that can be seen is locked from its first moment, and
 * no two runs of a store have one number.
 */
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TRIES     1000
#define YEAR_MOST 9999

static const struct place nowhere = {0};

static uint32_t random_digits(void)
{
    uint32_t bits;

    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits)
        bits = (uint32_t)clock_wall() ^ (uint32_t)getpid() << 8; /* early in a machine's life */
    return bits & 0xFFFFFF;
}

static int highest_number(const struct store *store, uint64_t *number)
{
    struct arena scratch = {0};
    struct str *names;
    size_t count;
    int result = run_names(store, &scratch, &names, &count);

    *number = 0;
    if (count)
        run_number(names[0], number);
    arena_release(&scratch);
    return result;
}

static const char *claim_path(struct arena *arena, uint64_t number)
{
    return arena_printf(arena, STORE_RUNS "/" STORE_CLAIM "%04llu", (unsigned long long)number);
}

/*
 * Who claims a number that is in use already came after its run was renamed, and sees it when he looks again.
 * 1: claimed, 0: taken, -1 and errno.
 */
static int claim(const struct store *store, uint64_t number, const char *path)
{
    uint64_t highest;
    int result;

    if (mkdirat(store->fd, path, 0777) < 0)
        return errno == EEXIST ? 0 : -1;
    result = highest_number(store, &highest);
    if (result == 0 && highest < number)
        return 1;
    unlinkat(store->fd, path, AT_REMOVEDIR);
    return result;
}

static struct str run_name(struct arena *arena, uint64_t number, int64_t wall)
{
    time_t seconds = wall / 1000;
    struct tm utc = {0};
    char date[64] = "";

    if (!gmtime_r(&seconds, &utc) || utc.tm_year > YEAR_MOST - 1900)
        utc = (struct tm){.tm_mday = 1}; /* a clock that is out of its mind */
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", &utc);
    return str_of(
        arena_printf(arena, "%04llu-%s-%06x", (unsigned long long)number, date, (unsigned)random_digits()));
}

/* What was claimed becomes a run: 1, or 0 when somebody took the claim for a dead one's, or -1 and errno. */
static int settle(struct store *store, const char *claimed, struct str name, struct arena *arena,
                  struct run_folder *run)
{
    run->fd = dir_open(store->fd, claimed);
    if (run->fd >= 0)
        run->lock = run_lock(run->fd);
    if (run->lock >= 0 && renameat(store->fd, claimed, store->fd, run_path(arena, name)) == 0) {
        run->id = name;
        run->path = arena_printf(arena, "%s/" STORE_RUNS "/%s", store->path, name.ptr);
        return 1;
    }
    store_close_run(run);
    return errno == ENOENT || errno == EWOULDBLOCK ? 0 : -1;
}

static int try_number(struct store *store, uint64_t number, int64_t wall, struct arena *arena,
                      struct run_folder *run)
{
    const char *path = claim_path(arena, number);
    int result = claim(store, number, path);

    if (result <= 0)
        return result;
    result = settle(store, path, run_name(arena, number, wall), arena, run);
    if (result < 0) {
        int saved = errno;

        dir_remove(store->fd, path);
        errno = saved;
    }
    return result;
}

static int make_run(struct store *store, int64_t wall, struct arena *arena, struct run_folder *run)
{
    uint64_t number;

    if (highest_number(store, &number) < 0)
        return -1;
    for (int i = 0; i < TRIES; i++) {
        int result = try_number(store, ++number, wall, arena, run);

        if (result)
            return result < 0 ? -1 : 0;
    }
    errno = EEXIST;
    return -1;
}

/* A link that is there is replaced in one step. It is made where it goes away with the run, should we be killed. */
static int link_latest(const struct store *store, struct str name, struct arena *arena)
{
    const char *target = run_path(arena, name), *temporary = arena_printf(arena, "%s/.latest", target);

    if (symlinkat(target, store->fd, temporary) < 0)
        return -1;
    if (renameat(store->fd, temporary, store->fd, "latest") == 0)
        return 0;
    unlinkat(store->fd, temporary, 0);
    return -1;
}

int store_new_run(struct store *store, int64_t wall, struct arena *arena, struct run_folder *run,
                  struct diags *diags)
{
    *run = (struct run_folder){.fd = -1, .lock = -1};
    if (make_run(store, wall, arena, run) < 0) {
        diag_error(diags, nowhere, "cannot make a folder for this run in '%s': %s", store->path,
                   strerror(errno));
        return -1;
    }
    if (link_latest(store, run->id, arena) < 0)
        diag_warning(diags, nowhere, "'%s/latest' does not point to this run: %s", store->path,
                     strerror(errno));
    return 0;
}

/* ---- taken back ---- */

static bool is_latest(const struct store *store, struct str name, struct arena *arena)
{
    char target[128];
    ssize_t len = readlinkat(store->fd, "latest", target, sizeof target);

    return len > 0 && str_is((struct str){target, (size_t)len}, run_path(arena, name));
}

static int link_newest_but(const struct store *store, struct str name, struct arena *arena)
{
    struct str *names;
    size_t count;

    if (run_names(store, arena, &names, &count) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (!str_eq(names[i], name))
            return link_latest(store, names[i], arena);
    return unlinkat(store->fd, "latest", 0);
}

int store_take_back(struct store *store, const struct run_folder *run, struct arena *arena)
{
    const char *path = run_path(arena, run->id);
    const char *gone = arena_printf(arena, STORE_RUNS "/" STORE_GONE "%s", run->id.ptr);

    if (is_latest(store, run->id, arena) && link_newest_but(store, run->id, arena) < 0)
        return -1;
    if (renameat(store->fd, path, store->fd, gone) < 0)
        return -1;
    return dir_remove(store->fd, gone);
}
