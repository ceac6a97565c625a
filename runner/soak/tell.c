/* What a soak says before it begins, and while it goes on. */
#include "runner/soak/internal.h"

#include "runner/base/utf8.h"

#include <string.h>

/* ---- before ---- */

/* Of one attempt: as it took so far, else as it is expected to; -1: not known. */
static nanos expected_each(const struct soak *soak)
{
    nanos sum = 0;
    uint64_t known = 0;

    for (uint32_t i = 0; i < soak->count; i++) {
        const struct state_case *record = &soak->state.cases[i];
        uint64_t ended = record_attempts(record);
        nanos each = ended ? record->sum / (nanos)ended : record->expected;

        if (each < 0 || __builtin_add_overflow(sum, each, &sum))
            continue;
        known++;
    }
    return known ? sum / (nanos)known : -1;
}

static void add_time(const struct soak *soak, uint64_t runs, struct buf *out)
{
    uint32_t at_a_time = soak->plan.jobs && soak->plan.jobs < soak->entries ? soak->plan.jobs : soak->entries;
    nanos each = expected_each(soak), all;

    if (!soak->plan.jobs)
        at_a_time = 1;
    if (each < 0 || runs > INT64_MAX || __builtin_mul_overflow(each, (nanos)runs, &all))
        return;
    buf_adds(out, ", ");
    span_about_add(out, all / at_a_time);
}

static void add_goal(const struct soak *soak, struct buf *out)
{
    const struct soak_plan *plan = &soak->plan;
    uint64_t runs = soak->proves ? soak_needed_more(soak) : soak_left_of_count(soak);

    if (soak->proves || plan->count) {
        buf_adds(out, soak->proves ? "about " : "");
        count_add(out, runs, soak->proves ? "clean run" : "run");
        add_time(soak, runs, out);
    } else if (plan->duration) {
        buf_adds(out, "as many runs as there is time for in ");
        span_about_add(out, plan->duration);
    } else {
        buf_adds(out, plan->until_fail ? "runs until one fails" : "runs until it is interrupted");
    }
}

static void add_bounds(const struct soak *soak, struct buf *out)
{
    const struct soak_plan *plan = &soak->plan;
    bool said = soak->proves || plan->count;

    if (soak->proves && plan->count) {
        buf_adds(out, ", at most ");
        number_add(out, plan->count);
        buf_adds(out, " of each");
    }
    if (said && plan->duration) {
        buf_adds(out, ", for at most ");
        span_about_add(out, plan->duration);
    }
    if (plan->until_fail && (said || plan->duration))
        buf_adds(out, ", until one fails");
}

static void add_past(const struct soak *soak, struct buf *out)
{
    const struct state_totals *totals = &soak->state.head->totals;

    if (!soak->resumed)
        return;
    buf_adds(out, "goes on after ");
    count_add(out, totals->attempts, "run");
    buf_adds(out, ", ");
    number_add(out, totals->failures);
    buf_adds(out, " failed, in ");
    span_about_add(out, totals->taken);
    buf_adds(out, ": ");
}

static void add_proof(const struct soak *soak, struct buf *out)
{
    if (!soak->proves)
        return;
    buf_adds(out, ": they prove that the rate is below ");
    percent_add(out, soak->plan.below);
    buf_adds(out, " % (confidence ");
    percent_add(out, soak->plan.confidence);
    buf_adds(out, " %)");
}

void soak_tell_plan(const struct soak *soak, struct buf *out)
{
    bool over = soak->state.head->totals.end != SOAK_GOES_ON;

    add_past(soak, out);
    if (over)
        buf_adds(out, "nothing is left to be run");
    else
        add_goal(soak, out);
    buf_adds(out, ", of ");
    count_add(out, soak->count, "case");
    if (soak->copies > 1) {
        buf_adds(out, ", ");
        number_add(out, soak->copies);
        buf_adds(out, " copies of each at a time");
    }
    if (!over)
        add_bounds(soak, out);
    buf_addf(out, ", seed 0x%llx", (unsigned long long)soak_seed(soak));
    if (!over)
        add_proof(soak, out);
}

/* ---- while it goes on ---- */

/* Whole, or not at all. */
static void add_part(struct buf *line, uint32_t width, const char *separator, const struct buf *part)
{
    if (!part->len)
        return;
    if (width && utf8_count(buf_str(line)) + strlen(separator) + utf8_count(buf_str(part)) > width)
        return;
    if (line->len)
        buf_adds(line, separator);
    buf_addstr(line, buf_str(part));
}

static void tell_where(const struct soak *soak, const struct soak_now *view, struct buf *out)
{
    uint32_t end = soak->state.head->totals.end;

    if (end == SOAK_NOT_BELOW || (soak->proves && end == SOAK_BELOW)) {
        buf_adds(out, end == SOAK_BELOW ? "proven below " : "not below ");
        percent_add(out, soak->plan.below);
        buf_adds(out, " %");
        return;
    }
    if (end != SOAK_GOES_ON || view->left < 0)
        return;
    if (view->proven_in >= 0) {
        buf_adds(out, "proven below ");
        percent_add(out, soak->plan.below);
        buf_adds(out, " % in ");
        span_about_add(out, view->proven_in);
    } else {
        span_about_add(out, view->left);
        buf_adds(out, " left");
    }
}

void soak_tell_line(const struct soak *soak, nanos now, uint32_t width, struct buf *out)
{
    struct buf line = {0}, part = {0};
    struct soak_now view;

    soak_look(soak, now, &view);
    count_add(&part, view.attempts, "run");
    buf_adds(&part, ", ");
    number_add(&part, view.failures);
    buf_adds(&part, " failed");
    add_part(&line, width, "", &part);
    buf_clear(&part);
    if (view.attempts)
        interval_add(&part, view.failures, view.attempts, view.interval);
    add_part(&line, width, ", ", &part);
    buf_clear(&part);
    tell_where(soak, &view, &part);
    add_part(&line, width, ", ", &part);
    buf_addstr(out, buf_str(&line));
    buf_release(&part);
    buf_release(&line);
}
