#include "runner/diagnose/runtime.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY (2 * NS_PER_MS)
#define SILENT_MOST \
    (300 * NS_PER_MS)        /* after that nothing more is expected of one that said nothing, and sleeps */
#define BUSY_MOST   NS_PER_S /* of a processor, for one that computes */
#define DRAINED     (20 * NS_PER_MS) /* what a dead one has printed may still be on its way through a relay */
#define STATUS_MOST ((size_t)64 << 10)

static const struct runtime_way *way_of(enum dump_runtime runtime)
{
    switch (runtime) {
    case RUNTIME_PYTHON: return &runtime_python;
    case RUNTIME_GO: return &runtime_go;
    case RUNTIME_JVM: return &runtime_jvm;
    case RUNTIME_NODE: return &runtime_node;
    default: return NULL;
    }
}

void asked_lives(struct asked *asked)
{
    asked->sign_of_life = clock_now();
}

const char *asked_text(struct asked *asked, struct str text)
{
    struct arena *arena = asked->asking->taking->arena;

    if (text.len < RUNTIME_ANSWER_MOST)
        return arena_cstr(arena, text);
    return arena_printf(arena, "%.*s\n(it is longer than %zu KiB, and cut here)", (int)RUNTIME_ANSWER_MOST,
                        text.ptr, RUNTIME_ANSWER_MOST >> 10);
}

/* ---- what may be done to it ---- */

uint64_t asked_signals(const char *path, const char *field)
{
    struct buf text = {0};
    const char *at;
    uint64_t set = 0;

    if (file_read(path, &text, STATUS_MOST) == 0 && (at = strstr(buf_text(&text), field)))
        set = strtoull(at + strlen(field), NULL, 16);
    buf_release(&text);
    return set;
}

/* It is gone where there is no such process any more. */
static const char *why_it_cannot(const struct asked *asked)
{
    struct proc_stat stat;

    if (proc_stat_read(asked->process->id.pid, &stat) < 0 || !proc_stat_is_alive(&stat))
        return "it is gone";
    if (stat.state == 'T' || stat.state == 't')
        return "it is stopped, and could not answer";
    return NULL;
}

static const char *name_of_signal(const struct asked *asked)
{
    const char *name = sigabbrev_np(asked->signal);

    return name ? arena_printf(asked->asking->taking->arena, "SIG%s", name) : "its signal";
}

bool asked_catches(const struct asked *asked, int signal)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/status", (long)asked->process->id.pid);
    return (asked_signals(path, "\nSigCgt:") >> (signal - 1)) & 1;
}

static const char *why_not_that_signal(const struct asked *asked)
{
    if (asked_catches(asked, asked->signal))
        return NULL;
    return arena_printf(asked->asking->taking->arena, "it does not catch %s, by which it would be asked",
                        name_of_signal(asked));
}

/* ---- one after another, as far as they would be in each other's way ---- */

static void is_over(struct asked *asked, const char *why)
{
    if (asked->way->release)
        asked->way->release(asked);
    fd_close(&asked->pidfd);
    asked->state = ASKED_OVER;
    if (!asked->process->runtime_says)
        asked->process->runtime_why_not = why;
}

static void begin(struct asked *asked)
{
    const char *why;

    asked->pidfd = proc_open(asked->process->id);
    why = asked->pidfd < 0 ? "it is gone" : why_it_cannot(asked);
    asked->signal = asked->way->signal;
    if (!why)
        why = asked->way->prepare(asked);
    if (why)
        is_over(asked, why);
}

/* Prepared, and not in anybody's way: it gets its signal. */
static void send(struct asked *asked)
{
    const char *why = asked->signal ? why_not_that_signal(asked) : NULL;

    asked_lives(asked);
    asked->state = ASKED_NOW;
    if (!why)
        asked->way->mark(asked);
    if (!why && asked->signal && pidfd_signal(asked->pidfd, asked->signal) < 0)
        why = errno == EPERM ? "it may not be signalled by us" : "it is gone";
    if (why)
        is_over(asked, why);
}

static bool in_the_way(const struct asking *asking, uint64_t lane)
{
    for (uint32_t i = 0; lane && i < asking->count; i++)
        if (asking->list[i].state == ASKED_NOW && asking->list[i].lane == lane)
            return true;
    return false;
}

static bool is_dead(const struct asked *asked)
{
    struct pollfd poll_one = {.fd = asked->pidfd, .events = POLLIN};

    return poll(&poll_one, 1, 0) == 1;
}

/*
 * One that computes, or is to, may be on its way to an answer, and a machine that is busy lets it wait for that: what counts
 * then is the time that it has had of a processor.
 */
static bool is_silent(struct asked *asked)
{
    nanos now = clock_now();
    struct proc_stat stat;
    uint64_t ticks;

    if (proc_stat_read(asked->process->id.pid, &stat) < 0)
        return now - asked->sign_of_life > SILENT_MOST;
    ticks = stat.user_ticks + stat.system_ticks;
    if (asked->sign_of_life != asked->counted_from) {
        asked->counted_from = asked->sign_of_life;
        asked->ticks_then = ticks;
    }
    if (ticks != asked->ticks || stat.state == 'R')
        asked->computed = now;
    asked->ticks = ticks;
    return (nanos)(ticks - asked->ticks_then) * (NS_PER_S / sysconf(_SC_CLK_TCK)) > BUSY_MOST ||
           (now - asked->sign_of_life > SILENT_MOST && now - asked->computed > SILENT_MOST);
}

static const char *why_no_answer(const struct asked *asked)
{
    if (!asked->signal)
        return "it did not answer";
    return arena_printf(asked->asking->taking->arena, "it did not answer to %s", name_of_signal(asked));
}

static void give_up(struct asked *asked, const char *why)
{
    asked->way->give_up(asked);
    is_over(asked, asked->process->runtime_why_not ? asked->process->runtime_why_not : why);
}

static void step(struct asked *asked)
{
    bool dead =
        is_dead(asked); /* before its answer is looked for: what it has written by then is all there is */

    if (asked->way->look(asked)) {
        is_over(asked,
                asked->process->runtime_why_not ? asked->process->runtime_why_not : why_no_answer(asked));
        return;
    }
    if (dead && clock_now() - asked->sign_of_life > DRAINED)
        give_up(asked, "it ended when it was asked");
    if (dead)
        return;
    if (is_silent(asked))
        give_up(asked, why_no_answer(asked));
}

static bool may_go(struct asked *asked)
{
    return !asked->way->may_go || asked->way->may_go(asked);
}

/* Those who die of it come last: what they leave behind may end others. False: nothing is left to do. */
static bool turn(struct asking *asking, bool ends)
{
    bool left = false;

    for (uint32_t i = 0; i < asking->count; i++) {
        struct asked *asked = &asking->list[i];

        if (asked->way->ends != ends)
            continue;
        if (asked->state == ASKED_NOT_YET && asked->pidfd < 0)
            begin(asked);
        if (asked->state == ASKED_NOT_YET && !in_the_way(asking, asked->lane) && may_go(asked))
            send(asked);
        if (asked->state == ASKED_NOW)
            step(asked);
        left |= asked->state != ASKED_OVER;
    }
    return left;
}

static void turn_until(struct asking *asking, bool ends, nanos until)
{
    const struct timespec pause = {0, LOOK_EVERY};

    while (turn(asking, ends) && clock_now() < until)
        nanosleep(&pause, NULL);
}

static void end_all(struct asking *asking)
{
    for (uint32_t i = 0; i < asking->count; i++) {
        struct asked *asked = &asking->list[i];

        if (asked->state == ASKED_NOW)
            give_up(asked, "there was no time left for its answer");
        else if (asked->state == ASKED_NOT_YET)
            is_over(asked, "there was no time left to ask it");
    }
}

/* ---- who is asked ---- */

static bool is_asked(struct taking *taking, struct dump_process *process)
{
    const struct runtime_way *way = way_of(process->runtime);

    if (!way || proc_state_is_end(process->state))
        return false;
    if (!taking->wants->ask_runtimes)
        process->runtime_why_not = "nobody wanted it to be asked";
    else if (process->memory_held)
        process->runtime_why_not = "its memory is held by somebody, and it could not answer";
    else if (process->runtime_guessed && !taking->wants->may_guess)
        process->runtime_why_not =
            "it goes on, and its signal may be for something else: what 'runtimes' names is asked";
    else if (way->ends && !taking->wants->may_end)
        process->runtime_why_not = "it would end by being asked";
    return !process->runtime_why_not;
}

static void collect(struct asking *asking)
{
    struct dump *dump = asking->taking->dump;

    asking->list = mem_zero((size_t)dump->process_count + 1, sizeof *asking->list);
    for (uint32_t i = 0; i < dump->process_count; i++)
        if (is_asked(asking->taking, &dump->processes[i]))
            asking->list[asking->count++] = (struct asked){
                .asking = asking,
                .process = &dump->processes[i],
                .way = way_of(dump->processes[i].runtime),
                .pidfd = -1,
                .python = {.file = -1},
                .node = {.talk = {.fd = -1}, .turn = -1},
                .jvm = {.tmp = -1, .talk = {.fd = -1}},
            };
}

void runtimes_ask(struct taking *taking, struct dump_answers *answers)
{
    struct asking asking = {.taking = taking, .answers = answers};

    collect(&asking);
    turn_until(&asking, false, taking->until);
    turn_until(&asking, true, taking->until);
    end_all(&asking);
    free(asking.list);
}
