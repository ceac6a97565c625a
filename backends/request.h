/* The body of a request: a spec, on its way to another process. Its descriptors travel beside it. */
#ifndef RM_BACKENDS_REQUEST_H
#define RM_BACKENDS_REQUEST_H

#include "backends/backends.h"
#include "backends/wire.h"

/* Adds body and descriptors. False: it has more than can be sent (E2BIG). */
bool request_pack(struct wire_message *message, const struct spawn_spec *spec);

/* A spec as it came. All of it stands in the message it came with, and in these; they serve again. */
struct request {
    struct spawn_spec spec;
    struct spawn_room room;
    struct anchor anchor;
    int ipc;         /* the room's, to be sent back; -1 */
    char **strings;  /* argv and envp */
    size_t capacity; /* of them */
};

/* False: it does not hold together, and nothing of it may be used. */
bool request_unpack(struct request *request, struct wire_message *message);
void request_release(struct request *request);

#endif
