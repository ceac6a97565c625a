/*
 * The program that all runners run: prints, in one write, two lines that are also TAP, because prove reads them.
 * With BENCH_COUNT in the environment it adds a byte to that file: so a runner shows how often it ran it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int count(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    return fd < 0 || write(fd, ".", 1) != 1;
}

int main(void)
{
    const char *path = getenv("BENCH_COUNT");

    if (path && count(path) != 0)
        return 1;
    return fputs("1..1\nok 1\n", stdout) < 0 || fflush(stdout) != 0;
}
