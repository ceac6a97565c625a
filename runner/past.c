#include "runner/past.h"

#include "runner/finish.h"
#include "runner/front.h"

#include <string.h>

bool past_find(struct invocation *in, const char *name, struct store *store, struct run_folder *run)
{
    /* A folder says for itself where it is. */
    if (!strchr(name, '/') && store_open_existing(store, front_find_store(in), in->arena, in->diags) < 0)
        return false;
    return store_find_run(store, name, in->arena, run, in->diags) == 0;
}

bool past_open(struct past_run *past, struct invocation *in, const char *name)
{
    *past = (struct past_run){.store.fd = -1, .run = {.fd = -1, .lock = -1}};
    if (!past_find(in, name, &past->store, &past->run) ||
        !journal_read(in->arena, past->run.fd, past->run.path, &past->record, in->diags))
        return false;
    finish_options(in, &past->options);
    if (in->options->run_dir || strcmp(name, "latest") != 0)
        past->options.from = str_of(past->run.path);
    past->input = (struct report_input){&past->record, past->run.fd, past->run.path, &past->options,
                                        store_is_going_on(&past->run)};
    return true;
}

void past_close(struct past_run *past)
{
    store_close_run(&past->run);
    store_close(&past->store);
}
