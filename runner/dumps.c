#include "runner/dumps_internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CLOSE_MOST   (WATCH_DUMP_BUDGET + NS_PER_S)
#define ASKED_BUDGET WATCH_DUMP_BUDGET
#define SETTLE_MORE  (ASKED_BUDGET / 10) /* for what became whole in time, or never, to be told of */

/* ---- jobs ---- */

void dump_job_free(struct dump_job *job)
{
    for (size_t i = 0; i < job->output_count; i++)
        fd_close(&job->outputs[i].fd);
    fd_close(&job->inside);
    dump_texts_release(&job->texts);
    arena_release(&job->arena);
    free(job);
}

void dumps_take_out(struct dumps *dumps, const struct dump_job *job)
{
    struct dump_job **at = &dumps->jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
}

static void append(struct dumps *dumps, struct dump_job *job)
{
    struct dump_job **at = &dumps->jobs;

    while (*at)
        at = &(*at)->next;
    *at = job;
}

/* ---- beginning one ---- */

static nanos parked(struct session *s)
{
    const struct fault_plan *park = fault_now(&s->faults, FAULT_DUMP_PARK);

    return park ? park->span : 0;
}

static struct dump_job *new_job(struct dumps *dumps, uint32_t place, uint32_t generation,
                                enum dump_occasion occasion, nanos budget)
{
    struct dump_job *job = mem_zero(1, sizeof *job);

    job->dumps = dumps;
    job->inside = -1;
    job->occasion = occasion;
    job->place = place;
    job->generation = generation;
    job->waited_for = occasion == DUMP_STRIKE || occasion == DUMP_LAST;
    job->until = clock_now() + budget - budget / 10; /* what is not whole by then comes in time */
    job->bare_at = clock_now() + budget / 10 * 6;
    return job;
}

/* One tracer at a time: for whom a ladder waits those make room that nobody waits for. Under the lock. */
static void hurry_others(const struct dump_job *job)
{
    for (struct dump_job *other = job->dumps->jobs; other; other = other->next)
        if (other->place == job->place && !other->waited_for && !other->done) {
            other->hurried = true;
            other->until = clock_now();
        }
    pthread_cond_broadcast(&job->dumps->changed);
}

/* Who has begun it does not know any more how it goes on. */
static bool start(struct dumps *dumps, struct dump_job *job)
{
    bool started;

    pthread_mutex_lock(&dumps->lock);
    job->park = parked(dumps->s);
    started = !dumps->closing && dumps->threads < DUMPS_MOST;
    if (started && job->waited_for)
        hurry_others(job);
    if (started) {
        append(dumps, job);
        dumps->threads++;
        started = dump_job_start(job);
        if (!started) {
            dumps_take_out(dumps, job);
            dumps->threads--;
        }
    }
    pthread_mutex_unlock(&dumps->lock);
    if (!started)
        dump_job_free(job);
    return started;
}

/* NULL: nobody wants to know where a server stands. */
static const struct dump_subject *subject_of(const struct session *s, uint32_t place)
{
    return place < s->jobs ? s->slots[place].subject : fixtures_subject(s, place);
}

/* By the watch, under its lock: what the loop has written of the slot before it was watched stays as it is. */
static bool begin(void *user, const struct watch_dump_wish *wish)
{
    struct dumps *dumps = user;
    const struct dump_subject *subject = subject_of(dumps->s, wish->slot);
    struct dump_job *job;

    if (!subject)
        return false;
    job = new_job(dumps, wish->slot, wish->generation, wish->last ? DUMP_LAST : DUMP_STRIKE, wish->budget);
    dump_job_fill(job, subject, wish);
    return start(dumps, job);
}

void dumps_ask(struct session *s, struct slot *slot, enum dump_occasion occasion)
{
    struct dump_job *job;

    if (!slot->listed || slot->recipe.debugged)
        return;
    job = new_job(s->dumps, slot->number, slot->generation, occasion, ASKED_BUDGET);
    job->number = occasion == DUMP_ASKED ? ++slot->dumps_asked : 1;
    dump_job_fill(job, slot->subject, NULL);
    slot->dumped_meanwhile = true;
    if (!start(s->dumps, job))
        session_note(s, "no dump of %.*s: too many are being made", STR_ARG(slot->recipe.id));
}

void dumps_ask_all(struct session *s)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->jobs; i++)
        if (s->slots[i].busy && s->slots[i].listed && s->slots[i].generation) {
            dumps_ask(s, &s->slots[i], DUMP_ASKED);
            count++;
        }
    if (!count)
        progress_line(s->progress, "nothing runs that a dump could be made of");
}

/* ---- hearing of them ---- */

int dumps_fd(const struct session *s)
{
    return s->dumps->eventfd;
}

/* Of those that nobody waits for the next that is done. */
static struct dump_job *next_told(struct dumps *dumps)
{
    struct dump_job *job;

    pthread_mutex_lock(&dumps->lock);
    for (job = dumps->jobs; job && (!job->done || job->waited_for); job = job->next)
        ;
    if (job)
        dumps_take_out(dumps, job);
    pthread_mutex_unlock(&dumps->lock);
    return job;
}

void dumps_heard(struct session *s)
{
    struct dump_job *job;
    uint64_t count;

    if (read(s->dumps->eventfd, &count, sizeof count) < 0)
        return;
    while ((job = next_told(s->dumps))) {
        dump_job_told(s, job);
        dump_job_free(job);
    }
}

/* Until when the last of those that nobody waited for is to be there; 0: there is none. */
static nanos last_of_them(const struct dumps *dumps)
{
    nanos until = 0;

    for (const struct dump_job *job = dumps->jobs; job; job = job->next)
        if (!job->waited_for && !job->done && job->until + SETTLE_MORE > until)
            until = job->until + SETTLE_MORE;
    return until;
}

void dumps_settle(struct session *s)
{
    struct dumps *dumps = s->dumps;
    nanos until;

    pthread_mutex_lock(&dumps->lock);
    while (!s->cancelled && (until = last_of_them(dumps)) > clock_now())
        dumps_await(dumps, until);
    pthread_mutex_unlock(&dumps->lock);
    dumps_heard(s);
}

/* One that is not done is nobody's any more. NULL: it is not, or there is none. */
static struct dump_job *take_made(struct dumps *dumps, uint32_t place, uint32_t generation)
{
    struct dump_job *job;

    pthread_mutex_lock(&dumps->lock);
    for (job = dumps->jobs; job; job = job->next)
        if (job->waited_for && job->place == place && job->generation == generation)
            break;
    if (job && job->done) {
        dumps_take_out(dumps, job);
    } else if (job) {
        job->unwanted = true;
        job = NULL;
    }
    pthread_mutex_unlock(&dumps->lock);
    return job;
}

/* In the output it would be taken for what the process has said. */
static void cut_answers(struct session *s, const struct dump_job *job, const struct capture *capture)
{
    for (int i = 0; i < CAPTURE_FILES_MOST; i++)
        if (job->captured[i] >= 0 && capture->files[i].fd >= 0 &&
            dump_answers_cut(capture->files[i].fd, &job->answers, (size_t)job->captured[i]) < 0)
            session_note(s, "what a runtime has said for the dump of %s stands in its output too: %s",
                         job->title, strerror(errno));
}

void dumps_collect(struct session *s, struct slot *slot)
{
    slot->dump = NULL;
    if (slot->ending.dump)
        slot->dump = take_made(s->dumps, slot->number, slot->generation);
    if (slot->dump)
        cut_answers(s, slot->dump, &slot->capture);
}

const char *dumps_keep_of(struct session *s, uint32_t place, uint32_t generation, const char *name,
                          struct arena *arena)
{
    struct dump_job *job = take_made(s->dumps, place, generation);
    const char *path = NULL;

    if (!job)
        return NULL;
    cut_answers(s, job, subject_of(s, place)->capture);
    if (s->keep != KEEP_NONE)
        path = dump_write(s, arena, job->folder, name, &job->texts);
    dump_job_free(job);
    return path;
}

/* ---- life ---- */

static void init_lock(struct dumps *dumps)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&dumps->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&dumps->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool dumps_open(struct session *s)
{
    struct dumps *dumps = mem_zero(1, sizeof *dumps);

    dumps->s = s;
    dumps->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (dumps->eventfd < 0) {
        free(dumps);
        return false;
    }
    init_lock(dumps);
    dumps->stacks = stacks_program(&dumps->arena);
    s->dumps = dumps;
    watch_dumps(s->watch, &(struct watch_dumper){dumps, begin});
    return true;
}

static bool await_threads(struct dumps *dumps)
{
    const nanos until = clock_now() + CLOSE_MOST;
    bool over;

    pthread_mutex_lock(&dumps->lock);
    dumps->closing = true;
    pthread_cond_broadcast(&dumps->changed);
    while (dumps->threads && clock_now() < until)
        dumps_await(dumps, until);
    over = !dumps->threads;
    pthread_mutex_unlock(&dumps->lock);
    return over;
}

bool dumps_close(struct session *s)
{
    struct dumps *dumps = s->dumps;

    if (!dumps)
        return true;
    if (!await_threads(dumps))
        return false;
    while (dumps->jobs) {
        struct dump_job *job = dumps->jobs;

        dumps->jobs = job->next;
        dump_job_free(job);
    }
    fd_close(&dumps->eventfd);
    pthread_cond_destroy(&dumps->changed);
    pthread_mutex_destroy(&dumps->lock);
    arena_release(&dumps->arena);
    free(dumps);
    s->dumps = NULL;
    return true;
}
