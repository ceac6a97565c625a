/* How much of a processor each thread has had between two looks, and who never slept. */
#include "runner/diagnose/look.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_MOST ((size_t)16 << 10)
#define NOTHING   NS_PER_MS /* what it costs to be looked at */
#define OUR_STOPS 4         /* the kernel counts a stop of ours as a sleep */
#define RESTLESS  0.3       /* of the time in between: waiting for a processor is counted when it is over */

struct moment {
    bool known;
    nanos at;
    nanos ran, waited; /* waited: for a processor */
    int64_t sleeps;    /* how often it went to sleep; -1: it sleeps, or is not there */
};

struct look_before {
    struct moment *processes;
    struct moment **threads; /* of each process */
    nanos stood_still;
};

/* Of all threads, also those that have ended. */
static struct moment of_process(struct proc_id id)
{
    struct moment moment = {.at = clock_now()};
    struct timespec time;
    clockid_t clock;

    if (clock_getcpuclockid(id.pid, &clock) != 0 || clock_gettime(clock, &time) < 0 || !proc_is(id))
        return moment;
    moment.ran = time.tv_sec * NS_PER_S + time.tv_nsec;
    moment.known = true;
    return moment;
}

/* A kernel without statistics of its scheduler tells ticks of some milliseconds, and nothing of waiting. */
static bool read_ticks(struct buf *text, int process, pid_t tid, struct moment *moment)
{
    char path[40];
    struct proc_stat stat;

    snprintf(path, sizeof path, "task/%ld/stat", (long)tid);
    buf_clear(text);
    if (file_read_at(process, path, text, FILE_MOST) < 0 || !proc_stat_parse(buf_str(text), &stat))
        return false;
    moment->ran = (nanos)(stat.user_ticks + stat.system_ticks) * (NS_PER_S / sysconf(_SC_CLK_TCK));
    return true;
}

static int64_t sleeps_of(struct buf *text, int process, pid_t tid)
{
    char path[40];
    struct str state;

    snprintf(path, sizeof path, "task/%ld/status", (long)tid);
    buf_clear(text);
    if (file_read_at(process, path, text, FILE_MOST) < 0 || !look_field(buf_str(text), "State:", &state) ||
        !str_starts(state, "R"))
        return -1;
    return (int64_t)look_number(buf_str(text), "voluntary_ctxt_switches:", 10);
}

/* `may_run`: else it is known that it sleeps. */
static struct moment of_thread(struct buf *text, int process, pid_t tid, bool may_run)
{
    struct moment moment = {.at = clock_now(), .sleeps = -1};
    char path[40];

    snprintf(path, sizeof path, "task/%ld/schedstat", (long)tid);
    buf_clear(text);
    moment.known = file_read_at(process, path, text, FILE_MOST) == 0 &&
                   sscanf(buf_text(text), "%" SCNd64 " %" SCNd64, &moment.ran, &moment.waited) == 2;
    if (!moment.known)
        moment.known = read_ticks(text, process, tid, &moment);
    if (may_run)
        moment.sleeps = sleeps_of(text, process, tid);
    return moment;
}

/* ---- the first look ---- */

void look_begin_shares(struct look *look)
{
    struct dump *dump = look->dump;
    struct look_before *before = ARENA_NEW(look->arena, struct look_before);

    before->processes = ARENA_ARRAY(look->arena, struct moment, dump->process_count);
    before->threads = ARENA_ARRAY(look->arena, struct moment *, dump->process_count);
    before->stood_still = dump->stood_still;
    for (uint32_t i = 0; i < dump->process_count && !look_is_late(look); i++) {
        const struct dump_process *process = &dump->processes[i];
        int at = look_open(process);

        before->processes[i] = of_process(process->id);
        before->threads[i] = ARENA_ARRAY(look->arena, struct moment, process->thread_count);
        for (uint32_t k = 0; k < process->thread_count && at >= 0; k++)
            before->threads[i][k] =
                of_thread(&look->text, at, process->threads[k].tid, process->threads[k].state == 'R');
        fd_close(&at);
    }
    look->taking->before = before;
}

/* ---- the second ---- */

/* Part of the time between the two that `spent` is, without that in which we had stopped it. */
static double part(const struct moment *before, const struct moment *after, nanos spent, nanos still)
{
    nanos window = after->at - before->at - still;

    return before->known && after->known && window > 0 && spent > NOTHING ? (double)spent / (double)window
                                                                          : 0;
}

/* On a machine that has too much to do nobody gets a whole processor: waiting for one is not sleeping. */
static bool is_runaway(const struct moment *before, const struct moment *after, nanos still)
{
    nanos ran = after->ran - before->ran, waited = after->waited - before->waited;

    if (before->sleeps < 0 || after->sleeps < 0 || ran <= NOTHING)
        return false;
    return after->sleeps == before->sleeps || (after->sleeps - before->sleeps <= OUR_STOPS &&
                                               part(before, after, ran + waited, still) >= RESTLESS);
}

static void measure(struct dump_process *process, const struct moment *before, const struct moment *threads,
                    nanos still, struct buf *text)
{
    /* They are ours, and constant only for who reads the dump. */
    struct dump_thread *list = (struct dump_thread *)(uintptr_t)process->threads;
    struct moment now = of_process(process->id);
    int at = look_open(process);

    process->share = part(before, &now, now.ran - before->ran, still);
    for (uint32_t i = 0; i < process->thread_count && threads && at >= 0; i++) {
        struct moment after = of_thread(text, at, list[i].tid, threads[i].sleeps >= 0);

        list[i].share = part(&threads[i], &after, after.ran - threads[i].ran, still);
        if (is_runaway(&threads[i], &after, still))
            process->runaway = true;
    }
    fd_close(&at);
}

static void sleep_until(nanos when)
{
    struct timespec until = {.tv_sec = when / NS_PER_S, .tv_nsec = when % NS_PER_S};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

void look_at_shares(struct taking *taking, nanos apart)
{
    struct look_before *before = taking->before;
    struct dump *dump = taking->dump;
    struct buf text = {0};
    nanos latest = 0, still;

    if (!before)
        return;
    for (uint32_t i = 0; i < dump->process_count; i++)
        latest = before->processes[i].at > latest ? before->processes[i].at : latest;
    if (latest && latest + apart < taking->until)
        sleep_until(latest + apart);
    still = dump->stood_still - before->stood_still;
    for (uint32_t i = 0; i < dump->process_count && clock_now() < taking->until; i++)
        measure(&dump->processes[i], &before->processes[i], before->threads[i], still, &text);
    buf_release(&text);
}
