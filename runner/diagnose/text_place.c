#include "runner/diagnose/telling.h"

#include <string.h>

/* Names of libraries below what anybody writes a test of. */
static const char *const system_modules[] = {
    "libc.so",  "libc-2",    "libpthread", "ld-linux", "ld-2",       "libm.so",   "librt.",
    "libdl.",   "libstdc++", "libgcc_s",   "libc++",   "linux-vdso", "[vdso]",    "[vsyscall]",
    "libasan.", "libtsan.",  "libubsan.",  "liblsan.", "ld-musl",    "libc.musl",
};

/* Where sources lie of what was compiled into a program and is nobody's own: libc, headers, the libraries of languages. */
static const char *const system_files[] = {
    "../sysdeps/", "./nptl/",     "/usr/include/",      "/usr/lib/gcc/",
    "/rustc/",     "/usr/lib/go", "/usr/local/go/src/",
};

/* Of a program that has libc within, and no lines. */
static const char system_functions[] =
    " read write readv writev pread64 pwrite64 poll ppoll select pselect accept accept4 "
    "connect recv recvfrom recvmsg send sendto sendmsg epoll_wait epoll_pwait wait wait3 "
    "wait4 waitpid waitid pause sleep usleep nanosleep clock_nanosleep sigsuspend sigwait "
    "sigwaitinfo sigtimedwait flock lockf fcntl fcntl64 open openat fgets fread fwrite "
    "getline getdelim syscall ioctl tgkill raise abort futex_wait sem_wait msgrcv msgsnd "
    "semop ";

/* The part of a path behind the last slash. */
static const char *basename_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool begins_with_any(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; text && i < count; i++)
        if (strncmp(text, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}
#define BEGINS_WITH_ANY(text, words) begins_with_any((text), (words), sizeof(words) / sizeof(words)[0])

static bool is_system_function(const char *name)
{
    size_t length = name ? strlen(name) : 0;
    const char *at;

    if (!name)
        return false;
    if (strncmp(name, "__", 2) == 0 || strncmp(name, "pthread_", 8) == 0 || strncmp(name, "runtime.", 8) == 0)
        return true;
    for (at = strstr(system_functions, name); at && length; at = strstr(at + 1, name))
        if (at > system_functions && at[-1] == ' ' && at[length] == ' ')
            return true;
    return false;
}

/* "./io/../sysdeps/unix/sysv/linux/read.c", as libc is built. */
static bool is_system_file(const char *file)
{
    return BEGINS_WITH_ANY(file, system_files) ||
           (strncmp(file, "./", 2) == 0 && strstr(file, "/../sysdeps/"));
}

/* A name alone says something only where there is no line: people have a function `wait` of their own. */
static bool is_system(const struct stack_frame *frame)
{
    if (frame->module && BEGINS_WITH_ANY(basename_of(frame->module), system_modules))
        return true;
    return frame->file ? is_system_file(frame->file) : is_system_function(frame->function);
}

/* Of librunmatrix, as far as a frame alone can tell: people may have such folders, too. */
static bool may_be_library(const struct stack_frame *frame)
{
    return frame->file && (strstr(frame->file, "fixtures/") || strstr(frame->file, "backends/") ||
                           strstr(frame->file, "runner/base/"));
}

static bool begins(const char *text, const char *with)
{
    return text && strncmp(text, with, strlen(with)) == 0;
}

/*
 * What run_matrix.h makes of a test, a fixture or an actor: its body, and the function that calls that, which is theirs by its
 * place.
 */
#define BODY   "mx_body_"
#define ACTOR  "mx_act_"
#define CALLER "mx_call_"

bool place_is_caller(const struct stack_frame *frame)
{
    return begins(frame->function, CALLER);
}

const char *place_function(const struct stack_frame *frame)
{
    static const char *const made[] = {BODY, ACTOR, CALLER};

    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        if (begins(frame->function, made[i]))
            return frame->function + strlen(made[i]);
    return frame->function;
}

static bool is_library_door(const struct stack_frame *frame)
{
    return begins(frame->function, "mx_") && place_function(frame) == frame->function;
}

static bool is_body(const struct stack_frame *frame)
{
    return place_function(frame) != frame->function;
}

/*
 * How many frames, from the innermost on, are not theirs. A test that calls librunmatrix, which waits, stands in its own function:
 * what is called may_be_library is only so when the door of that is further out.
 */
static uint32_t count_strange(const struct stack_thread *stack)
{
    uint32_t strange = 0, at = 0;

    while (strange < stack->frame_count && is_system(&stack->frames[strange]))
        strange++;
    for (at = strange; at < stack->frame_count; at++) {
        const struct stack_frame *frame = &stack->frames[at];

        if (is_library_door(frame))
            strange = at + 1;
        else if (is_body(frame) || (!is_system(frame) && !may_be_library(frame)))
            break;
    }
    return strange;
}

/* A fixture that is set up there stands in a function of its own; further out is whoever was forked to become that. */
bool place_is_server(const struct dump_thread *thread)
{
    const struct stack_thread *stack = thread->stack;
    const struct stack_frame *frame = NULL;

    if (!stack || !thread->name || strcmp(thread->name, "rm-forkserver") != 0)
        return false;
    for (uint32_t i = 0; i < stack->frame_count && !frame; i++)
        if (!is_system(&stack->frames[i]))
            frame = &stack->frames[i];
    if (!frame)
        return false;
    return frame->file ? strstr(frame->file, "backends/") != NULL
                       : begins(frame->function, "wire_") || begins(frame->function, "serve_");
}

const struct stack_frame *place_of(const struct dump_thread *thread)
{
    const struct stack_thread *stack = thread->stack;
    uint32_t at = stack ? count_strange(stack) : 0;

    return stack && at < stack->frame_count && !place_is_server(thread) ? &stack->frames[at] : NULL;
}

static const struct {
    const char *part, *words;
} primitives[] = {
    {"mutex_lock", "waits for a mutex"},
    {"mutex_timedlock", "waits for a mutex"},
    {"mutex_clocklock", "waits for a mutex"},
    {"mutex::lock", "waits for a mutex"},
    {"cond_wait", "waits for a condition"},
    {"cond_timedwait", "waits for a condition"},
    {"cond_clockwait", "waits for a condition"},
    {"condition_variable::wait", "waits for a condition"},
    {"cnd_wait", "waits for a condition"},
    {"pthread_join", PRIMITIVE_JOIN},
    {"clockjoin", PRIMITIVE_JOIN},
    {"timedjoin", PRIMITIVE_JOIN},
    {"thread::join", PRIMITIVE_JOIN},
    {"thrd_join", PRIMITIVE_JOIN},
    {"sem_wait", "waits at a semaphore"},
    {"sem_timedwait", "waits at a semaphore"},
    {"sem_clockwait", "waits at a semaphore"},
    {"rwlock_rdlock", "waits to read-lock a rwlock"},
    {"rwlock_wrlock", "waits to write-lock a rwlock"},
    {"barrier_wait", "waits at a barrier"},
    {"pthread_once", "waits for a pthread_once"},
    {"lll_lock_wait", "waits for a lock"},
};

/* Only what libc does for them counts: a function of theirs may be called mutex_lock_all. */
const char *place_primitive(const struct dump_thread *thread)
{
    const struct stack_thread *stack = thread->stack;

    for (uint32_t at = stack ? count_strange(stack) : 0; at-- > 0;) {
        const char *function = stack->frames[at].function;

        for (size_t i = 0; function && i < sizeof primitives / sizeof primitives[0]; i++)
            if (strstr(function, primitives[i].part))
                return primitives[i].words;
    }
    return NULL;
}

const char *place_callee(const struct dump_thread *thread)
{
    const struct stack_thread *stack = thread->stack;
    uint32_t at = stack ? count_strange(stack) : 0;
    const char *function = at ? stack->frames[at - 1].function : NULL;

    while (function && *function == '_')
        function++;
    return function && *function ? function : NULL;
}

/* ---- one place for all of them ---- */

static bool add_runtime_place(const struct dump_process *process, struct buf *out)
{
    struct runtime_place place;

    if (process->runtime == RUNTIME_NONE || !process->runtime_says || !runtime_place(process, &place))
        return false;
    buf_addf(out, "%.*s at %.*s:%u", STR_ARG(place.function), STR_ARG(place.file), place.line);
    return true;
}

static bool add_native_place(const struct dump_process *process, struct buf *out)
{
    for (uint32_t i = 0; i < process->thread_count; i++) {
        const struct stack_frame *frame = place_of(&process->threads[i]);

        if (!frame || !place_function(frame))
            continue;
        buf_adds(out, place_function(frame));
        if (frame->file)
            buf_addf(out, " at %s:%u", frame->file, frame->line);
        return true;
    }
    return false;
}

bool dump_place(const struct dump *dump, struct buf *out)
{
    for (uint32_t i = dump->process_count; i-- > 0;)
        if (add_runtime_place(&dump->processes[i], out) || add_native_place(&dump->processes[i], out))
            return true;
    return false;
}
