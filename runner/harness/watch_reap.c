#include "runner/harness/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum whereabouts {
    STILL_THERE,
    HAS_EXITED,
    LOST, /* ECHILD: somebody else took the status, or SIGCHLD is ignored */
};

/*
 * glibc's waitid has no rusage. __WALL: a clone that has not executed may have no exit signal. __WNOTHREAD: when
 * another thread of ours traces the process, its stops are not for us.
 */
static enum whereabouts ask(const struct process *process, int options, siginfo_t *info, struct rusage *usage)
{
    memset(info, 0, sizeof *info); /* with WNOHANG and nothing to tell the kernel may leave it as it is */
    options |= WEXITED | WNOHANG | __WALL | __WNOTHREAD;
    if (syscall(SYS_waitid, P_PIDFD, process->pidfd, info, options, usage) < 0)
        return LOST;
    switch (info->si_code) {
    case CLD_EXITED:
    case CLD_KILLED:
    case CLD_DUMPED: return HAS_EXITED;
    default: return STILL_THERE;
    }
}

static void note_status(struct watch_ending *ending, const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED) {
        ending->status = info->si_status;
        return;
    }
    ending->signal = info->si_status;
    ending->core = info->si_code == CLD_DUMPED;
}

/*
 * Who is left of it is given time, or has been, while the dead leader still holds its number; and who looks at it, to
 * make a dump, finds it there.
 */
static bool others_remain(struct watch *watch, struct watch_slot *slot)
{
    if (slot->ending.undead)
        return false;
    if (slot->state != WATCH_DUMPING && contain_is_empty(slot->watched.place))
        return false;
    if (!slot->headless || slot->state == WATCH_OVER)
        slot_lose_head(watch, slot, clock_read(watch));
    return true;
}

/* The number may be anybody's; what else the case is known by is not. */
static void end_headless(struct watch_slot *slot)
{
    struct contain_place *place = slot->watched.place;

    contain_lost(place);
    if (!contain_is_empty(place))
        contain_kill(place);
    slot->ending.lost = true;
}

static enum watch_news take(struct watch *watch, struct watch_slot *slot)
{
    const struct process *process = &slot->watched.process;
    struct watch_ending *ending = &slot->ending;
    siginfo_t info;
    enum whereabouts where = ask(process, WNOWAIT, &info, NULL);

    if (where == STILL_THERE)
        return ending->abandoned ? WATCH_IS_OVER : WATCH_GOES_ON;
    ending->abandoned = false; /* it went after all */
    if (where == HAS_EXITED) {
        if (others_remain(watch, slot))
            return WATCH_REMAIN;
        where = ask(process, 0, &info, &ending->usage);
    }
    if (where == HAS_EXITED)
        note_status(ending, &info);
    else
        end_headless(slot);
    return WATCH_IS_OVER;
}

static void set_free(struct watch *watch, struct watch_slot *slot)
{
    contain_reaped(slot->watched.place, slot->ending.abandoned || slot->ending.undead);
    fd_close(&slot->watched.process.pidfd);
    slot->state = WATCH_FREE;
    slot->pending = 0;
    slot->next = WATCH_NEVER;
    watch->running--;
}

/*
 * What had to be done with who was left says nothing of how the process itself has ended; nor does what struck just
 * before it did so by itself, but where it was given the time for that by a dump.
 */
static void finish(struct watch *watch, struct watch_slot *slot)
{
    struct watch_ending *ending = &slot->ending;
    nanos now = clock_read(watch);

    if (!ending->ended)
        ending->ended = now;
    if (slot->watched.spawn && !ending->abandoned)
        spawn_let_go(slot->watched.spawn);
    slot_note_executed(watch, slot, now);
    slot_note_failed(slot);
    if ((!ending->rung_count && !ending->dump) || ending->cause == WATCH_REMAINS) {
        ending->cause = WATCH_NO_CAUSE;
        ending->phase = ending->executed ? WATCH_CALL : WATCH_SETUP;
    }
}

enum watch_news watch_reap(struct watch *watch, uint32_t number, struct watch_ending *ending)
{
    struct watch_slot *slot = &watch->slots[number];
    enum watch_news news = WATCH_GOES_ON;

    pthread_mutex_lock(&watch->lock);
    if (slot->state != WATCH_FREE)
        news = take(watch, slot);
    if (news == WATCH_IS_OVER) {
        finish(watch, slot);
        memcpy(ending, &slot->ending,
               offsetof(struct watch_ending, rungs) + slot->ending.rung_count * sizeof *ending->rungs);
        set_free(watch, slot);
    }
    pthread_mutex_unlock(&watch->lock);
    return news;
}

bool watch_peek(struct watch *watch, uint32_t number, int *status, int *signal)
{
    struct watch_slot *slot = &watch->slots[number];
    struct watch_ending ending = {.status = -1};
    siginfo_t info;
    bool exited;

    pthread_mutex_lock(&watch->lock);
    exited = slot->state != WATCH_FREE && ask(&slot->watched.process, WNOWAIT, &info, NULL) == HAS_EXITED;
    pthread_mutex_unlock(&watch->lock);
    if (exited)
        note_status(&ending, &info);
    *status = ending.status;
    *signal = ending.signal;
    return exited;
}
