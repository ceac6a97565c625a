#include "runner/listing_internal.h"

#include "runner/base/dir.h"
#include "runner/base/harmless.h"
#include "runner/base/mem.h"
#include "runner/results/results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAST_WORDS ((size_t)300)

/* What was answered; the list is NULL where nobody could be asked. */
struct listed {
    uint32_t suite, test, cell, own; /* the cell is 0 for all where it makes no difference */
    digest flags;                    /* that C tests are compiled with */
    struct sub_list *list;
};

/* ---- what became of the asking ---- */

struct sub_list *listing_of(struct listing *listing, uint32_t count, struct sub_test **subs)
{
    struct sub_list *list = ARENA_NEW(listing->kitchen.arena, struct sub_list);

    *subs = ARENA_ARRAY(listing->kitchen.arena, struct sub_test, count);
    *list = (struct sub_list){.list = *subs, .count = count};
    return list;
}

static struct sub_list *problem(struct listing *listing, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static struct sub_list *problem(struct listing *listing, const char *format, ...)
{
    struct sub_test *subs;
    struct sub_list *list = listing_of(listing, 1, &subs);
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_adds(&text, "its tests cannot be listed: ");
    buf_vaddf(&text, format, args);
    va_end(args);
    subs->problem = arena_cstr(listing->kitchen.arena, buf_str(&text));
    buf_release(&text);
    return list;
}

static struct sub_list *names_of(struct listing *listing, const struct preset_listing *found)
{
    struct sub_test *subs;
    struct sub_list *list = listing_of(listing, found->count, &subs);
    struct buf id = {0};

    for (uint32_t i = 0; i < found->count; i++) {
        buf_clear(&id);
        id_escape(&id, found->list[i].id);
        subs[i] = (struct sub_test){.id = arena_str(listing->kitchen.arena, buf_str(&id)),
                                    .name = found->list[i].name};
    }
    buf_release(&id);
    return list;
}

/* ---- by an expression of the user's ---- */

struct raw_names {
    struct arena *arena;
    struct str *list;
    uint32_t count, cap;
};

static void keep_name(void *user, struct str name)
{
    struct raw_names *names = user;

    GROW(names->list, names->count, names->cap);
    names->list[names->count++] = arena_str(names->arena, name);
}

static void read_expression(struct listing *listing, const struct node *lines, struct str output,
                            struct preset_listing *found, const char **why)
{
    struct arena *arena = listing->kitchen.arena;
    struct raw_names names = {.arena = arena};
    struct results results;
    struct lines_error error;
    struct results_reader *reader;

    results_init(&results, NULL);
    reader = results_names(&results, node_text(lines, arena), (struct names_to){keep_name, &names}, &error);
    if (reader) {
        results_feed(reader, output);
        results_end(reader);
        preset_take_names(arena, names.list, names.count, found);
    } else {
        *why = arena_printf(arena, "'lines' is no expression that can be used: %s", error.text);
    }
    results_release(&results);
    free(names.list);
}

static const char *read_names(struct listing *listing, const struct preset *preset, const struct node *lines,
                              struct str output, struct preset_listing *found)
{
    const char *why = NULL;

    *found = (struct preset_listing){0};
    if (preset)
        preset_read(preset, listing->kitchen.arena, output, found);
    else if (lines)
        read_expression(listing, lines, output, found, &why);
    else
        preset_read_lines(listing->kitchen.arena, output, found);
    return why ? why : found->problem;
}

/* ---- asking ---- */

/* The last line that says something, made harmless. */
static const char *last_words(struct listing *listing, struct str out, struct str err)
{
    struct str text = str_trim(str_trim(err).len ? err : out), line = text;
    struct buf shown = {0};
    const char *words;

    for (size_t i = text.len; i > 0 && line.len == text.len; i--)
        if (text.ptr[i - 1] == '\n')
            line = str_slice(text, i, text.len);
    text_harmless(&shown, str_slice(line, 0, line.len < LAST_WORDS ? line.len : LAST_WORDS), false);
    words = shown.len ? arena_printf(listing->kitchen.arena, "; it said: %s", buf_text(&shown)) : "";
    buf_release(&shown);
    return words;
}

const char *listing_unanswered(struct listing *listing, const char *whom, const struct asked *asked,
                               struct str out, struct str err)
{
    struct arena *arena = listing->kitchen.arena;

    if (*asked->error)
        return arena_cstr(arena, str_of(asked->error));
    if (asked->timed_out)
        return arena_printf(arena, "'%s' was not done in time ('timeout' says how long it may take)%s", whom,
                            last_words(listing, out, err));
    if (asked->flooded)
        return arena_printf(arena, "'%s' printed more than %zu MiB", whom, ASK_OUTPUT_MOST >> 20);
    if (asked->signal)
        return arena_printf(arena, "'%s' was ended by signal %d%s", whom, asked->signal,
                            last_words(listing, out, err));
    return NULL;
}

const char *listing_useless(struct listing *listing, const char *whom, const struct asked *asked,
                            const struct preset_listing *found, struct str out, struct str err)
{
    struct arena *arena = listing->kitchen.arena;

    if (found->left_out)
        return arena_printf(arena, "it names more than %u", PRESET_TESTS_MOST);
    if (!asked->status && found->count)
        return NULL;
    return arena_printf(arena, "'%s' %s (status %d)%s", whom, found->count ? "failed" : "named no test",
                        asked->status, last_words(listing, out, err));
}

static struct sub_list *read_answer(struct listing *listing, const struct plan_case *c,
                                    const struct recipe *recipe, const struct asked *asked, struct str out,
                                    struct str err)
{
    const char *whom = recipe->spec.argv[0];
    const struct preset *preset;
    const struct node *lines;
    struct preset_listing found;
    const char *why = listing_unanswered(listing, whom, asked, out, err);

    recipe_lists(&listing->kitchen, c, &preset, &lines);
    if (!why)
        why = read_names(listing, preset, lines, out, &found);
    if (!why)
        why = listing_useless(listing, whom, asked, &found, out, err);
    return why ? problem(listing, "%s", why) : names_of(listing, &found);
}

static struct sub_list *run_command(struct listing *listing, const struct plan_case *c, struct recipe *recipe)
{
    struct buf out = {0}, err = {0};
    struct sub_list *list;
    struct asked asked;

    ask(&recipe->spec, listing->contain, recipe->timeout ? recipe->timeout : LISTING_TIMEOUT, &out, &err,
        &asked);
    list = read_answer(listing, c, recipe, &asked, buf_str(&out), buf_str(&err));
    buf_release(&out);
    buf_release(&err);
    return list;
}

/* Where the tests make no cases, one whose command cannot be asked runs them all. */
static struct sub_list *why_not(struct listing *listing, const struct plan_case *c,
                                const struct recipe *recipe)
{
    if (recipe->unasked && case_test(listing->kitchen.plan->suites, c)->inside != INSIDE_APART)
        return NULL;
    return problem(listing, "%s", recipe->error);
}

/* A case that will not run is not asked; what is wrong with it is said when it is its turn. */
static struct sub_list *ask_case(struct listing *listing, const struct plan_case *c, const char *folder)
{
    struct place_of_case where = {.attempt = 1, .tmpdir = folder, .artifacts = folder, .listing = true};
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct recipe recipe;
    struct sub_list *list = NULL;

    if (recipe_make(&listing->kitchen, c, &where, &arena, &recipe, &diags) && !recipe.skip &&
        !recipe.unsupported)
        list = recipe.error ? why_not(listing, c, &recipe) : run_command(listing, c, &recipe);
    arena_release(&arena);
    return list;
}

static struct sub_list *ask_somewhere(struct listing *listing, const struct plan_case *c)
{
    char folder[] = "/tmp/rm-list-XXXXXX";
    struct sub_list *list;

    if (!mkdtemp(folder))
        return problem(listing, "cannot make a folder for its temporary files: %s", strerror(errno));
    list = ask_case(listing, c, folder);
    dir_remove(AT_FDCWD, folder);
    return list;
}

/* ---- who has been asked ---- */

static bool makes_a_difference(const struct listing *listing, const struct plan_case *c)
{
    return case_test(listing->kitchen.plan->suites, c)->mentions_matrix;
}

static bool has_expr(const struct node *map)
{
    const struct node *flags = node_get(map, "cflags");

    for (uint32_t i = 0; i < node_list_count(flags); i++)
        if (node_list_item(flags, i)->kind == NODE_STRING &&
            template_has_expr(node_list_item(flags, i)->string))
            return true;
    return false;
}

/* A default may speak of the matrix, where the test does not, and an override is for some of its cases. */
static bool flags_may_differ(const struct listing *listing, const struct plan_case *c)
{
    const struct suite *suite = case_suite(listing->kitchen.plan->suites, c);
    const struct test *test = case_test(listing->kitchen.plan->suites, c);
    bool differ = test->is_module && (has_expr(test->node) || has_expr(suite->defaults));

    for (uint32_t i = 0; test->is_module && i < suite->override_count; i++)
        differ |= node_get(suite->overrides[i].node, "cflags") != NULL;
    for (uint32_t i = 0; test->is_module && i < suite->profile_count; i++)
        differ |= has_expr(suite->profiles[i].node);
    return differ;
}

static digest flags_of(struct listing *listing, const struct plan_case *c)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    const struct node *node = NULL;
    struct buf text = {0};
    digest flags;

    if (flags_may_differ(listing, c))
        node = recipe_cflags(&listing->kitchen, c, &arena, &diags);
    if (node)
        node_json(&text, node, 0);
    flags = digest_bytes(digest_start(), text.ptr, text.len);
    buf_release(&text);
    arena_release(&arena);
    return flags;
}

static struct listed key_of(struct listing *listing, const struct plan_case *c)
{
    bool differs = makes_a_difference(listing, c);

    return (struct listed){
        c->suite, c->test, differs ? c->cell : 0, differs ? c->own : 0, flags_of(listing, c), NULL};
}

static bool same(const struct listed *a, const struct listed *b)
{
    return a->suite == b->suite && a->test == b->test && a->cell == b->cell && a->own == b->own &&
           a->flags == b->flags;
}

static struct sub_list *list_tests(void *user, const struct plan_case *c)
{
    struct listing *listing = user;
    struct listed key = key_of(listing, c);
    const struct preset *preset;
    const struct node *lines;
    enum recipe_listing lists;
    struct sub_test *none;

    for (uint32_t i = listing->count; i > 0; i--)
        if (same(&listing->list[i - 1], &key))
            return listing->list[i - 1].list;
    lists = recipe_lists(&listing->kitchen, c, &preset, &lines);
    if (lists == LISTS_LATER && case_suite(listing->kitchen.plan->suites, c)->narrowed)
        return listing_of(listing, 0, &none);
    if (c->elsewhere || lists == LISTS_NEVER || lists == LISTS_LATER)
        return NULL;
    if (case_test(listing->kitchen.plan->suites, c)->is_module)
        key.list = listing_modules(listing, c);
    else
        key.list = listing->mode != LISTING_ASKS ? NULL : ask_somewhere(listing, c);
    if (lists == LISTS_PERHAPS && key.list && key.list->list[0].problem)
        key.list = NULL;
    GROW(listing->list, listing->count, listing->cap);
    listing->list[listing->count++] = key;
    return key.list;
}

/* ---- the whole ---- */

void listing_mode(struct listing *listing, enum listing_mode mode)
{
    listing->mode = mode;
    listing->count = 0;
}

void listing_open(struct listing *listing, struct plan *plan, struct settings *settings, const char *profile,
                  const char *contain, struct compiler *compiler, struct arena *arena)
{
    *listing = (struct listing){
        .kitchen =
            {
                .plan = plan,
                .settings = settings,
                .profile = profile,
                .environ = (const char *const *)environ,
            },
        .contain = contain,
        .compiler = compiler,
    };
    kitchen_open(&listing->kitchen, arena);
    plan->lister = (struct plan_lister){list_tests, listing};
}

void listing_close(struct listing *listing, struct plan *plan)
{
    plan->lister = (struct plan_lister){0};
    free(listing->list);
    free(listing->collected);
    if (listing->folder)
        dir_remove(AT_FDCWD, listing->folder);
}
