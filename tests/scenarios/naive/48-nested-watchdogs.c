/* Two watchdogs that share the one alarm of a process: an outer one of an hour, and an inner one that fires. */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t fired;

static void fire(int signal)
{
    fired = signal;
}

static const char *armed(void)
{
    struct itimerval left;

    getitimer(ITIMER_REAL, &left);
    return left.it_value.tv_sec || left.it_value.tv_usec ? "armed" : "not armed";
}

int main(void)
{
    struct itimerval inner = {.it_value = {.tv_usec = 10000}};
    sigset_t alarms, none;

    sigemptyset(&none);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarms, NULL);
    signal(SIGALRM, fire);
    alarm(3600);
    printf("outer: %s\n", armed());
    setitimer(ITIMER_REAL, &inner, NULL);
    while (!fired)
        sigsuspend(&none);
    printf("inner: fired; outer: %s\n", armed());
    return 0;
}
