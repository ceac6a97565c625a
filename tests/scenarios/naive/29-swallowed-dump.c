/* A program that hangs, and a handler that writes its stack down: to standard error, which the test has sent elsewhere. */
#include "tests/kids/kid/kid.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static void dump(int signal)
{
    void *frames[20];

    (void)signal;
    backtrace_symbols_fd(frames, backtrace(frames, (int)LENGTH(frames)), 2);
    _exit(3);
}

int main(void)
{
    int null = open("/dev/null", O_WRONLY);

    limit_life(KID_LIFE);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = dump}, NULL);
    if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        return 99;
    raise(SIGUSR1);
    return 0;
}
