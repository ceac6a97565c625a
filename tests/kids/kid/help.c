/* What several of them need. */
#include "tests/kids/kid/kid.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int broken(const char *what)
{
    fprintf(stderr, "kid: %s: %s\n", what, strerror(errno));
    return 99;
}

void say(const char *line)
{
    puts(line);
    fflush(stdout);
}

_Noreturn void linger(void)
{
    for (;;)
        pause();
}

int wait_for_ever(void)
{
    say("ready");
    linger();
}

long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end || value < 0) {
        fprintf(stderr, "kid: '%s' is no number\n", text);
        exit(99);
    }
    return value;
}

void ignore(int signal)
{
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
}

void sleep_ms(long ms)
{
    struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
        ;
}

/* An alarm can be blocked, and waits as long as a process is stopped; a timer may send KILL. */
void limit_life(int seconds)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    struct itimerspec when = {.it_value = {.tv_sec = seconds}};
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 || timer_settime(timer, 0, &when, NULL) < 0)
        exit(broken("timer"));
}

pid_t kid_fork(void)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        limit_life(KID_LIFE);
    return pid;
}

static _Noreturn void be_left(const struct kid *kid, int tell, char **args)
{
    if (kid->places & KID_SESSION)
        setsid();
    if (kid->places & KID_GROUP)
        setpgid(0, 0);
    if (kid->places & KID_TWICE && kid_fork() > 0)
        _exit(0);
    dprintf(tell, "%ld", (long)getpid());
    if (kid->left)
        kid->left(tell, args);
    close(tell);
    linger();
}

/* Whatever is told until nobody can any more. */
static int relay(int tell)
{
    char text[512];
    size_t length = 0;
    ssize_t got;

    while (length < sizeof text - 1 && (got = read(tell, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    say(text);
    return length ? 0 : 99;
}

int kid_leave(const struct kid *kid, char **args)
{
    int tell[2];
    pid_t pid;

    if (pipe2(tell, O_CLOEXEC) < 0)
        return broken("pipe");
    pid = kid_fork();
    if (pid < 0)
        return broken("fork");
    if (pid == 0) {
        close(tell[0]);
        be_left(kid, tell[1], args);
    }
    close(tell[1]);
    if (kid->places & KID_TWICE)
        waitpid(pid, NULL, 0);
    return relay(tell[0]);
}
