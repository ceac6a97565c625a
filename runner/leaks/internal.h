/* Shared by the files of this room. */
#ifndef RM_LEAKS_INTERNAL_H
#define RM_LEAKS_INTERNAL_H

#include "runner/leaks/leaks.h"

#include <sys/stat.h>

#define SHM_FOLDER "/dev/shm"

/* ---- list.c ---- */

struct leak *leak_find(const struct leak_list *leaks, enum leak_kind kind,
                       struct str what); /* NULL: not there */
struct str leak_harmless(struct leak_list *leaks, struct str words);

/* ---- holding.c: what a process has open or mapped ---- */

enum holding_kind {
    HOLDS_SOCKET, /* number: its inode */
    HOLDS_FILE,   /* below /dev/shm; number: its inode, on `device` */
    HOLDS_OBJECT, /* a System V segment; number: its id */
    HOLDS_MEMORY, /* a memfd */
};

struct holding {
    enum holding_kind kind;
    uint64_t number;
    dev_t device;
    struct str name; /* of a file: below /dev/shm, with its slash; of a memfd: as it was named */
};

typedef void holding_fn(void *user, const struct holding *holding);

/* `process` is its folder in /proc, open. What it has twice comes twice. Stops when `deadline` is over. */
void holdings_of(int process, nanos deadline, holding_fn *each, void *user);
/* The same without what it has mapped, which takes long to read. */
void descriptors_of(int process, nanos deadline, holding_fn *each, void *user);
/* The folder of a process in /proc, which stays its own; -1 and errno. */
int holdings_open(struct proc_id id);

/* ---- sockets.c: the tables of network namespaces ---- */

enum socket_family { SOCKET_INET, SOCKET_UNIX };

struct bound_socket {
    uint64_t inode;
    enum socket_family family;
    struct str address; /* "127.0.0.1:8080", "@name", a path */
    const char *note;   /* " (UDP)" or nothing */
    bool taken;         /* for the caller: told already */
};

struct socket_table {
    uint64_t space; /* inode of the namespace */
    struct bound_socket *list;
    size_t count, cap;
};

struct socket_tables {
    struct arena texts;
    struct socket_table *list;
    size_t count, cap;
};

/* What listens, or is bound, in the network of a process; NULL: that socket is none of those. */
struct bound_socket *socket_find(struct socket_tables *tables, int process, uint64_t inode);
void socket_tables_release(struct socket_tables *tables);

/* ---- probe.c: what a file is, and whether it is somebody's ---- */

struct file_facts {
    mode_t mode;
    uid_t uid;
    dev_t device;
    uint64_t inode;
    nanos born;    /* wall clock; 0: its file system does not say */
    bool is_mount; /* something is mounted there */
};

/* Of the link itself, if it is one. Asks no server and mounts nothing. False: it is not there. */
bool file_look(int at, const char *path, struct file_facts *facts);

enum held { HELD_GONE, HELD_BY_NOBODY, HELD_BY_SOMEBODY, HELD_UNKNOWN };

/* Does anybody have a socket bound to this file? Nobody notices that it was asked. */
enum held socket_probe(int at, const char *path);
/* Does anybody, of whatever user or namespace, have this file open or mapped? UNKNOWN: the kernel does not say. */
enum held file_probe(int at, const char *path);

/* A path whose folder has no links, so that a file has one spelling. False: its folder is not there. */
bool path_straighten(struct buf *path);

/* ---- holders.c: who shares memory, of all whom we may look at ---- */

struct holder {
    enum holding_kind kind; /* HOLDS_FILE, HOLDS_OBJECT */
    dev_t device;           /* 0 for an object */
    uint64_t number;
    struct proc_id id;
};

/* All zero is one that nobody has looked for. */
struct holders {
    struct holder *list;
    size_t count, cap;
    bool looked;
    bool whole; /* there was time to look at all */
    /* while looking */
    struct proc_id current;
    nanos deadline;
};

void holders_find(struct holders *holders, nanos budget); /* one walk of /proc, the first time it is called */
void holders_release(struct holders *holders);

/* ---- sysv.c ---- */

/* id, name */
#define SYSV_KINDS(X)                       \
    X(SYSV_SHM, "shm", "segment")           \
    X(SYSV_SEM, "sem", "set of semaphores") \
    X(SYSV_MSG, "msg", "message queue")

enum sysv_kind {
#define X(id, name, words) id,
    SYSV_KINDS(X)
#undef X
        SYSV_KIND_COUNT
};

extern const char *const sysv_names[SYSV_KIND_COUNT];
extern const char *const sysv_words[SYSV_KIND_COUNT];

struct sysv_object {
    enum sysv_kind kind;
    int64_t key;
    int id;
    uid_t uid;
    pid_t users[2]; /* who made it, or used it last; 0: not known */
    uint64_t attached;
    nanos changed; /* wall clock, in whole seconds: when it was made or given away */
};

struct sysv_objects {
    struct sysv_object *list;
    size_t count, cap;
};

/* /proc/sysvipc, kept open: a look costs no walk of paths. */
struct sysv {
    int fds[SYSV_KIND_COUNT]; /* -1: a kernel without it */
    struct buf text;
};

void sysv_open(struct sysv *sysv);
void sysv_close(struct sysv *sysv);
void sysv_read(struct sysv *sysv, struct sysv_objects *objects); /* replaces them */
uint64_t sysv_key(const struct sysv_object *object);             /* by this it is known again */
/* One on record as its maker or user who is alive; 0: none is; -1: nobody is on record. */
pid_t sysv_user(const struct sysv_object *object);

/* ---- processes.c, belongings.c ---- */

/* One of those that are looked at. */
struct subject {
    struct proc_id id;
    size_t leak; /* its place in the list; SIZE_MAX: it is gone, or nobody looked yet */
    struct str name;
    struct buf words;
    nanos used, used_at; /* of processors, and on our clock */
    int64_t slept;       /* how often; -1: it was asleep */
};

struct process_look {
    struct leak_list *leaks;
    nanos deadline;
    nanos since; /* when the oldest of them was started, by the wall clock; 0: none yet */
    struct socket_tables tables;
    struct sysv_objects objects;
    bool knows_objects;
    struct subject *subject; /* the one whose holdings are looked at ... */
    int process;             /* ... and its folder in /proc */
};

/* Adds what it listens on and shares, and mentions what else it has in the words of the subject. */
void belongings_look(struct process_look *look, struct subject *subject, int process);

#endif
