/* The inside of who serves. */
#ifndef RM_BACKENDS_SERVE_H
#define RM_BACKENDS_SERVE_H

#include "backends/child.h"
#include "backends/inside.h"
#include "backends/internal.h"
#include "backends/request.h"

/* Something that was asked for, until its process has let go of our memory. They serve again. */
struct errand {
    struct errand *next;
    struct spawn *spawn; /* NULL: nothing was executed for it yet */
    struct wire_message message;
    struct request request;
    struct spawn_words *words;
    pid_t pid; /* of a child that may still share our memory; 0: none */
};

/* Where the kernel has put arguments and environment of our program: there `ps` and we look for them. NULL: not known. */
struct shown {
    char *argv, *argv_end, *env, *env_end;
};

struct server {
    const struct service *service;
    struct board board;
    struct errand *errands;
    int socket;
    uint32_t farewell;      /* ms that what was prepared may need at the end */
    uint32_t preparing_for; /* whose place on the board */
    bool threaded;          /* or has threads of others: of a module, of a sanitizer */
    bool keeps;             /* what it makes falls to itself: it is a thread of who asks */
    struct shown shown;
    /* Shared with who makes a process for us and ends, as memory that was only copied would not tell us. NULL: none did yet. */
    struct usher *usher;
};

/* Until the other end of the socket is closed; `board` is closed. `beside`: on a thread of whoever asks. */
int serve_here(const struct service *service, int socket, int board, bool beside);

void *serve_map(size_t size, int kind); /* `kind`: MAP_PRIVATE or MAP_SHARED. NULL: there is no memory */

/* A process that does not execute at once: our parent's child, with a copy of our memory. FAILURE, or 0. */
unsigned fork_errand(struct server *server, struct errand *errand);

/*
 * What stands in the buffers of stdout and stderr, where other threads may be: a stream that one of them has taken, and be it
 * for as long as nobody writes to it, is passed over.
 */
void flush_standard(void);

/* In a process of its own: becomes what was asked for. What came with the message is closed. */
_Noreturn void errand_become(const struct service *service, struct request *request,
                             const struct board *board, const struct shown *shown, struct spawn_words *words,
                             const struct wire_message *message);

/* ---- title.c ---- */

struct shown find_shown(void);
/* In a process that runs a test of this spec: its name, and what tells whose it is. */
void show_whose(const struct shown *shown, const struct spawn_spec *spec);

#endif
