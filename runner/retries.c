#include "runner/retries.h"

#include "runner/base/hash.h"
#include "runner/base/mem.h"
#include "runner/session.h"
#include "runner/verdict.h"

#include <stdlib.h>

/* ---- is it run again ---- */

/*
 * Whoever is told to stop after so many failures has stopped; a cell that fail-fast leaves in flight has not. A soak counts
 * attempts, and hides none behind another.
 */
static bool may_follow(const struct session *s)
{
    bool enough = s->failures_most && s->failures >= (uint64_t)s->failures_most;

    return !s->soak && !s->cancelled && !s->timed_out && !s->broken && !s->urgency && !enough;
}

struct retry retries_after(const struct session *s, const struct slot *slot, enum verdict verdict)
{
    const struct retry_policy *policy = &slot->recipe.retry;
    uint32_t made = s->cases[slot->on].attempts; /* before this one */
    enum retry_class class = verdict_retry_class(verdict);
    uint64_t seed = hash_add(hash_add(HASH_START, s->run.id), slot->recipe.id);

    if (class == RETRY_CLASS_COUNT || !(policy->on & 1u << class) || made >= policy->most || !may_follow(s))
        return (struct retry){0};
    return (struct retry){
        .again = true,
        .at_end = policy->at_end,
        .wait = retry_wait(policy, made + 1, seed + made),
    };
}

/* ---- those that wait for their time ---- */

static bool is_before(const struct resting *a, const struct resting *b)
{
    return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void exchange(struct resting *a, struct resting *b)
{
    struct resting kept = *a;

    *a = *b;
    *b = kept;
}

static void push(struct retries *r, struct resting one)
{
    uint32_t at = r->count;

    GROW(r->heap, r->count, r->cap);
    r->heap[r->count++] = one;
    for (; at > 0 && is_before(&r->heap[at], &r->heap[(at - 1) / 2]); at = (at - 1) / 2)
        exchange(&r->heap[at], &r->heap[(at - 1) / 2]);
}

static void pop(struct retries *r)
{
    uint32_t at = 0, child;

    r->heap[0] = r->heap[--r->count];
    for (; (child = 2 * at + 1) < r->count; at = child) {
        if (child + 1 < r->count && is_before(&r->heap[child + 1], &r->heap[child]))
            child++;
        if (!is_before(&r->heap[child], &r->heap[at]))
            break;
        exchange(&r->heap[child], &r->heap[at]);
    }
}

/* ---- resting ---- */

static void count(struct session *s, int more)
{
    s->retries.resting += (uint32_t)more;
    progress_resting(s->progress, s->retries.resting);
}

bool retries_rest(struct session *s, uint32_t number, struct retry retry)
{
    struct case_life *life = &s->cases[number];

    life->awaits_end = retry.at_end;
    life->awaits_time = retry.wait > 0;
    if (!retry.at_end && !retry.wait) {
        queue_again(s->queue, life->queued);
        return false;
    }
    count(s, 1);
    if (retry.wait)
        push(&s->retries, (struct resting){watch_now(s->watch) + retry.wait, number});
    if (retry.at_end)
        queue_shelve(s->queue, life->queued);
    else
        queue_hold(s->queue, life->queued);
    return true;
}

void retries_rested(struct session *s, uint32_t number)
{
    count(s, -1);
    queue_release(s->queue, s->cases[number].queued);
}

void retries_dropped(struct session *s, uint32_t number)
{
    s->cases[number].awaits_time = s->cases[number].awaits_end = false;
    count(s, -1);
}

static void wake(struct session *s, uint32_t number)
{
    const struct case_life *life = &s->cases[number];

    if (!life->awaits_time && !life->awaits_end)
        life_event(s, number, CASE_DUE);
}

static void end_has_come(void *user, uint32_t queued)
{
    struct session *s = user;
    uint32_t number = s->by_queue[queued];

    s->cases[number].awaits_end = false;
    wake(s, number);
}

bool retries_wake(struct session *s)
{
    struct retries *r = &s->retries;
    bool some;

    if (!r->resting)
        return false;
    some = queue_unshelve(s->queue, end_has_come, s);
    while (retries_due(s) <= watch_now(s->watch)) {
        uint32_t number = r->heap[0].number;

        pop(r);
        s->cases[number].awaits_time = false;
        wake(s, number);
        some = true;
    }
    return some;
}

nanos retries_due(struct session *s)
{
    struct retries *r = &s->retries;

    while (r->count && !s->cases[r->heap[0].number].awaits_time)
        pop(r);
    return r->count ? r->heap[0].due : WATCH_NEVER;
}

void retries_close(struct session *s)
{
    free(s->retries.heap);
}
