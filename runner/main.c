#include "backends/backends.h"
#include "ci/job.h"
#include "runner/base/io.h"
#include "runner/command.h"
#include "runner/in_job.h"

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

/* A step asks what became of that, whatever stood in its way. */
static bool runs_cases(size_t command)
{
    return command == COMMAND_NONE || command == COMMAND_run || command == COMMAND_exec ||
           command == COMMAND_soak;
}

static enum exit_code run(struct invocation *in, int argc, char **argv, bool *runs)
{
    struct options options;
    struct opt_result parsed = {0};
    struct buf out = {0};
    enum exit_code code = EXIT_PASSED;
    bool good;

    options_init(&options);
    in->argc = argc;
    in->argv = argv;
    good = opt_parse(&options_table, COMMAND_NONE, argc, argv, &options, &parsed, in->diags);
    *runs = runs_cases(parsed.command);
    if (!good)
        return EXIT_USAGE;
    invocation_take(in, &options, &parsed);
    answer_about_itself(&options, parsed.command, &out);
    *runs = *runs && !out.len;
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
    bool runs;
    int served;

    if (serve(&(const struct service){.argc = argc, .argv = argv}, &served))
        return served;
    if (fd_guard_stdio() < 0)
        return EXIT_BROKEN;
    diags.inert = job_inside();
    code = run(&in, argc, argv, &runs);
    tell_job(&diags);
    diags_print(&diags, stderr);
    if (stream_finish(stdout) < 0 && code == EXIT_PASSED) {
        perror("run-matrix: cannot write to standard output");
        code = EXIT_BROKEN;
    }
    if (runs)
        in_job_exit(code, &diags);
    diags_print(&diags, stderr);
    arena_release(&arena);
    return code;
}
