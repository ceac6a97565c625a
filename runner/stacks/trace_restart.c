#include "runner/stacks/tracing.h"

#include "runner/base/mem.h"

#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#if defined(__x86_64__)

/* Between the kernel and itself: begin again, unless a handler runs, for whom it is EINTR after all. */
#define ERESTARTNOHAND 514

/*
 * Those that answer EINTR themselves, with nothing done: waiting calls, and those of sockets that have a time limit. Others
 * are left alone; of close() it would not be known what it has closed.
 */
static const long broken_off[] = {
    SYS_epoll_wait,      SYS_epoll_pwait,  SYS_epoll_pwait2,  SYS_semop,          SYS_semtimedop,
    SYS_rt_sigtimedwait, SYS_io_getevents, SYS_io_pgetevents, SYS_io_uring_enter, SYS_read,
    SYS_readv,           SYS_write,        SYS_writev,        SYS_recvfrom,       SYS_recvmsg,
    SYS_recvmmsg,        SYS_sendto,       SYS_sendmsg,       SYS_sendmmsg,       SYS_accept,
    SYS_accept4,         SYS_connect,      SYS_msgrcv,        SYS_msgsnd,
};

/*
 * It stands at the end of a call only when that has a number; the kernel looks at what it answers after we have let go of
 * it. That one word is written: segments, and whatever else there is, stay as they are.
 */
void restart_call(const struct traced_thread *thread)
{
    if (thread->foreign || (long)thread->registers.rax != -EINTR)
        return;
    for (size_t i = 0; i < ARRAY_LEN(broken_off); i++)
        if ((long)thread->registers.orig_rax == broken_off[i]) {
            ptrace(PTRACE_POKEUSER, thread->tid, (void *)(uintptr_t)offsetof(struct user_regs_struct, rax),
                   (void *)(intptr_t)-ERESTARTNOHAND);
            return;
        }
}

#else

/* Elsewhere the kernel has decided before it stops. */
void restart_call(const struct traced_thread *thread)
{
    (void)thread;
}

#endif
