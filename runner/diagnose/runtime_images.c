/* Which runtime a process is: by what somebody says of it, by its program's name, by what it has mapped, by a note in it. */
#include "runner/diagnose/runtime.h"

#include "runner/base/elf.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAPS_MOST ((size_t)1 << 20)
#define DELETED   " (deleted)"

static const struct {
    const char *glob;
    enum dump_runtime runtime;
} names[] = {
    {"python", RUNTIME_PYTHON}, {"python[0-9]*", RUNTIME_PYTHON}, {"pypy*", RUNTIME_PYTHON},
    {"java", RUNTIME_JVM},      {"node", RUNTIME_NODE},           {"nodejs", RUNTIME_NODE},
};

static const struct {
    const char *library; /* as its path goes on after the folder */
    enum dump_runtime runtime;
} libraries[] = {
    {"/libjvm.so", RUNTIME_JVM},
    {"/libnode.so", RUNTIME_NODE},
    {"/libpython", RUNTIME_PYTHON},
};

/* As Go's own linker marks what it has made. */
#define GO_OWNER "Go"
#define GO_NOTE  4

enum dump_runtime runtime_of_name(struct str image)
{
    char name[NAME_MAX + 1];

    snprintf(name, sizeof name, "%.*s", STR_ARG(image));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (fnmatch(names[i].glob, name, 0) == 0)
            return names[i].runtime;
    return RUNTIME_NONE;
}

/* What is too long to be read as a whole is read as far as it was. */
static enum dump_runtime runtime_of_maps(pid_t pid)
{
    char path[64];
    struct buf maps = {0};
    enum dump_runtime found = RUNTIME_NONE;

    snprintf(path, sizeof path, "/proc/%ld/maps", (long)pid);
    if (file_read(path, &maps, MAPS_MOST) == 0 || errno == EFBIG)
        for (size_t i = 0; !found && i < ARRAY_LEN(libraries); i++)
            if (maps.len && memmem(maps.ptr, maps.len, libraries[i].library, strlen(libraries[i].library)))
                found = libraries[i].runtime;
    buf_release(&maps);
    return found;
}

/* ---- one process after another ---- */

struct recognising {
    struct taking *taking;
    dev_t device; /* of the program that was looked at last: forks have it too */
    ino_t inode;
    enum dump_runtime runtime;
};

/* The basename of its program. False: it is not to be had. */
static bool image_of(pid_t pid, char path[PATH_MAX], struct str *image)
{
    char link[64];
    ssize_t len;
    const char *slash;
    struct str text;

    snprintf(link, sizeof link, "/proc/%ld/exe", (long)pid);
    len = readlink(link, path, PATH_MAX - 1);
    if (len <= 0)
        return false;
    path[len] = '\0';
    text = (struct str){path, (size_t)len};
    if (str_ends(text, DELETED))
        text.len -= strlen(DELETED);
    slash = memrchr(text.ptr, '/', text.len);
    *image = slash ? str_slice(text, (size_t)(slash + 1 - text.ptr), text.len) : text;
    return true;
}

static bool is_chosen(const struct dump_wants *wants, struct str image, enum dump_runtime *runtime)
{
    char name[NAME_MAX + 1];

    snprintf(name, sizeof name, "%.*s", STR_ARG(image));
    for (size_t i = 0; i < wants->choice_count; i++)
        if (fnmatch(wants->choices[i].image, name, 0) == 0) {
            *runtime = wants->choices[i].runtime;
            return true;
        }
    return false;
}

static enum dump_runtime look_inside(struct recognising *r, const struct dump_process *process)
{
    pid_t pid = process->id.pid;
    char exe[64];
    struct stat st;

    snprintf(exe, sizeof exe, "/proc/%ld/exe", (long)pid);
    if (stat(exe, &st) < 0)
        return RUNTIME_NONE;
    if (st.st_dev == r->device && st.st_ino == r->inode)
        return r->runtime;
    r->device = st.st_dev;
    r->inode = st.st_ino;
    if (elf_has_note(exe, GO_OWNER, GO_NOTE))
        r->runtime = RUNTIME_GO;
    else if (process->memory_held || !dump_memory_answers(pid))
        r->runtime = RUNTIME_NONE;
    else
        r->runtime = runtime_of_maps(pid);
    return r->runtime;
}

static enum dump_runtime recognise(struct recognising *r, const struct dump_process *process)
{
    char path[PATH_MAX];
    struct str image;
    enum dump_runtime runtime;

    if (process->state == 'Z' || process->state == 'X' || !image_of(process->id.pid, path, &image))
        return RUNTIME_NONE;
    if (is_chosen(r->taking->wants, image, &runtime))
        return runtime;
    runtime = runtime_of_name(image);
    return runtime ? runtime : look_inside(r, process);
}

void runtimes_recognise(struct taking *taking)
{
    struct recognising r = {.taking = taking};

    for (uint32_t i = 0; i < taking->dump->process_count; i++)
        taking->dump->processes[i].runtime = recognise(&r, &taking->dump->processes[i]);
}
