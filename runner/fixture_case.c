/* What cases want of fixtures, and have of them. */
#include "runner/fixture_internal.h"

#include "runner/base/proc.h"

#include <poll.h>
#include <string.h>

#define EXITING_MOST 200 /* ms */

/* ---- wide ones: wanting, having, leaving ---- */

/* Behind those that wait for it already: who came first starts first. */
static void hold_for(struct session *s, struct instance *instance, uint32_t number)
{
    struct fixtures *f = s->fixtures;

    f->held[number] = true;
    f->held_next[number] = 0;
    if (instance->held_last)
        f->held_next[instance->held_last - 1] = number + 1;
    else
        instance->held_first = number + 1;
    instance->held_last = number + 1;
}

static bool is_up(const struct instance *instance)
{
    return instance->state == FIXTURE_UP && !instance->stale;
}

static bool wants_none(struct session *s, uint32_t number)
{
    struct arena scratch = {0};
    bool settled = recipe_is_settled(&s->kitchen, session_planned(s, number), &scratch);

    arena_release(&scratch);
    return settled;
}

static void take_all(struct session *s, uint32_t number)
{
    const struct closure *closure = closure_of(s, number);

    s->fixtures->has[number] = true;
    for (uint32_t i = 0; i < closure->count; i++) {
        struct instance *wide = wide_of(s, number, closure->list[i]);

        if (!wide)
            continue;
        wide->users++;
        wide->idle_deaths = 0;
    }
}

static enum fixtures_answer has_failed(struct session *s, struct instance *instance, const char **why)
{
    if (!instance->words)
        instance->words = arena_printf(s->arena, "%.*s failed", STR_ARG(instance->fixture->name));
    *why = instance->words;
    return FIXTURES_HAVE_FAILED;
}

/* All are wanted at once: what does not need the other comes up beside it. */
enum fixtures_answer fixtures_ask(struct session *s, uint32_t number, const char **why)
{
    const struct closure *closure = s->fixtures ? closure_of(s, number) : NULL;
    struct instance *missing = NULL;

    if (!closure || !closure->count || wants_none(s, number))
        return FIXTURES_ARE_UP;
    for (uint32_t i = 0; i < closure->count; i++) {
        struct instance *wide = wide_of(s, number, closure->list[i]);

        if (!wide)
            continue;
        if (wide->state == FIXTURE_IDLE)
            instance_event(s, wide, FIXTURE_WANTED);
        if (wide->state == FIXTURE_FAILED || wide->failing)
            return has_failed(s, wide, why);
        if (!is_up(wide) && !missing)
            missing = wide;
    }
    if (missing) {
        hold_for(s, missing, number);
        return FIXTURES_ARE_COMING;
    }
    take_all(s, number);
    return FIXTURES_ARE_UP;
}

bool instance_needs(const struct instance *instance, const struct instance *need)
{
    for (uint32_t i = 0; i < instance->need_count; i++)
        if (instance->needs[i] == need)
            return true;
    return false;
}

static bool stands_on(const struct instance *instance, const struct instance *need)
{
    bool waits = instance->state == FIXTURE_WAITING && (need->stale || need->state == FIXTURE_DEAD);

    return instance_is_live(instance) && !waits && instance_needs(instance, need);
}

static bool is_needed(const struct session *s, const struct instance *instance)
{
    for (uint32_t i = 0; i < s->fixtures->wide_count; i++)
        if (stands_on(s->fixtures->wide[i], instance))
            return true;
    for (uint32_t i = 0; instance->slot && i < instance->slot->fixture_count; i++)
        if (instance_is_live(&instance->slot->fixtures[i]) &&
            instance_needs(&instance->slot->fixtures[i], instance))
            return true;
    return false;
}

bool instance_is_unwanted(const struct session *s, const struct instance *instance)
{
    bool again = instance->stale || instance->state == FIXTURE_DEAD;

    if (instance->slot)
        return instance->slot->cleaning && !is_needed(s, instance);
    return !instance->users && (!instance->pending || again) && !is_needed(s, instance);
}

void instance_look(struct session *s, struct instance *instance)
{
    if (instance_is_live(instance) && instance_is_unwanted(s, instance))
        instance_event(s, instance, FIXTURE_UNWANTED);
}

/* Users before what they use. */
static void each_wide_backwards(struct session *s, uint32_t number,
                                void (*each)(struct session *s, struct instance *instance))
{
    const struct closure *closure = closure_of(s, number);

    for (uint32_t i = closure->count; i-- > 0;) {
        struct instance *wide = wide_of(s, number, closure->list[i]);

        if (wide)
            each(s, wide);
    }
}

static void leave_one(struct session *s, struct instance *instance)
{
    instance->users--;
    instance_look(s, instance);
}

void fixtures_leave(struct session *s, uint32_t number)
{
    if (!s->fixtures || !s->fixtures->has[number])
        return;
    s->fixtures->has[number] = false;
    each_wide_backwards(s, number, leave_one);
}

static void forgo_one(struct session *s, struct instance *instance)
{
    instance->pending--;
    instance_look(s, instance);
}

void fixtures_case_over(struct session *s, uint32_t number)
{
    if (!s->fixtures)
        return;
    s->fixtures->held[number] = false;
    each_wide_backwards(s, number, forgo_one);
}

/* ---- those of an attempt ---- */

static struct instance *own_of(struct slot *slot, const struct fixture *fixture)
{
    for (uint32_t i = 0; i < slot->fixture_count; i++)
        if (slot->fixtures[i].fixture == fixture)
            return &slot->fixtures[i];
    return NULL;
}

/* Of a fixture of the suite of its case: the wide one, or its own. */
static struct instance *instance_of(const struct session *s, struct slot *slot, uint32_t fixture)
{
    const struct plan_case *c = session_planned(s, slot->on);
    struct instance *wide = wide_of(s, slot->on, fixture);

    return wide ? wide : own_of(slot, &s->front->suites.list[c->suite]->fixtures[fixture]);
}

static void add_own(struct session *s, struct slot *slot, uint32_t fixture)
{
    const struct plan_case *c = session_planned(s, slot->on);
    struct instance *instance = &slot->fixtures[slot->fixture_count];

    instance_init(s, instance, c->suite, fixture, c->cell);
    instance->slot = slot;
    instance->needs = ARENA_ARRAY(&slot->arena, struct instance *, instance->fixture->need_count);
    for (uint32_t i = 0; i < instance->fixture->need_count; i++) {
        uint32_t need = instance->fixture->needs[i];

        if (instance->suite->fixtures[need].node)
            instance->needs[instance->need_count++] = instance_of(s, slot, need);
    }
    slot->fixture_count++;
}

enum fixtures_answer slot_answer(const struct slot *slot)
{
    enum fixtures_answer answer = FIXTURES_ARE_UP;

    for (uint32_t i = 0; i < slot->fixture_count; i++)
        if (slot->fixtures[i].failing)
            return FIXTURES_HAVE_FAILED;
        else if (slot->fixtures[i].state != FIXTURE_UP)
            answer = FIXTURES_ARE_COMING;
    return answer;
}

enum fixtures_answer fixtures_prepare(struct session *s, struct slot *slot)
{
    const struct closure *closure;
    enum fixtures_answer answer;

    if (!s->fixtures || !s->fixtures->has[slot->on])
        return FIXTURES_ARE_UP;
    closure = closure_of(s, slot->on);
    slot->fixtures = ARENA_ARRAY(&slot->arena, struct instance, closure->count);
    for (uint32_t i = 0; i < closure->count; i++)
        if (!wide_of(s, slot->on, closure->list[i]))
            add_own(s, slot, closure->list[i]);
    for (uint32_t i = 0; i < slot->fixture_count; i++)
        if (slot->fixtures[i].state == FIXTURE_IDLE)
            instance_event(s, &slot->fixtures[i], FIXTURE_WANTED);
    answer = slot_answer(slot);
    slot->preparing = answer == FIXTURES_ARE_COMING;
    return answer;
}

bool slot_has_live(const struct slot *slot)
{
    for (uint32_t i = 0; i < slot->fixture_count; i++)
        if (instance_is_live(&slot->fixtures[i]))
            return true;
    return false;
}

bool fixtures_clean(struct session *s, struct slot *slot)
{
    slot->cleaning = true;
    slot->preparing = false;
    for (uint32_t i = slot->fixture_count; i-- > 0;)
        instance_look(s, &slot->fixtures[i]);
    slot->awaited = slot_has_live(slot);
    return slot->awaited;
}

void fixtures_keep(struct session *s, struct slot *slot, bool keep)
{
    for (uint32_t i = 0; i < slot->fixture_count; i++) {
        struct instance *instance = &slot->fixtures[i];

        if (keep && instance->main.captured)
            process_keep(s, instance, &instance->main);
        if (keep && instance->side.captured)
            process_keep(s, instance, &instance->side);
        process_forget_output(s, &instance->main);
        process_forget_output(s, &instance->side);
        arena_release(&instance->arena);
    }
    slot->fixture_count = 0;
}

/* ---- what cases get ---- */

struct from_fixtures fixtures_given(struct session *s, struct slot *slot)
{
    const struct closure *closure =
        s->fixtures && s->fixtures->has[slot->on] ? closure_of(s, slot->on) : NULL;
    struct instance **list = ARENA_ARRAY(&slot->arena, struct instance *, closure ? closure->count : 0);
    uint32_t count = 0;

    for (uint32_t i = 0; closure && i < closure->count; i++)
        list[count++] = instance_of(s, slot, closure->list[i]);
    return given_by(list, count, &slot->reg_addr, &slot->arena);
}

const struct dump_daemon *fixtures_daemons(struct session *s, struct slot *slot, uint32_t *count)
{
    const struct closure *closure =
        s->fixtures && s->fixtures->has[slot->on] ? closure_of(s, slot->on) : NULL;
    struct dump_daemon *daemons;

    *count = 0;
    if (!closure)
        return NULL;
    daemons = ARENA_ARRAY(&slot->arena, struct dump_daemon, closure->count);
    for (uint32_t i = 0; i < closure->count; i++) {
        const struct instance *instance = instance_of(s, slot, closure->list[i]);
        const struct seat *seat = instance ? instance->main.seat : NULL;

        if (seat)
            daemons[(*count)++] = (struct dump_daemon){seat->number, seat->generation, seat->pid,
                                                       arena_cstr(&slot->arena, instance->fixture->name)};
    }
    return daemons;
}

/*
 * Its process may have ended a moment ago, and nobody have been told. Those who talked to it know sooner than anybody:
 * what it had open is closed before its parent hears of the end. The wait is for what is under way, so it is short.
 */
static bool has_ended(const struct seat *seat)
{
    struct pollfd poll_fd = {.fd = seat->pidfd, .events = POLLIN};
    struct proc_stat stat;

    return poll(&poll_fd, 1, 0) > 0 ||
           (proc_stat_read(seat->pid, &stat) == 0 && stat.exiting && poll(&poll_fd, 1, EXITING_MOST) > 0);
}

static bool is_dead(const struct instance *instance)
{
    if (instance->recipe.kind != FIXTURE_DAEMON || instance->state == FIXTURE_IDLE)
        return false;
    if (instance->state == FIXTURE_DEAD)
        return true;
    return instance->state == FIXTURE_UP && instance->main.seat && has_ended(instance->main.seat);
}

void needs_look(struct session *s, struct instance *instance)
{
    for (uint32_t i = 0; i < instance->need_count; i++) {
        struct instance *need = instance->needs[i];

        if (need->state == FIXTURE_UP && is_dead(need))
            instance_event(s, need, FIXTURE_HEADLESS);
        else
            needs_look(s, need);
    }
}

static const char *dead_words(struct session *s, struct slot *slot, struct instance *instance)
{
    struct buf ago = {0};
    const char *words;

    if (instance->state != FIXTURE_DEAD)
        instance_event(s, instance, FIXTURE_HEADLESS);
    if (instance->state != FIXTURE_DEAD)
        return NULL;
    span_format(&ago, watch_now(s->watch) - instance->died);
    words = arena_printf(&slot->arena, "%.*s %s %s ago%s", STR_ARG(instance->fixture->name), instance->reason,
                         buf_text(&ago), instance->last_words);
    buf_release(&ago);
    return words;
}

const char *fixtures_dead(struct session *s, struct slot *slot)
{
    const struct closure *closure;

    if (!s->fixtures || !s->fixtures->has[slot->on])
        return NULL;
    closure = closure_of(s, slot->on);
    for (uint32_t i = 0; i < closure->count; i++) {
        struct instance *instance = instance_of(s, slot, closure->list[i]);

        if (instance && is_dead(instance))
            return dead_words(s, slot, instance);
    }
    return NULL;
}
