/* What servers there are, and what they are asked. */
#include "runner/servers_internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define ANSWER_WITHIN   (10 * NS_PER_S)
#define BUSY_GRACE      NS_PER_S
#define LOADED_WITHIN   (60 * NS_PER_S)
#define HURRIED_WITHIN  NS_PER_S
#define FAREWELL_WITHIN (2 * NS_PER_S)
#define MAKING_GRACE \
    NS_PER_S /* a dead one's children are in its session for a moment, and have to leave it */
#define FOLDERS_FIRST  1000000u /* slots and fixtures have lower ones */
#define ABANDONED_MOST 256      /* places on the board beyond those of slots */

/* ---- before the run ---- */

/* One for each backend and file that serves. More than there are places take turns, so too many do no harm. */
static uint32_t count_kinds(struct session *s, bool *boarded)
{
    const char *last[BACKEND_COUNT] = {NULL};
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->case_count && count < SERVERS_MOST; i++) {
        const struct plan_case *c = session_planned(s, i);
        const struct backend *backend = recipe_backend(&s->kitchen, c);
        const struct sub_test *sub = case_sub(&s->front->plan, c);
        const char *file = sub && sub->file ? sub->file : "";
        enum backend_id id = backend_id(backend);

        *boarded |= id != BACKEND_EXEC;
        if (!backend->serving || (last[id] && strcmp(last[id], file) == 0))
            continue;
        last[id] = file;
        count++;
    }
    return count;
}

void servers_plan(struct session *s)
{
    bool boarded = false;
    uint32_t kinds = count_kinds(s, &boarded);

    if (!boarded)
        return;
    s->servers = mem_zero(1, sizeof *s->servers);
    s->servers->count = kinds;
}

uint32_t servers_places(const struct session *s)
{
    return s->servers ? s->servers->count : 0;
}

bool servers_post(struct session *s, struct slot *slot)
{
    if (!s->servers)
        return true;
    if (s->servers->posted == s->jobs + ABANDONED_MOST) {
        errno = ENOSPC;
        return false;
    }
    spawn_post(slot->spawn, s->servers->board, s->servers->posted);
    slot->posted = s->servers->posted++;
    return true;
}

bool servers_open(struct session *s)
{
    struct servers *servers = s->servers;

    if (!servers)
        return true;
    servers->first = s->jobs + fixtures_places(s);
    servers->board = board_new(s->jobs + ABANDONED_MOST);
    if (!servers->board)
        return false;
    for (uint32_t i = 0; i < servers->count; i++) {
        struct server *server = &servers->list[i];

        server->place = servers->first + i;
        server->tmp.slot = FOLDERS_FIRST + i;
        server->socket = server->pidfd = -1;
        server->ladder = (struct ladder){.steps = {{SIGKILL, LADDER_TREE, -1}}, .count = 1};
        server->spawn = spawn_new();
        if (!server->spawn)
            return false;
    }
    for (uint32_t i = 0; i < s->jobs; i++)
        if (!servers_post(s, &s->slots[i]))
            return false;
    return true;
}

void servers_close(struct session *s)
{
    if (!s->servers)
        return;
    for (uint32_t i = 0; i < s->servers->count; i++) {
        fd_close(&s->servers->list[i].socket);
        spawn_free(s->servers->list[i].spawn);
        arena_release(&s->servers->list[i].arena);
    }
    board_free(s->servers->board);
    free(s->servers);
    s->servers = NULL;
}

/* ---- the life of one ---- */

void server_dismiss(struct session *s, struct server *server)
{
    fd_close(&server->socket);
    watch_limit(s->watch, server->place, s->urgency ? HURRIED_WITHIN : FAREWELL_WITHIN + server->farewell);
}

struct server *server_at(const struct session *s, uint32_t place)
{
    return &s->servers->list[place - s->servers->first];
}

bool servers_has(const struct session *s, uint32_t place)
{
    return s->servers && place >= s->servers->first && place < s->servers->first + s->servers->count;
}

/* What is read when it is loaded cannot be said later: a case that says otherwise has another server. */
static struct str loading_of(const struct recipe *recipe, struct arena *arena)
{
    struct buf text = {0};
    struct str loading;

    for (char *const *entry = recipe->spec.envp; entry && *entry; entry++)
        if (spawn_is_for_loading(*entry))
            buf_add(&text, *entry, strlen(*entry) + 1);
    loading = arena_str(arena, buf_str(&text));
    buf_release(&text);
    return loading;
}

bool server_is_for(const struct server *server, const struct recipe *recipe)
{
    struct str rest = server->loading;

    if (server->serving != recipe->backend->serving || server->apart != recipe->backend->apart ||
        !is_same(server->host, recipe->spec.host) || !is_same(server->module, recipe->spec.module))
        return false;
    for (char *const *entry = recipe->spec.envp; entry && *entry; entry++) {
        if (!spawn_is_for_loading(*entry))
            continue;
        if (rest.len <= strlen(*entry) || strcmp(rest.ptr, *entry) != 0)
            return false;
        rest = str_slice(rest, strlen(*entry) + 1, rest.len);
    }
    return !rest.len;
}

/* One that is there for it, else a place where none is; NULL: all are taken by others. */
static struct server *find(struct session *s, const struct recipe *recipe)
{
    struct servers *servers = s->servers;
    struct server *place = NULL;

    for (uint32_t i = 0; i < servers->count; i++) {
        struct server *server = &servers->list[i];

        if (server->there && server_is_for(server, recipe))
            return server;
        if (!server->there)
            place = server;
    }
    return place;
}

/* Who has nothing to do makes room. */
static void retire_one(struct session *s)
{
    struct server *idle = NULL;

    for (uint32_t i = 0; i < s->servers->count; i++) {
        struct server *server = &s->servers->list[i];

        if (server->there && server->socket < 0)
            return; /* one is going already */
        if (server->there && !server->asked)
            idle = server;
    }
    if (idle)
        server_dismiss(s, idle);
}

static bool open_ends(struct session *s, struct server *server, int *its)
{
    int ends[2];

    if (capture_open(s->room, CAPTURE_FD, &server->capture, server->spec.stdio) < 0)
        return false;
    if (server_socket(ends) < 0) {
        capture_close(s->room, &server->capture);
        return false;
    }
    server->socket = ends[0];
    *its = ends[1];
    server->spec.pass[0] = ends[1];
    server->spec.pass[1] = board_fd(s->servers->board);
    server->spec.pass_count = 2;
    return true;
}

static void watch_it(struct session *s, struct server *server, struct process process, nanos started)
{
    const struct watched watched = {
        .process = process,
        .spawn = server->spawn,
        .limits = {[WATCH_SETUP] = SESSION_SETUP},
        .ladder = &server->ladder,
        .place = contain_place(s->contain, server->place),
        .leak_grace = MAKING_GRACE,
        .aside = true,
        .outputs = {-1, -1, -1},
    };

    server->there = true;
    server->pid = process.pid;
    server->pidfd = process.pidfd;
    server->generation = watch_begin(s->watch, server->place, &watched, started);
    server->unwatched = !loop_watch_place(s, server->place, server->generation, process.pidfd);
    loop_watch_server(s, server->place, server->generation, server->socket);
}

static bool clone_it(struct session *s, struct server *server, struct spawn_error *error)
{
    struct contain_place *place = contain_place(s->contain, server->place);
    const struct contain_wants wants = {.outside = true};
    struct process process;
    nanos started;

    *error = (struct spawn_error){SPAWN_STAGE_CLONE, 0};
    if (contain_prepare(place, &wants, &server->spec) < 0) {
        error->error = errno;
        return false;
    }
    started = watch_now(s->watch);
    if (backends[BACKEND_EXEC]->start(server->spawn, &server->spec, &process, error)) {
        watch_it(s, server, process, started);
        return true;
    }
    contain_not_started(place);
    return false;
}

static bool start(struct session *s, struct server *server, const struct recipe *recipe,
                  struct spawn_error *error)
{
    int its = -1;
    bool started;

    arena_clear(&server->arena);
    server->name = recipe->backend->name;
    server->serving = recipe->backend->serving;
    server->apart = recipe->backend->apart;
    server->host = arena_printf(&server->arena, "%s", recipe->spec.host);
    server->module = recipe->spec.module ? arena_printf(&server->arena, "%s", recipe->spec.module) : NULL;
    server->greeted = false;
    server->fault = NULL;
    server->asked = 0;
    server->farewell = 0;
    server->busy_with = NULL;
    server->deaf = false;
    server->loading = loading_of(recipe, &server->arena);
    server->id = arena_printf(&server->arena, "%s-%u", server->name, ++s->servers->started);
    *error = (struct spawn_error){SPAWN_STAGE_CLONE, 0};
    if (workdir_lend(&s->workdirs, &server->tmp) < 0) {
        error->error = errno;
        return false;
    }
    recipe_server(&s->kitchen, recipe, server->id, server->tmp.path, server_lost_before(s, server),
                  &server->arena, &server->spec);
    if (!server->spawn && !(server->spawn = spawn_new())) {
        error->error = errno;
        return false;
    }
    if (!open_ends(s, server, &its)) {
        error->error = errno;
        return false;
    }
    started = clone_it(s, server, error);
    capture_started(&server->capture);
    fd_close(&its);
    if (!started) {
        fd_close(&server->socket);
        capture_close(s->room, &server->capture);
    }
    return started;
}

/* ---- asking ---- */

/* While somebody waits for an answer the watchdog counts. */
static void set_deadline(struct session *s, struct server *server)
{
    const struct fault_plan *fault = fault_now(&s->faults, FAULT_SERVER_PATIENCE);
    nanos within = fault             ? fault->span
                   : s->urgency      ? HURRIED_WITHIN
                   : server->greeted ? ANSWER_WITHIN
                                     : LOADED_WITHIN;

    if (server->there && server->socket >= 0)
        watch_limit(s->watch, server->place, server->asked ? within : 0);
}

/* A fault: it gets the message, and dies before it has read it. All its threads have to stand still for that. */
static bool ask_the_dying(struct server *server, const struct slot *slot, struct spawn_error *error)
{
    siginfo_t info;
    bool asked;

    pidfd_signal(server->pidfd, SIGSTOP);
    waitid(P_PIDFD, (id_t)server->pidfd, &info, WSTOPPED | WEXITED | WNOWAIT | __WALL);
    asked = server_ask(server->socket, slot->posted, &slot->recipe.spec, error);
    pidfd_signal(server->pidfd, SIGKILL);
    return asked;
}

/* One that has died just now, and nobody has told us yet, is not asked, only heard: there is another one soon. */
static bool ask(struct session *s, struct server *server, struct slot *slot, struct spawn_error *error)
{
    bool asked = fault_now(&s->faults, FAULT_SERVER_KILL)
                     ? ask_the_dying(server, slot, error)
                     : server_ask(server->socket, slot->posted, &slot->recipe.spec, error);

    if (!asked && (error->error == EPIPE || error->error == ECONNRESET)) {
        server->deaf = true;
        error->error = EAGAIN;
    }
    return asked;
}

bool servers_ask(struct session *s, struct slot *slot, struct spawn_error *error)
{
    const struct recipe *recipe = &slot->recipe;
    struct server *server = find(s, recipe);

    *error = (struct spawn_error){SPAWN_STAGE_ASK, 0};
    if (!server)
        retire_one(s);
    if (!server || (server->there &&
                    (server->socket < 0 || server->deaf))) { /* that one goes, and this one comes then */
        s->servers->turned_away = true;
        error->error = EAGAIN;
        return false;
    }
    if (!server->there && !start(s, server, recipe, error))
        return false;
    spawn_expect(slot->spawn);
    contain_expect(contain_place(s->contain, slot->number), slot->spawn);
    if (!ask(s, server, slot, error)) {
        s->servers->turned_away |= error->error == EAGAIN;
        spawn_give_up(slot->spawn);
        return false;
    }
    slot->server = server;
    server->asked++;
    if (server->asked == 1)
        set_deadline(s, server);
    return true;
}

void server_greeted(struct session *s, struct server *server)
{
    server->greeted = true;
    set_deadline(s, server);
}

void server_is_busy(struct session *s, struct server *server, const struct server_told *told)
{
    server->farewell = told->farewell;
    server->busy_for = told->place;
    server->busy_with = arena_printf(&server->arena, "%s", told->busy_with);
    if (server->asked && !s->urgency)
        watch_limit(s->watch, server->place, told->patience + BUSY_GRACE);
}

/* Those who run, and whose end others wait for, may run for long. */
void servers_have_room(struct session *s)
{
    if (!s->servers->turned_away)
        return;
    s->servers->turned_away = false;
    s->stuck_until = 0;
    queue_try_again(s->queue);
}

void server_answered(struct session *s, struct server *server, struct slot *slot)
{
    slot->server = NULL;
    server->busy_with = NULL;
    server->asked--;
    set_deadline(s, server);
    servers_have_room(s);
}

bool servers_end(struct session *s)
{
    bool any = false;

    for (uint32_t i = 0; i < servers_places(s); i++) {
        struct server *server = &s->servers->list[i];

        any |= server->there;
        if (!server->there || server->socket < 0)
            continue;
        server_dismiss(s, server);
    }
    return any;
}

void servers_hurry(struct session *s)
{
    for (uint32_t i = 0; i < servers_places(s); i++) {
        struct server *server = &s->servers->list[i];

        if (server->there && server->socket < 0)
            watch_limit(s->watch, server->place, HURRIED_WITHIN); /* it was dismissed */
        else
            set_deadline(s, server);
    }
}
