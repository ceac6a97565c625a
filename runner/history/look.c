/* What is known of a case. Rows are read from the newest back; whatever stands in them is only believed where it can be. */
#include "runner/history/internal.h"

#include "runner/base/mem.h"

#include <stdlib.h>

#define ROWS_MOST 100 /* that are looked back for a duration, or for what failed inside */

/* ---- the tests inside ---- */

/* Those that are known by now, newest first: a test that passed later than it failed does not fail any more. */
struct inside {
    struct history *h;
    struct arena *arena;
    struct known {
        struct str id;
        bool failed;
        int64_t place;
    } * list; /* by text, up to `sorted` */
    uint32_t count, cap, sorted;
};

static int by_text(const void *left, const void *right)
{
    const struct known *a = left, *b = right;

    return str_cmp(a->id, b->id);
}

static bool is_known(const struct inside *inside, struct str id)
{
    struct known wanted = {.id = id};

    return inside->sorted && bsearch(&wanted, inside->list, inside->sorted, sizeof wanted, by_text);
}

static void add_inside(struct inside *inside, int64_t number, int64_t at, int64_t run)
{
    sqlite3_stmt *of = sql_use(inside->h, SQL_INSIDE_OF);

    if (!of)
        return;
    sqlite3_bind_int64(of, 1, number);
    sqlite3_bind_int64(of, 2, at);
    sqlite3_bind_int64(of, 3, run);
    while (sql_row(inside->h, of)) {
        struct str id = sql_column(of, 0);

        if (!id.len || is_known(inside, id))
            continue;
        GROW(inside->list, inside->count, inside->cap);
        inside->list[inside->count++] = (struct known){
            arena_str(inside->arena, id), sqlite3_column_int(of, 1) != 0, sqlite3_column_int64(of, 2)};
    }
    if (inside->count)
        qsort(inside->list, inside->count, sizeof *inside->list, by_text);
    inside->sorted = inside->count;
}

static int by_place(const void *left, const void *right)
{
    const struct known *a = left, *b = right;

    if (a->place != b->place)
        return (a->place > b->place) - (a->place < b->place);
    return str_cmp(a->id, b->id);
}

/* In the order in which the suite told of them. */
static void take_inside(struct inside *inside, struct history_case *c)
{
    struct str *failed = ARENA_ARRAY(inside->arena, struct str, inside->count);

    if (inside->count)
        qsort(inside->list, inside->count, sizeof *inside->list, by_place);
    for (uint32_t i = 0; i < inside->count; i++)
        if (inside->list[i].failed)
            failed[c->inside_count++] = inside->list[i].id;
    c->inside = c->inside_count ? failed : NULL;
}

/* ---- the results ---- */

struct walk {
    struct inside inside;
    struct history_case *c;
    int64_t number, at;
    uint32_t rows;
    bool settled; /* how it is is known, back to a run of all that is in it */
    bool whole;
};

/* The newest says how the case is; one that had only a part of it leaves the rest to those before. */
static void walk_row(struct walk *w, sqlite3_stmt *of)
{
    struct history_case *c = w->c;
    int64_t at = sqlite3_column_int64(of, 0), run = sqlite3_column_int64(of, 1);
    int64_t duration = sqlite3_column_int64(of, 4);
    int flags = sqlite3_column_int(of, 3);
    enum verdict outcome;

    if (w->rows++ == 0) {
        w->at = at;
        c->outcome = verdict_find(sql_column(of, 2), &outcome) ? outcome : VERDICT_NOT_RUN;
    }
    if (c->duration < 0 && duration >= 0)
        c->duration = duration;
    if (w->settled)
        return;
    if (flags & RESULT_FAILED && flags & RESULT_WHOLE)
        w->whole = true;
    if (!w->whole && flags & (RESULT_FAILED | RESULT_PARTIAL))
        add_inside(&w->inside, w->number, at, run);
    w->settled = w->whole || !(flags & RESULT_PARTIAL);
}

static void walk_results(struct walk *w)
{
    struct history *h = w->inside.h;
    sqlite3_stmt *of = sql_use(h, SQL_RESULTS_OF);

    if (!of)
        return;
    sqlite3_bind_int64(of, 1, w->number);
    sqlite3_bind_int64(of, 2, h->before);
    while ((!w->settled || w->c->duration < 0) && w->rows < ROWS_MOST && sql_row(h, of))
        walk_row(w, of);
    sql_end(of);
}

static void look_at(struct walk *w, int64_t pending)
{
    struct history_case *c = w->c;

    walk_results(w);
    if (!w->whole)
        take_inside(&w->inside, c);
    c->failed = w->whole || c->inside_count;
    c->pending = pending > w->at && pending < w->inside.h->before;
    free(w->inside.list);
}

/* One transaction for many looks: the locks would take longer than the answers. */
static void begin_looking(struct history *h)
{
    history_until(h);
    if (!h->error && sqlite3_get_autocommit(h->db))
        sql_do(h, sql_use(h, SQL_LOOK));
}

void history_look_away(struct history *h)
{
    sql_roll_back(h);
}

static int64_t find_case(struct history *h, struct str id, int64_t *first, int64_t *pending)
{
    sqlite3_stmt *find = sql_use(h, SQL_FIND_CASE);
    int64_t number = 0;

    sql_text(find, 1, id);
    if (!sql_row(h, find))
        return 0;
    number = sqlite3_column_int64(find, 0);
    *first = sqlite3_column_int64(find, 1);
    *pending = sqlite3_column_int64(find, 2);
    sql_end(find);
    return number;
}

void history_look(struct history *h, struct str id, struct arena *arena, struct history_case *c)
{
    struct walk w = {.inside = {.h = h, .arena = arena}, .c = c};
    int64_t first, pending;

    *c = (struct history_case){.outcome = VERDICT_NOT_RUN, .duration = -1};
    begin_looking(h);
    w.number = find_case(h, id, &first, &pending);
    if (w.number && first < h->before) {
        c->seen = true;
        c->first = first;
        look_at(&w, pending);
    }
    if (h->error)
        history_say(h, "this run goes without history");
}

uint32_t history_streak(struct history *h, struct str id)
{
    int64_t first, pending, number;
    enum verdict outcome = VERDICT_PASSED;
    uint32_t count = 0;
    sqlite3_stmt *of;

    history_until(h);
    number = find_case(h, id, &first, &pending);
    of = number ? sql_use(h, SQL_RESULTS_OF) : NULL;
    if (!of)
        return 0;
    sqlite3_bind_int64(of, 1, number);
    sqlite3_bind_int64(of, 2, h->before);
    while (count < HISTORY_STREAK_MOST && sql_row(h, of)) {
        if (!verdict_find(sql_column(of, 2), &outcome))
            break;
        if (verdict_counts(outcome) == COUNT_NOT_RUN || verdict_counts(outcome) == COUNT_SKIPPED)
            continue;
        if (outcome != VERDICT_PASSED)
            break;
        count += !(sqlite3_column_int(of, 3) & RESULT_PARTIAL);
    }
    sql_end(of);
    return count;
}

uint32_t history_passes(struct history *h, struct str id, nanos passes[HISTORY_PASSES_MOST])
{
    int64_t first, pending, number;
    sqlite3_stmt *of;
    uint32_t count = 0;

    begin_looking(h);
    number = find_case(h, id, &first, &pending);
    of = number ? sql_use(h, SQL_PASSES_OF) : NULL;
    if (!of)
        return 0;
    sqlite3_bind_int64(of, 1, number);
    sqlite3_bind_int64(of, 2, h->before);
    sqlite3_bind_int(of, 3, HISTORY_PASSES_MOST);
    while (count < HISTORY_PASSES_MOST && sql_row(h, of)) {
        nanos duration = sqlite3_column_int64(of, 0);

        if (duration >= 0)
            passes[count++] = duration;
    }
    sql_end(of);
    return count;
}
