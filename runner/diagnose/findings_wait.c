/* Whom one depends on who waits at a pipe or a socket. */
#include "runner/diagnose/telling.h"

#include <string.h>

#define KEYED_MOST 16 /* of a thousand that have a pipe; the others are like them */

struct waiting {
    struct telling *t;
    struct findings *findings;
    uint32_t process;
    const struct dump_process *p;
    const struct dump_thread *thread;
    const struct dump_fd *fd;
};

static uint64_t key_of(const struct waiting *w)
{
    return does_key(HASH_START, w->p, w->thread);
}

/* "has its other end (fd 5): in main at root.c:9: waits for a child" */
static void add_end(const struct waiting *w, struct finding *finding, const struct dump_end *end,
                    const char *how)
{
    struct finding_other other = {.process = end->process, .pid = end->pid, .name = end->name, .fd = end->fd};
    const struct dump_process *p = end->process == DUMP_NOBODY ? NULL : &w->t->dump->processes[end->process];

    if (finding->other_count < FINDING_OTHERS_MOST) /* the others are counted */
        other.words = arena_printf(w->t->arena, "%s (fd %d)%s%s", how, end->fd, p ? ": " : "",
                                   p ? does_at_fd(w->t, p, end->fd) : "");
    finding_other(finding, other);
}

/* Those that depend on the same kind of somebody are alike, as each of ten workers is who has a pipe of its own to its maker. */
static uint64_t hash_end(const struct waiting *w, uint64_t hash, const struct dump_end *end)
{
    const struct dump_process *p = end->process == DUMP_NOBODY ? NULL : &w->t->dump->processes[end->process];

    hash = fold_name(hash, str_of(end->name));
    return p && p->thread_count ? does_key(hash, p, p->threads) : hash;
}

/* ---- which they are ---- */

static bool is_pipe(const struct dump_fd *fd)
{
    return fd->kind == DUMP_FD_PIPE || fd->kind == DUMP_FD_FIFO;
}

static bool is_connection(const struct dump_fd *fd)
{
    return fd->kind == DUMP_FD_UNIX || fd->kind == DUMP_FD_TCP;
}

static bool is_listener(const struct dump_fd *fd)
{
    return fd->state && strcmp(fd->state, "LISTEN") == 0;
}

/* ---- pipes ---- */

static bool is_other_end(const struct dump_end *end, bool wants_readers)
{
    return wants_readers ? end->reads : end->writes;
}

static bool same_process(const struct dump_end *a, const struct dump_end *b)
{
    return a->pid == b->pid;
}

static bool is_self(const struct waiting *w, const struct dump_end *end)
{
    return end->process == w->process || end->pid == w->p->id.pid;
}

/* All that one process has of a pipe: they stand beside one another. */
struct holder {
    const struct dump_end *end; /* the first that is of the other side; NULL: none is */
    bool pure;                  /* and it has no more: who was forked has both, and nobody meant that */
};

/* The one whose ends begin at `at`, which then is where the next one's begin. */
static struct holder next_holder(const struct dump_fd *fd, bool wants_readers, uint32_t *at)
{
    const struct dump_end *first = &fd->ends[*at];
    struct holder holder = {.pure = true};

    for (; *at < fd->end_count && same_process(&fd->ends[*at], first); ++*at) {
        const struct dump_end *end = &fd->ends[*at];

        if (is_other_end(end, wants_readers) && !holder.end)
            holder.end = end;
        if (is_other_end(end, !wants_readers))
            holder.pure = false;
    }
    return holder;
}

/* Of those at its other end the ones that matter most, as far as we know; how many there are. */
static uint32_t each_end(const struct waiting *w, bool wants_readers, bool pure, struct finding *finding,
                         uint64_t *key)
{
    uint32_t count = 0;

    for (uint32_t at = 0; at < w->fd->end_count;) {
        struct holder holder = next_holder(w->fd, wants_readers, &at);

        if (!holder.end || is_self(w, holder.end) || holder.pure != pure)
            continue;
        if (key && count < KEYED_MOST)
            *key = hash_end(w, *key, holder.end);
        if (finding)
            add_end(w, finding, holder.end, wants_readers ? "can read it" : "can write to it");
        count++;
    }
    return count;
}

static const struct dump_end *own_end(const struct waiting *w, bool wants_readers)
{
    for (uint32_t i = 0; i < w->fd->end_count; i++)
        if (is_self(w, &w->fd->ends[i]) && is_other_end(&w->fd->ends[i], wants_readers))
            return &w->fd->ends[i];
    return NULL;
}

/* That it has the other end itself comes first: it is most often an end that it has forgotten to close. */
static const char *own_words(const struct waiting *w, bool wants_readers, uint32_t others)
{
    const struct dump_end *own = own_end(w, wants_readers);
    const char *verb = wants_readers ? "read it" : "write to it";

    if (!own)
        return "";
    if (!others && w->fd->ends_known)
        return arena_printf(w->t->arena, "nobody but itself can %s (fd %d): ", verb, own->fd);
    return arena_printf(w->t->arena, "it can %s itself (fd %d): ", verb, own->fd);
}

/* Where nobody else has it. */
static const char *end_words(const struct waiting *w, bool wants_readers, uint32_t others)
{
    const char *verb = wants_readers ? "read it" : "write to it";
    struct arena *arena = w->t->arena;

    if (others || own_end(w, wants_readers))
        return "";
    return w->fd->ends_known ? arena_printf(arena, "; nobody can %s", verb)
                             : arena_printf(arena, "; who can %s is not known", verb);
}

static const char *fill_words(const struct waiting *w)
{
    const struct dump_fd *fd = w->fd;

    if (fd->filled < 0 || fd->room <= 0)
        return ", which is full";
    return arena_printf(w->t->arena, ", which %s (%lld of %lld bytes)",
                        fd->filled < fd->room ? "has no room for it" : "is full", (long long)fd->filled,
                        (long long)fd->room);
}

static void find_pipe(const struct waiting *w, bool writes)
{
    uint64_t key = key_of(w);
    struct finding *finding;
    uint32_t others;

    if (!each_end(w, writes, true, NULL, &key))
        key = hash_number(key, w->fd->inode);
    finding =
        finding_add(w->t, w->findings, writes ? FINDING_FULL : FINDING_READS, key, w->process, w->thread);
    if (!finding || finding->words)
        return;
    others = each_end(w, writes, true, finding, NULL);
    others += each_end(w, writes, false, finding, NULL);
    finding->words = arena_printf(w->t->arena, "%s%s%s%s", own_words(w, writes, others),
                                  does_thread(w->t, w->p, w->thread), writes ? fill_words(w) : "",
                                  end_words(w, writes, others));
}

/* ---- sockets ---- */

static const struct dump_fd *fd_at(const struct waiting *w, const struct dump_end *end)
{
    return end->process == DUMP_NOBODY ? NULL : fd_of(&w->t->dump->processes[end->process], end->fd);
}

static const char *peer_words(const struct waiting *w, const struct dump_end *end)
{
    const struct dump_fd *fd = fd_at(w, end);

    if (fd && fd->state && strcmp(fd->state, "LISTEN") == 0)
        return "listens there, and has not accepted it";
    if (fd && fd->receive_queue > 0)
        return arena_printf(w->t->arena, "has its other end, and has not read %lld byte%s that wait%s there",
                            (long long)fd->receive_queue, fd->receive_queue == 1 ? "" : "s",
                            fd->receive_queue == 1 ? "s" : "");
    return "has its other end";
}

/* A process that has it more than once is told once, and itself apart; how many others have it. */
static uint32_t each_peer(const struct waiting *w, struct finding *finding, uint64_t *key)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < w->fd->end_count; i++) {
        const struct dump_end *end = &w->fd->ends[i];

        if ((i > 0 && same_process(end, &w->fd->ends[i - 1])) || is_self(w, end))
            continue;
        if (key && count < KEYED_MOST)
            *key = hash_end(w, *key, end);
        if (finding)
            add_end(w, finding, end, peer_words(w, end));
        count++;
    }
    return count;
}

static const struct dump_end *own_peer(const struct waiting *w)
{
    for (uint32_t i = 0; i < w->fd->end_count; i++)
        if (is_self(w, &w->fd->ends[i]))
            return &w->fd->ends[i];
    return NULL;
}

static const char *own_peer_words(const struct waiting *w, uint32_t peers)
{
    const struct dump_end *own = own_peer(w);

    if (!own)
        return "";
    if (!peers && w->fd->ends_known)
        return arena_printf(w->t->arena, "nobody but itself %s (fd %d): ", peer_words(w, own), own->fd);
    return arena_printf(w->t->arena, "it %s itself (fd %d): ", peer_words(w, own), own->fd);
}

static void find_socket(const struct waiting *w, enum finding_kind kind)
{
    uint64_t key = key_of(w);
    uint32_t peers = each_peer(w, NULL, &key);
    struct finding *finding;
    const char *none = "";

    if (own_peer(w)) /* that is another hang than that of who does the same with somebody else */
        key = hash_byte(key, 1);
    finding = finding_add(w->t, w->findings, kind, key, w->process, w->thread);
    if (!finding || finding->words)
        return;
    each_peer(w, finding, NULL);
    if (!peers && !own_peer(w))
        none = w->fd->ends_known ? "; nobody of this machine has its other end"
                                 : "; who has its other end is not known";
    finding->words = arena_printf(w->t->arena, "%s%s%s", own_peer_words(w, peers),
                                  does_thread(w->t, w->p, w->thread), none);
}

static bool waits_at(const struct dump_process *p, int fd)
{
    for (uint32_t i = 0; i < p->thread_count; i++)
        for (uint32_t k = 0; k < p->threads[i].call.fd_count; k++)
            if (p->threads[i].call.fds[k] == fd)
                return true;
    return false;
}

/* Who has accepted somebody that waits for it is expected by these, not by who else may come. */
static bool is_awaited(const struct waiting *w)
{
    for (uint32_t i = 0; i < w->p->fd_count; i++) {
        const struct dump_fd *fd = &w->p->fds[i];

        if (!is_connection(fd) || is_listener(fd))
            continue;
        for (uint32_t k = 0; k < fd->end_count; k++) {
            const struct dump_end *end = &fd->ends[k];

            if (end->process != DUMP_NOBODY && !is_self(w, end) &&
                waits_at(&w->t->dump->processes[end->process], end->fd))
                return true;
        }
    }
    return false;
}

/* Of a fixture it is the work to wait for whoever comes. */
static bool is_fixture(const struct dump_process *p)
{
    return p->role && strncmp(p->role, "fixture", strlen("fixture")) == 0;
}

static void find_accepts(const struct waiting *w)
{
    struct finding *finding;

    if (w->fd->receive_queue > 0 || is_fixture(w->p) || is_awaited(w)) /* the first: it is about to get it */
        return;
    finding = finding_add(w->t, w->findings, FINDING_ACCEPTS, key_of(w), w->process, w->thread);
    if (finding && !finding->words)
        finding->words =
            arena_printf(w->t->arena, "%s, where nobody connects", does_thread(w->t, w->p, w->thread));
}

static void find_read(const struct waiting *w)
{
    if (is_pipe(w->fd))
        find_pipe(w, false);
    else if (is_connection(w->fd) && is_listener(w->fd))
        find_accepts(w); /* who polls it waits for that, too */
    else if (is_connection(w->fd))
        find_socket(w, FINDING_REQUEST);
}

/* Who polls a pipe waits for what he can do with it. */
static void find_poll(const struct waiting *w)
{
    if (is_pipe(w->fd) && w->fd->writes && !w->fd->reads)
        find_pipe(w, true);
    else
        find_read(w);
}

/* Who waits at many descriptors depends on nobody in particular. */
void findings_of_wait(struct telling *t, struct findings *f, uint32_t process,
                      const struct dump_thread *thread)
{
    const struct dump_process *p = &t->dump->processes[process];
    const struct dump_fd *fd = thread->call.fd_count == 1 ? fd_of(p, thread->call.fds[0]) : NULL;
    const struct waiting w = {t, f, process, p, thread, fd};

    if (!fd || (thread->state != 'S' && thread->state != 'D') || place_is_server(thread))
        return;
    switch (thread->call.wait) {
    case DUMP_WAITS_READ: find_read(&w); break;
    case DUMP_WAITS_POLL: find_poll(&w); break;
    case DUMP_WAITS_ACCEPT: find_accepts(&w); break;
    case DUMP_WAITS_CONNECT: find_socket(&w, FINDING_CONNECTS); break;
    case DUMP_WAITS_WRITE:
        if (is_pipe(fd))
            find_pipe(&w, true);
        else if (is_connection(fd))
            find_socket(&w, FINDING_FULL);
        break;
    default: break;
    }
}
