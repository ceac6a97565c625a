/*
 * A thread forks for the others and writes the child's number into a pipe, which the first thread reads. fork fails; the
 * thread has nothing to write, and since it lives in the same process the pipe has no end.
 */
#include "tests/kids/kid/kid.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *fork_for_others(void *user)
{
    const int *ends = user;
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    if (pid > 0 && write(ends[1], &pid, sizeof pid) != sizeof pid)
        broken("write");
    return user;
}

/* fork, that is; a thread is made by clone3, or by clone with more flags. */
static bool forks_fail(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {LENGTH(code), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

int main(void)
{
    pthread_t thread;
    int ends[2];
    pid_t pid = 0;

    limit_life(KID_LIFE);
    if (pipe(ends) < 0 || !forks_fail())
        return broken("seccomp");
    if (pthread_create(&thread, NULL, fork_for_others, ends) != 0)
        return broken("thread");
    say("asked");
    if (read(ends[0], &pid, sizeof pid) != sizeof pid)
        return broken("read");
    return 0;
}
