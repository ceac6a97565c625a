/* `reap`: what dead runs have left is found, ended and removed; or what a process that is not ours has started. */
#include "runner/base/io.h"
#include "runner/base/proc.h"
#include "runner/front.h"
#include "runner/past.h"
#include "runner/remains/remains.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct place nowhere = {0};

static void say(void *user, const char *line)
{
    (void)user;
    puts(line);
}

static bool reap_one(struct invocation *in, const struct reaping *how, struct reaped *result)
{
    struct store store = {.fd = -1};
    struct run_folder run = {.fd = -1, .lock = -1};
    bool found = past_find(in, in->options->run, &store, &run) && store_lock_run(&run, in->diags) == 0;

    if (found)
        reap_run(&run, how, result);
    store_close_run(&run);
    store_close(&store);
    return found;
}

/* Where nothing was run yet nothing is left. */
static bool reap_all(struct invocation *in, const struct reaping *how, struct reaped *result)
{
    const char *path = front_find_store(in);
    struct store store;

    if (access(path, F_OK) < 0 && errno == ENOENT)
        return true;
    if (store_open_existing(&store, path, in->arena, in->diags) < 0)
        return false;
    reap_store(&store, how, result, in->diags);
    store_close(&store);
    return true;
}

static bool reap_parent(struct invocation *in, const struct reaping *how, struct reaped *result)
{
    int64_t parent = in->options->parent;
    struct proc_stat stat;

    if (parent > INT32_MAX || proc_stat_read((pid_t)parent, &stat) < 0) {
        diag_error(in->diags, nowhere, "there is no process %lld", (long long)parent);
        return false;
    }
    reap_descendants(proc_id_of(&stat), how, result);
    return true;
}

static bool reap(struct invocation *in, const struct reaping *how, struct reaped *result)
{
    const struct options *o = in->options;

    if (in->args.count)
        diag_error(in->diags, nowhere, "reap takes no argument, and got '%s'; a run is named by --run",
                   in->args.values[0]);
    else if (o->run && o->parent >= 0)
        diag_error(in->diags, nowhere, "either '--run' or '--parent' can be given, not both");
    else if (o->run)
        return reap_one(in, how, result);
    else if (o->parent >= 0)
        return reap_parent(in, how, result);
    else
        return reap_all(in, how, result);
    return false;
}

enum exit_code cmd_reap(struct invocation *in)
{
    const struct reaping how = {
        .look_only = in->options->dry_run,
        .grace = in->options->grace >= 0 ? in->options->grace : REAP_GRACE,
        .say = say,
    };
    struct reaped result = {0};

    fd_raise_limit(NULL); /* each process that is asked to end is held by one */
    if (!reap(in, &how, &result))
        return EXIT_USAGE;
    printf("%u ended, %u removed, %u left", result.ended, result.removed, result.left);
    if (result.unsure)
        printf(", %u left alone", result.unsure);
    putchar('\n');
    return result.killed || result.left ? EXIT_FAILED : EXIT_PASSED;
}
