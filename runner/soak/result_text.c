/* The result of a soak for people. What tests say, and what they are called, comes through utf8_show: it may be anything. */
#include "runner/soak/result.h"

#include "runner/base/utf8.h"

#define KINDS_SHOWN 10

static const struct state_head *head_of(const struct telling *t)
{
    return t->result->state.head;
}

static void add_colour(const struct telling *t, const char *colour)
{
    if (t->colour)
        buf_adds(t->out, colour);
}

static void add_percent(struct buf *out, double rate)
{
    percent_add(out, rate);
    buf_adds(out, " %");
}

/* ---- the answer ---- */

static void add_answer(const struct telling *t)
{
    const struct state_fixed *fixed = &head_of(t)->fixed;
    enum soak_end end = soak_result_end(t->result);
    struct buf *out = t->out;

    if (end == SOAK_BELOW || end == SOAK_NOT_BELOW) {
        add_colour(t, end == SOAK_BELOW ? "\x1b[32m" : "\x1b[31m");
        buf_adds(out, end == SOAK_BELOW ? "proven: the rate is below " : "proven: the rate is not below ");
    } else if (end == SOAK_UNDECIDED) {
        add_colour(t, "\x1b[33m");
        buf_adds(out, "not decided: the rate may be below ");
    } else if (fixed->below > 0) {
        buf_adds(out, "so far it is open whether the rate is below ");
    } else {
        return;
    }
    add_percent(out, fixed->below);
    if (end == SOAK_UNDECIDED)
        buf_adds(out, ", or not");
    buf_adds(out, " (confidence ");
    add_percent(out, fixed->confidence);
    buf_adds(out, ")");
    add_colour(t, "\x1b[0m");
    buf_addc(out, '\n');
}

static void add_rest_of_plan(const struct telling *t)
{
    const struct soak_result *result = t->result;
    const struct state_fixed *fixed = &head_of(t)->fixed;
    struct stats_plan plan;
    uint64_t needed;

    if (!(fixed->below > 0) || soak_result_end(result) == SOAK_BELOW ||
        soak_result_end(result) == SOAK_NOT_BELOW)
        return;
    plan = stats_plan(fixed->below, fixed->confidence);
    needed = stats_needed(&plan, result->all.failures);
    if (needed == STATS_NEVER || needed <= result->all.attempts)
        return;
    buf_adds(t->out, "about ");
    count_add(t->out, needed - result->all.attempts, "clean run");
    buf_adds(t->out, " more would prove it\n");
}

static void add_sum(const struct telling *t)
{
    const struct tally *all = &t->result->all;
    const struct state_head *head = head_of(t);
    struct buf *out = t->out;

    count_add(out, all->attempts, "run");
    buf_adds(out, " in ");
    span_about_add(out, head->totals.taken);
    buf_adds(out, ", ");
    if (all->failures)
        number_add(out, all->failures);
    else
        buf_adds(out, "none");
    buf_adds(out, " failed");
    if (all->attempts && (all->failures || all->unended)) {
        buf_adds(out, ": ");
        interval_add(out, all->failures, all->attempts, soak_interval(&t->result->state, *all));
    }
    tell_uncounted(out, "; ", t->result->passed_over, all->unended);
    buf_addf(out, "; seed 0x%llx\n", (unsigned long long)head->fixed.seed);
    if (all->attempts && !all->failures && !all->unended) {
        buf_adds(out, "nothing failed in ");
        count_add(out, all->attempts, "run");
        buf_adds(out, ": the rate is below ");
        percent_above_add(out, stats_upper(0, all->attempts, head->fixed.confidence));
        buf_adds(out, " % (confidence ");
        add_percent(out, head->fixed.confidence);
        buf_adds(out, ")\n");
    }
}

/* ---- what carries it ---- */

static void tell_carrier(const struct telling *t, const struct carrier *carrier, const char *where)
{
    struct buf *out = t->out;

    buf_addf(out, "  %s", where);
    tell_value(t, carrier->value);
    buf_adds(out, ": ");
    add_percent(out, rate_of(carrier->inside));
    buf_adds(out, " of ");
    count_add(out, carrier->inside.attempts, "run");
    buf_adds(out, ", against ");
    add_percent(out, rate_of(carrier->outside));
    buf_adds(out, " of ");
    number_add(out, carrier->outside.attempts);
    buf_adds(out, " without it (");
    p_add(out, carrier->p);
    buf_adds(out, ")\n");
    if (carrier->with_count) {
        buf_adds(out, "    which never goes without ");
        for (uint32_t i = 0; i < carrier->with_count; i++) {
            buf_adds(out, i ? ", " : "");
            tell_value(t, carrier->with[i]);
        }
        buf_adds(out, ": it may be either\n");
    } else if (!carrier->layered) {
        buf_adds(out, "    no two cases differ in this alone: it may be something that goes along with it\n");
    }
}

static void tell_carriers(const struct telling *t)
{
    const struct soak_result *result = t->result;

    if (!result->asked || !result->all.failures)
        return;
    tell_title(t, "what carries it");
    if (!result->chain_count) {
        buf_adds(t->out, "  no value of an axis stands out\n");
        return;
    }
    for (uint32_t i = 0; i < result->chain_count; i++)
        tell_carrier(t, &result->chain[i], i ? "within that, " : "");
    for (uint32_t i = 0; i < result->also_count; i++)
        tell_carrier(t, &result->also[i], "besides, ");
    if (result->chain_count == 1 && !result->also_count) {
        buf_adds(t->out, "  given ");
        tell_value(t, result->chain[0].value);
        buf_adds(t->out, " no other axis stands out\n");
    }
}

/* ---- failures ---- */

static void tell_gathered(const struct telling *t, const struct gathered *gathered)
{
    struct buf *out = t->out;

    if (gathered->how == GATHER_ROTATING) {
        buf_adds(out, "rotating: no test has more of them than others\n");
        return;
    }
    buf_addf(out, "same test%s: ", gathered->count == 1 ? "" : "s");
    for (uint32_t i = 0; i < gathered->count; i++) {
        buf_adds(out, i ? ", " : "");
        utf8_show(out, t->result->tests[gathered->tests[i]]);
    }
    buf_adds(out, " (");
    number_add(out, gathered->theirs);
    buf_adds(out, " of ");
    number_add(out, gathered->failures);
    buf_adds(out, ", ");
    p_add(out, gathered->p);
    buf_adds(out, ")\n");
}

static void tell_text(const struct telling *t, const char *before, const char *text, uint16_t len)
{
    if (!len)
        return;
    buf_addf(t->out, "     %s", before);
    utf8_show(t->out, (struct str){text, len});
    buf_addc(t->out, '\n');
}

static void tell_kind(const struct telling *t, const struct kind_result *result)
{
    const struct state_kind *kind = result->kind;

    buf_addf(t->out, "  %s", t->colour ? "\x1b[31m" : "");
    number_add(t->out, kind->count);
    buf_addf(t->out, "%s %s", t->colour ? "\x1b[0m" : "", verdict_word((enum verdict)kind->verdict));
    if (kind->reason_len) {
        buf_adds(t->out, ": ");
        utf8_show(t->out, (struct str){kind->reason, kind->reason_len});
    }
    buf_addc(t->out, '\n');
    tell_text(t, "at ", kind->place, kind->place_len);
    tell_text(t, "| ", kind->words, kind->words_len);
    buf_adds(t->out, "     first: ");
    utf8_show(t->out, t->result->cases[kind->number].id);
    if (kind->attempt) {
        buf_adds(t->out, ", attempt ");
        number_add(t->out, kind->attempt);
    }
    if (kind->evidence_len) {
        buf_adds(t->out, ", kept in ");
        utf8_show(t->out, (struct str){kind->evidence, kind->evidence_len});
    }
    buf_addc(t->out, '\n');
    if (result->gathered.how != GATHER_UNKNOWN) {
        buf_adds(t->out, "     ");
        tell_gathered(t, &result->gathered);
    }
}

static void tell_failures(const struct telling *t)
{
    const struct soak_result *result = t->result;
    uint32_t shown = t->verbose > 0 || result->kind_count <= KINDS_SHOWN ? result->kind_count : KINDS_SHOWN;
    uint64_t others = head_of(t)->totals.others;

    if (!result->kind_count)
        return;
    tell_title(t, "failures, by what they have in common");
    for (uint32_t i = 0; i < shown; i++)
        tell_kind(t, &result->kinds[i]);
    if (shown < result->kind_count)
        buf_addf(t->out, "  ... and %u kinds more; -v shows all\n", result->kind_count - shown);
    if (others) {
        buf_adds(t->out, "  ");
        count_add(t->out, others, "failure");
        buf_adds(t->out, " of other kinds: there are too many to tell them apart\n");
    }
    if (result->gathered.how != GATHER_UNKNOWN) {
        buf_adds(t->out, "  all: ");
        tell_gathered(t, &result->gathered);
    }
}

static void tell_fixtures(const struct telling *t)
{
    const struct soak_result *result = t->result;
    uint32_t all = result->fixture_failures, shown = all < FIXTURES_MOST ? all : FIXTURES_MOST;

    if (!all)
        return;
    tell_title(t, "fixtures that failed");
    for (uint32_t i = 0; i < shown; i++) {
        buf_adds(t->out, "  ");
        utf8_show(t->out, result->fixtures[i].id);
        buf_adds(t->out, ": ");
        utf8_show(t->out, result->fixtures[i].reason);
        buf_addc(t->out, '\n');
    }
    if (shown < all)
        buf_addf(t->out, "  ... and %u more\n", all - shown);
}

void soak_result_text(const struct soak_result *result, bool colour, int verbose, struct buf *out)
{
    const struct telling t = {.result = result, .out = out, .colour = colour, .verbose = verbose};

    add_answer(&t);
    add_sum(&t);
    add_rest_of_plan(&t);
    tell_rates(&t);
    tell_carriers(&t);
    tell_failures(&t);
    tell_fixtures(&t);
}
