/* What is forgotten, so that the file does not grow for ever. */
#include "runner/history/internal.h"

#define OVER   10 /* runs are forgotten when they are a tenth too many: it takes a walk through all results */
#define ROUNDS 20 /* halvings: then there is nothing left */
#define EACH   16 /* of a case results are counted once in so many runs */

const struct history_bounds history_bounds = {100, 5000, (uint64_t)256 << 20};

/* ---- of one case ---- */

void bounds_case(struct history *h, int64_t number, int64_t run, const struct history_bounds *bounds)
{
    sqlite3_stmt *oldest, *cut;
    int64_t at = 0;

    if (((uint64_t)number + (uint64_t)run) % EACH != 0)
        return;
    oldest = sql_use(h, SQL_OLDEST_KEPT);
    cut = sql_use(h, SQL_CUT_RESULTS);
    if (!oldest || !cut)
        return;
    sqlite3_bind_int64(oldest, 1, number);
    sqlite3_bind_int64(oldest, 2, bounds->results ? bounds->results - 1 : 0);
    if (!sql_row(h, oldest))
        return;
    at = sqlite3_column_int64(oldest, 0);
    sql_end(oldest);
    sqlite3_bind_int64(cut, 1, number);
    sqlite3_bind_int64(cut, 2, at);
    sql_do(h, cut);
}

/* ---- of all ---- */

static int64_t ask(struct history *h, enum statement which, int64_t parameter, bool has_one)
{
    sqlite3_stmt *statement = sql_use(h, which);
    int64_t answer = 0;

    if (statement && has_one)
        sqlite3_bind_int64(statement, 1, parameter);
    if (sql_row(h, statement)) {
        answer = sqlite3_column_int64(statement, 0);
        sql_end(statement);
    }
    return answer;
}

/* All but the newest so many. */
static void forget_all_but(struct history *h, int64_t runs)
{
    static const enum statement drops[] = {SQL_DROP_RUNS, SQL_DROP_RESULTS, SQL_DROP_INSIDES, SQL_DROP_CASES};
    int64_t at = ask(h, SQL_NTH_RUN, runs - 1, true);

    for (size_t i = 0; i < sizeof drops / sizeof *drops && !h->error; i++) {
        sqlite3_stmt *drop = sql_use(h, drops[i]);

        if (drop)
            sqlite3_bind_int64(drop, 1, at);
        sql_do(h, drop);
    }
}

static bool is_too_large(struct history *h, const struct history_bounds *bounds)
{
    int64_t used = ask(h, SQL_USED_BYTES, 0, false);

    return !h->error && used > 0 && (uint64_t)used > bounds->bytes;
}

void bounds_all(struct history *h, const struct history_bounds *bounds)
{
    int64_t runs = ask(h, SQL_COUNT_RUNS, 0, false);

    if (!h->error && runs > (int64_t)bounds->runs + bounds->runs / OVER) {
        runs = bounds->runs ? bounds->runs : 1;
        forget_all_but(h, runs);
    }
    for (int i = 0; i < ROUNDS && runs > 1 && is_too_large(h, bounds); i++) {
        runs = (runs + 1) / 2;
        forget_all_but(h, runs);
    }
}
