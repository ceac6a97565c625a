#include "runner/past.h"

#include "runner/finish.h"
#include "runner/front.h"

bool past_open(struct past_run *past, struct invocation *in, const char *name)
{
    *past = (struct past_run){.store.fd = -1, .run = {.fd = -1, .lock = -1}};
    if (store_open_existing(&past->store, front_find_store(in), in->arena, in->diags) < 0 ||
        store_find_run(&past->store, name, in->arena, &past->run, in->diags) < 0 ||
        !journal_read(in->arena, past->run.fd, arena_printf(in->arena, "%s/%s", past->run.path, JOURNAL_NAME),
                      &past->record, in->diags))
        return false;
    finish_options(in, &past->options);
    past->input = (struct report_input){&past->record, past->run.fd, past->run.path, &past->options};
    return true;
}

void past_close(struct past_run *past)
{
    store_close_run(&past->run);
    store_close(&past->store);
}
