/* What becomes of an attempt. */
#include "runner/attempt_internal.h"

#include "runner/crash.h"
#include "runner/dumps.h"
#include "runner/facts.h"
#include "runner/inside/inside.h"
#include "runner/leftovers.h"
#include "runner/outputs.h"
#include "runner/servers.h"
#include "runner/soaking.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- while it runs ---- */

void attempt_climbed(struct session *s, uint32_t number)
{
    struct slot *slot = attempt_slot(s, number);
    struct watch_view view;

    if (watch_look(s->watch, slot->number, &view))
        progress_ending(s->progress, slot->recipe.id, watch_cause_words[view.cause]);
}

/* ---- the end ---- */

static bool goes_on(const struct session *s)
{
    return !s->cancelled && !s->timed_out && !s->broken;
}

static void record_ended(struct session *s, const struct journal_attempt *a)
{
    if (journal_said(s->journal, a) < 0 || journal_files(s->journal, a) < 0)
        session_wrote(s, -1);
    session_wrote(s, journal_ended(s->journal, a));
}

static void record(struct session *s, struct slot *slot, struct journal_attempt *a, struct retry retry)
{
    struct progress_again again = {slot->recipe.retry.most, retry.wait, retry.at_end};

    fault_die(&s->faults, FAULT_DIE_ENDED);
    record_ended(s, a);
    fault_die(&s->faults, FAULT_DIE_WRITTEN);
    progress_ended(s->progress, slot->number, slot->recipe.id, a, &again);
}

/* What is like those before it is only counted. */
static void record_soaked(struct session *s, struct slot *slot, struct journal_attempt *a)
{
    fault_die(&s->faults, FAULT_DIE_ENDED);
    if (slot->worth != SOAK_NOTHING) {
        if (slot->listed)
            attempt_record_start(s, slot);
        record_ended(s, a);
    }
    fault_die(&s->faults, FAULT_DIE_WRITTEN);
    soaking_ended(s, slot, a);
}

/* Nobody of it can be alive. */
static bool left_clean(const struct slot *slot)
{
    const struct watch_ending *e = &slot->ending;

    return !slot->listed || (!e->lost && !e->abandoned && !e->undead && !e->cause);
}

/* The stack of a child that could not be killed may still be in use: the slot goes on with another one. */
static bool replace_spawn(struct session *s, struct slot *slot)
{
    spawn_free(slot->spawn); /* does nothing while it is in use */
    slot->spawn = spawn_new();
    if (slot->spawn && servers_post(s, slot))
        return true;
    session_note(s, "cannot get memory to start processes: %s", strerror(errno));
    s->broken = true;
    return false;
}

static void clear_slot(struct session *s, struct slot *slot)
{
    capture_close(s->room, &slot->capture);
    if (s->interactive && s->has_modes)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &s->modes);
    fault_place(&s->faults);
    if (slot->listed && slot->tmp.path[0] && slot->recipe.is_c_test &&
        (slot->recipe.dumps_inside || slot->ending.signal))
        inside_forget(slot->tmp.fd);
    workdir_return(&slot->tmp, left_clean(slot));
    workdir_return(&slot->shm, left_clean(slot));
    workdir_return_artifacts(s->run.fd, &slot->artifacts, left_clean(slot));
    case_results_clear(s, slot);
    if (!slot->listed || !slot->ending.abandoned || replace_spawn(s, slot))
        attempt_give_slot(s, slot);
}

struct retry attempt_judge(struct session *s, uint32_t number)
{
    struct case_life *life = &s->cases[number];
    struct slot *slot = attempt_slot(s, number);
    struct judgement judgement = {0};
    struct journal_attempt a = {
        .number = session_recorded(s, number), .attempt = attempt_number(s, number), .slot = slot->number};
    struct retry retry;

    outputs_finish_relays(s, slot);
    if (slot->listed) {
        dumps_collect(s, slot);
        leftovers_of_dead(s, slot);
    }
    facts_judge(s, slot, &judgement);
    retry = retries_after(s, slot, judgement.verdict);
    a.verdict = judgement.verdict;
    a.last = !retry.again;
    a.outcome = retry.again ? judgement.verdict : verdict_of_case(judgement.verdict, life->failed);
    facts_record(s, slot, &judgement, &a);
    slot->worth = soaking_worth(s, slot, &a);
    outputs_keep(s, slot, &a);
    crash_keep(s, slot);
    dumps_keep(s, slot, &a);
    fixtures_keep(s, slot, verdict_counts(a.verdict) == COUNT_FAILED && slot->worth == SOAK_ALL);
    case_results_record(s, slot, &a);
    if (s->soak)
        record_soaked(s, slot, &a);
    else
        record(s, slot, &a, retry);
    judgement_release(&judgement);
    life->attempts++;
    life->quarantined = a.quarantined;
    life->flaky_fails = a.flaky_fails;
    life->failed +=
        !s->soak && verdict_counts(a.verdict) == COUNT_FAILED; /* attempts of a soak are each by itself */
    if (!s->soak && a.last && verdict_counts(a.outcome) == COUNT_FAILED && !a.quarantined && goes_on(s))
        session_failed(s, session_planned(s, number)->suite);
    clear_slot(s, slot);
    fixtures_leave(s, number);
    if (!retry.again && !soaking_goes_on(s))
        fixtures_case_over(s, number);
    return retry;
}

void attempt_drop(struct session *s, uint32_t number)
{
    enum verdict outcome = verdict_of_case(VERDICT_NOT_RUN, s->cases[number].failed);
    struct journal_attempt a = {
        .number = number,
        .attempt = attempt_number(s, number),
        .verdict = VERDICT_NOT_RUN,
        .outcome = outcome,
        .last = true,
        .quarantined = s->cases[number].quarantined,
        .flaky_fails = s->cases[number].flaky_fails,
        .status = -1,
        .at = session_now(s),
        .reason = str_of(s->drop_reason),
    };

    if (s->soak) {
        soaking_dropped(s, number);
    } else {
        session_wrote(s, journal_ended(s->journal, &a));
        progress_dropped(s->progress, &a);
    }
    fixtures_case_over(s, number);
}
