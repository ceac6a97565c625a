#include "runner/life.h"

#include "runner/attempt_internal.h"
#include "runner/crash.h"
#include "runner/session.h"
#include "runner/soaking.h"

/* Does what is to be done and says where that leads. */
typedef enum case_state action(struct session *s, uint32_t number);

static enum case_state start(struct session *s, uint32_t number)
{
    attempt_start(s, number);
    return CASE_STARTING;
}

static enum case_state ask(struct session *s, uint32_t number)
{
    (void)s, (void)number;
    return CASE_ASKING;
}

static enum case_state run(struct session *s, uint32_t number)
{
    (void)s, (void)number;
    return CASE_RUNNING;
}

static enum case_state end(struct session *s, uint32_t number)
{
    attempt_climbed(s, number);
    return CASE_ENDING;
}

/* With fixtures of its own it would keep them from others who wait for the same. */
static enum case_state wait(struct session *s, uint32_t number)
{
    if (attempt_clean(s, number)) {
        s->slots[s->cases[number].slot].put_back = true;
        return CASE_CLEANING;
    }
    attempt_put_back(s, number);
    return CASE_WAITING;
}

/* A verdict, and with it the end, another try, or the next call. */
static enum case_state judge_it(struct session *s, uint32_t number)
{
    struct retry retry = attempt_judge(s, number);

    if (retry.again)
        return retries_rest(s, number, retry) ? CASE_PAUSING : CASE_WAITING;
    queue_done(s->queue, s->cases[number].queued);
    return soaking_goes_on(s) ? CASE_RESTING : CASE_OVER;
}

static enum case_state due(struct session *s, uint32_t number)
{
    retries_rested(s, number);
    return CASE_WAITING;
}

static enum case_state cleaned(struct session *s, uint32_t number)
{
    if (!s->slots[s->cases[number].slot].put_back)
        return judge_it(s, number);
    attempt_put_back(s, number);
    return CASE_WAITING;
}

static enum case_state prepare(struct session *s, uint32_t number)
{
    (void)s, (void)number;
    return CASE_PREPARING;
}

static enum case_state go(struct session *s, uint32_t number)
{
    attempt_go(s, number);
    return CASE_STARTING;
}

static enum case_state clean_and_judge(struct session *s, uint32_t number)
{
    return attempt_clean(s, number) ? CASE_CLEANING : judge_it(s, number);
}

static enum case_state tell_first(struct session *s, uint32_t number)
{
    return crash_begin(s, attempt_slot(s, number)) ? CASE_TELLING : clean_and_judge(s, number);
}

/* It is out of the queue already. */
static enum case_state drop(struct session *s, uint32_t number)
{
    attempt_drop(s, number);
    return CASE_OVER;
}

static enum case_state drop_pausing(struct session *s, uint32_t number)
{
    retries_dropped(s, number);
    return drop(s, number);
}

static enum case_state come(struct session *s, uint32_t number)
{
    soaking_come(s, number);
    return CASE_WAITING;
}

static enum case_state let_go(struct session *s, uint32_t number)
{
    fixtures_case_over(s, number);
    return CASE_OVER;
}

static action *const table[CASE_STATE_COUNT][CASE_EVENT_COUNT] = {
    [CASE_WAITING] = {[CASE_TAKEN] = start, [CASE_DROPPED] = drop},
    [CASE_STARTING] = {[CASE_ASKED] = ask,
                       [CASE_STARTED] = run,
                       [CASE_REFUSED] = clean_and_judge,
                       [CASE_STUCK] = wait,
                       [CASE_PREPARES] = prepare},
    [CASE_ASKING] = {[CASE_STARTED] = run, [CASE_REFUSED] = clean_and_judge, [CASE_STUCK] = wait},
    [CASE_PREPARING] = {[CASE_PREPARED] = go, [CASE_UNPREPARED] = clean_and_judge},
    [CASE_RUNNING] = {[CASE_CLIMBED] = end, [CASE_GONE] = tell_first},
    [CASE_ENDING] = {[CASE_GONE] = tell_first},
    [CASE_TELLING] = {[CASE_TOLD] = clean_and_judge},
    [CASE_CLEANING] = {[CASE_CLEANED] = cleaned},
    [CASE_PAUSING] = {[CASE_DUE] = due, [CASE_DROPPED] = drop_pausing},
    [CASE_RESTING] = {[CASE_CALLED] = come, [CASE_DROPPED] = let_go},
};

static const char *const states[] = {
#define X(id, word) [id] = word,
    CASE_STATES(X)
#undef X
};

static const char *const events[] = {
#define X(id, word) [id] = word,
    CASE_EVENTS(X)
#undef X
};

void life_event(struct session *s, uint32_t number, enum case_event event)
{
    struct case_life *life = &s->cases[number];
    action *act = table[life->state][event];

    if (act) {
        life->state = (uint8_t)act(s, number);
        return;
    }
    session_note(s, "a bug of run-matrix: case %u is %s and was told '%s'", number, states[life->state],
                 events[event]);
    s->broken = true;
}
