/* `run` and `exec`: cases are executed, and the end is made of them. */
#include "runner/again.h"
#include "runner/finish.h"
#include "runner/header.h"
#include "runner/loop.h"
#include "runner/quarantines.h"
#include "runner/resume.h"
#include "runner/session.h"

static const struct place nowhere = {0};

static enum exit_code run_cases(struct invocation *in, struct front *front, struct resumption *resumption)
{
    struct session session;
    enum exit_code code = session_open(&session, in, front, resumption);

    if (code == EXIT_PASSED) {
        diags_print(in->diags, stderr); /* not below what the run is going to print */
        header_print(&session);
        loop_run(&session);
        code = finish_run(&session);
    }
    session_close(&session);
    return code;
}

static enum exit_code nothing_selected(struct invocation *in, const struct front *front)
{
    diag_error(in->diags, nowhere, "none of %u case%s is selected%s", front->plan.collected,
               plural(front->plan.collected), front_guess_command(in));
    return EXIT_NOTHING;
}

static enum exit_code run_front(struct invocation *in, struct front *front, struct resumption *resumption)
{
    const char *no_tests = in->options->no_tests;

    if ((front->selection || front->recalled) && !front->plan.count && !no_tests)
        return nothing_selected(in, front);
    return run_cases(in, front, resumption);
}

static enum exit_code run_file(struct invocation *in, struct resumption *resumption)
{
    struct front front = {0};
    enum exit_code code = finish_check(in) ? front_open(&front, in) : EXIT_USAGE;

    if (code == EXIT_PASSED) {
        header_warn(&front, in->diags);
        quarantines_warn(&front, quarantines_today(), in->diags);
        code = run_front(in, &front, resumption);
    }
    front_release(&front);
    return code;
}

static enum exit_code run_new(struct invocation *in)
{
    return run_file(in, NULL);
}

static enum exit_code run_command(struct invocation *in, struct resumption *resumption)
{
    struct front front = {0};
    enum exit_code code = finish_check(in) ? front_open_command(&front, in) : EXIT_USAGE;

    if (code == EXIT_PASSED)
        code = run_cases(in, &front, resumption);
    front_release(&front);
    return code;
}

static enum exit_code resume(struct invocation *in)
{
    struct resumption resumption;
    enum exit_code code = resume_open(&resumption, in);

    if (code == EXIT_PASSED && resumption.of_command)
        code = run_command(&resumption.in, &resumption);
    else if (code == EXIT_PASSED)
        code = run_file(&resumption.in, &resumption);
    resume_close(&resumption);
    return code;
}

static enum exit_code refuse_watch(struct invocation *in)
{
    diag_error(in->diags, nowhere, "'--debugger' runs one case once, and '-w' runs again and again");
    return EXIT_USAGE;
}

enum exit_code cmd_run(struct invocation *in)
{
    if (in->options->watch && in->options->debugger)
        return refuse_watch(in);
    if (in->options->watch)
        return again_run(in, run_new);
    if (in->options->collect_only)
        return cmd_list(in);
    return in->options->resume ? resume(in) : run_file(in, NULL);
}

enum exit_code cmd_exec(struct invocation *in)
{
    return run_command(in, NULL);
}
