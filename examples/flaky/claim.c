/*
 * Two processes that start at the same moment each want to be the only one: whoever makes the file is. With "look first" they look
 * whether it is there and make it then, and now and then both have looked before either has made it. With "at once" (O_EXCL)
 * the kernel looks and makes it in one step.
 *
 *     claim look|at-once FILE      exits with 0 when exactly one of the two was the first
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ME_FIRST 0
#define ME_LATE  1

static int look_and_claim(const char *path)
{
    if (access(path, F_OK) == 0)
        return ME_LATE;
    return open(path, O_WRONLY | O_CREAT, 0600) >= 0 ? ME_FIRST : ME_LATE;
}

static int claim_at_once(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL, 0600) >= 0 ? ME_FIRST : ME_LATE;
}

/* Both wait for the end of what is written to the gun, which is when its last writer closes it. */
static pid_t start(int (*claim)(const char *path), const char *path, const int gun[2])
{
    pid_t child = fork();
    char nothing;

    if (child != 0)
        return child;
    close(gun[1]);
    if (read(gun[0], &nothing, 1) != 0)
        _exit(99);
    _exit(claim(path));
}

static int outcome_of(pid_t child)
{
    int status;

    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
        return 99;
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    int gun[2], firsts = 0;
    pid_t children[2];

    if (argc != 3 || pipe(gun) < 0)
        return 99;
    for (int i = 0; i < 2; i++)
        children[i] = start(strcmp(argv[1], "look") == 0 ? look_and_claim : claim_at_once, argv[2], gun);
    close(gun[1]);
    for (int i = 0; i < 2; i++) {
        int outcome = outcome_of(children[i]);

        if (outcome == 99)
            return 99;
        firsts += outcome == ME_FIRST;
    }
    if (firsts == 1)
        return 0;
    fprintf(stderr, "claim.c: %d of 2 processes think that they are the first\n", firsts);
    return 1;
}
