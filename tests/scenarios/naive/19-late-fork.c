/*
 * A thread forks for the others, and is late: it is waited for no longer, and its pipe is closed. What is opened next has
 * the number of the pipe. Then the thread forks after all: it writes the child's number into FILE, and nobody knows of the
 * child.
 */
#include "tests/kids/kid/kid.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct helper {
    int gate, tell;
};

static void *fork_for_others(void *user)
{
    const struct helper *helper = user;
    char byte;
    pid_t pid;

    if (read(helper->gate, &byte, 1) != 1)
        return NULL;
    pid = kid_fork();
    if (pid == 0)
        linger();
    return write(helper->tell, &pid, sizeof pid) == sizeof pid ? user : NULL;
}

int main(int argc, char **argv)
{
    struct timespec until;
    struct helper helper;
    struct stat found;
    pthread_t thread;
    int gate[2], ends[2];

    limit_life(KID_LIFE);
    if (argc < 2 || pipe(gate) < 0 || pipe(ends) < 0)
        return broken("pipe");
    helper = (struct helper){gate[0], ends[1]};
    if (pthread_create(&thread, NULL, fork_for_others, &helper) != 0)
        return broken("thread");
    clock_gettime(CLOCK_REALTIME, &until);
    if (pthread_timedjoin_np(thread, NULL, &until) != ETIMEDOUT)
        return broken("join");
    close(ends[1]);
    if (open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600) != ends[1])
        return broken(argv[1]);
    if (write(gate[1], "", 1) != 1)
        return broken("gate");
    pthread_join(thread, NULL);
    if (stat(argv[1], &found) < 0)
        return broken(argv[1]);
    printf("%ld bytes\n", (long)found.st_size);
    return 0;
}
