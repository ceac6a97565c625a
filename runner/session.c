#include "runner/session.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/crash.h"
#include "runner/debugger.h"
#include "runner/dumps.h"
#include "runner/estate.h"
#include "runner/finish.h"
#include "runner/header.h"
#include "runner/in_job.h"
#include "runner/jobs.h"
#include "runner/loop.h"
#include "runner/outputs.h"
#include "runner/plan_record.h"
#include "runner/recall.h"
#include "runner/remember.h"
#include "runner/servers.h"
#include "runner/soaking.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Descriptors that the run itself needs, and a slot: pidfd, three captures, four relays, four folders, four
 * given, and what holds a case together (a control group and its knobs, or an anchor and its namespaces).
 */
#define FILES_OF_RUN  48
#define FILES_OF_SLOT 31
#define FILES_OF_FIXTURE \
    18 /* the same for a process of a fixture: pidfd, two captures, a folder, two sockets ... */
#define GITHUB_WAIT (2 * NS_PER_S) /* a step that is cancelled has 7.5 s for everything */

static const struct place nowhere = {0};

/* ---- what was asked for ---- */

static bool read_jobs(struct session *s, const struct options *o)
{
    if (jobs_read(o->jobs, &s->jobs))
        return true;
    diag_error(s->in->diags, nowhere, "'-n' wants a number from 1 to %d, or auto, not '%s'", JOBS_MOST,
               o->jobs);
    return false;
}

static bool read_options(struct session *s)
{
    const struct options *o = s->in->options;

    s->keep = outputs_wanted(o->keep);
    s->failures_most = recall_failures_most(o);
    s->no_tests = o->no_tests ? o->no_tests : "fail";
    s->has_modes = tcgetattr(STDIN_FILENO, &s->modes) == 0;
    s->interactive = o->no_capture && isatty(STDOUT_FILENO) && s->has_modes;
    s->session_timeout = o->session_timeout >= 0 ? o->session_timeout : front_session_timeout(s->front);
    return read_jobs(s, o) && faults_parse(&s->faults, getenv("RUN_MATRIX_FAULTS"), s->in->diags);
}

/* ---- descriptors ---- */

/* As many as we may have, since every slot needs some, and every process of a fixture; and no more slots than that. */
static void raise_files(struct session *s)
{
    rlim_t limit = fd_raise_limit(&s->files_before);
    uint64_t fixed = FILES_OF_RUN + (uint64_t)fixtures_shared_places(s) * FILES_OF_FIXTURE +
                     (uint64_t)servers_places(s) * FILES_OF_FIXTURE;
    uint64_t each = FILES_OF_SLOT + (uint64_t)fixtures_own_places(s) * FILES_OF_FIXTURE;
    uint64_t slots = limit > fixed + each ? (limit - fixed) / each : 1;

    if (!limit)
        return;
    if (s->jobs > slots) {
        diag_warning(s->in->diags, nowhere,
                     "%llu descriptors (ulimit -n) are enough for %llu cases side by side, not %u",
                     (unsigned long long)limit, (unsigned long long)slots, s->jobs);
        s->jobs = (uint32_t)slots;
    }
}

/* ---- opening, in the order of the members ---- */

static bool failed(struct session *s, const char *what)
{
    diag_error(s->in->diags, nowhere, "cannot %s: %s", what, strerror(errno));
    return false;
}

static void open_terminal(struct session *s)
{
    const struct options *o = s->in->options;

    progress_style(&s->style, finish_prints_report(s->in) ? STDERR_FILENO : STDOUT_FILENO, o->color);
    s->style.verbose = o->verbose - o->quiet;
    s->style.mask = s->mask;
    job_voice_open(&s->voice);
    s->style.inert = s->voice.inside;
    if (!o->debugger && !mask_is_empty(s->mask))
        s->interactive = false; /* what is written to a terminal is out of our hands */
    s->kitchen.interactive = s->interactive;
    if (s->interactive) {
        s->jobs = 1;
        s->style.live = false;
    }
    s->style.prefix = s->voice.inside || (s->jobs > 1 && s->life_count > 1);
    s->tty.fd = -1;
    if (s->style.live)
        tty_open(&s->tty, STDIN_FILENO);
    tty_keys(&s->tty);
}

static int64_t wall_clock(struct session *s)
{
    struct fault_plan *jump = fault_now(&s->faults, FAULT_WALL_CLOCK);

    return (clock_wall() + (jump ? jump->span : 0)) / NS_PER_MS;
}

static bool open_run(struct session *s, struct resumption *resumption)
{
    struct diags *diags = s->in->diags;

    s->store.fd = s->run.fd = s->run.lock = -1;
    if (resumption) {
        s->run = resumption->run; /* ours from here on */
        resumption->run.fd = resumption->run.lock = -1;
    } else if (store_open(&s->store, front_store_path(s->in, s->front), s->arena, diags) < 0 ||
               store_new_run(&s->store, s->wall, s->arena, &s->run, diags) < 0) {
        return false;
    }
    s->run_path = realpath(s->run.path, NULL);
    if (resumption)
        estate_reap_own(s);
    s->journal = s->run_path ? journal_open(s->run.fd, &s->faults) : NULL;
    if (s->journal)
        journal_mask(s->journal, s->mask);
    return s->journal || failed(s, "open the journal of the run");
}

nanos session_cap(void)
{
    const char *github = getenv("GITHUB_ACTIONS");

    return github && strcmp(github, "true") == 0 ? GITHUB_WAIT : 0;
}

/* Itself, wherever it was found; it can serve for programs. */
static const char *own_program(struct arena *arena)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);

    return len > 0 && len < PATH_MAX ? arena_cstr(arena, (struct str){path, (size_t)len}) : "/proc/self/exe";
}

static void open_kitchen(struct session *s)
{
    const struct options *o = s->in->options;

    s->mask = mask_new();
    s->kitchen = (struct kitchen){
        .mask = s->mask,
        .plan = &s->front->plan,
        .settings = s->front->settings,
        .profile = s->front->profile,
        .capture = o->no_capture ? "no"
                   : o->capture  ? o->capture
                                 : s->front->capture,
        .cap = session_cap(),
        .today = s->wall / 1000 / (24 * 60 * 60),
        .environ = (const char *const *)environ,
        .self = own_program(s->arena),
    };
    kitchen_open(&s->kitchen, s->arena);
}

static bool open_slots(struct session *s)
{
    s->slots = mem_zero(s->jobs, sizeof *s->slots);
    for (uint32_t i = 0; i < s->jobs; i++) {
        struct slot *slot = &s->slots[i];

        slot->number = slot->tmp.slot = slot->shm.slot = slot->artifacts.slot = slot->results.folder.slot = i;
        slot->tmp.fd = slot->shm.fd = slot->artifacts.fd = slot->results.folder.fd = -1;
        slot->reg_addr = (struct address)ADDRESS_NONE;
        capture_none(&slot->capture);
        slot->spawn = spawn_new();
        if (!slot->spawn)
            return failed(s, "get memory for the start of processes");
    }
    s->free_slots = s->jobs;
    return true;
}

static bool open_containment(struct session *s)
{
    const char *wanted = s->in->options->contain;
    struct buf why = {0};

    if (wanted && strcmp(wanted, "auto") == 0)
        wanted = NULL;
    s->contain = contain_open(wanted, arena_cstr(s->arena, s->run.id), session_places(s), &why);
    s->containment_why = arena_cstr(s->arena, buf_str(&why));
    buf_release(&why);
    if (!s->contain) {
        diag_error(s->in->diags, nowhere, "cases cannot be contained as '--contain' wants: %s",
                   s->containment_why);
        return false;
    }
    s->containment = contain_word[contain_kind(s->contain)];
    return true;
}

static bool open_machine(struct session *s)
{
    if (workdirs_open(&s->workdirs, s->run_path) < 0)
        return failed(s, "make a folder for temporary files");
    workdirs_open_sign(&s->sign, &s->workdirs); /* should that fail, others take what they find for theirs */
    workdirs_close_artifacts(s->run.fd);        /* what a run that died has left there */
    s->room = capture_room_new(s->run.fd, &s->faults);
    if (!s->room)
        return failed(s, "prepare captured output");
    capture_mask(s->room, s->mask);
    s->kitchen.run_id = arena_cstr(s->arena, s->run.id);
    s->watch = watch_new(s->contain, session_places(s));
    if (!s->watch)
        return failed(s, "start the watchdog");
    if (!dumps_open(s))
        return failed(s, "prepare dumps");
    watch_outer(s->watch, s->guard.guard);
    if (loop_open(s) < 0)
        return failed(s, "prepare the loop");
    return open_slots(s);
}

/* A run is finished with the cases it was begun with, or not at all. */
static bool same_cases(struct session *s)
{
    if (!s->resumed || (s->resumed->run.digest == s->digest && s->resumed->run.cases == s->case_count))
        return true;
    diag_error(s->in->diags, nowhere, "the cases are not those of run %.*s any more: start a new one",
               STR_ARG(s->resumed->run.id));
    return false;
}

enum exit_code session_open(struct session *s, struct invocation *in, struct front *front,
                            struct resumption *resumption)
{
    enum exit_code code;

    *s = (struct session){
        .in = in, .front = front, .arena = in->arena, .epoll = -1, .wake = -1, .crashes = -1};
    s->resumed = resumption ? &resumption->record : NULL;
    s->signals.fd = s->tty.fd = s->store.fd = s->run.fd = s->run.lock = -1;
    s->guard = (struct guard){.pidfd = -1};
    s->doubtful.arena = &s->doubtful_texts;
    if (!read_options(s))
        return EXIT_USAGE;
    s->wall = wall_clock(s);
    open_kitchen(s);
    if (!debugger_read(s) || !plan_cases(s) || !debugger_has_one_case(s))
        return EXIT_USAGE;
    code = soaking_plan(s, resumption);
    if (code != EXIT_PASSED)
        return code;
    if (!fixtures_plan(s) || !same_cases(s))
        return EXIT_USAGE;
    servers_plan(s);
    if (signals_open(&s->signals) < 0) {
        failed(s, "read signals");
        return EXIT_BROKEN;
    }
    raise_files(s);
    open_terminal(s);
    if (!open_run(s, resumption))
        return EXIT_BROKEN;
    estate_reap_others(s);
    if (!open_containment(s))
        return s->in->options->contain ? EXIT_USAGE : EXIT_BROKEN;
    remember_before(s);
    if (s->store.fd >= 0)
        store_tidy(&s->store, s->keep == KEEP_ALL, s->in->diags);
    if (!estate_guard(s) || !open_machine(s) || !estate_hold(s))
        return EXIT_BROKEN;
    s->style.wake = s->wake;
    s->progress = progress_new(&s->style, s->soak ? 0 : s->case_count);
    in_job_begin(s);
    s->began = watch_now(s->watch) - (s->resumed ? s->resumed->duration : 0);
    plan_queue(s);
    if (!fixtures_open(s) || !servers_open(s)) {
        failed(s, "get memory for the start of processes");
        return EXIT_BROKEN;
    }
    if (!soaking_open(s))
        return EXIT_USAGE;
    s->begun = true;
    in_job_names(s);
    plan_record(s);
    if (s->session_timeout)
        watch_session(s->watch, watch_now(s->watch) + s->session_timeout);
    return s->broken ? EXIT_BROKEN : EXIT_PASSED;
}

/* ---- closing ---- */

static void close_slots(struct session *s)
{
    for (uint32_t i = 0; s->slots && i < s->jobs; i++) {
        fd_close(&s->slots[i].tmp.fd);
        address_release(&s->slots[i].reg_addr);
        fd_close(&s->slots[i].shm.fd);
        leak_list_release(&s->slots[i].leaks);
        fd_close(&s->slots[i].artifacts.fd);
        case_results_clear(s, &s->slots[i]);
        if (s->slots[i].spawn)
            spawn_free(s->slots[i].spawn);
        arena_release(&s->slots[i].arena);
    }
    free(s->slots);
}

/* Nothing of it is on record: people would take it for one that died. */
static void take_back(struct session *s)
{
    if (store_take_back(&s->store, &s->run, s->arena) < 0)
        diag_warning(s->in->diags, nowhere, "cannot remove '%s', the run that did not begin: %s", s->run.path,
                     strerror(errno));
}

void session_close(struct session *s)
{
    close_slots(s);
    soaking_close(s);
    fixtures_close(s);
    servers_close(s);
    fd_close(&s->epoll);
    crash_close(s);
    if (s->queue)
        queue_free(s->queue);
    s->ended = s->watch ? session_now(s) : 0;
    if (!dumps_close(s))
        s->watch = NULL; /* whoever is stuck may ask it when he is not */
    if (s->watch)
        watch_free(s->watch);
    if (s->progress) {
        in_job_end(s);
        in_job_errors(s);
        progress_free(s->progress);
    }
    fd_close(&s->wake);
    tty_close(&s->tty);
    estate_let_go(s);
    if (s->room)
        capture_room_free(s->room);
    if (s->journal)
        journal_close(s->journal);
    workdirs_close_artifacts(s->run.fd);
    leak_list_release(&s->doubtful);
    arena_release(&s->doubtful_texts);
    free(s->run_path);
    if (!s->begun && s->store.fd >= 0 && s->run.fd >= 0)
        take_back(s);
    store_close_run(&s->run);
    store_close(&s->store);
    signals_close(&s->signals);
    kitchen_close(&s->kitchen);
    mask_free(s->mask);
}
