#include "runner/base/decimal.h"
#include "runner/diagnose/telling.h"

#include <string.h>

const struct dump_fd *fd_of(const struct dump_process *p, int number)
{
    for (uint32_t i = 0; i < p->fd_count; i++)
        if (p->fds[i].number == number)
            return &p->fds[i];
    return NULL;
}

const char *fd_article(const struct dump_fd *fd)
{
    static const char *const words[DUMP_FD_KIND_COUNT] = {
        [DUMP_FD_FILE] = "a file",      [DUMP_FD_FOLDER] = "a folder",    [DUMP_FD_PIPE] = "a pipe",
        [DUMP_FD_FIFO] = "a fifo",      [DUMP_FD_UNIX] = "a unix socket", [DUMP_FD_TCP] = "a tcp socket",
        [DUMP_FD_UDP] = "a udp socket", [DUMP_FD_SOCKET] = "a socket",    [DUMP_FD_TERMINAL] = "a terminal",
        [DUMP_FD_DEVICE] = "a device",  [DUMP_FD_EPOLL] = "an epoll",     [DUMP_FD_EVENT] = "an eventfd",
        [DUMP_FD_TIMER] = "a timerfd",  [DUMP_FD_SIGNAL] = "a signalfd",  [DUMP_FD_INOTIFY] = "an inotify",
        [DUMP_FD_PROCESS] = "a pidfd",  [DUMP_FD_MEMORY] = "a memfd",     [DUMP_FD_OTHER] = "something else",
    };

    return words[fd->kind];
}

/* ---- where ---- */

static const char *basename_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

/* What a runtime says is of its first thread, as far as we know. */
static bool said_place(const struct dump_process *p, const struct dump_thread *thread,
                       struct runtime_place *place)
{
    return p->runtime_says && thread == p->threads && runtime_place(p, place);
}

/* Below that are lines of an interpreter, or of libuv, which nobody asked for. Those of Go are in its program. */
static bool has_answered(const struct dump_process *p)
{
    return p->runtime_says &&
           (p->runtime == RUNTIME_PYTHON || p->runtime == RUNTIME_NODE || p->runtime == RUNTIME_JVM);
}

const char *does_said(struct telling *t, const struct runtime_place *place)
{
    const char *file = arena_cstr(t->arena, place->file), *function = arena_cstr(t->arena, place->function);

    if (place->waits.len)
        return arena_printf(t->arena, "in its event loop, waits for: %s",
                            say_safe(t, arena_cstr(t->arena, place->waits), TELL_PLACE_MOST));
    return arena_printf(t->arena, "in %s at %s:%u", say_safe(t, function, TELL_PLACE_MOST),
                        say_safe(t, basename_of(file), TELL_PLACE_MOST), place->line);
}

const char *does_where(struct telling *t, const struct dump_process *p, const struct dump_thread *thread)
{
    const struct stack_frame *frame = place_of(thread);
    struct runtime_place said;

    if (said_place(p, thread, &said))
        return does_said(t, &said);
    if (!frame || has_answered(p))
        return NULL;
    if (frame->function && frame->file)
        return arena_printf(t->arena, "in %s at %s:%u", say_safe(t, place_function(frame), TELL_PLACE_MOST),
                            say_safe(t, basename_of(frame->file), TELL_PLACE_MOST), frame->line);
    if (!frame->module)
        return arena_printf(t->arena, "at 0x%llx", (unsigned long long)frame->pc);
    if (frame->function)
        return arena_printf(t->arena, "in %s of %s", say_safe(t, place_function(frame), TELL_PLACE_MOST),
                            say_safe(t, basename_of(frame->module), TELL_PLACE_MOST));
    return arena_printf(t->arena, "at %s+0x%llx", say_safe(t, basename_of(frame->module), TELL_PLACE_MOST),
                        (unsigned long long)frame->offset);
}

/* ---- what for ---- */

/* "fd 5, a pipe"; with where it leads to, when that has a name. */
static const char *which_fd(struct telling *t, const struct dump_process *p, int number)
{
    const struct dump_fd *fd = fd_of(p, number);

    if (!fd)
        return arena_printf(t->arena, "fd %d", number);
    switch (fd->kind) {
    case DUMP_FD_FILE:
    case DUMP_FD_FOLDER:
    case DUMP_FD_FIFO:
    case DUMP_FD_TERMINAL:
    case DUMP_FD_DEVICE:
        return arena_printf(t->arena, "fd %d, %s, %s", number, fd_article(fd),
                            say_quoted(t, fd->target, TELL_PLACE_MOST));
    default: break;
    }
    if (fd->peer && *fd->peer)
        return arena_printf(t->arena, "fd %d, %s to %s", number, fd_article(fd),
                            say_safe(t, fd->peer, TELL_PLACE_MOST));
    if (fd->local && *fd->local)
        return arena_printf(t->arena, "fd %d, %s at %s", number, fd_article(fd),
                            say_safe(t, fd->local, TELL_PLACE_MOST));
    return arena_printf(t->arena, "fd %d, %s", number, fd_article(fd));
}

static const char *polls(struct telling *t, const struct dump_process *p, const struct dump_call *call)
{
    if (call->fd_count == 0)
        return "polls";
    if (call->fd_count == 1)
        return arena_printf(t->arena, "polls %s", which_fd(t, p, call->fds[0]));
    return arena_printf(t->arena, "polls %u descriptors", call->fd_count);
}

static const char *waits_at_fd(struct telling *t, const struct dump_process *p, const struct dump_call *call)
{
    static const char *const words[DUMP_WAIT_COUNT] = {
        [DUMP_WAITS_READ] = "reads from",          [DUMP_WAITS_WRITE] = "writes to",
        [DUMP_WAITS_ACCEPT] = "accepts at",        [DUMP_WAITS_CONNECT] = "connects",
        [DUMP_WAITS_LOCK] = "waits for a lock of",
    };

    if (!call->fd_count)
        return dump_wait_words[call->wait];
    return arena_printf(t->arena, "%s %s", words[call->wait], which_fd(t, p, call->fds[0]));
}

/* What it was stopped in, and goes on with, is not what anybody has called. */
static bool goes_on(const struct dump_call *call)
{
    return call->name && strcmp(call->name, "restart_syscall") == 0;
}

/* The kernel's function that waits for the other end of a fifo. */
bool does_open_fifo(const struct dump_thread *thread)
{
    return thread->call.is_open && thread->call.path && thread->wchan && thread->state == 'S' &&
           (strcmp(thread->wchan, "wait_for_partner") == 0 || strcmp(thread->wchan, "fifo_open") == 0);
}

static const char *opens_fifo(struct telling *t, const struct dump_call *call)
{
    return arena_printf(t->arena, "opens %s, a fifo, %s", say_quoted(t, call->path, TELL_PLACE_MOST),
                        call->wants_writers   ? "which nobody has open for writing"
                        : call->wants_readers ? "which nobody has open for reading"
                                              : "whose other end nobody opens");
}

static const char *is_in(struct telling *t, const struct dump_thread *thread, const char *call)
{
    const char *name = say_safe(t, call, TELL_NAME_MOST);

    if (thread->call.path && call == thread->call.name)
        return arena_printf(t->arena, "is in %s() of %s", name,
                            say_quoted(t, thread->call.path, TELL_PLACE_MOST));
    return arena_printf(t->arena, "is in %s()", name);
}

/* Of a call whose meaning we do not know, or that could not be read. */
static const char *somewhere(struct telling *t, const struct dump_thread *thread)
{
    const char *callee = place_callee(thread);
    const char *call = thread->call.name && !(callee && goes_on(&thread->call)) ? thread->call.name : callee;

    if (thread->state == 'R')
        return "runs";
    if (does_open_fifo(thread))
        return opens_fifo(t, &thread->call);
    if (call)
        return is_in(t, thread, call);
    if (thread->wchan)
        return arena_printf(t->arena, "%s (%s)", say_state(thread->state),
                            say_safe(t, thread->wchan, TELL_NAME_MOST));
    return say_state(thread->state);
}

/* A loop that looks again each millisecond sleeps as well as who does so for an hour. */
static const char *sleeps(struct telling *t, const struct dump_call *call)
{
    char number[DECIMAL_SIZE];

    if (call->seconds <= 0)
        return dump_wait_words[DUMP_WAITS_SLEEP];
    return arena_printf(t->arena, "sleeps for %s s", decimal_shortest(number, call->seconds));
}

static const char *waits(struct telling *t, const struct dump_process *p, const struct dump_thread *thread)
{
    const struct dump_call *call = &thread->call;
    const char *primitive = place_primitive(thread);

    if (primitive && (call->wait == DUMP_WAITS_FUTEX || call->wait == DUMP_WAITS_NOT))
        return primitive;
    switch (call->wait) {
    case DUMP_WAITS_READ:
    case DUMP_WAITS_WRITE:
    case DUMP_WAITS_ACCEPT:
    case DUMP_WAITS_CONNECT:
    case DUMP_WAITS_LOCK: return waits_at_fd(t, p, call);
    case DUMP_WAITS_POLL: return polls(t, p, call);
    case DUMP_WAITS_CHILD:
        return call->pid > 0 ? arena_printf(t->arena, "waits for its child %d", (int)call->pid)
                             : dump_wait_words[call->wait];
    case DUMP_WAITS_SLEEP: return sleeps(t, call);
    case DUMP_WAITS_FUTEX:
    case DUMP_WAITS_SIGNAL: return dump_wait_words[call->wait];
    default: return somewhere(t, thread);
    }
}

/* Where no function of it is known, its command line says more than a place in a module would. */
bool does_by_command(const struct dump_process *p)
{
    const struct dump_thread *thread = p->thread_count ? &p->threads[0] : NULL;
    const struct stack_frame *frame = thread ? place_of(thread) : NULL;
    struct runtime_place said;

    return thread && !place_is_server(thread) && !proc_state_is_end(p->state) && p->name && p->command &&
           (!(frame && frame->function) || has_answered(p)) && !said_place(p, thread, &said) &&
           strcmp(p->name, p->command) != 0 && fold_title(p).len == strlen(p->name);
}

/* What a state says that no call does. NULL: it only waits, or runs. */
static const char *state_words(const struct dump_process *p, const struct dump_thread *thread)
{
    switch (thread->state) {
    case 'Z':
    case 'X':
    case 'T':
    case 't': return say_state(thread->state);
    case 'D': return p->frozen ? "is frozen with its control group" : "cannot be woken";
    default: return NULL;
    }
}

static const char *does_at(struct telling *t, const struct dump_process *p, const struct dump_thread *thread,
                           const char *where)
{
    const char *state = state_words(p, thread);
    const char *what = proc_state_is_end(thread->state) ? NULL : waits(t, p, thread);

    if (state && what && strcmp(state, what) == 0)
        what = NULL;
    return arena_printf(t->arena, "%s%s%s%s%s", where ? where : "", where ? ": " : "", state ? state : "",
                        state && what ? "; " : "", what ? what : "");
}

const char *does_thread(struct telling *t, const struct dump_process *p, const struct dump_thread *thread)
{
    struct runtime_place said;

    if (!state_words(p, thread) && said_place(p, thread, &said) && said.waits.len)
        return does_said(t, &said); /* that it polls for that says nothing more */
    return does_at(t, p, thread, does_where(t, p, thread));
}

const char *does_process(struct telling *t, const struct dump_process *p)
{
    if (!p->thread_count || p->state == 'Z')
        return say_state(p->state);
    if (does_by_command(p))
        return does_at(t, p, &p->threads[0], say_quoted(t, p->command, TELL_COMMAND_MOST));
    return does_thread(t, p, &p->threads[0]);
}

/* ---- alike ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_byte(hash_add(hash, str_of(text)), 0);
}

uint64_t does_key(uint64_t hash, const struct dump_process *p, const struct dump_thread *thread)
{
    const struct stack_frame *frame = place_of(thread);
    const struct dump_fd *fd = thread->call.fd_count ? fd_of(p, thread->call.fds[0]) : NULL;
    struct runtime_place said;

    hash = hash_byte(hash, (unsigned char)thread->state);
    hash = hash_byte(hash, (unsigned char)thread->call.wait);
    hash = hash_text(hash, thread->call.name);
    hash = hash_byte(hash, fd ? (unsigned char)fd->kind : 0xff);
    if (does_open_fifo(thread))
        hash = fold_name(hash, str_of(thread->call.path));
    if (said_place(p, thread, &said)) {
        hash = hash_byte(hash_add(hash, said.function), 0);
        hash = hash_number(hash_byte(hash_add(hash, said.file), 0), said.line);
        hash = fold_name(hash, said.waits);
    } else if (frame) {
        hash = hash_number(hash_text(hash_text(hash, frame->function), frame->file), frame->line);
        hash = hash_number(hash_text(hash, frame->module), frame->file ? 0 : frame->offset);
    }
    return hash;
}
