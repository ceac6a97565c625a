#include "runner/crash.h"

#include "runner/base/io.h"
#include "runner/base/sig.h"
#include "runner/base/thread.h"
#include "runner/core_words.h"
#include "runner/dumps.h"
#include "runner/inside/inside.h"
#include "runner/said_facts.h"
#include "runner/session.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WITHIN (3 * NS_PER_S) /* large programs, and large cores, have much to be read */

/* Its thread writes here until `done`; then it is the loop's again. */
struct crash {
    pthread_t thread;
    atomic_bool done;
    int folder, tells; /* not owned */
    pid_t pid;         /* as the test knows itself */
    nanos began, took;
    bool taken;       /* by the loop */
    const char *core; /* NULL: there is a copy in the folder */
    struct stacks_wants wants;
    struct arena arena; /* the thread's: that of the slot is the loop's */
    struct stacks stacks;
    bool found;
};

int crash_open(struct session *s)
{
    s->crashes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return s->crashes < 0 ? -1 : 0;
}

void crash_close(struct session *s)
{
    fd_close(&s->crashes);
}

/* ---- reading one ---- */

static bool read_core(struct crash *crash)
{
    struct stacks *stacks = &crash->stacks;

    stacks_of_core(stacks, &crash->arena, crash->core, NULL, &crash->wants);
    return stacks->process_count && stacks->processes[0].thread_count;
}

static void *read_it(void *user)
{
    struct crash *crash = user;
    const uint64_t one = 1;

    crash->found =
        crash->core ? read_core(crash)
                    : inside_crash(&crash->stacks, &crash->arena, crash->folder, crash->pid, &crash->wants);
    atomic_store(&crash->done, true);
    while (write(crash->tells, &one, sizeof one) < 0 && errno == EINTR)
        ;
    return NULL;
}

/* ---- beginning ---- */

/* Where dying so was expected nobody asks where it was; and whoever has cancelled the run does not wait for it. */
static bool is_worth_it(const struct session *s, const struct slot *slot)
{
    const struct recipe *recipe = &slot->recipe;

    return s->kitchen.stacks && !s->urgency && slot->listed && slot->ending.signal &&
           recipe->dumps & 1u << DUMP_OF_CRASH && recipe->xfail_signal != slot->ending.signal;
}

static bool has_copy(struct slot *slot, struct crash *crash)
{
    const struct said *said = said_by(slot);

    if (!said || !said->crash.words.len || !inside_has_crash(slot->tmp.fd, (pid_t)said->crash.pid))
        return false;
    crash->folder = slot->tmp.fd;
    crash->pid = (pid_t)said->crash.pid;
    return true;
}

/* One that we have asked for by a signal of ours tells nothing. */
static bool has_core(struct session *s, struct slot *slot, struct crash *crash)
{
    if (slot->ending.cause)
        return false;
    crash->core = core_file(s, slot);
    return crash->core != NULL;
}

/* Where somebody who cancels is in a hurry, one that is being read when he does is not to take all of his time. */
static nanos within(const struct session *s)
{
    return s->kitchen.cap && s->kitchen.cap < WITHIN ? s->kitchen.cap : WITHIN;
}

bool crash_begin(struct session *s, struct slot *slot)
{
    struct crash *crash;

    if (!is_worth_it(s, slot))
        return false;
    crash = ARENA_NEW(&slot->arena, struct crash);
    if (!has_copy(slot, crash) && !has_core(s, slot, crash))
        return false;
    crash->tells = s->crashes;
    crash->began = clock_now();
    crash->wants.program = s->kitchen.stacks;
    crash->wants.copy_by = crash->wants.unwind_by = crash->began + within(s);
    slot->crash = crash;
    if (thread_start(&crash->thread, read_it, crash) == 0)
        return true;
    slot->crash = NULL;
    return false;
}

/* ---- when it is read ---- */

static void add_words(struct slot *slot, const struct crash *crash)
{
    const char *cwd = slot->recipe.spec.cwd;
    struct said_line *line = &slot->said->crash;
    char *here = realpath(cwd ? cwd : ".", NULL);
    struct buf words = {0};

    buf_addstr(&words, line->words);
    if (crash->found)
        inside_words(&words, &crash->stacks.processes[0].threads[0], here);
    else if (crash->stacks.why_not)
        buf_addf(&words, "\n  its stack: %s", crash->stacks.why_not);
    line->words = arena_str(&slot->arena, buf_str(&words));
    buf_release(&words);
    free(here);
}

static struct str first_line(struct str words)
{
    size_t end;

    return str_find(words, "\n", &end) ? str_slice(words, 0, end) : words;
}

static const char *reason_of(struct slot *slot, const struct crash *crash)
{
    if (crash->core)
        return arena_printf(&slot->arena, "it died of %s; as its core has it: %s",
                            signal_name(slot->ending.signal), crash->core);
    return arena_printf(&slot->arena, "it %.*s", STR_ARG(first_line(slot->said->crash.words)));
}

/* In no place of one that was made while it was alive. */
static void write_dump(struct session *s, struct slot *slot, struct crash *crash)
{
    struct dump dump;

    if (!crash->found || slot->worth != SOAK_ALL || slot->ending.dump || slot->recipe.xfail ||
        s->keep == KEEP_NONE)
        return;
    crash_dump(&dump, &crash->arena, slot, &crash->stacks, reason_of(slot, crash), crash->took);
    dumps_put(s, slot, &dump);
}

bool crash_place(struct slot *slot, struct buf *out)
{
    struct crash *crash = slot->crash;
    struct dump dump;

    if (!crash || !crash->found)
        return false;
    crash_dump(&dump, &crash->arena, slot, &crash->stacks, "", crash->took);
    return dump_place(&dump, out);
}

void crash_keep(struct session *s, struct slot *slot)
{
    struct crash *crash = slot->crash;

    if (!crash)
        return;
    write_dump(s, slot, crash);
    arena_release(&crash->arena);
    slot->crash = NULL;
}

/* ---- hearing of them ---- */

static void take(struct session *s, struct slot *slot)
{
    struct crash *crash = slot->crash;

    pthread_join(crash->thread, NULL);
    crash->taken = true;
    crash->took = clock_now() - crash->began;
    if (!crash->core)
        add_words(slot, crash);
    life_event(s, slot->on, CASE_TOLD);
}

static bool is_read(const struct slot *slot)
{
    return slot->busy && slot->crash && !slot->crash->taken && atomic_load(&slot->crash->done);
}

void crash_heard(struct session *s)
{
    uint64_t count;

    if (read(s->crashes, &count, sizeof count) < 0)
        return;
    for (uint32_t i = 0; i < s->jobs; i++)
        if (is_read(&s->slots[i]))
            take(s, &s->slots[i]);
}
