#include "runner/diagnose/runtime.h"

#include "runner/base/io.h"
#include "runner/base/json.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PIECE ((size_t)16 << 10)

/* ---- a socket in the network of a process ---- */

struct visit {
    int network; /* the namespace */
    int fd;      /* -1 and `error`: there is none */
    int error;
};

static int new_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* On a thread made for it: it does not come back from there, its socket stays where it was made. */
static void *visit_network(void *user)
{
    struct visit *visit = user;

    visit->fd = setns(visit->network, CLONE_NEWNET) == 0 ? new_socket(AF_INET) : -1;
    visit->error = errno;
    return NULL;
}

static int socket_elsewhere(const char *network)
{
    struct visit visit = {.network = open(network, O_RDONLY | O_CLOEXEC), .fd = -1};
    pthread_t thread;

    if (visit.network < 0)
        return -1;
    visit.error = pthread_create(&thread, NULL, visit_network, &visit);
    if (visit.error == 0)
        pthread_join(thread, NULL);
    fd_close(&visit.network);
    errno = visit.error;
    return visit.fd;
}

static int socket_near(pid_t pid)
{
    char path[64];
    struct stat theirs, ours;

    snprintf(path, sizeof path, "/proc/%ld/ns/net", (long)pid);
    if (stat(path, &theirs) < 0 || stat("/proc/thread-self/ns/net", &ours) < 0)
        return -1;
    if (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)
        return new_socket(AF_INET);
    return socket_elsewhere(path);
}

static bool join(struct talk *talk, int fd, const struct sockaddr *address, socklen_t length)
{
    *talk = (struct talk){.fd = fd};
    if (fd >= 0 && (connect(fd, address, length) == 0 || errno == EINPROGRESS))
        return true;
    talk_close(talk);
    return false;
}

bool talk_open(struct talk *talk, pid_t pid, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};

    return join(talk, socket_near(pid), (const struct sockaddr *)&address, sizeof address);
}

bool talk_can_reach(pid_t pid)
{
    int fd = socket_near(pid);
    bool can = fd >= 0;

    fd_close(&fd);
    return can;
}

bool talk_open_path(struct talk *talk, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *talk = (struct talk){.fd = -1};
    if (strlen(path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, strlen(path));
    return join(talk, new_socket(AF_UNIX), (const struct sockaddr *)&address, sizeof address);
}

/* ---- speaking and hearing ---- */

static bool would_wait(void)
{
    return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
}

static bool send_some(struct talk *talk)
{
    ssize_t sent = talk->out.len ? send(talk->fd, talk->out.ptr, talk->out.len, MSG_NOSIGNAL) : 0;

    if (sent < 0)
        return would_wait();
    if (sent > 0) {
        memmove(talk->out.ptr, talk->out.ptr + sent, talk->out.len - (size_t)sent);
        talk->out.len -= (size_t)sent;
    }
    return true;
}

bool talk_turn(struct talk *talk)
{
    ssize_t got = 1;

    if (!send_some(talk))
        return false;
    while (!talk->ended && got > 0 && talk->in.len < TALK_MOST) {
        buf_reserve(&talk->in, PIECE);
        got = recv(talk->fd, talk->in.ptr + talk->in.len, PIECE, 0);
        if (got < 0)
            return would_wait();
        talk->in.len += (size_t)got;
        talk->ended = got == 0;
    }
    return talk->in.len < TALK_MOST;
}

void talk_close(struct talk *talk)
{
    fd_close(&talk->fd);
    buf_release(&talk->in);
    buf_release(&talk->out);
    *talk = (struct talk){.fd = -1};
}

/* ---- HTTP ---- */

static bool is_header(struct str line, const char *name)
{
    return line.len > strlen(name) && str_eq_nocase(str_slice(line, 0, strlen(name)), str_of(name));
}

/* Digits and nothing else; what is too large counts as endless. */
static size_t number_of(struct str text)
{
    size_t number = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit((unsigned char)text.ptr[i]) || number > TALK_MOST)
            return SIZE_MAX;
        number = number * 10 + (size_t)(text.ptr[i] - '0');
    }
    return text.len ? number : SIZE_MAX;
}

size_t talk_head(struct str in, unsigned *status, size_t *body)
{
    const char *end = in.len ? memmem(in.ptr, in.len, "\r\n\r\n", 4) : NULL;
    struct str head = {in.ptr, end ? (size_t)(end - in.ptr) : 0};

    *status = 0;
    *body = SIZE_MAX;
    if (!end)
        return 0;
    if (str_starts(head, "HTTP/1.") && head.len >= 12)
        *status = (unsigned)number_of(str_slice(head, 9, 12));
    while (head.len) {
        const char *next = memmem(head.ptr, head.len, "\r\n", 2);
        struct str line = {head.ptr, next ? (size_t)(next - head.ptr) : head.len};

        if (is_header(line, "Content-Length:"))
            *body = number_of(str_trim(str_slice(line, strlen("Content-Length:"), line.len)));
        head = str_slice(head, next ? line.len + 2 : head.len, head.len);
    }
    return (size_t)(end - in.ptr) + 4;
}

/* ---- WebSocket: RFC 6455 ---- */

#define FINAL  0x80
#define MASKED 0x80
enum { OP_PART = 0, OP_TEXT = 1, OP_CLOSE = 8 };

/* A client has to mask what it sends. What with is of no account here: nobody stands between us. */
void talk_frame(struct buf *out, struct str text)
{
    static const unsigned char mask[4] = {0x37, 0xFA, 0x21, 0x3D};
    size_t length = text.len;

    buf_addc(out, (char)(FINAL | OP_TEXT));
    buf_addc(out, (char)(MASKED | (length < 126 ? length : length <= UINT16_MAX ? 126 : 127)));
    for (int shift = length < 126 ? -1 : length <= UINT16_MAX ? 8 : 56; shift >= 0; shift -= 8)
        buf_addc(out, (char)((uint64_t)length >> shift & 0xFF));
    buf_add(out, mask, sizeof mask);
    for (size_t i = 0; i < length; i++)
        buf_addc(out, (char)((unsigned char)text.ptr[i] ^ mask[i % sizeof mask]));
}

/* The length of a payload, and of what is before it. False: it is not all there. */
static bool frame_length(struct str in, uint64_t *length, size_t *head)
{
    static const struct {
        unsigned char said;
        size_t bytes;
    } longer[] = {{126, 2}, {127, 8}};

    *length = (unsigned char)in.ptr[1] & 0x7F;
    *head = 2;
    for (size_t i = 0; i < 2; i++) {
        if ((in.ptr[1] & 0x7F) != longer[i].said)
            continue;
        if (in.len < 2 + longer[i].bytes)
            return false;
        *length = 0;
        *head += longer[i].bytes;
        for (size_t j = 2; j < *head; j++)
            *length = *length << 8 | (unsigned char)in.ptr[j];
    }
    return true;
}

/* A server masks nothing, and Node's does not send a message in parts. */
enum talk_frame talk_next(struct str in, struct str *text, size_t *taken)
{
    uint64_t length;
    size_t head;

    *taken = 0;
    *text = (struct str){0};
    if (in.len < 2 || !frame_length(in, &length, &head))
        return TALK_PART;
    if ((unsigned char)in.ptr[1] & MASKED || length > TALK_MOST)
        return TALK_NONSENSE;
    if (in.len - head < length)
        return TALK_PART;
    *text = str_slice(in, head, head + (size_t)length);
    *taken = head + (size_t)length;
    switch ((unsigned char)in.ptr[0]) {
    case FINAL | OP_TEXT: return TALK_TEXT;
    case FINAL | OP_CLOSE: return TALK_CLOSE;
    case OP_TEXT:
    case OP_PART:
    case FINAL | OP_PART: return TALK_NONSENSE;
    default: return TALK_OTHER;
    }
}

/* ---- JSON ---- */

bool talk_text(struct str json, const char *key, int depth, struct buf *text)
{
    struct json_reader reader = {.input = json};
    enum json_token token;
    bool next = false, found = false;

    while (!found && (token = json_next(&reader)) != JSON_END && token != JSON_ERROR) {
        found = next && token == JSON_STRING;
        next = token == JSON_KEY && reader.depth == depth && str_is(reader.text, key);
    }
    if (found)
        buf_addstr(text, reader.text);
    json_reader_release(&reader);
    return found;
}

int talk_number(struct str json, const char *key)
{
    struct json_reader reader = {.input = json};
    enum json_token token;
    bool next = false, found = false;

    while (!found && (token = json_next(&reader)) != JSON_END && token != JSON_ERROR) {
        found = next && token == JSON_NUMBER && reader.number >= 0 && reader.number < 1000;
        next = token == JSON_KEY && reader.depth == 1 && str_is(reader.text, key);
    }
    json_reader_release(&reader);
    return found ? (int)reader.number : 0;
}
