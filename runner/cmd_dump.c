/* `dump`: where everybody stands in any tree of processes. */
#include "runner/base/io.h"
#include "runner/base/proc.h"
#include "runner/base/secret.h"
#include "runner/command.h"
#include "runner/diagnose/diagnose.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUDGET (3 * NS_PER_S)

static const struct place nowhere;

/* ---- who ---- */

static bool read_pid(struct invocation *in, const char *text, struct proc_id *id)
{
    char *end;
    long pid;

    errno = 0;
    pid = strtol(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno || pid < 1 || pid > INT_MAX) {
        diag_error(in->diags, nowhere, "'%s' is not the number of a process", text);
        return false;
    }
    *id = proc_identify((pid_t)pid);
    if (!id->start_ticks)
        diag_error(in->diags, nowhere, "there is no process %ld", pid);
    return id->start_ticks > 0;
}

static bool is_among(const struct dump_member *members, size_t count, struct proc_id id)
{
    for (size_t i = 0; i < count; i++)
        if (proc_id_equals(members[i].id, id))
            return true;
    return false;
}

/* Adds a tree to those that are there: one of them may be within another. */
static void add_tree(struct invocation *in, struct dump_wants *wants, struct proc_id root)
{
    struct dump_member *below, *all;
    size_t count = dump_members_below(in->arena, root, &below);

    all = ARENA_ARRAY(in->arena, struct dump_member, wants->member_count + count);
    if (wants->member_count)
        memcpy(all, wants->members, wants->member_count * sizeof *all);
    for (size_t i = 0; i < count; i++)
        if (!is_among(all, wants->member_count, below[i].id))
            all[wants->member_count++] = below[i];
    wants->members = all;
}

static bool read_members(struct invocation *in, struct dump_wants *wants)
{
    const char *names = "";

    if (!in->args.count)
        diag_error(in->diags, nowhere, "whom? dump takes numbers of processes");
    for (size_t i = 0; i < in->args.count; i++) {
        struct proc_id root;

        if (read_pid(in, in->args.values[i], &root))
            add_tree(in, wants, root);
        names = arena_printf(in->arena, "%s%s%s", names, i ? ", " : "", in->args.values[i]);
    }
    if (!in->diags->errors && !wants->member_count)
        diag_error(in->diags, nowhere, "nobody is there any more");
    wants->title =
        arena_printf(in->arena, "process%s %s, and all below", in->args.count > 1 ? "es" : "", names);
    return !in->diags->errors;
}

/* ---- what is not to be seen ---- */

static bool is_named(const struct opt_list *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_is(name, names->values[i]))
            return true;
    return false;
}

/* What somebody has named is hidden whatever it is. */
static bool is_hidden(const struct invocation *in, struct str name, struct str value)
{
    return is_named(&in->options->masks, name) || (secret_is_name(name) && !secret_is_plain(value));
}

/* Entries with a NUL behind each. */
static void hide_in(struct invocation *in, struct mask *mask, struct str entries)
{
    while (entries.len) {
        size_t length = strnlen(entries.ptr, entries.len), equals;
        struct str entry = str_slice(entries, 0, length);

        if (str_find(entry, "=", &equals) &&
            is_hidden(in, str_slice(entry, 0, equals), str_slice(entry, equals + 1, length)))
            mask_add(mask, str_slice(entry, equals + 1, length));
        entries = str_slice(entries, length < entries.len ? length + 1 : length, entries.len);
    }
}

static struct mask *mask_members(struct invocation *in, const struct dump_wants *wants)
{
    struct mask *mask = mask_new();
    struct buf environment = {0};
    size_t unread = 0;

    for (size_t i = 0; i < wants->member_count; i++) {
        buf_clear(&environment);
        if (!dump_memory_answers(wants->members[i].id.pid))
            unread++;
        else if (proc_environ(wants->members[i].id.pid, &environment) == 0)
            hide_in(in, mask, buf_str(&environment));
        else
            unread += errno == EACCES || errno == EPERM; /* else it has gone */
    }
    if (unread)
        diag_warning(in->diags, nowhere, "environments of %zu could not be read: nothing of theirs is hidden",
                     unread);
    for (char **entry = environ; *entry; entry++)
        hide_in(in, mask, str_of(*entry));
    buf_release(&environment);
    return mask;
}

/* ---- what is printed ---- */

/* For whoever looks: command lines of others are nobody else's business. */
static bool put(struct invocation *in, const struct buf *out)
{
    const char *path = in->options->output;
    int fd;
    bool ok;

    if (!path || strcmp(path, "-") == 0)
        return fwrite(out->ptr, 1, out->len, stdout) == out->len; /* main says what went wrong */
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ok = fd >= 0 && fd_write_all(fd, out->ptr, out->len) == 0;
    if (!ok)
        diag_error(in->diags, nowhere, "'%s' cannot be written: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

static void write_dump(struct invocation *in, const struct dump *dump, struct mask *mask, struct buf *out)
{
    if (in->options->json)
        dump_write_json(dump, mask, out);
    else if (in->options->quiet)
        dump_write_summary(dump, mask, out);
    else
        dump_write_text(dump, mask, out);
}

enum exit_code cmd_dump(struct invocation *in)
{
    const char *ask = in->options->ask ? in->options->ask : "none";
    struct dump_wants wants = {
        .stacks = stacks_program(in->arena),
        .budget = in->options->budget > 0 ? in->options->budget : BUDGET,
        .ask_runtimes = strcmp(ask, "none") != 0,
        .may_end = strcmp(ask, "all") == 0,
        .may_guess = true, /* somebody has said whom to look at */
    };
    struct dump dump;
    struct mask *mask;
    struct buf out = {0};
    bool ok;

    if (in->options->budget == 0) {
        diag_error(in->diags, nowhere, "--budget 0: nothing can be looked at in no time");
        return EXIT_USAGE;
    }
    if (!read_members(in, &wants))
        return EXIT_USAGE;
    fd_raise_limit(NULL); /* of each process some are open at a time */
    mask = mask_members(in, &wants);
    dump_take(&dump, in->arena, &wants, NULL);
    write_dump(in, &dump, mask, &out);
    ok = put(in, &out);
    buf_release(&out);
    mask_free(mask);
    return ok ? EXIT_PASSED : EXIT_BROKEN;
}
