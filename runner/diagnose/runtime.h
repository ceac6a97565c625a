/*
 * Asking runtimes: shared by the files that do. A runtime is asked by a signal, and only one that it catches; each in a way of
 * its own is then looked at every now and then, all at a time, until they have answered or it is too late.
 */
#ifndef RM_DIAGNOSE_RUNTIME_H
#define RM_DIAGNOSE_RUNTIME_H

#include "runner/diagnose/internal.h"

#define RUNTIME_ANSWER_MOST ((size_t)256 << 10) /* of one process */
#define RUNTIME_OUTPUTS     2u                  /* in which answers are looked for */

/* ---- runtime_talk.c: sockets; HTTP and WebSocket, as little of them as Node's inspector speaks ---- */

#define TALK_MOST (RUNTIME_ANSWER_MOST * 2)

struct talk {
    int fd;             /* a socket that nobody waits at; -1: none */
    struct buf in, out; /* read, and taken by whoever parses; to be sent */
    bool ended;         /* nothing more comes */
};

/* At the loopback that a process has, which may be of a network of its own. False and errno. */
bool talk_open(struct talk *talk, pid_t pid, uint16_t port);
bool talk_can_reach(pid_t pid);
bool talk_open_path(struct talk *talk, const char *path);
/* Sends and reads what can be without waiting. False: it is broken, or too long. */
bool talk_turn(struct talk *talk);
void talk_close(struct talk *talk);

/* Pure. The length of an HTTP answer's head; 0: it is not whole. `body`: of what follows, as it says; SIZE_MAX: to the end. */
size_t talk_head(struct str in, unsigned *status, size_t *body);
/* A message as a client sends it. */
void talk_frame(struct buf *out, struct str text);
enum talk_frame { TALK_PART, TALK_TEXT, TALK_CLOSE, TALK_OTHER, TALK_NONSENSE };
/* The first frame in `in`: its bytes, and how many it takes. */
enum talk_frame talk_next(struct str in, struct str *text, size_t *taken);
/* Of a message: the text of a key at this depth, from 1. False: it has none. */
bool talk_text(struct str json, const char *key, int depth, struct buf *text);
/* Of a key at its first depth, less than 1000; 0: it has none. */
int talk_number(struct str json, const char *key);

/* ---- one that is asked ---- */

/* What was in the outputs before it was asked. */
struct output_marks {
    uint32_t watched; /* bit n: the n-th output */
    uint64_t from[RUNTIME_OUTPUTS], seen[RUNTIME_OUTPUTS];
};

struct python_asked {
    int file; /* its memory for answers; -1 */
    uint64_t from, seen;
    unsigned blocked; /* threads that have our signal blocked anyway */
    int tasks;        /* the signal that asks for what awaits */
    bool asked_for_tasks;
    uint64_t told; /* that far it had come by then */
};

/* What is awaited: that its inspector listens, its list of what can be looked at, to be let in, the answer, the end. */
enum node_phase { NODE_OPENS, NODE_LISTS, NODE_LETS_IN, NODE_TELLS, NODE_CLOSES };

struct node_asked {
    enum node_phase phase;
    uint16_t port;
    struct talk talk;
    uint64_t *sockets; /* malloced: inodes of those it had */
    size_t socket_count;
    int turn;        /* a socket whose name says that the port is ours for the moment; -1 */
    nanos waits;     /* since when it waits for that; 0: it does not */
    bool refused;    /* it has said that its port is taken */
    unsigned frames; /* that it has sent */
    unsigned tries;  /* that it was sent its signal once more */
    nanos again;     /* when the next is due */
};

struct jvm_asked {
    int tmp; /* the folder of both; -1 */
    char wish[40],
        door[40]; /* names: of a file that says that it is to be asked by a socket; of that socket */
    bool wished;  /* the first is there, by us */
    bool opened;  /* the second was not there before us */
    struct talk talk;
};

enum asked_state { ASKED_NOT_YET, ASKED_NOW, ASKED_OVER };

struct asked {
    struct asking *asking;
    struct dump_process *process;
    const struct runtime_way *way;
    enum asked_state state;
    uint64_t lane; /* of those with the same number one is asked at a time; 0: as many as there are */
    int signal;    /* 0: it needs none */
    int pidfd;
    uint64_t ticks, ticks_then; /* that it has computed: when it was looked at last, when it was heard last */
    nanos computed;             /* when it was last seen to */
    nanos counted_from;         /* the sign of life of `ticks_then` */
    nanos sign_of_life;         /* when it was last heard of, or sent something */
    struct output_marks marks;
    struct python_asked python;
    struct node_asked node;
    struct jvm_asked jvm;
};

#define LANE_OUTPUTS 1u /* answers that are in the outputs would be mixed */

struct runtime_way {
    int signal;
    bool ends; /* it dies of it */
    /* NULL; else why it cannot be asked. May set `signal` and `lane`. */
    const char *(*prepare)(struct asked *asked);
    /* False: what it needs is somebody else's for the moment. NULL: it needs nothing. */
    bool (*may_go)(struct asked *asked);
    /* It is about to be sent its signal: what comes after this is its answer. */
    void (*mark)(struct asked *asked);
    /* It has the signal. True: its answer is all there, or none will come; process->runtime_says, or runtime_why_not. */
    bool (*look)(struct asked *asked);
    /* It is too late, or it is dead: the same, with what there is. */
    void (*give_up)(struct asked *asked);
    void (*release)(struct asked *asked); /* may be NULL */
};

extern const struct runtime_way runtime_python, runtime_jvm, runtime_go, runtime_node;

struct asking {
    struct taking *taking;
    struct dump_answers *answers; /* may be NULL */
    struct asked *list;
    uint32_t count;
};

/* "SigCgt:" in /proc/PID/status or that of a thread; 0 where it cannot be told. Signal n is bit n - 1. */
uint64_t asked_signals(const char *path, const char *field);
bool asked_catches(const struct asked *asked, int signal);
/* It was heard. */
void asked_lives(struct asked *asked);
/* Without control of its length; what is longer than RUNTIME_ANSWER_MOST is cut, and says so. */
const char *asked_text(struct asked *asked, struct str text);

/* ---- runtime_listener.c ---- */

/* Inodes of the sockets that it has, malloced. */
uint64_t *sockets_of(pid_t pid, size_t *count);
/* A port of this machine at which it listens by a socket that is not among those. False: there is none. */
bool listener_find(pid_t pid, const uint64_t *known, size_t count, uint16_t *port);

/* ---- runtime_images.c ---- */

enum dump_runtime runtime_of_name(struct str image); /* RUNTIME_NONE: the name tells nothing */

/* ---- runtime_output.c ---- */

/* Which outputs descriptor `fd` of it leads to is watched from now on. False: it leads elsewhere. */
bool marks_watch(struct asked *asked, int fd);
/* What has come until now is none of its answer. */
void marks_take(struct asked *asked);
/* An output is longer than it was when this was asked last. */
bool marks_moved(struct asked *asked);
/* What has come to one since marks_take, at most RUNTIME_ANSWER_MOST. False: it is not watched. */
bool marks_read(const struct asked *asked, uint32_t output, struct buf *out);
/* So much of what marks_read has read, from `from` to `to`, is an answer. */
void marks_answer(struct asked *asked, uint32_t output, uint64_t from, uint64_t to);
/* Its answer, or some of it, may come to the outputs when nobody waits for it any more. */
void marks_late(struct asked *asked);

/* ---- runtime_text.c: what a JVM and Go print; pure ---- */

struct printed {
    size_t from, to;
    bool whole;
};

typedef bool find_printed(struct str text, struct printed *printed);

bool printed_by_jvm(struct str text, struct printed *printed);
bool printed_by_go(struct str text, struct printed *printed);
/* The next line, or lines without another between them, that Node's inspector says of itself, from `at` on. */
bool printed_by_node(struct str text, size_t at, struct printed *printed);

/* ---- runtime_printed.c ---- */

/* What is found in an output is its answer, and will be cut out of it. `whole`: nothing but all of it. */
bool answer_take(struct asked *asked, find_printed *find, bool whole);
/* What there is of it now; what comes later is cut out all the same. */
void answer_take_late(struct asked *asked, find_printed *find);

#endif
