/*
 * What the table of options is made of: its parts, each in a file of its own; commands; and what the man page tells at its
 * end.
 */
#ifndef RM_RUNNER_OPTIONS_WORDS_H
#define RM_RUNNER_OPTIONS_WORDS_H

#include "runner/options.h"

#include "runner/base/mem.h"

/* For rows: which commands take an option, and where its value goes. */
#define ON(id)     (1u << COMMAND_##id)
#define EVERYWHERE (~0u)
#define RUN        (ON(NONE) | ON(run)) /* without a command word it is run */
#define HARNESS    (RUN | ON(exec))
#define EXECUTORS  (HARNESS | ON(soak))
#define PLAN       (RUN | ON(soak) | ON(list) | ON(show) | ON(ci))
#define ORDERED    (RUN | ON(list))
#define READERS    (EXECUTORS | ON(report) | ON(show))
#define AT(member) offsetof(struct options, member)
#define ABOUT_CONTEXT \
    "JSON object whose keys are contexts that only GitHub knows: github, needs, vars, inputs"

extern const struct opt_part options_plan, options_run, options_soak, options_tell, options_ci,
    options_single;

#define OPTIONS_SECTIONS 4

extern const struct opt_command options_commands[COMMAND_COUNT];
extern const struct opt_section options_sections[OPTIONS_SECTIONS];

#endif
