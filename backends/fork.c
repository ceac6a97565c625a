/*
 * Processes that go on with a copy of our memory, and do not execute at once. Two ways lead there.
 *
 * With a single thread: clone3 with CLONE_PARENT, so the process is the runner's child, not ours. It skips what libc
 * does around fork, which is for other threads; only the address where the kernel is to write the thread's number has
 * to be said, or what libc believes of it would be that of its parent.
 *
 * With threads: fork() of libc, which leaves malloc and stdio usable; what else was locked by another thread stays
 * locked, and nothing can be done about that. The child cannot be given away by CLONE_PARENT: so it makes another one,
 * with one thread now, and leaves; the other one falls to the nearest subreaper, which is the runner. The same way is
 * gone where there are namespaces to be entered, which who enters them cannot leave again.
 */
#include "backends/internal.h"
#include "backends/raw.h"
#include "backends/serve.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the case ---- */

static _Noreturn void be_the_case(struct server *server, struct errand *errand)
{
    for (struct errand *other = server->errands; other; other = other->next)
        if (other != errand) { /* who looks for leaks would find them */
            wire_release(&other->message);
            request_release(&other->request);
        }
    close(server->socket); /* before its own are put there */
    errand_become(server->service, &errand->request, &server->board, &server->shown, errand->words,
                  &errand->message);
}

static int *tid_address(void)
{
    int *address = NULL;

    return prctl(PR_GET_TID_ADDRESS, &address) == 0 ? address : NULL;
}

static struct clone_args args_of(const struct errand *errand, const int *tid)
{
    int cgroup = errand->request.spec.cgroup;

    return (struct clone_args){
        .flags = CLONE_PARENT_SETTID | (tid ? CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID : 0) |
                 (cgroup > 0 ? CLONE_INTO_CGROUP : 0),
        .parent_tid = (uintptr_t)&errand->words->pid,
        .child_tid = (uintptr_t)tid,
        .exit_signal = SIGCHLD,
        .cgroup = cgroup > 0 ? (uint64_t)cgroup : 0,
    };
}

/* Returns twice, as fork does; in the child only when that is this process's one thread. -errno. */
static long clone_copy(struct clone_args *args)
{
    const long old[5] = RAW_CLONE_ARGS((long)(args->flags | args->exit_signal), 0, (long)args->parent_tid,
                                       (long)args->child_tid);
    void *robust = NULL;
    size_t size = 0;
    long pid;

    RAW(get_robust_list, 0, &robust, &size);
    pid = RAW(clone3, args, sizeof *args);
    if ((pid == -ENOSYS || pid == -EINVAL) && !(args->flags & CLONE_INTO_CGROUP))
        pid = RAW(clone, old[0], old[1], old[2], old[3], old[4]);
    if (pid == 0)
        RAW(set_robust_list, robust, size); /* as fork() does it: the kernel gives the child none */
    return pid;
}

/* ---- through somebody who leaves ---- */

struct departure {
    struct clone_args args;
    struct usher *usher; /* shared */
    int letter;          /* where the IPC namespace is sent, if anybody wants it; -1 */
    int reader;          /* ... and its other end, which the server has */
    bool is_case;        /* this is the case already */
};

static long bring_case(struct usher *usher)
{
    struct departure *departure = usher->user;
    long pid = clone_copy(usher->args);

    departure->is_case = pid == 0;
    return pid;
}

static void send_ipc(const struct departure *departure)
{
    const struct usher *usher = departure->usher;
    const struct wire_message message = {.kind = WIRE_STARTED, .fds = {usher->ipc}, .fd_count = 1};

    if (departure->letter >= 0 && usher->ipc >= 0)
        wire_send(departure->letter, &message);
}

/* Nothing of the way there is the case's. */
static void close_way(const struct departure *departure)
{
    const struct usher *usher = departure->usher;
    const int others[] = {usher->ipc, departure->letter, departure->reader};

    for (unsigned i = 0; i < usher->count; i++)
        close(usher->files[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] >= 0)
            close(others[i]);
}

/*
 * In the process that leaves; with one thread, whatever its parent has. It is not to die with its server: it may be about
 * to make the case, which stands on the board then. It is in the server's session and group, so in its place of
 * containment, and no other server is asked before that is empty.
 */
static _Noreturn void leave(struct server *server, struct errand *errand, struct departure *departure)
{
    departure->args = args_of(errand, tid_address());
    departure->usher->args = &departure->args;
    departure->usher->user = departure;
    if (usher_walk(departure->usher) && !departure->is_case)
        send_ipc(departure);
    if (departure->is_case) {
        close_way(departure);
        be_the_case(server, errand);
    }
    _exit(0);
}

/*
 * Handlers of fork may hang in it. Whoever has us as a thread of his waits no longer than he wants to: when he hangs up it is
 * killed. Without a descriptor of it it is waited for without looking up.
 */
static void await_leader(const struct server *server, pid_t leader)
{
    struct pollfd fds[] = {{.fd = (int)RAW(pidfd_open, leader, 0), .events = POLLIN},
                           {.fd = server->keeps ? server->socket : -1}};

    while (fds[0].fd >= 0 && poll(fds, ARRAY_LEN(fds), -1) < 0 && errno == EINTR)
        ;
    if (fds[1].revents)
        kill(leader, SIGKILL); /* our child, not reaped */
    fd_close(&fds[0].fd);
    while (waitpid(leader, NULL, __WALL) < 0 && errno == EINTR)
        ;
}

/* It has left when this returns, killed perhaps; the words have a pid if there is a case. */
static unsigned await(struct server *server, struct errand *errand, pid_t leader, int letter)
{
    struct wire_message message = {0};

    await_leader(server, leader);
    if (letter >= 0 && wire_receive(letter, &message) == WIRE_GOT && message.fd_count)
        errand->request.ipc = message.fds[--message.fd_count];
    wire_release(&message);
    if (atomic_load(&errand->words->pid))
        return 0;
    return server->usher->failure ? server->usher->failure : FAILURE(SPAWN_STAGE_CLONE, EINTR);
}

static unsigned fork_through(struct server *server, struct errand *errand)
{
    static const struct spawn_room nowhere;
    const struct spawn_room *room = errand->request.spec.room;
    int ends[2] = {-1, -1}, subreaper = 0;
    struct departure departure = {.letter = -1, .reader = -1};
    unsigned failure;
    pid_t leader;

    if (!server->usher && !(server->usher = serve_map(sizeof *server->usher, MAP_SHARED)))
        return FAILURE(SPAWN_STAGE_CLONE, ENOMEM);
    departure.usher = server->usher;
    *server->usher = (struct usher){
        .room = room ? room : &nowhere, .bring = bring_case, .identity = identity_of_ours(), .ipc = -1};
    if (room && room->ipc && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return FAILURE(SPAWN_STAGE_CLONE, errno);
    departure.letter = ends[1];
    departure.reader = ends[0];
    if (!server->keeps && prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper)
        prctl(PR_SET_CHILD_SUBREAPER,
              0); /* actors of a session have made us one: the case would fall to us */
    leader = fork();
    if (leader == 0)
        leave(server, errand, &departure);
    failure = leader < 0 ? FAILURE(SPAWN_STAGE_CLONE, errno) : await(server, errand, leader, ends[0]);
    if (subreaper)
        prctl(PR_SET_CHILD_SUBREAPER, 1);
    fd_close(&ends[0]);
    fd_close(&ends[1]);
    return failure;
}

/* ---- straight ---- */

static unsigned fork_straight(struct server *server, struct errand *errand, const int *tid)
{
    struct clone_args args = args_of(errand, tid);
    long pid;

    args.flags |= CLONE_PARENT;
    args.exit_signal = 0;
    pid = clone_copy(&args);
    if (pid == 0)
        be_the_case(server, errand);
    return pid < 0 ? FAILURE(SPAWN_STAGE_CLONE, -pid) : 0;
}

static void flush_unless_taken(FILE *stream)
{
    if (ftrylockfile(stream) != 0)
        return;
    fflush_unlocked(stream);
    funlockfile(stream);
}

void flush_standard(void)
{
    flush_unless_taken(stdout);
    flush_unless_taken(stderr);
}

unsigned fork_errand(struct server *server, struct errand *errand)
{
    const int *tid = tid_address();
    sigset_t all, before;
    unsigned failure;

    if (server->threaded)
        flush_standard(); /* or both of us would write what is in its buffers */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    spawn_words_clear(errand->words);
    atomic_store(&errand->words->becoming, 1);
    atomic_store(&errand->words->alive, 0);
    if (server->threaded || errand->request.spec.room || !tid)
        failure = fork_through(server, errand);
    else
        failure = fork_straight(server, errand, tid);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}
