/* When something becomes of a fixture: whom it concerns. */
#include "runner/fixture_internal.h"

#include "runner/attempt.h"

/* Whoever was given up meanwhile is not held any more, and stays in the list until here. */
static void release_held(struct session *s, struct instance *instance)
{
    struct fixtures *f = s->fixtures;
    uint32_t at = instance->held_first, next;

    instance->held_first = instance->held_last = 0;
    for (; at; at = next) {
        next = f->held_next[at - 1];
        if (f->held[at - 1])
            queue_release(s->queue, s->cases[at - 1].queued);
        f->held[at - 1] = false;
    }
}

static void tell_waiting(struct session *s, struct instance *need, enum fixture_event event)
{
    for (uint32_t i = 0; i < s->fixtures->wide_count; i++) {
        struct instance *wide = s->fixtures->wide[i];

        if (wide->state == FIXTURE_WAITING && instance_needs(wide, need))
            instance_event(s, wide, event);
    }
    for (uint32_t k = 0; k < s->jobs; k++)
        for (uint32_t i = 0; s->slots[k].busy && i < s->slots[k].fixture_count; i++) {
            struct instance *own = &s->slots[k].fixtures[i];

            if (own->state == FIXTURE_WAITING && instance_needs(own, need))
                instance_event(s, own, event);
        }
}

void instance_is_up(struct session *s, struct instance *instance)
{
    struct slot *slot = instance->slot;

    tell_waiting(s, instance, FIXTURE_NEED_IS_UP);
    if (!slot) {
        release_held(s, instance);
        instance_look(s, instance); /* nobody may be left who wanted it */
    } else if (slot->preparing && slot_answer(slot) == FIXTURES_ARE_UP) {
        slot->preparing = false;
        life_event(s, slot->on, CASE_PREPARED);
        life_event(s, slot->on, attempt_outcome(s, slot->on));
    }
}

static void unprepare(struct session *s, struct slot *slot)
{
    if (!slot->preparing)
        return;
    slot->preparing = false;
    life_event(s, slot->on, CASE_UNPREPARED);
}

void instance_has_failed(struct session *s, struct instance *instance)
{
    struct slot *slot = instance->slot;

    if (!slot && !instance->told)
        instance_record(s, instance, instance->reason);
    if (slot && !slot->setup)
        slot->setup = arena_cstr(&slot->arena, str_of(instance->reason));
    tell_waiting(s, instance, FIXTURE_NEED_FAILED);
    if (slot)
        unprepare(s, slot);
    else
        release_held(s, instance);
}

void instance_is_gone(struct session *s, struct instance *instance)
{
    struct slot *slot = instance->slot;

    for (uint32_t i = 0; i < instance->need_count; i++)
        instance_look(s, instance->needs[i]);
    if (!slot) {
        if (instance->state == FIXTURE_IDLE)
            tell_waiting(s, instance, FIXTURE_NEED_IS_UP);
        release_held(s, instance);
    } else if (slot->awaited && !slot_has_live(slot)) {
        slot->awaited = false;
        life_event(s, slot->on, CASE_CLEANED);
    }
}

/* ---- dying ---- */

/* What was made on top of it is worth nothing now; nor is an address at which its connections linger. */
static void spread(struct session *s, struct instance *instance)
{
    for (uint32_t i = 0; i < instance->need_count; i++)
        if (instance->needs[i]->recipe.kind == FIXTURE_ADDRESS && !instance->needs[i]->stale) {
            instance->needs[i]->stale = true;
            spread(s, instance->needs[i]);
        }
    for (uint32_t i = 0; i < s->fixtures->wide_count; i++) {
        struct instance *wide = s->fixtures->wide[i];

        if (instance_is_live(wide) && !wide->stale && instance_needs(wide, instance)) {
            wide->stale = true;
            spread(s, wide);
        }
    }
}

static bool uses(const struct session *s, struct slot *slot, const struct instance *instance)
{
    const struct closure *closure;

    if (!slot->busy || instance->slot)
        return slot->busy && instance->slot == slot;
    if (!s->fixtures->has[slot->on])
        return false;
    closure = closure_of(s, slot->on);
    for (uint32_t i = 0; i < closure->count; i++)
        if (wide_of(s, slot->on, closure->list[i]) == instance)
            return true;
    return false;
}

void instance_has_died(struct session *s, struct instance *instance)
{
    if (!instance->slot) {
        instance->stale = true;
        spread(s, instance);
    }
    for (uint32_t i = s->fixtures->wide_count; i-- > 0;)
        if (s->fixtures->wide[i]->stale && s->fixtures->wide[i] != instance)
            instance_look(s, s->fixtures->wide[i]);
    if (!instance->slot && !instance->users && !instance->failing)
        session_note(s, "fixture '%.*s' %s while nobody used it%s", STR_ARG(instance->fixture->name),
                     instance->reason, instance->last_words);
    for (uint32_t k = 0; k < s->jobs; k++) {
        struct slot *slot = &s->slots[k];

        if (!uses(s, slot, instance))
            continue;
        if (slot->preparing && !slot->setup)
            slot->setup =
                arena_printf(&slot->arena, "%.*s %s", STR_ARG(instance->fixture->name), instance->reason);
        unprepare(s, slot);
        if (slot->listed && !slot->cleaning)
            watch_end(s->watch, slot->number, WATCH_FIXTURE);
    }
}

void fixtures_hurry(struct session *s)
{
    for (uint32_t i = 0; s->fixtures && i < s->fixtures->seat_count; i++)
        if (s->fixtures->seats[i].busy)
            fixture_hurry(s, s->fixtures->seats[i].instance);
}

void fixtures_give_up(struct session *s)
{
    for (uint32_t k = 0; s->fixtures && k < s->jobs; k++)
        if (s->slots[k].busy) {
            s->slots[k].given_up = s->slots[k].preparing;
            unprepare(s, &s->slots[k]);
        }
}

bool fixtures_are_live(const struct session *s)
{
    return s->fixtures && s->fixtures->live;
}

nanos fixtures_busy_since(const struct session *s)
{
    nanos since = WATCH_NEVER;

    for (uint32_t i = 0; s->fixtures && i < s->fixtures->seat_count; i++) {
        const struct seat *seat = &s->fixtures->seats[i];

        if (seat->busy && seat->instance->began < since)
            since = seat->instance->began;
    }
    return since;
}

bool fixtures_are_busy(const struct session *s)
{
    for (uint32_t i = 0; s->fixtures && i < s->fixtures->seat_count; i++)
        if (s->fixtures->seats[i].busy)
            return true;
    return false;
}
