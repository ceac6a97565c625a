/* Clones that are made on behalf of a thread which goes on. */
#include "backends/internal.h"

#include "backends/child.h"
#include "backends/raw.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

/* On our own stack, for we wait; what is run makes a few system calls. */
#define ERRAND_STACK 16384

/* libc's own way of blocking leaves out two signals it uses between threads, none of the child's business. */
long clone_blocked(struct clone_args *args, void (*entry)(void *user), void *user)
{
    static const uint64_t all = ~UINT64_C(0);
    uint64_t before;
    long pid;

    RAW(rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    pid = child_clone(args, entry, user);
    RAW(rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
    return pid;
}

/*
 * Our stack is its own until it has ended. That it was stopped is told us too, asked or not, if another thread of ours traces
 * it, as one that makes a dump may.
 */
static void await_end(long pid)
{
    int status = 0;
    long told;

    do
        told = RAW(wait4, pid, &status, __WALL, NULL);
    while (told == -EINTR || (told == pid && !WIFEXITED(status) && !WIFSIGNALED(status)));
}

/* Somebody else may have reaped it, but not before its end: ECHILD is as good. */
long errand(void (*run)(void *user), void *user)
{
    _Alignas(64) char stack[ERRAND_STACK];
    struct clone_args args = {
        .flags = CLONE_VM | CLONE_FILES | CLONE_CLEAR_SIGHAND,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof stack,
    };
    long pid = clone_blocked(&args, run, user);

    if (pid > 0)
        await_end(pid);
    return pid < 0 ? pid : 0;
}
