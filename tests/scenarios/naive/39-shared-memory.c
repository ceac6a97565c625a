/*
 * make NAME    makes a segment of shared memory that is not there yet, and is killed
 * hold NAME    makes it and keeps it
 * rest NAME    makes it and exits
 */
#include "tests/kids/kid/kid.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int fd;

    if (argc < 3)
        return 99;
    fd = shm_open(argv[2], O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || ftruncate(fd, 4096) < 0) {
        perror(argv[2]);
        return 1;
    }
    puts("made");
    fflush(stdout);
    if (strcmp(argv[1], "rest") == 0)
        return 0;
    if (strcmp(argv[1], "make") == 0)
        raise(SIGKILL);
    limit_life(KID_LIFE);
    linger();
}
