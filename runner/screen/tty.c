#include "runner/screen/tty.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool in_front(const struct tty *tty)
{
    return tty->fd >= 0 && tcgetpgrp(tty->fd) == getpgrp();
}

/* Opened again, so that O_NONBLOCK is ours alone: on the descriptor we were given, others would get it too. */
void tty_open(struct tty *tty, int fd)
{
    *tty = (struct tty){.fd = -1};
    if (isatty(fd) && tcgetpgrp(fd) >= 0) /* fails for a terminal that is not the controlling one */
        tty->fd = open("/dev/tty", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void tty_close(struct tty *tty)
{
    tty_restore(tty);
    fd_close(&tty->fd);
}

static struct termios keys_mode(const struct termios *before)
{
    struct termios keys = *before;

    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    return keys;
}

/* At once, not after what was written has drained: a terminal stopped with Ctrl-S never drains. */
static bool set_modes(struct tty *tty, const struct termios *modes)
{
    return tcsetattr(tty->fd, TCSANOW, modes) == 0;
}

void tty_keys(struct tty *tty)
{
    struct termios keys;

    if (!in_front(tty) || (!tty->changed && tcgetattr(tty->fd, &tty->before) < 0))
        return;
    keys = keys_mode(&tty->before);
    tty->changed = set_modes(tty, &keys);
}

/*
 * In the background a read fails with EIO, since SIGTTIN is blocked, and so it does when the terminal has hung up:
 * who is in front of one that is gone cannot be asked any more.
 */
static bool is_gone(const struct tty *tty, ssize_t got)
{
    if (got == 0)
        return true;
    return got < 0 && errno != EAGAIN && tcgetpgrp(tty->fd) < 0;
}

char tty_key(struct tty *tty, bool *gone)
{
    char key = '\0';
    ssize_t got = -1;

    if (tty->fd < 0)
        return '\0';
    if (!in_front(tty)) {
        *gone = *gone || tcgetpgrp(tty->fd) < 0;
        return '\0';
    }
    do
        got = read(tty->fd, &key, 1);
    while ((got < 0 && errno == EINTR) || (got == 1 && !key)); /* Ctrl-@ is no key that anybody waits for */
    *gone = *gone || is_gone(tty, got);
    return got == 1 ? key : '\0';
}

static bool same_modes(const struct termios *a, const struct termios *b)
{
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
           a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

bool tty_restore(struct tty *tty)
{
    struct termios keys, now;
    bool was_changed = tty->changed;

    tty->changed = false;
    if (!was_changed || !in_front(tty) || tcgetattr(tty->fd, &now) < 0)
        return false;
    keys = keys_mode(&tty->before);
    set_modes(tty, &tty->before);
    return !same_modes(&now, &keys);
}
