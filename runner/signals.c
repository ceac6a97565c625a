#include "runner/signals.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int read_here[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1,
                                SIGUSR2, SIGTSTP, SIGCONT, SIGWINCH};
/* Raised by what a thread does itself; blocked, the kernel would kill us without its handler or its core. */
static const int left_open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};

/* The kernel's own structure begins with the handler and is no longer than this. */
struct disposition {
    uintptr_t handler;
    uintptr_t rest[15];
};

/*
 * Not through libc, which hides the two signals it keeps for its threads; a parent can have them ignored too.
 */
static long change(int number, const struct disposition *to, struct disposition *from)
{
    return syscall(SYS_rt_sigaction, number, to, from, (size_t)NSIG / 8);
}

static bool is_ignored(int number)
{
    struct disposition now = {0};

    return change(number, NULL, &now) == 0 && now.handler == (uintptr_t)SIG_IGN;
}

/* Nothing else is inherited through an exec; what has a handler now has it from a sanitizer. */
static void forget_ignored(void)
{
    const struct disposition standard = {.handler = (uintptr_t)SIG_DFL};

    for (int number = 1; number < NSIG; number++)
        if (is_ignored(number))
            change(number, &standard, NULL);
}

static int block(void)
{
    sigset_t all;

    sigfillset(&all);
    for (size_t i = 0; i < ARRAY_LEN(left_open); i++)
        sigdelset(&all, left_open[i]);
    return sigprocmask(SIG_SETMASK, &all, NULL);
}

static void wanted(const struct signals *signals, sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < ARRAY_LEN(read_here); i++)
        if (read_here[i] != SIGHUP || !signals->nohup)
            sigaddset(set, read_here[i]);
}

int signals_open(struct signals *signals)
{
    sigset_t set;

    *signals = (struct signals){.fd = -1, .nohup = is_ignored(SIGHUP)};
    if (block() < 0) /* first: with its default, one that our parent ignored would end us */
        return -1;
    forget_ignored();
    wanted(signals, &set);
    signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return signals->fd < 0 ? -1 : 0;
}

void signals_close(struct signals *signals)
{
    fd_close(&signals->fd);
}

static void ending(const struct signals *signals, sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGQUIT);
    if (!signals->nohup)
        sigaddset(set, SIGHUP);
}

bool signals_ending_waits(const struct signals *signals)
{
    sigset_t set, waiting;

    ending(signals, &set);
    if (sigpending(&waiting) == 0)
        sigandset(&set, &set, &waiting);
    return !sigisemptyset(&set);
}

void signals_let_go(struct signals *signals)
{
    sigset_t fatal;

    while (signals_next(signals)) /* what came before was meant for what is over */
        ;
    ending(signals, &fatal);
    sigprocmask(SIG_UNBLOCK, &fatal, NULL);
}

static bool read_one(struct signals *signals, struct signalfd_siginfo *info)
{
    ssize_t got;

    do
        got = read(signals->fd, info, sizeof *info);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *info;
}

/*
 * We go on, so the guard must. It stops when it sees that we have; a SIGCONT that comes to it before that is
 * taken away when it does, so one is sent until it is awake.
 */
static void wake_guard(const struct signals *signals)
{
    struct pollfd death = {.fd = signals->guard_fd, .events = POLLIN};

    while (atomic_load(&signals->counts->stopping)) {
        pidfd_signal(signals->guard_fd, SIGCONT);
        if (poll(&death, 1, 1) != 0)
            return;
    }
}

/*
 * SIGCONT changes nothing when it is heard twice, and is not counted: it may vanish before it is read, as
 * TSTP takes it away.
 */
static bool is_news(struct signals *signals, const struct signalfd_siginfo *info)
{
    uint32_t number = info->ssi_signo, direct, passed, came;

    if (signals->guard && number == SIGCONT)
        wake_guard(signals);
    if (!signals->guard || number == SIGCONT)
        return true;
    if ((pid_t)info->ssi_pid != signals->guard)
        atomic_fetch_add(&signals->counts->direct[number], 1);
    direct = atomic_load(&signals->counts->direct[number]);
    passed = atomic_load(&signals->counts->passed[number]);
    came = direct > passed ? direct : passed;
    if (came == signals->heard[number])
        return false;
    signals->heard[number] = came;
    return true;
}

int signals_next(struct signals *signals)
{
    struct signalfd_siginfo info;

    while (read_one(signals, &info))
        if (is_news(signals, &info))
            return (int)info.ssi_signo;
    return 0;
}

/* ---- below a guard ---- */

void signals_guarded(struct signals *signals, pid_t guard, int pidfd, struct signal_counts *counts)
{
    signals->guard = guard;
    signals->guard_fd = pidfd;
    signals->counts = counts;
}

void signals_of_guard(const struct signals *signals, sigset_t *set)
{
    wanted(signals, set);
    sigdelset(set, SIGWINCH); /* the kernel sends it to all who are in front */
}

/*
 * One that he has had himself is not sent: he may have let go of it since (signals_let_go), and be ended by
 * what was meant, and heeded, before.
 */
void signals_pass(struct signal_counts *counts, int number, int pidfd)
{
    uint32_t passed = atomic_fetch_add(&counts->passed[number], 1) + 1;

    if (passed > atomic_load(&counts->direct[number]))
        pidfd_signal(pidfd, number);
}

/* ---- stopping ---- */

/* Of whom nothing is to be known may be a shell, unless we have left his session. */
static bool has_shell(const struct proc_stat *stat)
{
    struct proc_stat parent;

    if (stat->session == stat->pid)
        return false;
    if (proc_stat_read(stat->ppid, &parent) < 0)
        return true;
    return parent.pgrp != stat->pgrp && parent.session == stat->session;
}

/* False: the one that was looked for, and so the last. */
static bool has_no_shell(void *user, pid_t pid)
{
    bool *found = user;
    struct proc_stat stat;

    if (proc_stat_read(pid, &stat) == 0 && stat.pgrp == getpgrp() && proc_stat_is_alive(&stat))
        *found = has_shell(&stat);
    return !*found;
}

bool signals_may_stop(void)
{
    bool found = false;

    return proc_each(has_no_shell, &found) < 0 || found;
}

/*
 * Not TSTP again: it is blocked, and in a group whose parent has left the session the kernel would ignore it.
 * raise sends to this thread, so it has stopped when raise returns, not a moment later.
 */
void signals_stop_self(void)
{
    raise(SIGSTOP);
}
