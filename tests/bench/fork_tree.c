/*
 * What a tree of processes costs by itself: fork, waitpid, and an exit status that tells how many below have failed.
 *
 *     fork_tree N DEPTH        N times, one after another: two processes, each with two below it, DEPTH times
 *
 * Those at the bottom fail.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int grow(long depth)
{
    pid_t pids[2];
    int failed = 0, status;

    if (depth == 0)
        return 1;
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(grow(depth - 1));
    }
    for (int i = 0; i < 2; i++)
        if (pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && WIFEXITED(status))
            failed += WEXITSTATUS(status);
    return failed;
}

int main(int argc, char **argv)
{
    long count = argc == 3 ? strtol(argv[1], NULL, 10) : 0, depth = argc == 3 ? strtol(argv[2], NULL, 10) : 0;

    if (count < 1 || depth < 1 || depth > 7) { /* their number is to fit into a status */
        fprintf(stderr, "usage: fork_tree N DEPTH\n");
        return 4;
    }
    while (count--)
        if (grow(depth) != 1 << depth)
            return 1;
    return 0;
}
