#include "runner/soaking.h"

#include "runner/base/mem.h"
#include "runner/header.h"
#include "runner/session.h"

#define LIVES_MOST 1000000u /* cases with their copies */

static const struct place nowhere = {0};

/* ---- before it begins ---- */

/* Those that are skipped whatever comes are not worth a question each round. */
static void leave_out_skipped(struct session *s)
{
    struct arena scratch = {0};
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->case_count; i++) {
        arena_clear(&scratch);
        if (recipe_is_passed_over(&s->kitchen, session_planned(s, i), &scratch))
            continue;
        s->cases[kept] = s->cases[i];
        s->placing[kept++] = s->placing[i];
    }
    arena_release(&scratch);
    s->soak->left_out = s->case_count - kept;
    s->case_count = kept;
}

/* Copies of one are alike in all but what they do at a time. */
static void add_copies(struct session *s)
{
    uint32_t copies = s->soak->asked.copies, count = s->case_count * copies;
    struct case_life *cases = ARENA_ARRAY(s->arena, struct case_life, count);
    struct queue_case *placing = ARENA_ARRAY(s->arena, struct queue_case, count);

    for (uint32_t i = 0; i < count; i++) {
        cases[i] = s->cases[session_recorded(s, i)];
        placing[i] = s->placing[session_recorded(s, i)];
    }
    s->cases = cases;
    s->placing = placing;
    s->life_count = count;
    if (!s->in->options->jobs && s->jobs < copies)
        s->jobs = copies;
}

static enum exit_code nothing_to_soak(struct session *s)
{
    diag_error(s->in->diags, nowhere, "there is nothing to be run: %u case%s selected, %u of them skipped",
               s->case_count + s->soak->left_out, plural(s->case_count + s->soak->left_out),
               s->soak->left_out);
    return EXIT_NOTHING;
}

enum exit_code soaking_plan(struct session *s, const struct resumption *resumption)
{
    if (s->in->command != COMMAND_soak)
        return EXIT_PASSED;
    s->soak = ARENA_NEW(s->arena, struct soaking);
    s->session_timeout = 0; /* what a run may take says nothing of how long one looks for what is rare */
    if (!soaking_ask(s, resumption, &s->soak->asked))
        return EXIT_USAGE;
    leave_out_skipped(s);
    if (!s->case_count)
        return nothing_to_soak(s);
    if (s->soak->asked.copies > LIVES_MOST / s->case_count) {
        diag_error(s->in->diags, nowhere, "%u copies of %u cases are more than %u: '--copies' can be less",
                   s->soak->asked.copies, s->case_count, LIVES_MOST);
        return EXIT_USAGE;
    }
    add_copies(s);
    return EXIT_PASSED;
}

/* ---- what the engine is told of the cases ---- */

static const struct soak_value *values_of(struct session *s, const struct plan_case *c, uint32_t *count)
{
    const struct node *cell = case_context(&s->front->suites, c, s->arena);
    struct soak_value *values = ARENA_ARRAY(s->arena, struct soak_value, cell->map.count);
    struct buf text = {0};

    *count = cell->map.count;
    for (uint32_t i = 0; i < cell->map.count; i++) {
        const struct node *value = cell->map.pairs[i].value;

        buf_clear(&text);
        if (node_is_scalar(value))
            buf_addstr(&text, value_text(value, s->arena));
        else
            node_json(&text, value, 0);
        values[i].axis = mask_in(s->mask, s->arena, arena_str(s->arena, cell->map.pairs[i].key->string));
        values[i].value = mask_in(s->mask, s->arena, arena_str(s->arena, buf_str(&text)));
    }
    buf_release(&text);
    return values;
}

static struct soak_case *cases_of(struct session *s)
{
    struct soak_case *cases = ARENA_ARRAY(s->arena, struct soak_case, s->case_count);
    struct buf id = {0};

    for (uint32_t i = 0; i < s->case_count; i++) {
        const struct plan_case *c = session_planned(s, i);

        buf_clear(&id);
        session_case_id(s, i, &id);
        cases[i].id = mask_in(s->mask, s->arena, arena_str(s->arena, buf_str(&id)));
        cases[i].test = mask_in(s->mask, s->arena, case_test(&s->front->suites, c)->id);
        cases[i].values = values_of(s, c, &cases[i].value_count);
        cases[i].expected = s->placing[i].expected;
    }
    buf_release(&id);
    return cases;
}

bool soaking_open(struct session *s)
{
    struct soaking *soak = s->soak;

    if (!soak)
        return true;
    soak->asked.jobs = s->jobs;
    soak->engine =
        soak_open(s->run.fd, &soak->asked, cases_of(s), s->case_count, s->resumed != NULL, s->in->diags);
    if (!soak->engine)
        return false;
    soak_set_faults(soak->engine, &s->faults);
    if (soak_plan_of(soak->engine)->copies != soak->asked.copies) {
        diag_error(s->in->diags, nowhere, "it was begun with %u copies of each case, not %u",
                   soak_plan_of(soak->engine)->copies, soak->asked.copies);
        return false;
    }
    soak->before = soak_taken(soak->engine);
    soak->said = watch_now(s->watch);
    return true;
}

void soaking_close(struct session *s)
{
    if (s->soak && s->soak->engine)
        soak_close(s->soak->engine);
}

nanos soaking_now(const struct session *s)
{
    const struct soaking *soak = s->soak;

    return soak->before + (soak->begun ? watch_now(s->watch) - soak->began : 0);
}

/* Who is begun once more, for want of processes, has his number. */
void soaking_begins(struct session *s, uint32_t number)
{
    struct case_life *life = &s->cases[number];

    if (!s->soak)
        return;
    if (!s->soak->begun) {
        s->soak->begun = true;
        s->soak->began = watch_now(s->watch);
    }
    if (life->numbered)
        return;
    life->numbered = true;
    life->attempts = soak_begin(s->soak->engine, session_recorded(s, number)) - 1;
}

/* ---- who comes ---- */

bool soaking_goes_on(const struct session *s)
{
    return s->soak && !s->soak->over;
}

static bool is_at_its_end(struct session *s)
{
    return s->soak->stopped || s->cancelled || s->broken || s->urgency ||
           soak_where(s->soak->engine, soaking_now(s)) != SOAK_GOES_ON;
}

bool soaking_call(struct session *s)
{
    uint32_t number, copy, entry;

    if (!soaking_goes_on(s) || is_at_its_end(s))
        return false;
    s->soak->dry = !soak_next(s->soak->engine, &number, &copy);
    if (s->soak->dry)
        return false;
    entry = copy * s->case_count + number;
    life_event(s, entry, CASE_CALLED);
    queue_call(s->queue, s->cases[entry].queued, &s->placing[entry]);
    return true;
}

void soaking_come(struct session *s, uint32_t number)
{
    s->cases[number].numbered = false;
    s->cases[number].unserved = 0;
}

static void put_back(struct session *s, uint32_t number)
{
    soak_put_back(s->soak->engine, session_recorded(s, number), number / s->case_count);
}

/* By the end of all, or for a fixture that could not be made: then it is the end. */
void soaking_dropped(struct session *s, uint32_t number)
{
    put_back(s, number);
    if (!s->dropping && !s->soak->stopped)
        s->soak->stopped = s->drop_reason;
}

/* ---- the end ---- */

void soaking_let_go(struct session *s)
{
    if (!soaking_goes_on(s))
        return;
    s->soak->over = true;
    for (uint32_t i = 0; i < s->life_count; i++)
        if (s->cases[i].state == CASE_RESTING)
            life_event(s, i, CASE_DROPPED);
}

/* Whoever is begun is let come to his end: what he comes to counts. */
static void end(struct session *s)
{
    session_drop(s, "the soak is over");
}

void soaking_end_in_time(struct session *s)
{
    if (soaking_goes_on(s) && is_at_its_end(s))
        end(s);
}

void soaking_settle(struct session *s)
{
    bool idle = !queue_running(s->queue) && !queue_waiting(s->queue);

    if (soaking_goes_on(s) && (is_at_its_end(s) || (s->soak->dry && idle)))
        end(s);
}

/* ---- what becomes of an attempt ---- */

/* Of one that was broken off nothing is known. */
static bool is_none(const struct journal_attempt *attempt)
{
    return verdict_counts(attempt->verdict) == COUNT_NOT_RUN;
}

enum soak_worth soaking_worth(struct session *s, struct slot *slot, const struct journal_attempt *attempt)
{
    if (!s->soak)
        return SOAK_ALL;
    soaking_outcome(s, slot, attempt);
    return is_none(attempt) ? SOAK_NOTHING : soak_worth(s->soak->engine, &slot->soaked);
}

void soaking_ended(struct session *s, struct slot *slot, const struct journal_attempt *attempt)
{
    if (!soaking_has_evidence(s, slot))
        slot->soaked.evidence = str_of("");
    if (is_none(attempt))
        put_back(s, slot->on);
    else
        soak_ended(s->soak->engine, slot->recorded, slot->on / s->case_count, &slot->soaked, soaking_now(s));
    soaking_tell(s, slot, attempt);
}
