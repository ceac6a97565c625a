/*
 * A line is a part of a selection or a case, told by its first letter: i, c, d, k, m, p as in the struct, and
 * v for a case: test|param=value,...|axis=value,...|mark,...
 */
#include "matrix/cells/cells.h"
#include "matrix/select/select.h"
#include "runner/base/id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MOST 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct texts {
    const char *list[PARTS_MOST];
    size_t count;
};

struct fuzz_case {
    struct str id, test, params, axes[PARTS_MOST], values[PARTS_MOST], marks[PARTS_MOST];
    struct case_view view;
    bool readable; /* the id has the grammar of ids */
};

struct input {
    struct arena arena;
    struct texts ids, cells, deselect;
    const char *keywords, *marks, *partition;
    struct fuzz_case cases[PARTS_MOST];
    size_t case_count;
};

static _Noreturn void fail(const char *what, struct str text)
{
    fprintf(stderr, "%s: '%.*s'\n", what, STR_ARG(text));
    abort();
}

static struct str cut(struct str *rest, char separator)
{
    const char *end = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    size_t length = end ? (size_t)(end - rest->ptr) : rest->len;
    struct str field = str_slice(*rest, 0, length);

    *rest = str_slice(*rest, end ? length + 1 : length, rest->len);
    return field;
}

static struct str escaped(struct arena *arena, struct str text)
{
    struct buf out = {0}, back = {0};
    struct str copy;

    id_escape(&out, text);
    copy = arena_str(arena, buf_str(&out));
    id_unescape(&back, copy);
    if (!str_eq(buf_str(&back), text))
        fail("does not come back", text);
    buf_release(&out);
    buf_release(&back);
    return copy;
}

/* name=value,... with at most PARTS_MOST; `each` is told them escaped. */
static struct str add_pairs(struct input *in, struct fuzz_case *c, struct str fields, bool axes)
{
    struct buf out = {0};
    struct str copy;

    for (int i = 0; fields.len && i < PARTS_MOST; i++) {
        struct str field = cut(&fields, ','), raw_name = cut(&field, '=');
        struct str name = escaped(&in->arena, raw_name), value = escaped(&in->arena, field);

        if (!raw_name.len || (!axes && memchr(raw_name.ptr, '/', raw_name.len)))
            c->readable = false;
        buf_addf(&out, "%s%.*s=%.*s", i ? "," : "", STR_ARG(name), STR_ARG(value));
        if (!axes)
            continue;
        c->axes[c->view.axis_count] = name;
        c->values[c->view.axis_count++] = value;
    }
    copy = arena_str(&in->arena, buf_str(&out));
    buf_release(&out);
    return copy;
}

static void add_case(struct input *in, struct str line)
{
    struct fuzz_case *c = &in->cases[in->case_count++];
    struct str raw = cut(&line, '|'), params = cut(&line, '|'), axes = cut(&line, '|'), cell;

    c->readable = true;
    c->test = escaped(&in->arena, raw);
    c->params = add_pairs(in, c, params, false);
    cell = add_pairs(in, c, axes, true);
    while (line.len && c->view.mark_count < PARTS_MOST)
        c->marks[c->view.mark_count++] = cut(&line, ',');
    c->id = str_of(arena_printf(&in->arena, "%s%s%s%s%s", c->test.ptr, c->params.len ? "/" : "",
                                c->params.ptr, cell.len ? "@" : "", cell.ptr));
    c->view.id = c->id;
    c->view.test = c->test;
    c->view.params = c->params;
    c->view.axes = c->axes;
    c->view.values = c->values;
    c->view.marks = c->marks;
    if (!c->id.len || str_starts(c->id, "re:/"))
        c->readable = false;
}

static void add_text(struct input *in, struct texts *texts, struct str line)
{
    if (texts->count < PARTS_MOST)
        texts->list[texts->count++] = arena_cstr(&in->arena, line);
}

static void add_line(struct input *in, struct str line)
{
    char kind;

    if (!line.len)
        return;
    kind = line.ptr[0];
    line = str_slice(line, 1, line.len);
    switch (kind) {
    case 'i': add_text(in, &in->ids, line); break;
    case 'c': add_text(in, &in->cells, line); break;
    case 'd': add_text(in, &in->deselect, line); break;
    case 'k': in->keywords = arena_cstr(&in->arena, line); break;
    case 'm': in->marks = arena_cstr(&in->arena, line); break;
    case 'p': in->partition = arena_cstr(&in->arena, line); break;
    case 'v':
        if (in->case_count < PARTS_MOST)
            add_case(in, line);
        break;
    default: break;
    }
}

static struct selection *compile(struct input *in, const struct selection_spec *spec)
{
    struct diags diags = {.arena = &in->arena};
    struct selection *selection = selection_compile(&in->arena, spec, (struct place){0}, &diags);

    if (!selection != (diags.errors > 0))
        fail("no selection, no error", (struct str){0});
    return selection;
}

static bool note_length(void *user, struct str axis)
{
    *(size_t *)user += axis.len;
    return true;
}

static void ask(struct input *in)
{
    struct selection_spec spec = {in->ids.list,    in->ids.count,     in->cells.list,
                                  in->cells.count, in->deselect.list, in->deselect.count,
                                  in->keywords,    in->marks,         in->partition};
    struct selection *selection = compile(in, &spec);
    size_t length = 0;

    if (!selection)
        return;
    selection_each_axis(selection, note_length, &length);
    for (size_t i = 0; i < in->case_count; i++) {
        selection_matches(selection, &in->cases[i].view);
        selection_in_partition(selection, in->cases[i].id, i);
    }
    selection_release(selection);
}

static void ids_select_themselves(struct input *in)
{
    for (size_t i = 0; i < in->case_count; i++) {
        const char *id = in->cases[i].id.ptr;
        struct selection *selection;

        if (!in->cases[i].readable)
            continue;
        selection = compile(in, &(struct selection_spec){.ids = &id, .id_count = 1});
        if (!selection || selection_matches(selection, &in->cases[i].view) != SELECT_YES)
            fail("does not select itself", in->cases[i].id);
        selection_release(selection);
    }
}

/* What `not` makes of an expression is its opposite for every case. */
static void not_is_the_opposite(struct input *in)
{
    struct selection *plain, *negated;

    if (!in->keywords || !str_trim(str_of(in->keywords)).len)
        return;
    plain = compile(in, &(struct selection_spec){.keywords = in->keywords});
    if (!plain)
        return;
    negated =
        compile(in, &(struct selection_spec){.keywords = arena_printf(&in->arena, "not (%s)", in->keywords)});
    for (size_t i = 0; negated && i < in->case_count; i++) {
        enum select_answer yes = selection_matches(plain, &in->cases[i].view);
        enum select_answer no = selection_matches(negated, &in->cases[i].view);

        if (yes == SELECT_GAVE_UP ? no != yes : no == yes || no == SELECT_GAVE_UP)
            fail("not the opposite", str_of(in->keywords));
    }
    selection_release(plain);
    selection_release(negated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {0};
    struct str rest = {(const char *)data, size};

    while (rest.len)
        add_line(&in, cut(&rest, '\n'));
    ask(&in);
    ids_select_themselves(&in);
    not_is_the_opposite(&in);
    arena_release(&in.arena);
    return 0;
}
