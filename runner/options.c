#include "runner/options_words.h"

static const struct opt_part *const parts[] = {&options_plan, &options_run, &options_soak,
                                               &options_tell, &options_ci,  &options_single};

const struct opt_table options_table = {
    .program = "run-matrix",
    .version = VERSION,
    .tagline = "run tests of processes in every cell of a matrix",
    .about = "run-matrix reads a matrix exactly as GitHub Actions does, runs the tests in its cells, "
             "captures their "
             "output, ends them at their deadlines, and keeps a record from which every report is made.",
    .commands = options_commands,
    .command_count = COMMAND_COUNT,
    .parts = parts,
    .part_count = ARRAY_LEN(parts),
    .sections = options_sections,
    .section_count = OPTIONS_SECTIONS,
};
