/* They end in some way. */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ABRT", SIGABRT},
    {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"STOP", SIGSTOP},
};

static int signal_of(const char *name)
{
    for (size_t i = 0; i < LENGTH(signals); i++)
        if (strcmp(name, signals[i].name) == 0)
            return signals[i].number;
    return (int)number(name);
}

static int exit_with(char **args)
{
    return (int)number(args[0]);
}

static int kill_self(char **args)
{
    kill(getpid(), signal_of(args[0]));
    return wait_for_ever();
}

static int segv(char **args)
{
    (void)args;
    raise(SIGSEGV); /* a null pointer would be a finding of every sanitizer */
    return 99;
}

static int abort_self(char **args)
{
    (void)args;
    abort();
}

const struct kid kids_end[] = {
    {"exit", "N", "exits with N", 1, .act = exit_with},
    {"kill", "SIG", "sends itself a signal, by name or number", 1, .act = kill_self},
    {"segv", "", "dies of SIGSEGV", 0, .act = segv},
    {"abort", "", "dies of SIGABRT", 0, .act = abort_self},
    {0},
};
