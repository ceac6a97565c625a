/*
 * Sockets that are named after their owners, NAME@PID.sock:
 *   serve FOLDER NAME    listens, prints its number, and waits
 *   handed FOLDER NAME   the same, but who listens is a child: the owner of the name exits
 *   sweep FOLDER         removes those whose owner is not there, going by the number in the name
 *   ask PATH             says whether anybody listens
 */
#include "tests/kids/kid/kid.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int open_at(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return -1;
    strcpy(address->sun_path, path);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int serve(const char *folder, const char *name, int handed)
{
    struct sockaddr_un address;
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/%s@%ld.sock", folder, name, (long)getpid());
    fd = open_at(&address, path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0)
        return broken(path);
    printf("%ld\n", (long)getpid());
    fflush(stdout);
    if (handed && fork() > 0)
        return 0;
    limit_life(KID_LIFE);
    linger();
}

static int sweep(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir || chdir(folder) < 0)
        return broken(folder);
    while ((entry = readdir(dir))) {
        const char *at = strchr(entry->d_name, '@');

        if (!at || !strstr(at, ".sock"))
            continue;
        if (kill((pid_t)atol(at + 1), 0) < 0 && errno == ESRCH)
            printf("removed %s\n", unlink(entry->d_name) == 0 ? entry->d_name : "nothing");
        else
            printf("kept %s\n", entry->d_name);
    }
    closedir(dir);
    return 0;
}

static int ask(const char *path)
{
    struct sockaddr_un address;
    int fd = open_at(&address, path);

    if (fd < 0)
        return broken(path);
    puts(connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? "somebody" : "nobody");
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2], argv[3], 0);
    if (argc >= 4 && strcmp(argv[1], "handed") == 0)
        return serve(argv[2], argv[3], 1);
    if (argc == 3 && strcmp(argv[1], "sweep") == 0)
        return sweep(argv[2]);
    if (argc == 3 && strcmp(argv[1], "ask") == 0)
        return ask(argv[2]);
    return 99;
}
