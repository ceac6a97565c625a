/*
 * Two threads wait for one child, which exits with 3. Each prints the status that it got; who got none has kept the 0 that
 * stood there before.
 */
#include "tests/kids/kid/kid.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct waiter {
    pthread_t thread;
    pid_t pid;
    int status;
};

static void *wait_for_it(void *user)
{
    struct waiter *waiter = user;

    waitpid(waiter->pid, &waiter->status, 0);
    return user;
}

int main(void)
{
    struct waiter waiters[2] = {{0}};
    int go[2];
    char byte;
    pid_t pid;

    limit_life(KID_LIFE);
    if (pipe(go) < 0)
        return broken("pipe");
    pid = kid_fork();
    if (pid == 0)
        _exit(read(go[0], &byte, 1) == 1 ? 3 : 99);
    for (int i = 0; i < 2; i++) {
        waiters[i].pid = pid;
        pthread_create(&waiters[i].thread, NULL, wait_for_it, &waiters[i]);
    }
    if (write(go[1], "", 1) != 1)
        return broken("write");
    for (int i = 0; i < 2; i++)
        pthread_join(waiters[i].thread, NULL);
    printf("%d and %d\n", WEXITSTATUS(waiters[0].status), WEXITSTATUS(waiters[1].status));
    return 0;
}
