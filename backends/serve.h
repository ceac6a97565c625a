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
    struct spawn *spawn;
    struct wire_message message;
    struct request request;
    struct spawn_words *words;
    pid_t pid; /* of a child that may still share our memory; 0: none */
};

struct server {
    const struct service *service;
    struct board board;
    struct errand *errands;
    int socket;
    bool threaded;
    /* Shared with who makes a process for us and ends, as memory that was only copied would not tell us. */
    struct usher *usher;
};

/* A process that does not execute at once: our parent's child, with a copy of our memory. FAILURE, or 0. */
unsigned fork_errand(struct server *server, struct errand *errand);

/* In a process of its own: becomes what was asked for. `kept`: what was opened for it, and is to be closed. */
_Noreturn void errand_become(const struct service *service, struct request *request,
                             const struct board *board, struct spawn_words *words,
                             const struct wire_message *message);

/* ---- title.c ---- */

/* In a process that runs a test of this spec: its name, and what tells whose it is. Where there is no /proc, the name. */
void show_whose(const struct spawn_spec *spec);

#endif
