/* They take more than they should have. */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1 << 20)

static int take_memory(char **args)
{
    long most = number(args[0]);

    for (long i = 0; i < most; i++) {
        volatile char *block = malloc(MIB);

        if (!block)
            return broken("malloc");
        for (size_t at = 0; at < MIB; at += 4096)
            block[at] = 1;
    }
    return 0;
}

/* All in one call, so that it is there before anybody can say that it is too much. */
static int take_block(char **args)
{
    size_t size = (size_t)number(args[0]) * MIB;

    if (mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) ==
        MAP_FAILED)
        return broken("mmap");
    return wait_for_ever();
}

/* Its children are gone when it is, unless it is killed. */
static int take_processes(char **args)
{
    long most = number(args[0]), count = 0;
    pid_t *pids = calloc((size_t)most + 1, sizeof *pids);
    int status = 0;

    for (; pids && count < most && status == 0; count++) {
        pids[count] = kid_fork();
        if (pids[count] == 0)
            linger();
        if (pids[count] < 0)
            status = broken("fork");
    }
    while (count-- > 0)
        if (pids[count] > 0 && kill(pids[count], SIGKILL) == 0)
            waitpid(pids[count], NULL, 0);
    free(pids);
    return status;
}

/* N children that each hold on to the group. */
static int forkstorm(char **args)
{
    long count = number(args[0]);

    for (long i = 0; i < count; i++) {
        pid_t pid = kid_fork();

        if (pid < 0)
            return broken("fork");
        if (pid == 0)
            linger();
    }
    return wait_for_ever();
}

const struct kid kids_take[] = {
    {"memory", "MIB", "allocates so much memory and exits 0", 1, .act = take_memory},
    {"block", "MIB", "has so much memory, taken at once, and waits", 1, .act = take_block},
    {"processes", "N", "has N children at once, ends them, and exits 0", 1, .act = take_processes},
    {"forkstorm", "N", "has N children, and waits with them", 1, .act = forkstorm},
    {0},
};
