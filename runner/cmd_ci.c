/* `ci`: the matrix of a workflow, the workflow, and whether the two still fit. */
#include "runner/cmd_ci.h"

#include "runner/base/mem.h"

static const struct place nowhere = {0};

static const char *const words[] = {"matrix", "init", "check"};
static enum exit_code (*const functions[])(struct ci_view *) = {ci_matrix, ci_init, ci_check};

/* SIZE_MAX: none of them. */
static size_t find_word(struct invocation *in)
{
    const char *word = in->args.count ? in->args.values[0] : NULL;
    const char *nearest;

    for (size_t i = 0; word && i < ARRAY_LEN(words); i++)
        if (str_is(str_of(word), words[i]))
            return i;
    if (!word) {
        diag_error(in->diags, nowhere, "say what to do: ci matrix, ci init, or ci check");
        return SIZE_MAX;
    }
    nearest = str_nearest(str_of(word), words, ARRAY_LEN(words));
    diag_error(in->diags, nowhere, "ci knows matrix, init and check, not '%s'%s%s%s", word,
               nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return SIZE_MAX;
}

/* The word is no argument of what it stands for. */
static void view_init(struct ci_view *view, const struct invocation *in)
{
    *view = (struct ci_view){.in = *in, .options = *in->options};
    view->options.as_in_ci = true;
    view->in.options = &view->options;
    view->in.args.values++;
    view->in.args.count--;
}

static enum exit_code view_open(struct ci_view *view)
{
    enum exit_code code = front_open(&view->front, &view->in);

    if (code != EXIT_PASSED)
        return code;
    return ci_jobs_make(view->in.arena, &view->front.plan, &view->jobs, view->in.diags) ? EXIT_PASSED
                                                                                        : EXIT_USAGE;
}

enum exit_code cmd_ci(struct invocation *in)
{
    size_t word = find_word(in);
    struct ci_view view;
    enum exit_code code;

    if (word == SIZE_MAX)
        return EXIT_USAGE;
    view_init(&view, in);
    code = view_open(&view);
    if (code == EXIT_PASSED)
        code = functions[word](&view);
    front_release(&view.front);
    return code;
}
