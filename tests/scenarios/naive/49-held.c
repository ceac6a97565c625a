/*
 * A harness whose case is held by a debugger: sends INT and TERM, says what became of the case, and (with `wait`) waits
 * for its end, as those do whose wait has no bound.
 */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Attaches, stops it, and never looks at it again. */
static _Noreturn void debug(pid_t pid, int tell)
{
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 ||
        waitpid(pid, NULL, __WALL) != pid || write(tell, "x", 1) != 1)
        _exit(99);
    limit_life(KID_LIFE);
    linger();
}

static void print_line(pid_t pid, const char *word)
{
    char path[64], line[256];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, word, strlen(word)) == 0)
            fputs(line, stdout);
    if (file)
        fclose(file);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    pid_t pid = fork(), debugger;
    int told[2];
    char byte;

    (void)argv;
    if (pid == 0) {
        limit_life(KID_LIFE);
        linger();
    }
    if (pipe(told) < 0)
        return 99;
    debugger = fork();
    if (debugger == 0)
        debug(pid, told[1]);
    close(told[1]);
    if (read(told[0], &byte, 1) != 1)
        return 99;
    kill(pid, SIGINT);
    kill(pid, SIGTERM);
    print_line(pid, "State:");
    print_line(pid, "ShdPnd:");
    if (argc > 1)
        waitpid(pid, NULL, 0);
    kill(pid, SIGKILL);
    kill(debugger, SIGKILL);
    return 0;
}
