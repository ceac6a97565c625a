/* The thread of a dump: when its turn comes, and who is told of it. */
#include "runner/dumps_internal.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* One that came before it looks at the same processes, which have one tracer at a time. */
static bool has_to_wait(const struct dump_job *job)
{
    for (const struct dump_job *other = job->dumps->jobs; other && other != job; other = other->next)
        if (other->place == job->place && !other->done)
            return true;
    return false;
}

void dumps_await(struct dumps *dumps, nanos until)
{
    const struct timespec moment = {until / NS_PER_S, until % NS_PER_S};

    pthread_cond_timedwait(&dumps->changed, &dumps->lock, &moment);
}

/* Whom a ladder waits for comes first, and else who came first. */
static bool may_sit(const struct dump_job *job)
{
    bool came_before = true;

    if (job->dumps->seated >= DUMPS_WHOLE)
        return false;
    for (const struct dump_job *other = job->dumps->jobs; other; other = other->next) {
        if (other == job)
            came_before = false;
        else if (other->queues && other->waited_for >= job->waited_for &&
                 (other->waited_for > job->waited_for || came_before))
            return false;
    }
    return true;
}

/* Many are done soon; but for whoever still has to wait when most of his time is gone the rest is all there is. */
static void take_seat(struct dump_job *job)
{
    struct dumps *dumps = job->dumps;

    job->queues = true;
    while (!dumps->closing && !job->hurried && !may_sit(job) && clock_now() < job->bare_at)
        dumps_await(dumps, job->bare_at);
    job->sits = may_sit(job);
    job->bare = !job->sits;
    job->queues = false;
    dumps->seated += job->sits;
    pthread_cond_broadcast(&dumps->changed); /* for whoever stood behind it */
}

static void leave_seat(struct dump_job *job)
{
    struct dumps *dumps = job->dumps;

    pthread_mutex_lock(&dumps->lock);
    dumps->seated -= job->sits;
    job->sits = false;
    pthread_cond_broadcast(&dumps->changed);
    pthread_mutex_unlock(&dumps->lock);
}

/* False: it is not to be made any more. */
static bool may_begin(struct dump_job *job)
{
    struct dumps *dumps = job->dumps;
    nanos parked = clock_now() + job->park;
    bool may;

    pthread_mutex_lock(&dumps->lock);
    while (!dumps->closing && clock_now() < parked && !job->hurried)
        dumps_await(dumps, parked);
    while (!dumps->closing && has_to_wait(job) && clock_now() < job->until)
        dumps_await(dumps, job->until);
    may = !dumps->closing && !has_to_wait(job) && clock_now() < job->until;
    if (may)
        take_seat(job);
    may = may && !job->hurried;
    if (!may) {
        dumps->seated -= job->sits;
        job->sits = false;
    }
    pthread_mutex_unlock(&dumps->lock);
    return may;
}

/* Who takes it is told first; who waits for it in the watch, which is there as long as this thread counts, after that. */
static void hand_over(struct dump_job *job)
{
    struct dumps *dumps = job->dumps;
    const uint32_t place = job->place, generation = job->generation;
    const bool waited_for = job->waited_for;
    const uint64_t one = 1;

    pthread_mutex_lock(&dumps->lock);
    job->done = true;
    if (job->unwanted || (waited_for && !job->made)) { /* what somebody asked for is told of, made or not */
        dumps_take_out(dumps, job);
        dump_job_free(job);
    } else if (write(dumps->eventfd, &one, sizeof one) != sizeof one) {
        /* It is full of ones: readable it is. */
    }
    pthread_cond_broadcast(&dumps->changed);
    pthread_mutex_unlock(&dumps->lock);
    if (waited_for)
        watch_dumped(dumps->s->watch, place, generation);
    pthread_mutex_lock(&dumps->lock);
    dumps->threads--;
    pthread_cond_broadcast(&dumps->changed);
    pthread_mutex_unlock(&dumps->lock);
}

static void *work(void *user)
{
    struct dump_job *job = user;

    prctl(PR_SET_NAME, "dumper"); /* whoever has made us may find us gone */
    job->made = may_begin(job);
    if (job->made) {
        dump_job_look(job);
        leave_seat(job);
        dump_render(job->dumps->s, &job->dump, &job->texts);
    }
    hand_over(job);
    return NULL;
}

bool dump_job_start(struct dump_job *job)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int error;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, work, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !error;
}
