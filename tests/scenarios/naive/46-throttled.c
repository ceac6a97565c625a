/*
 * 46-throttled MS WORK: a harness that gives a case so many milliseconds of wall-clock time, and the case needs so many of a
 * processor. Says FAIL when the time was up, and how much of a processor the case had had by then.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long used(void)
{
    struct timespec at;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
    struct pollfd ended = {.events = POLLIN};
    struct rusage usage;
    long ms;
    pid_t pid;

    if (argc < 3)
        return 99;
    pid = fork();
    if (pid == 0) {
        while (used() < atol(argv[2]))
            ;
        _exit(0);
    }
    ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (poll(&ended, 1, atoi(argv[1])) != 0)
        return puts("PASS") < 0;
    kill(pid, SIGKILL);
    wait4(pid, NULL, 0, &usage);
    ms = usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 + usage.ru_stime.tv_sec * 1000 +
         usage.ru_stime.tv_usec / 1000;
    printf("FAIL after %s ms, having had %ld\n", argv[1], ms);
    return 0;
}
