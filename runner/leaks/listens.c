/* Who listens at an address of our network, of all whom we may look at. */
#include "runner/leaks/internal.h"

#include "runner/base/io.h"
#include "runner/base/utf8.h"

#include <string.h>
#include <unistd.h>

struct search {
    struct str host, port; /* the latter with its colon; empty: `host` is a path */
    struct socket_tables tables;
    int own; /* our folder in /proc: its table is that of our network, and we do not end while it is read */
    nanos deadline;
    struct buf *words;
    const struct proc_stat *looked_at;
    bool found;
};

static struct str without(struct str text, const char *prefix)
{
    return str_starts(text, prefix) ? str_slice(text, strlen(prefix), text.len) : text;
}

static void understand(struct search *search, struct str address)
{
    struct str rest = without(without(without(address, "tcp://"), "unix://"), "unix:");
    size_t colon = rest.len;

    while (colon > 0 && rest.ptr[colon - 1] != ':')
        colon--;
    search->host = rest;
    search->port = str_slice(rest, rest.len, rest.len);
    if (str_starts(rest, "/") || colon == 0)
        return;
    search->host = str_slice(rest, 0, colon - 1);
    search->port = str_slice(rest, colon - 1, rest.len);
    if (str_is(search->host, "localhost"))
        search->host = str_of("127.0.0.1");
}

/* "*" is any host. */
static bool is_it(const struct search *search, struct str bound)
{
    struct str host;

    if (!search->port.len || bound.len <= search->port.len)
        return str_eq(bound, search->host);
    host = str_slice(bound, 0, bound.len - search->port.len);
    return str_eq(str_slice(bound, host.len, bound.len), search->port) &&
           (str_eq(host, search->host) || str_is(host, "*"));
}

static void look_at_holding(void *user, const struct holding *holding)
{
    struct search *search = user;
    const struct bound_socket *socket = NULL;

    if (!search->found && holding->kind == HOLDS_SOCKET)
        socket = socket_find(&search->tables, search->own, holding->number);
    if (!socket || *socket->note || !is_it(search, socket->address))
        return;
    search->found = true;
    utf8_show(search->words, str_of(search->looked_at->comm));
    buf_addf(search->words, " (pid %d)", search->looked_at->pid);
}

static bool look_at(void *user, pid_t pid)
{
    struct search *search = user;
    struct proc_stat stat;
    int process;

    if (proc_stat_read(pid, &stat) < 0)
        return true;
    search->looked_at = &stat;
    process = holdings_open(proc_id_of(&stat));
    if (process >= 0)
        descriptors_of(process, search->deadline, look_at_holding, search);
    fd_close(&process);
    return !search->found && clock_now() < search->deadline;
}

bool leaks_who_listens(struct str address, nanos budget, struct buf *words)
{
    struct search search = {.deadline = clock_now() + budget, .words = words};

    understand(&search, address);
    search.own = proc_folder(getpid());
    if (search.own >= 0)
        proc_each(look_at, &search);
    fd_close(&search.own);
    socket_tables_release(&search.tables);
    return search.found;
}
