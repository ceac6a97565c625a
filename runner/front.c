#include "runner/front.h"

#include "runner/base/io.h"
#include "runner/base/json.h"
#include "runner/base/nearest.h"
#include "runner/front_cell.h"
#include "runner/jobs.h"
#include "runner/listing.h"
#include "runner/markers.h"
#include "runner/members.h"
#include "runner/named.h"
#include "runner/recall.h"
#include "runner/store/store.h"
#include "runner/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct place nowhere = {0};

/* ---- which file ---- */

/* Also a link that leads nowhere: reading it tells what is wrong, and nothing else is read in its place. */
static bool exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* From a folder up to the root of its repository, or of the file system. */
static const char *find_upwards(struct invocation *in, const char *folder)
{
    const char *slash = !*folder || str_ends(str_of(folder), "/") ? "" : "/";
    const char *here = arena_printf(in->arena, "%s%s", folder, slash);

    for (;;) {
        const char *file = arena_printf(in->arena, "%s%s", here, FILE_NAME);
        const char *up = arena_printf(in->arena, "%s../", here);

        if (exists(file))
            return file;
        if (exists(arena_printf(in->arena, "%s.git", here)) || !is_folder(up) ||
            members_same(*here ? here : ".", up))
            return NULL;
        here = up;
    }
}

static bool has_suffix(struct str text, const char *const *suffixes)
{
    for (; *suffixes; suffixes++)
        if (str_ends(text, *suffixes))
            return true;
    return false;
}

/* An argument that names something on disk; everything else is an id. */
static bool is_path(const char *argument)
{
    static const char *const suffixes[] = {".yaml", ".yml", ".so", ".c", NULL};

    return has_suffix(str_of(argument), suffixes) || is_folder(argument) ||
           (strchr(argument, '/') && exists(argument));
}

/* The folder that a file is in. */
static const char *folder_of(struct invocation *in, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? arena_printf(in->arena, "%.*s", (int)(slash + 1 - path), path) : "";
}

static void take_path(struct front *front, struct invocation *in, const char *path)
{
    static const char *const suites[] = {".yaml", ".yml", NULL};
    struct suite_path taken = {.path = path, .tests = true};

    if (has_suffix(str_of(path), suites))
        taken = (struct suite_path){path, path, false};
    else if (is_folder(path))
        taken.file = find_upwards(in, path);
    else if (named_is_file(in, path))
        taken.file = find_upwards(in, folder_of(in, path));
    else
        return;
    front->paths[front->path_count++] = taken;
}

static void take_arguments(struct front *front, struct invocation *in)
{
    const struct opt_list *forced = &in->options->ids;

    front->ids.values = ARENA_ARRAY(in->arena, const char *, in->args.count + forced->count);
    front->paths = ARENA_ARRAY(in->arena, struct suite_path, in->args.count);
    for (size_t i = 0; i < in->args.count; i++)
        if (is_path(in->args.values[i]))
            take_path(front, in, in->args.values[i]);
        else
            front->ids.values[front->ids.count++] = in->args.values[i];
    for (size_t i = 0; i < forced->count; i++)
        front->ids.values[front->ids.count++] = forced->values[i];
}

static struct str word_of_command(const void *user, size_t i)
{
    (void)user;
    return str_of(options_table.commands[i + 1].name);
}

const char *front_guess_command(const struct invocation *in)
{
    if (in->args.count != 1)
        return "";
    return did_you_mean(in->diags, str_of(in->args.values[0]), options_table.command_count - 1,
                        word_of_command, NULL);
}

static bool find_file(struct front *front, struct invocation *in)
{
    size_t errors = in->diags->errors;

    take_arguments(front, in);
    if (in->diags->errors != errors)
        return false;
    front->file = find_upwards(in, "");
    if (front->path_count)
        members_choose_file(front, in);
    if (!front->file && front->path_count)
        return named_alone(front, in);
    if (!front->file)
        diag_error(in->diags, nowhere,
                   "no %s here or above, up to the root of the repository; "
                   "'run-matrix init' drafts one, 'run-matrix tests/' runs the C tests of a folder%s",
                   FILE_NAME, front_guess_command(in));
    return in->diags->errors == errors;
}

static bool is_test_name(const struct suites *suites, struct str name)
{
    for (uint32_t s = 0; s < suites->count; s++)
        for (uint32_t t = 0; t < suites->list[s]->test_count; t++)
            if (str_eq(suites->list[s]->tests[t].name, name))
                return true;
    return false;
}

/* A folder is a path, whatever else is called so: somebody who meant the test is told. */
static void warn_of_folders(const struct front *front, struct invocation *in)
{
    for (size_t i = 0; i < in->args.count; i++) {
        const char *argument = in->args.values[i];

        if (is_path(argument) && is_test_name(&front->suites, str_of(argument)))
            diag_warning(in->diags, nowhere, "'%s' is taken for the folder of that name; --id %s is the test",
                         argument, argument);
    }
}

/* ---- context ---- */

const struct node *front_context(struct invocation *in)
{
    const char *path = in->options->context;
    struct buf text = {0};
    const struct node *context = NULL;

    if (!path)
        return NULL;
    if (file_read(path, &text, INPUT_MOST) < 0)
        diag_error(in->diags, (struct place){.file = path}, "cannot read the context: %s", strerror(errno));
    else
        context = json_to_node(in->arena, buf_str(&text), (struct place){path, 1, 1}, in->diags);
    if (context && context->kind != NODE_MAP) {
        diag_error(in->diags, context->at,
                   "a context is an object whose keys are names such as 'github', and this is %s",
                   node_kind_words(context->kind));
        context = NULL;
    }
    buf_release(&text);
    return context;
}

/* ---- profile, settings, selection ---- */

static bool some_suite_has(const struct suites *suites, const char *profile)
{
    for (uint32_t s = 0; s < suites->count; s++)
        for (uint32_t p = 0; p < suites->list[s]->profile_count; p++)
            if (str_is(suites->list[s]->profiles[p].name, profile))
                return true;
    return false;
}

static void choose_profile(struct front *front, const struct options *options)
{
    const char *ci = getenv("CI");

    front->profile = options->profile;
    if (!front->profile && ((ci && *ci) || options->as_in_ci) && some_suite_has(&front->suites, "ci"))
        front->profile = "ci";
    if (!front->profile && some_suite_has(&front->suites, "local"))
        front->profile = "local";
}

const struct node *front_profile_key(const struct front *front, const char *key)
{
    const struct suite *suite = front->suites.list[0];

    for (uint32_t p = 0; front->profile && p < suite->profile_count; p++)
        if (str_is(suite->profiles[p].name, front->profile))
            return node_get(suite->profiles[p].node, key);
    return NULL;
}

const char *front_profile_path(const struct front *front, const struct node *value, struct arena *arena)
{
    struct str path = node_text(value, arena);
    const char *folder = path.len && path.ptr[0] == '/' ? "" : front->suites.list[0]->dir;

    return arena_printf(arena, "%s%.*s", folder, STR_ARG(path));
}

static const char **texts_of(struct arena *arena, const struct node *list, size_t *count)
{
    const char **texts;

    *count = !list ? 0 : list->kind == NODE_SEQ ? list->seq.count : 1;
    texts = ARENA_ARRAY(arena, const char *, *count);
    for (size_t i = 0; i < *count; i++)
        texts[i] = arena_cstr(arena, node_text(list->kind == NODE_SEQ ? list->seq.items[i] : list, arena));
    return texts;
}

static const char **profile_texts(struct arena *arena, const struct front *front, const char *key,
                                  size_t *count)
{
    return texts_of(arena, front_profile_key(front, key), count);
}

/* A soak may have cases of its own. */
static const char **profile_ids(const struct front *front, const struct invocation *in, size_t *count)
{
    const struct node *soak = in->command == COMMAND_soak ? front_profile_key(front, "soak") : NULL;
    const struct node *own = node_get(soak, "select");

    return texts_of(in->arena, own ? own : front_profile_key(front, "select"), count);
}

/* What the command line says comes in place of what the profile says, part by part. */
static bool compile_selection(struct front *front, struct invocation *in)
{
    const struct options *o = in->options;
    struct selection_spec spec = {
        .ids = front->ids.values,
        .id_count = front->ids.count,
        .cells = o->cells.values,
        .cell_count = o->cells.count,
        .deselect = o->deselect.values,
        .deselect_count = o->deselect.count,
        .keywords = o->keywords,
        .marks = o->marks,
        .partition = o->partition,
    };

    if (!spec.id_count)
        spec.ids = profile_ids(front, in, &spec.id_count);
    if (!spec.cell_count)
        spec.cells = profile_texts(in->arena, front, "cells", &spec.cell_count);
    if (!spec.id_count && !spec.cell_count && !spec.deselect_count && !spec.keywords && !spec.marks &&
        !spec.partition)
        return true;
    front->selection = selection_compile(in->arena, &spec, nowhere, in->diags);
    return front->selection != NULL;
}

/* One that is not kept: what is wrong with it is said when it is made once more. */
static void rehearse(struct front *front, struct invocation *in, struct listing *listing,
                     enum listing_mode mode, const struct selection *selection)
{
    struct diags unsaid = {.arena = in->arena};
    const struct plan_lister lister = front->plan.lister;

    listing_mode(listing, mode);
    plan_make(&front->plan, front->settings, selection, &unsaid);
    plan_release(&front->plan);
    plan_init(&front->plan, in->arena, &front->suites);
    front->plan.lister = lister;
    listing_mode(listing, LISTING_ASKS);
}

/* Files that are named are met whatever else is selected; only what is selected is compiled, all of it at a time. */
static void prepare(struct front *front, struct invocation *in, struct listing *listing)
{
    if (listing->wanted_count)
        rehearse(front, in, listing, LISTING_MEETS, NULL);
    if (!listing_has_sources(&front->suites))
        return;
    rehearse(front, in, listing, LISTING_COLLECTS, front->selection);
    listing_compile(listing);
}

bool front_plan(struct front *front, struct invocation *in)
{
    struct settings_over *over = ARENA_NEW(in->arena, struct settings_over);
    struct listing listing;
    struct compiler *compiler;
    uint32_t jobs;
    bool made;

    *over = (struct settings_over){.profile = front->profile, .command_line = front_overrides(in)};
    plan_init(&front->plan, in->arena, &front->suites);
    front->settings = settings_new(in->arena, &front->plan, over, in->diags);
    if (!front->settings || !over->command_line || !compile_selection(front, in))
        return false;
    if (in->options->as_in_ci) /* which cells have cases does not depend on what is inside suites */
        return plan_make(&front->plan, front->settings, front->selection, in->diags);
    jobs_read(in->options->jobs, &jobs); /* the run says what is wrong with it */
    compiler = compiler_new(in->arena, front_store_path(in, front), in->options->contain, jobs);
    listing_open(&listing, &front->plan, front->settings, front->profile, in->options->contain, compiler,
                 in->arena);
    listing.wanted = front->wanted;
    listing.wanted_count = front->wanted_count;
    prepare(front, in, &listing);
    made = plan_make(&front->plan, front->settings, front->selection, in->diags);
    listing_close(&listing, &front->plan);
    compiler_free(compiler);
    if (!made || !markers_check(front, in))
        return false;
    recall_choose(front, in);
    return true;
}

static bool load(struct front *front, struct invocation *in)
{
    if (!suites_load(in->arena, front->file, &front->world, &front->suites, in->diags))
        return false;
    members_leave_out(front);
    named_narrow(front, in);
    if (!in->options->as_in_ci && !front_choose_cell(front, in))
        return false;
    warn_of_folders(front, in);
    choose_profile(front, in->options);
    return front_plan(front, in);
}

enum exit_code front_open(struct front *front, struct invocation *in)
{
    const struct diags before = *in->diags; /* what a plan says that is made again is said then */

    *front = (struct front){0};
    world_init(&front->world, in->arena);
    front->world.host_strict = in->options->host && strcmp(in->options->host, "strict") == 0;
    front->world.context = front_context(in);
    if (in->options->context && !front->world.context)
        return EXIT_USAGE;
    if (!find_file(front, in) || !load(front, in))
        return EXIT_USAGE;
    if (!named_more(front, in, &before))
        return EXIT_PASSED;
    front_release(front);
    return in->diags->errors == before.errors && load(front, in) ? EXIT_PASSED : EXIT_USAGE;
}

void front_release(struct front *front)
{
    if (front->selection)
        selection_release(front->selection);
    if (front->settings)
        settings_release(front->settings);
    front->selection = NULL;
    front->settings = NULL;
    plan_release(&front->plan);
    suites_release(&front->suites);
}

/* ---- what a run asks ---- */

nanos front_session_timeout(const struct front *front)
{
    const struct node *node = front_profile_key(front, "session-timeout");
    nanos span = front->suites.list[0]->session_timeout;

    if (node && node->kind == NODE_STRING)
        span_parse(node->string, &span);
    else if (node && node->kind == NODE_NUMBER)
        span = (nanos)(node->number * (double)NS_PER_S);
    return span;
}

struct setting_origin front_session_origin(const struct front *front, const struct invocation *in)
{
    const struct node *node = front_profile_key(front, "session-timeout");

    if (in->options->session_timeout >= 0)
        return (struct setting_origin){.layer = "command line"};
    if (!node)
        node = node_get(front->suites.list[0]->defaults, "session-timeout");
    return (struct setting_origin){.layer = "file", .at = node ? node->at : nowhere};
}

static const char *beside(struct invocation *in, const char *file)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    const char *asked = in->options->run_dir ? in->options->run_dir : getenv("RUN_MATRIX_DIR");

    if (asked && *asked)
        return asked;
    return slash ? arena_printf(in->arena, "%.*s" STORE_NAME, (int)(slash - file + 1), file) : STORE_NAME;
}

const char *front_store_path(struct invocation *in, const struct front *front)
{
    return beside(in, front->file);
}

const char *front_find_store(struct invocation *in)
{
    return beside(in, find_upwards(in, ""));
}
