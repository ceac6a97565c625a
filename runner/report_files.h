/* Reports that a process leaves as files: those that were there before it, and those that are its own. */
#ifndef RM_RUNNER_REPORT_FILES_H
#define RM_RUNNER_REPORT_FILES_H

#include "runner/base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define REPORT_FILES_MOST 10000

struct report_file {
    const char *path;
    struct stat st;
};

struct report_files {
    struct report_file *list; /* sorted by path */
    size_t count;
};

/* What matches now; everything is in the arena. */
void report_files_find(struct report_files *files, const char *pattern, struct arena *arena);
/* The same, and whoever writes to one of them from now on changes its times: may take some milliseconds. */
void report_files_note(struct report_files *files, const char *pattern, struct arena *arena);
/* It is in `before`, and nobody has written to it since. */
bool report_file_is_stale(const struct report_files *before, const struct report_file *file);

#endif
