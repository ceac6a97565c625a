#include "runner/leaks/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COMMAND_MOST 200 /* bytes of a command line that a message repeats */
#define COMM_MOST    15  /* where the kernel cuts names */
#define WINDOW       (50 * NS_PER_MS)
#define STATUS_MOST  ((size_t)64 << 10)
#define ENOUGH       (5 * NS_PER_MS) /* of a processor, to tell who spins from who waits for his turn to sleep */
#define RUNAWAY      95              /* per cent of one processor */

/* ---- the processes themselves ---- */

/* The name is cut at 15 bytes; where the program's begins with it, that is the whole. */
static struct str name_of(struct arena *arena, int process, const char *comm)
{
    char target[PATH_MAX];
    ssize_t len = strlen(comm) == COMM_MOST ? readlinkat(process, "exe", target, sizeof target - 1) : -1;
    const char *base;

    if (len <= 0)
        return arena_str(arena, str_of(comm));
    target[len] = '\0';
    base = strrchr(target, '/');
    if (!base || !str_starts(str_of(base + 1), comm) || strchr(base, ' '))
        return arena_str(arena, str_of(comm));
    return arena_str(arena, str_of(base + 1));
}

static void add_command(struct buf *out, pid_t pid, const char *comm)
{
    struct buf command = {0};

    if (proc_cmdline(pid, &command) < 0 || !command.len)
        buf_adds(&command, comm);
    buf_addstr(out, utf8_cut(buf_str(&command), COMMAND_MOST));
    if (command.len > COMMAND_MOST)
        buf_adds(out, "…");
    buf_release(&command);
}

static void add_age(struct buf *out, nanos age)
{
    nanos unit = age >= NS_PER_S ? NS_PER_S : NS_PER_MS; /* start times are no finer than 10 ms */

    span_format(out, age / unit * unit);
}

/* False: it has gone, or is a zombie. */
static bool add_process(struct process_look *look, struct subject *subject)
{
    struct leak_list *leaks = look->leaks;
    struct proc_stat stat;
    struct leak *leak;
    int process = holdings_open(subject->id);
    nanos age;

    if (process < 0)
        return false;
    if (proc_stat_read(subject->id.pid, &stat) < 0 || !proc_stat_is_alive(&stat)) {
        fd_close(&process);
        return false;
    }
    age = proc_age(&stat);
    subject->name = name_of(leaks->arena, process, stat.comm);
    add_command(&subject->words, subject->id.pid, stat.comm);
    buf_addf(&subject->words, " (pid %ld), ", (long)subject->id.pid);
    add_age(&subject->words, age);
    buf_adds(&subject->words, " old");
    subject->leak = leaks->count;
    leak = leak_add(leaks, LEAK_PROCESS, subject->name, (struct str)STR(""));
    leak->pid = subject->id.pid;
    leak->born = clock_wall() - age;
    if (!look->since || leak->born < look->since)
        look->since = leak->born;
    fd_close(&process);
    return true;
}

/* ---- runaways ---- */

/* Of all its threads; to the nanosecond, where /proc knows ticks. -1: it has gone. */
static nanos used(pid_t pid)
{
    clockid_t clock;
    struct timespec time;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) < 0)
        return -1;
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

/* How often its first thread went to sleep; -1: it sleeps. */
static int64_t sleeps(pid_t pid)
{
    char path[64];
    struct buf status = {0};
    const char *found = NULL;
    int64_t count = -1;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    if (file_read(path, &status, STATUS_MOST) == 0 && strstr(buf_text(&status), "\nState:\tR"))
        found = strstr(buf_text(&status), "\nvoluntary_ctxt_switches:");
    if (found)
        count = strtoll(strchr(found, ':') + 1, NULL, 10);
    buf_release(&status);
    return count;
}

static void begin_measure(struct subject *subject)
{
    subject->slept = sleeps(subject->id.pid);
    subject->used = used(subject->id.pid);
    subject->used_at = clock_now();
}

static void sleep_until(nanos when)
{
    struct timespec until = {.tv_sec = when / NS_PER_S, .tv_nsec = when % NS_PER_S};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

/* On a machine that has too much to do nobody gets a whole processor: then it counts that it ran, and never slept. */
static void end_measure(struct process_look *look, struct subject *subject)
{
    nanos window = clock_now() - subject->used_at, more = used(subject->id.pid) - subject->used;
    bool restless = subject->slept >= 0 && more >= ENOUGH && sleeps(subject->id.pid) == subject->slept;
    long percent;

    if (subject->used < 0 || more < 0 || window < WINDOW || !proc_is(subject->id))
        return;
    percent = (long)(more * 100 / window);
    if (percent < RUNAWAY && !restless)
        return;
    look->leaks->list[subject->leak].runaway = true;
    buf_addf(&subject->words, ", at %ld %% of a processor%s", percent,
             percent < RUNAWAY ? ", all it could get" : "");
}

/* ---- all of them ---- */

static void look_at_holdings(struct process_look *look, struct subject *subject)
{
    int process = holdings_open(subject->id);

    if (process < 0)
        return;
    belongings_look(look, subject, process);
    fd_close(&process);
}

static void measure_all(struct process_look *look, struct subject *subjects, size_t count)
{
    nanos enough = 0;

    for (size_t i = 0; i < count; i++)
        if (subjects[i].leak != SIZE_MAX && subjects[i].used_at + WINDOW > enough)
            enough = subjects[i].used_at + WINDOW;
    if (!enough || enough > look->deadline)
        return;
    sleep_until(enough);
    for (size_t i = 0; i < count; i++)
        if (subjects[i].leak != SIZE_MAX)
            end_measure(look, &subjects[i]);
}

/* Who they are comes first: what they hold may take all the time there is. */
static void look_at_all(struct process_look *look, struct subject *subjects, size_t count, bool measure)
{
    for (size_t i = 0; i < count && clock_now() < look->deadline; i++)
        if (add_process(look, &subjects[i]))
            begin_measure(&subjects[i]);
    for (size_t i = 0; i < count && clock_now() < look->deadline; i++)
        if (subjects[i].leak != SIZE_MAX)
            look_at_holdings(look, &subjects[i]);
    if (measure)
        measure_all(look, subjects, count);
}

void leaks_of_processes(struct leak_list *leaks, const struct proc_id *list, size_t count, bool measure,
                        nanos budget)
{
    struct process_look look = {
        .leaks = leaks,
        .deadline = clock_now() + budget,
    };
    struct subject *subjects = mem_zero(count, sizeof *subjects);

    for (size_t i = 0; i < count; i++)
        subjects[i] = (struct subject){.id = list[i], .leak = SIZE_MAX};
    look_at_all(&look, subjects, count, measure);
    for (size_t i = 0; i < count; i++) {
        if (subjects[i].leak != SIZE_MAX)
            leaks->list[subjects[i].leak].words = leak_harmless(leaks, buf_str(&subjects[i].words));
        buf_release(&subjects[i].words);
    }
    free(subjects);
    socket_tables_release(&look.tables);
    free(look.objects.list);
}
