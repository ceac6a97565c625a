#include "backends/backends.h"
#include "ci/job.h"
#include "runner/base/io.h"
#include "runner/command.h"

typedef enum exit_code command_function(struct invocation *);

static command_function *const functions[COMMAND_COUNT] = {
#define X(id, rest, synopsis, help) [COMMAND_##id] = cmd_##id,
    COMMANDS(X)
#undef X
};

/* What can be asked of every command; nothing when it is a command's own matter. */
static void answer_about_itself(const struct options *options, size_t command, struct buf *out)
{
    if (options->version)
        buf_adds(out, "run-matrix " VERSION "\n");
    else if (options->man)
        opt_man(&options_table, out);
    else if (options->completion)
        opt_completion(&options_table, options->completion, out);
    else if (options->help && command == COMMAND_NONE)
        opt_overview(&options_table, out);
    else if (options->help)
        opt_help(&options_table, command, out);
}

static enum exit_code run(struct invocation *in, int argc, char **argv)
{
    struct options options;
    struct opt_result parsed = {0};
    struct buf out = {0};
    enum exit_code code = EXIT_PASSED;

    options_init(&options);
    in->argc = argc;
    in->argv = argv;
    if (!opt_parse(&options_table, COMMAND_NONE, argc, argv, &options, &parsed, in->diags))
        return EXIT_USAGE;
    invocation_take(in, &options, &parsed);
    answer_about_itself(&options, parsed.command, &out);
    if (out.len)
        fwrite(out.ptr, 1, out.len, stdout);
    else
        code = functions[parsed.command == COMMAND_NONE ? COMMAND_run : parsed.command](in);
    buf_release(&out);
    return code;
}

/* Commands stand on lines of their own, and standard output may be data for somebody. */
static void tell_job(const struct diags *diags)
{
    struct buf out = {0};

    job_tell_errors(diags, &out);
    fputs(buf_text(&out), stderr);
    buf_release(&out);
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct invocation in = {.arena = &arena, .diags = &diags};
    enum exit_code code;
    int served;

    if (serve(&(const struct service){.argc = argc, .argv = argv}, &served))
        return served;
    if (fd_guard_stdio() < 0)
        return EXIT_BROKEN;
    diags.inert = job_inside();
    code = run(&in, argc, argv);
    tell_job(&diags);
    diags_print(&diags, stderr);
    if (stream_finish(stdout) < 0 && code == EXIT_PASSED) {
        perror("run-matrix: cannot write to standard output");
        code = EXIT_BROKEN;
    }
    arena_release(&arena);
    return code;
}
