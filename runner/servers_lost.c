/* What has taken a server along: the next one is told, and does not try it again. */
#include "runner/servers_internal.h"

void server_has_lost(struct session *s, const struct server *server)
{
    struct lost *lost = ARENA_NEW(s->arena, struct lost);

    *lost = (struct lost){.next = s->servers->lost,
                          .serving = server->serving,
                          .host = arena_printf(s->arena, "%s", server->host),
                          .module = server->module ? arena_printf(s->arena, "%s", server->module) : NULL,
                          .what = arena_printf(s->arena, "%s", server->busy_with)};
    s->servers->lost = lost;
}

const char *server_lost_before(struct session *s, struct server *server)
{
    struct buf text = {0};
    const char *lines;

    for (const struct lost *lost = s->servers->lost; lost; lost = lost->next)
        if (lost->serving == server->serving && is_same(lost->host, server->host) &&
            is_same(lost->module, server->module))
            buf_addf(&text, "%s\n", lost->what);
    lines = arena_cstr(&server->arena, buf_str(&text));
    buf_release(&text);
    return lines;
}
