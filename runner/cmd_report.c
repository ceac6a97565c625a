/* `report`: any report of a run, made again from its journal. */
#include "runner/past.h"
#include "runner/soaking.h"

#include <errno.h>
#include <string.h>

static const struct place nowhere = {0};

static enum exit_code make_report(struct past_run *past, struct invocation *in)
{
    const struct report *report = report_find(str_of(in->options->format ? in->options->format : "summary"));
    const char *path = in->options->output ? in->options->output : "-";

    if (report_write(report, &past->input, path) == 0)
        return EXIT_PASSED;
    diag_error(in->diags, nowhere, "cannot write the report '%s': %s", path, strerror(errno));
    return EXIT_BROKEN;
}

enum exit_code cmd_report(struct invocation *in)
{
    struct past_run past;
    enum exit_code code = EXIT_USAGE;

    if (in->args.count > 1) {
        diag_error(in->diags, nowhere, "'report' takes one run, not %zu", in->args.count);
        return EXIT_USAGE;
    }
    if (past_open(&past, in, in->args.count ? in->args.values[0] : "latest"))
        code = past.record.run.soak ? soaking_report(&past, in) : make_report(&past, in);
    past_close(&past);
    return code;
}
