/* Sockets and segments: those that processes of the run hold, and those that have appeared while it lived. */
#include "runner/remains/internal.h"

#include "runner/base/layout.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK_BUDGET (200 * NS_PER_MS)
/* Between the last sign of life of a run and its death. What appeared later is somebody else's. */
#define SILENCE_MOST (60 * NS_PER_S)

static bool can_be_removed(const struct leak *thing)
{
    return thing->kind == LEAK_SOCKET || thing->kind == LEAK_SHM;
}

static const char *words_of(struct reap *r, const struct leak *thing)
{
    return arena_printf(&r->arena, "%s %.*s", leak_words[thing->kind], STR_ARG(thing->words));
}

/* Whose descendants are ended has it as well, and is left alone. */
static bool is_the_parents(const struct reap *r)
{
    return r->search.marks.parent.pid && errno == EBUSY;
}

/* Who was asked to end may have removed it himself. */
static void remove_thing(struct reap *r, const struct leak *thing)
{
    if (r->how->look_only)
        tell(&r->telling, OUTCOME_FOUND, words_of(r, thing), NULL);
    else if (leak_remove(thing))
        tell(&r->telling, OUTCOME_REMOVED, words_of(r, thing), NULL);
    else if (errno != ENOENT && !is_the_parents(r))
        tell(&r->telling, OUTCOME_LEFT, words_of(r, thing), strerror(errno));
}

/* ---- what was held ---- */

void things_look(struct reap *r)
{
    struct proc_ids ids = {0};

    for (size_t i = 0; i < r->search.count; i++)
        proc_ids_add(&ids, r->search.list[i].id);
    leaks_of_processes(&r->things, ids.list, ids.count, false, LOOK_BUDGET);
    proc_ids_release(&ids);
}

void things_remove(struct reap *r)
{
    for (size_t i = 0; i < r->things.count; i++)
        if (can_be_removed(&r->things.list[i]))
            remove_thing(r, &r->things.list[i]);
}

/* ---- what has appeared ---- */

static nanos changed(int at, const char *path)
{
    struct stat st;

    if (fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return changed_at(&st);
}

nanos things_last_sign(const struct reap *r)
{
    const nanos signs[] = {
        changed(r->fd, JOURNAL_NAME),
        changed(r->fd, REMAINS_NAME),
        changed(r->fd, LAYOUT_SLOTS),
        r->held.tmp ? changed(AT_FDCWD, r->held.tmp) : 0,
    };
    nanos last = 0;

    if (r->how->at_once)
        return clock_wall();
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (signs[i] > last)
            last = signs[i];
    return last;
}

/* At the latest. Not every file system tells, and of System V objects it is known by the second. */
static nanos born(const struct leak *thing)
{
    if (!thing->born)
        return INT64_MAX;
    return thing->number >= 0 ? thing->born + NS_PER_S : thing->born;
}

static void look_at_world(struct reap *r, struct leak_list *appeared)
{
    if (r->held.tmp)
        world_leave_out(r->held.world, r->held.tmp);
    world_leave_out(r->held.world, r->folder);
    world_look(r->held.world, NULL, 0, appeared);
}

/* Of a run that was over nobody will ever know more. */
static void leave_alone(struct reap *r, const struct leak *thing, enum neighbour neighbour)
{
    if (neighbour == NEIGHBOUR_GOING_ON)
        r->unsure = true;
    tell(&r->telling, OUTCOME_UNSURE, words_of(r, thing),
         neighbour == NEIGHBOUR_GOING_ON ? "it may be of another run that is going on"
                                         : "it may be of a run that was beside it");
}

void things_remove_appeared(struct reap *r)
{
    struct leak_list appeared = {.arena = &r->arena};
    struct root *roots = NULL;
    size_t count = 0;
    nanos end = r->held.last_sign + SILENCE_MOST;

    if (r->held.world)
        look_at_world(r, &appeared);
    if (appeared.count)
        count = roots_list(r->held.tmp, &r->arena, &roots);
    for (size_t i = 0; i < appeared.count; i++) {
        const struct leak *thing = &appeared.list[i];
        enum neighbour neighbour;

        if (!can_be_removed(thing) || born(thing) > end)
            continue;
        neighbour = roots_find_neighbour(roots, count, r->folder, born(thing));
        if (neighbour == NEIGHBOUR_NONE)
            remove_thing(r, thing);
        else
            leave_alone(r, thing, neighbour);
    }
    leak_list_release(&appeared);
}
