/* What the files of this room share. */
#ifndef RM_LINKS_INTERNAL_H
#define RM_LINKS_INTERNAL_H

#include "backends/links/links.h"

/* A transport: what its listeners and its connections need that those of others do not. */
struct way {
    int family;
    /* A socket that takes connections, at an address of its own, or at that one. -1 and errno, nothing left behind. */
    int (*open)(struct listener *listener, const char *folder);
    int (*open_at)(struct listener *listener, const struct endpoint *endpoint);
    /* While the descriptor is still open. */
    void (*remove)(const struct listener *listener);
    void (*url)(const struct listener *listener, struct buf *out);
    /* Whether who is at the other end may be there. */
    bool (*is_welcome)(int fd);
    void (*prepare)(int fd);
};

extern const struct way way_tcp, way_uds;

const struct way *way_of(enum transport transport);
/*
 * Where that is; the transport. NULL and errno: EINVAL for what is no address of this machine's inside, ENAMETOOLONG for
 * a path that no socket can have.
 */
const struct way *way_find(struct str url, struct endpoint *endpoint, enum transport *transport);

int way_socket(int family); /* non-blocking */
/* The number of connections that wait to be taken: many actors may be born at the same time. */
#define WAITING_MOST 1024

#endif
