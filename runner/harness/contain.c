#include "runner/harness/contain_internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

const char *const contain_word[CONTAINMENT_COUNT] = {
#define X(id, word, words) [id] = word,
    CONTAINMENTS(X)
#undef X
};

const char *const contain_words[CONTAINMENT_COUNT] = {
#define X(id, word, words) [id] = words,
    CONTAINMENTS(X)
#undef X
};

static const struct means *const means[CONTAINMENT_COUNT] = {
    [CONTAIN_CGROUP] = &means_cgroup,
    [CONTAIN_PIDNS] = &means_pidns,
    [CONTAIN_GROUP] = &means_group,
};

/* ---- which ---- */

static bool open_groups(struct cgroups *groups, const char *run_id, uint32_t slots, struct buf *why)
{
    char name[NAME_MAX];

    snprintf(name, sizeof name, "run-matrix-%s", run_id);
    return cgroups_open(groups, name, slots, why);
}

static bool can_group(struct contain *contain, const char *run_id, struct buf *why)
{
    (void)contain;
    (void)run_id;
    (void)why;
    return true;
}

static bool can_cgroup(struct contain *contain, const char *run_id, struct buf *why)
{
    return open_groups(&contain->groups, run_id, contain->count, why);
}

static bool can_pidns(struct contain *contain, const char *run_id, struct buf *why)
{
    (void)contain;
    (void)run_id;
    return anchor_probe(why);
}

static bool (*const can[CONTAINMENT_COUNT])(struct contain *contain, const char *run_id, struct buf *why) = {
    [CONTAIN_CGROUP] = can_cgroup,
    [CONTAIN_PIDNS] = can_pidns,
    [CONTAIN_GROUP] = can_group,
};

static bool choose(struct contain *contain, const char *wanted, const char *run_id, struct buf *why)
{
    for (enum containment kind = 0; kind < CONTAINMENT_COUNT; kind++) {
        struct buf reason = {0};

        if (wanted && strcmp(wanted, contain_word[kind]) != 0)
            continue;
        contain->kind = kind;
        contain->means = means[kind];
        if (can[kind](contain, run_id, &reason)) {
            buf_release(&reason);
            return true;
        }
        buf_addf(why, "%sno %s: ", why->len ? "; " : "", contain_words[kind]);
        buf_addstr(why, buf_str(&reason));
        buf_release(&reason);
    }
    return false;
}

static void make_places(struct contain *contain)
{
    contain->places = mem_zero(contain->count, sizeof *contain->places);
    for (uint32_t i = 0; i < contain->count; i++) {
        struct contain_place *place = &contain->places[i];

        place->contain = contain;
        place->means = contain->means;
        place->slot = i;
        place->ipc = -1;
        if (contain->kind == CONTAIN_CGROUP)
            place->cgroup = &contain->groups.slots[i];
    }
}

struct contain *contain_open(const char *wanted, const char *run_id, uint32_t slots, struct buf *why)
{
    struct contain *contain = mem_zero(1, sizeof *contain);

    contain->count = slots;
    contain->children = -1;
    if (choose(contain, wanted, run_id, why)) {
        make_places(contain);
        return contain;
    }
    free(contain);
    return NULL;
}

int contain_start(struct contain *contain)
{
    char path[64];

    contain->self = getpid();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return -1;
    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)contain->self);
    contain->children = open(path, O_RDONLY | O_CLOEXEC);
    return contain->children < 0 && errno != ENOENT ? -1 : 0;
}

void contain_close(struct contain *contain)
{
    if (!contain)
        return;
    for (uint32_t i = 0; i < contain->count; i++) {
        struct contain_place *place = &contain->places[i];

        if (place->anchor.pid) {
            anchor_kill(&place->anchor);
            anchor_end(&place->anchor, NS_PER_S);
        }
        fd_close(&place->ipc);
    }
    if (contain->kind == CONTAIN_CGROUP) {
        cgroups_end_all(&contain->groups, 0);
        cgroups_close(&contain->groups);
    }
    fd_close(&contain->children);
    proc_ids_release(&contain->shared);
    free(contain->places);
    free(contain);
}

enum containment contain_kind(const struct contain *contain)
{
    return contain->kind;
}

const struct cgroups *contain_cgroups(const struct contain *contain)
{
    return contain->kind == CONTAIN_CGROUP ? &contain->groups : NULL;
}

struct contain_place *contain_place(struct contain *contain, uint32_t slot)
{
    return &contain->places[slot];
}

const char *contain_why_unlimited(const struct contain *contain, enum cgroup_limit limit)
{
    const char *why = contain->groups.unlimited[limit];

    if (contain->kind != CONTAIN_CGROUP)
        return "only control groups can hold it";
    if (cgroup_can_limit(&contain->groups.slots[0], limit))
        return NULL;
    return why ? why : "the files of its control group cannot be opened";
}

/* ---- the start of a case ---- */

/* What tells its processes from those of all other attempts, wherever they have gone. */
static void find_cookies(struct contain_place *place, const struct spawn_spec *spec)
{
    static const char *const names[COOKIES_MOST] = {
        [COOKIE_RUN] = "RUN_MATRIX_RUN_ID=",
        [COOKIE_CASE] = "RUN_MATRIX_CASE_ID=",
        [COOKIE_ATTEMPT] = "RUN_MATRIX_ATTEMPT=",
    };

    for (int i = 0; i < COOKIES_MOST; i++) {
        place->cookies[i] = NULL;
        for (char *const *entry = spec->envp; entry && *entry && !place->cookies[i]; entry++)
            if (strncmp(*entry, names[i], strlen(names[i])) == 0)
                place->cookies[i] = *entry;
    }
}

static void prepare_room(struct contain_place *place, const struct contain_wants *wants,
                         struct spawn_spec *spec)
{
    fd_close(&place->ipc);
    place->room = (struct spawn_room){
        .anchor = place->anchor.pid ? &place->anchor : NULL,
        .isolate = wants->isolate,
        .tmp = wants->tmp,
        .shm = wants->shm,
        .ipc = wants->isolate & SPAWN_ISOLATE_FILES ? &place->ipc : NULL,
    };
    spec->room = place->room.anchor || place->room.isolate ? &place->room : NULL;
}

static int set_limits(struct contain_place *place, const struct contain_wants *wants)
{
    uint64_t processes = wants->limits[CGROUP_PROCESSES];

    if (!place->cgroup)
        return 0;
    if (cgroup_renew(place->cgroup) < 0)
        return -1;
    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++) {
        place->limits[i] = wants->limits[i] && cgroup_can_limit(place->cgroup, i);
        if (place->limits[i])
            place->hits[i] = cgroup_hits(place->cgroup, i);
    }
    place->refused = place->exceeded = false;
    place->memory = place->limits[CGROUP_MEMORY] ? wants->limits[CGROUP_MEMORY] : 0;
    if (!place->limits[CGROUP_PROCESSES] && !place->cgroup->limited[CGROUP_PROCESSES])
        return 0;
    return cgroup_limit(place->cgroup, CGROUP_PROCESSES, processes ? processes : UINT64_MAX);
}

int contain_prepare(struct contain_place *place, const struct contain_wants *wants, struct spawn_spec *spec)
{
    find_cookies(place, spec);
    place->means =
        wants->outside && place->contain->kind == CONTAIN_PIDNS ? &means_group : place->contain->means;
    if (set_limits(place, wants) < 0)
        return -1;
    if (place->means->prepare && place->means->prepare(place, spec) < 0)
        return -1;
    prepare_room(place, wants, spec);
    atomic_store(&place->contain->starting, true);
    return 0;
}

void contain_expect(struct contain_place *place, const struct spawn *spawn)
{
    atomic_store(&place->expected, spawn);
    atomic_store(&place->contain->starting, false);
}

/* It has come, or will not. */
static void not_expected(struct contain_place *place)
{
    atomic_store(&place->expected, NULL);
    atomic_store(&place->contain->starting, false);
}

static uint64_t ticks_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)((now.tv_sec * NS_PER_S + now.tv_nsec) / (NS_PER_S / sysconf(_SC_CLK_TCK)));
}

void contain_started(struct contain_place *place, struct process leader)
{
    place->leader = leader;
    place->since = ticks_now();
    not_expected(place);
}

void contain_not_started(struct contain_place *place)
{
    place->memory = 0;
    if (place->means->not_started)
        place->means->not_started(place);
    not_expected(place);
}

bool contain_waits(const struct contain_place *place)
{
    return place->memory != 0;
}

/*
 * Refused: it has more than that, and the kernel found nothing that it could take away. Version 2 would have
 * it killed for that.
 */
static bool has_too_much(const struct contain_place *place)
{
    return cgroup_limit(place->cgroup, CGROUP_MEMORY, place->memory) < 0 && errno == EBUSY;
}

/* Not before: until then it runs in our memory, and the kernel's killer for want of it would end us, too. */
void contain_executed(struct contain_place *place)
{
    bool refused = place->memory && has_too_much(place), again = refused && place->refused;

    place->refused = refused;
    if (refused && !again)
        return;
    place->memory = 0;
    place->exceeded |= again;
    if (again)
        contain_kill(place);
}

/* ---- its end ---- */

void contain_take_census(const struct contain *contain, struct census *census)
{
    if (contain->means->walks)
        census_take(census);
    else
        census->count = 0;
}

bool contain_is_empty(struct contain_place *place)
{
    return place->means->is_empty(place);
}

void contain_kill(struct contain_place *place)
{
    place->means->kill(place);
}

bool contain_freeze(struct contain_place *place, bool on, int *events)
{
    return place->means->freeze && place->means->freeze(place, on, events);
}

void contain_members(struct contain_place *place, const struct census *machine, struct census *out)
{
    place->means->members(place, machine, out);
}

void contain_lost(struct contain_place *place)
{
    place->leader.pid = 0;
}

void contain_reaped(struct contain_place *place, bool left)
{
    if (place->means->reaped)
        place->means->reaped(place, left);
    place->leader = (struct process){0, -1};
}

uint64_t contain_hits(const struct contain_place *place, enum cgroup_limit limit)
{
    if (!place->limits[limit])
        return 0;
    return cgroup_hits(place->cgroup, limit) - place->hits[limit] +
           (limit == CGROUP_MEMORY && place->exceeded);
}

/* It is looked at by a child of ours, who is not to be taken for an orphan. */
bool contain_look_at_ipc(struct contain_place *place, struct buf *out)
{
    bool looked;

    if (place->ipc < 0)
        return false;
    atomic_store(&place->contain->starting, true);
    looked = isolate_ipc_look(place->ipc, out) == 0;
    atomic_store(&place->contain->starting, false);
    return looked;
}

bool contain_is_shared(const struct contain *contain, struct proc_id id)
{
    for (size_t i = 0; i < contain->shared.count; i++)
        if (proc_id_equals(contain->shared.list[i], id))
            return true;
    return false;
}

/* ---- signals ---- */

/*
 * Until it has started its session, and when it is to share ours, there is no group of its number. A number that is
 * none would make kill() reach for our own group, or for everybody.
 */
static int signal_group(const struct process *leader, int signal)
{
    if (leader->pid <= 1) {
        errno = ESRCH;
        return -1;
    }
    if (kill(-leader->pid, signal) == 0)
        return 0;
    return errno == ESRCH ? pidfd_signal(leader->pidfd, signal) : -1;
}

/*
 * One that left the group. Its number may be somebody else's by now; what the pidfd means does not change
 * once we have it.
 */
static void signal_straggler(struct contain_place *place, const struct proc_stat *listed, int signal)
{
    int pidfd = pidfd_of(listed->pid);

    if (pidfd < 0)
        return;
    if (place->means->holds(place, listed))
        pidfd_signal(pidfd, signal);
    fd_close(&pidfd);
}

static int signal_tree(struct contain_place *place, int signal, const struct census *members)
{
    int answer = signal_group(&place->leader, signal), error = errno;

    for (size_t i = 0; i < members->count; i++)
        if (members->list[i].pgrp != place->leader.pid && members->list[i].pid != place->leader.pid)
            signal_straggler(place, &members->list[i], signal);
    errno = error;
    return answer;
}

int contain_signal(struct contain_place *place, enum ladder_target target, int signal,
                   const struct census *members)
{
    switch (target) {
    case LADDER_LEADER: return pidfd_signal(place->leader.pidfd, signal);
    case LADDER_GROUP: return signal_group(&place->leader, signal);
    default: return signal_tree(place, signal, members);
    }
}
