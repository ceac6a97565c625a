#include "runner/stacks/tracing.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MOST 16 /* of looking for threads that were made meanwhile */
#define DEAF_PATIENCE \
    (30 * NS_PER_MS) /* who waits in the kernel, deaf to signals, is not waited for longer */
#define OURS_PATIENCE (200 * NS_PER_MS) /* another dump of the same process is over by then */
#define PAUSE_FIRST   (20 * 1000LL)
#define PAUSE_MOST    (1 * NS_PER_MS)

static void pause_for(nanos span)
{
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = span};

    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

static void step(struct tracing *tracing, size_t at)
{
    atomic_store(&tracing->at, at);
    atomic_fetch_add(&tracing->steps, 1);
}

/* ---- asking ---- */

/*
 * The kernel lets us wait here for as long as somebody executes a program: for ever, where that one waits for a disk,
 * or for a debugger. Nothing but being cancelled breaks it off.
 */
static int seize(const struct tracing *tracing, pid_t tid)
{
    int result, error;

    if (atomic_load(&tracing->abandoned)) {
        errno = ESRCH;
        return -1;
    }
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    result = ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 ? -1 : 0;
    error = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    errno = error;
    return result;
}

static int seize_patiently(struct tracing *tracing, const struct traced *traced, pid_t tid)
{
    nanos until = clock_now() + OURS_PATIENCE;

    while (seize(tracing, tid) < 0) {
        int error = errno;

        if (error != EPERM || clock_now() > until || !is_traced_by_us(traced, tid)) {
            errno = error;
            return -1;
        }
        pause_for(PAUSE_MOST);
        atomic_fetch_add(&tracing->steps, 1);
    }
    return 0;
}

static bool is_known(const struct traced *traced, pid_t tid)
{
    for (size_t i = 0; i < traced->count; i++)
        if (traced->threads[i].tid == tid)
            return true;
    return false;
}

static void add_thread(struct tracing *tracing, struct traced *traced, pid_t tid)
{
    if (tracing->thread_count == STACK_THREADS_MOST) {
        traced->more++;
        return;
    }
    tracing->thread_count++;
    GROW(traced->threads, traced->count, traced->cap);
    traced->threads[traced->count++] = (struct traced_thread){.tid = tid, .state = TRACED_REFUSED};
}

static bool is_there(const struct traced *traced, pid_t tid)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof path, "task/%ld", (long)tid);
    return fstatat(traced->folder, path, &st, 0) == 0;
}

/* What holds for the first thread holds for all; what comes later is that thread's alone. */
static void note_refusal(struct traced *traced, struct traced_thread *thread, int error)
{
    char state = error == ESRCH ? 'X' : state_of_thread(traced, thread->tid);

    if (state == 'X' || state == 'Z')
        thread->why_not = state == 'Z' ? "it has ended" : "it is gone";
    else if (traced->since)
        thread->why_not = "it may not be traced, as others of its process may";
    else
        say_why_not(traced, thread->tid, error);
}

static void ask_thread(struct tracing *tracing, struct traced *traced, struct traced_thread *thread)
{
    pid_t tid = thread->tid;

    atomic_fetch_add(&tracing->steps, 1);
    if (seize_patiently(tracing, traced, tid) < 0) {
        note_refusal(traced, thread, errno);
        return;
    }
    /* Its number is its own from now on. If it is not there, the number was another's before. */
    if (!is_there(traced, tid)) {
        thread->why_not = "it is gone";
        return;
    }
    if (!traced->since)
        traced->since = clock_now();
    thread->state = TRACED_ASKED;
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
}

/* The first thread is first. */
static void list_threads(struct tracing *tracing, struct traced *traced)
{
    int fd = traced->folder < 0 ? -1 : openat(traced->folder, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        fd_close(&fd);
        return;
    }
    traced->more = 0;
    while ((entry = readdir(dir))) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (tid > 0 && !is_known(traced, tid))
            add_thread(tracing, traced, tid);
    }
    closedir(dir);
}

/* How many are new. Whoever is asked may keep us for ever: so nothing is open meanwhile that is not in `tracing`. */
static size_t ask_threads(struct tracing *tracing, struct traced *traced)
{
    size_t before = traced->count;

    list_threads(tracing, traced);
    for (size_t i = before; i < traced->count && !*traced->why_not; i++)
        ask_thread(tracing, traced, &traced->threads[i]);
    return traced->count - before;
}

static bool find_process(struct traced *traced)
{
    char path[32];
    struct proc_stat stat;

    snprintf(path, sizeof path, "/proc/%ld", (long)traced->id.pid);
    traced->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    /* In this order: whose number it was then is whose folder we have. */
    if (traced->folder < 0 || proc_stat_read(traced->id.pid, &stat) < 0 ||
        stat.start_ticks != traced->id.start_ticks)
        snprintf(traced->why_not, sizeof traced->why_not, "it is gone");
    else if (!proc_stat_is_alive(&stat))
        snprintf(traced->why_not, sizeof traced->why_not, "it has ended, and waits to be reaped");
    else if (traced->id.pid == getpid())
        snprintf(traced->why_not, sizeof traced->why_not, "it is who makes this dump");
    else if (traced->stuck)
        snprintf(traced->why_not, sizeof traced->why_not,
                 "whoever looks at it hangs in the kernel: it is in the midst of executing a program, or its "
                 "memory is locked");
    return !*traced->why_not;
}

/*
 * Whose memory is locked by somebody who waits for a disk keeps everybody who asks for its maps: ps is known to hang of it.
 * So it is asked while nobody stands still because of us.
 */
static void try_maps(const struct traced *traced)
{
    int fd = openat(traced->folder, "maps", O_RDONLY | O_CLOEXEC);
    char byte;

    if (fd >= 0 && read(fd, &byte, 1) < 0)
        errno = 0; /* it may not be looked into: that is found out, and said, when it is asked to stop */
    fd_close(&fd);
}

static void ask_everybody(struct tracing *tracing)
{
    for (size_t i = 0; i < tracing->count; i++) {
        step(tracing, i);
        if (find_process(&tracing->list[i]))
            try_maps(&tracing->list[i]);
    }
    for (size_t i = 0; i < tracing->count; i++) {
        step(tracing, i);
        if (!*tracing->list[i].why_not)
            ask_threads(tracing, &tracing->list[i]);
    }
}

/* ---- waiting ---- */

/*
 * Nobody tells us: what wait() says of those that we trace may be taken by another thread of ours, which waits for its
 * children. That registers can be read is the same news.
 */
static bool has_stopped(struct traced_thread *thread)
{
    struct iovec registers = {&thread->registers, sizeof thread->registers};

    if (ptrace(PTRACE_GETREGSET, thread->tid, (void *)(uintptr_t)NT_PRSTATUS, &registers) < 0)
        return false;
    thread->state = TRACED_STANDS;
    if (registers.iov_len != sizeof thread->registers)
        thread->why_not = "it is of another kind of machine: a program of 32 bits";
    return true;
}

static void give_up(const struct traced *traced, struct traced_thread *thread, bool deaf)
{
    char state = state_of_thread(traced, thread->tid);

    if (deaf && registers_of_call(traced, thread->tid, &thread->registers)) {
        thread->state = TRACED_DEAF;
        return;
    }
    thread->state = TRACED_REFUSED;
    thread->why_not = strchr("ZX", state) ? "it is gone"
                      : deaf              ? "it waits in the kernel, where it cannot be stopped"
                                          : "it did not stop in time";
}

/* Who is still to be waited for. */
static size_t look_at_process(struct traced *traced, bool deaf_too, bool late)
{
    size_t left = 0;

    for (size_t i = 0; i < traced->count; i++) {
        struct traced_thread *thread = &traced->threads[i];
        char state;

        if (thread->state != TRACED_ASKED || has_stopped(thread))
            continue;
        state = deaf_too || late ? state_of_thread(traced, thread->tid) : 'R';
        if (strchr("ZX", state) || (deaf_too && state == 'D') || late)
            give_up(traced, thread, state == 'D');
        else
            left++;
    }
    return left;
}

/* ---- letting go ---- */

static void let_go(struct tracing *tracing, struct traced *traced)
{
    for (size_t i = 0; i < traced->count; i++) {
        struct traced_thread *thread = &traced->threads[i];

        if (thread->state != TRACED_STANDS)
            continue;
        restart_call(thread);
        ptrace(PTRACE_DETACH, thread->tid, NULL, NULL);
        thread->state = TRACED_LEFT;
    }
    if (traced->since && clock_now() - traced->since > tracing->stood_still)
        tracing->stood_still = clock_now() - traced->since;
    fd_close(&traced->folder);
}

/* Whoever was not stopped yet may have made others. */
static bool has_new_ones(struct tracing *tracing, struct traced *traced)
{
    return !*traced->why_not && traced->count && traced->rounds++ < ROUNDS_MOST &&
           ask_threads(tracing, traced) > 0;
}

/* Who stands with all his threads is copied and goes on: others who do not stop are no reason to keep him. */
static void copy_everybody(struct tracing *tracing)
{
    nanos began = clock_now(), pause = PAUSE_FIRST;
    size_t left;

    do {
        nanos now = clock_now();
        bool deaf_too = now > began + DEAF_PATIENCE, late = now > tracing->stop_by;

        left = 0;
        for (size_t i = 0; i < tracing->count; i++) {
            struct traced *traced = &tracing->list[i];

            if (traced->over)
                continue;
            step(tracing, i);
            left++;
            if (look_at_process(traced, deaf_too, late) || has_new_ones(tracing, traced))
                continue;
            copy_process(tracing, traced);
            let_go(tracing, traced);
            traced->over = true;
            left--;
        }
        if (left) {
            pause_for(pause);
            pause = pause * 2 < PAUSE_MOST ? pause * 2 : PAUSE_MOST;
        }
    } while (left);
    atomic_store(&tracing->done, true);
}

void *trace(void *user)
{
    struct tracing *tracing = user;
    const uint64_t one = 1;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    ask_everybody(tracing);
    copy_everybody(tracing);
    /* It is ours for as long as we are one of its users. Should this fail, he who waits looks by himself, a little later. */
    if (write(tracing->over, &one, sizeof one) < 0)
        atomic_fetch_add(&tracing->steps, 1);
    release_tracing(tracing);
    return NULL;
}
