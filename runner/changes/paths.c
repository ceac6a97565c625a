#include "runner/changes/paths.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

void paths_add(struct paths *paths, const char *path)
{
    GROW(paths->list, paths->count, paths->cap);
    paths->list[paths->count] = strdup(path);
    if (!paths->list[paths->count++])
        mem_exhausted(strlen(path) + 1);
}

bool paths_have(const struct paths *paths, const char *path)
{
    for (size_t i = 0; i < paths->count; i++)
        if (strcmp(paths->list[i], path) == 0)
            return true;
    return false;
}

void paths_clear(struct paths *paths)
{
    while (paths->count)
        free(paths->list[--paths->count]);
}

void paths_release(struct paths *paths)
{
    paths_clear(paths);
    free(paths->list);
    *paths = (struct paths){0};
}

void paths_set(struct paths *paths, const char *const *list, size_t count)
{
    paths_clear(paths);
    for (size_t i = 0; i < count; i++)
        paths_add(paths, list[i]);
}
