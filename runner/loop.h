/* The loop: one thread that waits for processes, signals, the watchdog, relays and keys, and turns them into events. */
#ifndef RM_RUNNER_LOOP_H
#define RM_RUNNER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct session;
struct slot;

int loop_open(struct session *s); /* -1 and errno */
void loop_watch_process(struct session *s, struct slot *slot, int pidfd);
/* Of a fixture. False: the loop is not told of its end, and looks. */
bool loop_watch_place(struct session *s, uint32_t place, uint32_t generation, int pidfd);
void loop_watch_notify(struct session *s, uint32_t place, uint32_t generation, int fd);
void loop_watch_server(struct session *s, uint32_t place, uint32_t generation, int fd);
void loop_watch_relays(struct session *s, struct slot *slot);

void loop_forget_keys(struct session *s); /* the terminal is gone */

/* Until every case is over. */
void loop_run(struct session *s);

#endif
