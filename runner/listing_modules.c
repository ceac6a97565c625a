/* C tests: the files of a test are asked one by one, each in a process of its own. Nothing of theirs is ever loaded here. */
#include "runner/listing_internal.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct modules {
    struct listing *listing;
    const struct plan_case *c;
    const char *folder; /* for temporary files */
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

static void run_command(struct modules *m, const struct module_file *file, struct recipe *recipe)
{
    struct listing *listing = m->listing;
    struct arena *arena = listing->kitchen.arena;
    struct buf out = {0}, err = {0};
    struct preset_listing found;
    struct asked asked;
    const char *why;

    ask(&recipe->spec, listing->contain, recipe->timeout ? recipe->timeout : LISTING_TIMEOUT, &out, &err,
        &asked);
    why = listing_unanswered(listing, file->path, &asked, buf_str(&out), buf_str(&err));
    if (!why) {
        preset_read_module(arena, buf_str(&out), &found);
        if (!asked.status && found.problem) /* who fails says better why than what is missing then */
            why = arena_printf(arena, "'%s': %s", file->path, found.problem);
        else
            why = listing_useless(listing, file->path, &asked, &found, buf_str(&out), buf_str(&err));
    }
    if (why)
        add_problem(m, file, why);
    else
        add_tests(m, file, &found);
    buf_release(&out);
    buf_release(&err);
}

static void ask_file(struct modules *m, const struct module_file *file)
{
    struct place_of_case where = {
        .attempt = 1, .tmpdir = m->folder, .artifacts = m->folder, .listing = true, .module = file->path};
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct recipe recipe;

    if (!recipe_make(&m->listing->kitchen, m->c, &where, &arena, &recipe, &diags) || recipe.skip ||
        recipe.unsupported)
        m->unasked = true;
    else if (recipe.error)
        add_problem(m, file, recipe.error);
    else
        run_command(m, file, &recipe);
    arena_release(&arena);
}

struct sub_list *listing_modules(struct listing *listing, const struct plan_case *c, const char *folder)
{
    struct modules m = {.listing = listing, .c = c, .folder = folder};
    struct sub_list *list = NULL;
    struct sub_test *subs;
    uint32_t count;
    struct module_file *files = recipe_modules(&listing->kitchen, c, listing->kitchen.arena, &count);

    for (uint32_t i = 0; i < count && !m.unasked; i++)
        if (files[i].problem)
            add_problem(&m, &files[i], files[i].problem);
        else
            ask_file(&m, &files[i]);
    if (!m.unasked) {
        list = listing_of(listing, m.count, &subs);
        for (uint32_t i = 0; i < m.count; i++)
            subs[i] = m.list[i];
    }
    free(m.list);
    return list;
}
