/* `soak`: cases are run over and over, until it is known how often they fail. */
#include "runner/header.h"
#include "runner/loop.h"
#include "runner/resume.h"
#include "runner/session.h"
#include "runner/soaking.h"

static const struct place nowhere = {0};

static enum exit_code soak_cases(struct invocation *in, struct front *front, struct resumption *resumption)
{
    struct session session;
    enum exit_code code = session_open(&session, in, front, resumption);

    if (code == EXIT_PASSED) {
        diags_print(in->diags, stderr); /* not below what is going to be printed */
        header_print(&session);
        soaking_header(&session);
        loop_run(&session);
        code = soaking_finish(&session);
    }
    session_close(&session);
    return code;
}

/* What stands behind `--` is all that is run. */
static enum exit_code open_front(struct front *front, struct invocation *in)
{
    if (!in->dashes)
        return front_open(front, in);
    if (in->before) {
        diag_error(in->diags, nowhere,
                   "'%s' selects cases of a file, and what stands behind '--' is a command: one or the other",
                   in->args.values[0]);
        *front = (struct front){0};
        return EXIT_USAGE;
    }
    return front_open_command(front, in);
}

static enum exit_code soak(struct invocation *in, struct resumption *resumption)
{
    struct front front = {0};
    enum exit_code code = soaking_check_reports(in) ? open_front(&front, in) : EXIT_USAGE;

    if (code == EXIT_PASSED && !in->dashes)
        header_warn(&front, in->diags);
    if (code == EXIT_PASSED)
        code = soak_cases(in, &front, resumption);
    front_release(&front);
    return code;
}

static enum exit_code resume(struct invocation *in)
{
    struct resumption resumption;
    enum exit_code code = resume_open(&resumption, in);

    if (code == EXIT_PASSED)
        code = soak(&resumption.in, &resumption);
    resume_close(&resumption);
    return code;
}

enum exit_code cmd_soak(struct invocation *in)
{
    return in->options->resume ? resume(in) : soak(in, NULL);
}
