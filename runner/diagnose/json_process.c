#include "runner/base/sig.h"
#include "runner/diagnose/telling.h"

#include <math.h>

#define JSON_MOST      ((size_t)8 << 20) /* then descriptors are only counted */
#define JSON_ENDS_MOST 64u               /* of one pipe; all who have it have its inode */

void json_text(struct telling *t, struct json_writer *w, const char *text)
{
    if (text)
        json_str(w, mask_in(t->mask, t->arena, str_of(text)));
    else
        json_null(w);
}

void json_field(struct telling *t, struct json_writer *w, const char *key, const char *text)
{
    json_key_c(w, key);
    json_text(t, w, text);
}

static void int_field(struct json_writer *w, const char *key, long long value)
{
    json_key_c(w, key);
    json_int(w, value);
}

/* What is below zero is not known. */
static void known_field(struct json_writer *w, const char *key, int64_t value)
{
    json_key_c(w, key);
    if (value < 0)
        json_null(w);
    else
        json_int(w, value);
}

/* Where that is, in the list of processes; null: it is none of the dump's. */
static void index_field(struct json_writer *w, const char *key, uint32_t process)
{
    known_field(w, key, process == DUMP_NOBODY ? -1 : (int64_t)process);
}

/* Zero says that there is none. */
static void some_field(struct json_writer *w, const char *key, int64_t value)
{
    known_field(w, key, value ? value : -1);
}

/* Inodes and offsets may be past what a double holds: they are texts, as addresses are. */
static void long_field(struct telling *t, struct json_writer *w, const char *key, uint64_t value)
{
    json_key_c(w, key);
    json_cstr(w, arena_printf(t->arena, "%llu", (unsigned long long)value));
}

static void bool_field(struct json_writer *w, const char *key, bool value)
{
    json_key_c(w, key);
    json_bool(w, value);
}

static void state_field(struct json_writer *w, char state)
{
    json_key_c(w, "state");
    json_str(w, (struct str){state ? &state : "?", 1});
}

static void share_field(struct json_writer *w, double share)
{
    json_key_c(w, "share");
    json_double(w, round(share * 1000) / 1000);
}

static void signals_field(struct json_writer *w, const char *key, uint64_t set)
{
    json_key_c(w, key);
    json_array(w);
    for (int signal = 1; signal <= 64; signal++)
        if (set >> (signal - 1) & 1)
            json_cstr(w, signal_name(signal));
    json_array_end(w);
}

/* ---- threads ---- */

static void write_call(struct telling *t, struct json_writer *w, const struct dump_call *call)
{
    json_key_c(w, "call");
    if (call->number < 0 && call->wait == DUMP_WAITS_NOT) {
        json_null(w);
        return;
    }
    json_object(w);
    int_field(w, "number", call->number);
    json_field(t, w, "name", call->name);
    json_field(t, w, "waits", call->wait == DUMP_WAITS_NOT ? NULL : dump_wait_words[call->wait]);
    json_key_c(w, "fds");
    json_array(w);
    for (uint32_t i = 0; i < call->fd_count; i++)
        json_int(w, call->fds[i]);
    json_array_end(w);
    if (call->wait == DUMP_WAITS_FUTEX)
        json_field(t, w, "address", arena_printf(t->arena, "0x%llx", (unsigned long long)call->address));
    if (call->wait == DUMP_WAITS_CHILD)
        int_field(w, "pid", call->pid);
    json_field(t, w, "words", call->words);
    json_object_end(w);
}

/* Where it stands, in their own sources. */
static void write_place(struct telling *t, struct json_writer *w, const struct dump_process *p,
                        const struct dump_thread *thread)
{
    const struct stack_frame *frame = place_of(thread);
    struct runtime_place said;

    json_key_c(w, "at");
    if (p->runtime_says && thread == p->threads && runtime_place(p, &said)) {
        json_object(w);
        json_field(t, w, "function", arena_cstr(t->arena, said.function));
        json_field(t, w, "file", arena_cstr(t->arena, said.file));
        int_field(w, "line", said.line);
        json_object_end(w);
    } else if (frame) {
        json_object(w);
        json_field(t, w, "function", frame->function);
        json_field(t, w, "file", frame->file);
        if (frame->file)
            int_field(w, "line", frame->line);
        json_object_end(w);
    } else {
        json_null(w);
    }
}

static void write_thread(struct telling *t, struct json_writer *w, const struct dump_process *p,
                         const struct dump_thread *thread, uint32_t stack)
{
    json_object(w);
    int_field(w, "tid", thread->tid);
    json_field(t, w, "name", thread->name);
    state_field(w, thread->state);
    json_field(t, w, "wchan", thread->wchan);
    json_key_c(w, "does");
    json_cstr(w, does_thread(t, p, thread));
    write_place(t, w, p, thread);
    write_call(t, w, &thread->call);
    signals_field(w, "blocked", thread->blocked);
    signals_field(w, "pending", thread->pending);
    share_field(w, thread->share);
    known_field(w, "stack", stack == UINT32_MAX ? -1 : (int64_t)stack);
    json_field(t, w, "why_no_stack", thread->stack ? thread->stack->why_not : NULL);
    json_object_end(w);
}

/* ---- descriptors ---- */

static void write_ends(struct telling *t, struct json_writer *w, const struct dump_fd *fd)
{
    uint32_t told = 0;

    json_key_c(w, "ends");
    json_array(w);
    for (; told < fd->end_count && told < JSON_ENDS_MOST; told++) {
        const struct dump_end *end = &fd->ends[told];

        json_object(w);
        index_field(w, "process", end->process);
        int_field(w, "pid", end->pid);
        json_field(t, w, "name", end->name);
        int_field(w, "fd", end->fd);
        bool_field(w, "reads", end->reads);
        bool_field(w, "writes", end->writes);
        json_object_end(w);
    }
    json_array_end(w);
    int_field(w, "ends_more", fd->end_count - told);
    bool_field(w, "ends_known", fd->ends_known);
}

static void write_fd(struct telling *t, struct json_writer *w, const struct dump_fd *fd)
{
    json_object(w);
    int_field(w, "fd", fd->number);
    json_field(t, w, "kind", dump_fd_words[fd->kind]);
    json_field(t, w, "target", fd->target);
    long_field(t, w, "inode", fd->inode);
    bool_field(w, "reads", fd->reads);
    bool_field(w, "writes", fd->writes);
    bool_field(w, "waits", fd->waits);
    bool_field(w, "is_output", fd->is_output);
    known_field(w, "position", fd->position);
    known_field(w, "filled", fd->filled);
    known_field(w, "room", fd->room);
    json_field(t, w, "state", fd->state);
    json_field(t, w, "local", fd->local);
    json_field(t, w, "peer", fd->peer);
    known_field(w, "receive_queue", fd->receive_queue);
    known_field(w, "send_queue", fd->send_queue);
    json_field(t, w, "detail", fd->detail);
    write_ends(t, w, fd);
    json_object_end(w);
}

static void write_fds(struct telling *t, struct json_writer *w, const struct dump_process *p)
{
    uint32_t told = 0;

    json_key_c(w, "fds");
    json_array(w);
    for (; told < p->fd_count && t->out->len - t->from < JSON_MOST; told++)
        write_fd(t, w, &p->fds[told]);
    json_array_end(w);
    int_field(w, "fds_more", p->fds_more + (p->fd_count - told));
}

/* ---- the rest ---- */

static void write_lock(struct telling *t, struct json_writer *w, const struct dump_lock *lock)
{
    json_object(w);
    json_field(t, w, "kind", lock->kind);
    bool_field(w, "writes", lock->writes);
    bool_field(w, "waits", lock->waits);
    json_field(t, w, "path", lock->path);
    long_field(t, w, "inode", lock->inode);
    long_field(t, w, "from", lock->from);
    if (lock->to != UINT64_MAX)
        long_field(t, w, "to", lock->to);
    some_field(w, "holder", lock->holder);
    index_field(w, "process", lock->holder > 0 ? lock->process : DUMP_NOBODY);
    json_object_end(w);
}

static void write_locks_and_limits(struct telling *t, struct json_writer *w, const struct dump_process *p)
{
    json_key_c(w, "locks");
    json_array(w);
    for (uint32_t i = 0; i < p->lock_count; i++)
        write_lock(t, w, &p->locks[i]);
    json_array_end(w);
    json_key_c(w, "limits");
    json_array(w);
    for (uint32_t i = 0; i < p->limit_count; i++) {
        json_object(w);
        json_field(t, w, "name", p->limits[i].name);
        json_field(t, w, "soft", p->limits[i].soft);
        json_field(t, w, "used", p->limits[i].used);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_identity(struct telling *t, struct json_writer *w, const struct dump_process *p)
{
    int_field(w, "pid", p->id.pid);
    long_field(t, w, "start_ticks", p->id.start_ticks);
    int_field(w, "ppid", p->ppid);
    index_field(w, "parent", p->parent);
    int_field(w, "group", p->pgrp);
    int_field(w, "session", p->session);
    some_field(w, "tracer", p->tracer);
    int_field(w, "uid", p->uid);
    int_field(w, "depth", p->depth);
    state_field(w, p->state);
    bool_field(w, "terminal", p->terminal);
    bool_field(w, "frozen", p->frozen);
    json_field(t, w, "role", p->role);
    json_field(t, w, "name", p->name);
    json_field(t, w, "command", p->command);
    json_field(t, w, "program", p->program);
    json_field(t, w, "folder", p->cwd);
    json_field(t, w, "control_group", p->cgroup);
    json_key_c(w, "does");
    json_cstr(w, does_process(t, p));
}

static void write_usage(struct json_writer *w, const struct dump_process *p)
{
    int_field(w, "age_ms", p->age / NS_PER_MS);
    share_field(w, p->share);
    bool_field(w, "runaway", p->runaway);
    int_field(w, "user_ms", (long long)p->user_ms);
    int_field(w, "system_ms", (long long)p->system_ms);
    int_field(w, "resident", (long long)p->resident);
    signals_field(w, "pending", p->pending);
    signals_field(w, "ignored", p->ignored);
    signals_field(w, "caught", p->caught);
}

void json_process(struct telling *t, struct json_writer *w, uint32_t process,
                  const struct fold_stacks *stacks, uint32_t first_thread)
{
    const struct dump_process *p = &t->dump->processes[process];

    json_object(w);
    write_identity(t, w, p);
    write_usage(w, p);
    json_key_c(w, "threads");
    json_array(w);
    for (uint32_t i = 0; i < p->thread_count; i++)
        write_thread(t, w, p, &p->threads[i], stacks->of[first_thread + i]);
    json_array_end(w);
    int_field(w, "threads_more", p->threads_more);
    write_fds(t, w, p);
    write_locks_and_limits(t, w, p);
    json_field(t, w, "runtime", dump_runtime_words[p->runtime]);
    json_field(t, w, "runtime_says", p->runtime_says);
    json_field(t, w, "runtime_why_not", p->runtime_why_not);
    json_field(t, w, "why_no_stacks", p->why_no_stacks);
    json_field(t, w, "unread", p->unread);
    json_object_end(w);
}
