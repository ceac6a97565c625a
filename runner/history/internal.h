/* What the files of this room share. */
#ifndef RM_RUNNER_HISTORY_INTERNAL_H
#define RM_RUNNER_HISTORY_INTERNAL_H

#include "runner/history/history.h"

#include <sqlite3.h>
#include <sys/stat.h>

#define HISTORY_VERSION 1
/* "RMhi", as the fourth to last words of a header of SQLite have it. */
#define HISTORY_APPLICATION 0x524d6869

/* What a row of results says beside its outcome. */
#define RESULT_FAILED  1 /* it made its run fail */
#define RESULT_PARTIAL 2 /* only some of the tests inside were asked for */
#define RESULT_WHOLE   4 /* failed, and not, or not only, by tests inside that can be named */
#define RESULT_PASSED  8 /* its duration is that of all of it, and it passed */

/* id, text. What a text says of tables stands in schema.c. */
#define STATEMENTS(X)                                                                                       \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                             \
    X(LOOK, "BEGIN")                                                                                        \
    X(COMMIT, "COMMIT")                                                                                     \
    X(FIND_RUN, "SELECT no, at, size FROM runs WHERE id = ?1")                                              \
    X(LATEST_BELOW, "SELECT max(at) FROM runs WHERE number < ?1")                                           \
    X(ADD_RUN, "INSERT INTO runs(id, number, at, wall, soak, size, finished, exit, boot) VALUES(?1, ?2, "   \
               "?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                                               \
    X(SET_RUN, "UPDATE runs SET size = ?2, finished = ?3, exit = ?4, boot = ?5 WHERE no = ?1")              \
    X(FIND_CASE, "SELECT no, first, pending FROM cases WHERE id = ?1")                                      \
    X(ADD_CASE, "INSERT INTO cases(id, first, pending) VALUES(?1, ?2, ?3)")                                 \
    X(SET_CASE, "UPDATE cases SET first = min(first, ?2), pending = max(pending, ?3) WHERE no = ?1")        \
    X(ADD_RESULT, "INSERT OR REPLACE INTO results(of, at, run, outcome, attempts, flags, duration, ended) " \
                  "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                                 \
    X(ADD_INSIDE,                                                                                           \
      "INSERT OR REPLACE INTO inside(of, at, run, id, place, failed) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")       \
    X(DROP_INSIDE, "DELETE FROM inside WHERE of = ?1 AND at = ?2 AND run = ?3")                             \
    X(DROP_INSIDE_BELOW, "DELETE FROM inside WHERE of = ?1 AND at < ?2")                                    \
    X(RESULTS_OF, "SELECT at, run, outcome, flags, duration FROM results WHERE of = ?1 AND at < ?2 ORDER "  \
                  "BY at DESC, run DESC")                                                                   \
    X(INSIDE_OF, "SELECT id, failed, place FROM inside WHERE of = ?1 AND at = ?2 AND run = ?3")             \
    X(PASSES_OF, "SELECT duration FROM results WHERE of = ?1 AND at < ?2 AND flags & 8 ORDER BY at DESC, "  \
                 "run DESC LIMIT ?3")                                                                       \
    X(OLDEST_KEPT, "SELECT at FROM results WHERE of = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2")               \
    X(CUT_RESULTS, "DELETE FROM results WHERE of = ?1 AND at < ?2")                                         \
    X(COUNT_RUNS, "SELECT count(*) FROM runs")                                                              \
    X(NTH_RUN, "SELECT at FROM runs ORDER BY at DESC LIMIT 1 OFFSET ?1")                                    \
    X(DROP_RUNS, "DELETE FROM runs WHERE at < ?1")                                                          \
    X(DROP_RESULTS, "DELETE FROM results WHERE at < ?1")                                                    \
    X(DROP_INSIDES, "DELETE FROM inside WHERE at < ?1")                                                     \
    X(DROP_CASES,                                                                                           \
      "DELETE FROM cases WHERE pending < ?1 AND NOT EXISTS (SELECT 1 FROM results WHERE of = no)")          \
    X(USED_BYTES, "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "               \
                  "pragma_freelist_count, pragma_page_size")

enum statement {
#define X(id, text) SQL_##id,
    STATEMENTS(X)
#undef X
        SQL_COUNT
};

struct history {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT]; /* NULL: not prepared yet */
    int folder;                          /* not owned */
    int lock;                            /* see aside.c; -1: there is none to be had here */
    const char *path;                    /* of the folder, and of the file, for people */
    const char *file;
    struct str boot;    /* of the machine, as it is running now */
    struct stat opened; /* the file that is; nothing: it was not there before */
    struct faults *faults;
    struct diags *diags;
    nanos waited; /* for locks */
    nanos until;  /* what goes on now is broken off then */
    int64_t before;
    struct str next; /* the run that came after the one that is imported; empty: not known */
    int error;       /* the first result of SQLite that was not good: nothing more is done. 0: none */
    bool said;       /* ... and people know */
};

/* ---- open.c ---- */

/* The first error stays; true: there is none. A busy database is one too. */
bool history_check(struct history *h, int result);
/* Says it with what was to be done: "this run is not in it". Once. */
void history_say(struct history *h, const char *what);
/* What SQLite answers only when the file is not what it should be. */
bool history_means_broken(int result);
void history_until(struct history *h);

/* ---- statement.c ---- */

/* Ready for its parameters, NULL: history is spoilt. */
sqlite3_stmt *sql_use(struct history *h, enum statement which);
/* A row is there. Whoever has seen enough of them calls sql_end. */
bool sql_row(struct history *h, sqlite3_stmt *statement);
void sql_end(sqlite3_stmt *statement);
/* To its end, for what it does; false: it was not done. */
bool sql_do(struct history *h, sqlite3_stmt *statement);
void sql_text(sqlite3_stmt *statement, int parameter, struct str text);
struct str sql_column(sqlite3_stmt *statement, int column); /* until the next row */
bool sql_begin(struct history *h);
bool sql_commit(struct history *h);
void sql_roll_back(struct history *h);

/* ---- schema.c ---- */

enum schema_is {
    SCHEMA_OURS,
    SCHEMA_NONE,  /* there is nothing in it yet */
    SCHEMA_NEWER, /* a newer program's */
    SCHEMA_FOREIGN,
    SCHEMA_UNKNOWN /* history has an error */
};
/* Within a transaction. */
enum schema_is schema_look(struct history *h);
bool schema_make(struct history *h);
/*
 * Nothing is flushed to the disk after a run: that would take longer than most runs do. So whatever the last who wrote has left
 * when the machine went down may be half of it; and all of it is looked through once when the machine has been started since.
 */
bool schema_is_whole(struct history *h);

/* ---- aside.c ---- */

/*
 * Held by all who have the file open, and by who renames it alone: SQLite finds a journal by the name of its file, so one who
 * still had the old file open would take, and remove, the journal of the new one. False: it is not to be had, and that was said.
 */
bool lock_shared(struct history *h);
void lock_release(struct history *h);
/*
 * Renames the file that was opened, and what SQLite has beside it, unless somebody else has done so already; it must be closed.
 * True: the place is free, or another file is there. The lock is given back either way.
 */
bool aside_put(struct history *h, const char *why);

/* ---- bounds.c ---- */

void bounds_case(struct history *h, int64_t number, int64_t run, const struct history_bounds *bounds);
void bounds_all(struct history *h, const struct history_bounds *bounds);

#endif
