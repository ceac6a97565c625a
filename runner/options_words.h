/* What the table of options has beside its options: commands, and what the man page tells at its end. */
#ifndef RM_RUNNER_OPTIONS_WORDS_H
#define RM_RUNNER_OPTIONS_WORDS_H

#include "runner/options.h"

#define OPTIONS_SECTIONS 4

extern const struct opt_command options_commands[COMMAND_COUNT];
extern const struct opt_section options_sections[OPTIONS_SECTIONS];

#endif
