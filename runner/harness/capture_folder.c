/* What is written beside the streams of an attempt, into the folder that it has for that. */
#include "runner/harness/capture.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define LOOKED_AT 4096 /* files; a test may make any number of them */

bool capture_is_stream(const char *name)
{
    static const char *const streams[] = {"stdout", "stderr", "output", "descriptors"};

    for (size_t i = 0; i < ARRAY_LEN(streams); i++)
        if (strcmp(streams[i], name) == 0)
            return true;
    return false;
}

/* What is not on disk costs nobody anything, however long a file says it is. */
static uint64_t size_of(int folder, const char *name)
{
    struct stat st;
    uint64_t size, held;

    if (capture_is_stream(name) || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(st.st_mode))
        return 0;
    size = (uint64_t)st.st_size;
    held = (uint64_t)st.st_blocks * 512;
    return held < size ? held : size;
}

uint64_t capture_folder_size(int at, const char *path)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    uint64_t size = 0;

    if (!dir) {
        fd_close(&fd);
        return 0;
    }
    for (int looked = 0; looked < LOOKED_AT && (entry = readdir(dir)); looked++)
        size += size_of(fd, entry->d_name);
    closedir(dir);
    return size;
}
