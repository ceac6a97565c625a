/* What servers answer, and what becomes of them. */
#include "runner/servers_internal.h"

#include "runner/attempt.h"
#include "runner/base/io.h"
#include "runner/base/proc.h"
#include "runner/base/sig.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LAST_WORDS_MOST 200
#define SERVERS_TRIED   3
#define FALL_LOOKS      1000 /* of a millisecond: for a child that falls to us when its maker has left */

/* ---- its answers ---- */

static struct slot *slot_posted(struct session *s, const struct server *server, uint32_t posted)
{
    for (uint32_t i = 0; i < s->jobs; i++)
        if (s->slots[i].server == server && s->slots[i].posted == posted)
            return &s->slots[i];
    return NULL;
}

/* A child of ours that nobody has reaped: so the number is its own until we do. */
static bool is_our_child(pid_t pid)
{
    siginfo_t info;

    return pid > 1 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

/* Whoever made it may not have left yet; then it is ours in another moment. */
static bool falls_to_us(pid_t pid)
{
    for (int i = 0; i < FALL_LOOKS && pid > 1; i++) {
        struct proc_stat stat;

        if (is_our_child(pid))
            return true;
        if (proc_stat_read(pid, &stat) < 0)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    }
    return false;
}

static void refuse(struct session *s, struct slot *slot, int error, const char *words)
{
    spawn_give_up(slot->spawn);
    attempt_refused(s, slot, (struct spawn_error){SPAWN_STAGE_CLONE, error}, words);
}

/* Who stands on the board, and was seen to be our child. Without a descriptor there is no watching it. */
static void arrived(struct session *s, struct slot *slot)
{
    pid_t pid = spawn_pid(slot->spawn);
    int pidfd = pidfd_of(pid), error = errno;

    if (pidfd >= 0) {
        attempt_arrived(s, slot, (struct process){pid, pidfd});
        return;
    }
    kill(pid, SIGKILL);
    refuse(s, slot, error, NULL);
}

static void stop_listening(struct session *s, struct server *server, const char *fault)
{
    server->fault = fault;
    fd_close(&server->socket);
    watch_end(s->watch, server->place, WATCH_UNWANTED);
}

static void take_answer(struct session *s, struct server *server, enum server_news news,
                        struct server_told *told)
{
    struct slot *slot = slot_posted(s, server, told->place);

    if (!slot || !server->greeted) {
        fd_close(&told->ipc);
        stop_listening(s, server, "answered what it was not asked");
        return;
    }
    if (news == SERVER_STARTED && fault_now(&s->faults, FAULT_SERVER_MUTE)) {
        fd_close(&told->ipc);
        pidfd_signal(server->pidfd, SIGKILL);
        return;
    }
    server_answered(s, server, slot);
    if (news == SERVER_REFUSED) {
        spawn_give_up(slot->spawn);
        attempt_refused(s, slot, told->error, NULL);
        return;
    }
    if (!is_our_child(spawn_pid(slot->spawn))) {
        fd_close(&told->ipc);
        refuse(s, slot, 0, "its server named a process that is not our child");
        return;
    }
    if (slot->recipe.spec.room && slot->recipe.spec.room->ipc)
        *slot->recipe.spec.room->ipc = told->ipc;
    else
        fd_close(&told->ipc);
    arrived(s, slot);
}

/* Its end says the rest. Who is waited for has its deadline already. */
static void end_of_talk(struct session *s, struct server *server)
{
    if (server->asked)
        fd_close(&server->socket);
    else
        server_dismiss(s, server);
}

/* False: there is nothing more to be heard. */
static bool hear(struct session *s, struct server *server)
{
    struct server_told told;
    enum server_news news = server_hear(server->socket, server->pid, &told);

    switch (news) {
    case SERVER_SILENT: return false;
    case SERVER_HELLO: server_greeted(s, server); break;
    case SERVER_BUSY: server_is_busy(s, server, &told); break;
    case SERVER_STARTED:
    case SERVER_REFUSED: take_answer(s, server, news, &told); break;
    case SERVER_GONE: end_of_talk(s, server); break;
    case SERVER_NONSENSE:
        stop_listening(s, server,
                       told.version
                           ? arena_printf(&server->arena, "speaks version %u of our language", told.version)
                           : "does not speak our language");
        break;
    }
    return server->socket >= 0;
}

int servers_heard(struct session *s, uint32_t place, uint32_t generation)
{
    struct server *server = server_at(s, place);

    if (!server->there || server->generation != generation || server->socket < 0)
        return -1;
    while (hear(s, server))
        ;
    return server->socket;
}

/* ---- its end ---- */

static const char *how_it_ended(struct server *server, const struct watch_ending *ending)
{
    struct arena *arena = &server->arena;

    if (server->fault)
        return server->fault;
    if (ending->spawned == SPAWN_FAILED) {
        struct buf words = {0};
        const char *text;

        spawn_error_words(&words, ending->error, &server->spec);
        text = arena_printf(arena, "could not be started: %s", buf_text(&words));
        buf_release(&words);
        return text;
    }
    if (ending->cause == WATCH_DEADLINE && ending->phase == WATCH_SETUP)
        return "did not get as far as its program";
    if (ending->cause == WATCH_DEADLINE && server->busy_with)
        return "took too long, and was ended";
    if (ending->cause == WATCH_DEADLINE)
        return server->greeted ? "did not answer in time, and was ended"
                               : "was not ready in time, and was ended: what does it load?";
    if (ending->signal)
        return arena_printf(arena, "died of %s", signal_name(ending->signal));
    return arena_printf(arena, "ended with exit status %d", ending->status);
}

static void add_last_words(struct server *server, struct buf *out)
{
    struct buf line = {0};

    for (int i = 1; i >= 0 && !line.len; i--)
        capture_last_line(&server->capture.files[i], LAST_WORDS_MOST, &line);
    if (line.len) {
        buf_adds(out, "; its last words: ");
        buf_addstr(out, buf_str(&line));
    }
    buf_release(&line);
}

/*
 * Nothing of it has begun: another server may do it, unless that one dies of it too. Who has kept one waiting too long,
 * or was never ready, is told of. Of who dies while it sets up what a test wants only that one has to do with it.
 */
static bool may_try_another(struct session *s, const struct slot *slot, const struct server *server,
                            const struct watch_ending *ending)
{
    struct case_life *life = &s->cases[slot->on];

    if (s->cancelled)
        return true; /* it is not run any more, and nobody is told that it was to blame */
    if (server->busy_with)
        return server->busy_for != slot->posted;
    return server->greeted && !server->fault && ending->cause == WATCH_NO_CAUSE &&
           life->unserved++ < SERVERS_TRIED;
}

static void settle_one(struct session *s, struct server *server, struct slot *slot,
                       const struct watch_ending *ending, struct str words)
{
    bool lasts = ending->abandoned || ending->undead;

    slot->server = NULL;
    if (spawn_pid(slot->spawn) && falls_to_us(spawn_pid(slot->spawn))) {
        arrived(s, slot);
        return;
    }
    refuse(s, slot, may_try_another(s, slot, server, ending) ? EAGAIN : 0, arena_cstr(&slot->arena, words));
    if (lasts && !servers_post(s, slot)) /* somebody may still write where it was expected */
        s->broken = true;
}

/* Of all whom it was asked for: who is on the board is there, whatever became of his maker. */
static void settle(struct session *s, struct server *server, const struct watch_ending *ending)
{
    struct buf words = {0};

    if (server->busy_with && !s->cancelled)
        server_has_lost(s, server);
    buf_addf(&words, "its %s %s", server->name, how_it_ended(server, ending));
    if (server->busy_with)
        buf_addf(&words, " while it set up '%s'", server->busy_with);
    add_last_words(server, &words);
    for (uint32_t i = 0; i < s->jobs; i++)
        if (s->slots[i].server == server)
            settle_one(s, server, &s->slots[i], ending, buf_str(&words));
    buf_release(&words);
}

/* Those that it made, and that may be in its memory still. */
static void orphan(struct session *s, const struct server *server)
{
    for (uint32_t i = 0; i < s->jobs; i++) {
        struct slot *slot = &s->slots[i];

        if (slot->busy && slot->listed && server_is_for(server, &slot->recipe))
            spawn_let_go(slot->spawn);
    }
}

/* What it wrote is worth a look where it ended otherwise than it was meant to. */
static void keep_output(struct session *s, struct server *server, bool wanted)
{
    for (int i = 0; i < 2 && wanted; i++) {
        struct capture_file *file = &server->capture.files[i];
        const char *path = arena_printf(&server->arena, "servers/%s/%s", server->id, file->word);

        if (file->fd >= 0 && capture_size(file) && capture_hide(s->room, file) == 0 &&
            capture_keep(s->room, file, path) < 0)
            session_note(s, "cannot keep '%s': %s", path, strerror(errno));
    }
    capture_close(s->room, &server->capture);
}

/* No case is there any more that could say so. */
static void tell_of_farewell(struct session *s, struct server *server, const struct watch_ending *ending)
{
    struct buf words = {0};

    if (!server->farewell || server->asked || s->cancelled ||
        !(ending->signal || ending->status || ending->cause == WATCH_DEADLINE))
        return;
    add_last_words(server, &words);
    s->unclean = true;
    session_note(s, "what tests of '%s' share could not be torn down: its %s %s%s",
                 server->module ? server->module : server->host, server->name, how_it_ended(server, ending),
                 buf_text(&words));
    buf_release(&words);
}

/* What it had said before it died is heard first. */
static void is_over(struct session *s, struct server *server, const struct watch_ending *ending)
{
    server->there = false;
    while (server->socket >= 0 && hear(s, server))
        ;
    fd_close(&server->socket);
    if (ending->abandoned) {
        spawn_free(server->spawn); /* does nothing while it is in use */
        server->spawn = NULL;
    }
    tell_of_farewell(s, server, ending);
    settle(s, server, ending);
    orphan(s, server);
    keep_output(s, server, ending->signal || ending->status);
    workdir_return(&server->tmp, false);
    servers_have_room(s);
}

static int reap(struct session *s, struct server *server)
{
    struct watch_ending ending;

    switch (watch_reap(s->watch, server->place, &ending)) {
    case WATCH_IS_OVER: is_over(s, server, &ending); return -1;
    case WATCH_GOES_ON: return server->pidfd;
    case WATCH_REMAIN: return -1;
    }
    return -1;
}

int servers_reap(struct session *s, uint32_t place, uint32_t generation)
{
    struct server *server = server_at(s, place);

    return server->there && server->generation == generation ? reap(s, server) : -1;
}

void servers_watch_told(struct session *s, const struct watch_event *event)
{
    struct server *server = server_at(s, event->slot);

    if (!server->there || server->generation != event->generation)
        return;
    if (event->kind == WATCH_TELLS_REMAINS)
        watch_end(s->watch, server->place, WATCH_REMAINS);
    else if (event->kind == WATCH_TELLS_OVER)
        reap(s, server);
}

void servers_look(struct session *s)
{
    for (uint32_t i = 0; i < servers_places(s); i++) {
        struct server *server = &s->servers->list[i];

        if (!server->there)
            continue;
        if (server->socket >= 0)
            servers_heard(s, server->place, server->generation);
        if (server->there && server->unwatched)
            reap(s, server);
    }
}
