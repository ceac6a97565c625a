/*
 * Children of ours that no place knows: orphans of cases, and what a leader has cloned with CLONE_PARENT.
 * Whose are they?
 */
#include "runner/harness/contain_internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REAPS_MOST   32 /* between two rounds of killing: who reaps first is never done with a storm */
#define MEMBERS_MOST 4096

/* ---- who they are ---- */

static bool is_known(const struct contain *contain, pid_t pid)
{
    for (uint32_t i = 0; i < contain->count; i++)
        if (contain->places[i].leader.pid == pid || contain->places[i].anchor.pid == pid)
            return true;
    return false;
}

bool stranger_is(const struct contain *contain, const struct proc_stat *stat)
{
    return stat->ppid == contain->self && !is_known(contain, stat->pid);
}

static const char *number_in(const char *text, pid_t *pid)
{
    char *end;

    *pid = (pid_t)strtol(text, &end, 10);
    return end == text ? NULL : end;
}

static void read_list(struct contain *contain, struct proc_ids *out)
{
    char text[4096];
    struct buf all = {0};
    const char *at;
    ssize_t got;
    pid_t pid;

    while ((got = pread(contain->children, text, sizeof text, (off_t)all.len)) > 0)
        buf_add(&all, text, (size_t)got);
    for (at = buf_text(&all); (at = number_in(at, &pid));)
        if (!is_known(contain, pid))
            proc_ids_add(out, (struct proc_id){.pid = pid});
    buf_release(&all);
}

struct search {
    struct contain *contain;
    struct proc_ids *out;
};

static bool note_child(void *user, pid_t pid)
{
    struct search *search = user;
    struct proc_stat stat;

    if (proc_stat_read(pid, &stat) == 0 && stranger_is(search->contain, &stat))
        proc_ids_add(search->out, (struct proc_id){.pid = pid});
    return true;
}

/*
 * The kernel may be built without the list of children. What is being started meanwhile is in the list before
 * it is in a place; who has the lock and asks afterwards whether something is, is not deceived: it gets its
 * place under the lock.
 */
bool strangers_list(struct contain *contain, struct proc_ids *out)
{
    if (contain->children >= 0)
        read_list(contain, out);
    else
        proc_each(note_child, &(struct search){contain, out});
    return !atomic_load(&contain->starting);
}

static bool is_expected(const struct contain *contain, pid_t pid)
{
    for (uint32_t i = 0; i < contain->count; i++) {
        const struct spawn *spawn = atomic_load(&contain->places[i].expected);

        if (spawn && spawn_pid(spawn) == pid)
            return true;
    }
    return false;
}

/*
 * As a child of ours that we have not reaped it keeps its number. Where another thread of ours traces it, its stops are told
 * to whoever waits for it, asked for or not.
 */
static bool has_ended(pid_t pid, int then)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | __WALL | then) < 0 || !info.si_pid)
        return false;
    return info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
}

/* In this order: the words of who is expected have its number before it runs, and so when it has ended. */
bool stranger_reap(const struct contain *contain, pid_t pid)
{
    return has_ended(pid, WNOWAIT) && !is_expected(contain, pid) && has_ended(pid, 0);
}

size_t contain_tick(struct contain *contain)
{
    struct proc_ids strangers = {0};
    size_t reaped = 0;

    if (strangers_list(contain, &strangers))
        for (size_t i = 0; i < strangers.count; i++)
            reaped += stranger_reap(contain, strangers.list[i].pid);
    proc_ids_release(&strangers);
    return reaped;
}

/* ---- whose they are ---- */

enum claim { CLAIM_NONE, CLAIM_OF_ANOTHER, CLAIM_OF_THIS };

/* By one variable of an environment: that of this attempt, or of another one. */
static enum claim claim_by(struct str environment, const char *cookie)
{
    size_t name = cookie ? (size_t)(strchr(cookie, '=') + 1 - cookie) : 0;
    enum claim claim = CLAIM_NONE;

    for (struct str rest = environment; cookie && rest.len && claim != CLAIM_OF_THIS;) {
        struct str entry = {rest.ptr, strnlen(rest.ptr, rest.len)};

        if (entry.len >= name && memcmp(entry.ptr, cookie, name) == 0)
            claim = str_is(entry, cookie) ? CLAIM_OF_THIS : CLAIM_OF_ANOTHER;
        rest = str_slice(rest, entry.len < rest.len ? entry.len + 1 : entry.len, rest.len);
    }
    return claim;
}

/*
 * All three are those of this attempt; or the run is, and the case or the attempt is not. Of other runs we
 * know nothing.
 */
static enum claim claim_of(const struct contain_place *place, struct str environment)
{
    enum claim claims[COOKIES_MOST];

    for (int i = 0; i < COOKIES_MOST; i++)
        claims[i] = claim_by(environment, place->cookies[i]);
    if (claims[COOKIE_RUN] != CLAIM_OF_THIS)
        return CLAIM_NONE;
    if (claims[COOKIE_CASE] == CLAIM_OF_ANOTHER || claims[COOKIE_ATTEMPT] == CLAIM_OF_ANOTHER)
        return CLAIM_OF_ANOTHER;
    return claims[COOKIE_CASE] && claims[COOKIE_ATTEMPT] ? CLAIM_OF_THIS : CLAIM_NONE;
}

/* A case without cookies is none of a run, and has no claim to what is not marked. */
static bool was_there(const struct contain_place *place, const struct proc_stat *stat)
{
    return place->leader.pid && place->cookies[0] && place->since <= stat->start_ticks + 1;
}

/* Another case that runs may have made it; who has no cookie of any. */
static bool may_be_another_s(const struct contain_place *place, const struct proc_stat *stat)
{
    const struct contain *contain = place->contain;

    for (uint32_t i = 0; i < contain->count; i++)
        if (&contain->places[i] != place && was_there(&contain->places[i], stat))
            return true;
    return false;
}

static bool is_marked(const struct contain_place *place, const struct stranger *stranger)
{
    pid_t leader = place->leader.pid;

    return leader && (stranger->stat->session == leader || stranger->stat->pgrp == leader ||
                      claim_of(place, buf_str(&stranger->environment)) == CLAIM_OF_THIS);
}

static bool is_marked_by_another(const struct contain_place *place, const struct stranger *stranger)
{
    const struct contain *contain = place->contain;

    for (uint32_t i = 0; i < contain->count; i++)
        if (&contain->places[i] != place && is_marked(&contain->places[i], stranger))
            return true;
    return claim_of(place, buf_str(&stranger->environment)) == CLAIM_OF_ANOTHER;
}

/* In a group of a case it is that one's, and the group knows it. */
static bool is_in_a_group(const struct contain *contain, pid_t pid)
{
    return contain->kind == CONTAIN_CGROUP && cgroups_hold(&contain->groups, pid);
}

/*
 * Without a mark it is that of the only one that was there when it began. A mark may be that of a case which
 * was given up.
 */
enum ownership stranger_judge(const struct contain_place *place, const struct stranger *stranger)
{
    if (is_marked(place, stranger))
        return ITS;
    if (is_marked_by_another(place, stranger) || !was_there(place, stranger->stat))
        return NOT_ITS;
    if (!may_be_another_s(place, stranger->stat))
        return ITS;
    return stranger->pending ? NOT_KNOWN_YET : MAY_BE_ITS;
}

static enum ownership ownership(const struct contain_place *place, const struct proc_stat *stat)
{
    struct stranger stranger = {.stat = stat};
    enum ownership whose;

    if (is_in_a_group(place->contain, stat->pid))
        return NOT_ITS;
    stranger.pending = proc_environ(stat->pid, &stranger.environment) < 0 && errno == EAGAIN;
    whose = stranger_judge(place, &stranger);
    buf_release(&stranger.environment);
    return whose;
}

static bool owns(const struct contain_place *place, const struct proc_stat *stat)
{
    return ownership(place, stat) == ITS;
}

static void note_shared(struct contain *contain, const struct proc_stat *stat)
{
    struct proc_id id = proc_id_of(stat);

    if (!contain_is_shared(contain, id))
        proc_ids_add(&contain->shared, id);
}

/* What was listed while it helped us is gone when nothing is being started any more: in this order. */
bool stranger_is_its(const struct contain_place *place, const struct proc_stat *stat)
{
    const struct contain *contain = place->contain;

    return !atomic_load(&contain->starting) && proc_is(proc_id_of(stat)) && !is_known(contain, stat->pid) &&
           owns(place, stat);
}

/* ---- what is to be known, and done ---- */

/* Those below it come after it; who forks faster than we can list is not listed to his end. */
static void add_tree(const struct contain *contain, const struct proc_stat *root, struct census *out)
{
    size_t at = out->count;

    census_add(out, root);
    for (; at < out->count && out->count < MEMBERS_MOST; at++) {
        struct proc_ids below = {0};
        struct proc_stat stat;

        proc_children(out->list[at].pid, &below);
        for (size_t i = 0; i < below.count; i++)
            if (proc_stat_read(below.list[i].pid, &stat) == 0 && proc_stat_is_alive(&stat) &&
                !is_in_a_group(contain, stat.pid))
                census_add(out, &stat);
        proc_ids_release(&below);
    }
}

void strangers_members(struct contain_place *place, struct census *out)
{
    struct proc_ids strangers = {0};
    struct proc_stat stat;

    strangers_list(place->contain, &strangers);
    for (size_t i = 0; i < strangers.count; i++)
        if (proc_stat_read(strangers.list[i].pid, &stat) == 0 && proc_stat_is_alive(&stat) &&
            stranger_is_its(place, &stat))
            add_tree(place->contain, &stat, out);
    proc_ids_release(&strangers);
}

/* Nobody else gets into the session, and a parent in the tree has children of the tree. */
bool strangers_hold(struct contain_place *place, const struct proc_stat *listed)
{
    struct proc_stat now;

    if (proc_stat_read(listed->pid, &now) < 0 || now.start_ticks != listed->start_ticks)
        return false;
    if (now.session == place->leader.pid)
        return true;
    if (now.ppid == place->contain->self) /* its parent may have gone since it was listed */
        return !is_known(place->contain, now.pid) && now.session == listed->session;
    return now.ppid == listed->ppid;
}

/* Whoever of it is alive has one of our children above him, or is one. */
bool strangers_are_gone(struct contain_place *place)
{
    struct proc_ids strangers = {0};
    struct proc_stat stat;
    bool empty = strangers_list(place->contain, &strangers);

    for (size_t i = 0; i < strangers.count; i++) {
        enum ownership whose = NOT_ITS;

        if (proc_stat_read(strangers.list[i].pid, &stat) == 0 && proc_stat_is_alive(&stat))
            whose = ownership(place, &stat);
        if (whose == ITS || whose == NOT_KNOWN_YET)
            empty = false;
        else if (whose == MAY_BE_ITS)
            note_shared(place->contain, &stat);
    }
    proc_ids_release(&strangers);
    return empty;
}

/* A child of ours keeps its number until we reap it: so there is nothing to be mistaken about. */
static void kill_child(pid_t pid)
{
    int pidfd = pidfd_of(pid);

    if (pidfd < 0)
        return;
    pidfd_signal(pidfd, SIGKILL);
    fd_close(&pidfd);
}

void strangers_kill(struct contain_place *place)
{
    struct proc_ids strangers = {0};
    struct proc_stat stat;
    int reaps = 0;

    if (!strangers_list(place->contain, &strangers))
        strangers.count = 0; /* next time */
    for (size_t i = 0; i < strangers.count; i++)
        if (proc_stat_read(strangers.list[i].pid, &stat) == 0 && proc_stat_is_alive(&stat) &&
            owns(place, &stat))
            kill_child(stat.pid);
    for (size_t i = 0; i < strangers.count && reaps++ < REAPS_MOST; i++)
        stranger_reap(place->contain, strangers.list[i].pid);
    proc_ids_release(&strangers);
}
