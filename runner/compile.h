/*
 * C sources of tests become modules that can be loaded, or programs: out of the cache, or by compilers, as many at a time
 * as cases will be. Each compiler is a process that is contained, has a deadline, and ends with all it has started.
 */
#ifndef RM_RUNNER_COMPILE_H
#define RM_RUNNER_COMPILE_H

#include "runner/base/clock.h"
#include "runner/sources/sources.h"

#define COMPILE_TIMEOUT (600 * NS_PER_S)

/* Where they are compiled, and how. */
struct compile_wish {
    const char *folder; /* where the compiler runs, and paths begin: "" or with a slash at its end */
    struct flags cflags;
};

struct compiled {
    const char *source; /* from where we are */
    /* what became of it */
    const char *path;    /* absolute; NULL: there is a problem */
    const char *problem; /* in a sentence */
    const char *words;   /* all that the compiler said then; NULL: nothing */
    struct str list;     /* the tests it has, as it told when it was asked the last time; empty: not known */
    digest key;
};

struct compiler;

/* `store`: of runs; the cache is in it. Nothing is looked for before something is to be compiled. */
struct compiler *compiler_new(struct arena *arena, const char *store, const char *contain, uint32_t jobs);
void compiler_free(struct compiler *compiler);
/* `list` is in the arena of the compiler, too. What was compiled once is not compiled again, nor is what could not be. */
void compile_all(struct compiler *compiler, const struct compile_wish *wish, struct compiled *list,
                 uint32_t count);
/* What it says need not be asked again, as long as it is the same. */
void compile_remember(struct compiler *compiler, const struct compiled *compiled, struct str list);

#endif
