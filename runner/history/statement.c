/* Statements, prepared once. All that is not ours goes into them as parameters. */
#include "runner/history/internal.h"

#include <limits.h>

sqlite3_stmt *sql_use(struct history *h, enum statement which)
{
    static const char *const texts[SQL_COUNT] = {
#define X(id, text) [SQL_##id] = (text),
        STATEMENTS(X)
#undef X
    };
    sqlite3_stmt **statement = &h->statements[which];

    if (h->error)
        return NULL;
    if (!*statement && !history_check(h, sqlite3_prepare_v3(h->db, texts[which], -1,
                                                            SQLITE_PREPARE_PERSISTENT, statement, NULL)))
        return NULL;
    return *statement;
}

bool sql_row(struct history *h, sqlite3_stmt *statement)
{
    int result = statement ? sqlite3_step(statement) : SQLITE_DONE;

    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE)
        history_check(h, result);
    sql_end(statement);
    return false;
}

void sql_end(sqlite3_stmt *statement)
{
    if (!statement)
        return;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

bool sql_do(struct history *h, sqlite3_stmt *statement)
{
    while (sql_row(h, statement))
        ;
    return !h->error;
}

/* The text stays where it is until the statement has ended. */
void sql_text(sqlite3_stmt *statement, int parameter, struct str text)
{
    if (statement)
        sqlite3_bind_text64(statement, parameter, text.ptr ? text.ptr : "", text.len, SQLITE_STATIC,
                            SQLITE_UTF8);
}

struct str sql_column(sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);

    return (struct str){bytes ? bytes : "", (size_t)sqlite3_column_bytes(statement, column)};
}

bool sql_begin(struct history *h)
{
    return sql_do(h, sql_use(h, SQL_BEGIN));
}

bool sql_commit(struct history *h)
{
    return sql_do(h, sql_use(h, SQL_COMMIT));
}

/* Also where nothing else is done any more. */
void sql_roll_back(struct history *h)
{
    if (!sqlite3_get_autocommit(h->db))
        sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
}
