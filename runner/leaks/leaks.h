/*
 * What cases leave behind. Two ways to know of it: what living processes hold can be seen in /proc and is theirs for
 * certain; of what the dead left, a file or a segment of shared memory, only the moment tells in which it appeared.
 * Looked at is this machine; nothing here starts or signals a process.
 */
#ifndef RM_LEAKS_LEAKS_H
#define RM_LEAKS_LEAKS_H

#include "runner/base/arena.h"
#include "runner/base/clock.h"
#include "runner/base/json.h"
#include "runner/base/proc.h"
#include "runner/base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* id, key in `leaks`, what one of them is called, key in an item of `allow` */
#define LEAK_KINDS(X)                                           \
    X(LEAK_PROCESS, "processes", "process", "process")          \
    X(LEAK_LISTENER, "listeners", "listener", "listener")       \
    X(LEAK_SOCKET, "sockets", "socket file", "socket")          \
    X(LEAK_SHM, "shm", "shared memory", "shm")                  \
    X(LEAK_FILE, "files", "file in its private folder", "file") \
    X(LEAK_OUTSIDE_FILE, "outside-files", "file", "file")       \
    X(LEAK_TERMIOS, "termios", "changed terminal", NULL)

enum leak_kind {
#define X(id, key, words, allow) id,
    LEAK_KINDS(X)
#undef X
        LEAK_KIND_COUNT
};

extern const char *const leak_keys[LEAK_KIND_COUNT];  /* "processes" */
extern const char *const leak_words[LEAK_KIND_COUNT]; /* "process" */

/* One thing that is left. Texts are in the arena of its list. */
struct leak {
    enum leak_kind kind;
    /* What allow-lists are asked for, as it is: "ssh-agent", "127.0.0.1:8080", a path, "/psm_1", "shm:65538". */
    struct str what;
    /* For people: "sleep 1000 (pid 4711), 3s old, at 99 % of a processor", "127.0.0.1:8080 of sh (pid 4711)". */
    struct str words;
    pid_t pid;      /* whose it is; 0: nobody's any more, or not known */
    int64_t number; /* of a System V object; -1: a file, or none of both */
    bool runaway;   /* a process that used 95 % of a processor, or all it could get, while it was looked at */
    nanos born;     /* wall clock: when it came to be; 0: not known */
    nanos seen;     /* when it was put aside, on the clock of who did; 0: it was not */
};

struct leak_list {
    struct arena *arena;
    struct leak *list; /* malloced */
    size_t count, cap;
};
/* Both texts are copied, `words` made harmless for a terminal. Valid until the next. */
struct leak *leak_add(struct leak_list *leaks, enum leak_kind kind, struct str what, struct str words);
void leak_list_release(struct leak_list *leaks);

/* ---- what living processes hold ---- */

/*
 * Adds the processes themselves (zombies left out), what they listen on (TCP and UDP ports in their own
 * network namespaces, bound unix sockets) and the shared memory they have mapped or open, if it is ours and
 * no older than they are: what is older, or has no name, is told of in the words of the process. Stops
 * looking when `budget` is used up, with what it has by then: a storm of processes must not keep us. Two
 * looks 50 ms apart tell runaways; only when `measure`.
 */
void leaks_of_processes(struct leak_list *leaks, const struct proc_id *list, size_t count, bool measure,
                        nanos budget);

/*
 * Adds "sh (pid 4711)" to `words`, for who listens at "tcp://127.0.0.1:80", "127.0.0.1:80", "unix:/path". False: it is nobody
 * whom we may look at, or it was not found within `budget`.
 */
bool leaks_who_listens(struct str address, nanos budget, struct buf *words);

/* ---- what has appeared ---- */

/*
 * Folders in which the dead leave sockets, files and segments (/tmp, /dev/shm, XDG_RUNTIME_DIR, those the
 * caller adds), and the System V objects: names, and what was there when it was looked at last. Only what
 * belongs to our user counts.
 */
struct world;

/* `more` are absolute paths; what does not exist is passed over. */
struct world *world_new(const char *const *more, size_t count);
void world_free(struct world *world);
/*
 * Ours: the run's own folders. It may be a glob in which * matches no slash ("/tmp/rm-??????": those of
 * other runs).
 */
void world_leave_out(struct world *world, const char *path);
/* A few system calls: for every case. May say yes where nothing is new. */
bool world_changed(struct world *world);
/*
 * Adds what is new since the last look and not in `leaks` yet, and knows it from then on. Left out is what a
 * living process that is not in `own` (may be NULL) holds: a socket that answers, a segment somebody has
 * mapped. That comes when he lets go of it or is gone, and leaves it. New folders are searched for sockets,
 * within bounds.
 */
void world_look(struct world *world, const struct proc_id *own, size_t own_count, struct leak_list *leaks);
/* As one JSON value, and back: for whoever comes after a kill. NULL: it is none. */
void world_write(const struct world *world, struct json_writer *json);
struct world *world_read(struct str json, struct arena *arena);

/*
 * Removes what is left: a socket file to which nobody is bound, a segment that nobody has mapped or open, a
 * System V object without users whose makers or users on record are all dead. Only of our user, to be root
 * changes nothing; a file of any other kind stays. False and errno (EBUSY: somebody has it, or nobody can
 * know; ENOTSUP: not a thing that is removed).
 */
bool leak_remove(const struct leak *leak);

/* ---- what may stay ---- */

enum leak_action { LEAK_FAILS, LEAK_WARNS, LEAK_IGNORED };

struct leak_allowed {
    enum leak_kind kind; /* LEAK_FILE: both kinds of files */
    const char
        *glob; /* a name, or where it has a slash a path; * matches slashes too. Of a process: its name */
};

struct leak_policy {
    enum leak_action actions[LEAK_KIND_COUNT];
    const struct leak_allowed *allowed;
    size_t allowed_count;
    nanos grace;
};

extern const struct leak_policy leak_policy_default; /* grace 1 s */
enum leak_action leak_policy_says(const struct leak_policy *policy, const struct leak *leak);
/* As one of a list: what a process holds that is allowed in it is allowed too. */
enum leak_action leak_policy_says_in(const struct leak_policy *policy, const struct leak_list *leaks,
                                     size_t index);

#endif
