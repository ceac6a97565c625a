/* The processes of fixtures: each in a seat, with a place of its own in containment and watch. */
#include "runner/fixture_internal.h"

#include "runner/attempt.h"
#include "runner/base/sig.h"
#include "runner/loop.h"
#include "runner/outputs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define LAST_LINE_MOST 160
#define PAUSE_LEAST    (2 * NS_PER_MS)
#define PAUSE_MOST     (100 * NS_PER_MS)

/* ---- starting ---- */

static struct seat *free_seat(struct session *s)
{
    for (uint32_t i = 0; i < s->fixtures->seat_count; i++)
        if (!s->fixtures->seats[i].busy)
            return &s->fixtures->seats[i];
    return NULL;
}

bool instance_could_not(struct instance *instance, const char *what)
{
    instance->may_pass = attempt_may_pass(errno);
    instance->reason = arena_printf(&instance->arena, "cannot %s: %s", what, strerror(errno));
    return false;
}

void process_forget_output(struct session *s, struct fixture_process *process)
{
    if (process->captured)
        capture_close(s->room, &process->capture);
    process->captured = false;
}

const char *process_output(struct instance *instance, const struct fixture_process *process, int i)
{
    static const char *const prefixes[FIXTURE_COMMAND_COUNT] = {
        [COMMAND_MAIN] = "", [COMMAND_READY] = "ready-", [COMMAND_TEARDOWN] = "teardown-"};

    return arena_printf(&instance->arena, "%s/%s%s", instance->folder, prefixes[process->command],
                        process->capture.files[i].word);
}

void process_keep(struct session *s, struct instance *instance, struct fixture_process *process)
{
    for (int i = 0; i < 2; i++) {
        struct capture_file *file = &process->capture.files[i];
        const char *path = file->fd < 0 ? NULL : process_output(instance, process, i);

        if (path && outputs_hide(s, file, instance->id) && (!instance->slot || capture_size(file)) &&
            capture_keep(s->room, file, path) < 0)
            session_note(s, "cannot keep '%s': %s", path, strerror(errno));
    }
}

/* When it is over at the latest; what is on record of it comes after that. */
static void hide_output(struct session *s, struct instance *instance, struct fixture_process *process)
{
    if (mask_is_empty(s->mask) || !process->captured)
        return;
    if (!instance->slot)
        process_keep(s, instance, process);
    for (int i = 0; i < 2; i++)
        if (process->capture.files[i].fd >= 0)
            outputs_hide(s, &process->capture.files[i], instance->id);
}

/* That of wide ones has its name from the beginning, so that people can follow it, unless something is to be hidden. */
static bool open_output(struct session *s, struct instance *instance, struct fixture_process *process)
{
    process_forget_output(s, process);
    if (capture_open(s->room, CAPTURE_FD, &process->capture, process->spec.stdio) < 0)
        return instance_could_not(instance, "open files for its output");
    process->captured = true;
    if (!instance->slot && mask_is_empty(s->mask))
        process_keep(s, instance, process);
    return true;
}

static bool open_listeners(struct instance *instance, struct spawn_spec *spec)
{
    for (uint32_t i = 0; i < instance->need_count; i++) {
        struct address *address = &instance->needs[i]->address;

        if (instance->needs[i]->recipe.kind != FIXTURE_ADDRESS || spec->pass_count == SPAWN_PASS_MOST)
            continue;
        if (address->listener < 0 && address_listen(address) < 0)
            return instance_could_not(instance, "listen for it");
        spec->pass[spec->pass_count++] = address->listener;
    }
    return true;
}

static bool fill_spec(struct session *s, struct instance *instance, struct fixture_process *process)
{
    struct spawn_spec *spec = &process->spec;

    if (process->command == COMMAND_TEARDOWN)
        instance_tell_teardown(s, instance);
    *spec = instance->recipe.commands[process->command];
    spec->limits[spec->limit_count++] = (struct spawn_limit){RLIMIT_NOFILE, s->files_before};
    if (process->command == COMMAND_MAIN && instance->recipe.pass && !open_listeners(instance, spec))
        return false;
    return open_output(s, instance, process);
}

/* Our copies are of no use once it has its own, and would hide that it is dead. */
static void close_listeners(struct instance *instance)
{
    for (uint32_t i = 0; instance->recipe.pass && i < instance->need_count; i++)
        if (instance->needs[i]->address.listener >= 0)
            address_close_listener(&instance->needs[i]->address);
}

static bool clone_it(struct session *s, struct instance *instance, struct fixture_process *process,
                     struct seat *seat, struct process *made)
{
    struct contain_place *place = contain_place(s->contain, seat->number);
    const struct contain_wants nothing = {0};
    struct spawn_error error = {SPAWN_STAGE_CLONE, fault_errno(&s->faults, FAULT_CLONE)};
    struct buf words = {0};

    if (contain_prepare(place, &nothing, &process->spec) < 0)
        return instance_could_not(instance, "make a place to contain it");
    process->started = watch_now(s->watch);
    if (!error.error && backends[BACKEND_EXEC]->start(seat->spawn, &process->spec, made, &error))
        return true;
    contain_not_started(place);
    instance->may_pass = attempt_may_pass(error.error);
    spawn_error_words(&words, error, &process->spec);
    instance->reason = arena_cstr(&instance->arena, buf_str(&words));
    buf_release(&words);
    return false;
}

static void take_seat(struct session *s, struct instance *instance, struct fixture_process *process,
                      struct seat *seat, struct process made, nanos limit)
{
    const struct watched watched = {
        .process = made,
        .spawn = seat->spawn,
        .limits = {[WATCH_SETUP] = SESSION_SETUP, [WATCH_CALL] = limit},
        .ladder = &instance->recipe.stop,
        .place = contain_place(s->contain, seat->number),
        .leak_grace =
            process->command == COMMAND_MAIN && instance->recipe.kind == FIXTURE_RUN ? WATCH_NEVER : 0,
        .dumps = s->keep == KEEP_NONE ? 0 : WATCH_DUMP_STRIKE,
        .aside = true,
        .outputs = {-1, -1},
    };

    process->seat = seat;
    seat->busy = true;
    seat->unwatched = false;
    seat->instance = instance;
    seat->process = process;
    seat->pidfd = made.pidfd;
    seat->pid = made.pid;
    process_watch_dumps(instance, process, seat, limit);
    seat->generation = watch_begin(s->watch, seat->number, &watched, process->started);
    if (process->command == COMMAND_MAIN) {
        instance->shown = seat->number;
        progress_started(s->progress, seat->number, instance->id, process->started);
        if (instance->ready.socket >= 0)
            loop_watch_notify(s, seat->number, seat->generation, instance->ready.socket);
    }
    seat->unwatched = !loop_watch_place(s, seat->number, seat->generation, made.pidfd);
}

bool process_start(struct session *s, struct instance *instance, struct fixture_process *process,
                   enum fixture_command command, nanos limit)
{
    struct seat *seat = free_seat(s);
    struct process made;

    process->command = command;
    if (!seat) {
        instance->reason =
            arena_printf(&instance->arena, "%u processes of fixtures run already, as many as there may be",
                         s->fixtures->seat_count);
        return false;
    }
    if (!fill_spec(s, instance, process) || !clone_it(s, instance, process, seat, &made))
        return false;
    capture_started(&process->capture);
    if (command == COMMAND_MAIN)
        close_listeners(instance);
    take_seat(s, instance, process, seat, made, limit);
    return true;
}

/* ---- ending ---- */

void process_end(struct session *s, const struct fixture_process *process, enum watch_cause cause)
{
    if (process->seat)
        watch_end(s->watch, process->seat->number, cause);
}

/* It was asked to end and did not: that is no failure of a test, and somebody may want to know. */
static void note_killed(struct session *s, const struct instance *instance, const struct watch_ending *ending)
{
    uint32_t last = ending->rung_count - 1;

    if (ending->cause == WATCH_UNWANTED && ending->rung_count > 1 && ending->rungs[last].signal == SIGKILL)
        session_note(s, "fixture '%.*s' did not end by %s, and was killed", STR_ARG(instance->fixture->name),
                     signal_name(ending->rungs[last - 1].signal));
}

static void is_over(struct session *s, struct seat *seat)
{
    struct instance *instance = seat->instance;
    struct fixture_process *process = seat->process;

    process->seat = NULL;
    seat->busy = false;
    process_keep_dump(s, instance, seat, process);
    note_killed(s, instance, &process->ending);
    if (process->ending.abandoned) {
        spawn_free(seat->spawn); /* does nothing while it is in use */
        seat->spawn = spawn_new();
        seat->busy = !seat->spawn;
        session_note(s,
                     "a process of fixture '%.*s' did not end, not even by SIGKILL, and is left where it is",
                     STR_ARG(instance->fixture->name));
    }
    hide_output(s, instance, process);
    instance_event(s, instance, process == &instance->main ? FIXTURE_GONE : FIXTURE_SIDE_GONE);
}

/* True: it goes on, and is to be watched. */
static bool reap(struct session *s, struct seat *seat)
{
    struct watch_view view;

    switch (watch_reap(s->watch, seat->number, &seat->process->ending)) {
    case WATCH_IS_OVER: is_over(s, seat); return false;
    case WATCH_GOES_ON: return true;
    case WATCH_REMAIN: /* by itself; what was told to end has not done what it was for */
        if (seat->process == &seat->instance->main && watch_look(s->watch, seat->number, &view) &&
            (view.cause == WATCH_NO_CAUSE || view.cause == WATCH_REMAINS))
            instance_event(s, seat->instance, FIXTURE_HEADLESS);
        return false;
    }
    return false;
}

static struct seat *seat_at(const struct session *s, uint32_t place)
{
    return &s->fixtures->seats[place - s->jobs];
}

bool fixtures_reap(struct session *s, uint32_t place, uint32_t generation)
{
    struct seat *seat = seat_at(s, place);

    return seat->busy && seat->generation == generation && reap(s, seat);
}

int fixtures_notified(struct session *s, uint32_t place, uint32_t generation)
{
    struct seat *seat = seat_at(s, place);

    if (!seat->busy || seat->generation != generation)
        return -1;
    ready_is(&seat->instance->ready);
    return seat->instance->ready.socket;
}

int fixtures_pidfd(const struct session *s, uint32_t place)
{
    return seat_at(s, place)->pidfd;
}

void fixtures_watch_told(struct session *s, const struct watch_event *event)
{
    struct seat *seat = seat_at(s, event->slot);

    if (!seat->busy || seat->generation != event->generation)
        return;
    if (event->kind == WATCH_TELLS_REMAINS)
        watch_end(s->watch, seat->number, WATCH_REMAINS);
    else if (event->kind == WATCH_TELLS_OVER)
        reap(s, seat);
}

void fixtures_look(struct session *s)
{
    for (uint32_t i = 0; s->fixtures && i < s->fixtures->seat_count; i++)
        if (s->fixtures->seats[i].busy && s->fixtures->seats[i].unwatched)
            reap(s, &s->fixtures->seats[i]);
}

bool fixtures_running(struct session *s, uint32_t number, struct progress_running *running, struct buf *line)
{
    static const char *const words[FIXTURE_STATE_COUNT] = {
        [FIXTURE_MAKING] = "being made",
        [FIXTURE_BREAKING] = "being given up",
        [FIXTURE_UNMAKING] = "in its tear-down",
        [FIXTURE_ENDING] = "being ended",
    };
    struct seat *seat = &s->fixtures->seats[number];
    struct watch_view view;

    if (!seat->busy || !words[seat->instance->state] || !watch_look(s->watch, seat->number, &view))
        return false;
    capture_last_line(&seat->process->capture.files[0], LAST_LINE_MOST, line);
    *running = (struct progress_running){
        .id = seat->instance->id,
        .attempt = seat->instance->time,
        .running = view.running,
        .state = words[seat->instance->state],
        .last_line = buf_str(line),
    };
    if (!seat->instance->slot)
        running->path = arena_printf(&seat->instance->arena, "%s/%s", s->run.path,
                                     process_output(seat->instance, seat->process, 0));
    return true;
}

/* ---- is it up? ---- */

static bool has_executed(struct session *s, const struct instance *instance)
{
    struct watch_view view;

    return instance->main.seat && watch_look(s->watch, instance->main.seat->number, &view) &&
           view.phase == WATCH_CALL && view.cause == WATCH_NO_CAUSE;
}

/* One after another, with a pause between; the last one's status says whether it is up. */
static bool command_succeeds(struct session *s, struct instance *instance)
{
    const struct watch_ending *ending = &instance->side.ending;

    if (instance->side.seat)
        return false;
    if (instance->ready.tries && !ending->signal && !ending->status && !ending->cause)
        return true;
    instance->ready.tries++;
    if (!process_start(s, instance, &instance->side, COMMAND_READY, instance->recipe.within))
        instance->side.ending = (struct watch_ending){.status = -1};
    return false;
}

static bool is_ready(struct session *s, struct instance *instance)
{
    if (!has_executed(s, instance))
        return false;
    switch (instance->recipe.ready) {
    case READY_AT_ONCE: return true;
    case READY_COMMAND: return command_succeeds(s, instance);
    default: return ready_is(&instance->ready);
    }
}

static void probe(struct session *s, struct instance *instance, nanos now)
{
    if (instance->starting) {
        instance_event(s, instance, FIXTURE_AGAIN);
        return;
    }
    if (is_ready(s, instance)) {
        instance_event(s, instance, FIXTURE_READY);
        return;
    }
    instance->pause = instance->pause * 3 / 2 < PAUSE_LEAST ? PAUSE_LEAST : instance->pause * 3 / 2;
    if (instance->pause > PAUSE_MOST)
        instance->pause = PAUSE_MOST;
    instance->next_try = now + instance->pause;
}

static void ask_one(struct session *s, struct instance *instance, nanos now, nanos *next)
{
    if (!instance->asked)
        return;
    if (!next && instance->next_try <= now)
        probe(s, instance, now);
    else if (next && instance->next_try < *next)
        *next = instance->next_try;
}

/* One after another, of all that are asked; `next`: the first that is due, if any is. */
static void each_asked(struct session *s, nanos now, nanos *next)
{
    struct fixtures *f = s->fixtures;
    uint32_t own = 0;

    for (uint32_t i = 0; f && i < f->wide_count; i++)
        ask_one(s, f->wide[i], now, next);
    for (uint32_t k = 0; f && k < s->jobs; k++)
        for (own = 0; s->slots[k].busy && own < s->slots[k].fixture_count; own++)
            ask_one(s, &s->slots[k].fixtures[own], now, next);
}

void fixtures_probe(struct session *s)
{
    if (fixtures_are_live(s))
        each_asked(s, watch_now(s->watch), NULL);
}

bool fixtures_are_moving(struct session *s)
{
    for (uint32_t i = 0; s->fixtures && i < s->fixtures->seat_count; i++)
        if (s->fixtures->seats[i].busy)
            return true;
    return fixtures_due(s) != WATCH_NEVER;
}

nanos fixtures_due(struct session *s)
{
    nanos next = WATCH_NEVER;

    if (fixtures_are_live(s))
        each_asked(s, 0, &next);
    return next;
}
