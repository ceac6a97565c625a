/*
 * Folders that a slot lends to its case: a private TMPDIR, whose path is short since socket paths carry 107
 * bytes, and one for artifacts. A folder is lent again only when the case left it as it was, empty and in its
 * place, and its first process ended by itself; else the next case gets another.
 *
 * Where they are there is a file "run" that names the run's folder: so whoever comes after a kill knows whose
 * they are.
 */
#ifndef RM_RUNNER_WORKDIR_H
#define RM_RUNNER_WORKDIR_H

#include "runner/base/arena.h"
#include "runner/base/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WORKDIR_TMP_MOST 40

/* All zero: none. */
struct workdirs {
    char tmp[WORKDIR_TMP_MOST + 1]; /* "/tmp/rm-Xb3kQ1"; empty: not there yet */
    const char *run;                /* path of its folder; not owned */
};

struct workdir {
    dev_t device; /* with the inode: is what stands at `path` still ours? */
    ino_t inode;
    mode_t mode;
    /* When it was changed last, as it was when it was found empty first and last. 0: nothing was found. */
    nanos changed, first, last;
    char path[64]; /* of a TMPDIR at most WORKDIR_TMP_MOST; empty: has none */
    int fd;
    uint32_t slot, renewed;
};

/* In the caller's TMPDIR where its path is short enough, else in /tmp. -1 and errno. */
int workdirs_open(struct workdirs *dirs, const char *run_path);
/* The same where shared memory is: each becomes the /dev/shm of a case whose files are isolated. */
int workdirs_open_shm(struct workdirs *dirs, const char *run_path);
/*
 * One that lends nothing: who runs beside us looks in /tmp for who is there. Nothing when `dirs` are there
 * themselves.
 */
int workdirs_open_sign(struct workdirs *sign, const struct workdirs *dirs);
void workdirs_close(struct workdirs *dirs); /* removes them all */

/* Make sure there is an empty one. -1 and errno. */
int workdir_lend(struct workdirs *dirs, struct workdir *dir);
/* The case is over; `clean`: its process ended by itself and nobody else of it was there. */
void workdir_return(struct workdir *dir, bool clean);

/* Artifacts: a folder in the run, moved to where the case's output is when there is something in it. */
int workdir_lend_artifacts(int run, struct workdir *dir);
bool workdir_has_artifacts(struct workdir *dir);
/* They are at `path` in the run folder from here on; -1 and errno: they are where they were. */
int workdir_move_artifacts(int run, struct workdir *dir, const char *path);
/* Reports: the same, taken back when they were read. */
int workdir_lend_reports(int run, struct workdir *dir);
void workdir_return_artifacts(int run, struct workdir *dir, bool clean);
void workdirs_close_artifacts(int run); /* those that are left */

#endif
