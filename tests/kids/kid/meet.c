/* They meet others, in files. */
#include "tests/kids/kid/kid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int touch(char **args)
{
    int fd = open(args[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    return fd < 0 || close(fd) < 0 ? broken(args[0]) : 0;
}

/* Fails as long as FILE has less than N bytes, and adds one. */
static int flaky(char **args)
{
    int fd = open(args[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    off_t before = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

    if (before < 0 || write(fd, "x", 1) != 1)
        return broken(args[0]);
    printf("attempt %ld\n", (long)before + 1);
    return before < number(args[1]);
}

/* Opens FIFOs for writing, one after another: each waits until somebody reads it. */
static int barrier(char **args)
{
    say("ready");
    for (; *args; args++) {
        int fd = open(*args, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
            return broken(*args);
        close(fd);
    }
    return 0;
}

static int held(char **args)
{
    int fd = open(args[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char byte;

    if (fd < 0)
        return broken(args[0]);
    return read(fd, &byte, 1) < 0 && errno == EAGAIN ? 0 : 1;
}

const struct kid kids_meet[] = {
    {"touch", "FILE", "makes a file", 1, .act = touch},
    {"flaky", "FILE N", "fails the first N times, which it counts by the size of FILE", 2, .act = flaky},
    {"barrier", "FIFO...", "opens FIFOs for writing, which waits for readers", 1, .act = barrier},
    {"held", "FIFO", "exits 0 while a process lives that came of a kid with this FIFO as KID_ALIVE", 1,
     .act = held},
    {0},
};
