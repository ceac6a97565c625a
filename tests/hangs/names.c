/* Those who would like to write somebody else's report: all that they may choose has lines and colours of its own. */
#include "tests/hangs/hang.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORGED                                                                   \
    "\n---- in detail ----\nFORGED process 1\r\033[31mFORGED\033[0m\x07\xc2\x9b" \
    "31m"

static HANGS_APART void is_called_names(int in)
{
    char byte;

    hang_comes();
    if (read(in, &byte, 1) < 0) /* hangs */
        exit(broken("read"));
}

static void *is_a_thread_of_that_name(void *arg)
{
    hang_comes();
    linger();
    return arg;
}

/* Executed with such arguments; it has also a file, a thread and output of that kind. */
static int hostile_child(char **args)
{
    int ends[2], fd;

    (void)args;
    prctl(PR_SET_NAME, ") Z 1\nFORGED\033[7");
    hang_thread("t\nFORGED\033[1m", is_a_thread_of_that_name, NULL);
    fd = open("file" FORGED, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || pipe(ends) < 0)
        return broken("open");
    say("output" FORGED);
    hang_ready_when(2);
    is_called_names(ends[0]);
    return 1;
}

static int hostile(char **args)
{
    const char *folder = getenv("TMPDIR");
    char *token = *args ? *args : (char *)"none";
    pid_t child;

    if (folder && chdir(folder) < 0)
        return broken(folder);
    child = kid_fork();
    if (child == 0) {
        execl("/proc/self/exe", "name" FORGED, "hostile-child", token, "argument" FORGED, NULL);
        _exit(broken("exec"));
    }
    return waitpid(child, NULL, 0) != child;
}

/* clang-format off */
const struct kid hangs_names[] = {
    {.name = "hostile", .what = "a child whose names, arguments, files and output would forge a report", .act = hostile},
    {.name = "hostile-child", .what = "what the one above executes", .act = hostile_child},
    {.name = NULL},
};
