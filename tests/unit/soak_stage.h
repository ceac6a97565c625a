/* Soaks of a runner that is simulated: cases with true rates, several at a time, which end in whatever order. */
#ifndef TESTS_SOAK_STAGE_H
#define TESTS_SOAK_STAGE_H

#include "runner/base/dir.h"
#include "runner/soak/internal.h"
#include "runner/soak/result.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define S(literal)     ((struct str)STR(literal))
#define STAGE_CASES    64
#define STAGE_SLOTS    8
#define STAGE_VALUES   4
#define STAGE_FOR_EVER UINT64_MAX

struct stage {
    char path[64];
    int folder;
    struct arena arena;
    struct diags diags;
    struct soak_case cases[STAGE_CASES];
    struct soak_value values[STAGE_CASES][STAGE_VALUES];
    char names[STAGE_CASES][96], tests[STAGE_CASES][32];
    uint32_t count;
    double rates[STAGE_CASES];
    struct soak_random random;
    uint64_t slowness; /* failures take so many times as long as what passes at most; 0: ten times */
    double watched;    /* 0: is the interval ever without this rate? */
    bool missed;
};

static inline void stage_open(struct stage *s)
{
    memset(s, 0, sizeof *s);
    strcpy(s->path, "/tmp/test_soak-XXXXXX");
    assert_non_null(mkdtemp(s->path));
    s->folder = dir_open(AT_FDCWD, s->path);
    assert_true(s->folder >= 0);
    s->diags.arena = &s->arena;
    soak_random_seed(&s->random, 1, 1);
}

static inline void stage_close(struct stage *s)
{
    close(s->folder);
    dir_remove(AT_FDCWD, s->path);
    arena_release(&s->arena);
}

/* For the next soak. */
static inline void stage_clear(struct stage *s)
{
    unlinkat(s->folder, SOAK_STATE_NAME, 0);
    arena_clear(&s->arena);
    s->diags = (struct diags){.arena = &s->arena};
}

/* A case "test@axis=value,..." of values "axis=value", NULL behind the last. */
static inline void stage_case(struct stage *s, const char *test, double rate, const char *const *values)
{
    uint32_t at = s->count++;
    struct soak_case *c = &s->cases[at];

    assert_true(at < STAGE_CASES);
    snprintf(s->tests[at], sizeof s->tests[at], "%s", test);
    snprintf(s->names[at], sizeof s->names[at], "%s@", test);
    *c = (struct soak_case){.test = str_of(s->tests[at]), .values = s->values[at], .expected = NS_PER_S};
    for (; *values; values++) {
        const char *sign = strchr(*values, '=');

        assert_true(c->value_count < STAGE_VALUES);
        s->values[at][c->value_count++] =
            (struct soak_value){.axis = {*values, (size_t)(sign - *values)}, .value = str_of(sign + 1)};
        snprintf(s->names[at] + strlen(s->names[at]), sizeof s->names[at] - strlen(s->names[at]), "%s%s",
                 c->value_count > 1 ? "," : "", *values);
    }
    c->id = str_of(s->names[at]);
    s->rates[at] = rate;
}
#define STAGE_CASE(s, test, rate, ...) \
    stage_case(s, test, rate, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static inline bool stage_chance(struct stage *s, double rate)
{
    return (double)(soak_random_next(&s->random) >> 11) * 0x1p-53 < rate;
}

static inline struct soak *stage_soak(struct stage *s, const struct soak_plan *plan, bool resume)
{
    struct soak *soak = soak_open(s->folder, plan, s->cases, s->count, resume, &s->diags);

    if (!soak && s->diags.count)
        print_message("%s\n", s->diags.list[0].text);
    assert_non_null(soak);
    return soak;
}

static inline struct soak_outcome stage_outcome(bool failed)
{
    return failed ? (struct soak_outcome){.verdict = VERDICT_FAILED,
                                          .reason = S("exit status 1"),
                                          .place = S("x.c:7 in f")}
                  : (struct soak_outcome){.verdict = VERDICT_PASSED};
}

/* What runs. A failure takes longer than a pass, as most do. */
struct stage_run {
    uint32_t number, copy;
    uint64_t until;
    bool busy, fails;
};

struct stage_clock {
    struct stage_run runs[STAGE_SLOTS];
    uint64_t now, started;
};

static inline bool stage_start(struct stage *s, struct soak *soak, struct stage_clock *clock,
                               struct stage_run *run)
{
    if (!soak_next(soak, &run->number, &run->copy))
        return false;
    soak_begin(soak, run->number);
    run->fails = stage_chance(s, s->rates[run->number]);
    run->until = clock->now + 1 +
                 soak_random_below(&s->random, run->fails ? 10 * (s->slowness ? s->slowness : 10) : 10);
    run->busy = true;
    clock->started++;
    return true;
}

/* The next that ends; false: nobody runs. */
static inline bool stage_end(struct soak *soak, struct stage_clock *clock)
{
    struct stage_run *first = NULL;
    struct soak_outcome outcome;

    for (uint32_t i = 0; i < STAGE_SLOTS; i++)
        if (clock->runs[i].busy && (!first || clock->runs[i].until < first->until))
            first = &clock->runs[i];
    if (!first)
        return false;
    first->busy = false;
    clock->now = first->until;
    outcome = stage_outcome(first->fails);
    outcome.duration = NS_PER_MS;
    soak_ended(soak, first->number, first->copy, &outcome, (nanos)clock->now * NS_PER_MS);
    return true;
}

static inline void stage_look(struct stage *s, const struct soak *soak, nanos now)
{
    struct soak_now view;

    if (!s->watched || s->missed)
        return;
    soak_look(soak, now, &view);
    s->missed = view.interval.low > s->watched || view.interval.high < s->watched;
}

/* Until it has ended, or so many attempts have been made. */
static inline enum soak_end stage_play(struct stage *s, struct soak *soak, uint32_t slots, uint64_t most)
{
    struct stage_clock clock = {.now = (uint64_t)(soak_taken(soak) / NS_PER_MS)};

    for (;;) {
        for (uint32_t i = 0; i < slots; i++)
            if (!clock.runs[i].busy && soak_where(soak, (nanos)clock.now * NS_PER_MS) == SOAK_GOES_ON &&
                clock.started < most)
                stage_start(s, soak, &clock, &clock.runs[i]);
        stage_look(s, soak, (nanos)clock.now * NS_PER_MS);
        if (!stage_end(soak, &clock))
            return soak_where(soak, (nanos)clock.now * NS_PER_MS);
    }
}

static inline struct soak_result *stage_result(struct stage *s)
{
    struct soak_result *result = soak_read(s->folder, "here", &s->arena, &s->diags);

    if (!result && s->diags.count)
        print_message("%s\n", s->diags.list[0].text);
    assert_non_null(result);
    return result;
}

#endif
