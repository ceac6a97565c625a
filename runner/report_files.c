#include "runner/report_files.h"

#include "runner/base/clock.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETTLE_MOST 30 /* milliseconds: the clock of files stands still for at most ten */

/* glob sorts as the locale says, which may tell less apart. */
static int by_path(const void *left, const void *right)
{
    const struct report_file *a = left, *b = right;

    return strcmp(a->path, b->path);
}

/* A link stands for what it leads to; one that leads nowhere is no report. */
void report_files_find(struct report_files *files, const char *pattern, struct arena *arena)
{
    glob_t found;

    *files = (struct report_files){0};
    if (glob(pattern, 0, NULL, &found) == 0) {
        files->list = ARENA_ARRAY(arena, struct report_file, found.gl_pathc);
        for (size_t i = 0; i < found.gl_pathc && files->count < REPORT_FILES_MOST; i++) {
            struct report_file *file = &files->list[files->count];

            if (stat(found.gl_pathv[i], &file->st) < 0)
                continue;
            file->path = arena_cstr(arena, str_of(found.gl_pathv[i]));
            files->count++;
        }
        globfree(&found);
    }
    if (files->count)
        qsort(files->list, files->count, sizeof *files->list, by_path);
}

static bool is_before(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/*
 * Times of files are those of a clock that stands still for some milliseconds. What was written in the last of them,
 * as by an attempt just before, would look the same if it was written again in it.
 */
void report_files_note(struct report_files *files, const char *pattern, struct arena *arena)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS};
    struct timespec newest = {0}, now;

    report_files_find(files, pattern, arena);
    for (size_t i = 0; i < files->count; i++)
        if (is_before(newest, files->list[i].st.st_ctim))
            newest = files->list[i].st.st_ctim;
    for (int tries = 0; tries < SETTLE_MOST && files->count; tries++) {
        if (clock_gettime(CLOCK_REALTIME_COARSE, &now) < 0 || is_before(newest, now))
            return;
        nanosleep(&pause, NULL);
    }
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Who sets the time of a file back cannot set back when its inode was changed. */
static bool is_as_it_was(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

bool report_file_is_stale(const struct report_files *before, const struct report_file *file)
{
    const struct report_file *was =
        before->count ? bsearch(file, before->list, before->count, sizeof *file, by_path) : NULL;

    return was && is_as_it_was(&was->st, &file->st);
}
