#include "ci/check.h"

#include "runner/base/nearest.h"

#include <ctype.h>
#include <string.h>

static struct str name_at(struct str text)
{
    size_t end = 0;

    while (end < text.len &&
           (isalnum((unsigned char)text.ptr[end]) || text.ptr[end] == '_' || text.ptr[end] == '-'))
        end++;
    return str_slice(text, 0, end);
}

/* "fromJSON(" right before it. */
static bool is_from_json(struct str before)
{
    static const char call[] = "fromjson(";
    size_t len = sizeof call - 1;

    before = str_trim(before);
    return before.len >= len && str_eq_nocase(str_slice(before, before.len - len, before.len), str_of(call));
}

static bool find_in(struct str inner, struct needs_ref *ref)
{
    struct reference found;
    size_t at = 0;

    while (reference_next(inner, &at, &found)) {
        struct str rest = str_slice(inner, found.to, inner.len), whole;
        const char *outputs;

        if (!str_eq_nocase(found.context, str_of("needs")) || !found.key.ptr)
            continue;
        whole = str_slice(inner, found.from, inner.len);
        outputs = memmem(whole.ptr, whole.len, ".outputs.", 9);
        if (!outputs)
            continue;
        rest = str_slice(whole, (size_t)(outputs - whole.ptr) + 9, whole.len);
        *ref = (struct needs_ref){.job = found.key,
                                  .output = name_at(rest),
                                  .in_from_json = is_from_json(str_slice(inner, 0, found.from))};
        ref->rest = str_slice(rest, ref->output.len, rest.len);
        return ref->output.len > 0;
    }
    return false;
}

bool needs_find(struct str text, bool bare, struct needs_ref *ref)
{
    struct expression_span span;
    size_t at = 0;

    if (bare && !expression_next(text, 0, &span))
        return find_in(text, ref);
    for (; expression_next(text, at, &span) && span.closed; at = span.to)
        if (find_in(expression_inner(text, &span), ref))
            return true;
    return false;
}

static bool is_needed(const struct node *job, struct str id)
{
    const struct node *needs = node_get(job, "needs");

    for (uint32_t i = 0; i < node_list_count(needs); i++) {
        const struct node *item = node_list_item(needs, i);

        if (item->kind == NODE_STRING && str_eq_nocase(item->string, id))
            return true;
    }
    return false;
}

/* steps.S.outputs.O in an output of a job. */
static bool read_step_output(struct str text, struct str *step, struct str *output)
{
    struct expression_span span;
    struct str inner;

    if (!expression_next(text, 0, &span) || !span.closed)
        return false;
    inner = str_trim(expression_inner(text, &span));
    if (!str_starts(inner, "steps."))
        return false;
    *step = name_at(str_slice(inner, 6, inner.len));
    inner = str_slice(inner, 6 + step->len, inner.len);
    if (!str_starts(inner, ".outputs."))
        return false;
    *output = name_at(str_slice(inner, 9, inner.len));
    return true;
}

static const struct node *step_by_id(const struct node *job, struct str id)
{
    const struct node *steps = node_get(job, "steps");

    for (uint32_t i = 0; steps && steps->kind == NODE_SEQ && i < steps->seq.count; i++) {
        const struct node *name = node_get(steps->seq.items[i], "id");

        if (name && name->kind == NODE_STRING && str_eq_nocase(name->string, id))
            return steps->seq.items[i];
    }
    return NULL;
}

static bool check_step_output(const struct check *c, const struct node *job, const struct node *value,
                              const char *output)
{
    struct str step_id, name, script;
    const struct node *step;
    size_t at;

    if (value->kind != NODE_STRING || !read_step_output(value->string, &step_id, &name)) {
        check_tell(c, value->at, (struct place){0}, "this is to be ${{ steps.ID.outputs.%s }}", output);
        return false;
    }
    step = step_by_id(job, step_id);
    if (!step || step_view(c, step).does != STEP_PLANS) {
        check_tell(c, value->at, (struct place){0},
                   "the job has no step '%.*s' that calls 'run-matrix ci matrix'", STR_ARG(step_id));
        return false;
    }
    script = check_text(c, step, "run");
    if (!str_find(script, "--github-output", &at)) {
        check_tell(c, step->at, (struct place){0},
                   "'run-matrix ci matrix' sets no outputs here: it lacks --github-output");
        return false;
    }
    if (str_is(name, output))
        return true;
    check_tell(c, value->at, (struct place){0}, "'%.*s' stands where '%s' of 'run-matrix ci matrix' belongs",
               STR_ARG(name), output);
    return false;
}

bool check_needs(const struct check *c, const struct node *job, const struct needs_ref *ref,
                 const char *output, struct place at, const char *what)
{
    const struct node *other = node_get_nocase(c->jobs, ref->job), *value;

    if (!other) {
        check_tell(c, at, (struct place){0}, "'%s' comes from job '%.*s', which is not there", what,
                   STR_ARG(ref->job));
        return false;
    }
    if (!is_needed(job, ref->job)) {
        check_tell(c, at, (struct place){0}, "'%s' comes from job '%.*s', which 'needs' does not name", what,
                   STR_ARG(ref->job));
        return false;
    }
    value = node_get_nocase(node_get(other, "outputs"), ref->output);
    if (!value) {
        check_tell(c, at, other->at, "'%s' comes from an output '%.*s' that job '%.*s' does not have", what,
                   STR_ARG(ref->output), STR_ARG(ref->job));
        return false;
    }
    return check_step_output(c, other, value, output);
}
