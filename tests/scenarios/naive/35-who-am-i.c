/*
 * A program that is the root of a tree, and says so in a variable. A child that is forked has that variable too: when it
 * exits, it removes what the root holds (FILE), as the root would.
 */
#include "tests/kids/kid/kid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *role = "child", *held;

static void clean_up(void)
{
    if (strcmp(role, "root") == 0)
        unlink(held);
}

int main(int argc, char **argv)
{
    pid_t pid;

    limit_life(KID_LIFE);
    if (argc < 2)
        return 99;
    role = "root";
    held = argv[1];
    atexit(clean_up);
    pid = kid_fork();
    if (pid == 0) {
        say(role);
        exit(0);
    }
    if (pid < 0 || waitpid(pid, NULL, 0) != pid)
        return broken("child");
    say(access(held, F_OK) == 0 ? "it is held" : "it is gone");
    return 0;
}
