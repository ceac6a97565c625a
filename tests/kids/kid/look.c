/* They tell what they see. */
#include "tests/kids/kid/kid.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* "0 1 2", less the one it looks through. */
static int fds(char **args)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;
    int found[1024];
    size_t count = 0;

    (void)args;
    if (!dir)
        return broken("/proc/self/fd");
    while ((entry = readdir(dir)) && count < LENGTH(found))
        if (isdigit((unsigned char)entry->d_name[0]) && (int)number(entry->d_name) != dirfd(dir))
            found[count++] = (int)number(entry->d_name);
    closedir(dir);
    qsort(found, count, sizeof *found, by_number);
    for (size_t i = 0; i < count; i++)
        printf("%s%d", i ? " " : "", found[i]);
    puts("");
    return 0;
}

/* "SigBlk 0000000000000000", "SigIgn ..." and "SigCgt ...". */
static int signals_seen(char **args)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256], word[16], mask[32];

    (void)args;
    if (!status)
        return broken("/proc/self/status");
    while (fgets(line, sizeof line, status))
        if (sscanf(line, "%15[^:]: %31s", word, mask) == 2 &&
            (!strcmp(word, "SigBlk") || !strcmp(word, "SigIgn") || !strcmp(word, "SigCgt")))
            printf("%s %s\n", word, mask);
    fclose(status);
    return 0;
}

static int variable(char **args)
{
    const char *value = getenv(args[0]);

    if (!value)
        return 1;
    say(value);
    return 0;
}

static int ids(char **args)
{
    (void)args;
    printf("%ld %ld %ld\n", (long)getpid(), (long)getpgrp(), (long)getsid(0));
    return 0;
}

static int folder(char **args)
{
    char *path = getcwd(NULL, 0);

    (void)args;
    if (!path)
        return broken("getcwd");
    say(path);
    free(path);
    return 0;
}

/* What somebody types, from the terminal and not from stdin. */
static int tty(char **args)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    char line[256];
    ssize_t got;

    (void)args;
    if (fd < 0)
        return broken("/dev/tty");
    say("ready");
    got = read(fd, line, sizeof line);
    if (got < 0)
        return broken("read");
    printf("read %.*s", (int)got, line);
    return 0;
}

/* Leaves the terminal without echo. */
static int termios_spoilt(char **args)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    struct termios modes;

    (void)args;
    ignore(SIGTTOU);
    if (fd < 0 || tcgetattr(fd, &modes) < 0)
        return broken("/dev/tty");
    modes.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    return tcsetattr(fd, TCSANOW, &modes) < 0 ? broken("tcsetattr") : 0;
}

const struct kid kids_look[] = {
    {"fds", "", "prints its open descriptors", 0, .act = fds},
    {"signals", "", "prints the masks of signals that are blocked, ignored and handled", 0,
     .act = signals_seen},
    {"env", "NAME", "prints a variable; exits 1 when it is not set", 1, .act = variable},
    {"ids", "", "prints pid, process group and session", 0, .act = ids},
    {"cwd", "", "prints its folder", 0, .act = folder},
    {"tty", "", "reads a line from its terminal and prints it", 0, .act = tty},
    {"termios", "", "leaves its terminal without echo", 0, .act = termios_spoilt},
    {0},
};
