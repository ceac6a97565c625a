/* Sources to objects. */
#include "runner/compile_internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPENDS_MOST ((size_t)16 << 20)

/* ---- a unit ---- */

const char *compile_seen(const struct compiler *c, const char *path)
{
    size_t len = strlen(c->wish->folder);

    return strncmp(path, c->wish->folder, len) == 0 && *path != '/' ? path + len : path;
}

const char *compile_stem(struct compiler *c, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    return arena_printf(c->arena, "%.*s", (int)(strlen(name) - strlen(".c")), name);
}

static struct flags flags_of(struct compiler *c, const struct wished *wished)
{
    struct flags flags = {0};

    flags_append(c->arena, &flags, &c->cc);
    flags_add(c->arena, &flags, "-g");
    flags_add(c->arena, &flags, "-fPIC");
    flags_append(c->arena, &flags, &c->wish->cflags);
    flags_append(c->arena, &flags, &wished->cflags);
    flags_add(c->arena, &flags, arena_printf(c->arena, "-I%s", c->include));
    return flags;
}

static digest key_of(const struct compiler *c, const char *source, const struct flags *flags)
{
    digest key = digest_text(digest_digest(digest_text(digest_start(), "object"), c->identity), c->cwd);

    key = digest_text(key, source);
    for (uint32_t i = 0; i < flags->count; i++)
        key = digest_text(key, flags->list[i]);
    return key;
}

struct unit *compile_unit(struct compiler *c, const char *source, const struct wished *wished)
{
    struct flags flags = flags_of(c, wished);
    digest key = key_of(c, compile_seen(c, source), &flags);
    struct unit *unit;

    for (uint32_t i = 0; i < c->unit_count; i++)
        if (c->units[i]->key == key)
            return c->units[i];
    unit = ARENA_NEW(c->arena, struct unit);
    *unit = (struct unit){.key = key, .source = source, .flags = flags};
    unit->fresh = cache_load(&c->cache, key, c->arena, &unit->entry) &&
                  cache_is_fresh(&c->cache, key, &unit->entry, c->stamps);
    GROW(c->units, c->unit_count, c->unit_cap);
    c->units[c->unit_count++] = unit;
    return unit;
}

/* ---- what was made of what ---- */

bool compile_note_files(struct compiler *c, struct stamps *stamps, const struct flags *files,
                        struct entry *entry)
{
    bool still = true;
    struct stamp stamp;

    for (uint32_t i = 0; i < files->count; i++) {
        if (stamps_get(stamps, files->list[i], NULL, &stamp) < 0)
            still = false;
        else if (stamp.ctime >= c->began)
            still = false;
        entry_add(c->arena, entry, files->list[i], &stamp);
    }
    return still;
}

bool compile_keep(struct compiler *c, struct stamps *stamps, const char *temporary, const char *stem,
                  const char *ending, digest id, struct entry *entry)
{
    const char *path;

    entry->output = cache_name(c->arena, stem, id, ending);
    path = cache_path(&c->cache, c->arena, entry->output);
    c->made = true;
    return rename(temporary, path) == 0 && stamps_get(stamps, path, NULL, &entry->made) == 0;
}

/* By what it was made of. Where that changes just now, by nothing that could ever be asked for again. */
static digest id_of(const struct unit *unit, bool still)
{
    digest id = unit->key;

    for (uint32_t i = 0; i < unit->entry.count; i++)
        id = digest_digest(id, unit->entry.files[i].stamp.content);
    if (!still) {
        int64_t now[] = {clock_wall(), clock_now(), getpid()};

        id = digest_bytes(id, now, sizeof now);
    }
    return id;
}

static bool read_depends(struct compiler *c, struct unit *unit, struct flags *files)
{
    struct buf text = {0};
    bool read = file_read(unit->depends, &text, DEPENDS_MOST) == 0;

    if (read)
        depfile_read(c->arena, buf_str(&text), c->cwd, files);
    buf_release(&text);
    return read && files->count;
}

static void keep_unit(struct compiler *c, struct stamps *stamps, struct unit *unit)
{
    struct flags files = {0};
    bool still;

    unit->entry = (struct entry){.output = ""};
    if (!read_depends(c, unit, &files)) {
        unit->problem =
            arena_printf(c->arena, "'%s' did not say which files it has read (-MD)", c->cc.list[0]);
        return;
    }
    still = compile_note_files(c, stamps, &files, &unit->entry);
    unit->fresh = compile_keep(c, stamps, unit->object, compile_stem(c, unit->source), ".o",
                               id_of(unit, still), &unit->entry);
    if (!unit->fresh)
        unit->problem = arena_printf(c->arena, "what was compiled cannot be kept: %s", strerror(errno));
    else if (still)
        cache_save(&c->cache, unit->key, &unit->entry);
}

/* ---- all of them ---- */

static struct flags command_of(struct compiler *c, struct unit *unit)
{
    struct flags words = {0};
    const char *const rest[] = {"-MD", "-MT", "x", "-MF", unit->depends, "-c", "-o", unit->object};

    flags_append(c->arena, &words, &unit->flags);
    for (size_t i = 0; i < ARRAY_LEN(rest); i++)
        flags_add(c->arena, &words, rest[i]);
    flags_add(c->arena, &words, compile_seen(c, unit->source));
    return words;
}

/* It may take a while, and nothing else is said meanwhile. */
static void say(uint32_t count)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "compiling %u file%s\n", count, count == 1 ? "" : "s");
}

static void compile_stale(struct compiler *c, struct unit **stale, uint32_t count)
{
    struct compile_step *steps = ARENA_ARRAY(c->arena, struct compile_step, count);
    struct flags *words = ARENA_ARRAY(c->arena, struct flags, count);
    struct stamps *stamps;

    for (uint32_t i = 0; i < count; i++) {
        stale[i]->object = cache_temporary(&c->cache, c->arena, ".o");
        stale[i]->depends = cache_temporary(&c->cache, c->arena, ".d");
        words[i] = command_of(c, stale[i]);
        steps[i].words = &words[i];
    }
    say(count);
    compile_steps(c, steps, count);
    stamps = stamps_new(); /* as they are now */
    for (uint32_t i = 0; i < count; i++) {
        stale[i]->problem = steps[i].problem;
        stale[i]->words = steps[i].words_said;
        if (!steps[i].problem)
            keep_unit(c, stamps, stale[i]);
        unlink(stale[i]->object);
        unlink(stale[i]->depends);
    }
    stamps_free(stamps);
}

void compile_units(struct compiler *c, uint32_t first)
{
    struct unit **stale = ARENA_ARRAY(c->arena, struct unit *, c->unit_count - first);
    uint32_t count = 0;

    for (uint32_t i = first; i < c->unit_count; i++)
        if (!c->units[i]->fresh && !c->units[i]->problem)
            stale[count++] = c->units[i];
    if (count)
        compile_stale(c, stale, count);
}
