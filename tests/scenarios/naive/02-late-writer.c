/*
 * A runner that reads its child's output to the end of file and waits for the child afterwards. The child leaves somebody
 * behind who has the output open, and exits with 3: its own child, or with "daemon" one in a session of its own that
 * nobody is the parent of.
 */
#include "tests/kids/kid/kid.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void leave_somebody(bool daemon)
{
    if (kid_fork() == 0) {
        if (daemon && (setsid() < 0 || kid_fork() != 0))
            _exit(0);
        linger();
    }
    _exit(3);
}

int main(int argc, char **argv)
{
    char output[100];
    int ends[2], status = 0;
    pid_t pid;

    limit_life(KID_LIFE);
    if (argc < 2 || pipe2(ends, O_CLOEXEC) < 0)
        return broken("pipe");
    pid = kid_fork();
    if (pid == 0)
        leave_somebody(strcmp(argv[1], "daemon") == 0);
    close(ends[1]);
    while (read(ends[0], output, sizeof output) > 0)
        ;
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return broken("child");
    printf("status %d\n", WEXITSTATUS(status));
    return 0;
}
