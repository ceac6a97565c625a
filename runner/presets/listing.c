/* Names of tests out of what runners print when they are asked for them. What the bytes are makes no difference: it ends. */
#include "runner/presets/internal.h"

#include "runner/base/hash.h"
#include "runner/base/json.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define SAME_MOST 100 /* of one id: those beyond it are left out, for each is compared with all before it */

/* ---- the list ---- */

static uint32_t *slot_of(const struct listing_reader *reader, struct str id)
{
    const struct preset_test *list = reader->listing->list;
    size_t at = (size_t)hash_add(HASH_START, id) & (reader->size - 1);

    while (reader->seen[at] && !str_eq(list[reader->seen[at] - 1].id, id))
        at = (at + 1) & (reader->size - 1);
    return &reader->seen[at];
}

static void make_room(struct listing_reader *reader)
{
    const struct preset_listing *listing = reader->listing;

    if (reader->size > (size_t)listing->count * 2)
        return;
    reader->size = reader->size ? reader->size * 4 : 64;
    free(reader->seen);
    reader->seen = mem_zero(reader->size, sizeof *reader->seen);
    for (uint32_t i = 0; i < listing->count; i++)
        *slot_of(reader, listing->list[i].id) = i + 1;
}

static void append(struct listing_reader *reader, uint32_t *slot, struct str id, struct str name)
{
    struct preset_listing *listing = reader->listing;
    struct preset_test *list = listing->list;

    GROW(list, listing->count, reader->cap);
    listing->list = list;
    list[listing->count++] =
        (struct preset_test){.id = id, .name = str_eq(id, name) ? id : arena_str(reader->arena, name)};
    *slot = listing->count;
}

/* As a result would be called: one harmless line of bounded length. */
static struct str id_of(struct arena *arena, struct str text)
{
    struct buf shown = {0};
    struct str id;

    utf8_show(&shown, utf8_cut(str_trim(text), PRESET_ID_MOST));
    id = arena_str(arena, utf8_cut(buf_str(&shown), PRESET_ID_MOST));
    buf_release(&shown);
    return id;
}

/* Who is told the same is the same; else they are told apart as results are. */
bool listing_add(struct listing_reader *reader, struct str text, struct str name)
{
    struct preset_listing *listing = reader->listing;
    struct str id = id_of(reader->arena, text), unique = id;
    uint32_t *slot, times = 1;

    if (!id.len)
        return true;
    if (listing->count == PRESET_TESTS_MOST) {
        listing->left_out++;
        return false;
    }
    make_room(reader);
    while (*(slot = slot_of(reader, unique))) {
        if (str_eq(listing->list[*slot - 1].name, name) || times == SAME_MOST)
            return true;
        unique = str_of(arena_printf(reader->arena, "%.*s#%u", STR_ARG(id), ++times));
    }
    append(reader, slot, unique, name);
    return true;
}

void listing_problem(struct listing_reader *reader, const char *problem)
{
    if (!reader->listing->problem)
        reader->listing->problem = problem;
}

bool listing_line(struct str *text, struct str *line)
{
    size_t at;

    if (!text->len)
        return false;
    if (!str_find(*text, "\n", &at))
        at = text->len;
    *line = str_slice(*text, 0, at);
    if (line->len && line->ptr[line->len - 1] == '\r')
        line->len--;
    *text = str_slice(*text, at + (at < text->len), text->len);
    return true;
}

static struct listing_reader begin(struct arena *arena, struct preset_listing *listing)
{
    *listing = (struct preset_listing){0};
    return (struct listing_reader){.arena = arena, .listing = listing};
}

/* What grew is the arena's from here on. */
static void end(struct listing_reader *reader)
{
    struct preset_listing *listing = reader->listing;
    struct preset_test *list = ARENA_ARRAY(reader->arena, struct preset_test, listing->count);

    if (listing->count)
        memcpy(list, listing->list, listing->count * sizeof *list);
    free(listing->list);
    free(reader->seen);
    listing->list = list;
}

void listing_read(void (*read)(struct listing_reader *reader, struct str output), struct arena *arena,
                  struct str output, struct preset_listing *listing)
{
    struct listing_reader reader = begin(arena, listing);

    read(&reader, output);
    end(&reader);
}

void preset_read(const struct preset *preset, struct arena *arena, struct str output,
                 struct preset_listing *listing)
{
    listing_read(preset->read ? preset->read : read_words, arena, output, listing);
}

/* ---- names that stand in lines of their own ---- */

static void add_plain(struct listing_reader *reader, struct str name)
{
    listing_add(reader, name, name);
}

void read_words(struct listing_reader *reader, struct str output)
{
    struct str line;

    while (listing_line(&output, &line))
        add_plain(reader, str_trim(line));
}

void preset_read_lines(struct arena *arena, struct str output, struct preset_listing *listing)
{
    listing_read(read_words, arena, output, listing);
}

void preset_take_names(struct arena *arena, const struct str *names, uint32_t count,
                       struct preset_listing *listing)
{
    struct listing_reader reader = begin(arena, listing);

    for (uint32_t i = 0; i < count; i++)
        add_plain(&reader, str_trim(names[i]));
    end(&reader);
}

/* Node ids, until a blank line; what follows is for people. */
void read_pytest(struct listing_reader *reader, struct str output)
{
    struct str line;
    size_t at;

    while (listing_line(&output, &line)) {
        if (str_starts(str_trim(line), "<"))
            listing_problem(reader,
                            "pytest printed a tree and no names: its options want a '-q' less or more");
        else if (str_find(line, "::", &at) && at && line.ptr[0] != ' ')
            add_plain(reader, line);
        else if (!line.len && reader->listing->count)
            break;
    }
}

/* Tests in documentation have blanks in their names, and rustdoc makes several words of such a one. */
bool libtest_name(struct arena *arena, struct str id, struct str *name)
{
    (void)arena;
    *name = id;
    return !memchr(id.ptr, ' ', id.len);
}

/* "name: test"; what cargo says stands beside it. */
void read_libtest(struct listing_reader *reader, struct str output)
{
    struct str line, name;

    while (listing_line(&output, &line)) {
        if (!str_ends(line, ": test"))
            continue;
        line.len -= strlen(": test");
        if (line.len && libtest_name(reader->arena, line, &name))
            add_plain(reader, name);
    }
}

/* ---- gtest: "Suite." and below it "  Name", each with a comment of its parameter ---- */

static struct str without_comment(struct str line)
{
    size_t at;

    if (str_find(line, "  # ", &at))
        line.len = at;
    return line;
}

static bool is_disabled(struct str suite, struct str name)
{
    size_t at;

    return str_starts(suite, "DISABLED_") || str_find(suite, "/DISABLED_", &at) ||
           str_starts(name, "DISABLED_");
}

/* Those that are disabled are not run when they are named either. */
void read_gtest(struct listing_reader *reader, struct str output)
{
    struct buf id = {0};
    struct str line;

    while (listing_line(&output, &line)) {
        line = without_comment(line);
        if (!str_starts(line, "  ")) {
            reader->suite = str_ends(line, ".") ? line : (struct str){0};
            continue;
        }
        line = str_trim(line);
        if (!reader->suite.len || is_disabled(reader->suite, line))
            continue;
        buf_clear(&id);
        buf_addstr(&id, reader->suite);
        buf_addstr(&id, line);
        add_plain(reader, buf_str(&id));
    }
    buf_release(&id);
}

/* ---- criterion: "suite: 2 tests" and below it "├── name (skipped)" ---- */

static bool criterion_name(struct str line, struct str *name)
{
    static const char *const branches[] = {"\xE2\x94\x9C\xE2\x94\x80\xE2\x94\x80 ",
                                           "\xE2\x94\x94\xE2\x94\x80\xE2\x94\x80 ", "|-- ", "`-- "};

    for (size_t i = 0; i < ARRAY_LEN(branches); i++)
        if (str_starts(line, branches[i])) {
            *name = str_slice(line, strlen(branches[i]), line.len);
            return true;
        }
    return false;
}

static struct str heading(struct str line)
{
    size_t at;

    return str_find(line, ": ", &at) ? str_slice(line, 0, at) : (struct str){0};
}

bool criterion_name_of(struct arena *arena, struct str id, struct str *name)
{
    struct str suite, test;

    if (!split_name(id, &suite, &test))
        return false;
    *name = str_of(arena_printf(arena, "%.*s/%.*s", STR_ARG(suite), STR_ARG(test)));
    return true;
}

/* Those that are skipped need no process of their own. */
void read_criterion(struct listing_reader *reader, struct str output)
{
    struct buf id = {0};
    struct str line, test, name;

    while (listing_line(&output, &line)) {
        if (!criterion_name(line, &test)) {
            reader->suite = heading(line);
            continue;
        }
        if (!reader->suite.len || str_ends(test, " (skipped)"))
            continue;
        buf_clear(&id);
        buf_addf(&id, "%.*s::%.*s", STR_ARG(reader->suite), STR_ARG(test));
        if (criterion_name_of(reader->arena, buf_str(&id), &name))
            listing_add(reader, buf_str(&id), name);
    }
    buf_release(&id);
}

/* ---- meson: "project:suite / name", which it takes as "project:name" ---- */

/* A pattern to meson: what is special there stands in brackets. */
static void add_pattern(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool special = strchr("*?[", text.ptr[i]) && text.ptr[i];

        buf_adds(out, special ? "[" : "");
        buf_addc(out, text.ptr[i]);
        buf_adds(out, special ? "]" : "");
    }
}

bool meson_name(struct arena *arena, struct str id, struct str *name)
{
    struct buf text = {0};
    struct str project;
    size_t at, colon;

    if (!str_find(id, " / ", &at))
        return false;
    project = str_slice(id, 0, at);
    if (str_find(project, ":", &colon))
        project.len = colon;
    add_pattern(&text, project);
    buf_addc(&text, ':');
    add_pattern(&text, str_slice(id, at + 3, id.len));
    *name = arena_str(arena, buf_str(&text));
    buf_release(&text);
    return true;
}

void read_meson(struct listing_reader *reader, struct str output)
{
    struct str line, name;

    while (listing_line(&output, &line))
        /* What it builds before is told by ninja: "[1/2] Compiling ...". */
        if (line.len && line.ptr[0] != '[' && meson_name(reader->arena, line, &name))
            listing_add(reader, line, name);
}

/* ---- go: names, and after them "ok package 0.1s" ---- */

static bool is_go_test(struct str line)
{
    size_t at;

    return (str_starts(line, "Test") || str_starts(line, "Example") || str_starts(line, "Fuzz")) &&
           !str_find(line, " ", &at) && !str_find(line, "\t", &at);
}

static void add_package(struct listing_reader *reader, struct str names, struct str package)
{
    struct buf id = {0};
    struct str line;

    while (listing_line(&names, &line)) {
        if (!is_go_test(line))
            continue;
        buf_clear(&id);
        buf_addf(&id, "%.*s::%.*s", STR_ARG(package), STR_ARG(line));
        add_plain(reader, buf_str(&id));
    }
    buf_release(&id);
}

void read_go(struct listing_reader *reader, struct str output)
{
    struct str names = {output.ptr, 0}, line, package;
    size_t at;

    while (listing_line(&output, &line)) {
        if (!str_starts(line, "ok  \t")) {
            names.len = (size_t)(line.ptr + line.len - names.ptr);
            continue;
        }
        package = str_slice(line, strlen("ok  \t"), line.len);
        if (str_find(package, "\t", &at))
            package.len = at;
        add_package(reader, names, str_trim(package));
        names = (struct str){output.ptr, 0};
    }
}
