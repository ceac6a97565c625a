/* The life of an instance: which event leads where, and what is done on the way. */
#include "runner/fixture_internal.h"

#define HURRIED          NS_PER_S
#define STARTS_MOST      8
#define START_PAUSE      (12 * NS_PER_MS)
#define IDLE_DEATHS_MOST 3 /* in a row: then it is not tried again */

typedef void action(struct session *s, struct instance *instance);

static void enter(struct session *s, struct instance *instance, enum fixture_state state)
{
    s->fixtures->live -= instance_is_live(instance);
    instance->state = (uint8_t)state;
    s->fixtures->live += instance_is_live(instance);
}

static void leave_out(struct session *s, struct instance *instance)
{
    (void)s, (void)instance;
}

/* ---- undoing ---- */

static void finish(struct session *s, struct instance *instance)
{
    instance_release(s, instance);
    enter(s, instance, instance->failing ? FIXTURE_FAILED : FIXTURE_IDLE);
    instance->stale = false;
    instance_is_gone(s, instance);
}

static void end_processes(struct session *s, struct instance *instance)
{
    enter(s, instance, FIXTURE_ENDING);
    process_end(s, &instance->main, WATCH_UNWANTED);
    process_end(s, &instance->side, WATCH_UNWANTED);
    if (!instance->main.seat && !instance->side.seat)
        finish(s, instance);
}

/* Where somebody who cancels gives only so much time, and when he asks again; 0: as long as it likes. */
static nanos hurried_limit(const struct session *s, nanos limit)
{
    nanos cap = !s->urgency ? 0 : s->urgency == 1 ? s->kitchen.cap / 2 : HURRIED;

    return cap && (!limit || limit > cap) ? cap : limit;
}

void fixture_hurry(struct session *s, struct instance *instance)
{
    nanos limit = hurried_limit(s, 0);

    if (instance->state == FIXTURE_UNMAKING && instance->side.seat && limit)
        watch_limit(s->watch, instance->side.seat->number, limit);
}

static void not_torn_down(struct session *s, struct instance *instance, const char *words)
{
    if (!instance->slot)
        instance_record(s, instance, words);
    else if (!instance->slot->teardown)
        instance->slot->teardown = arena_cstr(&instance->slot->arena, str_of(words));
}

/* Also of what could not be made: half of it may be there. */
static void unmake(struct session *s, struct instance *instance)
{
    instance->asked = false;
    if (!instance->recipe.has[COMMAND_TEARDOWN]) {
        end_processes(s, instance);
        return;
    }
    enter(s, instance, FIXTURE_UNMAKING);
    if (process_start(s, instance, &instance->side, COMMAND_TEARDOWN,
                      hurried_limit(s, instance->recipe.timeout)))
        return;
    not_torn_down(s, instance,
                  arena_printf(&instance->arena, "the tear-down of fixture '%.*s' could not be started: %s",
                               STR_ARG(instance->fixture->name), instance->reason));
    end_processes(s, instance);
}

static void torn_down(struct session *s, struct instance *instance)
{
    const char *words = words_of_teardown(s, instance);

    if (words)
        not_torn_down(s, instance, words);
    end_processes(s, instance);
}

static void ended(struct session *s, struct instance *instance)
{
    if (!instance->main.seat && !instance->side.seat)
        finish(s, instance);
}

/* ---- failing ---- */

static void fail_with(struct session *s, struct instance *instance, const char *reason)
{
    progress_gone(s->progress, instance->shown, instance->id);
    instance->failing = true;
    instance->asked = false;
    instance->reason = reason;
    instance_has_failed(s, instance);
}

/* Its own process is over, or was never there. */
static void fail(struct session *s, struct instance *instance, const char *reason)
{
    enter(s, instance, FIXTURE_BREAKING);
    fail_with(s, instance, reason);
    unmake(s, instance);
}

/* It runs, and has to go first. */
static void fail_running(struct session *s, struct instance *instance, const char *reason)
{
    enter(s, instance, FIXTURE_BREAKING);
    fail_with(s, instance, reason);
    process_end(s, &instance->main, WATCH_UNWANTED);
    process_end(s, &instance->side, WATCH_UNWANTED);
}

/* That one has a record of its failure; this one was not even begun. */
static void fail_with_need(struct session *s, struct instance *instance)
{
    for (uint32_t i = 0; i < instance->need_count; i++)
        if (instance->needs[i]->state == FIXTURE_FAILED || instance->needs[i]->failing) {
            enter(s, instance, FIXTURE_FAILED);
            instance->told = true;
            fail_with(s, instance, instance->needs[i]->reason);
            return;
        }
}

/* ---- making ---- */

static void rise(struct session *s, struct instance *instance)
{
    instance->asked = false;
    if (!instance_complete(s, instance)) {
        fail_running(s, instance, instance->reason);
        if (!instance->main.seat)
            unmake(s, instance);
        return;
    }
    if (instance->recipe.kind != FIXTURE_ADDRESS)
        progress_made(s->progress, instance->shown, instance->id, watch_now(s->watch) - instance->began);
    if (instance->main.seat)
        watch_limit(s->watch, instance->main.seat->number, 0);
    enter(s, instance, FIXTURE_UP);
    if (!instance->slot)
        instance_mended(s, instance);
    instance_is_up(s, instance);
}

/* Before it is started: it may tell at once. */
static bool can_be_asked(struct instance *instance)
{
    struct buf why = {0};
    bool can =
        instance->recipe.kind != FIXTURE_DAEMON ||
        ready_begin(&instance->ready, &instance->recipe, &instance->main.capture, instance->notify, &why);

    if (!can)
        instance->reason = arena_cstr(&instance->arena, buf_str(&why));
    buf_release(&why);
    return can;
}

/* What it lacks others hold now, and will not for ever; the pauses grow. */
static void start(struct session *s, struct instance *instance)
{
    const struct fixture_recipe *recipe = &instance->recipe;
    bool daemon = recipe->kind == FIXTURE_DAEMON;

    instance->starting = instance->may_pass = false;
    if (process_start(s, instance, &instance->main, COMMAND_MAIN,
                      daemon ? recipe->within : recipe->timeout)) {
        instance->asked = daemon;
        instance->next_try = instance->pause = 0;
    } else if (instance->may_pass && instance->starts++ < STARTS_MOST) {
        instance->asked = instance->starting = true;
        instance->next_try = watch_now(s->watch) + (START_PAUSE << instance->starts);
    } else {
        fail(s, instance, instance->reason);
    }
}

static void make(struct session *s, struct instance *instance)
{
    const struct fixture_recipe *recipe = &instance->recipe;

    instance->failing = instance->told = false;
    enter(s, instance, FIXTURE_MAKING);
    if (!instance_prepare(s, instance)) {
        fail(s, instance, instance->reason);
        return;
    }
    if (recipe->kind == FIXTURE_ADDRESS) {
        rise(s, instance);
        return;
    }
    instance->starts = 0;
    if (can_be_asked(instance))
        start(s, instance);
    else
        fail(s, instance, instance->reason);
}

static void want(struct session *s, struct instance *instance)
{
    bool all = true;

    enter(s, instance, FIXTURE_WAITING);
    for (uint32_t i = 0; i < instance->need_count && instance->state == FIXTURE_WAITING; i++) {
        struct instance *need = instance->needs[i];

        if (need->state == FIXTURE_IDLE)
            instance_event(s, need, FIXTURE_WANTED);
        if (need->state == FIXTURE_FAILED || need->failing) {
            fail_with_need(s, instance);
            return;
        }
        all = all && need->state == FIXTURE_UP && !need->stale;
    }
    if (all && instance->state == FIXTURE_WAITING)
        make(s, instance);
}

static void forget(struct session *s, struct instance *instance)
{
    enter(s, instance, FIXTURE_IDLE);
    instance_is_gone(s, instance);
}

/* ---- its process has ended ---- */

/* A command that makes something is over when its own process is; what it has left running is part of it. */
static void made(struct session *s, struct instance *instance)
{
    const char *failure = words_of_failure(s, instance);

    if (failure)
        needs_look(s,
                   instance); /* one that has died is why; then it is not this one's failure, and made anew */
    if (instance->state != FIXTURE_MAKING)
        return;
    if (!failure)
        rise(s, instance);
    else if (instance->main.seat)
        fail_running(s, instance, failure);
    else
        fail(s, instance, failure);
}

static void made_headless(struct session *s, struct instance *instance)
{
    if (instance->recipe.kind == FIXTURE_RUN)
        made(s, instance);
}

static void give_up(struct session *s, struct instance *instance)
{
    progress_gone(s->progress, instance->shown, instance->id);
    instance->asked = false;
    enter(s, instance, FIXTURE_BREAKING);
    process_end(s, &instance->main, WATCH_CANCEL);
    process_end(s, &instance->side, WATCH_CANCEL);
    if (!instance->main.seat && !instance->side.seat)
        unmake(s, instance);
}

static void broken(struct session *s, struct instance *instance)
{
    if (!instance->main.seat && !instance->side.seat)
        unmake(s, instance);
}

/* Nobody notices that it is dead but those who use it. */
static void die(struct session *s, struct instance *instance)
{
    int status = instance->main.ending.status, signal = instance->main.ending.signal;

    if (instance->main.seat)
        watch_peek(s->watch, instance->main.seat->number, &status, &signal);
    instance->died = watch_now(s->watch);
    words_of_death(instance, status, signal);
    enter(s, instance, FIXTURE_DEAD);
    if (!instance->slot && !instance->users && ++instance->idle_deaths == IDLE_DEATHS_MOST)
        fail_with(s, instance,
                  arena_printf(&instance->arena,
                               "fixture '%.*s' died %d times before anybody used it; it %s%s",
                               STR_ARG(instance->fixture->name), IDLE_DEATHS_MOST, instance->reason,
                               instance->last_words));
    instance_has_died(s, instance);
    if (instance_is_unwanted(s, instance))
        instance_event(s, instance, FIXTURE_UNWANTED);
}

static void lose(struct session *s, struct instance *instance)
{
    if (instance->recipe.kind == FIXTURE_DAEMON)
        die(s, instance);
}

/* ---- the table ---- */

static action *const table[FIXTURE_STATE_COUNT][FIXTURE_EVENT_COUNT] = {
    [FIXTURE_IDLE] = {[FIXTURE_WANTED] = want, [FIXTURE_UNWANTED] = leave_out},
    [FIXTURE_WAITING] =
        {[FIXTURE_NEED_IS_UP] = want, [FIXTURE_NEED_FAILED] = fail_with_need, [FIXTURE_UNWANTED] = forget},
    [FIXTURE_MAKING] = {[FIXTURE_AGAIN] = start,
                        [FIXTURE_READY] = rise,
                        [FIXTURE_HEADLESS] = made_headless,
                        [FIXTURE_GONE] = made,
                        [FIXTURE_SIDE_GONE] = leave_out,
                        [FIXTURE_UNWANTED] = give_up},
    [FIXTURE_UP] = {[FIXTURE_HEADLESS] = lose,
                    [FIXTURE_GONE] = lose,
                    [FIXTURE_SIDE_GONE] = leave_out,
                    [FIXTURE_UNWANTED] = unmake},
    [FIXTURE_BREAKING] = {[FIXTURE_HEADLESS] = leave_out,
                          [FIXTURE_GONE] = broken,
                          [FIXTURE_SIDE_GONE] = broken,
                          [FIXTURE_UNWANTED] = leave_out},
    [FIXTURE_DEAD] = {[FIXTURE_HEADLESS] = leave_out,
                      [FIXTURE_GONE] = leave_out,
                      [FIXTURE_SIDE_GONE] = leave_out,
                      [FIXTURE_UNWANTED] = unmake},
    [FIXTURE_UNMAKING] = {[FIXTURE_HEADLESS] = leave_out,
                          [FIXTURE_GONE] = leave_out,
                          [FIXTURE_SIDE_GONE] = torn_down,
                          [FIXTURE_UNWANTED] = leave_out},
    [FIXTURE_ENDING] = {[FIXTURE_HEADLESS] = leave_out,
                        [FIXTURE_GONE] = ended,
                        [FIXTURE_SIDE_GONE] = ended,
                        [FIXTURE_UNWANTED] = leave_out},
    [FIXTURE_FAILED] = {[FIXTURE_UNWANTED] = leave_out},
};

static const char *const states[] = {
#define X(id, word) [id] = word,
    FIXTURE_STATES(X)
#undef X
};

static const char *const events[] = {
#define X(id, word) [id] = word,
    FIXTURE_EVENTS(X)
#undef X
};

void instance_event(struct session *s, struct instance *instance, enum fixture_event event)
{
    action *act = table[instance->state][event];

    if (act) {
        act(s, instance);
        return;
    }
    session_note(s, "a bug of run-matrix: fixture '%.*s' is %s and was told '%s'",
                 STR_ARG(instance->fixture->name), states[instance->state], events[event]);
    s->broken = true;
}
