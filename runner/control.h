/* What comes from outside while a run goes on: signals, keys, and what the watchdog tells. */
#ifndef RM_RUNNER_CONTROL_H
#define RM_RUNNER_CONTROL_H

struct session;

void control_signals(struct session *s);
void control_keys(struct session *s);
void control_watch(struct session *s);
void control_draw(struct session *s);
void control_guard_died(struct session *s);
/* The harness cannot go on: nothing more is started, what runs is ended. */
void control_give_up(struct session *s);

#endif
