#include "runner/stacks/tracing.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define STOP_MOST     (500 * NS_PER_MS) /* from the first who stops to the last: longer nobody is kept waiting */
#define STUCK_AFTER   (200 * NS_PER_MS) /* without a step */
#define STUCK_MOST    8                 /* so many may be; more, and nobody is asked any more */
#define CANCEL_WITHIN (100 * NS_PER_MS)
#define LOOK_EVERY    (20 * NS_PER_MS)

void release_tracing(struct tracing *tracing)
{
    if (atomic_fetch_sub(&tracing->users, 1) > 1)
        return;
    for (size_t i = 0; i < tracing->count; i++) {
        fd_close(&tracing->list[i].folder);
        free(tracing->list[i].threads);
    }
    free(tracing->list);
    fd_close(&tracing->copy);
    buf_release(&tracing->room);
    free(tracing);
}

static void release_cancelled(void *tracing)
{
    release_tracing(tracing);
}

static void *trace_as_user(void *tracing)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_push(release_cancelled, tracing);
    trace(tracing);
    pthread_cleanup_pop(1);
    return NULL;
}

static struct tracing *new_tracing(const struct proc_id *list, size_t count, const bool *stuck, nanos by)
{
    struct tracing *tracing = mem_zero(1, sizeof *tracing);
    nanos stop_by = clock_now() + STOP_MOST;

    atomic_init(&tracing->users, 1);
    tracing->list = mem_zero(count, sizeof *tracing->list);
    tracing->count = count;
    tracing->stop_by = stop_by < by ? stop_by : by;
    for (size_t i = 0; i < count; i++) {
        tracing->list[i].id = list[i];
        tracing->list[i].folder = -1;
        tracing->list[i].stuck = stuck[i];
    }
    tracing->copy = memfd_create("stacks", MFD_CLOEXEC);
    if (tracing->copy >= 0 && fd_write_all(tracing->copy, COPY_MAGIC, sizeof COPY_MAGIC) == 0)
        return tracing;
    release_tracing(tracing);
    return NULL;
}

static bool join_by(pthread_t thread, nanos by)
{
    const struct timespec until = {by / NS_PER_S, by % NS_PER_S};

    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

/* It has ended by itself, or stands still for so long that it will not. */
static bool goes_on(const struct tracing *tracing, pthread_t thread, bool *joined)
{
    nanos since = clock_now();
    size_t steps = 0;

    for (;;) {
        nanos now = clock_now();

        if ((*joined = join_by(thread, now + LOOK_EVERY)))
            return true;
        if (atomic_load(&tracing->steps) != steps) {
            steps = atomic_load(&tracing->steps);
            since = now;
        }
        if (now - since > STUCK_AFTER)
            return false;
    }
}

/* The copy; NULL: it got stuck at one of them, which is noted, or no thread could be had. */
static struct tracing *trace_once(const struct proc_id *list, size_t count, bool *stuck, nanos by,
                                  const char **problem)
{
    struct tracing *tracing = new_tracing(list, count, stuck, by);
    pthread_t thread;
    bool joined = false;

    if (!tracing) {
        *problem = "there is no memory to copy them to";
        return NULL;
    }
    atomic_store(&tracing->users, 2);
    if (pthread_create(&thread, NULL, trace_as_user, tracing) != 0) {
        atomic_store(&tracing->users, 1);
        release_tracing(tracing);
        *problem = "there is no thread to stop them";
        return NULL;
    }
    if (goes_on(tracing, thread, &joined) && atomic_load(&tracing->done))
        return tracing;
    stuck[atomic_load(&tracing->at)] = true;
    if (!joined) {
        pthread_cancel(thread);
        if (!join_by(thread, clock_now() + CANCEL_WITHIN))
            pthread_detach(thread); /* it frees what it has when the kernel lets go of it */
    }
    release_tracing(tracing);
    return NULL;
}

struct tracing *trace_all(const struct proc_id *list, size_t count, nanos by, const char **problem)
{
    bool *stuck = mem_zero(count, sizeof *stuck);
    struct tracing *tracing = NULL;

    for (int i = 0; !tracing && !*problem && i < STUCK_MOST && clock_now() < by; i++)
        tracing = trace_once(list, count, stuck, by, problem);
    free(stuck);
    if (!tracing && !*problem)
        *problem = "too many of them hang in the kernel, and us with them";
    return tracing;
}
