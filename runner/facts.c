#include "runner/facts.h"

#include "runner/case_inside.h"

#include "runner/base/sig.h"
#include "runner/core_words.h"
#include "runner/dumps.h"
#include "runner/header.h"
#include "runner/leftovers.h"
#include "runner/said_facts.h"
#include "runner/session.h"

#include <string.h>

/* ---- words for a limit: which, how long it was, and the key that raises it ---- */

/* "raise 'timeout' at run-matrix.yaml:9:14", "raise --timeout", "raise it with 'timeout'". */
static const char *key_words(struct arena *arena, const char *key, struct setting_origin origin)
{
    const char *place = place_text(arena, origin.at);

    if (*place)
        return arena_printf(arena, "raise '%s' at %s", key, place);
    if (origin.layer && strcmp(origin.layer, "command line") == 0)
        return arena_printf(arena, "raise --%s", key);
    return arena_printf(arena, "raise it with '%s'", key);
}

static const char *span_text(struct arena *arena, nanos span)
{
    struct buf text = {0};
    const char *words;

    span_format(&text, span);
    words = arena_cstr(arena, buf_str(&text));
    buf_release(&text);
    return words;
}

/* Of one that has not executed: the step that it was at. NULL: it was at none. */
static const char *reached_words(struct slot *slot)
{
    enum spawn_stage stage = spawn_reached(slot->spawn);
    struct buf words = {0};
    const char *text;

    if (slot->ending.executed || stage == SPAWN_STAGE_NONE || stage >= SPAWN_STAGE_COUNT)
        return NULL;
    spawn_stage_words(&words, stage, &slot->recipe.spec);
    text = arena_cstr(&slot->arena, buf_str(&words));
    buf_release(&words);
    return text;
}

static const char *setup_words(struct slot *slot)
{
    const char *reached = reached_words(slot), *within = span_text(&slot->arena, SESSION_SETUP);

    return arena_printf(
        &slot->arena,
        "did not get as far as its program within %s%s%s: is it on a file system that does not answer?",
        within, reached ? ", and was to " : "", reached ? reached : "");
}

/* "the teardown of 'registry' took longer than 60s; raise 'timeout' at run-matrix.yaml:9:14" */
static const char *part_words(struct slot *slot)
{
    const struct watch_part *part = &slot->ending.part;
    const struct recipe *r = &slot->recipe;
    struct arena *arena = &slot->arena;
    const char *raise = key_words(arena, "timeout", r->timeout_from),
               *of = arena_cstr(arena, str_of(part->of));
    const char *what = arena_printf(arena, *of ? "%s of '%s'" : "its %s", said_phase_words[part->phase], of);

    if (part->all)
        return arena_printf(arena, "timed out in %s: all of its phases took longer than %d times %s; %s",
                            what, WATCH_PARTS_LIMITS, span_text(arena, r->timeout), raise);
    return arena_printf(arena, "%s took longer than %s; %s", what, span_text(arena, part->limit),
                        part->own ? "raise its own timeout, in C" : raise);
}

static const char *deadline_words(struct slot *slot)
{
    const struct recipe *r = &slot->recipe;

    if (slot->ending.phase == WATCH_SETUP)
        return setup_words(slot);
    if (slot->ending.part.phase)
        return part_words(slot);
    return arena_printf(&slot->arena, "timed out after %s in its %s; %s", span_text(&slot->arena, r->timeout),
                        watch_phase_words[slot->ending.phase],
                        key_words(&slot->arena, "timeout", r->timeout_from));
}

static const char *flood_words(struct slot *slot)
{
    const struct recipe *r = &slot->recipe;

    return arena_printf(&slot->arena, "wrote more than %llu bytes; %s", (unsigned long long)r->output_limit,
                        key_words(&slot->arena, "output-limit", r->output_limit_from));
}

static const char *limit_words(const struct session *s, struct slot *slot)
{
    switch (slot->ending.cause) {
    case WATCH_DEADLINE: return deadline_words(slot);
    case WATCH_FLOOD: return flood_words(slot);
    case WATCH_SESSION:
        return arena_printf(
            &slot->arena, "was running when the session deadline of %s struck; %s",
            span_text(&slot->arena, s->session_timeout),
            key_words(&slot->arena, "session-timeout", front_session_origin(s->front, s->in)));
    case WATCH_CANCEL: return s->cancelled ? s->cancelled : "cancelled";
    case WATCH_FIXTURE:
    case WATCH_UNWANTED:
    case WATCH_REMAINS:
    case WATCH_NO_CAUSE:
    case WATCH_CAUSE_COUNT: break;
    }
    return NULL;
}

/* ---- facts ---- */

static const char *last_line(struct slot *slot)
{
    struct buf line = {0};
    const char *text;

    if (slot->capture.files[0].fd < 0)
        return NULL;
    capture_last_line(&slot->capture.files[0], SKIP_REASON_MOST + 1, &line);
    text = arena_cstr(&slot->arena, buf_str(&line));
    buf_release(&line);
    return text;
}

/* "SUMMARY: LeakSanitizer: 24 byte(s) leaked in 1 allocation(s)." is how each of them ends its report. */
static const char *sanitizer_words(struct slot *slot)
{
    const struct capture_file *said = &slot->capture.files[slot->capture.files[1].fd >= 0];
    struct buf line = {0};
    const char *words = NULL;

    if (said->fd >= 0)
        capture_last_begun(said, "SUMMARY: ", SKIP_REASON_MOST, &line);
    if (strstr(buf_text(&line), "Sanitizer: "))
        words = arena_cstr(&slot->arena, str_trim(buf_str(&line)));
    buf_release(&line);
    return words;
}

static const char *spawn_words(struct slot *slot)
{
    struct buf words = {0};
    const char *text;

    spawn_error_words(&words, slot->ending.error, &slot->recipe.spec);
    text = arena_cstr(&slot->arena, buf_str(&words));
    buf_release(&words);
    return text;
}

/* ---- limits of the tree ---- */

static const char *oom_words(struct slot *slot)
{
    const struct recipe *r = &slot->recipe;

    return arena_printf(&slot->arena, "its tree needed more than %llu bytes of memory; %s",
                        (unsigned long long)r->memory,
                        key_words(&slot->arena, "limits: memory", r->memory_from));
}

static const char *limited_words(struct slot *slot, uint64_t hits)
{
    const struct recipe *r = &slot->recipe;

    return arena_printf(&slot->arena, "was refused a process %llu time%s, having %llu; %s",
                        (unsigned long long)hits, plural((uint32_t)hits), (unsigned long long)r->processes,
                        key_words(&slot->arena, "limits: processes", r->processes_from));
}

static void take_limits(struct session *s, struct slot *slot, struct facts *facts)
{
    const struct contain_place *place = contain_place(s->contain, slot->number);
    uint64_t hits = contain_hits(place, CGROUP_PROCESSES);

    if (contain_hits(place, CGROUP_MEMORY))
        facts->oom = oom_words(slot);
    if (hits)
        facts->limited = limited_words(slot, hits);
}

/* The watchdog looks now and then; what was quick enough to end before it did is found here. */
static bool has_flooded(const struct session *s, const struct slot *slot)
{
    uint64_t size = 0;

    if (!slot->recipe.output_limit || slot->ending.cause)
        return false;
    for (int i = 0; i < CAPTURE_FILES_MOST; i++)
        if (slot->capture.files[i].fd >= 0)
            size += capture_size(&slot->capture.files[i]);
    if (slot->folder)
        size += capture_folder_size(s->run.fd, slot->folder);
    return size > slot->recipe.output_limit;
}

/* As everybody else knows it. */
static int status_of(const struct slot *slot)
{
    int status = slot->ending.status;

    if (!slot->recipe.tells)
        return status;
    return status == TEST_HAS_PASSED ? 0 : status == TEST_WAS_SKIPPED ? EXIT_STATUS_SKIP : status;
}

/* Who does not say that its test has passed or was skipped, and ends as if. A debugger ends as debuggers do. */
static bool is_cut_short(const struct slot *slot)
{
    int status = slot->ending.status;

    return slot->recipe.tells && !slot->recipe.debugged && (status == 0 || status == EXIT_STATUS_SKIP);
}

/* What hangs may be any of them. */
static const char *threads_words(struct slot *slot)
{
    const char *names = slot->ending.threads;

    return *names ? arena_printf(&slot->arena, "its threads beside the first when it was ended: %s", names)
                  : NULL;
}

static void take_ending(struct session *s, struct slot *slot, struct facts *facts)
{
    const struct watch_ending *e = &slot->ending;

    facts->executed = e->executed != 0;
    facts->lost = e->lost;
    facts->abandoned = e->abandoned;
    facts->in_process =
        slot->recipe.spec.test && slot->recipe.backend->apart && !slot->recipe.backend->serving;
    facts->status = status_of(slot);
    facts->cut_short = is_cut_short(slot);
    facts->signal = e->signal;
    facts->core = e->core;
    facts->core_at = core_words(s, slot);
    facts->threads = threads_words(slot);
    facts->dump = dumps_why_not(slot);
    if (e->signal || (facts->status > 0 && facts->status != EXIT_STATUS_SKIP))
        facts->sanitizer = sanitizer_words(slot);
    facts->cause = e->cause;
    facts->phase = e->phase;
    if (s->interactive && s->cancelled && !e->cause && e->signal == SIGINT)
        facts->cause = WATCH_CANCEL;
    facts->flooded = has_flooded(s, slot);
    facts->limit = facts->flooded ? flood_words(slot) : limit_words(s, slot);
    if (e->spawned == SPAWN_FAILED)
        facts->setup = spawn_words(slot);
    facts->reached = reached_words(slot);
    if (facts->status == EXIT_STATUS_SKIP || facts->status == EXIT_STATUS_ERROR)
        facts->last_line = last_line(slot);
}

/* Of what a relay had to write for it; what a case writes itself fails under its own eyes. */
static const char *cut_words(struct slot *slot)
{
    if (!slot->cut)
        return NULL;
    return arena_printf(&slot->arena, "its output could not be written down: %s", strerror(slot->cut));
}

static const char *given_up_words(const struct session *s)
{
    return s->timed_out   ? "the session deadline struck while its fixtures were made"
           : s->cancelled ? s->cancelled
                          : "the run could not go on";
}

void facts_judge(struct session *s, struct slot *slot, struct judgement *judgement)
{
    const struct recipe *r = &slot->recipe;
    struct facts facts = {
        .skip = r->skip,
        .unsupported = r->unsupported,
        .setup = slot->setup          ? slot->setup
                 : slot->fixture_died ? slot->fixture_died
                                      : slot->teardown,
        .status = -1,
        .xfail = r->xfail,
        .xfail_strict = r->xfail_strict,
        .xfail_signal = r->xfail_signal,
        .xfail_exit = r->xfail_exit,
    };

    if (slot->listed) {
        facts.results = case_results_read(s, slot);
        facts.said = said_by(slot);
        take_ending(s, slot, &facts);
        take_limits(s, slot, &facts);
        leftovers_record(slot);
        facts.leaks = slot->left;
        facts.leak_count = slot->left_count;
        facts.leaks_more = slot->left_more;
        facts.disk_full = capture_disk_full(s->room);
        facts.cut = cut_words(slot);
    }
    if (slot->given_up) { /* before it was started */
        facts.cause = s->timed_out ? WATCH_SESSION : WATCH_CANCEL;
        facts.limit = given_up_words(s);
        facts.setup = NULL;
    }
    judge(&facts, judgement);
    case_inside_settle(slot, judgement);
}

/* ---- the record ---- */

static nanos time_of(struct timeval t)
{
    return t.tv_sec * NS_PER_S + t.tv_usec * (NS_PER_S / 1000000);
}

_Static_assert(JOURNAL_RUNGS_MOST >= WATCH_RUNGS_MOST, "the journal takes every rung");

static void record_rungs(struct slot *slot, struct journal_attempt *a)
{
    const struct watch_ending *e = &slot->ending;

    for (uint32_t i = 0; i < e->rung_count; i++)
        slot->rungs[i] = (struct journal_rung){
            .signal = str_of(signal_name(e->rungs[i].signal)),
            .target = str_of(ladder_target_words[e->rungs[i].target]),
            .alive = str_of(e->rungs[i].alive),
            .at = e->rungs[i].at,
        };
    a->rungs = slot->rungs;
    a->rung_count = e->rung_count;
}

static void record_ending(struct session *s, struct slot *slot, struct journal_attempt *a)
{
    const struct watch_ending *e = &slot->ending;

    a->at = e->ended - s->began;
    a->duration = e->ended - (e->executed ? e->executed : e->started);
    a->user = time_of(e->usage.ru_utime);
    a->system = time_of(e->usage.ru_stime);
    a->rss = e->usage.ru_maxrss;
    if (e->spawned == SPAWN_EXECUTED) { /* else how it ended says nothing of the program */
        a->status = status_of(slot);
        a->signal = e->signal;
        a->core = e->core;
    }
    if (slot->fixture_count) {
        a->setup = e->started - slot->taken;
        a->teardown = watch_now(s->watch) - e->ended;
    }
    record_rungs(slot, a);
    said_record(s, slot, a);
}

/* In the arena of the slot, which lasts until the record is written. */
static const struct journal_quarantine *quarantine_of(struct slot *slot)
{
    const struct quarantine *quarantine = &slot->recipe.quarantine;
    struct journal_quarantine *recorded;

    if (!quarantine->until.len)
        return NULL;
    recorded = ARENA_NEW(&slot->arena, struct journal_quarantine);
    *recorded = (struct journal_quarantine){quarantine->owner, quarantine->reason, quarantine->until};
    return recorded;
}

void facts_record(struct session *s, struct slot *slot, const struct judgement *judgement,
                  struct journal_attempt *a)
{
    a->flaky_fails = slot->recipe.flaky_fails;
    a->quarantined = slot->recipe.quarantined;
    a->quarantine = quarantine_of(slot);
    a->reason = buf_str(&judgement->reason);
    a->at = slot->started - s->began;
    a->status = -1;
    for (uint32_t i = 0; i < judgement->note_count; i++)
        slot->notes[i] = buf_str(&judgement->notes[i]);
    a->notes = slot->notes;
    a->note_count = judgement->note_count;
    if (!slot->listed)
        return;
    record_ending(s, slot, a);
    a->leaks = slot->left;
    a->leak_count = slot->left_count;
    a->leaks_more = slot->left_more;
}
