/*
 * A runner that gives its child a pipe and reads it when the child has ended: SIZE is what the child writes. The pipe
 * holds 4096 bytes.
 */
#include "tests/kids/kid/kid.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void write_so_much(int fd, long size)
{
    while (size-- > 0)
        if (write(fd, "x", 1) != 1)
            _exit(99);
    _exit(0);
}

int main(int argc, char **argv)
{
    char output[8192];
    int ends[2], status = 0;
    pid_t pid;

    limit_life(KID_LIFE);
    if (argc < 2 || pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[1], F_SETPIPE_SZ, 4096) != 4096)
        return broken("pipe");
    pid = kid_fork();
    if (pid == 0)
        write_so_much(ends[1], number(argv[1]));
    close(ends[1]);
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return broken("child");
    printf("status %d, %zd bytes\n", status, read(ends[0], output, sizeof output));
    return 0;
}
