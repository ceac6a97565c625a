/*
 * A runner that has its two tests in one process. The first one takes a lock and hangs; the deadline is an alarm. "jump"
 * leaves the test by a jump, and then the second one wants the lock; "exit" leaves the process, so that neither the second
 * test nor what was to be torn down ("torn down" is printed) comes to its turn.
 */
#include "tests/kids/kid/kid.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sigjmp_buf out;
static bool jumps;

static void be_late(int signal)
{
    (void)signal;
    if (jumps)
        siglongjmp(out, 1);
    _exit(1);
}

static void first(void)
{
    pthread_mutex_lock(&lock);
    raise(SIGALRM); /* its time is up */
    linger();
}

static void second(void)
{
    pthread_mutex_lock(&lock);
    say("second passed");
    pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
    limit_life(KID_LIFE);
    jumps = argc > 1 && strcmp(argv[1], "jump") == 0;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = be_late}, NULL);
    if (sigsetjmp(out, 1) == 0)
        first();
    say("first timed out");
    second();
    say("torn down");
    return 0;
}
