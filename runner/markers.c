#include "runner/markers.h"

#include "runner/base/json.h"
#include "runner/base/mem.h"
#include "runner/base/nearest.h"
#include "runner/base/utf8.h"

#include <stdio.h>

static const struct {
    struct str name;
    const char *words;
} built_in[] = {
    {STR("slow"), "takes its time"},
    {STR("serial"), "runs with nothing beside it"},
    {STR("flaky"), "does not pass every time"},
    {STR("skip"), "is not run"},
    {STR("xfail"), "is expected to fail"},
};

/* Where one mark may have been declared. */
struct declared {
    const struct node *file, *module; /* NULL: nothing there */
};

static size_t count_of(const struct node *map)
{
    return map && map->kind == NODE_MAP ? map->map.count : 0;
}

static struct str name_at(const void *user, size_t i)
{
    const struct declared *declared = user;

    if (i < ARRAY_LEN(built_in))
        return built_in[i].name;
    i -= ARRAY_LEN(built_in);
    if (i < count_of(declared->file))
        return declared->file->map.pairs[i].key->string;
    return declared->module->map.pairs[i - count_of(declared->file)].key->string;
}

static size_t count(const struct declared *declared)
{
    return ARRAY_LEN(built_in) + count_of(declared->file) + count_of(declared->module);
}

/* ---- checking ---- */

static bool is_strict(const struct front *front, const struct invocation *in)
{
    const struct node *said = front_profile_key(front, "strict-markers");

    if (in->options->strict_markers)
        return true;
    if (!said)
        said = node_get(front->suites.list[0]->defaults, "strict-markers");
    return said && said->kind == NODE_BOOL && said->boolean;
}

static void check_mark(const struct declared *declared, const struct node *mark, struct diags *diags)
{
    struct str name = node_text(mark, diags->arena);

    for (size_t i = 0; i < count(declared); i++)
        if (str_eq(name, name_at(declared, i)))
            return;
    diag_error(diags, mark->at, "the mark '%.*s' is not declared (strict-markers): %s%s", STR_ARG(name),
               declared->module ? "neither under 'markers' nor by MARK in C"
                                : "it does not stand under 'markers'",
               did_you_mean(diags, name, count(declared), name_at, declared));
}

static void check_marks(const struct declared *declared, const struct node *settings, struct diags *diags)
{
    const struct node *marks = node_get(settings, "marks");

    for (uint32_t i = 0; i < node_list_count(marks); i++)
        if (node_is_scalar(node_list_item(marks, i)))
            check_mark(declared, node_list_item(marks, i), diags);
}

static void check_file(const struct suite *suite, struct diags *diags)
{
    const struct declared declared = {.file = node_get(suite->root, "markers")};

    check_marks(&declared, suite->defaults, diags);
    for (uint32_t i = 0; i < suite->test_count; i++)
        check_marks(&declared, suite->tests[i].node, diags);
    for (uint32_t i = 0; i < suite->override_count; i++)
        check_marks(&declared, suite->overrides[i].node, diags);
    for (uint32_t i = 0; i < suite->profile_count; i++)
        check_marks(&declared, suite->profiles[i].node, diags);
}

/* The marks of one C function stand in the list once for each of its parameters: a diagnostic is printed once. */
static void check_modules(const struct front *front, struct diags *diags)
{
    for (uint32_t i = 0; i < front->plan.sub_count; i++) {
        const struct sub_test *sub = front->plan.subs[i];

        if (sub->own) {
            struct declared declared = {node_get(front->suites.list[sub->suite]->root, "markers"),
                                        sub->marks};

            check_marks(&declared, sub->own, diags);
        }
    }
}

bool markers_check(const struct front *front, struct invocation *in)
{
    size_t errors = in->diags->errors;

    if (!is_strict(front, in))
        return true;
    for (uint32_t s = 0; s < front->suites.count; s++)
        if (!front->suites.list[s]->left_out)
            check_file(front->suites.list[s], in->diags);
    check_modules(front, in->diags);
    return in->diags->errors == errors;
}

/* ---- printing ---- */

struct printing {
    struct json_writer *json; /* NULL: words */
    struct buf *out;
    struct arena *arena;
};

static void print_one(struct printing *p, struct str name, struct str words, const char *where)
{
    if (p->json) {
        json_object(p->json);
        json_key_c(p->json, "name");
        json_str(p->json, name);
        json_key_c(p->json, "words");
        json_str(p->json, words);
        json_key_c(p->json, "declared");
        json_cstr(p->json, where);
        json_object_end(p->json);
        return;
    }
    utf8_show(p->out, name);
    buf_adds(p->out, ": ");
    utf8_show(p->out, words);
    buf_adds(p->out, "  (");
    utf8_show(p->out, str_of(where));
    buf_adds(p->out, ")\n");
}

static void print_map(struct printing *p, const struct node *map, const char *module)
{
    for (size_t i = 0; i < count_of(map); i++) {
        const struct pair *pair = &map->map.pairs[i];
        struct str words = node_is_scalar(pair->value) ? node_text(pair->value, p->arena) : (struct str){0};

        print_one(p, pair->key->string, words, module ? module : place_text(p->arena, pair->key->at));
    }
}

static void print_all(struct printing *p, const struct front *front)
{
    const struct node *last = NULL;

    for (size_t i = 0; i < ARRAY_LEN(built_in); i++)
        print_one(p, built_in[i].name, str_of(built_in[i].words), "built in");
    for (uint32_t s = 0; s < front->suites.count; s++)
        if (!front->suites.list[s]->left_out)
            print_map(p, node_get(front->suites.list[s]->root, "markers"), NULL);
    /* Tests of one module stand together. */
    for (uint32_t i = 0; i < front->plan.sub_count; i++) {
        const struct sub_test *sub = front->plan.subs[i];

        if (sub->marks && sub->marks != last)
            print_map(p, sub->marks, sub->file);
        last = sub->marks;
    }
}

void markers_print(const struct front *front, const struct invocation *in)
{
    struct buf out = {0};
    struct json_writer json = {.out = &out};
    struct printing p = {in->options->json ? &json : NULL, &out, in->arena};

    if (p.json) {
        json_object(&json);
        json_key_c(&json, "schema");
        json_int(&json, 1);
        json_key_c(&json, "markers");
        json_array(&json);
    }
    print_all(&p, front);
    if (p.json) {
        json_array_end(&json);
        json_object_end(&json);
        buf_addc(&out, '\n');
    }
    fwrite(out.ptr, 1, out.len, stdout);
    buf_release(&out);
}
