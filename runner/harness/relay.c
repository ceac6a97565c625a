#include "runner/harness/relay.h"

#include "runner/base/harmless.h"
#include "runner/base/io.h"
#include "runner/base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define PIPE_SIZE (256 << 10)

static bool is_terminal(const struct relay *relay)
{
    return relay->kind == RELAY_TERMINAL || relay->kind == RELAY_LIKE_TERMINAL;
}

/* ---- opening ---- */

/* A case that writes much meets a full pipe less often; the one that the kernel gives by itself will do. */
static int open_pipe(struct relay *relay, int end)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    relay->ends[end] = ends[0];
    relay->given[end] = ends[1];
    fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
    return fcntl(ends[0], F_SETFL, O_NONBLOCK); /* only our end: it is another open file than the case's */
}

/* Lines as they were written: nothing is to come back as an echo, and no \n becomes \r\n. */
static int make_plain(int terminal)
{
    struct termios modes;

    if (tcgetattr(terminal, &modes) < 0)
        return -1;
    modes.c_oflag &= ~(tcflag_t)OPOST;
    modes.c_lflag &= ~(tcflag_t)ECHO;
    return tcsetattr(terminal, TCSANOW, &modes);
}

/* Ours may be one that does not know its size, as on a serial line. */
static bool size_of_ours(struct winsize *size)
{
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (ioctl(fd, TIOCGWINSZ, size) == 0 && size->ws_col && size->ws_row)
            return true;
    return false;
}

static void set_size(int terminal, enum relay_kind kind)
{
    static const struct winsize usual = {.ws_col = RELAY_COLUMNS, .ws_row = RELAY_ROWS};
    struct winsize size = usual;

    if (kind == RELAY_LIKE_TERMINAL && !size_of_ours(&size))
        size = usual;
    ioctl(terminal, TIOCSWINSZ, &size);
}

/* Where all have been taken that passes, and "no space left on device" would be said of a disk. */
static int open_master(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (master < 0 && errno == ENOSPC)
        errno = EAGAIN;
    return master;
}

/* The other side is opened by its master, not by name: /dev/pts may be another's in a container. */
static int open_terminal(struct relay *relay)
{
    int terminal;

    relay->ends[0] = open_master();
    if (relay->ends[0] < 0 || unlockpt(relay->ends[0]) < 0)
        return -1;
    terminal = ioctl(relay->ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0)
        return -1;
    relay->given[0] = relay->given[1] = terminal;
    set_size(terminal, relay->kind);
    return make_plain(terminal);
}

static void close_given(struct relay *relay)
{
    if (relay->given[1] == relay->given[0])
        relay->given[1] = -1;
    fd_close(&relay->given[0]);
    fd_close(&relay->given[1]);
}

static void relay_close(struct relay *relay)
{
    close_given(relay);
    for (int end = 0; end < 2; end++) {
        fd_close(&relay->ends[end]);
        buf_release(&relay->lines[end]);
    }
}

static int open_ends(struct relay *relay)
{
    if (is_terminal(relay))
        return open_terminal(relay);
    if (open_pipe(relay, 0) < 0)
        return -1;
    if (relay->kind == RELAY_PIPES)
        return open_pipe(relay, 1);
    relay->given[1] = relay->given[0];
    return 0;
}

int relay_open(struct relay *relay, enum relay_kind kind, const int files[2])
{
    *relay = (struct relay){.kind = kind, .ends = {-1, -1}, .given = {-1, -1}, .files = {files[0], files[1]}};
    if (open_ends(relay) == 0)
        return 0;
    relay_close(relay);
    return -1;
}

void relay_started(struct relay *relay)
{
    if (!is_terminal(relay))
        close_given(relay);
}

/* ---- carrying ---- */

struct sink {
    const char *prefix;
    bool colour;
    struct buf *out;
};

static void add_shown(const struct sink *sink, struct str text)
{
    buf_adds(sink->out, sink->prefix);
    text_harmless(sink->out, text, sink->colour);
    buf_addc(sink->out, '\n');
}

/* The front of what is too long for a line; no character is cut in two, where there are characters. */
static struct str front_piece(struct str text)
{
    struct str piece = utf8_cut(text, RELAY_LINE_MOST);

    return piece.len + 4 > RELAY_LINE_MOST ? piece : str_slice(text, 0, RELAY_LINE_MOST);
}

/* How much of it was shown: as long as it is too long for a line. */
static size_t add_pieces(const struct sink *sink, struct str text)
{
    size_t done = 0;

    while (text.len - done > RELAY_LINE_MOST) {
        struct str piece = front_piece(str_slice(text, done, text.len));

        add_shown(sink, piece);
        done += piece.len;
    }
    return done;
}

static void add_line(const struct sink *sink, struct str line)
{
    add_shown(sink, str_slice(line, add_pieces(sink, line), line.len));
}

static void drop_front(struct buf *lines, size_t len)
{
    if (len > 0 && len < lines->len)
        memmove(lines->ptr, lines->ptr + len, lines->len - len);
    lines->len -= len;
}

/* Moves whole lines on, and of one that is too long the front. Of `lines`, what is before `from` has no newline. */
static void pass_lines(const struct sink *sink, struct buf *lines, size_t from)
{
    size_t begin = 0;
    const char *newline;

    while ((newline = memchr(lines->ptr + from, '\n', lines->len - from))) {
        from = (size_t)(newline - lines->ptr);
        add_line(sink, str_slice(buf_str(lines), begin, from));
        begin = ++from;
    }
    begin += add_pieces(sink, str_slice(buf_str(lines), begin, lines->len));
    drop_front(lines, begin);
}

/*
 * One read: more than 0, 0: nothing is there, -1: it is over. It is always a whole one: of a pipe in packets (O_DIRECT)
 * what does not fit would be lost.
 */
static ssize_t read_some(int fd, struct buf *lines)
{
    ssize_t got;

    buf_reserve(lines, RELAY_READ);
    do
        got = read(fd, lines->ptr + lines->len, RELAY_READ);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? 0 : -1;
    return got == 0 ? -1 : got;
}

/* Takes the last `got` bytes for what came, and puts there what of it may be seen. */
static void hide(struct relay *relay, int end, size_t got)
{
    struct buf *lines = &relay->lines[end], came = {0};

    if (mask_is_empty(relay->mask))
        return;
    lines->len -= got;
    buf_add(&came, lines->ptr + lines->len, got);
    mask_feed(relay->mask, &relay->hidden[end], buf_str(&came), lines);
    buf_release(&came);
}

/* What is kept is what was written up to some point: nothing goes behind a hole. */
static void keep(struct relay *relay, int end, struct str text)
{
    if (relay->files[end] < 0 || fd_write_all(relay->files[end], text.ptr, text.len) == 0)
        return;
    if (!relay->error)
        relay->error = errno;
    relay->files[end] = -1;
}

static void pass_on(struct relay *relay, int end, const struct sink *sink, size_t from)
{
    struct buf *lines = &relay->lines[end];

    keep(relay, end, str_slice(buf_str(lines), from, lines->len));
    if (relay->shown)
        pass_lines(sink, lines, from);
    else
        buf_clear(lines);
}

/* False: it is over. */
static bool carry(struct relay *relay, int end, const struct sink *sink, size_t enough)
{
    struct buf *lines = &relay->lines[end];
    size_t done = 0;
    ssize_t got = 0;

    for (; done < enough && (got = read_some(relay->ends[end], lines)) > 0; done += (size_t)got) {
        size_t from = lines->len;

        lines->len += (size_t)got;
        hide(relay, end, (size_t)got);
        pass_on(relay, end, sink, from);
    }
    return got >= 0;
}

static void close_end(struct relay *relay, int end, const struct sink *sink)
{
    size_t from = relay->lines[end].len;

    mask_end(&relay->hidden[end], &relay->lines[end]);
    if (relay->lines[end].len > from)
        pass_on(relay, end, sink, from);
    if (relay->lines[end].len > 0)
        add_line(sink, buf_str(&relay->lines[end]));
    buf_release(&relay->lines[end]);
    fd_close(&relay->ends[end]);
}

bool relay_carry(struct relay *relay, int end, const char *prefix, struct buf *out)
{
    const struct sink sink = {prefix, relay->colour, out};

    if (relay->ends[end] < 0)
        return false;
    if (carry(relay, end, &sink, RELAY_TURN))
        return true;
    close_end(relay, end, &sink);
    return false;
}

/* What somebody who stays behind writes after this moment is not waited for. */
static size_t what_is_there(const struct relay *relay, int end)
{
    int bytes;

    if (is_terminal(relay) || ioctl(relay->ends[end], FIONREAD, &bytes) < 0 || bytes < 0)
        return RELAY_DRAIN;
    return (size_t)bytes;
}

void relay_finish(struct relay *relay, const char *prefix, struct buf *out)
{
    const struct sink sink = {prefix, relay->colour, out};

    for (int end = 0; end < 2; end++) {
        if (relay->ends[end] >= 0)
            carry(relay, end, &sink, what_is_there(relay, end));
        close_end(relay, end, &sink);
    }
    relay_close(relay);
}
