/*
 * What changes below some folders, as the kernel tells it. A folder is watched before it is read, so nothing that
 * changes in one that is new is missed; what was missed all the same, since the kernel's queue was full, is said.
 */
#ifndef RM_CHANGES_CHANGES_H
#define RM_CHANGES_CHANGES_H

#include "runner/base/fault.h"

#include <stdbool.h>
#include <stddef.h>

struct changes;

struct changes *changes_new(struct faults *faults); /* NULL and errno */
void changes_free(struct changes *changes);
int changes_fd(const struct changes *changes); /* readable: there is something to be read */

/*
 * From here on these folders are watched, and all below them but what .gitignore files have, version control's
 * own, ours, what editors leave, and `left_out`: files and folders by their paths, which need not exist. All are absolute, without
 * links in them.
 */
void changes_watch(struct changes *changes, const char *const *roots, size_t root_count,
                   const char *const *left_out, size_t left_out_count);
size_t changes_folders(const struct changes *changes); /* so many are watched */
/* Why not all of them are, for people; NULL: all are. Said once for each reason. */
const char *changes_trouble(struct changes *changes);

/* Takes what has come. */
void changes_read(struct changes *changes);
/* Since the last changes_forget: something has changed. */
bool changes_any(const struct changes *changes);
/* ... and more than can be named: what is in the list is not all. */
bool changes_lost(const struct changes *changes);
size_t changes_count(const struct changes *changes);
const char *changes_path(const struct changes *changes, size_t i); /* absolute; of a new folder that alone */
void changes_forget(struct changes *changes);

#endif
