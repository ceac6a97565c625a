/* Processes that others hold, and those that nobody looks after. */
#include "tests/hangs/hang.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static HANGS_APART int waits_for_its_child(pid_t child)
{
    hang_comes();
    return waitpid(child, NULL, 0) != child; /* hangs */
}

/* ---- stopped ---- */

static HANGS_APART void stops_itself(void)
{
    hang_comes();
    raise(SIGSTOP); /* hangs */
}

static int stopped(char **args)
{
    pid_t child = kid_fork();

    (void)args;
    if (child == 0) {
        stops_itself();
        _exit(0);
    }
    hang_ready_when(2);
    return waits_for_its_child(child);
}

/* ---- a background process that reads its terminal ---- */

static HANGS_APART void asks_at_the_terminal(int terminal)
{
    char answer;

    hang_comes();
    if (read(terminal, &answer, 1) < 0) /* hangs */
        exit(broken("terminal"));
}

/* Its parent is of the same session and another group: so it is no orphan, whom the kernel would not stop. */
static _Noreturn void lead_a_session(const char *path)
{
    int terminal;
    pid_t child;

    setsid();
    terminal = open(path, O_RDWR);
    if (terminal < 0 || ioctl(terminal, TIOCSCTTY, 0) < 0)
        exit(broken(path));
    child = kid_fork();
    if (child == 0) {
        setpgid(0, 0);
        asks_at_the_terminal(terminal);
        _exit(0);
    }
    _exit(waits_for_its_child(child));
}

static int background(char **args)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    pid_t leader;

    (void)args;
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        return broken("pty");
    leader = kid_fork();
    if (leader == 0)
        lead_a_session(ptsname(master));
    hang_ready_when(3);
    return waits_for_its_child(leader);
}

/* ---- a debugger that does not go on ---- */

static HANGS_APART void holds_what_it_traces(void)
{
    hang_comes();
    for (;;)
        pause(); /* hangs */
}

static HANGS_APART void is_held(void)
{
    hang_comes();
    raise(SIGSTOP); /* hangs */
}

static int traced(char **args)
{
    pid_t child = kid_fork();

    (void)args;
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(broken("ptrace"));
        is_held();
        _exit(0);
    }
    hang_ready_when(2);
    holds_what_it_traces();
    return 1;
}

/* ---- a child that has ended, and nobody asks how ---- */

static HANGS_APART void never_asks_for_its_child(void)
{
    hang_comes();
    for (;;)
        pause(); /* hangs */
}

static int zombie(char **args)
{
    (void)args;
    if (kid_fork() == 0) {
        prctl(PR_SET_NAME, "early");
        hang_comes();
        _exit(3);
    }
    hang_ready_when(2);
    never_asks_for_its_child();
    return 1;
}

/* ---- a child that nobody but root may look at ---- */

static HANGS_APART void keeps_a_secret(void)
{
    hang_comes();
    for (;;)
        pause(); /* hangs */
}

static int undumpable(char **args)
{
    pid_t child = kid_fork();

    (void)args;
    if (child == 0) {
        prctl(PR_SET_NAME, "secretive");
        prctl(PR_SET_DUMPABLE, 0);
        keeps_a_secret();
        _exit(0);
    }
    hang_ready_when(2);
    return waits_for_its_child(child);
}

/* clang-format off */
const struct kid hangs_processes[] = {
    {.name = "stopped", .what = "a child has stopped itself", .act = stopped},
    {.name = "background", .what = "a background process reads its terminal: SIGTTIN", .act = background},
    {.name = "traced", .what = "a child is traced by its parent, who waits for nobody", .act = traced},
    {.name = "zombie", .what = "a child has ended, and is never waited for", .act = zombie},
    {.name = "undumpable", .what = "a child that only root may look at", .act = undumpable},
    {.name = NULL},
};
