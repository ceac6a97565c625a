/*
 * Where the output of a case goes. Nothing a case does may depend on somebody reading: descriptors 1 and 2 are
 * regular files without a name (O_TMPFILE) on the file system of the run, named only when they are worth keeping.
 * Where a file system has no O_TMPFILE, a file in a folder of ours that is renamed or removed. Whoever wants a pipe or a
 * terminal there gets one with a relay behind it (relay.h), which writes into these files.
 */
#ifndef RM_HARNESS_CAPTURE_H
#define RM_HARNESS_CAPTURE_H

#include "runner/base/buf.h"
#include "runner/base/fault.h"
#include "runner/base/mask.h"
#include "runner/base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CAPTURE_NOT_INSIDE "it redirects the streams inside a process, and we cannot reach into a program"

/* id, word, why it cannot be had for a program (NULL: it can); for a C test all can */
#define CAPTURE_MODES(X)                              \
    X(CAPTURE_FD, "fd", NULL)                         \
    X(CAPTURE_SYS, "sys", CAPTURE_NOT_INSIDE)         \
    X(CAPTURE_TEE_SYS, "tee-sys", CAPTURE_NOT_INSIDE) \
    X(CAPTURE_NO, "no", NULL)                         \
    X(CAPTURE_PIPE, "pipe", NULL)                     \
    X(CAPTURE_PTY, "pty", NULL)                       \
    X(CAPTURE_MERGED, "merged", NULL)                 \
    X(CAPTURE_DISCARD, "discard", NULL)

enum capture_mode {
#define X(id, word, why) id,
    CAPTURE_MODES(X)
#undef X
        CAPTURE_MODE_COUNT
};

const char *capture_word(enum capture_mode mode);
/* NULL: it can be had. `module`: by a C test. */
const char *capture_unsupported(enum capture_mode mode, bool module);
bool capture_find(struct str word, enum capture_mode *mode);

/* How output gets into the files of a mode. */
struct capture_way {
    bool relayed;  /* through a relay; else the case has the files themselves */
    bool shown;    /* ... as it comes, too */
    bool terminal; /* ... which is a terminal in any case, and the one of the case's session */
    bool one_file; /* both streams are in the first */
    bool
        inside; /* streams of C are in the first two, and what is written past them, by 1 and 2, in the third */
    bool teed; /* ... and come through a relay as well */
};

const struct capture_way *capture_way(enum capture_mode mode);

/*
 * One stream on disk. fd -1: there is none. A file that was not named serves another case, since making one is what
 * costs most; but only when the kernel says that nobody has it open for writing but us. To be asked that, it is opened
 * once more for the case, and what the case leaves behind has that one.
 */
struct capture_file {
    int fd;     /* O_APPEND, read and write */
    int given;  /* the same file opened once more, for the case; -1: it is given `fd` itself */
    bool lent;  /* the case has that one, or none, not ours */
    bool named; /* it was given a name, or was to be */
    struct mask *mask;
    const char *word; /* "stdout", "stderr", "output" (both in one), "descriptors" (see `inside`) */
    char spare
        [24]; /* its name in the spare folder where O_TMPFILE is not to be had; empty: it has none there */
};

#define CAPTURE_FILES_MOST 3

struct capture {
    enum capture_mode mode;
    struct capture_file files[CAPTURE_FILES_MOST]; /* stdout, stderr; or the first holds both */
};

void capture_none(struct capture *capture); /* nothing is open */

struct capture_room;

/*
 * `run` is the folder of the run, open, and must stay so. NULL and errno. One thread. The first file that is opened
 * tells whether O_TMPFILE is to be had (RUN_MATRIX_FAULTS=capture=EOPNOTSUPP@1x1: it is not).
 */
struct capture_room *capture_room_new(int run, struct faults *faults);
void capture_room_free(struct capture_room *room);

/* What is kept from now on, and last lines, are without what `mask` hides. The caller's. */
void capture_mask(struct capture_room *room, struct mask *mask);

/*
 * Opens what the mode needs and says what to give the child as 0, 1 and 2; where it is relayed, 1 and 2 are -1, for a
 * relay to be put there. -1 and errno, with nothing left open.
 */
int capture_open(struct capture_room *room, enum capture_mode mode, struct capture *capture, int stdio[3]);
/* What the stream `i` of C in the case is to write into where that is `inside` and not `teed`. */
int capture_stream(struct capture_room *room, struct capture *capture, int i);
void capture_started(struct capture *capture); /* closes our copies of what the case was given */
uint64_t capture_size(const struct capture_file *file);
/* The files in a folder, but for streams that have their names there; not below it. 0: it is not there. */
uint64_t capture_folder_size(int at, const char *path);
bool capture_is_stream(const char *name); /* "stdout" ... */
/*
 * Before it is kept: takes out what nobody may read. What is there afterwards is another file when something was
 * found. -1 and errno: it must not be kept.
 */
int capture_hide(struct capture_room *room, struct capture_file *file);
/*
 * Gives a file a name in the run folder ("cases/x/1/stdout"), its folders made; it stays open. May be called again.
 * Where it cannot have one the name is that of a copy of what is in it now. What has the name already is replaced.
 */
int capture_keep(struct capture_room *room, struct capture_file *file, const char *path);
/* Takes a name back, and the folders that are empty without it. */
void capture_unkeep(struct capture_room *room, const char *path);
/*
 * Appends a file to the pack of passed cases and says where it is there; files past CAPTURE_PACK_MOST are not
 * packed (false, errno EFBIG): they are to be kept. An empty one is nowhere, offset 0. What was said to be
 * packed has been written, so a runner that is killed loses nothing of it; after an error the pack is what it
 * was. Who wants to know the size, too, asks before: somebody may still be writing.
 */
#define CAPTURE_PACK_MOST ((uint64_t)64 << 10)
bool capture_pack(struct capture_room *room, struct capture_file *file, uint64_t *offset);
/* Closes; what was not kept or packed is gone. */
void capture_close(struct capture_room *room, struct capture *capture);

/*
 * The last line that is not blank, of a progress bar drawn with \r the last piece; at most `most` bytes of it, as it
 * was written. For people and skip reasons.
 */
void capture_last_line(const struct capture_file *file, size_t most, struct buf *out);
/* The last of the last lines that begins so, without that; nothing where there is none. */
void capture_last_begun(const struct capture_file *file, const char *begin, size_t most, struct buf *out);
/* No room left on the file system of the run: what was written last may be cut, and nobody was told. */
bool capture_disk_full(struct capture_room *room);

#endif
