#include "runner/diagnose/telling.h"

#include <string.h>

const char *const finding_words[FINDING_KIND_COUNT] = {
#define X(id, word) [id] = (word),
    FINDINGS(X)
#undef X
};

#define MEMBERS_FIRST 4
#define ALONE         0.9 /* of a processor: who has less of it shares it with others */

/* ---- a list of them ---- */

static void append(struct telling *t, struct finding *f, uint32_t process, pid_t tid)
{
    if (f->count == f->cap) {
        uint32_t cap = f->cap ? f->cap * 2 : MEMBERS_FIRST, *processes = ARENA_ARRAY(t->arena, uint32_t, cap);
        pid_t *tids = ARENA_ARRAY(t->arena, pid_t, cap);

        if (f->count) {
            memcpy(processes, f->processes, f->count * sizeof *processes);
            memcpy(tids, f->tids, f->count * sizeof *tids);
        }
        f->processes = processes;
        f->tids = tids;
        f->cap = cap;
    }
    f->processes[f->count] = process;
    f->tids[f->count++] = tid;
}

struct finding *finding_add(struct telling *t, struct findings *f, enum finding_kind kind, uint64_t key,
                            uint32_t process, const struct dump_thread *thread)
{
    struct finding *found = NULL;

    key = hash_byte(key, (unsigned char)kind);
    for (uint32_t i = 0; i < f->count && !found; i++)
        if (f->list[i].key == key && f->list[i].kind == kind)
            found = &f->list[i];
    if (!found && f->count == FINDINGS_MOST)
        return NULL;
    if (!found) {
        found = &f->list[f->count++];
        *found = (struct finding){.kind = kind, .key = key};
    }
    append(t, found, process, thread ? thread->tid : t->dump->processes[process].id.pid);
    return found;
}

void finding_other(struct finding *finding, struct finding_other other)
{
    if (finding->other_count == FINDING_OTHERS_MOST)
        finding->others_more++;
    else
        finding->others[finding->other_count++] = other;
}

/* A process that is named by its number: it may be none of ours. */
static struct finding_other somebody(struct telling *t, pid_t pid, uint32_t process, const char *does)
{
    struct finding_other other = {.process = process, .pid = pid, .fd = -1, .words = does};

    if (process != DUMP_NOBODY) {
        const struct dump_process *p = &t->dump->processes[process];

        other.pid = p->id.pid;
        other.name = p->name;
        other.words = arena_printf(t->arena, "%s: %s", does, does_process(t, p));
    }
    return other;
}

static uint32_t find_process(const struct dump *dump, pid_t pid)
{
    for (uint32_t i = 0; i < dump->process_count; i++)
        if (dump->processes[i].id.pid == pid)
            return i;
    return DUMP_NOBODY;
}

/* ---- of a process ---- */

/* A first thread that has ended shows as a zombie, while its others go on. */
static bool is_zombie(const struct dump_process *p)
{
    for (uint32_t i = 0; i < p->thread_count; i++)
        if (p->threads[i].state != 'Z' && p->threads[i].state != 'X')
            return false;
    return p->state == 'Z';
}

static void find_zombie(struct telling *t, struct findings *f, uint32_t process)
{
    const struct dump_process *p = &t->dump->processes[process];
    struct finding *finding;

    if (!is_zombie(p))
        return;
    finding = finding_add(t, f, FINDING_ZOMBIE, hash_number(HASH_START, (uint64_t)p->ppid), process, NULL);
    if (!finding || finding->words)
        return;
    finding->words = "has ended, and its parent has not reaped it";
    finding_other(finding, somebody(t, p->ppid, p->parent, "is its parent"));
}

static bool reads_its_terminal(const struct dump_process *p, const struct dump_thread *thread)
{
    const struct dump_fd *fd = thread->call.fd_count ? fd_of(p, thread->call.fds[0]) : NULL;

    return thread->call.wait == DUMP_WAITS_READ && fd && fd->kind == DUMP_FD_TERMINAL;
}

static void find_stopped(struct telling *t, struct findings *f, uint32_t process)
{
    const struct dump_process *p = &t->dump->processes[process];
    const struct dump_thread *first = p->thread_count ? p->threads : NULL;
    const char *where = first ? does_where(t, p, first) : NULL;
    struct finding *finding;

    if (p->state != 'T' && p->state != 't')
        return;
    finding =
        finding_add(t, f, FINDING_STOPPED, first ? does_key(HASH_START, p, first) : process, process, NULL);
    if (!finding || finding->words)
        return;
    if (p->state == 't')
        finding->words = "is traced, and stopped by who traces it";
    else if (first && reads_its_terminal(p, first))
        finding->words = "is stopped: it reads from its terminal in the background (SIGTTIN)";
    else
        finding->words = "is stopped (by SIGSTOP, or by its terminal), and goes on with SIGCONT";
    if (where)
        finding->words = arena_printf(t->arena, "%s; it stands %s", finding->words, where);
    if (p->tracer)
        finding_other(finding, somebody(t, p->tracer, find_process(t->dump, p->tracer), "traces it"));
}

static const struct dump_thread *busiest(const struct dump_process *p)
{
    const struct dump_thread *found = NULL;

    for (uint32_t i = 0; i < p->thread_count; i++)
        if (!found || p->threads[i].share > found->share)
            found = &p->threads[i];
    return found;
}

static void find_runaway(struct telling *t, struct findings *f, uint32_t process)
{
    const struct dump_process *p = &t->dump->processes[process];
    const struct dump_thread *thread = busiest(p);
    const char *where = thread ? does_where(t, p, thread) : NULL;
    struct finding *finding;

    if (!p->runaway)
        return;
    finding = finding_add(t, f, FINDING_RUNAWAY, thread ? does_key(HASH_START, p, thread) : process, process,
                          thread);
    if (finding && !finding->words)
        finding->words = arena_printf(t->arena, "computes and never sleeps, %s%.0f%% of a processor%s%s",
                                      p->share < ALONE ? "was ready to run all the time, and got " : "",
                                      p->share * 100, where ? ": " : "", where ? where : "");
}

/* Who of it is in the call that waits; NULL: none of its threads can be seen to. */
static const struct dump_thread *waits_for_lock(const struct dump_process *p)
{
    for (uint32_t i = 0; i < p->thread_count; i++)
        if (p->threads[i].call.wait == DUMP_WAITS_LOCK)
            return &p->threads[i];
    return p->thread_count ? p->threads : NULL;
}

static const char *lock_words(struct telling *t, const struct dump_process *p, const struct dump_lock *lock)
{
    const struct dump_thread *thread = waits_for_lock(p);
    const char *where = thread ? does_where(t, p, thread) : NULL;

    return arena_printf(t->arena, "%s%swaits for %s lock (%s) of %s", where ? where : "", where ? ": " : "",
                        lock->writes ? "an exclusive" : "a shared", say_safe(t, lock->kind, TELL_NAME_MOST),
                        lock->path ? say_quoted(t, lock->path, TELL_PLACE_MOST)
                                   : arena_printf(t->arena, "inode %llu", (unsigned long long)lock->inode));
}

static void find_locks(struct telling *t, struct findings *f, uint32_t process)
{
    const struct dump_process *p = &t->dump->processes[process];

    for (uint32_t i = 0; i < p->lock_count; i++) {
        const struct dump_lock *lock = &p->locks[i];
        uint64_t key = hash_number(hash_number(HASH_START, lock->inode), (uint64_t)lock->holder);
        struct finding *finding = NULL;

        if (lock->waits)
            finding = finding_add(t, f, FINDING_LOCK, key, process, waits_for_lock(p));
        if (!finding || finding->words)
            continue;
        finding->words = lock_words(t, p, lock);
        if (lock->holder > 0)
            finding_other(finding, somebody(t, lock->holder, lock->process, "holds it"));
    }
}

static void find_unaccepted(struct telling *t, struct findings *f, uint32_t process)
{
    const struct dump_process *p = &t->dump->processes[process];

    for (uint32_t i = 0; i < p->fd_count; i++) {
        const struct dump_fd *fd = &p->fds[i];
        struct finding *finding = NULL;

        if (fd->state && strcmp(fd->state, "LISTEN") == 0 && fd->receive_queue > 0)
            finding =
                finding_add(t, f, FINDING_UNACCEPTED, hash_number(HASH_START, fd->inode), process, NULL);
        if (finding && !finding->words)
            finding->words =
                arena_printf(t->arena, "listens at %s (fd %d), where %lld connection%s to be accepted: %s",
                             fd->local ? say_quoted(t, fd->local, TELL_PLACE_MOST) : fd_article(fd),
                             fd->number, (long long)fd->receive_queue,
                             fd->receive_queue == 1 ? " waits" : "s wait", does_process(t, p));
    }
}

/* A JVM looks for those itself, among the locks of its language. */
static void find_deadlock(struct telling *t, struct findings *f, uint32_t process)
{
    const struct dump_process *p = &t->dump->processes[process];
    struct finding *finding;

    if (p->runtime != RUNTIME_JVM || !p->runtime_says || !strstr(p->runtime_says, " Java-level deadlock"))
        return;
    finding = finding_add(t, f, FINDING_THREADS, hash_number(HASH_START, process), process, NULL);
    if (finding && !finding->words)
        finding->words = "its threads wait for each other's locks, as its JVM says";
}

/* ---- of a thread ---- */

/* Threads that a runtime has for itself wait all day long. */
static bool is_theirs(const struct dump_process *p, const struct dump_thread *thread)
{
    return p->runtime == RUNTIME_NONE || thread == p->threads;
}

/* Who joins a thread waits for what keeps that from its end: it is told last. */
static enum finding_kind kind_of(const struct dump_thread *thread)
{
    const char *primitive = place_primitive(thread);

    return primitive && strcmp(primitive, PRIMITIVE_JOIN) == 0 ? FINDING_JOINS : FINDING_THREADS;
}

static void find_thread(struct telling *t, struct findings *f, uint32_t process,
                        const struct dump_thread *thread)
{
    const struct dump_process *p = &t->dump->processes[process];
    enum finding_kind kind;
    struct finding *finding;

    if (thread->state == 'D' && !p->frozen)
        kind = FINDING_KERNEL;
    else if (does_open_fifo(thread))
        kind = FINDING_OPENS;
    else if (thread->state == 'S' && is_theirs(p, thread) && does_where(t, p, thread) &&
             (thread->call.wait == DUMP_WAITS_FUTEX || place_primitive(thread)))
        kind = kind_of(thread);
    else
        return;
    finding = finding_add(t, f, kind, does_key(HASH_START, p, thread), process, thread);
    if (finding && !finding->words)
        finding->words = does_thread(t, p, thread);
}

static void find_all(struct telling *t, struct findings *f, uint32_t process)
{
    const struct dump_process *p = &t->dump->processes[process];

    find_runaway(t, f, process);
    find_stopped(t, f, process);
    find_zombie(t, f, process);
    find_locks(t, f, process);
    find_unaccepted(t, f, process);
    find_deadlock(t, f, process);
    for (uint32_t i = 0; i < p->thread_count; i++) {
        find_thread(t, f, process, &p->threads[i]);
        findings_of_wait(t, f, process, &p->threads[i]);
    }
}

static bool others_stand_out(const struct findings *f)
{
    return f->count && f->list[0].kind != FINDING_LEAF;
}

static bool has_child(const struct dump *dump, uint32_t process)
{
    for (uint32_t i = process + 1; i < dump->process_count; i++)
        if (dump->processes[i].parent == process && dump->processes[i].state != 'Z')
            return true;
    return false;
}

/* At the end of all waits: what it waits for is no other process that is told of. */
static void find_leaf(struct telling *t, struct findings *f, uint32_t process)
{
    const struct dump_process *p = &t->dump->processes[process];
    const struct dump_thread *thread = p->thread_count ? p->threads : NULL;
    struct finding *finding;

    if (!thread || thread->state != 'S' || place_is_server(thread) ||
        (thread->call.wait != DUMP_WAITS_CHILD && thread->call.wait != DUMP_WAITS_SIGNAL &&
         thread->call.wait != DUMP_WAITS_SLEEP && thread->call.wait != DUMP_WAITS_POLL) ||
        has_child(t->dump, process))
        return;
    finding = finding_add(t, f, FINDING_LEAF, does_key(HASH_START, p, thread), process, thread);
    if (finding && !finding->words)
        finding->words = does_process(t, p);
}

/* The most telling first; else as they were found, which is the order of the tree. */
void findings_of(struct telling *t, struct findings *out)
{
    struct findings found = {.list = ARENA_ARRAY(t->arena, struct finding, FINDINGS_MOST)};

    for (uint32_t i = 0; i < t->dump->process_count; i++)
        find_all(t, &found, i);
    for (uint32_t i = 0; !others_stand_out(&found) && i < t->dump->process_count; i++)
        find_leaf(t, &found, i);
    *out = (struct findings){.list = ARENA_ARRAY(t->arena, struct finding, found.count)};
    for (int kind = 0; kind < FINDING_KIND_COUNT; kind++)
        for (uint32_t i = 0; i < found.count; i++)
            if (found.list[i].kind == (enum finding_kind)kind)
                out->list[out->count++] = found.list[i];
}
