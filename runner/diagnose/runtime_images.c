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
    const char *glob; /* of what is after the last folder */
    enum dump_runtime runtime;
} libraries[] = {
    {"libjvm.so", RUNTIME_JVM},
    {"libnode.so*", RUNTIME_NODE},
    {"libpython[0-9]*.so*", RUNTIME_PYTHON},
};

/* HotSpot has it where it takes SIGQUIT, as the kernel shows its name. */
#define JVM_THREAD "Signal Dispatch"

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

/* "7f..-7f.. r-xp 00001000 fe:00 4711   /usr/lib/libjvm.so": of what is code, the name; it may be removed by now. */
static bool library_of(struct str line, struct str *name)
{
    const char *blank = memchr(line.ptr, ' ', line.len), *slash = memrchr(line.ptr, '/', line.len);
    size_t end = (size_t)(line.ptr + line.len - (slash ? slash : line.ptr));

    if (!blank || !slash || slash - blank < 5 || blank[3] != 'x')
        return false;
    *name = (struct str){slash + 1, end - 1};
    if (str_ends(*name, DELETED))
        name->len -= strlen(DELETED);
    return true;
}

static enum dump_runtime runtime_of_line(struct str line)
{
    struct str library;
    char name[NAME_MAX + 1];

    if (!line.len || !library_of(line, &library))
        return RUNTIME_NONE;
    snprintf(name, sizeof name, "%.*s", STR_ARG(library));
    for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
        if (fnmatch(libraries[i].glob, name, 0) == 0)
            return libraries[i].runtime;
    return RUNTIME_NONE;
}

/* What is too long to be read as a whole is read as far as it was. */
static enum dump_runtime runtime_of_maps(pid_t pid)
{
    char path[64];
    struct buf maps = {0};
    enum dump_runtime found = RUNTIME_NONE;
    const char *line, *end;

    snprintf(path, sizeof path, "/proc/%ld/maps", (long)pid);
    if (file_read(path, &maps, MAPS_MOST) == 0 || errno == EFBIG)
        for (line = buf_text(&maps); !found && (end = strchr(line, '\n')); line = end + 1)
            found = runtime_of_line((struct str){line, (size_t)(end - line)});
    buf_release(&maps);
    return found;
}

/* ---- one process after another ---- */

struct recognising {
    struct taking *taking;
    dev_t device; /* of the program that was looked at last: forks have it too */
    ino_t inode;
    bool is_go;
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

static bool is_go(struct recognising *r, pid_t pid)
{
    char exe[64];
    struct stat st;

    snprintf(exe, sizeof exe, "/proc/%ld/exe", (long)pid);
    if (stat(exe, &st) < 0)
        return false;
    if (st.st_dev != r->device || st.st_ino != r->inode)
        r->is_go = elf_has_note(exe, GO_OWNER, GO_NOTE);
    r->device = st.st_dev;
    r->inode = st.st_ino;
    return r->is_go;
}

/* What is mapped is of this process alone: another one of the same program may have loaded something else. */
static enum dump_runtime look_inside(struct recognising *r, const struct dump_process *process)
{
    if (is_go(r, process->id.pid))
        return RUNTIME_GO;
    return process->memory_held || !dump_memory_answers(process->id.pid) ? RUNTIME_NONE
                                                                         : runtime_of_maps(process->id.pid);
}

static bool has_thread(const struct dump_process *process, const char *name)
{
    for (uint32_t i = 0; i < process->thread_count; i++)
        if (strcmp(process->threads[i].name, name) == 0)
            return true;
    return false;
}

/*
 * Anybody may be called node, or have loaded libjvm and started none, and have a use of his own for the signal. Python and Go
 * are known by what nobody else has.
 */
static bool is_guess(const struct dump_process *process)
{
    return process->runtime == RUNTIME_NODE ||
           (process->runtime == RUNTIME_JVM && !has_thread(process, JVM_THREAD));
}

static void recognise(struct recognising *r, struct dump_process *process)
{
    char path[PATH_MAX];
    struct str image;

    process->runtime = RUNTIME_NONE;
    process->runtime_guessed = false;
    if (proc_state_is_end(process->state) || !image_of(process->id.pid, path, &image) ||
        is_chosen(r->taking->wants, image, &process->runtime))
        return;
    process->runtime = runtime_of_name(image);
    if (!process->runtime)
        process->runtime = look_inside(r, process);
    process->runtime_guessed = is_guess(process);
}

void runtimes_recognise(struct taking *taking)
{
    struct recognising r = {.taking = taking};

    for (uint32_t i = 0; i < taking->dump->process_count; i++)
        recognise(&r, &taking->dump->processes[i]);
}
