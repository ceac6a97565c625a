#include "runner/members.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct place nowhere = {0};

bool members_same(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* ---- which file ---- */

static bool is_part_of(const struct front *front, const char *file)
{
    return members_same(front->file, file) || suites_name(front->file, &front->world, file, members_same);
}

static bool are_parts(const struct front *front)
{
    for (size_t i = 0; i < front->path_count; i++)
        if (front->paths[i].file && !is_part_of(front, front->paths[i].file))
            return false;
    return true;
}

static const char *first_file(const struct front *front)
{
    for (size_t i = 0; i < front->path_count; i++)
        if (front->paths[i].file)
            return front->paths[i].file;
    return NULL;
}

void members_choose_file(struct front *front, struct invocation *in)
{
    const char *first = first_file(front);

    if (!first) /* C tests alone, and no file knows of them but the one there is */
        return;
    if (front->file && are_parts(front)) {
        if (front->paths[0].file == first && !front->paths[0].tests && members_same(front->file, first))
            front->file = first; /* as it was called: that is how messages call it */
        return;
    }
    front->file = first;
    for (size_t i = 1; i < front->path_count; i++)
        if (front->paths[i].file && !members_same(front->paths[i].file, first))
            diag_error(in->diags, nowhere, "'%s' and '%s' are two files; one run has one", first,
                       front->paths[i].file);
}

/* ---- which suites ---- */

static bool is_below(const char *folder, const struct suite *suite)
{
    char above[PATH_MAX], below[PATH_MAX];
    size_t len;

    if (!realpath(folder, above) || !realpath(*suite->dir ? suite->dir : ".", below))
        return false;
    len = strcmp(above, "/") == 0 ? 0 : strlen(above);
    return strncmp(above, below, len) == 0 && (!below[len] || below[len] == '/');
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A folder stands for the suites in it and below. */
static bool take_below(struct front *front, const char *folder)
{
    bool any = false;

    for (uint32_t i = 0; is_folder(folder) && i < front->suites.count; i++)
        if (is_below(folder, front->suites.list[i])) {
            front->suites.list[i]->left_out = false;
            any = true;
        }
    return any;
}

/* The file that names the others stands for all of them. */
static void take_file(struct front *front, const char *file)
{
    bool all = members_same(file, front->suites.list[0]->file);

    for (uint32_t i = 0; i < front->suites.count; i++)
        if (all || members_same(file, front->suites.list[i]->file))
            front->suites.list[i]->left_out = false;
}

void members_leave_out(struct front *front)
{
    for (uint32_t i = 0; front->path_count && i < front->suites.count; i++)
        front->suites.list[i]->left_out = true;
    for (size_t i = 0; i < front->path_count; i++) {
        struct suite_path *path = &front->paths[i];

        if (take_below(front, path->path))
            path->tests = false;
        else if (!path->tests && path->file)
            take_file(front, path->file);
    }
}
