/* What a workflow has to fit, out of the file and the command line. */
#include "runner/base/io.h"
#include "runner/cmd_ci.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- where the file is in its repository ---- */

/* The folder of the repository that a folder is in; the folder itself where there is none. */
static const char *repository_of(struct arena *arena, const char *folder)
{
    struct str here = str_of(folder);
    struct stat st;

    while (here.len > 1) {
        const char *slash;

        if (lstat(arena_printf(arena, "%.*s/.git", STR_ARG(here)), &st) == 0)
            return arena_cstr(arena, here);
        slash = memrchr(here.ptr, '/', here.len);
        here = str_slice(here, 0, (size_t)(slash - here.ptr));
    }
    return folder;
}

static const char *real_folder(const struct ci_view *view)
{
    const char *dir = view->front.suites.list[0]->dir;
    char *real = realpath(*dir ? dir : ".", NULL);
    const char *kept = arena_cstr(view->in.arena, str_of(real ? real : "."));

    free(real);
    return kept;
}

static const char *folder_in(struct arena *arena, const char *root, const char *folder)
{
    size_t len = strlen(root);

    if (strncmp(folder, root, len) != 0 || folder[len] != '/')
        return "";
    return arena_cstr(arena, str_of(folder + len + 1));
}

const char *ci_view_root(const struct ci_view *view)
{
    return repository_of(view->in.arena, real_folder(view));
}

#define REF_MOST 1024
#define REF_WORD "ref: refs/remotes/origin/"

/* As `git clone` has found it there. */
static const char *branch_of(const struct ci_view *view)
{
    struct arena *arena = view->in.arena;
    const char *path = arena_printf(arena, "%s/.git/refs/remotes/origin/HEAD", ci_view_root(view));
    struct buf text = {0};
    struct str name = {0};

    if (file_read_regular(path, &text, REF_MOST) == 0 && str_starts(buf_str(&text), REF_WORD))
        name = arena_str(arena, str_trim(str_slice(buf_str(&text), sizeof REF_WORD - 1, text.len)));
    buf_release(&text);
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.ptr[i]) && !strchr("_./-", name.ptr[i]))
            return NULL; /* a pattern to GitHub, or worse */
    return name.len ? arena_cstr(arena, name) : NULL;
}

/* ---- what was selected, as words of a shell ---- */

static void add_word(struct buf *out, const char *word)
{
    bool plain = *word != '\0';

    for (const char *p = word; *p && plain; p++)
        plain = isalnum((unsigned char)*p) || strchr("_./=,:@%+-", *p);
    buf_addc(out, ' ');
    if (plain) {
        buf_adds(out, word);
        return;
    }
    buf_addc(out, '\'');
    for (const char *p = word; *p; p++)
        buf_addf(out, *p == '\'' ? "'\\''" : "%c", *p);
    buf_addc(out, '\'');
}

static void add_option(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addf(out, " %s", name);
    add_word(out, value);
}

static void add_list(struct buf *out, const char *name, const struct opt_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        add_option(out, name, list->values[i]);
}

/* A path as it is called in the folder of the file, where the job is; NULL: it is elsewhere, which diags say. */
static const char *path_in_folder(const struct ci_view *view, const char *path)
{
    struct arena *arena = view->in.arena;
    const char *folder = real_folder(view);
    char *real = realpath(path, NULL);
    const char *inside = real ? folder_in(arena, folder, real) : "";

    if (real && strcmp(real, folder) == 0)
        inside = ".";
    if (!*inside)
        diag_error(view->in.diags, (struct place){0},
                   "'%s' is not in '%s', where the job is: a workflow cannot name it", path, folder);
    else if (*inside == '-')
        inside = arena_printf(arena, "./%s", inside);
    free(real);
    return *inside ? inside : NULL;
}

/* The file itself stands for all of its suites, and so for nothing that would have to be said. */
static bool add_paths(const struct ci_view *view, struct buf *out)
{
    const struct front *front = &view->front;

    for (size_t i = 0; i < front->path_count; i++) {
        const char *path = front->paths[i].path;
        const char *inside = path_in_folder(view, path);
        bool all = inside && (strcmp(path, front->suites.list[0]->file) == 0 ||
                              (strcmp(inside, ".") == 0 && front->suites.count == 1));

        if (!inside)
            return false;
        if (!all)
            add_word(out, inside);
    }
    return true;
}

const char *ci_view_selection(const struct ci_view *view)
{
    const struct options *o = &view->options;
    const char *context = o->context ? path_in_folder(view, o->context) : NULL;
    struct buf words = {0};
    const char *kept;
    bool good;

    add_option(&words, "-P", o->profile);
    add_list(&words, "--cell", &o->cells);
    add_option(&words, "-k", o->keywords);
    add_option(&words, "-m", o->marks);
    add_list(&words, "--deselect", &o->deselect);
    add_option(&words, "--partition", o->partition);
    add_option(&words, "--context", context);
    add_list(&words, "--id", &view->front.ids);
    good = add_paths(view, &words) && (context || !o->context);
    kept = good ? arena_cstr(view->in.arena, buf_str(&words)) : NULL;
    buf_release(&words);
    return kept;
}

/* ---- profiles that soak ---- */

static nanos span_of(struct arena *arena, const struct node *node)
{
    nanos span = 0;

    if (node)
        span_parse(node_text(node, arena), &span);
    return span;
}

/* 0: there is none. */
static nanos first_end(nanos a, nanos b)
{
    return !a || (b && b < a) ? b : a;
}

/* As a run reads them: of the file alone, whichever suite the matrix is in. */
static void find_soaks(const struct ci_view *view, struct ci_facts *facts)
{
    const struct suite *suite = view->front.suites.list[0];
    struct ci_soak *soaks = ARENA_ARRAY(view->in.arena, struct ci_soak, suite->profile_count);

    for (uint32_t p = 0; p < suite->profile_count; p++) {
        const struct node *soak = node_get(suite->profiles[p].node, "soak");

        if (!soak || soak->kind != NODE_MAP)
            continue;
        soaks[facts->soak_count++] = (struct ci_soak){
            .profile = suite->profiles[p].name,
            .within = first_end(span_of(view->in.arena, node_get(soak, "within")),
                                span_of(view->in.arena, node_get(soak, "duration"))),
            .at = soak->at,
        };
    }
    facts->soaks = soaks;
}

void ci_view_facts(struct ci_view *view, struct ci_facts *facts)
{
    *facts = (struct ci_facts){
        .jobs = &view->jobs,
        .suites = &view->front.suites,
        .folder = folder_in(view->in.arena, ci_view_root(view), real_folder(view)),
        .selection = "",
        .uses = view->options.uses,
        .branch = branch_of(view),
        .session = front_session_timeout(&view->front),
        .session_at = front_session_origin(&view->front, &view->in).at,
    };
    find_soaks(view, facts);
}

/* ---- which workflow ---- */

const char *ci_view_workflow(const struct ci_view *view)
{
    char *here;
    const char *root = ci_view_root(view), *path;

    if (view->options.workflow)
        return view->options.workflow;
    here = realpath(".", NULL);
    path =
        here && strcmp(here, root) == 0 ? CI_WORKFLOW : arena_printf(view->in.arena, "%s/" CI_WORKFLOW, root);
    free(here);
    return path;
}
