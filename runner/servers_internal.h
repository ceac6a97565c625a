/* The inside of servers. */
#ifndef RM_RUNNER_SERVERS_INTERNAL_H
#define RM_RUNNER_SERVERS_INTERNAL_H

#include "runner/servers.h"
#include "runner/session.h"

#include <string.h>

#define SERVERS_MOST 16

struct server {
    uint32_t place;
    const char *name; /* "forkserver"; NULL: not in use */
    const char *id;   /* "forkserver-7": of one life */
    enum serving serving;
    bool apart;
    struct str loading; /* variables that it was loaded with, each with a NUL behind it */
    const char *host, *module;
    struct arena arena; /* of one life */
    struct spawn *spawn;
    struct spawn_spec spec;
    struct ladder ladder;
    struct capture capture;
    struct workdir tmp; /* its TMPDIR */
    int socket;         /* -1: it is not there, or nothing more is said to it */
    int pidfd;
    pid_t pid;
    uint32_t generation;
    bool there, greeted, unwatched;
    bool deaf;             /* it has closed its end; what it had said before is still to be heard */
    uint32_t asked;        /* by how many slots that have no answer */
    const char *busy_with; /* what it sets up; NULL: nothing */
    uint32_t busy_for;     /* whose place on the board */
    nanos farewell;        /* what it has prepared may need at the end */
    const char *fault;     /* what is wrong with it, where it is we who end it */
};

/* What has taken a server along while it set that up, and would the next one: it is told so. */
struct lost {
    struct lost *next;
    enum serving serving;
    const char *host, *module;
    const char *what;
};

struct servers {
    struct server list[SERVERS_MOST];
    uint32_t count; /* of kinds that the plan has */
    uint32_t first; /* place */
    struct board *board;
    struct lost *lost;
    uint32_t posted;  /* places of the board given away */
    uint32_t started; /* servers, in this run */
    bool turned_away; /* somebody was, for what an answer or an end may bring */
};

static inline bool is_same(const char *a, const char *b) /* NULL: none */
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* ---- servers_lost.c ---- */

/* It has died of what it set up. */
void server_has_lost(struct session *s, const struct server *server);
/* What others like it have died of, a line each; "": nothing. */
const char *server_lost_before(struct session *s, struct server *server);

/* ---- servers.c ---- */

struct server *server_at(const struct session *s, uint32_t place);
/* Is it that which makes the processes of such a case? */
bool server_is_for(const struct server *server, const struct recipe *recipe);
/* It goes by itself when nobody can ask it any more; who does not go in time is ended. */
void server_dismiss(struct session *s, struct server *server);
/* It is there, and has loaded what it was to load. */
void server_greeted(struct session *s, struct server *server);
/* It prepares what tests share: who asked waits longer. */
void server_is_busy(struct session *s, struct server *server, const struct server_told *told);
/* Whoever was turned away may ask again. */
void servers_have_room(struct session *s);
/* An answer has come, or never will: the next one has its own time. */
void server_answered(struct session *s, struct server *server, struct slot *slot);

#endif
