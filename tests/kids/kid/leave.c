/* They leave processes behind. */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int group_escape(char **args)
{
    static const struct kid child = {.places = KID_SESSION};
    int status = kid_leave(&child, args);

    return status ? status : wait_for_ever();
}

static void ignore_int_and_term(int tell, char **args)
{
    (void)tell, (void)args;
    ignore(SIGINT);
    ignore(SIGTERM);
}

static void block_all(int tell, char **args)
{
    sigset_t all;

    (void)tell, (void)args;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

/* The one that is stopped is alone afterwards. */
static void be_stopped(int tell, char **args)
{
    pid_t pid = kid_fork();

    (void)args;
    if (pid == 0) {
        close(tell);
        raise(SIGSTOP);
        linger();
    }
    if (pid > 0 && waitpid(pid, NULL, WUNTRACED) == pid)
        dprintf(tell, " %ld", (long)pid);
    _exit(0);
}

static void have_children_that_nobody_reaps(int tell, char **args)
{
    (void)args;
    ignore(SIGCHLD);
    for (int i = 0; i < 2; i++) {
        pid_t pid = kid_fork();

        if (pid == 0) {
            close(tell);
            linger();
        }
        dprintf(tell, " %ld", (long)pid);
    }
}

static void have_traced_child(int tell, char **args)
{
    pid_t pid = kid_fork();

    (void)args;
    if (pid == 0) {
        close(tell);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        linger();
    }
    if (pid > 0 && waitpid(pid, NULL, 0) == pid)
        dprintf(tell, " %ld", (long)pid);
}

static void burn(int tell, char **args)
{
    (void)args;
    limit_life(KID_HOPPING);
    close(tell);
    for (volatile bool on = true; on;)
        ;
}

#define LEAVES .leaves = true
const struct kid kids_leave[] = {
    {"grandchild-holds", "", "leaves a child that keeps stdout", 0, LEAVES},
    {"setsid", "", "leaves a child in a session of its own", 0, LEAVES, .places = KID_SESSION},
    {"own-group", "", "leaves a child in a process group of its own", 0, LEAVES, .places = KID_GROUP},
    {"double-fork", "", "leaves a process without parent", 0, LEAVES, .places = KID_TWICE},
    {"daemon", "", "leaves a daemon in a session of its own", 0, LEAVES, .places = KID_SESSION | KID_TWICE},
    {"stubborn-daemon", "", "leaves a daemon that ignores INT and TERM", 0, LEAVES,
     .places = KID_SESSION | KID_TWICE, .left = ignore_int_and_term},
    {"deaf-daemon", "", "leaves a daemon that blocks all signals", 0, LEAVES,
     .places = KID_SESSION | KID_TWICE, .left = block_all},
    {"stopped-daemon", "", "leaves a daemon that is stopped", 0, LEAVES, .places = KID_SESSION | KID_TWICE,
     .left = be_stopped},
    {"sigchld-ignored", "", "leaves a process that ignores the end of its children, and two of them", 0,
     LEAVES, .places = KID_SESSION, .left = have_children_that_nobody_reaps},
    {"traced", "", "leaves a process and a child that it has stopped by tracing it", 0, LEAVES,
     .places = KID_SESSION, .left = have_traced_child},
    {"runaway", "", "leaves a process that burns a processor", 0, LEAVES, .places = KID_SESSION | KID_TWICE,
     .left = burn},
    {"group-escape", "", "has a child in another session, prints its pid, and waits", 0, .act = group_escape},
    {0},
};
