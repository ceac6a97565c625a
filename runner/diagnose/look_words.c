/* A system call as a line that a person reads. */
#include "runner/diagnose/look.h"

#include "runner/base/decimal.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TARGET_MOST 200 /* bytes of a name */
#define LISTED_MOST 8   /* descriptors of a poll */
#define PIECE       256 /* of a path, that is read at a time: never over the end of a page that is there */

/* ---- addresses ---- */

static const char *inet_words(struct arena *arena, int family, const void *host, in_port_t port)
{
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(family, host, text, sizeof text);
    return arena_printf(arena, family == AF_INET ? "%s:%u" : "[%s]:%u", text, ntohs(port));
}

/* A name may end without a NUL; one that begins with it is in no folder. */
static const char *unix_words(struct arena *arena, const struct sockaddr_un *address, size_t length)
{
    const char *path = address->sun_path;
    size_t size = length - offsetof(struct sockaddr_un, sun_path);

    if (!size)
        return NULL;
    if (*path)
        return arena_cstr(arena, (struct str){path, strnlen(path, size)});
    return arena_printf(arena, "@%.*s", (int)size - 1, path + 1);
}

const char *look_address(struct arena *arena, const void *address, size_t length)
{
    union {
        struct sockaddr_storage any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    } is = {.any.ss_family = AF_UNSPEC};

    memcpy(&is, address, length < sizeof is ? length : sizeof is);
    if (is.any.ss_family == AF_INET && length >= sizeof is.v4)
        return inet_words(arena, AF_INET, &is.v4.sin_addr, is.v4.sin_port);
    if (is.any.ss_family == AF_INET6 && length >= offsetof(struct sockaddr_in6, sin6_scope_id))
        return inet_words(arena, AF_INET6, &is.v6.sin6_addr, is.v6.sin6_port);
    if (is.any.ss_family == AF_UNIX && length <= sizeof is.un &&
        length >= offsetof(struct sockaddr_un, sun_path))
        return unix_words(arena, &is.un, length);
    return NULL;
}

/* ---- arguments ---- */

static void add_fd(struct buf *out, int task, int fd)
{
    char path[32], target[PATH_MAX];
    ssize_t len;

    if (fd == AT_FDCWD) {
        buf_adds(out, "AT_FDCWD");
        return;
    }
    snprintf(path, sizeof path, "fd/%d", fd);
    len = readlinkat(task, path, target, sizeof target);
    buf_addf(out, "%d", fd);
    if (len <= 0)
        return;
    buf_addc(out, ' ');
    buf_addstr(out, utf8_cut((struct str){target, (size_t)len}, TARGET_MOST));
    if (len > TARGET_MOST)
        buf_adds(out, "…");
}

static void add_fds(struct buf *out, const struct dump_call *call, int task)
{
    buf_addc(out, '[');
    for (uint32_t i = 0; i < call->fd_count && i < LISTED_MOST; i++) {
        buf_adds(out, i ? ", " : "");
        add_fd(out, task, call->fds[i]);
    }
    buf_adds(out, call->fd_count > LISTED_MOST ? ", …]" : "]");
}

static void add_pointer(struct buf *out, uint64_t pointer)
{
    if (pointer)
        buf_addf(out, "0x%" PRIx64, pointer);
    else
        buf_adds(out, "NULL");
}

static void add_time(struct buf *out, int task, uint64_t pointer)
{
    struct timespec time;
    char number[DECIMAL_SIZE];

    if (!pointer || !look_memory(task, pointer, &time, sizeof time)) {
        add_pointer(out, pointer);
        return;
    }
    buf_adds(out, decimal_shortest(number, (double)time.tv_sec + (double)time.tv_nsec / 1e9));
    buf_adds(out, " s");
}

static bool read_path(struct buf *out, int task, uint64_t pointer)
{
    char piece[PIECE];
    size_t here, length, told = 0;

    do {
        here = PIECE - (pointer + told) % PIECE;
        if (!look_memory(task, pointer + told, piece, here))
            break;
        length = strnlen(piece, here);
        buf_add(out, piece, length);
        told += here;
    } while (length == here && told < PATH_MAX);
    return told > 0;
}

const char *look_path(struct look *look, int task, uint64_t pointer)
{
    struct buf path = {0};
    const char *text = read_path(&path, task, pointer) ? arena_cstr(look->arena, buf_str(&path)) : NULL;

    buf_release(&path);
    return text;
}

static void add_path(struct buf *out, int task, uint64_t pointer)
{
    struct buf path = {0};

    if (read_path(&path, task, pointer)) {
        buf_addc(out, '"');
        buf_addstr(out, buf_str(&path));
        buf_addc(out, '"');
    } else {
        add_pointer(out, pointer);
    }
    buf_release(&path);
}

static void add_word(struct buf *out, uint64_t value, const char *const *words, size_t count)
{
    if (value < count && words[value])
        buf_adds(out, words[value]);
    else
        buf_addf(out, "%" PRIu64, value);
}

static void add_futex(struct buf *out, uint64_t operation)
{
    static const char *const words[] = {
        [FUTEX_WAIT] = "FUTEX_WAIT",
        [FUTEX_WAKE] = "FUTEX_WAKE",
        [FUTEX_REQUEUE] = "FUTEX_REQUEUE",
        [FUTEX_CMP_REQUEUE] = "FUTEX_CMP_REQUEUE",
        [FUTEX_WAKE_OP] = "FUTEX_WAKE_OP",
        [FUTEX_LOCK_PI] = "FUTEX_LOCK_PI",
        [FUTEX_UNLOCK_PI] = "FUTEX_UNLOCK_PI",
        [FUTEX_TRYLOCK_PI] = "FUTEX_TRYLOCK_PI",
        [FUTEX_WAIT_BITSET] = "FUTEX_WAIT_BITSET",
        [FUTEX_WAKE_BITSET] = "FUTEX_WAKE_BITSET",
        [FUTEX_WAIT_REQUEUE_PI] = "FUTEX_WAIT_REQUEUE_PI",
        [FUTEX_CMP_REQUEUE_PI] = "FUTEX_CMP_REQUEUE_PI",
        [13] = "FUTEX_LOCK_PI2", /* older headers have no name for it */
    };

    add_word(out, operation & (uint64_t)FUTEX_CMD_MASK, words, ARRAY_LEN(words));
}

static void add_command(struct buf *out, uint64_t command)
{
    static const char *const words[] = {
        [F_DUPFD] = "F_DUPFD",         [F_GETFD] = "F_GETFD",           [F_SETFD] = "F_SETFD",
        [F_GETFL] = "F_GETFL",         [F_SETFL] = "F_SETFL",           [F_GETLK] = "F_GETLK",
        [F_SETLK] = "F_SETLK",         [F_SETLKW] = "F_SETLKW",         [F_OFD_GETLK] = "F_OFD_GETLK",
        [F_OFD_SETLK] = "F_OFD_SETLK", [F_OFD_SETLKW] = "F_OFD_SETLKW",
    };

    add_word(out, command, words, ARRAY_LEN(words));
}

static void add_lock(struct buf *out, uint64_t operation)
{
    static const char *const words[] = {
        [LOCK_SH] = "LOCK_SH",
        [LOCK_EX] = "LOCK_EX",
        [LOCK_UN] = "LOCK_UN",
    };

    add_word(out, operation, words, ARRAY_LEN(words));
}

static void add_child(struct buf *out, uint64_t kind, uint64_t id)
{
    static const char *const words[] = {"P_ALL", "P_PID", "P_PGID", "P_PIDFD"};

    add_word(out, kind, words, ARRAY_LEN(words));
    buf_addf(out, ", %" PRIu64, id);
}

static void add_address(struct look *look, struct buf *out, int task, uint64_t pointer, uint64_t length)
{
    struct sockaddr_storage address;
    const char *words = NULL;

    if (length <= sizeof address && look_memory(task, pointer, &address, (size_t)length))
        words = look_address(look->arena, &address, (size_t)length);
    if (words)
        buf_adds(out, words);
    else
        add_pointer(out, pointer);
}

static void add_argument(struct look *look, struct buf *out, const struct dump_call *call, char kind,
                         size_t at, int task)
{
    uint64_t value = call->args[at];

    switch (kind) {
    case 'd':
    case 'f': add_fd(out, task, (int)value); break;
    case 'P':
    case 'S': add_fds(out, call, task); break;
    case 'E':
        add_fd(out, task, (int)value);
        buf_adds(out, ", ");
        add_fds(out, call, task);
        break;
    case 'n': buf_addf(out, "%" PRIu64, value); break;
    case 'i':
    case 't':
    case 'W': buf_addf(out, "%d", (int)value); break;
    case 'x': buf_addf(out, "%#" PRIx64, value); break;
    case 'T': add_time(out, task, value); break;
    case 's': add_path(out, task, value); break;
    case 'F': add_futex(out, value); break;
    case 'c': add_command(out, value); break;
    case 'k': add_lock(out, value); break;
    case 'A': add_address(look, out, task, value, call->args[at + 1]); break;
    case 'I': add_child(out, call->args[at - 1], value); break;
    default: add_pointer(out, value);
    }
}

/* What the one before or behind it has told already. */
static bool is_told(const char *takes, size_t at)
{
    return takes[at + 1] == 'I' || (at && takes[at - 1] == 'A');
}

const char *look_words(struct look *look, const struct dump_call *call, const struct look_call *known,
                       int task)
{
    struct buf out = {0};
    const char *words;
    bool any = false;

    if (!known)
        return arena_printf(look->arena, "system call %d", call->number);
    buf_addf(&out, "%s(", known->name);
    for (size_t i = 0; known->takes[i]; i++) {
        if (is_told(known->takes, i))
            continue;
        buf_adds(&out, any ? ", " : "");
        add_argument(look, &out, call, known->takes[i], i, task);
        any = true;
    }
    buf_addc(&out, ')');
    words = arena_cstr(look->arena, buf_str(&out));
    buf_release(&out);
    return words;
}
