/* Opened and closed; what may go wrong with a file, and what becomes of it then. */
#include "runner/history/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES          3               /* somebody else may put a file aside while we look at it */
#define WORK_MOST      (60 * NS_PER_S) /* of one import, or one look */
#define STEPS          100000          /* of SQLite, between two looks at the clock */
#define TEXT_MOST      (1 << 20)
#define STATEMENT_MOST 4096
#define BOOT_MOST      256

static const struct place nowhere = {0};

/* ---- errors ---- */

bool history_means_broken(int result)
{
    int primary = result & 0xff;

    /* A statement that cannot be made of a file with our tables: they are not what they say. */
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_FORMAT ||
           primary == SQLITE_ERROR || primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH;
}

bool history_check(struct history *h, int result)
{
    if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE)
        return true;
    if (!h->error)
        h->error = result;
    return false;
}

static const char *words_of(const struct history *h)
{
    switch (h->error & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "somebody else has it locked";
    case SQLITE_INTERRUPT: return "it takes too long";
    case SQLITE_READONLY: return "it cannot be written";
    case SQLITE_FULL: return "the disk is full";
    default: return sqlite3_errstr(h->error);
    }
}

void history_say(struct history *h, const char *what)
{
    if (h->said)
        return;
    h->said = true;
    diag_warning(h->diags, nowhere, "'%s': %s: %s", h->file, words_of(h), what);
}

/* ---- time ---- */

static int wait_for_lock(void *user, int count)
{
    struct history *h = user;
    nanos pause = count < 8 ? (nanos)(count + 1) * NS_PER_MS : 20 * NS_PER_MS;
    const struct timespec span = {.tv_nsec = (long)pause};

    if (h->waited >= HISTORY_WAIT)
        return 0;
    nanosleep(&span, NULL);
    h->waited += pause;
    return 1;
}

static int is_too_late(void *user)
{
    const struct history *h = user;

    return clock_now() > h->until;
}

void history_until(struct history *h)
{
    h->until = clock_now() + WORK_MOST;
}

/* ---- a connection ---- */

/* Whatever stands in the file: nothing of it is executed, and nobody is led to other files by it. */
static void make_safe(sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, TEXT_MOST);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, STATEMENT_MOST);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
}

static void disconnect(struct history *h)
{
    for (int i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(h->statements[i]);
        h->statements[i] = NULL;
    }
    sqlite3_close_v2(h->db);
    h->db = NULL;
}

/* What can be read alone is read: whoever writes will be told. */
static bool connect_to(struct history *h)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

    h->error = sqlite3_open_v2(h->file, &h->db, flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (h->error || !h->db)
        return false;
    make_safe(h->db);
    sqlite3_busy_handler(h->db, wait_for_lock, h);
    sqlite3_progress_handler(h->db, STEPS, is_too_late, h);
    return history_check(
        h, sqlite3_exec(h->db,
                        "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; "
                        "PRAGMA synchronous = OFF",
                        NULL, NULL, NULL));
}

/* ---- a file ---- */

/* A FIFO or a device would be waited for; what is no file is not ours to rename. False: none is to be had. */
static bool look_at_file(struct history *h)
{
    h->opened = (struct stat){0};
    if (fstatat(h->folder, HISTORY_NAME, &h->opened, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT;
    if (S_ISREG(h->opened.st_mode))
        return true;
    diag_warning(h->diags, nowhere, "'%s' is no file: this run goes without history", h->file);
    return false;
}

/* All questions are asked in one transaction: somebody else may be making the tables. */
static enum schema_is look_inside(struct history *h)
{
    enum schema_is is;

    if (!connect_to(h) || !history_check(h, sqlite3_exec(h->db, "BEGIN", NULL, NULL, NULL)))
        return SCHEMA_UNKNOWN;
    is = schema_look(h);
    if (is == SCHEMA_OURS && !schema_is_whole(h)) {
        if ((h->error & 0xff) ==
            SQLITE_INTERRUPT) /* each run would look at it for as long, and come to no end */
            h->error = 0;
        history_check(h, SQLITE_CORRUPT);
        is = SCHEMA_UNKNOWN;
    }
    sql_roll_back(h);
    return is;
}

static int put_aside(struct history *h, const char *why)
{
    disconnect(h);
    return aside_put(h, why) && lock_shared(h) ? 0 : -1;
}

/* 1: it can be used; 0: it was put aside, and another may be tried; -1: there is none to be had. */
static int settle(struct history *h)
{
    enum schema_is is = look_inside(h);

    if (is == SCHEMA_OURS || (is == SCHEMA_NONE && schema_make(h)))
        return 1;
    if (is == SCHEMA_FOREIGN)
        return put_aside(h, "is not a history of run-matrix");
    if (is == SCHEMA_NEWER)
        diag_warning(
            h->diags, nowhere,
            "'%s' was written by a newer run-matrix: this one leaves it alone, and goes without history",
            h->file);
    else if (history_is_spoilt(h))
        return put_aside(h, "is broken");
    else
        history_say(h, "this run goes without history");
    return -1;
}

static struct str read_boot(struct arena *arena)
{
    struct buf text = {0};
    struct str boot = {0};

    if (file_read("/proc/sys/kernel/random/boot_id", &text, BOOT_MOST) == 0)
        boot = arena_str(arena, str_trim(buf_str(&text)));
    buf_release(&text);
    return boot;
}

struct history *history_open(int folder, const char *path, struct faults *faults, struct diags *diags)
{
    struct history *h = mem_zero(1, sizeof *h);
    int settled = 0;

    h->folder = folder;
    h->path = path;
    h->file = arena_printf(diags->arena, "%s/" HISTORY_NAME, path);
    h->faults = faults;
    h->diags = diags;
    h->before = INT64_MAX;
    h->boot = read_boot(diags->arena);
    history_until(h);
    h->lock = -1;
    if (!lock_shared(h))
        settled = -1;
    for (int i = 0; settled == 0 && i < TRIES; i++) {
        disconnect(h);
        h->error = 0;
        settled = look_at_file(h) ? settle(h) : -1;
    }
    if (settled > 0)
        return h;
    disconnect(h);
    lock_release(h);
    free(h);
    return NULL;
}

void history_before(struct history *h, int64_t wall)
{
    h->before = wall;
}

bool history_is_spoilt(const struct history *h)
{
    return h->error && history_means_broken(h->error);
}

void history_close(struct history *h)
{
    bool broken = h && history_is_spoilt(h);

    if (!h)
        return;
    if (h->db)
        sql_roll_back(h);
    disconnect(h);
    if (broken)
        aside_put(h, "is broken");
    lock_release(h);
    free(h);
}
