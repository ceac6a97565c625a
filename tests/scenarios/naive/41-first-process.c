/*
 * first N  is the first process of a namespace and waits for its own child alone, which leaves N orphans; prints how many
 *          zombies there are when all of them have ended
 * make N   leaves N that end as soon as they have another parent
 * count    prints how many zombies there are
 */
#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char state_of(const char *pid)
{
    char path[300], text[1024];
    const char *end;
    size_t length;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return '?';
    length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    end = strrchr(text, ')');
    return end && end[1] ? end[2] : '?';
}

static int zombies(void)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    int count = 0;

    while (dir && (entry = readdir(dir)))
        count += isdigit((unsigned char)entry->d_name[0]) && state_of(entry->d_name) == 'Z';
    if (dir)
        closedir(dir);
    return count;
}

static int make(int count)
{
    pid_t self = getpid();

    for (int i = 0; i < count; i++) {
        if (fork() > 0)
            continue;
        while (getppid() == self)
            poll(NULL, 0, 1);
        _exit(0);
    }
    return 0;
}

static int first(int count)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(make(count));
    waitpid(pid, NULL, 0);
    while (zombies() < count)
        poll(NULL, 0, 1);
    printf("%d\n", zombies());
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "first") == 0)
        return first(atoi(argv[2]));
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make(atoi(argv[2]));
    if (argc == 2 && strcmp(argv[1], "count") == 0)
        return printf("%d\n", zombies()) < 0;
    return 99;
}
