/* "once" without a newline stands in the buffer of stdout at the fork. The child leaves by exit, or with "_exit" by that. */
#include "tests/kids/kid/kid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    pid_t pid;

    limit_life(KID_LIFE);
    if (argc < 2)
        return 99;
    printf("once.");
    pid = fork();
    if (pid == 0 && strcmp(argv[1], "_exit") == 0)
        _exit(0);
    if (pid == 0)
        exit(0);
    return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : broken("fork");
}
