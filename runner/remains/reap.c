/*
 * A dead run is cleared away: processes, sockets and segments, folders and groups, the journal, the record,
 * in this order. Whoever is killed in the midst of it has done a part that need not be done again, and the
 * record is there for the next.
 */
#include "runner/remains/internal.h"

#include "runner/base/dir.h"
#include "runner/base/layout.h"
#include "runner/base/mem.h"
#include "runner/harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIBED_MOST 100 /* a storm is counted, not told */
#define GROUP_PATIENCE (2 * NS_PER_S)

static void open_reap(struct reap *r, const struct reaping *how)
{
    *r = (struct reap){.how = how, .fd = -1};
    r->telling = (struct telling){.how = how, .result = &r->result};
    r->search.arena = r->things.arena = &r->arena;
}

/* True: nothing is left. */
static bool close_reap(struct reap *r, struct reaped *result)
{
    bool clean = !r->result.left && !r->unsure;

    result->found += r->result.found;
    result->ended += r->result.ended;
    result->killed += r->result.killed;
    result->removed += r->result.removed;
    result->left += r->result.left;
    result->unsure += r->result.unsure;
    search_release(&r->search);
    leak_list_release(&r->things);
    held_release(&r->held);
    arena_release(&r->arena);
    return clean;
}

/* ---- processes ---- */

static void add_listeners(struct reap *r, struct found *found)
{
    const char *before = ", listening on";

    for (size_t i = 0; i < r->things.count; i++) {
        const struct leak *thing = &r->things.list[i];

        if (thing->kind != LEAK_LISTENER || thing->pid != found->id.pid)
            continue;
        found->words = arena_printf(&r->arena, "%s%s %.*s", found->words, before, STR_ARG(thing->what));
        before = ",";
    }
}

/* Only those who are there: the number of another would tell of him. */
static void describe(struct reap *r)
{
    for (size_t i = 0; i < r->search.count && i < DESCRIBED_MOST; i++) {
        struct found *found = &r->search.list[i];
        struct proc_stat stat;

        if (found->words || !is_alive(found->id) || proc_stat_read(found->id.pid, &stat) < 0)
            continue;
        found->words = tell_process(&stat, r->held.masked, &r->arena);
        add_listeners(r, found);
    }
}

static void tell_one(struct reap *r, const struct found *found)
{
    enum outcome outcome = r->how->look_only     ? OUTCOME_FOUND
                           : is_alive(found->id) ? OUTCOME_LEFT
                           : found->killed       ? OUTCOME_KILLED
                                                 : OUTCOME_ENDED;

    tell(&r->telling, outcome, found->words, NULL);
}

/* Those who came while we were at it, and a storm, are one line. */
static void tell_processes(struct reap *r)
{
    size_t nameless = 0;

    describe(r);
    for (size_t i = 0; i < r->search.count; i++) {
        nameless += !r->search.list[i].words;
        tell_one(r, &r->search.list[i]);
    }
    if (nameless && r->how->say)
        r->how->say(r->how->user, arena_printf(&r->arena, "and %zu %s more of it", nameless,
                                               nameless == 1 ? "process" : "processes"));
}

static void end_processes(struct reap *r)
{
    if (search_look_well(&r->search)) {
        things_look(r);
        describe(r);
        if (!r->how->look_only)
            r->alive =
                search_end(&r->search, r->how, is_group_of(&r->held, r->held.cgroup) ? r->held.cgroup : NULL);
    }
    tell_processes(r);
    if (r->search.blind) {
        r->alive++;
        tell(&r->telling, OUTCOME_LEFT, "who is there and could not be looked at", strerror(r->search.blind));
    }
}

/* ---- folders and groups ---- */

/* `refusal`: why it must stay; NULL: it need not. */
static void remove_folder(struct reap *r, int at, const char *path, const char *words, const char *refusal)
{
    struct stat st;

    if (fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (r->how->look_only)
        tell(&r->telling, OUTCOME_FOUND, words, NULL);
    else if (refusal)
        tell(&r->telling, OUTCOME_LEFT, words, refusal);
    else if (dir_remove(at, path) < 0)
        tell(&r->telling, OUTCOME_LEFT, words,
             errno == EXDEV ? "something is mounted in it" : strerror(errno));
    else
        tell(&r->telling, OUTCOME_REMOVED, words, NULL);
}

/* It stays for the sake of runs that are going on, and has nothing in it but that. */
static bool tells_others(struct reap *r, const struct root *roots, size_t count, const struct root *root,
                         const char *refusal)
{
    if (r->how->look_only || refusal || !root_is_wanted(roots, count, root) || root_end(root) < 0)
        return false;
    if (!root->ended)
        tell(&r->telling, OUTCOME_REMOVED, arena_printf(&r->arena, "what was in folder %s", root->path),
             NULL);
    return true;
}

/* The one on record, from which a case may have removed what says whose it is, and others that say so. */
static void remove_roots(struct reap *r)
{
    const char *refusal = r->alive ? "there is somebody left who may use it" : NULL;
    struct root *roots;
    size_t count = roots_list(r->held.tmp, &r->arena, &roots);

    for (size_t i = 0; i < count; i++)
        if (((roots[i].run && strcmp(roots[i].run, r->folder) == 0) ||
             (!roots[i].run && r->held.tmp && strcmp(roots[i].path, r->held.tmp) == 0)) &&
            !tells_others(r, roots, count, &roots[i], refusal))
            remove_folder(r, AT_FDCWD, roots[i].path, arena_printf(&r->arena, "folder %s", roots[i].path),
                          refusal);
}

/* Who reaps at once is of the run, and still in a group of it, as others may be: the last of them ends the rest. */
static void remove_group(struct reap *r, const char *path)
{
    const char *words;

    if (!is_group_of(&r->held, path) || access(path, F_OK) < 0)
        return;
    words = arena_printf(&r->arena, "control group %s", path);
    if (r->how->look_only)
        tell(&r->telling, OUTCOME_FOUND, words, NULL);
    else if (r->how->at_once ? cgroups_end_cases(path, GROUP_PATIENCE) : cgroups_end(path, GROUP_PATIENCE))
        tell(&r->telling, OUTCOME_REMOVED, words, NULL);
    else
        tell(&r->telling, OUTCOME_LEFT, words, "somebody is in it");
}

static void remove_folders(struct reap *r)
{
    remove_roots(r);
    remove_folder(r, r->fd, LAYOUT_SLOTS, arena_printf(&r->arena, "folder %s/" LAYOUT_SLOTS, r->folder),
                  NULL);
    remove_group(r, r->held.cgroup);
    for (size_t i = 0; i < HELD_LEGACY; i++)
        remove_group(r, r->held.legacy[i]);
}

/* ---- the record ---- */

/* Its time is that of the last record: a reader takes the later of the two. */
static void note(struct reap *r)
{
    const char *who = r->how->who ? r->how->who : "reap";
    const struct reaped *before = &r->how->before;
    uint32_t ended = before->ended + r->result.ended, removed = before->removed + r->result.removed;
    struct faults none = {0};
    struct journal *journal;

    if (!(ended || removed || (r->first && r->result.found)) ||
        faccessat(r->fd, JOURNAL_NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    journal = journal_open(r->fd, &none);
    if (!journal)
        return;
    journal_note(journal,
                 str_of(arena_printf(&r->arena,
                                     "the runner died; %s ended %u of its processes and removed %u sockets, "
                                     "segments and folders; %u are left",
                                     who, ended, removed, r->result.left)),
                 0);
    journal_close(journal);
}

static bool is_us(struct proc_id id)
{
    return id.pid == getpid() && is_alive(id);
}

bool held_is_dead(const struct held *held)
{
    bool are_we = is_us(held->guard) || is_us(held->keeper);

    return held->rebooted ||
           (!is_alive(held->runner) && (are_we || (!is_alive(held->guard) && !is_alive(held->keeper))));
}

static const char *path_of(int fd, struct arena *arena)
{
    char link[64], path[PATH_MAX];
    ssize_t len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof path);
    return len > 0 && len < PATH_MAX ? arena_cstr(arena, (struct str){path, (size_t)len}) : NULL;
}

/* Before anything is changed, and on record: what is done here is no sign of life for those who come after. */
static void find_last_sign(struct reap *r)
{
    r->first = !r->held.last_sign;
    if (!r->first)
        return;
    r->held.last_sign = things_last_sign(r);
    if (!r->how->look_only)
        held_write(r->fd, &r->held);
}

static void reap_all(struct reap *r)
{
    find_last_sign(r);
    marks_of_run(&r->search.marks, &r->held, r->folder, &r->arena);
    if (!r->held.rebooted)
        end_processes(r);
    things_remove(r);
    things_remove_appeared(r);
    remove_folders(r);
    if (r->how->look_only)
        return;
    note(r);
    if (!r->result.left && !r->unsure && held_remove(r->fd) < 0)
        tell(&r->telling, OUTCOME_LEFT, "file " REMAINS_NAME, strerror(errno));
}

bool reap_run(struct run_folder *run, const struct reaping *how, struct reaped *result)
{
    struct reap r;

    open_reap(&r, how);
    r.fd = run->fd;
    r.folder = path_of(run->fd, &r.arena);
    r.telling.run = run->id;
    if (!r.folder)
        tell(&r.telling, OUTCOME_LEFT, "what it has", strerror(errno));
    else if (faccessat(run->fd, REMAINS_NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        remove_roots(&r); /* it started nothing, but may have made them */
    else if (!held_read(run->fd, &r.arena, &r.held) || !str_eq(r.held.run, run->id))
        tell(&r.telling, OUTCOME_LEFT, "record " REMAINS_NAME, "it cannot be read, or is of another run");
    else if (!held_is_dead(&r.held))
        tell(&r.telling, OUTCOME_LEFT, "record " REMAINS_NAME, "the run is going on");
    else
        reap_all(&r);
    return close_reap(&r, result);
}

bool reap_descendants(struct proc_id parent, const struct reaping *how, struct reaped *result)
{
    struct reap r;

    open_reap(&r, how);
    r.search.marks.parent = parent;
    end_processes(&r);
    things_remove(&r);
    return close_reap(&r, result);
}
