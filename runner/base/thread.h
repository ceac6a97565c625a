/* Threads of the runner's own, and what they wait on. */
#ifndef RM_BASE_THREAD_H
#define RM_BASE_THREAD_H

#include <pthread.h>

/*
 * It has all signals blocked: these are for the loop alone. With `thread` NULL it is nobody's, and never joined. An errno, or 0,
 * as of pthread_create.
 */
int thread_start(pthread_t *thread, void *(*run)(void *user), void *user);
/* Times to wait until are those of clock_now. */
void thread_init_lock(pthread_mutex_t *lock, pthread_cond_t *changed);

#endif
