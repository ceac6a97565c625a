/* The record of what a run holds. */
#include "runner/remains/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA      1
#define TEMPORARY   ".held.json"
#define RECORD_MOST ((size_t)64 << 20) /* names of all that was in /tmp */
#define BOOT_SIZE   40

static const struct {
    const char *key;
    size_t offset;
} texts[] =
    {
        {"containment", offsetof(struct held, containment)},
        {"cgroup", offsetof(struct held, cgroup)},
        {"legacy-processes", offsetof(struct held, legacy[0])},
        {"legacy-memory", offsetof(struct held, legacy[1])},
        {"tmp", offsetof(struct held, tmp)},
        {"masked", offsetof(struct held, masked)},
},
  ids[] = {
      {"guard", offsetof(struct held, guard)},
      {"runner", offsetof(struct held, runner)},
      {"keeper", offsetof(struct held, keeper)},
};

/* ---- writing ---- */

static void add_text(struct json_writer *json, const char *key, const char *text)
{
    if (!text)
        return;
    json_key_c(json, key);
    json_cstr(json, text);
}

static void add_id(struct json_writer *json, const char *key, struct proc_id id)
{
    if (!id.pid)
        return;
    json_key_c(json, key);
    json_object(json);
    json_key_c(json, "pid");
    json_int(json, id.pid);
    json_key_c(json, "start");
    json_int(json, (long long)id.start_ticks);
    json_object_end(json);
}

static void add_all(struct json_writer *json, const struct held *held)
{
    char boot[BOOT_SIZE];

    json_object(json);
    json_key_c(json, "schema");
    json_int(json, SCHEMA);
    json_key_c(json, "run");
    json_str(json, held->run);
    if (proc_boot_id(boot))
        add_text(json, "boot", boot);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        add_text(json, texts[i].key, *(const char *const *)((const char *)held + texts[i].offset));
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        add_id(json, ids[i].key, *(const struct proc_id *)((const char *)held + ids[i].offset));
    if (held->last_sign) {
        json_key_c(json, "last-sign");
        json_int(json, held->last_sign);
    }
    if (held->world) {
        json_key_c(json, "world");
        world_write(held->world, json);
    }
    json_object_end(json);
}

/* Not synced: it tells of processes, and there are none after a power cut. */
static int replace(int run, struct str content)
{
    int fd = openat(run, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int result;

    if (fd < 0)
        return -1;
    result = fd_write_all(fd, content.ptr, content.len);
    if (close(fd) < 0 || result < 0)
        return -1;
    return renameat(run, TEMPORARY, run, REMAINS_NAME);
}

int held_write(int run, const struct held *held)
{
    struct buf out = {0};
    struct json_writer json = {.out = &out};
    int result;

    add_all(&json, held);
    buf_addc(&out, '\n');
    result = replace(run, buf_str(&out));
    buf_release(&out);
    return result;
}

int held_remove(int run)
{
    unlinkat(run, TEMPORARY, 0);
    return unlinkat(run, REMAINS_NAME, 0) == 0 || errno == ENOENT ? 0 : -1;
}

/* ---- reading ---- */

struct record {
    struct json_reader json;
    struct arena *arena;
    struct held *held;
    char boot[BOOT_SIZE];
};

static bool skip_value(struct record *r)
{
    int depth = 0;

    do {
        switch (json_next(&r->json)) {
        case JSON_OBJECT:
        case JSON_ARRAY: depth++; break;
        case JSON_OBJECT_END:
        case JSON_ARRAY_END: depth--; break;
        case JSON_END:
        case JSON_ERROR: return false;
        default: break;
        }
    } while (depth > 0);
    return depth == 0;
}

static bool read_text(struct record *r, const char **into)
{
    if (json_next(&r->json) != JSON_STRING || memchr(r->json.text.ptr, '\0', r->json.text.len))
        return false;
    *into = arena_cstr(r->arena, r->json.text);
    return true;
}

static bool read_number(struct record *r, uint64_t most, uint64_t *into)
{
    if (json_next(&r->json) != JSON_NUMBER || !(r->json.number >= 0 && r->json.number <= (double)most))
        return false;
    *into = (uint64_t)r->json.number;
    return true;
}

static bool read_id(struct record *r, struct proc_id *id)
{
    uint64_t pid = 0;
    enum json_token token;

    if (json_next(&r->json) != JSON_OBJECT)
        return false;
    while ((token = json_next(&r->json)) == JSON_KEY) {
        bool known = str_is(r->json.text, "pid")     ? read_number(r, INT32_MAX, &pid)
                     : str_is(r->json.text, "start") ? read_number(r, 1ULL << 53, &id->start_ticks)
                                                     : skip_value(r);

        if (!known)
            return false;
    }
    id->pid = (pid_t)pid;
    return token == JSON_OBJECT_END;
}

/* A text of its own, that is there as long as the world is. */
static bool read_world(struct record *r)
{
    size_t from = r->json.at;
    struct str text;

    if (!skip_value(r))
        return false;
    text = arena_str(r->arena, str_trim(str_slice(r->json.input, from, r->json.at)));
    world_free(r->held->world);
    r->held->world = world_read(text, r->arena);
    return true;
}

static bool read_boot(struct record *r)
{
    const char *text;

    if (!read_text(r, &text) || strlen(text) >= sizeof r->boot)
        return false;
    strcpy(r->boot, text);
    return true;
}

/* The value of the key that was just read. What is not known is of a later version. */
static bool read_member(struct record *r)
{
    struct str key = r->json.text;
    const char *run;
    uint64_t last_sign;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (str_is(key, texts[i].key))
            return read_text(r, (const char **)((char *)r->held + texts[i].offset));
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        if (str_is(key, ids[i].key))
            return read_id(r, (struct proc_id *)((char *)r->held + ids[i].offset));
    if (str_is(key, "world"))
        return read_world(r);
    if (str_is(key, "boot"))
        return read_boot(r);
    if (str_is(key, "last-sign")) {
        bool read = read_number(r, INT64_MAX / 2, &last_sign);

        r->held->last_sign = read ? (nanos)last_sign : 0;
        return read;
    }
    if (!str_is(key, "run"))
        return skip_value(r);
    if (!read_text(r, &run))
        return false;
    r->held->run = str_of(run);
    return true;
}

static bool read_record(struct record *r)
{
    char boot[BOOT_SIZE];
    enum json_token token;

    if (json_next(&r->json) != JSON_OBJECT)
        return false;
    while ((token = json_next(&r->json)) == JSON_KEY)
        if (!read_member(r))
            return false;
    r->held->rebooted = proc_boot_id(boot) && r->boot[0] && strcmp(boot, r->boot) != 0;
    return token == JSON_OBJECT_END && json_next(&r->json) == JSON_END;
}

/* Whoever could write it says what is to be killed: it must be one of us. */
static bool read_own(int run, struct buf *content)
{
    int fd = openat(run, REMAINS_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
              fd_read_all(fd, content, RECORD_MOST) == 0;

    fd_close(&fd);
    return ok;
}

bool held_read(int run, struct arena *arena, struct held *held)
{
    struct record r = {.arena = arena, .held = held};
    struct buf content = {0};
    bool ok;

    *held = (struct held){0};
    ok = read_own(run, &content);
    r.json.input = buf_str(&content);
    ok = ok && read_record(&r);
    json_reader_release(&r.json);
    buf_release(&content);
    if (!ok)
        held_release(held);
    return ok;
}

void held_release(struct held *held)
{
    world_free(held->world);
    *held = (struct held){0};
}
