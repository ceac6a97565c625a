/*
 * A tree that hangs: hang_tree fork|exec PROCESSES THREADS. Prints the numbers of its processes, in one line, when all their
 * threads are where they stay, until its standard input ends.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signal.h>
#include <unistd.h>

struct gate {
    pthread_mutex_t lock;
    pthread_barrier_t inside;
};

static __attribute__((noinline)) int wait_for_reply(struct gate *gate)
{
    int result = pthread_mutex_lock(&gate->lock);

    __asm__ volatile("" ::: "memory"); /* no tail call */
    return result;
}

static __attribute__((noinline)) int ask_server(struct gate *gate, int depth)
{
    int result = depth ? ask_server(gate, depth - 1) : wait_for_reply(gate);

    __asm__ volatile("" ::: "memory");
    return result;
}

static void *work(void *user)
{
    struct gate *gate = user;

    pthread_barrier_wait(&gate->inside);
    ask_server(gate, 5);
    return NULL;
}

/* One byte says that all threads are there. */
static int hang(int threads, int ready)
{
    static struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_mutex_lock(&gate.lock);
    pthread_barrier_init(&gate.inside, NULL, (unsigned)threads);
    for (int i = 1; i < threads; i++)
        if (pthread_create(&thread, NULL, work, &gate) != 0)
            return 1;
    pthread_barrier_wait(&gate.inside);
    if (write(ready, "", 1) != 1)
        return 1;
    ask_server(&gate, 5);
    return 0;
}

static pid_t start(char **argv, const char *mode, int threads, int ready)
{
    pid_t pid = fork();
    char number[16];

    if (pid != 0)
        return pid;
    if (strcmp(mode, "fork") == 0)
        _exit(hang(threads, ready));
    snprintf(number, sizeof number, "%d", ready);
    execl("/proc/self/exe", argv[0], "alone", argv[3], number, (char *)NULL);
    _exit(1);
}

int main(int argc, char **argv)
{
    int ends[2], count, threads;
    char byte;

    if (argc != 4)
        return 2;
    if (strcmp(argv[1], "alone") == 0)
        return hang(atoi(argv[2]), atoi(argv[3]));
    count = atoi(argv[2]);
    threads = atoi(argv[3]);
    if (pipe(ends) < 0)
        return 1;
    for (int i = 0; i < count; i++)
        printf("%s%d", i ? " " : "", start(argv, argv[1], threads, ends[1]));
    for (int i = 0; i < count; i++)
        if (read(ends[0], &byte, 1) != 1)
            return 1;
    puts("");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}
