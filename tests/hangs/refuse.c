/*
 * What a kernel with kernel.yama.ptrace_scope = 1 refuses to whoever looks at processes that are none of its descendants, or, with 3, to
 * everybody. It is emulated, since a kernel without Yama has no such setting: Yama is asked where something attaches, which is
 * ptrace, process_vm_readv, process_vm_writev and pidfd_getfd; they fail with EPERM for us and for all we start. What is not emulated
 * are the files that ask Yama as well (/proc/PID/mem, syscall, stack): whose names a filter of system calls does not see.
 */
#include "tests/hangs/hang.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refuse(char **args)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_writev, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_getfd, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog program = {.len = LENGTH(code), .filter = code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        return broken("seccomp");
    execvp(args[0], args);
    return broken(args[0]);
}

/* clang-format off */
const struct kid hangs_refuse[] = {
    {.name = "refuse", .args = "COMMAND...", .least = 1, .what = "runs it where nobody may trace anybody", .act = refuse},
    {.name = NULL},
};
