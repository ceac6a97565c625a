/* A run by what people call it. */
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/nearest.h"
#include "runner/store/internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTED_MOST 5

static const struct place nowhere = {0};

struct names {
    struct str *list; /* newest first */
    size_t count;
};

/* ---- which one ---- */

static bool is_number(struct str text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit((unsigned char)text.ptr[i]) || *number > UINT64_MAX / 10 - 1)
            return false;
        *number = *number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    return text.len > 0;
}

static bool has_number(struct str name, const void *number)
{
    uint64_t its_own;

    return run_number(name, &its_own) && its_own == *(const uint64_t *)number;
}

static bool begins_so(struct str name, const void *text)
{
    return str_starts(name, text);
}

/* The names that are meant, moved to the front. */
static size_t pick(struct names *names, bool (*is_meant)(struct str name, const void *what), const void *what)
{
    size_t found = 0;

    for (size_t i = 0; i < names->count; i++)
        if (is_meant(names->list[i], what)) {
            struct str name = names->list[i];

            memmove(&names->list[found + 1], &names->list[found], (i - found) * sizeof name);
            names->list[found++] = name;
        }
    return found;
}

/* A number is looked for first: 42 is number 42, also where there is a 4200. */
static size_t find_name(struct names *names, const char *name)
{
    uint64_t number;
    size_t found = 0;

    if (strcmp(name, "latest") == 0)
        return names->count > 0;
    if (is_number(str_of(name), &number))
        found = pick(names, has_number, &number);
    return found ? found : pick(names, begins_so, name);
}

/* ---- what to say when it is none, or several ---- */

static const char *list_names(struct arena *arena, const struct names *names, size_t count)
{
    struct buf text = {0};
    const char *copy;

    for (size_t i = 0; i < count && i < LISTED_MOST; i++)
        buf_addf(&text, "%s%.*s", i ? ", " : "", STR_ARG(names->list[i]));
    if (count > LISTED_MOST)
        buf_addf(&text, " and %zu more", count - LISTED_MOST);
    copy = arena_cstr(arena, buf_str(&text));
    buf_release(&text);
    return copy;
}

static struct str name_at(const void *user, size_t i)
{
    return ((const struct names *)user)->list[i];
}

static void complain(const struct store *store, const char *name, const struct names *names, size_t found,
                     struct arena *arena, struct diags *diags)
{
    const char *nearest;

    if (found) {
        diag_error(diags, nowhere, "'%s' may be any of %zu runs: %s", name, found,
                   list_names(arena, names, found));
        return;
    }
    if (!names->count) {
        diag_error(diags, nowhere, "there is no run in '%s' yet", store->path);
        return;
    }
    nearest = did_you_mean(diags, str_of(name), names->count, name_at, names);
    if (*nearest)
        diag_error(diags, nowhere, "there is no run '%s' in '%s'%s", name, store->path, nearest);
    else
        diag_error(diags, nowhere, "there is no run '%s' in '%s'; there is %s", name, store->path,
                   list_names(arena, names, names->count));
}

/* ---- opened ---- */

int store_open_run(struct store *store, struct str id, struct arena *arena, struct run_folder *run)
{
    *run = (struct run_folder){
        .id = id,
        .path = arena_printf(arena, "%s/%s", store->path, run_path(arena, id)),
        .fd = dir_open(store->fd, run_path(arena, id)),
        .lock = -1,
    };
    return run->fd < 0 ? -1 : 0;
}

static int open_named(struct store *store, const char *name, struct arena *arena, struct run_folder *run,
                      struct diags *diags)
{
    struct names names = {0};
    size_t found;

    if (run_names(store, arena, &names.list, &names.count) < 0) {
        diag_error(diags, nowhere, "cannot list the runs in '%s': %s", store->path, strerror(errno));
        return -1;
    }
    found = find_name(&names, name);
    if (found != 1) {
        complain(store, name, &names, found, arena, diags);
        return -1;
    }
    if (store_open_run(store, names.list[0], arena, run) == 0)
        return 0;
    diag_error(diags, nowhere, "cannot open '%s': %s", run->path, strerror(errno));
    return -1;
}

/* A folder anywhere: one that was unpacked from an artifact, say. */
static int open_path(const char *path, struct arena *arena, struct run_folder *run)
{
    char *real;

    run->fd = dir_open(AT_FDCWD, path);
    if (run->fd < 0)
        return -1;
    if (faccessat(run->fd, JOURNAL_NAME, F_OK, 0) < 0) {
        fd_close(&run->fd);
        return -1;
    }
    real = realpath(path, NULL);
    run->path = arena_cstr(arena, str_of(path));
    run->id = arena_str(arena, str_of(basename(real ? real : path)));
    free(real);
    return 0;
}

int store_find_run(struct store *store, const char *name, struct arena *arena, struct run_folder *run,
                   struct diags *diags)
{
    *run = (struct run_folder){.fd = -1, .lock = -1};
    if (!strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return open_named(store, name, arena, run, diags);
    if (open_path(name, arena, run) == 0)
        return 0;
    if (errno == ENOENT)
        diag_error(diags, nowhere, "there is no '%s/%s'", name, JOURNAL_NAME);
    else
        diag_error(diags, nowhere, "cannot open '%s': %s", name, strerror(errno));
    return -1;
}
