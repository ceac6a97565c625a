/*
 * 42-pid-reuse PATTERN SIGNAL: a reaper by numbers. Lists those whose command line has the pattern and says how many they
 * are; when it is given a line (the grace is over), it sends them the signal, by the numbers of then.
 */
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool matches(const char *pid, const char *pattern)
{
    char path[300], line[1024];
    size_t length;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    length = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    for (size_t i = 0; i < length; i++)
        if (line[i] == '\0')
            line[i] = ' ';
    line[length] = '\0';
    return strstr(line, pattern);
}

int main(int argc, char **argv)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    char line[16];
    pid_t found[64];
    int count = 0;

    if (argc < 3 || !dir)
        return 99;
    while ((entry = readdir(dir)) && count < 64)
        if (isdigit((unsigned char)entry->d_name[0]) && atol(entry->d_name) != getpid() &&
            matches(entry->d_name, argv[1]))
            found[count++] = (pid_t)atol(entry->d_name);
    closedir(dir);
    printf("%d\n", count);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return 99;
    for (int i = 0; i < count; i++)
        kill(found[i], atoi(argv[2]));
    return 0;
}
