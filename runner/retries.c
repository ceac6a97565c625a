#include "runner/retries.h"

#include "runner/base/hash.h"
#include "runner/session.h"
#include "runner/verdict.h"
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

static void wait_until(struct session *s, struct case_life *life, uint32_t number, nanos due)
{
    struct retries *r = &s->retries;
    struct resting *one = r->unused;

    if (one)
        r->unused = one->unused;
    else
        one = ARENA_NEW(s->arena, struct resting);
    *one = (struct resting){.node.rank = {.late = due, .turn = r->turn++}, .number = number};
    heap_push(&r->waiting, &one->node);
    life->awaits_time = one;
}

static void wait_no_more(struct session *s, struct case_life *life)
{
    struct resting *one = life->awaits_time;

    if (!one)
        return;
    heap_remove(&s->retries.waiting, &one->node);
    one->unused = s->retries.unused;
    s->retries.unused = one;
    life->awaits_time = NULL;
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
    if (!retry.at_end && !retry.wait) {
        queue_again(s->queue, life->queued);
        return false;
    }
    count(s, 1);
    if (retry.wait)
        wait_until(s, life, number, watch_now(s->watch) + retry.wait);
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
    wait_no_more(s, &s->cases[number]);
    s->cases[number].awaits_end = false;
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
        uint32_t number = OWNER(r->waiting.top, struct resting, node)->number;

        wait_no_more(s, &s->cases[number]);
        wake(s, number);
        some = true;
    }
    return some;
}

nanos retries_due(const struct session *s)
{
    const struct heap_node *first = s->retries.waiting.top;

    return first ? first->rank.late : WATCH_NEVER;
}
