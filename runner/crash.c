#include "runner/crash.h"

#include "runner/base/io.h"
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

#define WITHIN (3 * NS_PER_S) /* large programs have much to be read */

/* Its thread writes here until `done`; then it is the loop's again. */
struct crash {
    pthread_t thread;
    atomic_bool done;
    int folder, tells; /* not owned */
    pid_t pid;         /* as the test knows itself */
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

static void *read_copy(void *user)
{
    struct crash *crash = user;
    const uint64_t one = 1;

    crash->found = inside_crash(&crash->stacks, &crash->arena, crash->folder, crash->pid, &crash->wants);
    atomic_store(&crash->done, true);
    while (write(crash->tells, &one, sizeof one) < 0 && errno == EINTR)
        ;
    return NULL;
}

/* Where dying so was expected nobody asks where it was. */
static bool is_worth_it(const struct slot *slot)
{
    const struct recipe *recipe = &slot->recipe;

    return slot->listed && slot->ending.signal && recipe->dumps & 1u << DUMP_OF_CRASH &&
           recipe->xfail_signal != slot->ending.signal;
}

bool crash_begin(struct session *s, struct slot *slot)
{
    const struct said *said = is_worth_it(slot) ? said_by(slot) : NULL;
    struct crash *crash;

    if (!said || !said->crash.words.len || !s->kitchen.stacks ||
        !inside_has_crash(slot->tmp.fd, (pid_t)said->crash.pid))
        return false;
    crash = ARENA_NEW(&slot->arena, struct crash);
    crash->folder = slot->tmp.fd;
    crash->tells = s->crashes;
    crash->pid = (pid_t)said->crash.pid;
    crash->wants.program = s->kitchen.stacks;
    crash->wants.copy_by = crash->wants.unwind_by = clock_now() + WITHIN;
    slot->crash = crash;
    if (pthread_create(&crash->thread, NULL, read_copy, crash) == 0)
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

static void take(struct session *s, struct slot *slot)
{
    struct crash *crash = slot->crash;

    pthread_join(crash->thread, NULL);
    slot->crash = NULL;
    add_words(slot, crash);
    arena_release(&crash->arena);
    life_event(s, slot->on, CASE_TOLD);
}

void crash_heard(struct session *s)
{
    uint64_t count;

    if (read(s->crashes, &count, sizeof count) < 0)
        return;
    for (uint32_t i = 0; i < s->jobs; i++)
        if (s->slots[i].busy && s->slots[i].crash && atomic_load(&s->slots[i].crash->done))
            take(s, &s->slots[i]);
}
