/* They stay, and mind signals in their own ways. */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdbool.h>

static int hang(char **args)
{
    (void)args;
    return wait_for_ever();
}

static int be_silent(char **args)
{
    (void)args;
    linger();
}

static int sleep_for(char **args)
{
    say("ready");
    sleep_ms(number(args[0]));
    return 0;
}

static int spin(char **args)
{
    (void)args;
    say("ready");
    for (volatile bool on = true; on;)
        ;
    return 99;
}

static int stubborn(char **args)
{
    (void)args;
    ignore(SIGINT);
    ignore(SIGTERM);
    return wait_for_ever();
}

static int stubborn_int(char **args)
{
    (void)args;
    ignore(SIGINT);
    return wait_for_ever();
}

static int deaf(char **args)
{
    sigset_t all;

    (void)args;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    return wait_for_ever();
}

static void wait_for_signal(int wanted)
{
    sigset_t set;
    int got;

    sigemptyset(&set);
    sigaddset(&set, wanted);
    sigprocmask(SIG_BLOCK, &set, NULL);
    say("ready");
    sigwait(&set, &got);
}

static int slow_int(char **args)
{
    wait_for_signal(SIGINT);
    sleep_ms(number(args[0]));
    return 0;
}

static int exit_on_int(char **args)
{
    (void)args;
    wait_for_signal(SIGINT);
    return 0;
}

static int stopped(char **args)
{
    (void)args;
    say("ready");
    raise(SIGSTOP);
    say("continued");
    return 0;
}

const struct kid kids_stay[] = {
    {"hang", "", "waits for ever", 0, .act = hang},
    {"linger", "", "waits for ever, and says nothing", 0, .act = be_silent},
    {"sleep", "MS", "exits 0 after a while", 1, .act = sleep_for},
    {"spin", "", "burns a processor for ever", 0, .act = spin},
    {"stubborn", "", "ignores INT and TERM", 0, .act = stubborn},
    {"stubborn-int", "", "ignores INT", 0, .act = stubborn_int},
    {"deaf", "", "blocks all signals", 0, .act = deaf},
    {"slow-int", "MS", "exits 0 that long after INT", 1, .act = slow_int},
    {"ignore-then-exit0", "", "exits 0 upon INT", 0, .act = exit_on_int},
    {"stopped", "", "stops itself; exits 0 when it is continued", 0, .act = stopped},
    {0},
};
