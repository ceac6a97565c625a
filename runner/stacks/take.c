#include "runner/stacks/tracing.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define STOP_MOST     (500 * NS_PER_MS) /* from the first who stops to the last: longer nobody is kept waiting */
#define COPY_MOST     (250 * NS_PER_MS) /* after that, for those who stood */
#define STUCK_AFTER   (300 * NS_PER_MS) /* without a step */
#define STUCK_MOST    8                 /* so many may be; more, and nobody is asked any more */
#define CANCEL_WITHIN (200 * NS_PER_MS)
#define LOOK_EVERY_MS 20

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
    fd_close(&tracing->over);
    buf_release(&tracing->room);
    free(tracing);
}

static struct tracing *new_tracing(const struct proc_id *list, size_t count, const bool *stuck, nanos by)
{
    struct tracing *tracing = mem_zero(1, sizeof *tracing);
    nanos stop_by = clock_now() + STOP_MOST;

    atomic_init(&tracing->users, 1);
    tracing->list = mem_zero(count, sizeof *tracing->list);
    tracing->count = count;
    tracing->stop_by = stop_by < by ? stop_by : by;
    tracing->copy_by = tracing->stop_by + COPY_MOST;
    for (size_t i = 0; i < count; i++) {
        tracing->list[i].id = list[i];
        tracing->list[i].folder = -1;
        tracing->list[i].stuck = stuck[i];
    }
    tracing->copy = memfd_create("stacks", MFD_CLOEXEC);
    tracing->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (tracing->copy >= 0 && tracing->over >= 0 &&
        fd_write_all(tracing->copy, COPY_MAGIC, sizeof COPY_MAGIC) == 0)
        return tracing;
    release_tracing(tracing);
    return NULL;
}

/* It computes, or would if there were a processor for it; who hangs in the kernel sleeps there. */
static bool is_running(const struct tracing *tracing)
{
    pid_t tid = atomic_load(&tracing->tid);
    char path[64];
    struct buf line = {0};
    struct proc_stat stat;
    bool running;

    if (!tid)
        return true;
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", (long)tid);
    running =
        file_read(path, &line, 4096) == 0 && proc_stat_parse(buf_str(&line), &stat) && stat.state == 'R';
    buf_release(&line);
    return running;
}

/* False: it stands still for so long that it will not go on. */
static bool await_end(const struct tracing *tracing)
{
    struct pollfd over = {.fd = tracing->over, .events = POLLIN};
    nanos since = clock_now();
    size_t steps = 0;

    while (poll(&over, 1, LOOK_EVERY_MS) <= 0) {
        nanos now = clock_now();

        if (atomic_load(&tracing->done))
            return true;
        if (atomic_load(&tracing->steps) != steps) {
            steps = atomic_load(&tracing->steps);
            since = now;
        }
        if (now - since > STUCK_AFTER && (now > tracing->copy_by + STUCK_AFTER || !is_running(tracing)))
            return false;
    }
    return true;
}

/* False: it cannot even be cancelled, and is left behind. It frees what it has when the kernel lets go of it. */
static bool cancel(pthread_t thread)
{
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = NS_PER_MS};
    nanos until = clock_now() + CANCEL_WITHIN;

    pthread_cancel(thread);
    while (pthread_tryjoin_np(thread, NULL) != 0) {
        if (clock_now() > until) {
            pthread_detach(thread);
            return false;
        }
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    return true;
}

static bool start_tracing(struct tracing *tracing, pthread_t *thread)
{
    atomic_store(&tracing->users, 2);
    if (pthread_create(thread, NULL, trace, tracing) == 0)
        return true;
    atomic_store(&tracing->users, 1);
    return false;
}

/* The copy; NULL: it got stuck at one of them, which is noted, or no thread could be had. */
static struct tracing *trace_once(const struct proc_id *list, size_t count, bool *stuck, nanos by,
                                  nanos *stood_still, const char **problem)
{
    struct tracing *tracing = new_tracing(list, count, stuck, by);
    pthread_t thread;

    if (!tracing || !start_tracing(tracing, &thread)) {
        *problem = tracing ? "there is no thread to stop them" : "there is no memory to copy them to";
        if (tracing)
            release_tracing(tracing);
        return NULL;
    }
    if (await_end(tracing)) {
        pthread_join(thread, NULL);
        if (tracing->stood_still < *stood_still)
            tracing->stood_still = *stood_still;
        return tracing;
    }
    stuck[atomic_load(&tracing->at)] = true;
    atomic_store(&tracing->abandoned, true);
    if (cancel(thread) && tracing->stood_still > *stood_still)
        *stood_still = tracing->stood_still;
    release_tracing(tracing);
    return NULL;
}

struct tracing *trace_all(const struct proc_id *list, size_t count, nanos by, const char **problem)
{
    bool *stuck = mem_zero(count, sizeof *stuck);
    struct tracing *tracing = NULL;
    nanos stood_still = 0; /* for those before it */
    int tries = 0;

    for (; !tracing && !*problem && tries < STUCK_MOST && clock_now() < by; tries++)
        tracing = trace_once(list, count, stuck, by, &stood_still, problem);
    free(stuck);
    if (!tracing && !*problem)
        *problem = tries ? "too many of them hang in the kernel, and us with them"
                         : "there was no time to stop them";
    return tracing;
}
