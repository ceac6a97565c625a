/* A soak is begun, or taken up where another process has left it. */
#include "runner/soak/internal.h"

#include "runner/base/hash.h"
#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_NAME           SOAK_STATE_NAME ".new"
#define DEFAULT_CONFIDENCE 0.95

/* What is in hand while one is opened. */
struct opening {
    struct soak *soak;
    const struct soak_plan *plan;
    const struct soak_case *cases;
    struct str text;
    struct diags *diags;
};

static bool refuse(const struct opening *o, const char *why, const char *instead)
{
    diag_error(o->diags, (struct place){.file = SOAK_STATE_NAME}, "%s: %s", why, instead);
    return false;
}

static void *map(struct opening *o, size_t size)
{
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, o->soak->fd, 0);

    if (bytes != MAP_FAILED) {
        o->soak->state.size = size;
        return bytes;
    }
    refuse(o, "it cannot be mapped", strerror(errno));
    return NULL;
}

/* ---- a new one ---- */

static void fill_fixed(const struct opening *o, struct state_fixed *fixed)
{
    const struct soak_plan *plan = o->plan;

    *fixed = (struct state_fixed){
        .magic = STATE_MAGIC,
        .version = STATE_VERSION,
        .verdicts = VERDICT_COUNT,
        .count = o->soak->count,
        .copies = plan->copies ? plan->copies : 1,
        .text_size = o->text.len,
        .text_digest = hash_add(HASH_START, o->text),
        .seed = plan->seed,
        .below = plan->below > 0 && plan->below < 1 ? plan->below : 0,
        .confidence = plan->confidence > 0 && plan->confidence < 1 ? plan->confidence : DEFAULT_CONFIDENCE,
    };
}

static bool fill(struct opening *o, const struct state_fixed *fixed)
{
    struct state *state = &o->soak->state;
    struct state_head *head = map(o, state_size(fixed));
    const char *why;

    if (!head)
        return false;
    head->fixed = *fixed;
    head->fixed_digest = state_digest(fixed);
    head->plan = (struct state_plan){
        .count = o->plan->count,
        .duration = o->plan->duration > 0 ? o->plan->duration : 0,
        .until = o->plan->until_fail,
    };
    memcpy((char *)head + state->size - o->text.len, o->text.ptr, o->text.len);
    if (!state_lay_out(state, head, state->size, &why))
        return refuse(o, why, "a fault of run-matrix");
    for (uint32_t i = 0; i < fixed->count; i++)
        state->cases[i].expected = o->cases[i].expected;
    return true;
}

/* It gets its name when it is whole. */
static bool create(struct opening *o, int folder)
{
    struct state_fixed fixed;
    int error;

    fill_fixed(o, &fixed);
    if ((uint64_t)fixed.count * fixed.copies > ENTRIES_MOST)
        return refuse(o, "too many copies of too many cases", "select fewer, or run fewer copies");
    unlinkat(folder, NEW_NAME, 0);
    o->soak->fd = openat(folder, NEW_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (o->soak->fd < 0)
        return refuse(o, "it cannot be made", strerror(errno));
    error = posix_fallocate(o->soak->fd, 0, (off_t)state_size(&fixed));
    if (error)
        return refuse(o, "it cannot be made", strerror(error));
    if (!fill(o, &fixed))
        return false;
    if (renameat(folder, NEW_NAME, folder, SOAK_STATE_NAME) < 0)
        return refuse(o, "it cannot be made", strerror(errno));
    return true;
}

/* ---- one that is there ---- */

static bool is_of_these(const struct opening *o)
{
    const struct state *state = &o->soak->state;
    const struct state_fixed *fixed = &state->head->fixed;

    return fixed->count == o->soak->count && fixed->text_size == o->text.len &&
           !memcmp(state->text, o->text.ptr, o->text.len);
}

static bool asks_the_same(const struct opening *o)
{
    const struct state_fixed *fixed = &o->soak->state.head->fixed;
    struct buf words = {0};
    bool same = !(o->plan->below > 0 && o->plan->below != fixed->below) &&
                !(o->plan->confidence > 0 && o->plan->confidence != fixed->confidence);

    if (same)
        return true;
    if (o->plan->below > 0 && !(fixed->below > 0))
        return refuse(
            o, "it was begun without '--below', which is not to be asked when half of the answer is known",
            "leave that out, or begin another soak");
    buf_adds(&words, "it asks ");
    if (fixed->below > 0) {
        buf_adds(&words, "for a rate below ");
        percent_add(&words, fixed->below);
        buf_adds(&words, " %, and ");
    }
    buf_adds(&words, "for a confidence of ");
    percent_add(&words, fixed->confidence);
    buf_adds(&words, " %, which cannot be changed when half of the answer is known");
    refuse(o, buf_text(&words), "leave that out, or begin another soak");
    buf_release(&words);
    return false;
}

/* Fewer than were asked for, when what they came to is seen, would be a choice of the answer. */
static bool asks_no_less(const struct opening *o)
{
    const struct state_plan *was = &o->soak->state.head->plan;
    struct buf words = {0};

    if (o->plan->within && !(o->soak->state.head->fixed.below > 0))
        return refuse(o, "nothing is to be proven within some time", "'--duration' says how long to go on");
    if (was->count && o->plan->count && o->plan->count < was->count) {
        buf_adds(&words, "it is to run each case ");
        number_add(&words, was->count);
        buf_adds(&words, " times");
    } else if (was->duration && o->plan->duration > 0 && o->plan->duration < was->duration) {
        buf_adds(&words, "it is to go on for ");
        span_format(&words, was->duration);
    } else {
        return true;
    }
    buf_adds(&words, ", which can become more, and not less");
    refuse(o, buf_text(&words), "leave that out, or say more");
    buf_release(&words);
    return false;
}

/* Somebody may be run. */
static bool has_room(const struct state *state, const struct state_plan *plan)
{
    if (plan->duration && state->head->totals.taken >= plan->duration)
        return false;
    for (uint32_t i = 0; i < state->head->fixed.count; i++)
        if (!record_is_done(&state->cases[i], plan->count))
            return true;
    return false;
}

static bool is_more(const struct state_head *head, const struct soak_plan *plan)
{
    return plan->until_fail || plan->count > head->plan.count || plan->duration > head->plan.duration;
}

/*
 * What ended because of its bounds goes on where there is room again, until its next failure if it was to end with one; what is
 * proven is proven. Whoever has seen some of it and says now where it is to end may have chosen that by what he saw.
 */
static void give_more(const struct opening *o)
{
    struct state_head *head = o->soak->state.head;
    const struct soak_plan *plan = o->plan;
    struct state_plan next = head->plan;
    enum soak_end end = (enum soak_end)head->totals.end;
    bool seen = head->totals.attempts || head->totals.passed_over;

    if (plan->count)
        next.count = plan->count;
    if (plan->duration > 0)
        next.duration = plan->duration;
    if (next.until ? end == SOAK_FAILED : plan->until_fail)
        next.until = head->totals.failures + 1;
    if (end == SOAK_BELOW || end == SOAK_NOT_BELOW)
        return;
    if (end != SOAK_GOES_ON && !(is_more(head, plan) && has_room(&o->soak->state, &next)))
        return;
    if (seen && memcmp(&next, &head->plan, sizeof next) != 0)
        head->totals.moved = true;
    head->plan = next;
    head->totals.end = SOAK_GOES_ON;
}

static bool take_up(struct opening *o)
{
    const char *another = "begin another soak", *why;
    struct stat status;
    void *bytes;

    if (fstat(o->soak->fd, &status) < 0)
        return refuse(o, "it cannot be read", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return refuse(o, "it is no file", another);
    if (!status.st_size)
        return refuse(o, "it is empty", another);
    bytes = map(o, (size_t)status.st_size);
    if (!bytes)
        return false;
    if (!state_lay_out(&o->soak->state, bytes, (size_t)status.st_size, &why))
        return refuse(o, why, another);
    if (!is_of_these(o))
        return refuse(o, "it is of other cases than those that are selected now",
                      "select those, or begin another soak");
    if (!asks_the_same(o) || !asks_no_less(o))
        return false;
    give_more(o);
    return true;
}

/* ---- both ---- */

static bool open_file(struct opening *o, int folder, bool resume)
{
    o->soak->fd = openat(folder, SOAK_STATE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    o->soak->resumed = resume;
    if (o->soak->fd < 0 && errno != ENOENT)
        return refuse(o, "it cannot be opened", strerror(errno));
    if (o->soak->fd >= 0)
        return resume ? take_up(o) : refuse(o, "it is there already", "a soak begins in a folder of its own");
    /* It is made before the journal has a plan to resume: it was there, and what it was to find out is not known. */
    return resume ? refuse(o, "the record of this soak is gone", "begin another soak") : create(o, folder);
}

static void prepare(struct soak *soak, uint32_t jobs)
{
    const struct state_head *head = soak->state.head;

    soak->copies = head->fixed.copies;
    soak->entries = soak->count * soak->copies;
    soak->plan = (struct soak_plan){
        .below = head->fixed.below,
        .confidence = head->fixed.confidence,
        .count = head->plan.count,
        .duration = head->plan.duration,
        .until_fail = head->plan.until > 0,
        .seed = head->fixed.seed,
        .copies = soak->copies,
        .jobs = jobs,
    };
    soak->proves = soak->plan.below > 0;
    if (soak->proves)
        soak->test = stats_plan(soak->plan.below, soak->plan.confidence);
    soak->order = mem_zero(soak->entries, sizeof *soak->order);
    soak->late = mem_zero(soak->entries, sizeof *soak->late);
    soak->flags = mem_zero(soak->entries, sizeof *soak->flags);
    soak->running = mem_zero(soak->count, sizeof *soak->running);
    for (uint32_t i = 0; i < soak->count; i++) {
        soak->unfinished += !case_is_done(soak, i);
        soak->lost += record_unended(&soak->state.cases[i]);
    }
    order_begin_round(soak);
    soak_decide(soak, true); /* who was killed may have counted what decides, and no more */
}

struct soak *soak_open(int folder, const struct soak_plan *plan, const struct soak_case *cases,
                       uint32_t count, bool resume, struct diags *diags)
{
    struct opening o = {.plan = plan, .cases = cases, .diags = diags};
    struct buf text = {0};
    bool good;

    o.soak = mem_zero(1, sizeof *o.soak);
    o.soak->fd = -1;
    o.soak->count = count;
    cases_write(cases, count, &text);
    o.text = buf_str(&text);
    if (!count || count > CASES_MOST || text.len > TEXT_MOST)
        good = refuse(&o, count ? "too many cases to be soaked" : "no case is selected", "select others");
    else
        good = open_file(&o, folder, resume);
    buf_release(&text);
    if (good) {
        prepare(o.soak, plan->jobs);
        return o.soak;
    }
    soak_close(o.soak);
    return NULL;
}

void soak_close(struct soak *soak)
{
    if (!soak)
        return;
    if (soak->state.head)
        munmap(soak->state.head, soak->state.size);
    fd_close(&soak->fd);
    free(soak->order);
    free(soak->late);
    free(soak->flags);
    free(soak->running);
    free(soak);
}
