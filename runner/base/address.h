/*
 * An address that somebody is going to listen on, and nobody else: a port of the loopback, or a socket file in a
 * folder of ours. Nothing is bound there, so a server that sets no SO_REUSEADDR can bind; or, where it takes
 * listeners that are open already, address_listen makes one.
 *
 * A port is taken from outside of the range in which the kernel chooses ports by itself, and claimed on this machine
 * by the name of an abstract socket: those belong to a network namespace, as ports do, and go with the process.
 */
#ifndef RM_BASE_ADDRESS_H
#define RM_BASE_ADDRESS_H

#include "runner/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define SOCKET_PATH_SIZE 108 /* of a sockaddr_un */

#define TRANSPORTS(X)       \
    X(TRANSPORT_TCP, "tcp") \
    X(TRANSPORT_UDS, "uds")

enum transport {
#define X(id, word) id,
    TRANSPORTS(X)
#undef X
};

bool transport_find(struct str word, enum transport *transport);
const char *transport_word(enum transport transport);

struct address {
    enum transport transport;
    uint16_t port;
    char path[SOCKET_PATH_SIZE];
    int claim;    /* -1: none */
    int listener; /* -1: none */
};

#define ADDRESS_NONE                \
    {                               \
        .claim = -1, .listener = -1 \
    }

/* -1 and errno; EADDRINUSE: no port was free. */
int address_reserve_tcp(struct address *address);
/* `folder` is absolute, private, and not too long: ENAMETOOLONG. */
int address_reserve_uds(struct address *address, const char *folder);
/* Opens a listener there, for somebody who is handed it. -1 and errno. */
int address_listen(struct address *address);
void address_close_listener(struct address *address);
/* The socket file goes with its folder. */
void address_release(struct address *address);

/* "tcp://127.0.0.1:4711", "unix:///tmp/rm-x/1-0/s" */
void address_url(const struct address *address, struct buf *out);
/* Somebody is bound there. Not to be asked while it is in use by whom it was reserved for. */
bool address_is_taken(const struct address *address);

/* ---- connecting, to see whether somebody listens ---- */

/* A sockaddr of any family; not declared as one, since <sys/socket.h> has names that are used here for other things. */
struct endpoint {
    _Alignas(8) unsigned char at[128];
    uint32_t length;
};

/*
 * "tcp://127.0.0.1:4711", "127.0.0.1:4711", "[::1]:80", "localhost:80", "unix:/path", "/path". Numbers, and localhost:
 * nobody is asked for names, since that may take long. False: it is none of these.
 */
bool endpoint_parse(struct str text, struct endpoint *endpoint);
int endpoint_family(const struct endpoint *endpoint);
/* Waits for milliseconds at most. 0: somebody takes connections there; else an errno. */
int endpoint_try(const struct endpoint *endpoint);

#endif
