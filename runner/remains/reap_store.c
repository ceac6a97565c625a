/* All that the dead runs of a store have left. */
#include "runner/remains/internal.h"

#include "runner/base/dir.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sweep {
    struct store *store;
    const struct reaping *how;
    struct reaped *result;
    struct diags *diags;
    struct arena arena;
};

static const struct place nowhere = {0};

static bool has_record(const struct run_folder *run)
{
    return faccessat(run->fd, REMAINS_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Who is alive says so by its lock, or where locks are not to be relied on, by the record. */
static bool hold_dead(struct sweep *s, struct run_folder *run)
{
    struct held held;
    bool dead;

    if (store_try_lock_run(run) < 0) {
        if (errno != EWOULDBLOCK && errno != ENOENT)
            diag_warning(s->diags, nowhere, "cannot lock '%s': %s", run->path, strerror(errno));
        return false;
    }
    dead = held_read(run->fd, &s->arena, &held);
    if (!dead && has_record(run))
        diag_warning(s->diags, nowhere, "cannot read '%s/" REMAINS_NAME "': what is left of it is not known",
                     run->path);
    dead = dead && held_is_dead(&held);
    held_release(&held);
    return dead;
}

static void sweep_run(struct sweep *s, struct str id)
{
    struct run_folder run;

    if (store_open_run(s->store, id, &s->arena, &run) < 0)
        return;
    if (has_record(&run) && hold_dead(s, &run))
        reap_run(&run, s->how, s->result);
    store_close_run(&run);
}

/* ---- folders of TMPDIRs without a record ---- */

/* Whose folder was removed while it runs is alive all the same. */
static bool has_nobody(const struct root *root, struct arena *arena)
{
    const char *id = strrchr(root->run, '/') + 1;
    struct held held = {.run = str_of(id), .tmp = root->path};
    struct search search = {.arena = arena};
    bool nobody;

    marks_of_run(&search.marks, &held, root->run, arena);
    nobody = search_look_well(&search) == 0;
    search_release(&search);
    return nobody;
}

static void remove_root(struct sweep *s, const struct root *root, struct str id)
{
    struct telling t = {s->how, s->result, id};
    const char *words = arena_printf(&s->arena, "folder %s", root->path);

    if (!has_nobody(root, &s->arena))
        return;
    if (s->how->look_only)
        tell(&t, OUTCOME_FOUND, words, NULL);
    else if (dir_remove(AT_FDCWD, root->path) < 0)
        tell(&t, OUTCOME_LEFT, words, strerror(errno));
    else
        tell(&t, OUTCOME_REMOVED, words, NULL);
}

/* A run that has a record sees to its folder itself. */
static void sweep_root(struct sweep *s, const struct root *root, struct str id)
{
    struct run_folder run;

    if (store_open_run(s->store, id, &s->arena, &run) < 0) {
        if (errno == ENOENT)
            remove_root(s, root, id);
        return;
    }
    if (!has_record(&run) && store_try_lock_run(&run) == 0 && !has_record(&run))
        remove_root(s, root, id);
    store_close_run(&run);
}

static void sweep_roots(struct sweep *s)
{
    char *store = realpath(s->store->path, NULL);
    const char *runs = store ? arena_printf(&s->arena, "%s/runs/", store) : NULL;
    struct root *roots;
    size_t count = runs ? roots_list(NULL, &s->arena, &roots) : 0;

    for (size_t i = 0; i < count; i++) {
        struct str run = str_of(roots[i].run), id = str_slice(run, runs ? strlen(runs) : 0, run.len);

        if (!roots[i].ended && run.len && str_starts(run, runs) && id.len && !memchr(id.ptr, '/', id.len))
            sweep_root(s, &roots[i], id);
    }
    free(store);
    if (!s->how->look_only)
        remains_forget_ended();
}

void reap_store(struct store *store, const struct reaping *how, struct reaped *result, struct diags *diags)
{
    struct sweep s = {.store = store, .how = how, .result = result, .diags = diags};
    struct str *ids;
    size_t count = store_runs(store, SIZE_MAX, &s.arena, &ids);

    for (size_t i = 0; i < count; i++)
        sweep_run(&s, ids[i]);
    sweep_roots(&s);
    arena_release(&s.arena);
}
