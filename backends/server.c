/* What a runner says to a server, and hears from it. */
#include "backends/internal.h"

#include "backends/child.h"
#include "backends/request.h"
#include "backends/wire.h"
#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int server_socket(int ends[2])
{
    static const int on = 1;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    if (setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
        fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        return 0;
    fd_close(&ends[0]);
    fd_close(&ends[1]);
    return -1;
}

const char *server_word(enum serving serving)
{
    return serving == SERVING_THREADED ? SERVE_THREADED : SERVE_ALONE;
}

bool server_ask(int socket, uint32_t place, const struct spawn_spec *spec, struct spawn_error *error)
{
    struct wire_message message = {.kind = WIRE_START, .place = place};
    bool sent = request_pack(&message, spec) && wire_send(socket, &message) == 0;

    *error = (struct spawn_error){SPAWN_STAGE_ASK, sent ? 0 : errno};
    message.fd_count = 0; /* they are the caller's */
    wire_release(&message);
    return sent;
}

void spawn_expect(struct spawn *spawn)
{
    spawn_words_clear(spawn->words);
    atomic_store_explicit(&spawn->words->becoming, 1, memory_order_relaxed);
    atomic_store_explicit(&spawn->words->alive, 0, memory_order_release);
}

void spawn_give_up(struct spawn *spawn)
{
    atomic_store_explicit(&spawn->words->becoming, 0, memory_order_release);
    atomic_store_explicit(&spawn->words->alive, 0, memory_order_release);
}

void spawn_let_go(struct spawn *spawn)
{
    atomic_store_explicit(&spawn->words->alive, 0, memory_order_release);
}

static enum server_news sort_busy(const struct wire_message *message, struct server_told *told)
{
    uint32_t farewell;

    if (message->body.len < sizeof farewell)
        return SERVER_NONSENSE;
    memcpy(&farewell, message->body.ptr, sizeof farewell);
    told->patience = message->number * NS_PER_MS;
    told->farewell = farewell * NS_PER_MS;
    snprintf(told->busy_with, sizeof told->busy_with, "%.*s", (int)(message->body.len - sizeof farewell),
             message->body.ptr + sizeof farewell);
    return SERVER_BUSY;
}

static enum server_news sort(struct wire_message *message, struct server_told *told)
{
    told->place = message->place;
    switch (message->kind) {
    case WIRE_HELLO: return SERVER_HELLO;
    case WIRE_BUSY: return sort_busy(message, told);
    case WIRE_STARTED:
        if (message->fd_count)
            told->ipc = message->fds[--message->fd_count];
        return SERVER_STARTED;
    case WIRE_REFUSED:
        told->error = (struct spawn_error){FAILURE_STAGE(message->number), FAILURE_ERROR(message->number)};
        return told->error.stage < SPAWN_STAGE_COUNT ? SERVER_REFUSED : SERVER_NONSENSE;
    default: return SERVER_NONSENSE;
    }
}

enum server_news server_hear(int socket, pid_t pid, struct server_told *told)
{
    struct wire_message message = {0};
    enum server_news news = SERVER_NONSENSE;

    *told = (struct server_told){.ipc = -1};
    switch (wire_receive(socket, &message)) {
    case WIRE_NOTHING: news = SERVER_SILENT; break;
    case WIRE_CLOSED: news = SERVER_GONE; break;
    case WIRE_NONSENSE: told->version = message.number; break;
    case WIRE_GOT:
        if (message.from.pid == pid)
            news = sort(&message, told);
        break;
    }
    wire_release(&message);
    return news;
}
