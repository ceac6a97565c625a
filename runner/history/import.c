/* A run out of its journal: one row for each case that came to something, in one transaction. */
#include "runner/history/internal.h"

#include "runner/base/io.h"
#include "runner/base/mask.h"
#include "runner/base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct importing {
    struct history *h;
    const struct journal_record *record;
    const struct history_bounds *bounds;
    int folder;
    int64_t run, at; /* its number in the database, and its place among all */
    struct arena scratch;
};

/* ---- the run ---- */

/* The number that the name of a run begins with; 0: none. */
static int64_t number_of(struct str id)
{
    int64_t number = 0;

    for (size_t i = 0; i < id.len && i < 15 && id.ptr[i] >= '0' && id.ptr[i] <= '9'; i++)
        number = number * 10 + (id.ptr[i] - '0');
    return number;
}

static bool find_run(struct history *h, struct str id, int64_t *run, int64_t *at, int64_t *size)
{
    sqlite3_stmt *find = sql_use(h, SQL_FIND_RUN);
    bool found;

    sql_text(find, 1, id);
    found = sql_row(h, find);
    if (found) {
        *run = sqlite3_column_int64(find, 0);
        *at = sqlite3_column_int64(find, 1);
        *size = sqlite3_column_int64(find, 2);
        sql_end(find);
    }
    return found;
}

/* In the order of those that are there still, which numbers alone do not tell: whoever removes them by hand begins at 1. */
static int64_t before_next(struct history *h, int64_t at)
{
    int64_t run, next, size;

    return h->next.len && find_run(h, h->next, &run, &next, &size) && next > 1 && next <= at ? next - 1 : at;
}

/* A clock that was put back must not make a run older than those it came after, nor newer than the one after it. */
static int64_t place_of(struct history *h, const struct journal_record *record)
{
    sqlite3_stmt *latest = sql_use(h, SQL_LATEST_BELOW);
    int64_t at = record->run.wall > 0 ? record->run.wall : 1, below;

    if (!latest)
        return at;
    sqlite3_bind_int64(latest, 1, number_of(record->run.id));
    if (sql_row(h, latest)) {
        below = sqlite3_column_int64(latest, 0);
        if (below >= at && below < INT64_MAX)
            at = below + 1;
    }
    sql_end(latest);
    return before_next(h, at);
}

void history_next(struct history *h, struct str run)
{
    h->next = run;
}

bool history_knows(struct history *h, struct str run, uint64_t journal_size)
{
    int64_t no, at, size = -1;

    history_until(h);
    return find_run(h, run, &no, &at, &size) && size >= 0 && (uint64_t)size == journal_size;
}

static void add_run(struct importing *i, int64_t size)
{
    const struct journal_record *record = i->record;
    sqlite3_stmt *add = sql_use(i->h, SQL_ADD_RUN);

    if (!add)
        return;
    i->at = place_of(i->h, record);
    sql_text(add, 1, record->run.id);
    sqlite3_bind_int64(add, 2, number_of(record->run.id));
    sqlite3_bind_int64(add, 3, i->at);
    sqlite3_bind_int64(add, 4, record->run.wall);
    sqlite3_bind_int(add, 5, record->run.soak);
    sqlite3_bind_int64(add, 6, size);
    sqlite3_bind_int(add, 7, record->finished);
    sqlite3_bind_int(add, 8, record->exit_code);
    sql_text(add, 9, i->h->boot);
    if (sql_do(i->h, add))
        i->run = sqlite3_last_insert_rowid(i->h->db);
}

static void set_run(struct importing *i, int64_t size)
{
    sqlite3_stmt *set = sql_use(i->h, SQL_SET_RUN);

    if (!set)
        return;
    sqlite3_bind_int64(set, 1, i->run);
    sqlite3_bind_int64(set, 2, size);
    sqlite3_bind_int(set, 3, i->record->finished);
    sqlite3_bind_int(set, 4, i->record->exit_code);
    sql_text(set, 5, i->h->boot);
    sql_do(i->h, set);
}

/* ---- a case ---- */

struct str history_command_id(struct arena *arena, struct str id)
{
    return str_of(arena_printf(arena, "exec %.*s", STR_ARG(id))); /* no id has a space */
}

static int64_t add_case(struct importing *i, struct str id, int64_t pending)
{
    sqlite3_stmt *add = sql_use(i->h, SQL_ADD_CASE);

    if (!add)
        return 0;
    sql_text(add, 1, id);
    sqlite3_bind_int64(add, 2, i->at);
    sqlite3_bind_int64(add, 3, pending);
    return sql_do(i->h, add) ? sqlite3_last_insert_rowid(i->h->db) : 0;
}

static void set_case(struct importing *i, int64_t number, int64_t pending)
{
    sqlite3_stmt *set = sql_use(i->h, SQL_SET_CASE);

    if (!set)
        return;
    sqlite3_bind_int64(set, 1, number);
    sqlite3_bind_int64(set, 2, i->at);
    sqlite3_bind_int64(set, 3, pending);
    sql_do(i->h, set);
}

/* Its number in the database; nothing is written where nothing changes. */
static int64_t reach_case(struct importing *i, struct str id, int64_t pending)
{
    sqlite3_stmt *find = sql_use(i->h, SQL_FIND_CASE);
    int64_t number;
    bool changes;

    sql_text(find, 1, id);
    if (!sql_row(i->h, find))
        return add_case(i, id, pending);
    number = sqlite3_column_int64(find, 0);
    changes = sqlite3_column_int64(find, 1) > i->at || sqlite3_column_int64(find, 2) < pending;
    sql_end(find);
    if (changes)
        set_case(i, number, pending);
    return number;
}

/* ---- what it came to ---- */

static bool is_own_end(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PASSED:
    case VERDICT_XPASSED:
    case VERDICT_XPASSED_STRICT:
    case VERDICT_XFAILED:
    case VERDICT_FAILED:
    case VERDICT_CRASHED:
    case VERDICT_LEAKED: return true;
    default: return false; /* what we have ended says how long we waited */
    }
}

static bool is_partial(const struct journal_attempt *last)
{
    return last->results && last->results->asked;
}

static int flags_of(const struct journal_attempt *last)
{
    int flags = is_partial(last) ? RESULT_PARTIAL : 0;

    if (verdict_counts(last->outcome) == COUNT_FAILED && !last->quarantined)
        flags |= RESULT_FAILED;
    if (last->outcome == VERDICT_FLAKY && last->flaky_fails)
        flags |= RESULT_FAILED | RESULT_WHOLE;
    if (verdict_counts(last->verdict) == COUNT_PASSED && !flags)
        flags |= RESULT_PASSED;
    return flags;
}

static void add_result(struct importing *i, int64_t number, const struct journal_history *history, int flags)
{
    const struct journal_attempt *last = journal_last(history);
    sqlite3_stmt *add = sql_use(i->h, SQL_ADD_RESULT);
    bool timed = is_own_end(last->verdict) && !is_partial(last);

    if (!add)
        return;
    sqlite3_bind_int64(add, 1, number);
    sqlite3_bind_int64(add, 2, i->at);
    sqlite3_bind_int64(add, 3, i->run);
    sql_text(add, 4, str_of(verdict_word(last->outcome)));
    sqlite3_bind_int(add, 5, (int)history->count);
    sqlite3_bind_int(add, 6, flags);
    sqlite3_bind_int64(add, 7, timed ? last->duration : -1);
    sqlite3_bind_int64(add, 8, i->record->run.wall + last->at / NS_PER_MS);
    sql_do(i->h, add);
}

/* ---- tests inside ---- */

struct collecting {
    struct importing *i;
    const struct journal_attempt *attempt;
    int64_t number;
    uint32_t place, failed, told; /* `place`: in the order of the suite */
    bool hidden;                  /* what it is called nobody can be told */
};

static bool collect(void *user, const struct journal_result *result)
{
    struct collecting *c = user;
    bool failed = verdict_counts(journal_result_counts(c->attempt, result->verdict)) == COUNT_FAILED;
    sqlite3_stmt *add;
    size_t at;

    c->place++;
    if (!failed && !is_partial(c->attempt))
        return true;
    add = sql_use(c->i->h, SQL_ADD_INSIDE);
    c->failed += failed;
    c->hidden = c->hidden || (failed && str_find(result->id, MASK_SHOWN, &at));
    if (!add || ++c->told > HISTORY_INSIDE_MOST)
        return false;
    sqlite3_bind_int64(add, 1, c->number);
    sqlite3_bind_int64(add, 2, c->i->at);
    sqlite3_bind_int64(add, 3, c->i->run);
    sql_text(add, 4, result->id);
    sqlite3_bind_int64(add, 5, c->place);
    sqlite3_bind_int(add, 6, failed);
    return sql_do(c->i->h, add);
}

static void drop_inside(struct importing *i, int64_t number, bool below)
{
    sqlite3_stmt *drop = sql_use(i->h, below ? SQL_DROP_INSIDE_BELOW : SQL_DROP_INSIDE);

    if (!drop)
        return;
    sqlite3_bind_int64(drop, 1, number);
    sqlite3_bind_int64(drop, 2, i->at);
    if (!below)
        sqlite3_bind_int64(drop, 3, i->run);
    sql_do(i->h, drop);
}

static int open_results(struct importing *i, const struct journal_attempt *last)
{
    const char *path = arena_cstr(&i->scratch, last->results->path);

    return openat(i->folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
}

/* False: which of them failed cannot be said, or not all of them. */
static bool add_inside(struct importing *i, int64_t number, const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);
    struct collecting c = {.i = i, .attempt = last, .number = number};
    uint32_t torn = 0;
    bool all;
    int fd = open_results(i, last);

    all = fd >= 0 && journal_results_read(fd, collect, &c, &torn) == 0 && !torn && !c.hidden &&
          c.told <= HISTORY_INSIDE_MOST;
    fd_close(&fd);
    return all && (c.failed || !journal_failed_results(last->results));
}

static int take_inside(struct importing *i, int64_t number, const struct journal_history *history, int flags)
{
    const struct journal_attempt *last = journal_last(history);
    bool failed = flags & RESULT_FAILED, told = journal_has_results(last);

    /* What earlier runs know of the tests inside is of no use after all of them were run. */
    if (!(flags & RESULT_PARTIAL) && told)
        drop_inside(i, number, true);
    if (!told || (!failed && !(flags & RESULT_PARTIAL)))
        return failed ? flags | RESULT_WHOLE : flags;
    drop_inside(i, number, false);
    if ((!add_inside(i, number, history) || journal_counts_itself(history)) && failed)
        flags |= RESULT_WHOLE;
    return flags;
}

/* ---- all of them ---- */

static void import_case(struct importing *i, const struct journal_history *history)
{
    struct str id = history->what->id;
    bool came = journal_outcome(history) != VERDICT_NOT_RUN;
    int64_t number;

    if (!id.len)
        return; /* the line that told it cannot be read */
    arena_clear(&i->scratch);
    if (!i->record->run.file.len)
        id = history_command_id(&i->scratch, id);
    number = reach_case(i, id, came ? 0 : i->at);
    if (!came || i->h->error)
        return;
    add_result(i, number, history, take_inside(i, number, history, flags_of(journal_last(history))));
    bounds_case(i->h, number, i->run, i->bounds);
}

/* Fixtures that failed come behind those that were planned, and are no cases of anybody's. */
static void import_cases(struct importing *i)
{
    const struct journal_record *record = i->record;
    uint32_t count = record->case_count < record->run.cases ? record->case_count : record->run.cases;

    for (uint32_t c = 0; c < count && !i->h->error && !record->run.soak; c++) {
        import_case(i, &record->cases[c]);
        if (i->h->faults && c == count / 2)
            fault_die(i->h->faults, FAULT_DIE_HISTORY);
    }
}

static void import(struct importing *i, int64_t journal_size)
{
    int64_t size = -1;

    if (!find_run(i->h, i->record->run.id, &i->run, &i->at, &size))
        add_run(i, journal_size);
    else if (size != journal_size)
        set_run(i, journal_size);
    else
        return; /* somebody else has done it meanwhile */
    import_cases(i);
    bounds_all(i->h, i->bounds);
}

static void die_here(struct history *h)
{
    if (h->faults)
        fault_die(h->faults, FAULT_DIE_HISTORY);
}

bool history_import(struct history *h, const struct journal_record *record, int folder, uint64_t journal_size,
                    const struct history_bounds *bounds)
{
    struct importing i = {.h = h, .record = record, .bounds = bounds, .folder = folder};
    bool done;

    history_until(h);
    history_look_away(h);
    if (sql_begin(h)) {
        die_here(h);
        import(&i, (int64_t)journal_size);
        die_here(h);
    }
    done = !h->error && sql_commit(h);
    die_here(h);
    if (!done) {
        sql_roll_back(h);
        history_say(h, "what the last runs came to is not in it");
        if (!history_is_spoilt(h))
            h->error = 0; /* it can still be read */
    }
    arena_release(&i.scratch);
    return done;
}
