/* Steps in namespaces that are new. Child's side: see child.h. */
#include "backends/inside.h"

#include "backends/raw.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>

static long put(int folder, const char *file, const char *text)
{
    long fd = RAW(openat, folder, file, O_WRONLY | O_CLOEXEC), result;

    if (fd < 0)
        return fd;
    result = RAW(write, fd, text, strlen(text));
    RAW(close, fd);
    return result;
}

/* The kernel takes no map of groups from somebody without privileges who could still leave one of his. */
long inside_map_ids(int self, const struct identity *identity)
{
    long result = put(self, "setgroups", "deny");

    if (result >= 0)
        result = put(self, "gid_map", identity->group);
    return result < 0 ? result : put(self, "uid_map", identity->user);
}

long inside_detach_mounts(void)
{
    return RAW(mount, NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
}
