/*
 * A server of one's own: how somebody who was started starts others in the same way. Alone, it is a copy of this process with
 * nothing open but its end of a socket, made when it is wanted first. Threaded, it is a thread of this process, which lives as
 * long as that: what it forks falls to us, as long as we are a subreaper.
 */
#include "backends/serve.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAREWELL_MS 2000

struct own_server {
    const struct service *service;
    struct board *board;
    enum serving serving;
    int socket; /* ours; -1: it is not there any more */
    int its;    /* of the one that is a thread */
    pid_t pid;  /* 0: it is a thread */
    int pidfd;
    pthread_t thread;
};

/* ---- the other side ---- */

/* Between two that stay all are closed. Not on every kernel there is close_range: then by number. */
static void close_between(unsigned from, unsigned to)
{
    if (from <= to && syscall(SYS_close_range, from, to, 0) < 0)
        for (unsigned fd = from; fd <= to && fd < 65536; fd++)
            close((int)fd);
}

static void close_all_but(int one, int other)
{
    unsigned low = (unsigned)(one < other ? one : other), high = (unsigned)(one < other ? other : one);

    if (low > 3)
        close_between(3, low - 1);
    close_between(low + 1, high - 1);
    close_between(high + 1, ~0U);
}

static _Noreturn void be_copy(const struct own_server *own, int socket)
{
    int board = board_fd(own->board);
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "rm-forkserver");
    close_all_but(socket, board);
    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            signal(number, SIG_DFL);
    signal(SIGINT, SIG_IGN); /* of a terminal: whoever has us ends us */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    _exit(serve_here(own->service, socket, board, false));
}

static void *be_thread(void *user)
{
    const struct own_server *own = user;
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_setname_np(pthread_self(), "rm-forkserver");
    serve_here(own->service, own->its, dup(board_fd(own->board)), true);
    return NULL;
}

/* ---- our side ---- */

/*
 * What is in our buffers its children would write as well. No other thread can have taken any stream where there is none but
 * us, and the one that serves.
 */
static void flush_streams(const struct own_server *own)
{
    unsigned threads = own->its >= 0 ? 2 : 1;
    struct stat st;

    if (stat("/proc/self/task", &st) == 0 && st.st_nlink == 2 + threads)
        fflush(NULL);
    else
        flush_standard();
}

static bool start_copy(struct own_server *own, int ends[2])
{
    flush_streams(own);
    own->pid = fork();
    if (own->pid == 0)
        be_copy(own, ends[1]);
    fd_close(&ends[1]);
    if (own->pid < 0)
        return false;
    own->pidfd = pidfd_of(own->pid);
    return own->pidfd >= 0;
}

static bool start_thread(struct own_server *own, int ends[2])
{
    int error;

    own->its = ends[1];
    error = pthread_create(&own->thread, NULL, be_thread, own);
    errno = error;
    return error == 0;
}

/* Until it has something to say. False: errno. */
static bool await(const struct own_server *own, nanos until)
{
    struct pollfd fd = {.fd = own->socket, .events = POLLIN};

    for (;;) {
        nanos left = until - clock_now();
        const struct timespec most = {left > 0 ? left / NS_PER_S : 0, left > 0 ? left % NS_PER_S : 0};
        int ready = ppoll(&fd, 1, &most, NULL);

        if (ready > 0)
            return true;
        if (ready == 0 && left <= 0) {
            errno = ETIMEDOUT;
            return false;
        }
    }
}

static bool begin(struct own_server *own, int ends[2])
{
    own->socket = ends[0];
    return own->serving == SERVING_THREADED ? start_thread(own, ends) : start_copy(own, ends);
}

struct own_server *own_server_start(enum serving serving, const struct service *service, struct board *board)
{
    struct own_server *own = mem_zero(1, sizeof *own);
    int ends[2];

    *own = (struct own_server){
        .service = service, .board = board, .serving = serving, .socket = -1, .its = -1, .pidfd = -1};
    if (server_socket(ends) == 0 && begin(own, ends))
        return own;
    own_server_stop(own);
    return NULL;
}

bool own_server_ask(struct own_server *own, struct spawn *spawn, uint32_t place,
                    const struct spawn_spec *spec, nanos until, struct spawn_error *error)
{
    struct server_told told = {.ipc = -1};

    if (own->its >= 0)
        flush_streams(own);
    spawn_expect(spawn);
    if (!server_ask(own->socket, place, spec, error))
        return false;
    for (;;) {
        if (!await(own, until)) {
            *error = (struct spawn_error){SPAWN_STAGE_ASK, errno};
            return false;
        }
        switch (server_hear(own->socket, own->pid ? own->pid : getpid(), &told)) {
        case SERVER_STARTED:
            if (told.place == place)
                return true;
            break;
        case SERVER_REFUSED:
            if (told.place != place)
                break;
            *error = told.error;
            return false;
        case SERVER_GONE:
        case SERVER_NONSENSE: *error = (struct spawn_error){SPAWN_STAGE_ASK, ECONNRESET}; return false;
        default: break;
        }
    }
}

bool own_server_is_alive(const struct own_server *own)
{
    struct pollfd fd = {.fd = own->pidfd, .events = POLLIN};

    return own->socket >= 0 && (!own->pid || poll(&fd, 1, 0) == 0);
}

/* One that is killed is gone in a moment, unless it hangs in the kernel: then it is left to whoever comes after us. */
static void end_copy(struct own_server *own)
{
    struct pollfd fd = {.fd = own->pidfd, .events = POLLIN};

    if (own->pid <= 0)
        return;
    if (own->pidfd < 0 || poll(&fd, 1, FAREWELL_MS) != 1) {
        kill(own->pid, SIGKILL); /* our child, not reaped */
        poll(&fd, 1, FAREWELL_MS);
    }
    waitpid(own->pid, NULL, WNOHANG);
}

/* False: it stands in a handler of fork, and goes on with what is its own. */
static bool end_thread(struct own_server *own)
{
    const struct timespec most = clock_wall_at(clock_now() + FAREWELL_MS * NS_PER_MS);

    if (pthread_timedjoin_np(own->thread, NULL, &most) == 0)
        return true;
    pthread_detach(own->thread);
    return false;
}

void own_server_stop(struct own_server *own)
{
    bool threaded = own && own->its >= 0 && own->thread;

    if (!own)
        return;
    if (own->socket >= 0)
        shutdown(own->socket, SHUT_RDWR); /* whoever was forked meanwhile has a copy of it */
    fd_close(&own->socket);
    if (threaded && !end_thread(own))
        return;
    end_copy(own);
    fd_close(&own->its);
    fd_close(&own->pidfd);
    free(own);
}

/* In a process that was forked: what it has of it is a copy, the thread is not there. */
void own_server_forget(struct own_server *own)
{
    if (!own)
        return;
    fd_close(&own->socket);
    fd_close(&own->its);
    fd_close(&own->pidfd);
    free(own);
}
