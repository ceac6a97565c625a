/*
 * The ways between two actors, behind one small table: `tcp` of the loopback, `uds` of a private folder; and what is said on
 * them: frames, a head and a body each. Nothing is believed that does not fit its length, and nothing is allocated by what a
 * stranger says: a frame longer than its reader wants is nonsense by its head.
 *
 * Nothing here waits, but for link_dial: whoever has several links polls them all. A peer that is gone is told from one that
 * has said goodbye, and an end of file is the end: it is heard once, and is no progress. A link that is over is closed at
 * once, so nothing stays in CLOSE_WAIT.
 */
#ifndef RM_BACKENDS_LINKS_H
#define RM_BACKENDS_LINKS_H

#include "runner/base/address.h"
#include "runner/base/buf.h"
#include "runner/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- frames ---- */

#define FRAME_VERSION   1
#define FRAME_HEAD      12 /* "MX", version, kind; number; length of the body; the last two little-endian */
#define FRAME_BODY_MOST ((size_t)1 << 20)

struct frame {
    unsigned kind; /* 1 to 255: of whoever speaks */
    uint32_t number;
    struct str body; /* in the memory that it was taken from */
};

void frame_add(struct buf *out, unsigned kind, uint32_t number, const void *body, size_t len);

enum frame_answer {
    FRAME_GOT,      /* `used` bytes of the text were it */
    FRAME_MORE,     /* it has begun, and is not whole */
    FRAME_NONSENSE, /* no frame, one of another version (`number` is that), or a body longer than `most` */
};

enum frame_answer frame_take(struct str text, size_t most, struct frame *frame, size_t *used);

/* ---- what bodies are made of: numbers of eight bytes, texts with their length before them ---- */

void field_add_number(struct buf *out, uint64_t number);
void field_add_text(struct buf *out, struct str text);
/* Takes it from the beginning of `rest`. False: there is none. */
bool field_number(struct str *rest, uint64_t *number);
bool field_text(struct str *rest, struct str *text);

/* ---- listening ---- */

struct listener {
    enum transport transport;
    int fd; /* non-blocking; -1: none */
    uint16_t port;
    char path[SOCKET_PATH_SIZE]; /* of uds: the file, which is removed with it as long as it is its own */
    uint64_t device, inode;      /* of that file */
    bool owns_folder;            /* that it is in: made for it */
};

#define LISTENER_NONE \
    {                 \
        .fd = -1      \
    }

/* At an address of its own: a port that the kernel chooses; a file in a new folder (0700) below `folder`. -1 and errno. */
int listener_open(struct listener *listener, enum transport transport, const char *folder);
/*
 * At that address ("tcp://127.0.0.1:4711", "unix:///path"). A socket file that is there is asked first: one where somebody
 * takes connections stays (EADDRINUSE), one of somebody who is gone is replaced. EADDRNOTAVAIL: no loopback; EINVAL: no
 * address.
 */
int listener_open_at(struct listener *listener, struct str url);
void listener_url(const struct listener *listener, struct buf *out);
/*
 * A connection, non-blocking: of uds of a process of our own user, of tcp of one of this machine; others are turned away.
 * -1: none is waiting (EAGAIN), or errno.
 */
int listener_accept(const struct listener *listener);
/* A file that somebody else has put in its place stays. */
void listener_close(struct listener *listener);
/* In a forked child: closes the descriptor, and leaves the file to its owner. */
void listener_forget(struct listener *listener);

/* ---- a connection ---- */

#define LINK_UNSENT_MOST ((size_t)4 << 20)

struct link {
    int fd;        /* -1: none, or over */
    size_t most;   /* the longest body that is taken */
    struct buf in; /* what came; the first `taken` bytes were handed out */
    size_t taken;
    struct buf out; /* what is to be sent; the first `sent` bytes were */
    size_t sent;
    int mute; /* an errno: nothing can be said any more. 0: all is well */
};

#define LINK_NONE \
    {             \
        .fd = -1  \
    }

/*
 * Connects until then, trying again where nobody listens yet (a file that is not there, a refusal), at least once. -1 and
 * errno; EACCES: another user listens there.
 */
int link_dial(struct str url, nanos until);
void link_open(struct link *link, int fd, size_t most); /* `fd` becomes its own */
void link_close(struct link *link);                     /* what was not sent is gone */
/*
 * Waits until then for the peer to have all that was said, which it may read whenever it likes; then nothing more can be
 * said, and the link is to be closed. Without it, a connection of tcp with something unread ends by a reset, which takes
 * along what the peer had no room for yet. What the peer still says is thrown away. False: it is over, or the peer has
 * not read enough (EAGAIN).
 */
bool link_finish(struct link *link, nanos until);

/* What to poll for. */
short link_events(const struct link *link);
/*
 * Sends what it can of this and of what waits. False: it is over (errno); or nothing of this was taken, since more than
 * LINK_UNSENT_MOST would wait (EAGAIN), or since it is longer than FRAME_BODY_MOST (EMSGSIZE).
 */
bool link_say(struct link *link, unsigned kind, uint32_t number, const void *body, size_t len);
/* The same of what waits. False: it is over (errno). What the peer has said before can still be heard. */
bool link_flush(struct link *link);

enum link_news {
    LINK_FRAME,    /* valid until the link is used again */
    LINK_SILENT,   /* nothing more just now */
    LINK_ENDED,    /* end of file, nothing half said before it */
    LINK_LOST,     /* a reset, or an end in the middle of a frame: errno */
    LINK_NONSENSE, /* something that is no frame, or too long */
};

/* The next frame. After any of the last three the link is closed, and says LINK_ENDED from then on. */
enum link_news link_hear(struct link *link, struct frame *frame);

#endif
