#include "backends/request.h"

#include "runner/base/mem.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Descriptors are told by their place among those that come along, from 1; 0: none. */
struct packed_room {
    uint8_t is, has_anchor, wants_ipc;
    uint8_t pidfd, root, cwd;
    int32_t namespaces;
    uint32_t isolate;
};

struct packed {
    uint8_t session, apart, terminal, cgroup;
    uint8_t stdio[3], joined[2], pass[SPAWN_PASS_MOST];
    uint32_t pass_count, limit_count;
    struct spawn_limit limits[SPAWN_LIMITS_MOST];
    struct packed_room room;
    uint32_t texts; /* a bit for each that there is */
    uint32_t argc, envc;
    uint32_t own_pid; /* where in the environment, from its first byte on, and 1; 0: none */
};

/* Texts in their order: path, cwd, module, test, title, tmp, shm, kept; then arguments, then environment. */
enum text { TEXT_PATH, TEXT_CWD, TEXT_MODULE, TEXT_TEST, TEXT_TITLE, TEXT_TMP, TEXT_SHM, TEXT_KEPT, TEXTS };

/* ---- pack ---- */

static uint8_t carry(struct wire_message *message, int fd, bool is)
{
    if (!is || message->fd_count == WIRE_FDS_MOST)
        return 0;
    message->fds[message->fd_count++] = fd;
    return (uint8_t)message->fd_count;
}

static struct packed_room pack_room(struct wire_message *message, const struct spawn_room *room)
{
    const struct anchor *anchor = room ? room->anchor : NULL;
    bool has_mounts = anchor && anchor->root >= 0;

    if (!room)
        return (struct packed_room){0};
    return (struct packed_room){
        .is = true,
        .has_anchor = anchor != NULL,
        .wants_ipc = room->ipc != NULL,
        .pidfd = carry(message, anchor ? anchor->pidfd : -1, anchor),
        .root = carry(message, anchor ? anchor->root : -1, has_mounts),
        .cwd = carry(message, anchor ? anchor->cwd : -1, has_mounts),
        .namespaces = anchor ? anchor->namespaces : 0,
        .isolate = room->isolate,
    };
}

static uint32_t add_list(struct buf *body, char *const *list)
{
    uint32_t count = 0;

    for (; list && list[count]; count++)
        buf_add(body, list[count], strlen(list[count]) + 1);
    return count;
}

static uint32_t find_own_pid(const struct spawn_spec *spec)
{
    size_t offset = 1;

    for (char *const *entry = spec->envp; spec->own_pid && entry && *entry; entry++) {
        size_t size = strlen(*entry) + 1;

        if (spec->own_pid >= *entry && spec->own_pid < *entry + size)
            return (uint32_t)(offset + (size_t)(spec->own_pid - *entry));
        offset += size;
    }
    return 0;
}

static void pack_fds(struct wire_message *message, const struct spawn_spec *spec, struct packed *packed)
{
    for (int i = 0; i < 3; i++)
        packed->stdio[i] = carry(message, spec->stdio[i], spec->stdio[i] >= 0);
    packed->terminal = carry(message, spec->terminal, spec->session && spec->terminal >= 0);
    packed->cgroup = carry(message, spec->cgroup, spec->cgroup > 0);
    for (int i = 0; i < 2; i++)
        packed->joined[i] = carry(message, spec->joined[i], spec->joined[i] > 0);
    for (uint32_t i = 0; i < spec->pass_count; i++)
        packed->pass[i] = carry(message, spec->pass[i], true);
    packed->pass_count = spec->pass_count;
    packed->room = pack_room(message, spec->room);
}

bool request_pack(struct wire_message *message, const struct spawn_spec *spec)
{
    const struct spawn_room *room = spec->room;
    const char *const texts[TEXTS] = {
        [TEXT_PATH] = spec->path,
        [TEXT_CWD] = spec->cwd,
        [TEXT_MODULE] = spec->module,
        [TEXT_TEST] = spec->test,
        [TEXT_TITLE] = spec->title,
        [TEXT_TMP] = room ? room->tmp : NULL,
        [TEXT_SHM] = room ? room->shm : NULL,
        [TEXT_KEPT] = room ? room->kept : NULL,
    };
    struct packed packed;
    size_t at = message->body.len;

    memset(&packed, 0, sizeof packed); /* and what is between its members: it is sent */
    packed.session = spec->session;
    packed.apart = spec->apart;
    packed.limit_count = spec->limit_count;
    memcpy(packed.limits, spec->limits, spec->limit_count * sizeof *packed.limits);
    packed.own_pid = find_own_pid(spec);
    pack_fds(message, spec, &packed);
    buf_add(&message->body, &packed, sizeof packed);
    for (int i = 0; i < TEXTS; i++)
        if (texts[i]) {
            packed.texts |= 1u << i;
            buf_add(&message->body, texts[i], strlen(texts[i]) + 1);
        }
    packed.argc = add_list(&message->body, spec->argv);
    packed.envc = add_list(&message->body, spec->envp);
    memcpy(message->body.ptr + at, &packed, sizeof packed);
    if (message->fd_count < WIRE_FDS_MOST && message->body.len <= WIRE_BODY_MOST)
        return true;
    errno = E2BIG;
    return false;
}

/* ---- unpack ---- */

struct reader {
    const struct wire_message *message;
    char *at, *end;
    bool good;
};

static char *take_text(struct reader *r)
{
    char *text = r->at, *nul = r->good ? memchr(r->at, '\0', (size_t)(r->end - r->at)) : NULL;

    if (!nul) {
        r->good = false;
        return NULL;
    }
    r->at = nul + 1;
    return text;
}

static int take_fd(struct reader *r, uint8_t index, int none)
{
    if (!index)
        return none;
    if (index <= r->message->fd_count)
        return r->message->fds[index - 1];
    r->good = false;
    return none;
}

static void take_list(struct reader *r, char **list, uint32_t count)
{
    for (uint32_t i = 0; i < count && r->good; i++) {
        list[i] = take_text(r);
        r->good = r->good && list[i];
    }
}

static void take_fds(struct reader *r, const struct packed *packed, struct spawn_spec *spec)
{
    for (int i = 0; i < 3; i++)
        spec->stdio[i] = take_fd(r, packed->stdio[i], -1);
    spec->terminal = take_fd(r, packed->terminal, -1);
    spec->cgroup = take_fd(r, packed->cgroup, 0);
    for (int i = 0; i < 2; i++)
        spec->joined[i] = take_fd(r, packed->joined[i], 0);
    for (uint32_t i = 0; i < packed->pass_count; i++)
        spec->pass[i] = take_fd(r, packed->pass[i], -1);
    spec->pass_count = packed->pass_count;
}

static void take_room(struct reader *r, const struct packed_room *packed, struct request *request)
{
    request->anchor = (struct anchor){
        .pidfd = take_fd(r, packed->pidfd, -1),
        .namespaces = packed->namespaces,
        .pids = -1,
        .root = take_fd(r, packed->root, -1),
        .cwd = take_fd(r, packed->cwd, -1),
        .children = -1,
    };
    request->ipc = -1;
    request->room = (struct spawn_room){
        .anchor = packed->has_anchor ? &request->anchor : NULL,
        .isolate = packed->isolate,
        .ipc = packed->wants_ipc ? &request->ipc : NULL,
    };
    request->spec.room = packed->is ? &request->room : NULL;
}

static void take_texts(struct reader *r, uint32_t is, struct request *request)
{
    struct spawn_spec *spec = &request->spec;
    const char **const texts[TEXTS] = {
        [TEXT_PATH] = &spec->path,       [TEXT_CWD] = &spec->cwd,           [TEXT_MODULE] = &spec->module,
        [TEXT_TEST] = &spec->test,       [TEXT_TITLE] = &spec->title,       [TEXT_TMP] = &request->room.tmp,
        [TEXT_SHM] = &request->room.shm, [TEXT_KEPT] = &request->room.kept,
    };

    for (int i = 0; i < TEXTS; i++)
        *texts[i] = is & 1u << i ? take_text(r) : NULL;
}

/* Each text has a byte at least: so there are not more of them than bytes. */
static bool make_room(struct request *request, const struct reader *r, const struct packed *packed)
{
    size_t left = (size_t)(r->end - r->at), wanted = (size_t)packed->argc + packed->envc + 2;

    if (packed->argc > left || packed->envc > left)
        return false;
    if (wanted > request->capacity) {
        free(request->strings);
        request->strings = mem_zero(wanted, sizeof *request->strings);
        request->capacity = wanted;
    }
    return true;
}

static void take_lists(struct reader *r, const struct packed *packed, struct request *request)
{
    char **argv = request->strings, **envp = argv + packed->argc + 1;
    char *environment;

    take_list(r, argv, packed->argc);
    environment = r->at;
    take_list(r, envp, packed->envc);
    argv[packed->argc] = envp[packed->envc] = NULL;
    request->spec.argv = argv;
    request->spec.envp = envp;
    if (!packed->own_pid)
        return;
    request->spec.own_pid = environment + packed->own_pid - 1;
    r->good = r->good && packed->own_pid <= (size_t)(r->end - environment) &&
              strlen(request->spec.own_pid) + 1 >= SPAWN_PID_SIZE;
}

static bool counts_fit(const struct packed *packed)
{
    return packed->pass_count <= SPAWN_PASS_MOST && packed->limit_count <= SPAWN_LIMITS_MOST;
}

bool request_unpack(struct request *request, struct wire_message *message)
{
    struct reader r = {message, message->body.ptr, message->body.ptr + message->body.len, true};
    struct packed packed;

    if (message->body.len < sizeof packed)
        return false;
    memcpy(&packed, r.at, sizeof packed);
    r.at += sizeof packed;
    if (!counts_fit(&packed))
        return false;
    request->spec = (struct spawn_spec){
        .session = packed.session,
        .apart = packed.apart,
        .limit_count = packed.limit_count,
    };
    memcpy(request->spec.limits, packed.limits, packed.limit_count * sizeof *packed.limits);
    take_fds(&r, &packed, &request->spec);
    take_room(&r, &packed.room, request);
    take_texts(&r, packed.texts, request);
    if (!r.good || !make_room(request, &r, &packed))
        return false;
    take_lists(&r, &packed, request);
    return r.good && r.at == r.end && (request->spec.test || request->spec.path);
}

void request_release(struct request *request)
{
    free(request->strings);
    *request = (struct request){.ipc = -1};
}
