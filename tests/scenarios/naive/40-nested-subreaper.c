/*
 * find PATTERN         prints the numbers of orphans whose command line has it, taking for orphans those whose parent is
 *                      process 1
 * below COMMAND...     runs it; whoever loses his parent below it falls to this process, which prints their numbers when
 *                      the command has ended, and waits
 * below -x COMMAND...  ends with the command, as it ended
 */
#include "tests/kids/kid/kid.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a file of /proc has, with blanks for zeros. */
static bool read_words(const char *pid, const char *name, char text[1024])
{
    char path[300];
    size_t length;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    file = fopen(path, "re");
    if (!file)
        return false;
    length = fread(text, 1, 1023, file);
    fclose(file);
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    text[length] = '\0';
    return length > 0;
}

static bool is_orphan(const char *pid)
{
    char text[1024], state;
    long parent;
    const char *end = read_words(pid, "stat", text) ? strrchr(text, ')') : NULL;

    return end && sscanf(end + 2, "%c %ld", &state, &parent) == 2 && parent == 1;
}

static int find(const char *pattern)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    char line[1024];

    while (dir && (entry = readdir(dir)))
        if (isdigit((unsigned char)entry->d_name[0]) && atol(entry->d_name) != getpid() &&
            is_orphan(entry->d_name) && read_words(entry->d_name, "cmdline", line) && strstr(line, pattern))
            puts(entry->d_name);
    if (dir)
        closedir(dir);
    return 0;
}

static _Noreturn void stay_with_orphans(void)
{
    char name[64], text[1024];

    snprintf(name, sizeof name, "task/%ld/children", (long)getpid());
    puts(read_words("self", name, text) ? text : "nobody");
    fflush(stdout);
    limit_life(KID_LIFE);
    linger();
}

static int below(char **command)
{
    bool ends = strcmp(*command, "-x") == 0;
    int status = 0;
    pid_t pid;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return 99;
    pid = fork();
    if (pid == 0) {
        execvp(command[ends], command + ends);
        _exit(99);
    }
    if (waitpid(pid, &status, 0) != pid)
        return 99;
    if (!ends)
        stay_with_orphans();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "find") == 0)
        return find(argv[2]);
    if (argc > 3 && strcmp(argv[1], "below") == 0)
        return below(argv + 2);
    return 99;
}
