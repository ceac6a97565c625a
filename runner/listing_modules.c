/* C tests: the files of a test are asked one by one, each in a process of its own. Nothing of theirs is ever loaded here. */
#include "runner/listing_internal.h"

#include "runner/base/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Sources with their flags. */
struct to_compile {
    struct compile_wish wish;
    struct compiled *list;
    uint32_t count;
    const char *why; /* they cannot be */
};

struct modules {
    struct listing *listing;
    const struct plan_case *c;
    struct sub_test *list;
    uint32_t count, cap;
    bool unasked; /* the case will not run: what is wrong with it is said when it is its turn */
};

static void add(struct modules *m, struct sub_test sub)
{
    GROW(m->list, m->count, m->cap);
    m->list[m->count++] = sub;
}

static void add_problem(struct modules *m, const struct module_file *file, const char *why)
{
    const char *problem = arena_printf(m->listing->kitchen.arena, "its tests cannot be listed: %s", why);

    add(m, (struct sub_test){.id = file->id, .problem = problem, .file = file->path});
}

static void add_uncompiled(struct modules *m, const struct module_file *file, const struct compiled *compiled)
{
    const char *problem =
        arena_printf(m->listing->kitchen.arena, "it cannot be compiled: %s", compiled->problem);

    add(m,
        (struct sub_test){.id = file->id, .problem = problem, .file = file->path, .words = compiled->words});
}

static void add_tests(struct modules *m, const struct module_file *file, const struct preset_listing *found)
{
    struct arena *arena = m->listing->kitchen.arena;
    struct buf id = {0};
    const struct node *marks = listing_marks(m->listing, found);
    struct sub_test sub;

    for (uint32_t i = 0; i < found->count; i++) {
        buf_clear(&id);
        buf_addf(&id, "%.*s%s", STR_ARG(file->id), file->id.len ? "::" : "");
        listing_own_id(&id, found->list[i].id);
        sub = (struct sub_test){.id = arena_str(arena, buf_str(&id)),
                                .name = found->list[i].name,
                                .file = file->path,
                                .marks = marks,
                                .suite = m->c->suite};
        listing_own(m->listing, &found->list[i], &sub);
        add(m, sub);
    }
    buf_release(&id);
}

/* The answer of a file, `path` being what was made of it, or itself. NULL: there are none. */
static const char *take_answer(struct modules *m, const struct module_file *file, const char *path,
                               const struct asked *asked, struct str out, struct str err)
{
    struct listing *listing = m->listing;
    const char *why = listing_unanswered(listing, file->path, asked, out, err);
    struct preset_listing found;
    struct module_file made = {path, file->id, NULL};

    if (why)
        return why;
    preset_read_module(listing->kitchen.arena, out, &found);
    if (!asked->status && found.problem) /* who fails says better why than what is missing then */
        why = arena_printf(listing->kitchen.arena, "'%s': %s", file->path, found.problem);
    else
        why = listing_useless(listing, file->path, asked, &found, out, err);
    if (!why)
        add_tests(m, &made, &found);
    return why;
}

static void run_command(struct modules *m, const struct module_file *file, const struct compiled *compiled,
                        struct recipe *recipe)
{
    struct listing *listing = m->listing;
    struct buf out = {0}, err = {0};
    struct asked asked;
    const char *why;

    ask(&recipe->spec, listing->contain, recipe->timeout ? recipe->timeout : LISTING_TIMEOUT, &out, &err,
        &asked);
    why = take_answer(m, file, compiled ? compiled->path : file->path, &asked, buf_str(&out), buf_str(&err));
    if (why)
        add_problem(m, file, why);
    else if (compiled)
        compile_remember(listing->compiler, compiled, buf_str(&out));
    buf_release(&out);
    buf_release(&err);
}

/* One for all: it is gone with the listing. NULL and errno. */
static const char *open_folder(struct listing *listing)
{
    char folder[] = "/tmp/rm-list-XXXXXX";

    if (!listing->folder && mkdtemp(folder))
        listing->folder = arena_cstr(listing->kitchen.arena, str_of(folder));
    return listing->folder;
}

static struct place_of_case place_of(const char *folder, const char *module)
{
    return (struct place_of_case){
        .attempt = 1, .tmpdir = folder, .artifacts = folder, .listing = true, .module = module};
}

static void ask_file(struct modules *m, const struct module_file *file, const struct compiled *compiled)
{
    const char *folder = open_folder(m->listing);
    struct place_of_case where = place_of(folder, compiled ? compiled->path : file->path);
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct recipe recipe;

    if (!folder)
        add_problem(m, file,
                    arena_printf(m->listing->kitchen.arena,
                                 "cannot make a folder for its temporary files: %s", strerror(errno)));
    else if (!recipe_make(&m->listing->kitchen, m->c, &where, &arena, &recipe, &diags) || recipe.skip ||
             recipe.unsupported)
        m->unasked = true;
    else if (recipe.error)
        add_problem(m, file, recipe.error);
    else
        run_command(m, file, compiled, &recipe);
    arena_release(&arena);
}

/* ---- sources ---- */

/* The list of one that was compiled before is known, unless the same library reads it otherwise now. */
static bool is_known(struct modules *m, const struct module_file *file, const struct compiled *compiled)
{
    static const struct asked answered = {0};

    return compiled->list.len &&
           !take_answer(m, file, compiled->path, &answered, compiled->list, (struct str){"", 0});
}

static void take_source(struct modules *m, const struct module_file *file, const struct compiled *compiled)
{
    if (compiled->problem)
        add_uncompiled(m, file, compiled);
    else if (!is_known(m, file, compiled))
        ask_file(m, file, compiled);
}

/* Of `cflags`: a string is taken apart, a list is of words as they stand. */
static const char *flags_of(struct modules *m, const struct node *node, struct flags *flags)
{
    struct arena *arena = m->listing->kitchen.arena;

    for (uint32_t i = 0; node && i < node_list_count(node); i++) {
        struct str text = node_text(node_list_item(node, i), arena);

        if (node->kind == NODE_SEQ)
            flags_add(arena, flags, arena_cstr(arena, text));
        else if (!flags_split(arena, text, flags))
            return arena_printf(arena, "'cflags': a quote has no end: %.*s", STR_ARG(text));
    }
    return NULL;
}

/* Nothing is compiled for a case that will not run. */
static void look_at_case(struct modules *m)
{
    struct place_of_case where = place_of("", "");
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct recipe recipe;

    m->unasked = !recipe_make(&m->listing->kitchen, m->c, &where, &arena, &recipe, &diags) || recipe.skip ||
                 recipe.unsupported;
    arena_release(&arena);
}

static bool is_source(const struct module_file *file)
{
    return !file->problem && source_is(str_of(file->path));
}

/* In the order of the files; what is none of them is left alone. */
static struct to_compile sources_of(struct modules *m, const struct module_file *files, uint32_t count)
{
    struct listing *listing = m->listing;
    struct arena *arena = listing->kitchen.arena;
    struct diags diags = {.arena = arena}; /* recipe_check says all of them */
    struct to_compile some = {.wish = {.folder = recipe_folder(&listing->kitchen, m->c)},
                              .list = ARENA_ARRAY(arena, struct compiled, count)};

    for (uint32_t i = 0; i < count; i++)
        if (is_source(&files[i]))
            some.list[some.count++] = (struct compiled){.source = files[i].path};
    if (some.count)
        some.why = flags_of(m, recipe_cflags(&listing->kitchen, m->c, arena, &diags), &some.wish.cflags);
    return some;
}

static const struct compiled *compile(struct modules *m, const struct module_file *files, uint32_t count)
{
    struct to_compile some = sources_of(m, files, count);

    for (uint32_t i = 0; i < some.count && some.why; i++)
        some.list[i].problem = some.why;
    if (some.count && !some.why)
        compile_all(m->listing->compiler, &some.wish, some.list, some.count);
    return some.list;
}

/* ---- all of them at a time ---- */

static void collect(struct modules *m, const struct module_file *files, uint32_t count)
{
    struct listing *listing = m->listing;
    struct to_compile some = sources_of(m, files, count);

    if (!some.count || some.why)
        return;
    GROW(listing->collected, listing->collected_count, listing->collected_cap);
    listing->collected[listing->collected_count++] = some;
}

static bool same_flags(const struct flags *a, const struct flags *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++)
        if (strcmp(a->list[i], b->list[i]) != 0)
            return false;
    return a->count == b->count;
}

static bool are_alike(const struct to_compile *a, const struct to_compile *b)
{
    return strcmp(a->wish.folder, b->wish.folder) == 0 && same_flags(&a->wish.cflags, &b->wish.cflags);
}

/* Those of tests with the same flags, from one on that stands for them. */
static void compile_alike(struct listing *listing, uint32_t first)
{
    struct to_compile *some = &listing->collected[first];
    struct compiled *list;
    uint32_t count = 0;

    for (uint32_t i = first; i < listing->collected_count; i++)
        if (are_alike(&listing->collected[i], some))
            count += listing->collected[i].count;
    list = ARENA_ARRAY(listing->kitchen.arena, struct compiled, count);
    count = 0;
    for (uint32_t i = first; i < listing->collected_count; i++) {
        struct to_compile *other = &listing->collected[i];

        if (!are_alike(other, some))
            continue;
        memcpy(list + count, other->list, other->count * sizeof *list);
        count += other->count;
        other->count = i == first ? other->count : 0;
    }
    compile_all(listing->compiler, &some->wish, list, count);
}

/* What becomes of each its test will hear when it is asked again. */
void listing_compile(struct listing *listing)
{
    for (uint32_t i = 0; i < listing->collected_count; i++)
        if (listing->collected[i].count)
            compile_alike(listing, i);
}

/* By how it is written: what is compiled for nothing is not dear. */
static bool may_mean_sources(const struct node *module)
{
    for (uint32_t i = 0; i < node_list_count(module); i++) {
        const struct node *item = node_list_item(module, i);

        if (item->kind == NODE_STRING && !str_ends(item->string, ".so"))
            return true;
    }
    return false;
}

bool listing_has_sources(const struct suites *suites)
{
    for (uint32_t s = 0; s < suites->count; s++)
        for (uint32_t t = 0; !suites->list[s]->left_out && t < suites->list[s]->test_count; t++)
            if (may_mean_sources(node_get(suites->list[s]->tests[t].node, "module")))
                return true;
    return false;
}

/* ---- which files ---- */

static bool is_wanted(struct listing *listing, const char *path)
{
    char real[PATH_MAX];
    bool any = false;

    for (uint32_t i = 0; path && realpath(path, real) && i < listing->wanted_count; i++) {
        struct wanted *wanted = &listing->wanted[i];
        size_t len = strlen(wanted->path);

        if (strncmp(real, wanted->path, len) == 0 && (!real[len] || real[len] == '/'))
            any = wanted->met = true;
    }
    return any;
}

static uint32_t narrow(struct modules *m, struct module_file *files, uint32_t count)
{
    const struct suite *suite = case_suite(m->listing->kitchen.plan->suites, m->c);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++)
        if (is_wanted(m->listing, files[i].path) || !suite->narrowed)
            files[kept++] = files[i];
    return kept;
}

static struct sub_list *list_of(struct modules *m)
{
    struct sub_test *subs;
    struct sub_list *list = listing_of(m->listing, m->count, &subs);

    for (uint32_t i = 0; i < m->count; i++)
        subs[i] = m->list[i];
    return list;
}

static void list_files(struct modules *m, const struct module_file *files, uint32_t count)
{
    const struct compiled *compiled = compile(m, files, count);

    for (uint32_t i = 0; i < count && !m->unasked; i++)
        if (files[i].problem)
            add_problem(m, &files[i], files[i].problem);
        else if (is_source(&files[i]))
            take_source(m, &files[i], compiled++);
        else
            ask_file(m, &files[i], NULL);
}

struct sub_list *listing_modules(struct listing *listing, const struct plan_case *c)
{
    struct modules m = {.listing = listing, .c = c};
    struct sub_list *list;
    uint32_t count;
    struct module_file *files = recipe_modules(&listing->kitchen, c, listing->kitchen.arena, &count);

    count = narrow(&m, files, count);
    if (listing->mode == LISTING_MEETS)
        return list_of(&m);
    look_at_case(&m);
    if (listing->mode == LISTING_COLLECTS && !m.unasked)
        collect(&m, files, count);
    else if (!m.unasked)
        list_files(&m, files, count);
    list = m.unasked ? NULL : list_of(&m);
    free(m.list);
    return list;
}
