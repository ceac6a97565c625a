#include "runner/remember.h"

#include "runner/base/io.h"
#include "runner/quarantines.h"
#include "runner/session.h"

#include <fcntl.h>
#include <sys/stat.h>

#define IMPORTS_MOST (5 * NS_PER_S) /* at the start of a run; what is left comes at the next */

/* ---- runs that have ended ---- */

static bool journal_size(int folder, uint64_t *size)
{
    struct stat st;

    if (fstatat(folder, JOURNAL_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return false;
    *size = (uint64_t)st.st_size;
    return true;
}

/* Its size is read before the journal is: should it grow meanwhile, it is read again next time. */
static void import(struct history *history, const struct run_folder *run)
{
    struct arena arena = {0};
    struct diags unsaid = {.arena = &arena}; /* whoever wants this run is told */
    struct journal_record record;
    uint64_t size;

    if (journal_size(run->fd, &size) && !history_knows(history, run->id, size) && !store_is_going_on(run) &&
        journal_read(&arena, run->fd, run->path, &record, &unsaid))
        history_import(history, &record, run->fd, size, &history_bounds);
    arena_release(&arena);
}

/* The newest first: when time is up, these are known. */
static void import_ended(struct history *history, struct store *store)
{
    const nanos until = clock_now() + IMPORTS_MOST;
    struct arena scratch = {0};
    struct run_folder run;
    struct str *ids;
    size_t count = store_runs(store, STORE_RUNS_MOST, &scratch, &ids);

    for (size_t i = 0; i < count && clock_now() < until && !history_is_spoilt(history); i++) {
        history_next(history, i ? ids[i - 1] : str_of(""));
        if (store_open_run(store, ids[i], &scratch, &run) == 0)
            import(history, &run);
        store_close_run(&run);
    }
    history_next(history, str_of(""));
    arena_release(&scratch);
}

struct history *remember_open(struct store *store, struct faults *faults, struct diags *diags)
{
    struct history *history = history_open(store->fd, store->path, faults, diags);

    if (history)
        import_ended(history, store);
    if (!history || !history_is_spoilt(history))
        return history;
    history_close(history);
    history = history_open(store->fd, store->path, faults, diags);
    if (history)
        import_ended(history, store);
    return history;
}

/* ---- before the first case ---- */

static struct str id_of(struct session *s, uint32_t number, struct buf *id, struct arena *scratch)
{
    buf_clear(id);
    session_case_id(s, number, id);
    return *s->front->file ? buf_str(id) : history_command_id(scratch, buf_str(id));
}

static void expect(struct session *s, struct history *history)
{
    struct arena scratch = {0};
    struct buf id = {0};
    struct history_case c;

    for (uint32_t i = 0; i < s->case_count; i++) {
        arena_clear(&scratch);
        history_look(history, id_of(s, i, &id, &scratch), &scratch, &c);
        s->placing[i].expected = c.duration;
    }
    buf_release(&id);
    arena_release(&scratch);
}

void remember_before(struct session *s)
{
    struct history *history = NULL;

    s->forgetful = s->store.fd < 0 || s->front->forgetful;
    if (!s->forgetful)
        history = remember_open(&s->store, &s->faults, s->in->diags);
    s->forgetful = !history;
    if (history && (s->jobs > 1 || s->style.live || s->soak))
        expect(s, history);
    if (history && *s->front->file)
        quarantines_advise(s->front, history, s->in->diags);
    history_close(history);
}

/* ---- after the last ---- */

/* All of it was run, and passed. */
static bool is_comparable(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    return last && verdict_counts(last->verdict) == COUNT_PASSED && !(last->results && last->results->asked);
}

static void compare(struct session *s, struct history *history, struct journal_history *c, uint32_t number,
                    struct arena *scratch)
{
    nanos passes[HISTORY_PASSES_MOST], was;
    struct str id = c->what->id;
    uint32_t count;

    arena_clear(scratch);
    if (!*s->front->file)
        id = history_command_id(scratch, id);
    count = history_passes(history, id, passes);
    if (!history_is_slower(passes, count, journal_last(c)->duration, &was))
        return;
    c->was = was;
    c->was_runs = count;
    session_wrote(s, journal_slower(s->journal, number, was, count));
}

struct history *remember_slower(struct session *s, struct journal_record *record)
{
    const nanos until = clock_now() + NS_PER_S; /* nobody waits long for a remark */
    struct arena scratch = {0};
    struct history *history;

    if (s->forgetful || s->broken || s->cancelled)
        return NULL;
    history = history_open(s->store.fd, s->store.path, &s->faults, s->in->diags);
    for (uint32_t i = 0;
         history && !s->soak && i < s->case_count && i < record->case_count && clock_now() < until; i++)
        if (is_comparable(&record->cases[i]) &&
            journal_last(&record->cases[i])->duration > HISTORY_SLOWER_MORE)
            compare(s, history, &record->cases[i], i, &scratch);
    if (history)
        history_look_away(history); /* reports are written next, which may take long */
    arena_release(&scratch);
    return history;
}

/* After a cancel there is no time; the next run, or whoever asks, does it. */
void remember_run(struct session *s, const struct journal_record *record, struct history *history)
{
    uint64_t size;

    if (history && !s->broken && !s->cancelled && journal_size(s->run.fd, &size))
        history_import(history, record, s->run.fd, size, &history_bounds);
    history_close(history);
}
