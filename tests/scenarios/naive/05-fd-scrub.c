/*
 * A child that closes what it inherited in the naive ways, and then lists what is still open:
 *
 *     limit   closes 3 up to the limit of descriptors, which was lowered meanwhile
 *     proc    closes what /proc/self/fd lists
 *     listed  the same, and closes the descriptor by which it reads the list too, when it comes to it
 *     low     had 0, 1 and 2 closed, so that a pipe has its ends there; dup2 onto 1 and close
 *     list    closes nothing: lists what it was given
 */
#include "tests/kids/kid/kid.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 10000

/* By asking each: this needs neither /proc nor the limit. */
static int list(void)
{
    for (int fd = 0; fd < MOST; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf("%d\n", fd);
    return 0;
}

static void close_up_to_the_limit(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = 3; fd < (int)limit.rlim_cur; fd++)
        close(fd);
}

static void close_listed(bool itself_too)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir)))
        if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) > 2 &&
            (itself_too || atoi(entry->d_name) != dirfd(dir)))
            close(atoi(entry->d_name));
    closedir(dir);
}

/* What its child writes to 1 is read by it; its own streams are closed, so the answer is its status. */
static int run_with_low_ends(void)
{
    int ends[2];
    char byte;
    pid_t pid;

    for (int fd = 0; fd < 3; fd++)
        close(fd);
    if (pipe(ends) < 0 || (pid = kid_fork()) < 0)
        return 99;
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        _exit(write(1, "x", 1) == 1 ? 0 : errno == EBADF ? 8 : 9);
    }
    close(ends[1]);
    return read(ends[0], &byte, 1) == 1 ? 0 : 7;
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";

    limit_life(KID_LIFE);
    if (strcmp(way, "low") == 0)
        return run_with_low_ends();
    if (strcmp(way, "limit") == 0)
        close_up_to_the_limit();
    else if (strcmp(way, "proc") == 0 || strcmp(way, "listed") == 0)
        close_listed(strcmp(way, "listed") == 0);
    else if (strcmp(way, "list") != 0)
        return 99;
    return list();
}
