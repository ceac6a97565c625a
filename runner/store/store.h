/*
 * .run-matrix on disk: runs, the newest of them, how long they are kept.
 *
 * A run is numbered, not dated: a wall clock may jump. Its name is "0042-20261121-061247-9f3c1b": number, UTC when it
 * began, and six random digits that make it differ from those of other machines.
 *
 * Whoever writes to a run holds an flock on the file "lock" in its folder, which the kernel gives up when he dies; his
 * pid stands in it. Two runners may use one store at a time.
 */
#ifndef RM_RUNNER_STORE_H
#define RM_RUNNER_STORE_H

#include "runner/base/arena.h"
#include "runner/base/diag.h"
#include "runner/base/fault.h"
#include "runner/journal/journal.h"

#define STORE_NAME      ".run-matrix"
#define STORE_RUNS_MOST 20
#define STORE_SIZE_MOST ((uint64_t)2 << 30)

struct store {
    const char *path; /* as people should see it: ".run-matrix", "../.run-matrix", what --run-dir said */
    int fd;
};

struct run_folder {
    struct str id;
    const char *path; /* "<store>/runs/<id>" */
    int fd;
    int lock; /* held while we write to it; -1: only read */
};

/* Makes what is missing, with a .gitignore of "*". -1: diags say why. */
int store_open(struct store *store, const char *path, struct arena *arena, struct diags *diags);
/* One that is there. */
int store_open_existing(struct store *store, const char *path, struct arena *arena, struct diags *diags);
void store_close(struct store *store);

/* A new one, locked, `latest` pointing to it. `wall`: ms since 1970. */
int store_new_run(struct store *store, int64_t wall, struct arena *arena, struct run_folder *run,
                  struct diags *diags);
/*
 * One that could not begin: it is gone, and `latest` points to the newest that there is, if it pointed to it.
 * -1 and errno.
 */
int store_take_back(struct store *store, const struct run_folder *run, struct arena *arena);
/* By id, by its beginning, by number ("42"), "latest", or the path of a folder with a journal in it. Not locked. */
int store_find_run(struct store *store, const char *name, struct arena *arena, struct run_folder *run,
                   struct diags *diags);
/* By its whole id. Not locked. -1 and errno. */
int store_open_run(struct store *store, struct str id, struct arena *arena, struct run_folder *run);
/* Without waiting or telling: -1 and errno, EWOULDBLOCK when somebody else has it, ENOENT when it is being removed. */
int store_try_lock_run(struct run_folder *run);
/* To go on writing: -1 with an error that names the pid when a live runner holds it. */
int store_lock_run(struct run_folder *run, struct diags *diags);
/* Somebody is writing to it. */
bool store_is_going_on(const struct run_folder *run);
void store_close_run(struct run_folder *run);

/*
 * Removes runs past STORE_RUNS_MOST or STORE_SIZE_MOST, oldest first, never one that is locked nor the newest; and the
 * packs of all but the newest, unless `packs` (--keep=all). Errors are warnings. A run is measured once, after its end:
 * its size stays in the file "size".
 */
void store_tidy(struct store *store, bool packs, struct diags *diags);
/* Newest first, at most `most`. */
size_t store_runs(struct store *store, size_t most, struct arena *arena, struct str **ids);

/* A folder or artifact name for a case: legal on every file system, at most 100 bytes, different for different ids. */
void store_slug(struct buf *out, struct str id);

#endif
