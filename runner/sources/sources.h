/*
 * Tests that are C source: which files there are, what a comment in one asks for, and the cache of what compilers have
 * made of them. Starts nobody.
 */
#ifndef RM_RUNNER_SOURCES_H
#define RM_RUNNER_SOURCES_H

#include "runner/base/arena.h"
#include "runner/base/diag.h"

#include <stdint.h>

/* ---- which files ---- */

bool source_is(struct str path); /* C source, by its name */
/* What a folder of tests holds by their names: test_*.c and test_*.so. */
bool source_is_test(struct str name);
/*
 * All of them in `folder` and below, by the order of names, each path beginning as `folder` does; of a module beside its own source the
 * source. Hidden folders and links to folders are not looked into. 0, or an errno.
 */
int sources_below(struct arena *arena, const char *folder, struct str **paths, size_t *count);
/* fixtures_*.c of the folder that a file is in, sorted. 0, or an errno. */
int sources_fixtures(struct arena *arena, const char *file, struct str **paths, size_t *count);

/* ---- words of a command line ---- */

/* All zero is empty; in an arena, each ends in NUL. */
struct flags {
    const char **list;
    uint32_t count, cap;
};

void flags_add(struct arena *arena, struct flags *flags, const char *word);
void flags_append(struct arena *arena, struct flags *flags, const struct flags *more);
/* As a shell takes them apart, with its quotes and nothing else of it. False: a quote has no end. */
bool flags_split(struct arena *arena, struct str text, struct flags *flags);
/* Any word begins like this. */
bool flags_have(const struct flags *flags, const char *beginning);

/* ---- what a source asks for ---- */

struct source_wish {
    struct flags cflags, ldflags, packages, sources;
    struct place packages_at;
};

#define SOURCE_HEAD_LINES 40u /* where it may say so */

/*
 * `run-matrix: cflags: -O2; ldflags: -lm` in comments at the head of a source, which has `text`, is called `file` by us,
 * and `called` where it is compiled. What it says of paths begins at its own folder; in `wish` they are as they are
 * seen from there. False and an error in diags when it says something else.
 */
bool source_wish_read(struct arena *arena, const char *file, const char *called, struct str text,
                      struct source_wish *wish, struct diags *diags);

/* ---- what a text, or a file, is known by ---- */

/* FNV-1a of 128 bits: two texts that have it in common are one. */
__extension__ typedef unsigned __int128 digest;

digest digest_start(void);
digest digest_bytes(digest d, const void *bytes, size_t len);
digest digest_text(digest d, const char *text); /* with its end, so that no two rows of texts are alike */
digest digest_digest(digest d, digest other);

#define DIGEST_TEXT 33
void digest_format(char text[DIGEST_TEXT], digest d);

/* A file as it was: when all but the content is as ever, so is that. */
struct stamp {
    uint64_t size, inode;
    int64_t mtime, ctime; /* ns */
    digest content;
};

/* Files that were looked at, each once. */
struct stamps;
struct stamps *stamps_new(void);
void stamps_free(struct stamps *stamps);
/* `known`: as it was once, or NULL. -1 and errno: it is not there, or cannot be read. */
int stamps_get(struct stamps *stamps, const char *path, const struct stamp *known, struct stamp *stamp);

/* ---- the cache ---- */

struct cache {
    const char *path; /* absolute */
    int fd;           /* -1: it is not open */
};

struct made_of {
    const char *path; /* absolute */
    struct stamp stamp;
};

/* Something that was made: out of which files, and a text that goes with it. */
struct entry {
    const char *output; /* name below the cache; "": there is no file */
    struct stamp made;
    struct made_of *files;
    uint32_t count, cap;
    struct str text;
};

/* Makes what is missing. -1 and errno. */
int cache_open(struct cache *cache, const char *folder, struct arena *arena);
void cache_close(struct cache *cache);
/* A path in the cache for something in the making, that nobody else has. */
const char *cache_temporary(struct cache *cache, struct arena *arena, const char *ending);
/* Name below the cache of what has this digest, and its absolute path. */
const char *cache_name(struct arena *arena, const char *stem, digest id, const char *ending);
const char *cache_path(const struct cache *cache, struct arena *arena, const char *name);

/* False: there is none, or it is damaged. */
bool cache_load(struct cache *cache, digest key, struct arena *arena, struct entry *entry);
/*
 * Is it as it was: what it was made of, and what was made? One whose files were only touched is written anew, so that
 * they need not be read again.
 */
bool cache_is_fresh(struct cache *cache, digest key, struct entry *entry, struct stamps *stamps);
int cache_save(struct cache *cache, digest key,
               const struct entry *entry); /* whole or not at all; -1 and errno */
void entry_add(struct arena *arena, struct entry *entry, const char *path, const struct stamp *stamp);

/*
 * What was not used for long goes when there is more than this; what was left in the making goes anyway. Nothing that
 * has been used in the last two days.
 */
#define CACHE_MOST ((uint64_t)512 << 20)
void cache_tidy(struct cache *cache, uint64_t most);

/* ---- what compilers say of files ---- */

/* The files of a rule as `cc -MD` writes it; a relative one begins at `folder` ("" or with a slash at its end). */
void depfile_read(struct arena *arena, struct str text, const char *folder, struct flags *files);
/* The files that `ld --trace` tells of. */
void trace_read(struct arena *arena, struct str text, const char *folder, struct flags *files);

#endif
