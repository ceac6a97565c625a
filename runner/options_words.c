#include "runner/options_words.h"

#include "runner/command.h"

const struct opt_command options_commands[COMMAND_COUNT] = {
    [COMMAND_NONE] = {.synopsis = "[COMMAND] [ARGUMENT ...]",
                      .help = "a test-matrix runner and harness for programs that start processes"},
#define X(id, rest, use, sentence) \
    [COMMAND_##id] = {.name = #id, .synopsis = (use), .help = (sentence), .takes_rest = (rest)},
    COMMANDS(X)
#undef X
};

const struct opt_section options_sections[OPTIONS_SECTIONS] = {
    {"EXIT STATUS",
#define X(id, code, words) " " #code "  " words "\n"
     EXIT_CODES(X)
#undef X
    },
    {"FILES",
     "The file is run-matrix.yaml, looked for from the current folder upwards to the root of the repository. "
     "'run-matrix schema --markdown' tells every key of it.\n\n"
     "The folder .run-matrix beside it is the program's own: runs, the newest of them under the name "
     "'latest', each with its journal, reports and captured output."},
    {"ENVIRONMENT",
     " CI             when it is set and the file has a profile 'ci', that profile is used; no live line\n"
     " RUN_MATRIX_DIR as --run-dir\n"
     " NO_COLOR, FORCE_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM  whether there is colour"},
    {"SIGNALS", " INT, HUP, QUIT  start nothing more and end what runs; again: at once with TERM; a third "
                "time: with KILL\n"
                " TERM            as the second of them\n"
                " TSTP, CONT      stop and continue the cases too; deadlines stand still\n"
                " USR1            print what is running, as the keys t and Enter do on a terminal"},
};

void invocation_take(struct invocation *in, const struct options *options, const struct opt_result *parsed)
{
    in->options = options;
    in->command = (enum command_id)parsed->command;
    in->args = parsed->args;
    in->dashes = parsed->dashes;
    in->before = parsed->before;
}

void options_init(struct options *options)
{
    *options = (struct options){.retries = -1,
                                .maxfail = -1,
                                .session_timeout = -1,
                                .durations = -1,
                                .parent = -1,
                                .grace = -1,
                                .budget = -1,
                                .count = -1,
                                .copies = -1,
                                .duration = -1,
                                .within = -1};
}
