/*
 * A chain of LEVELS. Each of them, when it is told to end, first lets the one below end by itself for a while, the
 * grace, and then tells it; so does each to itself. Nobody knows of the time that the others take.
 */
#include "tests/kids/kid/kid.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE 100 /* milliseconds */

static void be_level(int fd, long below);

static int start(long below)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    if (kid_fork() == 0) {
        close(ends[0]);
        be_level(ends[1], below - 1);
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

static void end(int fd)
{
    char byte = 0;

    poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, GRACE);
    if (write(fd, &byte, 1) == 1)
        wait(NULL);
}

static void be_level(int fd, long below)
{
    int child = below > 0 ? start(below) : -1;
    char byte;

    if (read(fd, &byte, 1) == 1 && child >= 0)
        end(child);
}

int main(int argc, char **argv)
{
    struct timespec began, ended;
    long levels, took;
    int fd;

    limit_life(KID_LIFE);
    if (argc < 2)
        return 99;
    levels = number(argv[1]);
    fd = start(levels);
    clock_gettime(CLOCK_MONOTONIC, &began);
    end(fd);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    took = (ended.tv_sec - began.tv_sec) * 1000 + (ended.tv_nsec - began.tv_nsec) / 1000000;
    printf("%ld levels take %s than %ld graces\n", levels, took < levels * GRACE ? "less" : "no less",
           levels);
    return 0;
}
