/* What every command gets: the options and arguments it was called with, and a place for errors. */
#ifndef RM_RUNNER_COMMAND_H
#define RM_RUNNER_COMMAND_H

#include "runner/exit.h"
#include "runner/options.h"

struct invocation {
    int argc; /* as the program was called */
    char **argv;
    const struct options *options;
    enum command_id command;
    struct opt_list args;
    bool dashes;         /* there was a "--" ... */
    size_t before;       /* ... and so many of them stood before it */
    struct arena *arena; /* lives until the program ends */
    struct diags *diags; /* printed by main */
    int64_t began;       /* of a run that is resumed: ms since 1970 then; 0: a new one */
};

void invocation_take(struct invocation *in, const struct options *options, const struct opt_result *parsed);

#define X(id, rest, synopsis, help) enum exit_code cmd_##id(struct invocation *in);
COMMANDS(X)
#undef X

#endif
