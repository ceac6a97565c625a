/* What a server is asked: whatever comes, it is refused, or all of it is there. */
#include "backends/request.h"
#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

static size_t touch(char *const *list)
{
    size_t size = 0;

    for (; list && *list; list++)
        size += strlen(*list);
    return size;
}

static size_t touch_text(const char *text)
{
    return text ? strlen(text) : 0;
}

static void look_at(const struct spawn_spec *spec)
{
    const char *const texts[] = {spec->path, spec->cwd, spec->module, spec->test, spec->title};
    volatile size_t size = touch(spec->argv) + touch(spec->envp);

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        size += touch_text(texts[i]);
    if (spec->room)
        size += touch_text(spec->room->tmp) + touch_text(spec->room->shm) + touch_text(spec->room->kept);
    for (uint32_t i = 0; i < spec->pass_count; i++)
        size += (size_t)spec->pass[i];
    if (spec->own_pid)
        memset(spec->own_pid, '1', SPAWN_PID_SIZE - 1); /* as the child will write there */
    (void)size;
}

/* What was taken in is sent on, and taken in again: the same. */
static void send_on(const struct spawn_spec *spec)
{
    struct wire_message message = {0};
    struct request request = {.ipc = -1};

    if (request_pack(&message, spec)) {
        if (!request_unpack(&request, &message))
            abort();
        if (touch(request.spec.argv) != touch(spec->argv) || touch(request.spec.envp) != touch(spec->envp))
            abort();
    }
    message.fd_count = 0; /* numbers alone */
    request_release(&request);
    wire_release(&message);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

/* The first byte is how many descriptors come along. */
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct wire_message message = {0};
    struct request request = {.ipc = -1};

    if (!size)
        return 0;
    message.fd_count = bytes[0] % WIRE_FDS_MOST;
    for (unsigned i = 0; i < message.fd_count; i++)
        message.fds[i] = 1000 + (int)i;
    buf_add(&message.body, bytes + 1, size - 1);
    if (request_unpack(&request, &message)) {
        look_at(&request.spec);
        send_on(&request.spec);
    }
    message.fd_count = 0;
    request_release(&request);
    wire_release(&message);
    return 0;
}
