/*
 * Our terminal: keys as they are pressed, and its modes as they were, whatever happens. It is touched only while we are
 * its foreground group: SIGTTOU is blocked, so from the background a change of modes would not stop us, but go
 * through, under the hands of whoever is in front.
 */
#ifndef RM_RUNNER_TTY_H
#define RM_RUNNER_TTY_H

#include <stdbool.h>
#include <termios.h>

struct tty {
    /*
     * -1: none, or not ours. To be watched edge-triggered (EPOLLET): what somebody types for a program in front of us
     * is not for us to read, and stays readable until it has been.
     */
    int fd;
    bool changed; /* keys mode is on */
    struct termios before;
};

void tty_open(struct tty *tty, int fd); /* does nothing when fd is not the terminal that controls us */
void tty_close(struct tty *tty);        /* with its modes restored */
/*
 * No line buffering, no echo; ISIG stays. Remembers the modes there are. Again after a stop and whenever the run is
 * continued: whoever was in front may have changed them.
 */
void tty_keys(struct tty *tty);
/* The keys that wait; '\0' when there are no more. `gone` is set when the terminal is, else left as it is. */
char tty_key(struct tty *tty, bool *gone);
/* Modes back as they were; says whether somebody else had changed them. Keys mode is off afterwards. */
bool tty_restore(struct tty *tty);

#endif
