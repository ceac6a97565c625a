/* How an attempt begins. */
#include "runner/attempt_internal.h"

#include "runner/base/io.h"
#include "runner/dumps.h"
#include "runner/files.h"
#include "runner/header.h"
#include "runner/loop.h"
#include "runner/outputs.h"
#include "runner/servers.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* How often a start is tried again when nothing else is running whose end could help; the waits grow. */
#define STUCK_TRIES 8
#define STUCK_WAIT  (25 * NS_PER_MS)

#define ARRIVES_WITHIN (100 * NS_PER_MS) /* after it was asked for, where nothing has to be loaded before */

struct slot *attempt_slot(const struct session *s, uint32_t number)
{
    return &s->slots[s->cases[number].slot];
}

uint32_t attempt_number(const struct session *s, uint32_t number)
{
    return s->cases[number].attempts + 1u;
}

/* ---- starting ---- */

static struct slot *free_slot(struct session *s)
{
    struct slot *slot = s->slots;

    while (slot->busy)
        slot++;
    return slot;
}

static void take_slot(struct session *s, uint32_t number)
{
    struct slot *slot = free_slot(s);

    slot->busy = true;
    slot->on = number;
    slot->recorded = session_recorded(s, number);
    slot->setup = NULL;
    slot->tailed = slot->listed = slot->unwatched = false;
    slot->relay_count = 0;
    slot->cut = 0;
    slot->outcome = CASE_REFUSED;
    slot->taken = slot->started = watch_now(s->watch);
    arena_clear(&slot->arena);
    slot->leaks.arena = &slot->arena;
    slot->leaks.count = 0;
    slot->said = NULL;
    slot->crash = NULL;
    slot->subject = NULL;
    slot->dump = NULL;
    slot->dump_path = NULL;
    slot->dump_partial = false;
    slot->dumped_meanwhile = false;
    slot->dumps_asked = 0;
    slot->folder = NULL;
    slot->looked = false;
    slot->fixtures = NULL;
    slot->fixture_count = 0;
    slot->put_back = false;
    slot->preparing = slot->cleaning = slot->awaited = slot->given_up = false;
    slot->teardown = slot->fixture_died = NULL;
    s->free_slots--;
    s->cases[number].slot = slot->number;
}

void attempt_give_slot(struct session *s, struct slot *slot)
{
    slot->busy = false;
    slot->generation = 0;
    s->free_slots++;
}

/* Others hold it now, and will not for ever. */
bool attempt_may_pass(int error)
{
    return error == EMFILE || error == ENFILE || error == EAGAIN || error == ENOMEM || error == ENOBUFS;
}

/* True: it is tried again later, and there is nothing to be said. */
static bool is_stuck(const struct session *s, struct slot *slot, int error)
{
    if (!attempt_may_pass(error) || s->stuck_times >= STUCK_TRIES)
        return false;
    slot->outcome = CASE_STUCK;
    return true;
}

static bool could_not(struct session *s, struct slot *slot, const char *what, int error)
{
    if (!is_stuck(s, slot, error))
        slot->setup = arena_printf(&slot->arena, "cannot %s: %s", what, strerror(error));
    return false;
}

static bool lend_folders(struct session *s, struct slot *slot)
{
    if (workdir_lend(&s->workdirs, &slot->tmp) < 0)
        return could_not(s, slot, "make a folder for temporary files", errno);
    if (workdir_lend_artifacts(s->run.fd, &slot->artifacts) < 0)
        return could_not(s, slot, "make a folder for artifacts", errno);
    if (!case_results_lend(s, slot, &slot->reports))
        return could_not(s, slot, "make a folder for reports", errno);
    return true;
}

/* A port that the last case in this slot did not use, or has left without a trace, serves again. */
static bool reserve_address(struct session *s, struct slot *slot)
{
    struct address *address = &slot->reg_addr;
    bool tcp = recipe_transport(&s->kitchen, session_planned(s, slot->on)) == TRANSPORT_TCP;
    int answer;

    if (tcp && address->claim >= 0 && !address_is_taken(address))
        return true;
    address_release(address);
    answer = tcp ? address_reserve_tcp(address) : address_reserve_uds(address, slot->tmp.path);
    return answer == 0 || could_not(s, slot, "find a free address", errno);
}

/* What is wrong with the case's own words becomes the reason of its error. */
static bool make_recipe(struct session *s, struct slot *slot)
{
    struct diags diags = {.arena = &slot->arena};
    struct place_of_case where = {
        .attempt = attempt_number(s, slot->on),
        .slot = slot->number,
        .tmpdir = slot->tmp.path,
        .artifacts = arena_printf(&slot->arena, "%s/%s", s->run_path, slot->artifacts.path),
        .given = fixtures_given(s, slot),
        .results = slot->reports,
    };
    struct recipe *recipe = &slot->recipe;

    slot->folder = outputs_folder(s, slot);
    if (slot->folder) {
        files_clear(s, slot);
        where.output = arena_printf(&slot->arena, "%s/%s", s->run_path, slot->folder);
    }

    where.again = case_inside_again(s, slot, &where.again_count);
    if (!recipe_make(&s->kitchen, session_planned(s, slot->on), &where, &slot->arena, recipe, &diags)) {
        slot->setup = diags.count ? diags.list[0].text : "its settings cannot be read";
        return false;
    }
    slot->setup = recipe->error;
    if (s->interactive && recipe->backend->serving)
        recipe->unsupported =
            "-s gives a case our terminal and session, and who is started by a server is in "
            "neither: use backend exec or spawn";
    return !recipe->error && !recipe->skip && !recipe->unsupported;
}

/* As it is, with all that it can do. */
static void give_terminal(struct spawn_spec *spec)
{
    for (int fd = 0; fd < 3; fd++)
        spec->stdio[fd] = fd;
    spec->session = false; /* or /dev/tty would not be there */
}

/* What its environment names "3,4". */
static void pass_streams(struct session *s, struct slot *slot, const struct capture_way *way)
{
    struct spawn_spec *spec = &slot->recipe.spec;

    for (int i = 0; i < 2; i++)
        spec->pass[i] = way->teed ? slot->relays[1].given[i] : capture_stream(s->room, &slot->capture, i);
    spec->pass_count = 2;
}

static bool open_capture(struct session *s, struct slot *slot)
{
    struct recipe *recipe = &slot->recipe;
    const struct capture_way *way = capture_way(recipe->capture);

    if (capture_open(s->room, recipe->capture, &slot->capture, recipe->spec.stdio) < 0)
        return could_not(s, slot, "open files for its output", errno);
    if (s->interactive && way->shown && !way->inside)
        give_terminal(&recipe->spec);
    else if (way->relayed && outputs_open_relays(s, slot) < 0)
        return could_not(
            s, slot, way->terminal ? "open a terminal for its output" : "open a relay for its output", errno);
    if (way->inside)
        pass_streams(s, slot, way);
    return true;
}

/* Our own limit was raised to hold all the slots; a case gets the one that we were given. */
static void limit_files(struct session *s, struct spawn_spec *spec)
{
    for (uint32_t i = 0; i < spec->limit_count; i++)
        if (spec->limits[i].resource == RLIMIT_NOFILE)
            return;
    if (spec->limit_count < SPAWN_LIMITS_MOST)
        spec->limits[spec->limit_count++] = (struct spawn_limit){RLIMIT_NOFILE, s->files_before};
}

static bool lend_shm(struct session *s, struct slot *slot)
{
    if (workdirs_open_shm(&s->shmdirs, s->run_path) < 0 || workdir_lend(&s->shmdirs, &slot->shm) < 0)
        return could_not(s, slot, "make a folder for shared memory", errno);
    return true;
}

/* The place that it is put in, with what holds it together, keeps it apart, and limits it. */
static bool prepare_place(struct session *s, struct slot *slot)
{
    struct recipe *recipe = &slot->recipe;
    struct contain_wants wants = {
        .limits = {[CGROUP_PROCESSES] = recipe->processes, [CGROUP_MEMORY] = recipe->memory},
        .isolate = recipe->isolate,
        .outside = recipe->debugged, /* in a namespace there is no group that could take the terminal back */
    };

    header_limits(s, &wants);
    if (recipe->isolate & SPAWN_ISOLATE_FILES) {
        if (!lend_shm(s, slot))
            return false;
        wants.tmp = slot->tmp.path;
        wants.shm = slot->shm.path;
    }
    if (contain_prepare(contain_place(s->contain, slot->number), &wants, &recipe->spec) < 0)
        return could_not(s, slot, "make a place to contain it", errno);
    return true;
}

/* False, with what is to be said of it, unless it is to be tried again. */
static bool was_refused(struct session *s, struct slot *slot, struct spawn_error error)
{
    struct buf words = {0};

    contain_not_started(contain_place(s->contain, slot->number));
    if (is_stuck(s, slot, error.error))
        return false;
    spawn_error_words(&words, error, &slot->recipe.spec);
    slot->setup = arena_cstr(&slot->arena, buf_str(&words));
    buf_release(&words);
    return false;
}

static bool make_process(struct session *s, struct slot *slot, struct process *process)
{
    struct recipe *recipe = &slot->recipe;
    struct spawn_error error = {SPAWN_STAGE_CLONE, fault_errno(&s->faults, FAULT_CLONE)};

    limit_files(s, &recipe->spec);
    slot->started = watch_now(s->watch);
    if (!error.error && recipe->backend->start(slot->spawn, &recipe->spec, process, &error))
        return true;
    return was_refused(s, slot, error);
}

/* Who makes it says later that it is there. */
static void ask_for_process(struct session *s, struct slot *slot)
{
    struct spawn_error error = {SPAWN_STAGE_CLONE, fault_errno(&s->faults, FAULT_CLONE)};

    limit_files(s, &slot->recipe.spec);
    slot->started = watch_now(s->watch);
    if (!error.error && servers_ask(s, slot, &error))
        slot->outcome = CASE_ASKED;
    else
        was_refused(s, slot, error);
}

void attempt_record_start(struct session *s, const struct slot *slot)
{
    session_wrote(s, journal_started(s->journal, slot->recorded, attempt_number(s, slot->on), slot->number,
                                     slot->pid, slot->started - s->began));
}

static void watch_process(struct session *s, struct slot *slot, struct process process)
{
    const struct recipe *recipe = &slot->recipe;
    struct watched watched = {
        .process = process,
        .spawn = slot->spawn,
        .limits = {[WATCH_SETUP] = SESSION_SETUP, [WATCH_CALL] = recipe->timeout},
        .slow = recipe->slow,
        .ladder = &recipe->ladder,
        .place = contain_place(s->contain, slot->number),
        .leak_grace = recipe->leaks.grace,
        .dumps = s->keep == KEEP_NONE ? 0 : recipe_watched_dumps(recipe),
        .says = recipe->is_c_test,
        .folder = slot->tmp.fd,
        .output_limit = recipe->output_limit,
        .outputs = {slot->capture.files[0].fd, slot->capture.files[1].fd, slot->capture.files[2].fd},
        .run = s->run.fd,
        .beside = slot->folder,
    };

    capture_started(&slot->capture);
    slot->pid = process.pid;
    dumps_prepare(s, slot);
    slot->generation = watch_begin(s->watch, slot->number, &watched, slot->started);
    slot->listed = true;
    loop_watch_process(s, slot, process.pidfd);
    for (uint32_t i = 0; i < slot->relay_count; i++)
        relay_started(&slot->relays[i]);
    loop_watch_relays(s, slot);
    fault_die(&s->faults, FAULT_DIE_STARTED);
    if (!s->soak) /* of a soak only what fails is on record, when it has */
        attempt_record_start(s, slot);
}

static void has_process(struct session *s, struct slot *slot, struct process process)
{
    watch_process(s, slot, process);
    progress_started(s->progress, slot->number, slot->recipe.id, slot->started);
    slot->outcome = CASE_STARTED;
    s->stuck_times = 0;
}

/* Why there is no process to say something: what somebody else has said is kept as its output. */
static void tell_words(struct session *s, struct slot *slot)
{
    const char *words = slot->recipe.words;
    int stdio[3];

    if (!words || capture_open(s->room, CAPTURE_FD, &slot->capture, stdio) < 0)
        return;
    if (fd_write_all(slot->capture.files[1].fd, words, strlen(words)) < 0)
        session_note(s, "cannot keep the output of %.*s: %s", STR_ARG(slot->recipe.id), strerror(errno));
    capture_started(&slot->capture);
}

void attempt_go(struct session *s, uint32_t number)
{
    struct slot *slot = attempt_slot(s, number);
    struct process process;

    slot->outcome = CASE_REFUSED;
    if (!make_recipe(s, slot)) {
        tell_words(s, slot);
        return;
    }
    if (journal_room(s->journal, SESSION_RECORDS * s->jobs + 1) < 0) {
        session_wrote(s, -1);
        slot->setup = "there is no room left for its record";
        return;
    }
    fault_die(&s->faults, FAULT_DIE_START);
    if (!open_capture(s, slot) || !case_results_await(s, slot) || !prepare_place(s, slot))
        return;
    if (slot->recipe.backend->serving)
        ask_for_process(s, slot);
    else if (make_process(s, slot, &process))
        has_process(s, slot, process);
}

/* That its server had to be started, and to load something, is not its own time. */
static nanos without_waiting(nanos asked, nanos now)
{
    return now - asked > ARRIVES_WITHIN ? now - ARRIVES_WITHIN : asked;
}

void attempt_arrived(struct session *s, struct slot *slot, struct process process)
{
    slot->started = without_waiting(slot->started, watch_now(s->watch));
    has_process(s, slot, process);
    life_event(s, slot->on, CASE_STARTED);
}

void attempt_refused(struct session *s, struct slot *slot, struct spawn_error error, const char *words)
{
    slot->outcome = CASE_REFUSED;
    was_refused(s, slot, error);
    if (words)
        slot->setup = words;
    life_event(s, slot->on, slot->outcome);
}

/* What is known of it whatever happens next. */
static void begin_recipe(struct session *s, struct slot *slot)
{
    recipe_begin(&s->kitchen, session_planned(s, slot->on), &slot->arena, &slot->recipe);
}

void attempt_start(struct session *s, uint32_t number)
{
    struct slot *slot;

    take_slot(s, number);
    slot = attempt_slot(s, number);
    if (!lend_folders(s, slot) || !reserve_address(s, slot)) {
        begin_recipe(s, slot);
        return;
    }
    switch (fixtures_prepare(s, slot)) {
    case FIXTURES_ARE_UP: attempt_go(s, number); break;
    case FIXTURES_ARE_COMING: slot->outcome = CASE_PREPARES; /* fall through */
    case FIXTURES_HAVE_FAILED: begin_recipe(s, slot); break;
    }
}

bool attempt_clean(struct session *s, uint32_t number)
{
    struct slot *slot = attempt_slot(s, number);

    slot->fixture_died = fixtures_dead(s, slot);
    return slot->fixture_count && fixtures_clean(s, slot);
}

enum case_event attempt_outcome(const struct session *s, uint32_t number)
{
    return attempt_slot(s, number)->outcome;
}

void attempt_put_back(struct session *s, uint32_t number)
{
    struct slot *slot = attempt_slot(s, number);

    outputs_finish_relays(s, slot);
    capture_close(s->room, &slot->capture);
    case_results_clear(s, slot);
    fixtures_keep(s, slot, false);
    attempt_give_slot(s, slot);
    fixtures_leave(s, number);
    if (queue_put_back(s->queue, s->cases[number].queued))
        return;
    s->stuck_times++;
    s->stuck_until = watch_now(s->watch) + (STUCK_WAIT << s->stuck_times);
}
