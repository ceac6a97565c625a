/* A socket of a process that listens since a moment ago. */
#include "runner/diagnose/runtime.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKETS_MOST 4096u
#define TABLE_MOST   ((size_t)4 << 20)
#define LISTENS      0x0A /* column "st" */
#define ADDRESS_ANY  0u

uint64_t *sockets_of(pid_t pid, size_t *count)
{
    char path[64], target[64];
    uint64_t *list = NULL, inode;
    size_t cap = 0;
    const struct dirent *entry;
    DIR *folder;

    *count = 0;
    snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
    folder = opendir(path);
    while (folder && *count < SOCKETS_MOST && (entry = readdir(folder))) {
        ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);

        target[len < 0 ? 0 : len] = '\0';
        if (sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
            continue;
        GROW(list, *count, cap);
        list[(*count)++] = inode;
    }
    if (folder)
        closedir(folder);
    return list;
}

static bool is_among(const uint64_t *list, size_t count, uint64_t inode)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == inode)
            return true;
    return false;
}

/* One line of /proc/PID/net/tcp; addresses are words as they lie in memory, printed as numbers. */
static bool take_listener(const char *line, uint64_t *inode, uint16_t *port)
{
    unsigned address, number, state;
    unsigned char bytes[4];

    if (sscanf(line, " %*u: %8x:%4x %*8x:%*4x %2x %*s %*s %*s %*u %*u %" SCNu64, &address, &number, &state,
               inode) != 4 ||
        state != LISTENS)
        return false;
    memcpy(bytes, &address, sizeof bytes);
    *port = (uint16_t)number;
    return address == ADDRESS_ANY || bytes[0] == 127;
}

static bool find_in_table(pid_t pid, const uint64_t *fresh, size_t count, uint16_t *port)
{
    char path[64];
    struct buf table = {0};
    bool found = false;
    const char *line;
    uint64_t inode;
    uint16_t one;

    snprintf(path, sizeof path, "/proc/%ld/net/tcp", (long)pid);
    if (file_read(path, &table, TABLE_MOST) == 0 || errno == EFBIG)
        for (line = buf_text(&table); !found && (line = strchr(line, '\n')); line++)
            found = take_listener(line + 1, &inode, &one) && is_among(fresh, count, inode);
    if (found)
        *port = one;
    buf_release(&table);
    return found;
}

/* The table may be long: it is read when there is a socket that was not there. */
bool listener_find(pid_t pid, const uint64_t *known, size_t count, uint16_t *port)
{
    size_t all, fresh = 0;
    uint64_t *list = sockets_of(pid, &all);
    bool found;

    for (size_t i = 0; i < all; i++)
        if (!is_among(known, count, list[i]))
            list[fresh++] = list[i];
    found = fresh && find_in_table(pid, list, fresh, port);
    free(list);
    return found;
}
