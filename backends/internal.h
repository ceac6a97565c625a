/* What the files of this room share; the child's side has headers of its own. */
#ifndef RM_BACKENDS_INTERNAL_H
#define RM_BACKENDS_INTERNAL_H

#include "backends/backends.h"

#include <linux/sched.h>

extern const struct backend backend_exec, backend_spawn;

struct board {
    int fd; /* -1: closed, the words are there all the same */
    uint32_t places;
    char *at;
};

bool board_open(struct board *board, int fd); /* closes it, unless it is no board; the words stay for good */
void board_leave(const struct board *board);  /* its words are there for others alone */
struct spawn_words *board_words(const struct board *board, uint32_t place); /* NULL: there is no such place */

/* Of backend exec; and without its first word on what is executed. */
bool spawn_begin(struct spawn *spawn, const struct spawn_spec *spec, struct process *process,
                 struct spawn_error *error);
bool spawn_start(struct spawn *spawn, const struct spawn_spec *spec, struct process *process,
                 struct spawn_error *error);

/* First arguments of who serves. */
#define SERVE_ALONE    "--serve"
#define SERVE_THREADED "--serve-threaded"
#define SERVE_BECOME   "--become"

bool become_start(struct spawn *spawn, const struct spawn_spec *spec, struct process *process,
                  struct spawn_error *error);

/* ---- clones ---- */

/* child_clone (child.h) with all signals blocked, as the new process has them too. */
long clone_blocked(struct clone_args *args, void (*entry)(void *user), void *user);
/*
 * Has something done that would change the thread it is done on, by a child with our memory and our descriptors;
 * returns when that has ended. `run` keeps to the rules of child.h and exits. 0, or -errno when there was no child.
 */
long errand(void (*run)(void *user), void *user);
/* Whose child the new process is. */
enum spawn_whose {
    SPAWN_OF_OURS,
    SPAWN_OF_PARENT, /* of ours: a server's cases belong to its runner. In a room it falls to the nearest subreaper. */
};

/* A failure as in child.h, or 0. `pidfd` NULL: none is wanted. */
unsigned spawn_clone(struct spawn *spawn, const struct spawn_spec *spec, enum spawn_whose whose, int *pidfd);
/* The same for a process in namespaces; `args` are those of the case itself. */
unsigned room_start(struct spawn *spawn, struct clone_args *args, enum spawn_whose whose);
struct spawn_error spawn_error_of(unsigned failure, const struct spawn_spec *spec);
/* For the next process; `alive` is 1. */
struct spawn_words;
void spawn_words_clear(struct spawn_words *words);

/* ---- words ---- */

/*
 * Why a program cannot be executed, by looking at it: a few words that add to what errno says, or none where there is
 * nothing to add. One function for each errno: ENOENT, EACCES, ENOEXEC, ELOOP.
 */
void program_missing(struct buf *out, const struct spawn_spec *spec);
void program_forbidden(struct buf *out, const struct spawn_spec *spec);
void program_foreign(struct buf *out, const struct spawn_spec *spec);
void program_circular(struct buf *out, const struct spawn_spec *spec);

/* What on this machine keeps people from making namespaces, as far as that can be seen. */
void namespaces_refused(struct buf *out, const struct spawn_spec *spec);

/* Is a process started there? False: why not, in a sentence. */
bool room_probe(const struct spawn_room *room, struct buf *why);

/* 'text', as a terminal may see it. */
void add_quoted(struct buf *out, struct str text);

#endif
