/* Shared by the files that look: what is known while a tree is looked at, and nobody needs afterwards. */
#ifndef RM_DIAGNOSE_LOOK_H
#define RM_DIAGNOSE_LOOK_H

#include "runner/diagnose/internal.h"

#define LOOK_FDS_READ_MOST 8192u /* of one process, whose ends are known; DUMP_FDS_MOST of them are told of */
#define LOOK_FDS_ALL_MOST  16384u /* that are told of, of all processes */

/* ---- look_ends.c: who has which pipe, fifo and socket ---- */

struct look_key {
    uint64_t device; /* 0 of pipes and sockets, whose numbers are their own on the whole machine */
    uint64_t inode;
};

struct look_end {
    struct look_key key;
    struct dump_end end;
};

struct look_ends {
    struct look_end *list; /* malloced */
    size_t count, cap;
    bool whole; /* nobody was left out whom we may look at */
};

/* ---- look_sockets.c: what the kernel knows of sockets ---- */

/* One of the machine. */
struct look_socket {
    uint64_t network; /* namespace */
    uint64_t inode;   /* 0: nobody has accepted it yet, or it is closed */
    uint64_t peer;    /* unix: inode; 0: none, or not accepted yet */
    int family, type; /* AF_INET: also where it speaks version 6 and is reached by both */
    int state;        /* as TCP's */
    bool shut;        /* for reading, or for writing */
    uint32_t receive, send;
    struct look_place {
        unsigned char host[16]; /* of version 4: as a mapped one */
        uint16_t port;
    } local, remote;
    const char *name;        /* unix; NULL: none */
    const uint32_t *waiting; /* unix: who wants to be accepted, by inode */
    uint32_t waiting_count;
};

struct look_sockets {
    struct look_socket *list; /* malloced; by inode, when all are there */
    uint32_t *by_place;       /* malloced; those of the internet, by both their places */
    size_t count, cap, inet_count;
    struct arena names;
    bool whole;
};

/* ---- look_locks.c ---- */

/* A lock as a line of /proc/locks, and of fdinfo, has it. */
struct look_lock {
    uint64_t id; /* who waits has that of what it waits for */
    bool waits, writes;
    char kind[16];
    pid_t pid; /* -1: none is told */
    unsigned major, minor;
    uint64_t inode, from, to;
};

/* One that is held through a descriptor. */
struct look_hold {
    struct look_lock lock;
    uint32_t process;
    const char *path;
};

struct look_locks {
    struct look_hold *held; /* malloced */
    size_t count, cap;
};

/* ---- all of it ---- */

/* Beside each process of the dump. */
struct look_beside {
    struct proc_stat stat;
    uint64_t network;      /* which network it is in: inode of the namespace; 0: not known */
    uint32_t threads_most; /* that are looked at */
    size_t open;           /* descriptors that it has */
    bool is_kept_from_us;  /* its pipes were not to be measured, which it says */
};

/* Somebody waits to be connected with this name of a unix socket. */
struct look_connect {
    uint32_t process;
    int fd;
    const char *name;
};

struct look {
    struct taking *taking;
    struct arena *arena;
    struct dump *dump;
    struct look_beside *beside;
    nanos until;     /* clock_now() */
    struct buf text; /* of the file that is being read */
    struct buf ours; /* our own limits, once they were asked for */
    size_t fds_left; /* of LOOK_FDS_ALL_MOST */
    struct look_ends ends;
    struct look_sockets sockets;
    struct look_locks locks;
    struct look_connect connects[64];
    size_t connect_count;
};

bool look_is_late(const struct look *look);
/* Adds to what could not be read of a process, and why. */
void look_unread(struct look *look, struct dump_process *process, const char *what, int error);
/* Its folder in /proc, with which it cannot become another's; -1 and errno. */
int look_open(const struct dump_process *process);

/* ---- look_read.c: texts of the kernel ---- */

/* All of a file below `at` into look->text, or its first `most` bytes; false and errno. */
bool look_read(struct look *look, int at, const char *path, size_t most);
/* The rest of the line that begins with `name` (with its colon), without blanks around it. */
bool look_field(struct str text, const char *name, struct str *value);
/* The same as a number; 0 where there is none. `base` 0 takes 0x... and 0... */
uint64_t look_number(struct str text, const char *name, int base);
/* The next line of `rest`, without its end; false: there is none. */
bool look_line(struct str *rest, struct str *line);
/* Where a link leads, in the arena; NULL and errno. */
const char *look_link(struct look *look, int at, const char *path);

/* ---- look_process.c, look_limits.c ---- */

/* What needs no time: who it is. */
void look_name(struct look *look, uint32_t index);
void look_process(struct look *look, uint32_t index);
/* After its descriptors are known. */
void look_limits(struct look *look, uint32_t index);

/* ---- look_threads.c ---- */

/* How many threads of each are looked at, so that one with many does not take the room of all. */
void look_share_threads(struct look *look);
void look_threads(struct look *look, uint32_t index);

/* ---- look_calls.c, look_decode.c, look_words.c ---- */

/*
 * What a call takes, a letter for each argument: f descriptor, d folder, p pointer, n number, i number with sign, x flags,
 * t milliseconds, T timespec, F operation of a futex, P pollfds, S sets of select, E epoll, W what wait4 waits for, I what waitid
 * waits for (with its kind before it), A address (with its length behind it), s path, c command of fcntl, k operation of flock.
 */
struct look_call {
    int number;
    enum dump_wait wait;
    const char *name, *takes;
};

const struct look_call *look_call_find(int number); /* NULL: we do not know it */

/* "7 0x3 0x7f.. ..." as /proc/TID/syscall has it. `task` is the folder of the thread. */
void look_decode(struct look *look, uint32_t index, struct dump_thread *thread, int task, struct str line);
/* "read(5 pipe:[4711], 0x7f.., 4096)". `known` is what the call is, or goes on as; NULL: nobody knows. */
const char *look_words(struct look *look, const struct dump_call *call, const struct look_call *known,
                       int task);

/* A path that lies there; NULL: it cannot be read. */
const char *look_path(struct look *look, int task, uint64_t pointer);
/* Memory of a process that is there: nothing is brought in for us, which could take for ever. False: it is not. */
bool look_memory(int task, uint64_t address, void *out, size_t size);
/* "@name", "/path", "127.0.0.1:80"; NULL: no address that we know. */
const char *look_address(struct arena *arena, const void *address, size_t length);

/* ---- look_fds.c, look_fdinfo.c ---- */

void look_fds(struct look *look, uint32_t index);
/* What fdinfo says of one: flags, position, details, locks. */
void look_fdinfo(struct look *look, uint32_t index, int at, struct dump_fd *fd);
/* NULL: it is not among those that are told of. */
struct dump_fd *look_fd_find(const struct dump_process *process, int number);

/* ---- look_ends.c ---- */

void look_end_add(struct look *look, struct look_key key, struct dump_end end);
/* Everybody else on the machine, then who has what. */
void look_ends(struct look *look);

/* ---- look_sockets.c, look_diag.c, look_network.c ---- */

void look_sockets(struct look *look);
/* All of one network namespace, which is that of a process; 0, or an errno. */
int look_diag(struct look *look, int process, uint64_t network);
/* A socket that asks in the network of a process, which may be another than ours; 0, or an errno. */
int look_network(int process, int *fd);

/* ---- look_locks.c ---- */

/* A line of /proc/locks, or of fdinfo behind "lock:". */
bool look_lock_parse(struct str line, struct look_lock *lock);
void look_locks(struct look *look);

/* ---- look_shares.c, look_tails.c ---- */

void look_begin_shares(struct look *look);
void look_tails(struct look *look);

void look_release(struct look *look);

#endif
