#include "runner/report_files.h"

#include <glob.h>
#include <string.h>

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
    for (size_t i = 0; i < before->count; i++)
        if (strcmp(before->list[i].path, file->path) == 0)
            return is_as_it_was(&before->list[i].st, &file->st);
    return false;
}
