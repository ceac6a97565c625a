/* What a source wishes to be compiled with: its own flags, and what pkg-config says of its packages. */
#include "runner/compile_internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <string.h>

#define SOURCE_MOST ((size_t)64 << 20)

/* ---- packages ---- */

/* Three answers with a NUL between them: flags of the compiler, of the linker, and where the packages stand. */
#define ANSWERS 3

static bool take_answers(struct compiler *c, struct wished *w, struct str text)
{
    struct flags *flags[] = {&w->cflags, &w->libs};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        const char *end = memchr(text.ptr, '\0', text.len);

        if (!end || !flags_split(c->arena, str_slice(text, 0, (size_t)(end - text.ptr)), flags[i]))
            return false;
        text = str_slice(text, (size_t)(end - text.ptr) + 1, text.len);
    }
    return true;
}

static digest key_of_packages(const struct compiler *c, const struct wished *w, const char *program)
{
    digest key = digest_text(digest_digest(digest_start(), c->identity), program);

    for (uint32_t i = 0; i < w->wish.packages.count; i++)
        key = digest_text(key, w->wish.packages.list[i]);
    return key;
}

static const char *position(struct compiler *c, const struct wished *w)
{
    return place_text(c->arena, w->wish.packages_at);
}

static struct flags question(struct compiler *c, const struct wished *w, const char *program,
                             const char *option)
{
    struct flags words = {0};

    flags_add(c->arena, &words, program);
    flags_add(c->arena, &words, "--print-errors");
    flags_add(c->arena, &words, option);
    flags_append(c->arena, &words, &w->wish.packages);
    return words;
}

/* A package is what its file says: when that changes, it is asked again. */
static void note_packages(struct compiler *c, const struct wished *w, const char *program,
                          struct entry *entry)
{
    struct flags files = {0};

    for (uint32_t i = 0; i < w->wish.packages.count; i++) {
        struct flags words = {0};
        struct compile_step step = {.words = &words};

        flags_add(c->arena, &words, program);
        flags_add(c->arena, &words, "--variable=pcfiledir");
        flags_add(c->arena, &words, w->wish.packages.list[i]);
        compile_steps(c, &step, 1);
        if (!step.problem && str_trim(step.out).len)
            flags_add(
                c->arena, &files,
                arena_printf(c->arena, "%.*s/%s.pc", STR_ARG(str_trim(step.out)), w->wish.packages.list[i]));
    }
    compile_note_files(c, c->stamps, &files, entry);
}

static void ask_packages(struct compiler *c, struct wished *w, const char *program, digest key)
{
    struct flags words[] = {question(c, w, program, "--cflags"), question(c, w, program, "--libs")};
    struct compile_step steps[] = {{.words = &words[0]}, {.words = &words[1]}};
    struct entry entry = {.output = ""};
    struct buf text = {0};

    compile_steps(c, steps, ARRAY_LEN(steps));
    for (size_t i = 0; i < ARRAY_LEN(steps) && !w->problem; i++) {
        if (steps[i].problem)
            w->problem = arena_printf(c->arena, "%s: %s", position(c, w), steps[i].problem);
        w->words = steps[i].words_said;
        buf_addstr(&text, steps[i].out);
        buf_addc(&text, '\0');
    }
    if (!w->problem) {
        entry.text = arena_str(c->arena, buf_str(&text));
        take_answers(c, w, entry.text);
        note_packages(c, w, program, &entry);
        cache_save(&c->cache, key, &entry);
        c->made = true;
    }
    buf_release(&text);
}

static void find_packages(struct compiler *c, struct wished *w)
{
    const char *program = compiler_find(c, "pkg-config");
    struct entry entry;
    digest key;

    if (!program) {
        w->problem =
            arena_printf(c->arena, "%s: there is no program 'pkg-config' on the PATH", position(c, w));
        return;
    }
    key = key_of_packages(c, w, program);
    if (!cache_load(&c->cache, key, c->arena, &entry) || !cache_is_fresh(&c->cache, key, &entry, c->stamps) ||
        !take_answers(c, w, entry.text))
        ask_packages(c, w, program, key);
}

/* ---- one source ---- */

static const char *all_diags(struct compiler *c, const struct diags *diags)
{
    struct buf text = {0};
    const char *words;

    for (size_t i = 0; i < diags->count; i++)
        buf_addf(&text, "%s: error: %s\n", place_text(c->arena, diags->list[i].at), diags->list[i].text);
    words = arena_cstr(c->arena, buf_str(&text));
    buf_release(&text);
    return words;
}

static void read_wish(struct compiler *c, struct wished *w)
{
    struct diags diags = {.arena = c->arena};
    struct buf text = {0};

    if (file_read_regular(w->source, &text, SOURCE_MOST) < 0)
        w->problem = arena_printf(c->arena, "'%s': %s", w->source, strerror(errno));
    else if (!source_wish_read(c->arena, w->source, compile_seen(c, w->source), buf_str(&text), &w->wish,
                               &diags)) {
        w->problem =
            arena_printf(c->arena, "%s: %s", place_text(c->arena, diags.list[0].at), diags.list[0].text);
        w->words = all_diags(c, &diags);
    }
    buf_release(&text);
}

/* Its own flags come last, so that they have the last word. */
struct wished *compile_wished(struct compiler *c, const char *source)
{
    struct wished *w;

    for (uint32_t i = 0; i < c->wished_count; i++)
        if (strcmp(c->wished[i]->source, source) == 0)
            return c->wished[i];
    w = ARENA_NEW(c->arena, struct wished);
    w->source = source;
    GROW(c->wished, c->wished_count, c->wished_cap);
    c->wished[c->wished_count++] = w;
    read_wish(c, w);
    if (!w->problem && w->wish.packages.count)
        find_packages(c, w);
    flags_append(c->arena, &w->cflags, &w->wish.cflags);
    return w;
}
