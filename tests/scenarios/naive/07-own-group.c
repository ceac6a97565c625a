/*
 * A runner that has its case in a process group, and ends the group. The child of the case has made one of its own,
 * as actors do that want to be ended one by one. Prints what became of it.
 */
#include "tests/kids/kid/kid.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void have_child(int tell)
{
    pid_t pid = kid_fork();

    if (pid == 0) {
        setpgid(0, 0);
        pid = getpid();
        if (write(tell, &pid, sizeof pid) != sizeof pid)
            _exit(99);
    }
    linger();
}

int main(void)
{
    int tell[2];
    pid_t first, second = 0;
    struct pollfd gone;

    limit_life(KID_LIFE);
    if (pipe2(tell, O_CLOEXEC) < 0)
        return broken("pipe");
    first = kid_fork();
    if (first == 0) {
        setpgid(0, 0);
        have_child(tell[1]);
    }
    if (read(tell[0], &second, sizeof second) != sizeof second)
        return broken("read");
    gone = (struct pollfd){.fd = (int)syscall(SYS_pidfd_open, second, 0), .events = POLLIN};
    if (gone.fd < 0 || killpg(first, SIGKILL) < 0 || waitpid(first, NULL, 0) != first)
        return broken("kill");
    /* A signal that was sent has arrived by now, since the one that was sent with it has. */
    printf("%s\n", poll(&gone, 1, 0) ? "gone" : "alive");
    syscall(SYS_pidfd_send_signal, gone.fd, SIGKILL, NULL, 0);
    return 0;
}
