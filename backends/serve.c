/*
 * Who serves: a process that is asked for others, one message each, and answers when they are there. It owns none of
 * them: they are its parent's children, with its parent's words on a board. So it can be killed at any moment.
 */
#include "backends/serve.h"
#include "backends/internal.h"

#include "runner/base/clock.h"
#include "runner/base/io.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS_USAGE 64

extern char **environ;

/* ---- what was asked for, by itself ---- */

static bool is_handed_over(const struct spawn_spec *spec, int fd)
{
    return fd < 3 + (int)spec->pass_count;
}

static void close_sources(const struct spawn_spec *spec, const struct wire_message *message)
{
    for (unsigned i = 0; i < message->fd_count; i++)
        if (!is_handed_over(spec, message->fds[i]))
            close(message->fds[i]);
}

static _Noreturn void run_test(const struct service *service, const struct shown *shown,
                               const struct spawn_spec *spec)
{
    show_whose(shown, spec);
    environ = (char **)(uintptr_t)spec->envp;
    exit(service->run(service->user, spec));
}

_Noreturn void errand_become(const struct service *service, struct request *request,
                             const struct board *board, const struct shown *shown, struct spawn_words *words,
                             const struct wire_message *message)
{
    const struct spawn_spec *spec = &request->spec;

    if (child_prepare(spec, words)) {
        close_sources(spec, message);
        atomic_store(&words->becoming, 0);
        if (spec->test) {
            board_leave(board); /* where a test writes by mistake, there are not the words of others */
            run_test(service, shown, spec);
        }
        child_execute(spec, words);
    }
    _exit(SPAWN_FAILED_STATUS);
}

static _Noreturn void give_up(struct spawn_words *words, unsigned failure)
{
    atomic_store(&words->failed, failure);
    _exit(SPAWN_FAILED_STATUS);
}

/* One that cannot run tests is asked for programs alone. */
static bool can(const struct service *service, const struct spawn_spec *spec)
{
    return !spec->test || service->run;
}

/* In a place of its own since it was cloned; what is left came in a letter. */
static int become(const struct service *service)
{
    struct board board;
    struct wire_message message = {0};
    struct request request = {.ipc = -1};
    const struct shown shown = find_shown();
    struct spawn_words *words;

    if (!board_open(&board, SERVER_BOARD) || wire_receive(SERVER_SOCKET, &message) != WIRE_GOT ||
        !(words = board_words(&board, message.place)))
        return STATUS_USAGE;
    if (!request_unpack(&request, &message))
        give_up(words, FAILURE(SPAWN_STAGE_READ, EPROTO));
    if (!can(service, &request.spec))
        give_up(words, FAILURE(SPAWN_STAGE_RUN, ENOSYS));
    for (int i = 0; i < 3; i++)
        request.spec.stdio[i] = i;
    close(SERVER_SOCKET);
    errand_become(service, &request, &board, &shown, words, &message);
}

/* ---- errands ---- */

/*
 * What a server maps all that it forks have, too, and copying a mapping costs a fork about 1 µs: so each is made when it is
 * needed first.
 *
 * Not from malloc: in a child of one of several threads nobody finds the stacks any more, and who looks for leaks there
 * would find ours.
 */
void *serve_map(size_t size, int kind)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* Its child has our memory no more, or never had it. */
static bool is_done(const struct errand *errand)
{
    return !errand->pid || !atomic_load_explicit(&errand->words->alive, memory_order_acquire) ||
           atomic_load_explicit(&errand->words->pid, memory_order_relaxed) != errand->pid;
}

static struct errand *new_errand(struct server *server)
{
    struct errand *errand = serve_map(sizeof *errand, MAP_PRIVATE);

    if (!errand)
        return NULL;
    errand->next = server->errands;
    server->errands = errand;
    return errand;
}

/* NULL: there is no memory for another one. */
static struct errand *find_errand(struct server *server)
{
    struct errand *errand = server->errands;

    while (errand && !is_done(errand))
        errand = errand->next;
    if (!errand)
        errand = new_errand(server);
    if (errand)
        errand->pid = 0;
    return errand;
}

/* ---- what tests share ---- */

/* A module may have started some, or a sanitizer. Where it cannot be told, fork() of libc does no harm. */
static bool has_threads(void)
{
    struct stat st;

    return stat("/proc/self/task", &st) < 0 || st.st_nlink != 3;
}

#define SETUP_WITHIN    (60 * NS_PER_S) /* where nothing was said */
#define TEARDOWN_WITHIN (10 * NS_PER_S)

static uint32_t milliseconds(const char *words, nanos otherwise)
{
    nanos span = otherwise;

    if (words && !span_parse(str_of(words), &span))
        span = otherwise;
    return span / NS_PER_MS < UINT32_MAX ? (uint32_t)(span / NS_PER_MS) : UINT32_MAX;
}

static void tell_busy(void *user, const char *name, const char *setup, const char *teardown)
{
    struct server *server = user;
    struct wire_message busy = {
        .kind = WIRE_BUSY, .place = server->preparing_for, .number = milliseconds(setup, SETUP_WITHIN)};

    server->farewell += milliseconds(teardown, TEARDOWN_WITHIN);
    buf_add(&busy.body, &server->farewell, sizeof server->farewell);
    buf_adds(&busy.body, name);
    wire_send(server->socket, &busy);
    wire_release(&busy);
}

/* It may start threads, and then it is forked otherwise. */
static void prepare(struct server *server, uint32_t place, const struct spawn_spec *spec)
{
    const struct serve_preparing preparing = {tell_busy, server};
    uint32_t before = server->farewell;

    server->preparing_for = place;
    server->service->prepare(server->service->user, spec, &preparing);
    if (server->farewell == before)
        return;
    fflush(NULL);
    server->threaded |= has_threads();
}

/* ---- a process ---- */

static unsigned execute(struct server *server, struct errand *errand)
{
    const struct spawn_spec *spec = &errand->request.spec;
    unsigned failure;

    if (!errand->spawn && !(errand->spawn = spawn_new()))
        return FAILURE(SPAWN_STAGE_CLONE, errno);
    spawn_post(errand->spawn, &server->board, errand->message.place);
    failure = spawn_clone(errand->spawn, spec, SPAWN_OF_PARENT, NULL);
    if (!failure)
        errand->pid = atomic_load(&errand->words->pid);
    return failure;
}

static unsigned start(struct server *server, struct errand *errand)
{
    const struct spawn_spec *spec = &errand->request.spec;

    if (!can(server->service, spec))
        return FAILURE(SPAWN_STAGE_RUN, ENOSYS);
    if (spec->test && server->service->prepare)
        prepare(server, errand->message.place, spec);
    return server->threaded || spec->test || spec->room ? fork_errand(server, errand)
                                                        : execute(server, errand);
}

static void answer(struct server *server, struct errand *errand, unsigned failure)
{
    struct wire_message message = {
        .kind = failure ? WIRE_REFUSED : WIRE_STARTED, .place = errand->message.place, .number = failure};

    if (!failure && errand->request.ipc >= 0)
        message.fds[message.fd_count++] = errand->request.ipc;
    wire_send(server->socket, &message);
    fd_close(&errand->request.ipc);
}

static void serve_one(struct server *server, struct errand *errand)
{
    unsigned failure;

    errand->words = board_words(&server->board, errand->message.place);
    errand->request.ipc = -1;
    if (!errand->words || errand->message.kind != WIRE_START ||
        !request_unpack(&errand->request, &errand->message)) {
        failure = FAILURE(SPAWN_STAGE_READ, EPROTO);
    } else {
        struct spawn_error error;

        failure = start(server, errand);
        error = spawn_error_of(failure, &errand->request.spec);
        failure = FAILURE(error.stage, error.error);
    }
    wire_close(&errand->message);
    answer(server, errand, failure);
}

/* One whose child still has our memory stays as it is, for the child reads it: we go, and the memory is the child's. */
static void forget_errands(struct server *server)
{
    if (server->usher)
        munmap(server->usher, sizeof *server->usher);
    server->usher = NULL;
    while (server->errands) {
        struct errand *errand = server->errands;

        server->errands = errand->next;
        if (!is_done(errand))
            continue;
        wire_release(&errand->message);
        request_release(&errand->request);
        spawn_free(errand->spawn);
        munmap(errand, sizeof *errand);
    }
}

/* -1: go on; else the status to exit with. The other end of the socket is closed when the runner is gone. */
static int serve_next(struct server *server)
{
    struct errand *errand = find_errand(server);

    if (!errand)
        return STATUS_USAGE;
    switch (wire_receive(server->socket, &errand->message)) {
    case WIRE_GOT: serve_one(server, errand); return -1;
    case WIRE_NOTHING: return -1;
    case WIRE_CLOSED: return 0;
    default: return STATUS_USAGE;
    }
}

static int serve_all(struct server *server)
{
    const struct wire_message hello = {.kind = WIRE_HELLO};
    int status = wire_send(server->socket, &hello) < 0 ? STATUS_USAGE : -1;

    while (status < 0)
        status = serve_next(server);
    return status;
}

/* ---- the process ---- */

/* What it has on its stack its children have, too; of the stacks of other threads nothing is theirs. */
static void *serve_on_thread(void *user)
{
    struct server server = *(const struct server *)user;
    int status = serve_all(&server);

    forget_errands(&server);
    return (void *)(intptr_t)status;
}

/* The thread that forks lives as long as the process; the first one is the program's own. */
static int serve_beside(struct server *server)
{
    pthread_t thread;
    void *status = (void *)(intptr_t)STATUS_USAGE;

    if (pthread_create(&thread, NULL, serve_on_thread, server) == 0)
        pthread_join(thread, &status);
    return (int)(intptr_t)status;
}

static int be_server(const struct service *service, bool beside)
{
    struct server server = {.service = service,
                            .socket = SERVER_SOCKET,
                            .threaded = beside || has_threads(),
                            .shown = find_shown()};
    int status;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fflush(NULL); /* or its children would write what is in its buffers; nothing is added to them later */
    if (!board_open(&server.board, SERVER_BOARD)) {
        fprintf(stderr, "%s: this is for run-matrix to call, with a socket and a board\n", service->argv[0]);
        return STATUS_USAGE;
    }
    status = beside ? serve_beside(&server) : serve_all(&server);
    if (status == 0 && service->finish)
        status = service->finish(service->user);
    forget_errands(&server); /* none but its own */
    return status;
}

int serve_here(const struct service *service, int socket, int board, bool beside)
{
    struct server server = {.service = service,
                            .socket = socket,
                            .threaded = beside || has_threads(),
                            .keeps = beside,
                            .shown = find_shown()};
    int status = board_open(&server.board, board) ? serve_all(&server) : STATUS_USAGE;

    forget_errands(&server);
    return status;
}

bool serve(const struct service *service, int *status)
{
    const char *word = service->argc > 1 ? service->argv[1] : "";

    if (strcmp(word, SERVE_BECOME) == 0)
        *status = become(service);
    else if (strcmp(word, SERVE_ALONE) == 0 || strcmp(word, SERVE_THREADED) == 0)
        *status = be_server(service, strcmp(word, SERVE_THREADED) == 0);
    else
        return false;
    return true;
}
