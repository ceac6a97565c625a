/* What the files that compile share. */
#ifndef RM_RUNNER_COMPILE_INTERNAL_H
#define RM_RUNNER_COMPILE_INTERNAL_H

#include "runner/ask.h"
#include "runner/compile.h"

/* A source with its flags: an object, for all modules that have it. */
struct unit {
    digest key;
    const char *source; /* from where we are */
    struct flags flags;
    struct entry entry; /* what came of it */
    bool fresh;
    const char *object, *depends; /* in the making */
    const char *problem, *words;
};

/* The fixtures of a folder: its files come one after another. */
struct folder_fixtures {
    struct str folder; /* as its files are called; NULL: none was looked into */
    struct str *paths;
    size_t count;
    int error;
};

/* What a source asks for, read once. */
struct wished {
    const char *source;
    struct source_wish wish;
    struct flags cflags, libs; /* its own, and those of its packages */
    const char *problem, *words;
};

struct module_plan {
    struct compiled *result;
    struct unit **units;
    uint32_t unit_count, unit_cap;
    struct flags cflags, libs; /* for the linker */
    bool program;              /* it cannot be loaded into another */
    struct entry entry;
    bool fresh;
    const char *output; /* in the making */
};

struct compiler {
    struct arena *arena;
    const char *store, *contain;
    uint32_t jobs;
    bool opened;
    const char *trouble; /* why nothing can be compiled; NULL: it can */
    struct cache cache;
    struct stamps *stamps;
    struct flags cc;               /* the compiler's words, the first a path */
    const char *include, *library; /* the folder of our header, and what tests are linked with */
    digest identity;               /* of the compiler, and of what it reads of the environment */
    char *const *envp;
    int64_t began; /* of the clock of files: what has changed since may have been read before or after */
    bool made;

    const struct compile_wish *wish; /* of those that are compiled now */
    const char *cwd;                 /* its folder, absolute, with a slash at its end */
    struct unit **units;
    uint32_t unit_count, unit_cap;
    struct wished **wished;
    uint32_t wished_count, wished_cap;
    struct folder_fixtures fixtures; /* of the folder that was looked into last */
    struct module_plan **linked;     /* or tried to */
    uint32_t linked_count, linked_cap;
};

/* ---- compile_tools.c ---- */

/* Finds all that is needed; c->trouble says what is not there. Once. */
void compiler_open(struct compiler *c);
/* A program on our PATH; NULL: there is none. */
const char *compiler_find(struct compiler *c, const char *name);

/* ---- compile_run.c ---- */

/* One process, to be asked with others. */
struct compile_step {
    const struct flags *words;
    bool traces; /* what it prints is which files it has read: nobody else wants to know */
    const char *problem, *words_said; /* NULL: it did what it was to do */
    struct str out;                   /* what it printed, then */
};

void compile_steps(struct compiler *c, struct compile_step *steps, uint32_t count);

/* ---- compile_wish.c ---- */

/* What a source wishes, its packages looked up. */
struct wished *compile_wished(struct compiler *c, const char *source);

/* ---- compile_units.c ---- */

/* As the compiler sees a file from its folder. */
const char *compile_seen(const struct compiler *c, const char *path);
const char *compile_stem(struct compiler *c, const char *path); /* "test_x" of "tests/test_x.c" */
/* The unit of a source: there is one for each way to compile it. */
struct unit *compile_unit(struct compiler *c, const char *source, const struct wished *wished);
void compile_units(struct compiler *c, uint32_t first); /* all from this one on that are not fresh */

/* Files that something was made of: false, one of them changes right now. */
bool compile_note_files(struct compiler *c, struct stamps *stamps, const struct flags *files,
                        struct entry *entry);
/* What stands in the making gets its name. */
bool compile_keep(struct compiler *c, struct stamps *stamps, const char *temporary, const char *stem,
                  const char *ending, digest id, struct entry *entry);

#endif
