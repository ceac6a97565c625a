/* The tables, and whether a file has them. */
#include "runner/history/internal.h"

#include "runner/base/mem.h"

#include <stdio.h>

/*
 * `at` is the order of runs: when a run began, in ms since 1970, but never before a run of a lower number, since a wall clock
 * may jump. `pending` is the same of the newest run that did not come to a case, 0: none.
 */
static const char *const tables[] = {
    "CREATE TABLE runs(no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, number INT NOT NULL, "
    "at INT NOT NULL, wall INT NOT NULL, soak INT NOT NULL, size INT NOT NULL, finished INT NOT NULL, "
    "exit INT NOT NULL, boot TEXT NOT NULL)",
    "CREATE TABLE cases(no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, first INT NOT NULL, "
    "pending INT NOT NULL)",
    "CREATE TABLE results(of INT NOT NULL, at INT NOT NULL, run INT NOT NULL, outcome TEXT NOT NULL, "
    "attempts INT NOT NULL, flags INT NOT NULL, duration INT NOT NULL, ended INT NOT NULL, "
    "PRIMARY KEY(of, at, run)) WITHOUT ROWID",
    "CREATE TABLE inside(of INT NOT NULL, at INT NOT NULL, run INT NOT NULL, id TEXT NOT NULL, "
    "place INT NOT NULL, failed INT NOT NULL, PRIMARY KEY(of, at, run, id)) WITHOUT ROWID",
};

/* ---- looking ---- */

static sqlite3_stmt *prepare(struct history *h, const char *text)
{
    sqlite3_stmt *statement = NULL;

    if (!h->error)
        history_check(h, sqlite3_prepare_v2(h->db, text, -1, &statement, NULL));
    return statement;
}

static int64_t number_of(struct history *h, const char *text, struct str parameter)
{
    sqlite3_stmt *statement = prepare(h, text);
    int64_t number = -1;

    if (parameter.ptr)
        sql_text(statement, 1, parameter);
    if (sql_row(h, statement))
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* Each as we have made it, and nothing in the file that does something by itself. */
static bool has_tables(struct history *h)
{
    const struct str none = {0};

    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        if (number_of(h, "SELECT count(*) FROM sqlite_schema WHERE sql = ?1", str_of(tables[i])) != 1)
            return false;
    return number_of(h, "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')", none) == 0;
}

enum schema_is schema_look(struct history *h)
{
    const struct str none = {0};
    int64_t application = number_of(h, "PRAGMA application_id", none);
    int64_t version = number_of(h, "PRAGMA user_version", none);
    int64_t things = number_of(h, "SELECT count(*) FROM sqlite_schema", none);
    enum schema_is is = SCHEMA_FOREIGN;

    if (h->error)
        return SCHEMA_UNKNOWN;
    if (!application && !version && !things)
        return SCHEMA_NONE;
    if (application == HISTORY_APPLICATION && version > HISTORY_VERSION)
        return SCHEMA_NEWER;
    if (application == HISTORY_APPLICATION && version == HISTORY_VERSION && has_tables(h))
        is = SCHEMA_OURS;
    return h->error ? SCHEMA_UNKNOWN : is;
}

/* False where it is not known. */
static bool is_of_another_boot(struct history *h)
{
    sqlite3_stmt *last = prepare(h, "SELECT boot FROM runs ORDER BY no DESC LIMIT 1");
    bool other = h->boot.len && sql_row(h, last) && !str_eq(sql_column(last, 0), h->boot);

    sqlite3_finalize(last);
    return other;
}

bool schema_is_whole(struct history *h)
{
    sqlite3_stmt *check;
    bool whole;

    if (!is_of_another_boot(h))
        return !h->error;
    check = prepare(h, "PRAGMA quick_check(1)");
    whole = sql_row(h, check) && str_is(sql_column(check, 0), "ok");
    sqlite3_finalize(check);
    return whole;
}

/* ---- making ---- */

static bool execute(struct history *h, const char *text)
{
    return !h->error && history_check(h, sqlite3_exec(h->db, text, NULL, NULL, NULL));
}

static void make(struct history *h)
{
    char text[64];

    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        execute(h, tables[i]);
    snprintf(text, sizeof text, "PRAGMA application_id = %d", HISTORY_APPLICATION);
    execute(h, text);
    snprintf(text, sizeof text, "PRAGMA user_version = %d", HISTORY_VERSION);
    execute(h, text);
}

/* Two may be at it: who comes second finds it made. */
bool schema_make(struct history *h)
{
    if (!sql_begin(h))
        return false;
    if (schema_look(h) == SCHEMA_NONE)
        make(h);
    if (!h->error)
        sql_commit(h);
    sql_roll_back(h);
    return !h->error;
}
