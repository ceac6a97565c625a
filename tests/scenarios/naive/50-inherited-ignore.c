/*
 * A harness that starts its case as it was started itself, and sends it INT; then USR1, at which the case exits with 7
 * when it is there still. Says how it ended.
 */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void be_there(int signal)
{
    (void)signal;
    _exit(7);
}

int main(int argc, char **argv)
{
    int told[2], status = 0;
    char byte;
    pid_t pid;

    if (argc > 1) { /* the case: stdout is for telling */
        signal(SIGUSR1, be_there);
        limit_life(KID_LIFE);
        if (write(1, "x", 1) != 1)
            return 99;
        for (;;)
            pause();
    }
    if (pipe(told) < 0)
        return 99;
    pid = fork();
    if (pid == 0) {
        dup2(told[1], 1);
        execl("/proc/self/exe", argv[0], "case", NULL);
        _exit(99);
    }
    close(told[1]);
    if (read(told[0], &byte, 1) != 1)
        return 99;
    kill(pid, SIGINT);
    kill(pid, SIGUSR1);
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        printf("it died of %s\n", strsignal(WTERMSIG(status)));
    else
        printf("it was there still, and exited with %d\n", WEXITSTATUS(status));
    return 0;
}
