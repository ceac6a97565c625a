/* --debugger and --wrapper: a command that runs the cases in our place; by the first somebody sits. */
#ifndef RM_RUNNER_DEBUGGER_H
#define RM_RUNNER_DEBUGGER_H

#include <stdbool.h>

struct session;

/* After its kitchen is open. False when diags got an error. */
bool debugger_read(struct session *s);
/* When its cases are known. False when diags got an error. */
bool debugger_has_one_case(struct session *s);
/* One is running: keys of the terminal are for it. */
bool debugger_runs(const struct session *s);

#endif
