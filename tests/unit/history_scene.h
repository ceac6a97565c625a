/* A folder with a database in it, and runs made by hand, for the tests of history. */
#ifndef TESTS_HISTORY_SCENE_H
#define TESTS_HISTORY_SCENE_H

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/history/history.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define WALL INT64_C(1795241567123)

struct scene {
    char path[64];
    int fd;
    struct faults faults;
    struct arena arena;
    struct diags diags;
};

static inline int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    strcpy(s->path, "/tmp/test_history-XXXXXX");
    s->diags.arena = &s->arena;
    *state = s;
    s->fd = mkdtemp(s->path) ? dir_open(AT_FDCWD, s->path) : -1;
    return s->fd < 0 ? -1 : 0;
}

static inline int tear_down(void **state)
{
    struct scene *s = *state;

    fd_close(&s->fd);
    chmod(s->path, 0700);
    dir_remove(AT_FDCWD, s->path);
    arena_release(&s->arena);
    free(s);
    return 0;
}

/* What a case came to; `duration` 0: a millisecond. */
struct past {
    const char *id;
    enum verdict outcome;
    nanos duration;
    const char *inside; /* "a -b": of the tests inside a passed and b failed; NULL: it tells of none */
    uint32_t asked;
    bool quarantined, flaky_fails;
};
#define PAST(name, came, ...) ((struct past){.id = (name), .outcome = (came), ##__VA_ARGS__})

/* A whole run whose id begins with `number`, begun at WALL + `wall`. */
struct made {
    struct journal_record record;
    uint64_t size;
};

static inline const struct journal_results *make_results(struct scene *s, const struct past *past,
                                                         const char *path)
{
    struct journal_results *results = ARENA_NEW(&s->arena, struct journal_results);
    struct str rest = str_of(past->inside);
    struct journal_results_out out;

    *results = (struct journal_results){.announced = -1, .asked = past->asked, .path = str_of(path)};
    assert_int_equal(journal_results_create(&out, s->fd, path), 0);
    while (rest.len) {
        size_t end = rest.len;
        struct journal_result result = {.duration = -1, .verdict = VERDICT_PASSED};

        str_find(rest, " ", &end);
        result.id = str_slice(rest, 0, end);
        rest = str_slice(rest, end + (end < rest.len), rest.len);
        if (str_starts(result.id, "-")) {
            result.verdict = VERDICT_FAILED;
            result.id = str_slice(result.id, 1, result.id.len);
        }
        results->verdicts[result.verdict]++;
        journal_results_add(&out, &result);
    }
    assert_int_equal(journal_results_close(&out), 0);
    return results;
}

static inline struct made make_run(struct scene *s, int number, int64_t wall, const struct past *past,
                                   uint32_t count)
{
    struct journal_history *cases = ARENA_ARRAY(&s->arena, struct journal_history, count);
    struct journal_case *whats = ARENA_ARRAY(&s->arena, struct journal_case, count);
    struct journal_attempt *attempts = ARENA_ARRAY(&s->arena, struct journal_attempt, count);
    struct made made = {.size = 1000};

    for (uint32_t i = 0; i < count; i++) {
        whats[i].id = str_of(past[i].id);
        cases[i].what = &whats[i];
        attempts[i] = (struct journal_attempt){.number = i,
                                               .attempt = 1,
                                               .verdict = past[i].outcome == VERDICT_FLAKY ? VERDICT_PASSED
                                                                                           : past[i].outcome,
                                               .outcome = past[i].outcome,
                                               .last = true,
                                               .quarantined = past[i].quarantined,
                                               .flaky_fails = past[i].flaky_fails,
                                               .duration = past[i].duration ? past[i].duration : NS_PER_MS};
        if (past[i].inside)
            attempts[i].results =
                make_results(s, &past[i], arena_printf(&s->arena, "%d-%u.ndjson", number, i));
        if (past[i].outcome != VERDICT_NOT_RUN) {
            cases[i].attempts = &attempts[i];
            cases[i].count = cases[i].started = 1;
            cases[i].executed = true;
        }
    }
    made.record = (struct journal_record){.cases = cases, .case_count = count, .finished = true};
    made.record.run = (struct journal_run){.id = str_of(arena_printf(&s->arena, "%04d-x", number)),
                                           .file = STR("run-matrix.yaml"),
                                           .cases = count,
                                           .wall = WALL + wall};
    return made;
}

static inline struct history *opened(struct scene *s)
{
    struct history *h = history_open(s->fd, s->path, &s->faults, &s->diags);

    if (!h)
        fail_msg("no history: %s", s->diags.count ? s->diags.list[s->diags.count - 1].text : "");
    return h;
}

static inline void take_in(struct scene *s, struct history *h, const struct made *made)
{
    if (!history_import(h, &made->record, s->fd, made->size, &history_bounds))
        fail_msg("not taken: %s", s->diags.count ? s->diags.list[s->diags.count - 1].text : "");
}

/* A run with one case. */
static inline void one_run(struct scene *s, struct history *h, int number, int64_t wall, struct past past)
{
    struct made made = make_run(s, number, wall, &past, 1);

    take_in(s, h, &made);
}

static inline struct history_case look(struct scene *s, struct history *h, const char *id)
{
    struct history_case c;

    history_look(h, str_of(id), &s->arena, &c);
    return c;
}

/* "a b" */
static inline void assert_inside(const struct history_case *c, const char *should)
{
    struct buf is = {0};

    for (uint32_t i = 0; i < c->inside_count; i++)
        buf_addf(&is, "%s%.*s", i ? " " : "", STR_ARG(c->inside[i]));
    assert_string_equal(buf_text(&is), should);
    buf_release(&is);
}

static inline const char *last_word(const struct scene *s)
{
    return s->diags.count ? s->diags.list[s->diags.count - 1].text : "";
}

static inline bool is_there(const struct scene *s, const char *name)
{
    return faccessat(s->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Everything in all tables, as text, without the numbers that depend on who came first. */
static inline char *everything(struct scene *s)
{
    static const char *const texts[] = {
        "SELECT id, number, at, wall, soak, size, finished, exit FROM runs ORDER BY id",
        "SELECT id, first, pending FROM cases ORDER BY id",
        "SELECT c.id, r.at, u.id, r.outcome, r.attempts, r.flags, r.duration, r.ended FROM results r "
        "JOIN cases c ON c.no = r.of JOIN runs u ON u.no = r.run ORDER BY 1, 2, 3",
        "SELECT c.id, i.at, u.id, i.id, i.place, i.failed FROM inside i JOIN cases c ON c.no = i.of "
        "JOIN runs u ON u.no = i.run ORDER BY 1, 2, 3, 4",
        "SELECT count(*) FROM results",
        "PRAGMA integrity_check",
    };
    const char *path = arena_printf(&s->arena, "%s/" HISTORY_NAME, s->path);
    struct buf all = {0};
    sqlite3_stmt *statement;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(sqlite3_prepare_v2(db, texts[i], -1, &statement, NULL), SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(statement); c++)
                buf_addf(&all, "%s|", (const char *)sqlite3_column_text(statement, c));
            buf_addc(&all, '\n');
        }
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
    return all.ptr;
}

#endif
