/* A process in namespaces: the parent's side of an usher. */
#include "backends/inside.h"
#include "backends/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct identity identity_of_ours(void)
{
    struct identity identity;
    unsigned user = geteuid(), group = getegid();

    snprintf(identity.user, sizeof identity.user, "%u %u 1", user, user);
    snprintf(identity.group, sizeof identity.group, "%u %u 1", group, group);
    return identity;
}

/* ---- start ---- */

/*
 * The usher is gone when this returns, killed perhaps; the words have a pid if there is a case. Its number is that in
 * our own PID namespace: the usher itself is still in ours, only its children are not. A case for our parent is the
 * usher's child, and falls to him with the usher's end: CLONE_PARENT would make it ours.
 */
unsigned room_start(struct spawn *spawn, struct clone_args *args, enum spawn_whose whose)
{
    struct usher usher = {.room = spawn->spec->room,
                          .spawn = spawn,
                          .args = args,
                          .bring = usher_bring_spawn,
                          .identity = identity_of_ours(),
                          .ipc = -1};
    long result;

    if (whose == SPAWN_OF_OURS) {
        args->flags |= CLONE_PARENT;
        args->exit_signal = 0; /* that of its maker, who has SIGCHLD */
    }
    result = errand(usher_main, &usher);
    while (usher.count)
        fd_close(&usher.files[--usher.count]);
    if (atomic_load(&spawn->words->pid)) {
        if (usher.room->ipc)
            *usher.room->ipc = usher.ipc;
        return 0;
    }
    fd_close(&usher.ipc);
    if (result < 0)
        return FAILURE(SPAWN_STAGE_CLONE, -result);
    return usher.failure ? usher.failure : FAILURE(SPAWN_STAGE_CLONE, EINTR);
}

/* ---- System V ---- */

/* The tables that the errand opens are ours to read, and show the namespace they were opened in. */
int isolate_ipc_look(int ipc, struct buf *out)
{
    struct ipc_look look = {.ipc = ipc, .owner = -1, .tables = {-1, -1, -1}};
    long result = errand(ipc_look_main, &look);
    int error = result < 0 ? (int)-result : look.error;

    for (int i = 0; i < IPC_TABLES; i++) {
        if (!error && fd_read_all(look.tables[i], out, SIZE_MAX) < 0)
            error = errno;
        fd_close(&look.tables[i]);
    }
    fd_close(&look.owner);
    errno = error;
    return error ? -1 : 0;
}
