/*
 * Stands in wait_here() for ever, when it has written a byte to standard output. Built in all the ways a program can be;
 * with -DNAMESPACE it calls what it loads a second time, and -DLIBRARY is what is loaded.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifdef NAMESPACE
#include <dlfcn.h>
#endif

#define APART __attribute__((noinline, noclone, used))

void wait_here(int depth);
void on_another_stack(int signal);
void (*volatile nowhere)(void);

APART void wait_here(int depth)
{
    static volatile int fed;

    if (write(STDOUT_FILENO, "", 1) != 1)
        exit(1);
    for (;;)
        fed += pause() + depth; /* the line of wait_here */
}

static inline __attribute__((always_inline)) void inlined_twice(int depth)
{
    wait_here(depth + 1); /* the line of inlined_twice */
    __asm__ volatile("" ::: "memory");
}

static inline __attribute__((always_inline)) void inlined_once(int depth)
{
    inlined_twice(depth); /* the line of inlined_once */
}

APART void calls_inlined(int depth)
{
    inlined_once(depth); /* the line of calls_inlined */
    __asm__ volatile("" ::: "memory");
}

APART void on_another_stack(int signal)
{
    calls_inlined(signal);
}

APART void raises(int depth)
{
    static char room[65536];
    const stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_another_stack;
    action.sa_flags = SA_ONSTACK;
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    (void)depth;
}

APART void goes_deep(int depth)
{
    if (depth)
        goes_deep(depth - 1);
    else
        wait_here(0);
    __asm__ volatile("" ::: "memory");
}

APART void calls_nowhere(int depth)
{
    nowhere(); /* the line of calls_nowhere */
    __asm__ volatile("" ::"r"(depth) : "memory");
}

#ifdef NAMESPACE
/* In a library that is loaded once more, apart from the first. */
APART void through_namespace(const char *path)
{
    void *library = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
    void (*call)(int);
    void *symbol = library ? dlsym(library, "calls_inlined") : NULL;

    if (!symbol)
        exit(3);
    memcpy(&call, &symbol, sizeof call);
    call(1);
    __asm__ volatile("" ::: "memory");
}
#endif

#ifndef LIBRARY
int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(100);
    if (strcmp(way, "raise") == 0)
        raises(1);
    else if (strcmp(way, "deep") == 0)
        goes_deep(10000);
    else if (strcmp(way, "nowhere") == 0)
        calls_nowhere(1);
#ifdef NAMESPACE
    else if (argc > 1)
        through_namespace(way);
#endif
    else
        calls_inlined(1);
    return 0;
}
#endif
