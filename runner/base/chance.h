/* What nobody can guess. */
#ifndef RM_BASE_CHANCE_H
#define RM_BASE_CHANCE_H

#include <stdbool.h>
#include <stddef.h>

#define CHANCE_MOST 32 /* bytes at a time */

/* So many random bytes as hexadecimal digits, two each, and a 0 behind them. False, and nothing written: there are none. */
bool chance_hex(char *out, size_t bytes);

#endif
