/* What the summary tells of results across cases: the flaky, the slowest. */
#include "runner/report/internal.h"

#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <stdlib.h>

#define FLAKY_MOST 50

/* ---- flaky ---- */

struct flaky {
    const struct report_input *input;
    const struct journal_history *history;
    struct report_sink *sink;
    struct earlier earlier;
    uint64_t told, most;
};

static void add_why(struct flaky *f, const struct journal_result *result)
{
    struct buf *out = &f->sink->buf;
    uint32_t count;
    const struct earlier_failure *failure = earlier_find(&f->earlier, result->id, &count);

    if (failure) {
        buf_addf(out, "  attempt %u: ", failure->attempt);
        utf8_show(out, failure->message.len ? failure->message : str_of(verdict_word(failure->verdict)));
    } else if (result->reruns) {
        buf_addf(out, "  failed %u time%s before: ", result->reruns, result->reruns == 1 ? "" : "s");
        utf8_show(out, result->message);
    }
}

static bool add_flaky(void *user, const struct journal_result *result)
{
    struct flaky *f = user;
    struct buf *out = &f->sink->buf;

    if (result->verdict != VERDICT_FLAKY)
        return true;
    if (f->told++ >= f->most)
        return false;
    add_label(f->input, result->verdict, out);
    buf_addc(out, ' ');
    result_id(out, f->history->what->id, result->id);
    add_why(f, result);
    buf_addc(out, '\n');
    report_sink_relax(f->sink);
    return true;
}

void summary_flaky_results(const struct report_input *input, struct report_sink *sink)
{
    struct flaky f = {
        .input = input, .sink = sink, .most = input->options->verbose > 0 ? UINT64_MAX : FLAKY_MOST};
    uint64_t count = 0;

    for (uint32_t i = 0; i < input->record->case_count; i++) {
        const struct journal_attempt *last = case_results(&input->record->cases[i]);

        count += last ? last->results->verdicts[VERDICT_FLAKY] : 0;
    }
    if (!count)
        return;
    summary_title(input, sink, "flaky tests", count);
    for (uint32_t i = 0; i < input->record->case_count && f.told < f.most; i++) {
        const struct journal_attempt *last = case_results(&input->record->cases[i]);

        if (!last || !last->results->verdicts[VERDICT_FLAKY])
            continue;
        f.history = &input->record->cases[i];
        earlier_load(input, f.history, &f.earlier);
        results_each(input, last, add_flaky, &f);
        earlier_release(&f.earlier);
    }
    if (count > f.most)
        buf_addf(&sink->buf, "        ... and %llu more; -v shows all\n",
                 (unsigned long long)(count - f.most));
}

/* ---- the slowest ---- */

struct slow {
    nanos duration;
    uint64_t order; /* as they came */
    char *id;       /* malloced */
};

struct slowest {
    const struct journal_history *history;
    struct slow *list;
    size_t count, cap, most;
    uint64_t seen;
    struct buf id;
};

static int by_duration(const void *left, const void *right)
{
    const struct slow *a = left, *b = right;

    if (a->duration != b->duration)
        return a->duration < b->duration ? 1 : -1;
    return (a->order > b->order) - (a->order < b->order);
}

/* So many as are asked for, after twice as many came: sorting is seldom. */
static void keep_slowest(struct slowest *s)
{
    if (s->count)
        qsort(s->list, s->count, sizeof *s->list, by_duration);
    while (s->count > s->most)
        free(s->list[--s->count].id);
}

static bool note(void *user, const struct journal_result *result)
{
    struct slowest *s = user;

    s->seen++;
    if (result->duration <= 0)
        return true;
    if (s->count / 2 >= s->most)
        keep_slowest(s);
    if (s->count >= s->most && result->duration < s->list[s->most - 1].duration)
        return true;
    buf_clear(&s->id);
    result_id(&s->id, s->history->what->id, result->id);
    GROW(s->list, s->count, s->cap);
    s->list[s->count++] = (struct slow){result->duration, s->seen, s->id.ptr};
    s->id = (struct buf){0};
    return true;
}

static void tell(struct slowest *s, const struct report_input *input, struct report_sink *sink)
{
    struct buf span = {0};

    summary_title(input, sink, "slowest tests within", s->count);
    for (size_t i = 0; i < s->count; i++) {
        buf_clear(&span);
        span_format(&span, s->list[i].duration);
        buf_addf(&sink->buf, "%9s  %s\n", buf_text(&span), s->list[i].id);
        report_sink_relax(sink);
    }
    buf_release(&span);
}

void summary_slowest_results(const struct report_input *input, struct report_sink *sink)
{
    struct slowest s = {.most = input->options->durations};

    for (uint32_t i = 0; s.most && i < input->record->case_count; i++) {
        s.history = &input->record->cases[i];
        results_each(input, case_results(s.history), note, &s);
    }
    keep_slowest(&s);
    if (s.count)
        tell(&s, input, sink);
    for (size_t i = 0; i < s.count; i++)
        free(s.list[i].id);
    free(s.list);
    buf_release(&s.id);
}
