/* Of workflows of GitHub Actions. */
#include "runner/options_words.h"

static const struct opt opts[] = {
    {.name = "github-output",
     .kind = OPT_FLAG,
     .offset = AT(github_output),
     .commands = ON(ci),
     .group = "Workflows",
     .help =
         "matrix: set the outputs matrix, count, max-parallel and fail-fast of this step, in the file that "
         "GITHUB_OUTPUT names"},
    {.name = "workflow",
     .kind = OPT_PATH,
     .arg = "FILE",
     .offset = AT(workflow),
     .commands = ON(ci),
     .help = "init, check: the workflow; .github/workflows/run-matrix.yml by default"},
    {.name = "static",
     .kind = OPT_FLAG,
     .offset = AT(written_out),
     .commands = ON(ci),
     .help = "init: write the cells into the workflow, in place of a job that finds them out"},
    {.name = "uses",
     .kind = OPT_TEXT,
     .arg = "ACTION",
     .offset = AT(uses),
     .commands = ON(ci),
     .help = "init, check: the action that installs and runs run-matrix, as 'uses' names it"},
};

const struct opt_part options_ci = {opts, ARRAY_LEN(opts)};
