#include "tests/kids/kid/kid.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct kid *const tables[] = {
    kids_end, kids_stay, kids_write, kids_leave, kids_escape, kids_hold, kids_take, kids_look, kids_meet,
};

static const struct kid *find(const char *name, int args)
{
    for (size_t i = 0; i < LENGTH(tables); i++)
        for (const struct kid *kid = tables[i]; kid->name; kid++)
            if (strcmp(name, kid->name) == 0 && args >= kid->least)
                return kid;
    return NULL;
}

static int run(const struct kid *kid, char **args)
{
    return kid->leaves ? kid_leave(kid, args) : kid->act(args);
}

static void print_help(void)
{
    fputs("kid stay NAME [ARGS]\n    does what NAME does, and waits for ever instead of exiting\n", stderr);
    for (size_t i = 0; i < LENGTH(tables); i++)
        for (const struct kid *kid = tables[i]; kid->name; kid++)
            fprintf(stderr, "kid %s%s%s\n    %s\n", kid->name, *kid->args ? " " : "", kid->args, kid->what);
}

/* Whoever comes of us has this FIFO open: `kid held` can tell whether one of them is alive, whatever its number. */
static bool hold_fifo(void)
{
    const char *path = getenv("KID_ALIVE");

    return !path || open(path, O_RDWR) >= 0;
}

int main(int argc, char **argv)
{
    bool stays = argc > 1 && strcmp(argv[1], "stay") == 0;
    int first = stays ? 2 : 1, status;
    const struct kid *kid = argc > first ? find(argv[first], argc - first - 1) : NULL;

    if (!kid) {
        print_help();
        return 99;
    }
    limit_life(KID_LIFE);
    if (!hold_fifo())
        return broken("KID_ALIVE");
    status = run(kid, argv + first + 1);
    return stays && status == 0 ? wait_for_ever() : status;
}
