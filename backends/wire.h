/*
 * What a runner and a server say to one another: one message of a SEQPACKET socket each, a head and a body, with
 * descriptors. Both are of the same machine, not always of the same build (a module has the library it was linked
 * with): so the head has a version, and nothing is believed that does not fit its length.
 */
#ifndef RM_BACKENDS_WIRE_H
#define RM_BACKENDS_WIRE_H

#include "runner/base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_VERSION   2
#define WIRE_FDS_MOST  48
#define WIRE_BODY_MOST ((size_t)16 << 20)
#define WIRE_INLINE    ((size_t)32 << 10) /* a longer body travels in a file without a name */

enum wire_kind {
    WIRE_HELLO = 1, /* server: I am there. With credentials */
    WIRE_START,     /* runner: this process, at this place of the board. Body: request.h */
    WIRE_STARTED,   /* server: it is there. A descriptor: its IPC namespace, where that was wanted */
    WIRE_REFUSED,   /* server: it is not. `number`: stage and errno */
    WIRE_BUSY, /* server: the answer takes up to `number` ms. Body: a uint32_t, ms that it will need to go; and with what */
};

struct wire_message {
    enum wire_kind kind;
    uint32_t place, number;
    struct buf body;
    int fds[WIRE_FDS_MOST + 1]; /* the last is for the body on its way */
    unsigned fd_count;
    struct {
        pid_t pid;
        uid_t uid;
    } from; /* of who sent it, as the kernel says; pid 0: not known */
};

void wire_close(struct wire_message *message);   /* what came with it */
void wire_release(struct wire_message *message); /* that, and the body */

/* -1 and errno; EAGAIN: not now. The descriptors stay the caller's. */
int wire_send(int socket, const struct wire_message *message);

enum wire_answer {
    WIRE_GOT,
    WIRE_NOTHING, /* just now, of a socket that does not wait */
    WIRE_CLOSED,
    WIRE_NONSENSE, /* no message of ours, or of another version: `number` is that, 0: none; or errno says why */
};

/* `message` is empty, its body may have room. What is nonsense leaves nothing open. */
enum wire_answer wire_receive(int socket, struct wire_message *message);

#endif
