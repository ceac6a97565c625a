#include "runner/core_words.h"

#include "runner/base/core.h"
#include "runner/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COARSE (20 * NS_PER_MS) /* by so much times of files may be behind the clock */

/* A stop in between would make it seem older: then a file that is older is not named. */
static nanos begun(const struct session *s, const struct slot *slot)
{
    return clock_wall() - (watch_now(s->watch) - slot->started) - COARSE;
}

/* In a namespace of its own it is called otherwise. */
static pid_t own_number(const struct session *s, const struct slot *slot)
{
    bool inside = contain_kind(s->contain) == CONTAIN_PIDNS && !slot->recipe.debugged;

    return inside ? 0 : slot->pid;
}

static const char *find_file(const struct session *s, struct slot *slot, const struct core_pattern *pattern)
{
    const char *cwd = slot->recipe.spec.cwd, *found = NULL;
    char *folder = realpath(cwd ? cwd : ".", NULL);
    struct buf path = {0};
    struct core_of of = {
        .pid = own_number(s, slot),
        .signal = slot->ending.signal,
        .cwd = folder ? folder : ".",
        .since = begun(s, slot),
    };

    if (core_find(&path, pattern, &of))
        found = arena_cstr(&slot->arena, buf_str(&path));
    buf_release(&path);
    free(folder);
    return found;
}

const char *core_file(struct session *s, struct slot *slot)
{
    struct core_pattern pattern;

    if (!slot->ending.core || !core_pattern_read(&pattern) || core_way(&pattern) != CORE_IN_FILE)
        return NULL;
    return find_file(s, slot, &pattern);
}

static const char *in_file(const struct session *s, struct slot *slot, const struct core_pattern *pattern)
{
    const char *path = find_file(s, slot, pattern);

    return path
               ? arena_printf(&slot->arena, "its core is '%s': gdb %s %s", path, slot->recipe.spec.path, path)
               : arena_printf(
                     &slot->arena,
                     "a core was dumped to '%s' (/proc/sys/kernel/core_pattern), and is not found there",
                     pattern->text);
}

static const char *to_program(struct slot *slot, const struct core_pattern *pattern)
{
    const char *program = pattern->text + 1 + strspn(pattern->text + 1, " ");
    int length = (int)strcspn(program, " ");

    if (strstr(program, "systemd-coredump"))
        return arena_printf(&slot->arena, "its core: coredumpctl gdb %d", slot->pid);
    return arena_printf(&slot->arena, "its core was handed to '%.*s' (/proc/sys/kernel/core_pattern)", length,
                        program);
}

const char *core_words(struct session *s, struct slot *slot)
{
    struct core_pattern pattern;

    if (!slot->ending.core || !core_pattern_read(&pattern))
        return NULL;
    switch (core_way(&pattern)) {
    case CORE_IN_FILE: return in_file(s, slot, &pattern);
    case CORE_TO_PROGRAM: return to_program(slot, &pattern);
    case CORE_TO_SOCKET: break;
    }
    return arena_printf(&slot->arena, "its core was handed to the socket '%s'", pattern.text + 1);
}
