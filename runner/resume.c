#include "runner/resume.h"

#include "runner/past.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct place nowhere = {0};

static bool read_run(struct resumption *r, struct invocation *in)
{
    const char *name = in->options->from ? in->options->from : "latest";

    return past_find(in, name, &r->store, &r->run) && store_lock_run(&r->run, in->diags) == 0 &&
           journal_read(in->arena, r->run.fd, r->run.path, &r->record, in->diags);
}

static bool is_done(const struct resumption *r)
{
    for (uint32_t i = 0; i < r->record.case_count; i++)
        if (!journal_is_over(&r->record.cases[i]))
            return false;
    return r->record.case_count >= r->record.run.cases; /* fixtures that failed come after those planned */
}

/* `run` finishes runs, and `soak` soaks. */
static bool is_of_its_kind(const struct resumption *r, struct invocation *in)
{
    bool soak = r->record.run.soak;

    if (soak == (in->command == COMMAND_soak))
        return true;
    diag_error(in->diags, nowhere, "run %.*s is %s: 'run-matrix %s --resume' goes on with it",
               STR_ARG(r->record.run.id), soak ? "a soak" : "no soak", soak ? "soak" : "run");
    return false;
}

/* What was hidden in it nobody knows any more. */
static bool is_whole(const struct resumption *r, struct invocation *in)
{
    const struct journal_run *run = &r->record.run;
    size_t at;
    bool whole = !str_find(run->folder, MASK_SHOWN, &at);

    for (uint32_t i = 0; i < run->argc; i++)
        whole = whole && !str_find(run->argv[i], MASK_SHOWN, &at);
    if (!whole)
        diag_error(
            in->diags, nowhere,
            "the command line of run %.*s held what 'mask' hides, and is not known any more: start a new one",
            STR_ARG(r->run.id));
    return whole;
}

/* The command line of the run, read again. */
static bool parse_again(struct resumption *r, struct invocation *in)
{
    const struct journal_run *run = &r->record.run;
    char **argv = ARENA_ARRAY(in->arena, char *, run->argc + 1u);
    struct opt_result parsed;

    for (uint32_t i = 0; i < run->argc; i++)
        argv[i] = (char *)(uintptr_t)arena_cstr(in->arena, run->argv[i]);
    options_init(&r->options);
    r->in = (struct invocation){
        .argc = (int)run->argc, .argv = argv, .arena = in->arena, .diags = in->diags, .began = run->wall};
    if (!opt_parse(&options_table, COMMAND_NONE, r->in.argc, argv, &r->options, &parsed, in->diags))
        return false;
    invocation_take(&r->in, &r->options, &parsed);
    r->of_command = parsed.command == COMMAND_exec || (parsed.command == COMMAND_soak && parsed.dashes);
    return true;
}

static bool go_there(const struct resumption *r, struct invocation *in)
{
    const char *folder = arena_cstr(in->arena, r->record.run.folder);

    if (chdir(folder) == 0)
        return true;
    diag_error(in->diags, nowhere, "cannot go to '%s', where the run was started: %s", folder,
               strerror(errno));
    return false;
}

enum exit_code resume_open(struct resumption *r, struct invocation *in)
{
    *r = (struct resumption){.more = in->options, .store.fd = -1, .run = {.fd = -1, .lock = -1}};
    if (!read_run(r, in) || !is_of_its_kind(r, in))
        return EXIT_USAGE;
    if (!r->record.run.soak && is_done(r)) {
        diag_error(in->diags, nowhere, "run %.*s is finished: every case has its verdict",
                   STR_ARG(r->run.id));
        return EXIT_USAGE;
    }
    if (!is_whole(r, in) || !parse_again(r, in) || !go_there(r, in))
        return EXIT_USAGE;
    return EXIT_PASSED;
}

void resume_close(struct resumption *r)
{
    store_close_run(&r->run);
    store_close(&r->store);
}
