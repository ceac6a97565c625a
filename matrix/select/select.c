#include "matrix/select/select.h"

#include "matrix/select/internal.h"

struct id_patterns {
    struct id_pattern *list;
    size_t count;
};

struct selection {
    struct id_patterns ids, deselect;
    struct term **cells;
    size_t cell_count;
    struct keyword *keywords, *marks; /* NULL: not given */
    struct partition partition;
    struct owned_pattern *owned;
};

/* ---- compiling ---- */

static struct select_text text_of(const struct select_text *frame, const char *option, const char *text)
{
    struct select_text in = *frame;

    in.option = option;
    in.text = str_of(text);
    return in;
}

static void compile_ids(const struct select_text *frame, const char *option, const char *const *texts,
                        size_t count, struct id_patterns *ids)
{
    *ids = (struct id_patterns){ARENA_ARRAY(frame->arena, struct id_pattern, count), count};
    for (size_t i = 0; i < count; i++) {
        struct select_text in = text_of(frame, option, texts[i]);

        id_pattern_parse(&in, &ids->list[i]);
    }
}

static void compile_cells(const struct select_text *frame, const char *const *texts, size_t count,
                          struct selection *selection)
{
    selection->cells = ARENA_ARRAY(frame->arena, struct term *, count);
    selection->cell_count = count;
    for (size_t i = 0; i < count; i++) {
        struct select_text in = text_of(frame, "--cell", texts[i]);

        terms_parse(&in, 0, in.text.len, &selection->cells[i]);
    }
}

static struct keyword *compile_keywords(const struct select_text *frame, const char *option, const char *text,
                                        enum keyword_use use)
{
    struct select_text in = text_of(frame, option, text);

    return str_trim(in.text).len ? keyword_parse(&in, use) : NULL;
}

struct selection *selection_compile(struct arena *arena, const struct selection_spec *spec, struct place at,
                                    struct diags *diags)
{
    struct selection *selection = ARENA_NEW(arena, struct selection);
    struct select_text frame = {.at = at, .arena = arena, .diags = diags, .owned = &selection->owned};
    size_t errors = diags->errors;

    compile_ids(&frame, NULL, spec->ids, spec->id_count, &selection->ids);
    compile_ids(&frame, "--deselect", spec->deselect, spec->deselect_count, &selection->deselect);
    compile_cells(&frame, spec->cells, spec->cell_count, selection);
    selection->keywords = compile_keywords(&frame, "-k", spec->keywords, KEYWORD_ANYWHERE);
    selection->marks = compile_keywords(&frame, "-m", spec->marks, KEYWORD_MARK);
    if (spec->partition) {
        struct select_text in = text_of(&frame, "--partition", spec->partition);

        partition_parse(&in, &selection->partition);
    }
    if (diags->errors == errors)
        return selection;
    selection_release(selection);
    return NULL;
}

void selection_release(struct selection *selection)
{
    if (!selection)
        return;
    for (struct owned_pattern *owned = selection->owned; owned; owned = owned->next)
        pattern_free(owned->pattern);
    selection->owned = NULL;
}

/* ---- axes ---- */

static bool each_name(const struct term *terms, bool (*each)(void *user, struct str axis), void *user)
{
    for (; terms; terms = terms->next) {
        if (!each(user, terms->plain_name))
            return false;
    }
    return true;
}

static bool each_name_of_ids(const struct id_patterns *ids, bool (*each)(void *user, struct str axis),
                             void *user)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (!each_name(ids->list[i].cell, each, user))
            return false;
    }
    return true;
}

bool selection_each_axis(const struct selection *selection, bool (*each)(void *user, struct str axis),
                         void *user)
{
    for (size_t i = 0; i < selection->cell_count; i++) {
        if (!each_name(selection->cells[i], each, user))
            return false;
    }
    return each_name_of_ids(&selection->ids, each, user) &&
           each_name_of_ids(&selection->deselect, each, user);
}

/* ---- matching ---- */

static enum select_answer any_id(const struct id_patterns *ids, const struct case_view *view)
{
    enum select_answer answer = SELECT_NO;

    for (size_t i = 0; i < ids->count && answer != SELECT_YES; i++)
        answer = select_or(answer, id_pattern_matches(&ids->list[i], view));
    return answer;
}

static bool any_cell(const struct selection *selection, const struct case_view *view)
{
    for (size_t i = 0; i < selection->cell_count; i++) {
        if (terms_match_cell(selection->cells[i], view))
            return true;
    }
    return selection->cell_count == 0;
}

enum select_answer selection_matches(const struct selection *selection, const struct case_view *view)
{
    enum select_answer answer = any_cell(selection, view) ? SELECT_YES : SELECT_NO;

    if (answer != SELECT_NO && selection->ids.count)
        answer = any_id(&selection->ids, view);
    if (answer != SELECT_NO && selection->marks)
        answer = select_and(answer, keyword_matches(selection->marks, view));
    if (answer != SELECT_NO && selection->keywords)
        answer = select_and(answer, keyword_matches(selection->keywords, view));
    if (answer != SELECT_NO)
        answer = select_and(answer, select_not(any_id(&selection->deselect, view)));
    return answer;
}

/* ---- tests inside a case ---- */

static bool any_reaches(const struct id_patterns *ids, const struct case_view *view)
{
    for (size_t i = 0; i < ids->count; i++)
        if (id_pattern_reaches(&ids->list[i], view))
            return true;
    return false;
}

enum select_reach selection_reach(const struct selection *selection, const struct case_view *view)
{
    bool all = !selection->ids.count || any_id(&selection->ids, view) == SELECT_YES, open = false;

    if (!any_cell(selection, view) || any_id(&selection->deselect, view) == SELECT_YES)
        return REACH_NONE;
    if (selection->marks && view->more_inside)
        open = true;
    else if (selection->marks && keyword_matches(selection->marks, view) == SELECT_NO)
        return REACH_NONE;
    if (!all && !any_reaches(&selection->ids, view))
        return REACH_NONE;
    return all && !open && !selection->keywords && !any_reaches(&selection->deselect, view) ? REACH_ALL
                                                                                            : REACH_SOME;
}

bool selection_takes_whole(const struct selection *selection, const struct case_view *view)
{
    return selection_reach(selection, view) != REACH_NONE &&
           (!selection->keywords || keyword_matches(selection->keywords, view) == SELECT_YES);
}

bool selection_in_partition(const struct selection *selection, struct str id, uint64_t ordinal)
{
    return partition_holds(&selection->partition, id, ordinal);
}
