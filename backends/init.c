/* The init of an anchor. Child's side: see inside.h and child.h. */
#include "backends/inside.h"

#include "backends/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>

static _Noreturn void end(void)
{
    for (;;)
        RAW(exit_group, 1);
}

/* It cannot see who made it, getppid() is 0 from its first moment on; that he is dead already is told by his pidfd. */
static long die_with(int maker)
{
    struct pollfd look = {.fd = maker, .events = POLLIN};
    static const struct timespec at_once;
    long result = RAW(prctl, PR_SET_PDEATHSIG, SIGKILL);

    if (result >= 0)
        result = RAW(ppoll, &look, 1, &at_once, NULL, 0);
    return result > 0 ? -ESRCH : result;
}

/* Children of one who ignores SIGCHLD are reaped by the kernel: it need not be woken for them. */
static long ignore_children(void)
{
    static const uintptr_t ignored[4] = {(uintptr_t)1}; /* the kernel's sigaction; SIG_IGN */

    return RAW(rt_sigaction, SIGCHLD, ignored, NULL, sizeof(uint64_t));
}

static long map_ids(const struct init *init)
{
    long self, result;

    if (!init->user)
        return 0;
    self = RAW(openat, AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (self < 0)
        return self;
    result = inside_map_ids((int)self, &init->identity);
    RAW(close, self);
    return result;
}

/* Without the first step the second would be seen by the whole machine. */
static long mount_proc(void)
{
    long result = inside_detach_mounts();

    return result < 0 ? result : RAW(mount, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static long settle(const struct init *init)
{
    long result = die_with(init->maker);

    if (result >= 0)
        result = ignore_children();
    if (result >= 0)
        result = RAW(setsid);
    if (result >= 0)
        result = RAW(prctl, PR_SET_NAME, "rm-anchor");
    return result < 0 ? result : map_ids(init);
}

static long close_all_but(int fd)
{
    long result = fd > 0 ? RAW(close_range, 0, fd - 1, 0) : 0;

    return result < 0 ? result : RAW(close_range, fd + 1, ~0U, 0);
}

void init_main(void *user)
{
    const struct init *init = user;
    struct init_report report = {0};
    long result = settle(init), proc = 0;

    if (result >= 0)
        result = close_all_but(init->report);
    if (result >= 0)
        proc = mount_proc();
    report.error = result < 0 ? (int)-result : 0;
    report.proc_error = proc < 0 ? (int)-proc : 0;
    RAW(write, init->report, &report, sizeof report);
    RAW(close, init->report);
    if (result < 0)
        end();
    for (;;)
        RAW(ppoll, NULL, 0, NULL, NULL, 0);
}
