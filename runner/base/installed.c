#include "runner/base/installed.h"

#include "runner/base/mem.h"

#include <string.h>
#include <unistd.h>

const char *installed_find(struct arena *arena, const char *name, int mode)
{
    static const char *const folders[] = {"", "../libexec/run-matrix/"};
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self);
    const char *slash = len > 0 ? memrchr(self, '/', (size_t)len) : NULL;

    for (size_t i = 0; slash && i < ARRAY_LEN(folders); i++) {
        const char *path = arena_printf(arena, "%.*s%s%s", (int)(slash + 1 - self), self, folders[i], name);

        if (access(path, mode) == 0)
            return path;
    }
    return NULL;
}
