/*
 * What the kernel tells of a process's memory, its arguments, environment and maps, it tells under the lock of that memory. Where
 * somebody holds that who waits for a disk, whoever asks waits with him: ps is known to hang of it. So a thread asks first,
 * that may be left behind.
 */
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/thread.h"
#include "runner/diagnose/internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWERS_WITHIN (300 * NS_PER_MS)

struct question {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*ask)(void *user);
    void *user;
    bool answered;
    bool left; /* nobody waits any more: who asks frees it */
};

static void release(struct question *question)
{
    pthread_cond_destroy(&question->changed);
    pthread_mutex_destroy(&question->lock);
    free(question);
}

static void *ask(void *user)
{
    struct question *question = user;
    bool left;

    question->ask(question->user);
    pthread_mutex_lock(&question->lock);
    question->answered = true;
    left = question->left;
    pthread_cond_broadcast(&question->changed);
    pthread_mutex_unlock(&question->lock);
    if (left)
        release(question);
    return NULL;
}

static bool await(struct question *question)
{
    const nanos until = clock_now() + ANSWERS_WITHIN;
    const struct timespec moment = {until / NS_PER_S, until % NS_PER_S};
    bool answered;
    int error = 0;

    pthread_mutex_lock(&question->lock);
    while (!question->answered && !error)
        error = pthread_cond_timedwait(&question->changed, &question->lock, &moment);
    answered = question->answered;
    question->left = !answered;
    pthread_mutex_unlock(&question->lock);
    if (answered)
        release(question);
    return answered;
}

static struct question *new_question(void (*how)(void *user), void *user)
{
    struct question *question = mem_zero(1, sizeof *question);

    question->ask = how;
    question->user = user;
    thread_init_lock(&question->lock, &question->changed);
    return question;
}

bool answers_in_time(void (*how)(void *user), void *user)
{
    struct question *question = new_question(how, user);

    if (thread_start(NULL, ask, question) == 0)
        return await(question);
    release(question);
    return true;
}

static void read_maps(void *user)
{
    char path[64], byte;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/maps", (long)(intptr_t)user);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, &byte, 1) < 0)
        byte = 0; /* it may not be looked into, or is gone: that is an answer too */
    fd_close(&fd);
}

bool dump_memory_answers(pid_t pid)
{
    return answers_in_time(read_maps, (void *)(intptr_t)pid);
}
