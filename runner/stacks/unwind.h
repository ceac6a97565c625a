/*
 * run-matrix-stacks copy [FROM [PLAIN]] <COPY, run-matrix-stacks core CORE [PROGRAM]: makes functions, files and lines of stacks, and says
 * them as answer.h has it. It reads what strangers have written, by a library that was not made for that: so it is a
 * process of its own, with limits, and may die of it.
 */
#ifndef RM_STACKS_UNWIND_H
#define RM_STACKS_UNWIND_H

#include "runner/base/arena.h"
#include "runner/base/buf.h"
#include "runner/stacks/answer.h"
#include "runner/stacks/copied.h"

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

/* A file that is mapped, by how many processes ever. */
struct image {
    struct image *next;
    uint64_t device, inode;
    const char *path; /* as the kernel tells it */
    Elf *elf;         /* NULL: it cannot be had */
    /* Where it was seen first: names are looked up there for all others, so its debugging information is read once. */
    Dwfl_Module *module;
    uint64_t start;
    bool named;      /* the next two are known */
    Dwarf_Addr bias; /* what an address there has on top of one in the file */
    const char *build_id;
};

struct module {
    struct image *image;
    uint64_t start, end, offset;
    Dwfl_Module *dwfl;
};

/* Processes that have the same files mapped to the same places, as forks have. */
struct space {
    struct space *next;
    struct str key;
    Dwfl *dwfl;
    struct module *modules;
    size_t module_count;
    bool attached;
    const struct copied_memory *memories; /* of the thread that is being unwound */
    uint32_t memory_count;
    struct user_regs_struct registers;
};

struct unwind {
    struct arena arena;
    struct image *images;
    struct space *spaces;
    Elf *self; /* of our own program: of the same kind of machine as everybody whom we unwind */
    char *(*demangle)(const char *, char *, size_t *, int *); /* NULL: there is none */
    struct told *told; /* frames that were told before, by their places */
    size_t told_cap, told_count;
    uint32_t frames_told;
    struct buf out;
    bool broken; /* nobody listens any more */
    bool
        plain; /* what is asked for names are symbols alone: debugging information has been too much for one of us */
};

/* ---- unwind_space.c ---- */

/* Where the thread's process has what; `pid` is where files are looked for first. */
struct space *space_of(struct unwind *u, const struct copied_process *process);
const struct module *space_module(const struct space *space, uint64_t pc);
/* What is mapped there; false: nothing. */
bool maps_find(struct str maps, uint64_t pc, struct str *path, bool *executable);

/* ---- unwind_open.c ---- */

/* To read it; -1: it is no plain file. What libdw opens is opened by it too. */
int open_regular(const char *path);

/* ---- unwind_image.c ---- */

struct image *image_of(struct unwind *u, const struct image *like, const struct copied_process *process,
                       uint64_t start, uint64_t end);
/* libdwfl wants one for itself, and ends it. */
Elf *image_elf(const struct image *image);
struct image *image_of_vdso(struct unwind *u);
/* In hex; NULL: it has none. */
const char *build_id_of(struct unwind *u, Dwfl_Module *module);

/* ---- unwind_walk.c ---- */

struct step {
    uint64_t pc;
    bool exact; /* it is where it stands, not where it will return to */
};

struct walk {
    struct step steps[STACK_FRAMES_MOST];
    uint32_t count;
    const char *cut;
};

void walk_thread(struct unwind *u, struct space *space, const struct copied *copied,
                 const struct copied_process *process, const struct copied_thread *thread, struct walk *walk);
/* One frame, as libdwfl has it; for its callbacks. */
int walk_note(Dwfl_Frame *frame, void *walk);

/* ---- unwind_names.c ---- */

/* What is at a place, innermost first: the function, and those that it was inlined into. */
struct named {
    const char *function, *file;
    uint32_t line;
};
#define NAMED_MOST 32u

/* `pc` as the module has it; at least one, whatever is known of it. */
uint32_t name_place(struct unwind *u, Dwfl_Module *module, uint64_t pc, struct named out[NAMED_MOST]);

/* ---- unwind_tell.c ---- */

/* A place of one process: what is needed to name it, and to say where it is. */
struct place_of {
    const void *where;   /* tells places of the same number apart */
    Dwfl_Module *module; /* NULL: none */
    uint64_t named_at;   /* in that module */
    uint64_t offset;
    const char *path, *build_id;
};

struct telling {
    struct unwind *u;
    uint32_t number;
    pid_t pid, tid;
    struct place_of (*place)(struct unwind *u, void *user, uint64_t pc);
    void *user;
};

void tell_begin(struct unwind *u);
void tell_thread(const struct telling *telling, const struct walk *walk);
void tell_end(struct unwind *u);

/* ---- unwind_core.c ---- */

int unwind_core(struct unwind *u, const char *core, const char *program);

#endif
