#include "runner/compile.h"

#include "runner/base/mem.h"
#include "runner/compile_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- of what a module is made ---- */

static void add_unit(struct compiler *c, struct module_plan *m, const char *source,
                     const struct wished *wished)
{
    if (m->unit_count == m->unit_cap) {
        uint32_t cap = m->unit_cap ? m->unit_cap * 2 : 4;
        struct unit **units = ARENA_ARRAY(c->arena, struct unit *, cap);

        if (m->unit_count)
            memcpy(units, m->units, m->unit_count * sizeof *units);
        m->units = units;
        m->unit_cap = cap;
    }
    m->units[m->unit_count++] = compile_unit(c, source, wished);
}

static const char *seen_from_here(const struct compiler *c, const char *path)
{
    return *path == '/' ? path : arena_printf(c->arena, "%s%s", c->wish->folder, path);
}

/* A file of C with what it wishes for the whole: other sources, libraries. */
static bool add_source(struct compiler *c, struct module_plan *m, const char *source)
{
    const struct wished *wished = compile_wished(c, source);

    if (wished->problem) {
        m->result->problem = wished->problem;
        m->result->words = wished->words;
        return false;
    }
    add_unit(c, m, source, wished);
    for (uint32_t i = 0; i < wished->wish.sources.count; i++)
        add_unit(c, m, seen_from_here(c, wished->wish.sources.list[i]), wished);
    flags_append(c->arena, &m->cflags, &wished->cflags);
    flags_append(c->arena, &m->libs, &wished->wish.ldflags);
    flags_append(c->arena, &m->libs, &wished->libs);
    return true;
}

static const struct folder_fixtures *fixtures_beside(struct compiler *c, const char *source)
{
    const char *slash = strrchr(source, '/');
    struct str folder = {source, slash ? (size_t)(slash + 1 - source) : 0};
    struct folder_fixtures *fixtures = &c->fixtures;

    if (!fixtures->folder.ptr || !str_eq(fixtures->folder, folder)) {
        fixtures->folder = folder;
        fixtures->error = sources_fixtures(c->arena, source, &fixtures->paths, &fixtures->count);
    }
    return fixtures;
}

static bool add_fixtures(struct compiler *c, struct module_plan *m)
{
    const struct folder_fixtures *fixtures = fixtures_beside(c, m->result->source);

    if (fixtures->error)
        m->result->problem =
            arena_printf(c->arena, "the folder of '%s': %s", m->result->source, strerror(fixtures->error));
    for (size_t i = 0; i < fixtures->count && !m->result->problem; i++)
        if (strcmp(fixtures->paths[i].ptr, m->result->source) != 0)
            add_source(c, m, fixtures->paths[i].ptr);
    return !m->result->problem;
}

static void plan_module(struct compiler *c, struct module_plan *m)
{
    flags_append(c->arena, &m->cflags, &c->wish->cflags);
    if (!add_source(c, m, m->result->source) || !add_fixtures(c, m))
        return;
    /* A sanitizer has to be there from the beginning of a process. */
    m->program = flags_have(&c->cc, "-fsanitize=") || flags_have(&m->cflags, "-fsanitize=") ||
                 flags_have(&m->libs, "-fsanitize=");
}

/* ---- linking ---- */

static struct flags link_of(struct compiler *c, const struct module_plan *m)
{
    struct flags words = {0};

    flags_append(c->arena, &words, &c->cc);
    if (!m->program)
        flags_add(c->arena, &words, "-shared");
    flags_append(c->arena, &words, &m->cflags);
    for (uint32_t i = 0; i < m->unit_count; i++)
        flags_add(c->arena, &words, cache_path(&c->cache, c->arena, m->units[i]->entry.output));
    flags_add(c->arena, &words, c->library);
    flags_append(c->arena, &words, &m->libs);
    /* What is missing is said here and not when it is loaded, and looked up once and not in each forked test. */
    flags_add(c->arena, &words, "-Wl,-z,now");
    if (!m->program) {
        flags_add(c->arena, &words, "-Wl,-z,defs");
        flags_add(c->arena, &words,
                  "-Wl,-u,mx_module"); /* also of a file without tests: it can say so then */
    }
    flags_add(c->arena, &words, "-Wl,--trace");
    return words;
}

static digest key_of_link(const struct compiler *c, const struct module_plan *m, const struct flags *words)
{
    digest key = digest_text(digest_digest(digest_text(digest_start(), "module"), c->identity), c->cwd);

    for (uint32_t i = 0; i < m->unit_count; i++)
        key = digest_digest(key, m->units[i]->entry.made.content);
    for (uint32_t i = 0; i < words->count; i++)
        key = digest_text(key, words->list[i]);
    return key;
}

static bool is_in_cache(const struct compiler *c, const char *path)
{
    return strncmp(path, c->cache.path, strlen(c->cache.path)) == 0;
}

static void keep_module(struct compiler *c, struct stamps *stamps, struct module_plan *m, struct str trace)
{
    struct flags all = {0}, files = {0};
    bool still;

    trace_read(c->arena, trace, c->cwd, &all);
    for (uint32_t i = 0; i < all.count; i++)
        if (!is_in_cache(c, all.list[i]))
            flags_add(c->arena, &files, all.list[i]);
    m->entry = (struct entry){.output = ""};
    still = compile_note_files(c, stamps, &files, &m->entry);
    m->fresh = compile_keep(
        c, stamps, m->output, compile_stem(c, m->result->source), m->program ? "" : ".so",
        digest_bytes(m->result->key, &(int64_t){still ? 0 : clock_wall()}, sizeof(int64_t)), &m->entry);
    if (!m->fresh)
        m->result->problem = arena_printf(c->arena, "what was linked cannot be kept: %s", strerror(errno));
    else if (still)
        cache_save(&c->cache, m->result->key, &m->entry);
}

static void link_stale(struct compiler *c, struct module_plan **stale, struct flags *words, uint32_t count)
{
    struct compile_step *steps = ARENA_ARRAY(c->arena, struct compile_step, count);
    struct stamps *stamps;

    for (uint32_t i = 0; i < count; i++) {
        stale[i]->output = cache_temporary(&c->cache, c->arena, stale[i]->program ? "" : ".so");
        flags_add(c->arena, &words[i], "-o");
        flags_add(c->arena, &words[i], stale[i]->output);
        steps[i].words = &words[i];
        steps[i].traces = true;
    }
    compile_steps(c, steps, count);
    stamps = stamps_new();
    for (uint32_t i = 0; i < count; i++) {
        stale[i]->result->problem = steps[i].problem;
        stale[i]->result->words = steps[i].words_said;
        if (!steps[i].problem)
            keep_module(c, stamps, stale[i], steps[i].out);
        unlink(stale[i]->output);
    }
    stamps_free(stamps);
}

/* ---- all of them ---- */

static void take_problem(struct module_plan *m)
{
    for (uint32_t i = 0; i < m->unit_count && !m->result->problem; i++) {
        m->result->problem = m->units[i]->problem;
        m->result->words = m->units[i]->words;
    }
}

/* What was linked for another test, or could not be. */
static bool is_linked(const struct compiler *c, struct module_plan *m)
{
    for (uint32_t i = 0; i < c->linked_count; i++) {
        const struct module_plan *other = c->linked[i];

        if (other->result->key != m->result->key)
            continue;
        m->entry = other->entry;
        m->fresh = other->fresh;
        m->result->problem = other->result->problem;
        m->result->words = other->result->words;
        return true;
    }
    return false;
}

static void link_all(struct compiler *c, struct module_plan *modules, uint32_t count)
{
    struct module_plan **stale = ARENA_ARRAY(c->arena, struct module_plan *, count);
    struct flags *words = ARENA_ARRAY(c->arena, struct flags, count);
    uint32_t stale_count = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct module_plan *m = &modules[i];

        take_problem(m);
        if (m->result->problem)
            continue;
        words[stale_count] = link_of(c, m);
        m->result->key = key_of_link(c, m, &words[stale_count]);
        if (is_linked(c, m))
            continue;
        GROW(c->linked, c->linked_count, c->linked_cap);
        c->linked[c->linked_count++] = m;
        m->fresh = cache_load(&c->cache, m->result->key, c->arena, &m->entry) &&
                   cache_is_fresh(&c->cache, m->result->key, &m->entry, c->stamps);
        if (!m->fresh)
            stale[stale_count++] = m;
    }
    if (stale_count)
        link_stale(c, stale, words, stale_count);
}

static bool any_stale(const struct compiler *c)
{
    for (uint32_t i = 0; i < c->unit_count; i++)
        if (!c->units[i]->fresh)
            return true;
    return false;
}

static void enter(struct compiler *c, const struct compile_wish *wish)
{
    char *folder = realpath(*wish->folder ? wish->folder : ".", NULL);

    c->wish = wish;
    c->cwd = folder ? arena_printf(c->arena, "%s/", strcmp(folder, "/") ? folder : "") : "/";
    free(folder);
}

static void tell(struct compiler *c, struct module_plan *m)
{
    struct compiled *result = m->result;

    if (result->problem)
        return;
    result->path = cache_path(&c->cache, c->arena, m->entry.output);
    result->list = m->entry.text;
}

void compile_all(struct compiler *c, const struct compile_wish *wish, struct compiled *list, uint32_t count)
{
    struct module_plan *modules = ARENA_ARRAY(c->arena, struct module_plan, count);
    uint32_t first = c->unit_count;

    compiler_open(c);
    for (uint32_t i = 0; i < count && c->trouble; i++)
        list[i].problem = c->trouble;
    if (c->trouble || !count)
        return;
    enter(c, wish);
    for (uint32_t i = 0; i < count; i++) {
        modules[i].result = &list[i];
        plan_module(c, &modules[i]);
    }
    if (any_stale(c))
        compile_units(c, first);
    link_all(c, modules, count);
    for (uint32_t i = 0; i < count; i++)
        tell(c, &modules[i]);
}

void compile_remember(struct compiler *c, const struct compiled *compiled, struct str list)
{
    struct entry entry;

    if (!cache_load(&c->cache, compiled->key, c->arena, &entry) || !compiled->path ||
        strcmp(cache_path(&c->cache, c->arena, entry.output), compiled->path) != 0)
        return;
    entry.text = list;
    cache_save(&c->cache, compiled->key, &entry);
}
