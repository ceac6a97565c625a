#include "runner/ready.h"

#include "runner/base/io.h"
#include "runner/base/utf8.h"
#include "runner/leaks/leaks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MOST 4096
#define ASKED_MOST   (5 * NS_PER_MS) /* of what it wrote: the loop has other things to do */
#define LOOK_MOST    (3 * NS_PER_S)  /* for who is at an address; the run is going wrong by then */

/* ---- connecting ---- */

/* Before it is started nobody is there: else who connects would have come to a stranger, and take him for it. */
static bool is_free(const struct ready *ready, struct buf *why)
{
    if (endpoint_try(&ready->endpoint) != 0)
        return true;
    buf_addf(why, "its address %.*s is taken already: ", STR_ARG(ready->text));
    buf_adds(why, leaks_who_listens(ready->text, LOOK_MOST, why)
                      ? " listens there"
                      : "somebody listens there, and it was not found who");
    return false;
}

static bool has_connected(struct ready *ready)
{
    ready->error = endpoint_try(&ready->endpoint);
    return ready->error == 0;
}

/* ---- a line of its output ---- */

static bool line_matches(struct ready *ready, struct str line)
{
    return pattern_search(ready->pattern, line, 0) == PATTERN_YES;
}

/* Of a line that is too long the beginning counts. Answers how much of the text was taken. */
static size_t take_text(struct ready *ready, struct buf *line, const char *text, size_t size, bool *found,
                        nanos until)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '\n') {
            if (line->len < PATTERN_TEXT_MOST)
                buf_addc(line, text[i]);
            continue;
        }
        *found = line_matches(ready, buf_str(line));
        buf_clear(line);
        if (*found || clock_now() >= until)
            return i + 1;
    }
    return size;
}

/* What has no end yet is looked at too, when there is no more: a prompt has none. */
static bool has_written_to(struct ready *ready, const struct capture_file *file, struct ready_stream *stream,
                           nanos until)
{
    char text[8192];
    bool found = false;
    ssize_t got;

    while (!found && clock_now() < until) {
        got = pread(file->fd, text, sizeof text, (off_t)stream->at);
        if (got <= 0)
            return stream->line.len && line_matches(ready, buf_str(&stream->line));
        stream->at += take_text(ready, &stream->line, text, (size_t)got, &found, until);
    }
    return found;
}

static bool has_written(struct ready *ready)
{
    nanos until = clock_now() + ASKED_MOST;

    for (int i = 0; i < 2; i++)
        if (ready->capture->files[i].fd >= 0 &&
            has_written_to(ready, &ready->capture->files[i], &ready->streams[i], until))
            return true;
    return false;
}

/* ---- a file ---- */

/* What a former one has left says nothing of this one. */
static bool is_there(struct ready *ready)
{
    struct stat now;

    ready->error = stat(ready->text.ptr, &now) == 0 ? 0 : errno;
    return !ready->error && (now.st_dev != ready->before.st_dev || now.st_ino != ready->before.st_ino ||
                             memcmp(&now.st_mtim, &ready->before.st_mtim, sizeof now.st_mtim) != 0 ||
                             memcmp(&now.st_ctim, &ready->before.st_ctim, sizeof now.st_ctim) != 0);
}

/* ---- sd_notify ---- */

static int open_notify(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) < 0)
        fd_close(&fd);
    return fd;
}

static bool take_assignment(struct ready *ready, struct str line)
{
    struct buf shown = {0};

    if (str_starts(line, "STATUS=")) {
        utf8_show(&shown, str_slice(line, strlen("STATUS="), line.len));
        snprintf(ready->status, sizeof ready->status, "%s", buf_text(&shown));
        buf_release(&shown);
    }
    return str_is(line, "READY=1");
}

static bool has_notified(struct ready *ready)
{
    char text[MESSAGE_MOST];
    ssize_t got;

    while ((got = recv(ready->socket, text, sizeof text, 0)) >= 0)
        for (char *at = text, *end = text + got; at < end;) {
            char *newline = memchr(at, '\n', (size_t)(end - at));
            size_t length = (size_t)((newline ? newline : end) - at);

            ready->notified = take_assignment(ready, (struct str){at, length}) || ready->notified;
            at += length + 1;
        }
    return ready->notified;
}

/* ---- the table ---- */

static const struct {
    bool (*ask)(struct ready *ready);
    const char *tried;
} kinds[READY_KIND_COUNT] = {
    [READY_CONNECT] = {has_connected, "tried to connect to"},
    [READY_LINE] = {has_written, "looked for a line that matches"},
    [READY_FILE] = {is_there, "looked for the file"},
    [READY_NOTIFY] = {has_notified, "waited for READY=1 in the socket"},
};

bool ready_begin(struct ready *ready, const struct fixture_recipe *recipe, const struct capture *capture,
                 const char *notify, struct buf *why)
{
    struct pattern_error error;

    *ready =
        (struct ready){.kind = recipe->ready, .text = recipe->ready_text, .capture = capture, .socket = -1};
    switch (ready->kind) {
    case READY_CONNECT:
        if (endpoint_parse(ready->text, &ready->endpoint))
            return is_free(ready, why);
        buf_addf(why, "'%.*s' is no address to connect to", STR_ARG(ready->text));
        return false;
    case READY_LINE:
        ready->pattern = pattern_compile(ready->text, 0, &error);
        if (!ready->pattern)
            buf_addf(why, "its 'line' is no regular expression: %s", error.text);
        return ready->pattern != NULL;
    case READY_FILE:
        if (stat(ready->text.ptr, &ready->before) < 0)
            ready->before = (struct stat){0};
        return true;
    case READY_NOTIFY:
        ready->text = str_of(notify);
        ready->socket = open_notify(notify);
        if (ready->socket < 0)
            buf_addf(why, "cannot make the socket '%s': %s", notify, strerror(errno));
        return ready->socket >= 0;
    default: return true;
    }
}

bool ready_is(struct ready *ready)
{
    if (!kinds[ready->kind].ask)
        return false;
    ready->tries++;
    return kinds[ready->kind].ask(ready);
}

void ready_words(const struct ready *ready, struct buf *out)
{
    if (!kinds[ready->kind].tried)
        return;
    buf_addf(out, "%s %.*s", kinds[ready->kind].tried, STR_ARG(ready->text));
    if (ready->kind == READY_CONNECT || ready->kind == READY_FILE)
        buf_addf(out, " %u time%s: %s", ready->tries, ready->tries == 1 ? "" : "s",
                 ready->error ? strerror(ready->error) : "it is that which was there before");
    if (ready->status[0])
        buf_addf(out, "; its status was '%s'", ready->status);
}

void ready_end(struct ready *ready)
{
    if (ready->pattern)
        pattern_free(ready->pattern);
    for (int i = 0; i < 2; i++)
        buf_release(&ready->streams[i].line);
    fd_close(&ready->socket);
    *ready = (struct ready){.socket = -1};
}
