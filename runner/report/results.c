/* Results within a case: read from their file whenever somebody wants to tell of them, never held in memory. */
#include "runner/report/internal.h"

#include "runner/base/id.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EARLIER_MOST 10000 /* failures in attempts before the last that are told again */

const struct journal_attempt *case_results(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    return journal_has_results(last) ? last : NULL;
}

void result_id(struct buf *out, struct str id, struct str result)
{
    size_t at = id.len;

    str_find(id, "@", &at);
    buf_addstr(out, str_slice(id, 0, at));
    buf_adds(out, "::");
    id_escape(out, result);
    buf_addstr(out, str_slice(id, at, id.len));
}

/* ---- reading ---- */

struct walk {
    const struct journal_attempt *attempt;
    journal_result_each *each;
    void *user;
    uint32_t count;
};

static bool step(void *user, const struct journal_result *read)
{
    struct walk *walk = user;
    struct journal_result result = *read;

    walk->count++;
    result.verdict = journal_result_counts(walk->attempt, read->verdict);
    return !walk->each || walk->each(walk->user, &result);
}

struct results_read results_each(const struct report_input *input, const struct journal_attempt *attempt,
                                 journal_result_each *each, void *user)
{
    struct walk walk = {attempt, each, user, 0};
    struct results_read read = {0};
    int fd;

    if (!journal_has_results(attempt))
        return read;
    fd = output_open(input->folder, attempt->results->path);
    if (fd < 0 || journal_results_read(fd, step, &walk, &read.torn) < 0)
        read.error = errno;
    fd_close(&fd);
    read.count = walk.count;
    return read;
}

bool case_itself(const struct journal_history *history, struct results_read read)
{
    return journal_counts_itself(history) || !read.count;
}

bool results_trouble(const struct report_input *input, const struct journal_attempt *attempt,
                     struct results_read read, struct buf *out)
{
    if (!read.error && !read.torn)
        return false;
    if (!attempt->results->path.len)
        buf_adds(out, "its results were not kept");
    else {
        utf8_show(out, str_of(input->path));
        buf_addc(out, '/');
        utf8_show(out, attempt->results->path);
        if (read.error == ENOENT)
            buf_adds(out, " is not there any more");
        else if (read.error)
            buf_addf(out, " cannot be read: %s", strerror(read.error));
        else
            buf_addf(out, ": %u line%s cannot be read", read.torn, read.torn == 1 ? "" : "s");
    }
    return true;
}

/* ---- failures in attempts before the last ---- */

struct loading {
    struct earlier *earlier;
    uint32_t attempt;
};

static bool load(void *user, const struct journal_result *result)
{
    struct loading *loading = user;
    struct earlier *e = loading->earlier;

    if (verdict_counts(result->verdict) != COUNT_FAILED)
        return true;
    GROW(e->list, e->count, e->cap);
    e->list[e->count++] = (struct earlier_failure){
        arena_str(&e->arena, result->id),
        loading->attempt,
        result->verdict,
        arena_str(&e->arena, result->message),
    };
    return e->count < EARLIER_MOST;
}

static int by_id(const void *left, const void *right)
{
    const struct earlier_failure *a = left, *b = right;
    int order = str_cmp(a->id, b->id);

    return order ? order : (a->attempt > b->attempt) - (a->attempt < b->attempt);
}

void earlier_load(const struct report_input *input, const struct journal_history *history, struct earlier *e)
{
    const struct journal_attempt *last = case_results(history);

    *e = (struct earlier){0};
    if (!last || !last->results->verdicts[VERDICT_FLAKY])
        return;
    for (uint32_t i = 0; i + 1 < history->count && e->count < EARLIER_MOST; i++) {
        struct loading loading = {e, history->attempts[i].attempt};

        results_each(input, &history->attempts[i], load, &loading);
    }
    if (e->count)
        qsort(e->list, e->count, sizeof *e->list, by_id);
}

void earlier_release(struct earlier *e)
{
    free(e->list);
    arena_release(&e->arena);
    *e = (struct earlier){0};
}

const struct earlier_failure *earlier_find(const struct earlier *e, struct str id, uint32_t *count)
{
    uint32_t low = 0, high = e->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (str_cmp(e->list[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (high = low; high < e->count && str_eq(e->list[high].id, id);)
        high++;
    *count = high - low;
    return *count ? &e->list[low] : NULL;
}
