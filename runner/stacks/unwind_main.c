#include "runner/stacks/unwind.h"

#include "runner/base/io.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS_MOST 120  /* of computing: whoever asks has a shorter deadline, and is there to keep it */
#define FILES_MOST   4096 /* open at a time */
#define MEMORY_MOST  ((rlim_t)1 << 30)  /* of its own */
#define SPACE_MOST   ((rlim_t)16 << 30) /* with the files that it looks at */

/* ---- limits ---- */

static void limit(int what, rlim_t most)
{
    struct rlimit now;

    if (getrlimit(what, &now) < 0)
        return;
    now.rlim_cur = now.rlim_max == RLIM_INFINITY || most < now.rlim_max ? most : now.rlim_max;
    now.rlim_max = now.rlim_cur;
    setrlimit(what, &now);
}

/* Sanitizers have shadows as large as all memory there may be. */
static bool is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
    return __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
    return false;
#endif
}

static void limit_ourselves(void)
{
    pid_t parent = getppid();

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1); /* it has died before it could be told */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CPU, SECONDS_MOST);
    limit(RLIMIT_NOFILE, FILES_MOST);
    if (!is_sanitized()) {
        limit(RLIMIT_DATA, MEMORY_MOST);
        limit(RLIMIT_AS, SPACE_MOST);
    }
}

/* C++ has its own way of reading its names. It is where programs of C++ are, and is not needed for anything else. */
static void find_demangler(struct unwind *u)
{
    void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "__cxa_demangle") : NULL;

    memcpy(&u->demangle, &symbol, sizeof symbol);
}

/* ---- copies ---- */

struct standing {
    struct space *space;
    const struct copied_process *process;
};

static const char *name_without_module(struct unwind *u, struct str maps, uint64_t pc)
{
    struct str path = {0};
    bool executable;

    if (!maps_find(maps, pc, &path, &executable))
        return NULL;
    return path.len ? arena_cstr(&u->arena, path) : "[anon]";
}

static void name_image(struct unwind *u, struct image *image)
{
    if (image->named || !image->module)
        return;
    image->named = true;
    if (!dwfl_module_getelf(image->module, &image->bias))
        image->bias = 0;
    else
        image->build_id = build_id_of(u, image->module);
}

/* Where the file wants to have what is at this place in it; UINT64_MAX: nowhere. */
static uint64_t address_in(const struct image *image, uint64_t offset)
{
    GElf_Phdr header;

    for (int i = 0; image->elf && gelf_getphdr(image->elf, i, &header); i++)
        if (header.p_type == PT_LOAD && offset >= header.p_offset &&
            offset - header.p_offset < header.p_filesz)
            return header.p_vaddr + (offset - header.p_offset);
    return UINT64_MAX;
}

/* In a file as a whole, or in a piece of it that was mapped once more. */
static void find_in_module(const struct module *module, uint64_t pc, struct place_of *found)
{
    const struct image *image = module->image;
    uint64_t offset = pc - module->start + module->offset, address;

    found->path = image->path;
    found->build_id = image->build_id;
    found->module = image->module;
    found->named_at = pc - module->start + image->start;
    found->offset = image->elf ? found->named_at - image->bias : offset;
    if (!module->offset)
        return;
    address = address_in(image, offset);
    if (address == UINT64_MAX)
        found->module = NULL;
    found->named_at = address + image->bias;
    found->offset = address == UINT64_MAX ? offset : address;
}

static struct place_of place(struct unwind *u, void *user, uint64_t pc)
{
    const struct standing *s = user;
    const struct module *module = space_module(s->space, pc);
    struct place_of found = {.where = s->space, .offset = pc};

    if (module) {
        name_image(u, module->image);
        find_in_module(module, pc, &found);
    } else
        found.path = name_without_module(u, s->process->maps, pc);
    return found;
}

/* Which threads are asked for, by their numbers, and which of these for nothing but symbols. */
struct part {
    unsigned long from, plain_to;
};

static void unwind_process(struct unwind *u, const struct copied *copied,
                           const struct copied_process *process, const struct part *part)
{
    struct standing standing = {NULL, process};

    for (uint32_t i = 0; i < process->thread_count; i++) {
        const struct copied_thread *thread = &copied->threads[process->thread_first + i];
        struct telling telling = {.u = u,
                                  .number = process->thread_first + i,
                                  .pid = process->id.pid,
                                  .tid = thread->tid,
                                  .place = place,
                                  .user = &standing};
        struct walk walk;

        if (thread->why_not || telling.number < part->from)
            continue;
        u->plain = telling.number < part->plain_to;
        if (!standing.space)
            standing.space = space_of(u, process);
        walk_thread(u, standing.space, copied, process, thread, &walk);
        tell_thread(&telling, &walk);
    }
}

static int unwind_copy(struct unwind *u, const struct part *part)
{
    struct stat st;
    struct copied copied;
    void *bytes;

    if (fstat(STDIN_FILENO, &st) < 0 || st.st_size <= 0)
        return 1;
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
    if (bytes == MAP_FAILED || !copied_read(&copied, &u->arena, (struct str){bytes, (size_t)st.st_size}))
        return 1;
    tell_begin(u);
    for (uint32_t i = 0; i < copied.process_count && !u->broken; i++)
        unwind_process(u, &copied, &copied.processes[i], part);
    tell_end(u);
    return u->broken;
}

/* ---- ways in ---- */

static Elf *open_ourselves(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
}

static unsigned long number_in(int argc, char **argv, int at)
{
    return at < argc ? strtoul(argv[at], NULL, 10) : 0;
}

int main(int argc, char **argv)
{
    struct part part = {number_in(argc, argv, 2), number_in(argc, argv, 3)};
    struct unwind u = {0};
    int status;

    if (argc < 2 || (strcmp(argv[1], "copy") != 0 && (strcmp(argv[1], "core") != 0 || argc < 3))) {
        fputs("run-matrix-stacks copy [FROM [PLAIN]] <COPY | core CORE [PROGRAM]: makes functions, files and "
              "lines "
              "of stacks, for run-matrix\n",
              stderr);
        return 2;
    }
    limit_ourselves();
    elf_version(EV_CURRENT);
    find_demangler(&u);
    u.self = open_ourselves();
    status = strcmp(argv[1], "copy") == 0 ? unwind_copy(&u, &part) : unwind_core(&u, argv[2], argv[3]);
    /* All of it goes with the process; libdw takes longer to give it back than it took to make. */
    _exit(status);
}
