/* The parts of a world; for the files of this room. */
#ifndef RM_LEAKS_WORLD_H
#define RM_LEAKS_WORLD_H

#include "runner/leaks/internal.h"

#include <time.h>

/* What is known, as hashes: a folder may hold tens of thousands of names. Sorted. */
struct hashes {
    uint64_t *list;
    size_t count, cap;
};

void hashes_add(struct hashes *keys, uint64_t key); /* unsorted until hashes_sort */
void hashes_sort(struct hashes *keys);
bool hashes_have(const struct hashes *keys, uint64_t key);
void hashes_release(struct hashes *keys);

struct folder {
    char *path; /* absolute, without links */
    int fd;
    bool is_shm;
    dev_t device;
    struct hashes known;
    struct timespec changed; /* its mtime when it was read */
    bool fresh;              /* it was so young then that a later change may have the same */
    bool lost;               /* it had too many names to know them all */
};

/* -1 and errno. Knows nothing yet. */
int folder_open(struct folder *folder, const char *path);
void folder_close(struct folder *folder);
bool folder_changed(const struct folder *folder);
/* Knows what is there now; calls `each` for what it did not know. NULL: for nothing. */
void folder_read(struct folder *folder,
                 void (*each)(void *user, const struct folder *folder, const char *name), void *user);

enum thing { THING_SOCKET, THING_FILE, THING_OBJECT };

/* New, but held by somebody who is not ours. Looked at again when he may have let go of it. */
struct held_thing {
    enum thing thing;
    char *path;                /* of a socket or file */
    struct sysv_object object; /* or that */
    struct proc_id holder;     /* pid 0: not known who, or not asked */
};

struct world {
    struct folder *folders;
    size_t folder_count, folder_cap;
    struct sysv sysv;
    struct sysv_objects objects; /* as they were read last */
    struct hashes known_objects;
    uint64_t objects_hash;
    struct held_thing *held;
    size_t held_count, held_cap;
    char **left_out;
    size_t left_out_count, left_out_cap;
};

struct world *world_empty(void);
void world_add_folder(struct world *world, const char *path); /* once; what cannot be opened is passed over */
bool world_leaves_out(const struct world *world, const char *path);
uint64_t world_read_objects(struct world *world); /* their hash */

#endif
