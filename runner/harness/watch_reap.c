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
 * What is left of the case is ended while the dead leader still holds its number. When the leader is lost that
 * number may be anybody's, and nothing is signalled.
 */
static enum whereabouts take(struct watch_slot *slot)
{
    const struct watched *watched = &slot->watched;
    struct watch_ending *ending = &slot->ending;
    siginfo_t info;
    enum whereabouts where = ask(&watched->process, WNOWAIT, &info, NULL);

    if (where == HAS_EXITED) {
        watched->containment->sweep(&watched->process);
        where = ask(&watched->process, 0, &info, &ending->usage);
    }
    if (where == HAS_EXITED)
        note_status(ending, &info);
    ending->lost = where == LOST;
    return where;
}

static void set_free(struct watch *watch, struct watch_slot *slot)
{
    fd_close(&slot->watched.process.pidfd);
    slot->state = WATCH_FREE;
    slot->pending = 0;
    slot->next = WATCH_NEVER;
    watch->running--;
}

static void finish(struct watch *watch, struct watch_slot *slot, enum whereabouts where)
{
    struct watch_ending *ending = &slot->ending;

    ending->ended = clock_read(watch);
    ending->abandoned = where == STILL_THERE; /* else it went after all */
    slot_note_executed(watch, slot, ending->ended);
    if (!ending->rung_count) {
        ending->cause = WATCH_NO_CAUSE;
        ending->phase = ending->executed ? WATCH_CALL : WATCH_SETUP;
    }
}

bool watch_reap(struct watch *watch, uint32_t number, struct watch_ending *ending)
{
    struct watch_slot *slot = &watch->slots[number];
    bool over = false;

    pthread_mutex_lock(&watch->lock);
    if (slot->state != WATCH_FREE) {
        enum whereabouts where = take(slot);

        over = where != STILL_THERE || slot->ending.abandoned;
        if (over) {
            finish(watch, slot, where);
            memcpy(ending, &slot->ending,
                   offsetof(struct watch_ending, rungs) + slot->ending.rung_count * sizeof *ending->rungs);
            set_free(watch, slot);
        }
    }
    pthread_mutex_unlock(&watch->lock);
    return over;
}
