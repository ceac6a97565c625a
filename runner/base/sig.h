/* Signals by name. */
#ifndef RM_BASE_SIG_H
#define RM_BASE_SIG_H

#include "runner/base/str.h"

/* "SIGINT", "SIGRTMIN+3"; "signal 32" for what has no name, "no signal" for what is none. The text is static. */
const char *signal_name(int number);
/* "INT", "SIGINT", "rtmin+3", in any case of letters; 0 when it is none. */
int signal_find(struct str name);

#endif
