/* Folders: made with their parents, emptied and removed without following a link out of them. */
#ifndef RM_BASE_DIR_H
#define RM_BASE_DIR_H

#include "runner/base/arena.h"
#include "runner/base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * All below `at` (a folder's fd or AT_FDCWD); 0, or -1 and errno. What is there already is fine, ENOTDIR when it is
 * no folder. Parents that are missing can be entered by us whatever `mode` says.
 */
int dir_make(int at, const char *path, mode_t mode);
/* Only the folders that `path` lies in. */
int dir_make_parents(int at, const char *path, mode_t mode);
/* Opens for use as an `at`; -1 and errno. */
int dir_open(int at, const char *path);

/*
 * The folder and all in it; a link or a file in its place is removed itself. Goes on after an error and says the
 * first. ENOENT is no error. Folders that forbid it are opened up first where they are ours. What is mounted there
 * stays (EXDEV). Depth does not cost stack or descriptors.
 */
int dir_remove(int at, const char *path);
/* Everything in an open folder, not the folder itself. */
int dir_empty(int fd);
/* 1: nothing in it, 0: something, -1 and errno (ENOENT: it was removed). */
int dir_is_empty(int fd);
/*
 * Bytes on disk of all below, links counted as themselves, what is mounted there not at all. -1 and errno when
 * something could not be looked at: *bytes is the rest.
 */
int dir_size(int at, const char *path, uint64_t *bytes);
/* Names in it without . and .., sorted bytewise, from the arena. */
int dir_list(int at, const char *path, struct arena *arena, struct str **names, size_t *count);

#endif
