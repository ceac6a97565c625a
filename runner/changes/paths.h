/* Paths that somebody keeps. */
#ifndef RM_CHANGES_PATHS_H
#define RM_CHANGES_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty one. */
struct paths {
    char **list;
    size_t count, cap;
};

void paths_add(struct paths *paths, const char *path); /* a copy of it */
bool paths_have(const struct paths *paths, const char *path);
void paths_clear(struct paths *paths);
void paths_release(struct paths *paths);
void paths_set(struct paths *paths, const char *const *list, size_t count);

#endif
