#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/cells/cells.h"
#include "matrix/yaml/yaml.h"
#include "runner/base/id.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#define MATRICES       "tests/unit/data/matrices.txt"
#define MATRICES_LEAST 150 /* the file is there and nobody emptied it */

static struct str text_file(struct arena *arena, const char *path)
{
    struct buf text = {0};
    struct str result;

    if (file_read(path, &text, SIZE_MAX) < 0)
        fail_msg("cannot read %s (run the tests from the root of the project)", path);
    result = arena_str(arena, buf_str(&text));
    buf_release(&text);
    return result;
}

static bool expand_text(struct diags *diags, struct str text, struct cells *cells)
{
    struct node *matrix = yaml_load(diags->arena, "matrix.yaml", text, YAML_LIMITS, diags);

    *cells = (struct cells){0};
    return matrix && cells_expand(diags->arena, matrix, cells, diags);
}

/* ---- matrices with answers that something else worked out (tests/extra/matrices.mjs) ---- */

static void add_answer(struct buf *out, const char *key, struct str text)
{
    struct arena arena = {0};

    buf_addf(out, "%s\"%s\":", out->len && out->ptr[out->len - 1] != '{' ? "," : "", key);
    node_json(out, node_string(&arena, (struct place){0}, text), 0);
    arena_release(&arena);
}

static void add_cell(struct buf *out, const struct cells *cells, uint32_t cell, struct str id)
{
    struct buf text = {0};

    buf_addc(out, '{');
    cells_name(&text, cells, cell);
    add_answer(out, "name", buf_str(&text));
    buf_clear(&text);
    cells_job_name(&text, cells, cell, str_of("test"));
    add_answer(out, "job", buf_str(&text));
    add_answer(out, "id", id);
    buf_adds(out, ",\"values\":");
    cells_json(out, cells, cell);
    buf_addc(out, '}');
    buf_release(&text);
}

static void add_cells(struct buf *out, struct arena *arena, const struct cells *cells)
{
    struct str *ids = ARENA_ARRAY(arena, struct str, cells->count);

    assert_true(cells_job_ids(arena, cells, ids));
    buf_adds(out, "{\"cells\":[");
    for (uint32_t cell = 0; cell < cells->count; cell++) {
        if (cell)
            buf_addc(out, ',');
        add_cell(out, cells, cell, ids[cell]);
    }
    buf_adds(out, "]}");
}

static int by_line(const void *left, const void *right)
{
    const struct diag *a = left, *b = right;

    return a->at.line < b->at.line ? -1 : a->at.line > b->at.line;
}

static void add_errors(struct buf *out, struct diags *diags)
{
    const char *comma = "";

    qsort(diags->list, diags->count, sizeof *diags->list, by_line);
    buf_adds(out, "errors at lines");
    for (size_t i = 0; i < diags->count; i++) {
        if (diags->list[i].severity != DIAG_ERROR)
            continue;
        buf_addf(out, "%s %u", comma, diags->list[i].at.line);
        comma = ",";
    }
}

/* The answer in the form in which ours is written. */
static void add_expected(struct buf *out, struct arena *arena, struct str json, const char *name)
{
    struct diags diags = {.arena = arena};
    struct node *answer = json_to_node(arena, json, (struct place){name, 1, 1}, &diags);
    const struct node *errors = node_get(answer, "errors");

    if (!answer)
        fail_msg("%s: %s", name, diags.list[0].text);
    if (!errors) {
        node_json(out, answer, 0);
        return;
    }
    buf_adds(out, "errors at lines");
    for (uint32_t i = 0; i < errors->seq.count; i++)
        buf_addf(out, "%s %.0f", i ? "," : "", node_get(errors->seq.items[i], "line")->number);
}

static bool check_matrix(const char *name, struct str matrix, struct str answer)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct buf ours = {0}, theirs = {0};
    struct cells cells;
    bool same;

    if (expand_text(&diags, matrix, &cells))
        add_cells(&ours, &arena, &cells);
    else
        add_errors(&ours, &diags);
    add_expected(&theirs, &arena, answer, name);
    same = strcmp(buf_text(&ours), buf_text(&theirs)) == 0;
    if (!same)
        print_error("%s: ours is\n%s\nbut it should be\n%s\n", name, buf_text(&ours), buf_text(&theirs));
    buf_release(&ours);
    buf_release(&theirs);
    arena_release(&arena);
    return same;
}

/* What stands before `end`, taken off the front of `text` together with it. */
static struct str take_until(struct str *text, const char *end)
{
    struct str piece = *text;
    size_t at;

    if (str_find(*text, end, &at))
        piece = str_slice(*text, 0, at);
    *text = str_slice(*text, piece.len < text->len ? at + strlen(end) : text->len, text->len);
    return piece;
}

/* "=== name", the matrix, "=>", the answer. */
static void every_matrix_of_the_file(void **state)
{
    struct arena arena = {0};
    struct str text = text_file(&arena, MATRICES);
    int count = 0, failed = 0;

    (void)state;
    take_until(&text, "=== ");
    for (; text.len; count++) {
        struct str one = take_until(&text, "\n=== ");
        const char *name = arena_cstr(&arena, take_until(&one, "\n"));
        struct str matrix = take_until(&one, "=>\n");

        failed += !check_matrix(name, matrix, one);
    }
    arena_release(&arena);
    assert_int_equal(failed, 0);
    assert_true(count >= MATRICES_LEAST);
}

/* ---- sentences ---- */

static const struct {
    const char *matrix, *place, *sentence;
} refusals[] = {
    {"[a]", "matrix.yaml:1:1", "'matrix' is a list; a mapping of axes is allowed"},
    {"", "matrix.yaml:1:1", "'matrix' is null; a mapping of axes is allowed"},
    {"{}", "matrix.yaml:1:1", "'matrix' needs at least one axis or an 'include' with an item"},
    {"os: linux", "matrix.yaml:1:5", "axis 'os' is a string; a list of values is allowed"},
    {"os: []", "matrix.yaml:1:5", "axis 'os' has no values; a list of at least one is allowed"},
    {"'': [a]", "matrix.yaml:1:1", "an axis needs a name"},
    {"os: [a]\nOS: [b]", "matrix.yaml:2:1", "'OS' is already defined as 'os'; case makes no difference"},
    {"os: [{a: 1, A: 2}]", "matrix.yaml:1:13", "'A' is already defined as 'a'; case makes no difference"},
    {"include: {os: a}", "matrix.yaml:1:10", "'include' is a mapping; a list of mappings is allowed"},
    {"os: [a]\nexclude: x", "matrix.yaml:2:10", "'exclude' is a string; a list of mappings is allowed"},
    {"include: [x]", "matrix.yaml:1:11", "an item of 'include' is a string; a mapping is allowed"},
    {"include: [{}]", "matrix.yaml:1:11", "an item of 'include' is empty; it needs at least one key"},
    {"os: [a]\nexclude: [{}]", "matrix.yaml:2:11",
     "an item of 'exclude' is empty; it needs at least one key"},
    {"include: [{'': 1}]", "matrix.yaml:1:12", "a key in 'include' is empty"},
    {"os: [a]\nexclude: [{sos: a}]", "matrix.yaml:2:12",
     "'exclude' names 'sos', which is no axis; did you mean 'os'?"},
    {"os: [a]\nexclude: [{weather: a}]", "matrix.yaml:2:12", "'exclude' names 'weather', which is no axis"},
};

static void refusals_say_where_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct cells cells;

        if (expand_text(&diags, str_of(refusals[i].matrix), &cells) || diags.errors != 1)
            fail_msg("%s: %zu errors", refusals[i].matrix, diags.errors);
        if (strcmp(diags.list[0].text, refusals[i].sentence) != 0)
            fail_msg("%s: %s", refusals[i].matrix, diags.list[0].text);
        if (strcmp(place_text(&arena, diags.list[0].at), refusals[i].place) != 0)
            fail_msg("%s: %s", refusals[i].matrix, place_text(&arena, diags.list[0].at));
        assert_int_equal(cells.count, 0);
        arena_release(&arena);
    }
}

static void a_number_of_more_digits_than_github_compares_is_warned_of(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct cells cells;

    (void)state;
    assert_true(expand_text(
        &diags, str_of("v: [0.1234567890123456]\nexclude: [{v: 0.1234567890123456}, {v: 1.50}]"), &cells));
    assert_int_equal(cells.count, 1);
    assert_int_equal(diags.warnings, 1);
    assert_string_equal(
        diags.list[0].text,
        "GitHub compares '0.1234567890123456' with 15 digits only, so it equals nothing; quote it");
    arena_release(&arena);
}

/* ---- limits ---- */

static void add_axis(struct buf *text, const char *name, int values)
{
    buf_addf(text, "%s: [", name);
    for (int i = 0; i < values; i++)
        buf_addf(text, "%s%d", i ? "," : "", i);
    buf_adds(text, "]\n");
}

static void expect_refusal(struct buf *text, const char *sentence)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct cells cells;

    assert_false(expand_text(&diags, buf_str(text), &cells));
    assert_int_equal(diags.errors, 1);
    assert_string_equal(diags.list[0].text, sentence);
    buf_release(text);
    arena_release(&arena);
}

static void a_product_that_is_too_large_is_refused_unmade(void **state)
{
    struct buf text = {0};

    (void)state;
    add_axis(&text, "a", 1000);
    add_axis(&text, "b", 2001);
    expect_refusal(&text, "the matrix has 2001000 cells; at most 2000000 are allowed");
    for (int i = 0; i < 16; i++)
        add_axis(&text, (char[]){(char)('a' + i), '\0'}, 256);
    expect_refusal(&text, "the matrix has more than 2^64 cells; at most 2000000 are allowed");
    add_axis(&text, "a", 1000);
    add_axis(&text, "b", 2000);
    buf_adds(&text, "include: [{a: -1}, {a: 1}]");
    expect_refusal(&text, "the matrix has 2000001 cells; at most 2000000 are allowed");
}

static void a_table_that_is_too_large_is_refused_unmade(void **state)
{
    struct buf text = {0};

    (void)state;
    buf_adds(&text, "include:\n");
    for (int i = 0; i < 9000; i++)
        buf_addf(&text, "- k%d: 1\n", i);
    expect_refusal(&text, "the matrix has 9000 cells of 9000 keys; cells times keys may be 67108864 at most");
}

static struct node *nest(struct arena *arena, int depth)
{
    struct node *node = node_seq(arena, (struct place){0}, 0);

    for (int i = 1; i < depth; i++) {
        struct node *outer = node_seq(arena, (struct place){0}, 1);

        outer->seq.items[0] = node;
        node = outer;
    }
    return node;
}

/* With the matrix itself and the list of the axis' values, 48 more make the 50 that GitHub allows. */
static void depth_is_bounded(void **state)
{
    (void)state;
    for (int depth = 48; depth <= 49; depth++) {
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct node *matrix = node_map(&arena, (struct place){0}, 1),
                    *axis = node_seq(&arena, (struct place){0}, 1);
        struct cells cells;

        axis->seq.items[0] = nest(&arena, depth);
        matrix->map.pairs[0] = (struct pair){node_string(&arena, (struct place){0}, str_of("a")), axis};
        assert_int_equal(cells_expand(&arena, matrix, &cells, &diags), depth == 48);
        if (depth == 49)
            assert_string_equal(diags.list[0].text, "the matrix is nested deeper than 50 levels");
        arena_release(&arena);
    }
}

/* GitHub's expression is matrix['os'] == 'x...': eighteen characters and the text. */
static void a_condition_is_as_long_as_an_expression_may_be(void **state)
{
    (void)state;
    for (int len = 20982; len <= 20983; len++) {
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct buf text = {0};
        struct cells cells;

        buf_adds(&text, "os: [linux]\nexclude: [{os: ");
        for (int i = 0; i < len; i++)
            buf_addc(&text, 'x');
        buf_adds(&text, "}]");
        assert_int_equal(expand_text(&diags, buf_str(&text), &cells), len == 20982);
        buf_release(&text);
        arena_release(&arena);
    }
}

/* ---- what the struct says beside the values ---- */

static struct cells made(struct diags *diags, const char *text)
{
    struct cells cells;

    if (!expand_text(diags, str_of(text), &cells))
        fail_msg("%s: %s", text, diags->list[0].text);
    return cells;
}

static void no_matrix_is_one_cell(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct buf out = {0};
    struct cells cells;

    (void)state;
    assert_true(cells_expand(&arena, NULL, &cells, &diags));
    assert_int_equal(cells.count, 1);
    assert_int_equal(cells.key_count, 0);
    assert_int_equal(cells.shapes[0]->count, 0);
    cells_json(&out, &cells, 0);
    assert_string_equal(buf_text(&out), "{}");
    buf_clear(&out);
    cells_name(&out, &cells, 0);
    assert_string_equal(buf_text(&out), "");
    buf_release(&out);
    arena_release(&arena);
}

static void values_know_what_they_are_alike(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct cells cells = made(&diags, "v: [1.0, x, '1', 1, X, x]\n"
                                      "w: [a]\n"
                                      "include:\n"
                                      "- {v: 1, w: b}\n"
                                      "- {v: 'y', w: b}\n"
                                      "- {v: y, w: c}\n");
    static const uint32_t alike[] = {0, 1, 0, 0, 4, 1, 6};

    (void)state;
    assert_int_equal(cells.keys[0].count,
                     ARRAY_LEN(alike)); /* 1 of the include is there already, y comes once */
    for (uint32_t v = 0; v < cells.keys[0].count; v++)
        if (cells.keys[0].values[v].alike != alike[v])
            fail_msg("value %u is alike %u", v, cells.keys[0].values[v].alike);
    assert_int_equal(cells_row(&cells, 6)[0], 0);
    assert_int_equal(cells_row(&cells, 7)[0], 6);
    assert_int_equal(cells_row(&cells, 8)[0], 6);
    arena_release(&arena);
}

static void keys_are_axes_first(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct cells cells = made(&diags, "include: [{note: 1, os: a}, {Other: 2, NOTE: 3}]\n"
                                      "os: [a, b]\n"
                                      "CC: [gcc]\n"
                                      "exclude: [{os: b}]\n");
    static const struct {
        const char *name;
        bool axis;
        uint32_t line;
    } keys[] = {{"os", true, 2}, {"CC", true, 3}, {"note", false, 1}, {"Other", false, 1}};

    (void)state;
    assert_int_equal(cells.key_count, ARRAY_LEN(keys));
    assert_int_equal(cells.axis_count, 2);
    for (uint32_t k = 0; k < cells.key_count; k++) {
        assert_true(str_is(cells.keys[k].name, keys[k].name));
        assert_int_equal(cells.keys[k].axis, keys[k].axis);
        assert_int_equal(cells.keys[k].at.line, keys[k].line);
    }
    assert_int_equal(cells_key(&cells, str_of("cc")), 1);
    assert_int_equal(cells_key(&cells, str_of("OTHER")), 3);
    assert_int_equal(cells_key(&cells, str_of("none")), CELL_ABSENT);
    assert_int_equal(cells.product, 2);
    assert_int_equal(cells.excluded, 1);
    arena_release(&arena);
}

static void shapes_are_shared_and_say_what_names_a_cell(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct cells cells =
        made(&diags, "os: [a, b, c, d]\n"
                     "include: [{os: a, x: 1}, {os: b, x: 2}, {os: c, X: 3}, {os: e, x: 1}]\n");

    (void)state;
    assert_int_equal(cells.count, 5);
    assert_ptr_equal(cells.shapes[0], cells.shapes[1]);
    assert_ptr_not_equal(cells.shapes[0], cells.shapes[2]); /* another spelling */
    assert_ptr_not_equal(cells.shapes[0], cells.shapes[3]);
    assert_ptr_not_equal(cells.shapes[0], cells.shapes[4]);
    assert_int_equal(cells.shapes[0]->count, 2);
    assert_int_equal(cells.shapes[0]->named, 1);
    assert_int_equal(cells.shapes[3]->count, 1);
    assert_int_equal(cells.shapes[4]->named, 2);
    assert_true(cells.shapes[4]->made_by_include);
    assert_false(cells.shapes[0]->made_by_include);
    assert_int_equal(cells_row(&cells, 3)[1], CELL_ABSENT);
    arena_release(&arena);
}

static void a_cell_in_order(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct cells cells = made(&diags, "os: [a]\ncc: [[1, {b: c}]]\ninclude: [{Note: x, os: A}]");
    struct buf out = {0};

    (void)state;
    cells_json(&out, &cells, 0);
    assert_string_equal(buf_text(&out), "{\"os\":\"a\",\"cc\":[1,{\"b\":\"c\"}],\"Note\":\"x\"}");
    buf_release(&out);
    arena_release(&arena);
}

/* ---- ids of values ---- */

static void values_stand_in_ids_escaped(void **state)
{
    static const char *const ids[] = {
        "a%2Cb%3D%40%25",     "1.1",        "1E+15",  "true", "null", "%5B1%2C%22x%22%5D",
        "%7B%22a%22:null%7D", "A-z_0.9:/+", "%C3%A9", ""};
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct cells cells =
        made(&diags, "v: ['a,b=@%', 1.10, 1e15, true, null, [1, x], {a: null}, A-z_0.9:/+, é, '']");

    (void)state;
    assert_int_equal(cells.keys[0].count, ARRAY_LEN(ids));
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        if (!str_is(cells.keys[0].values[i].id, ids[i]))
            fail_msg("value %zu has the id '%.*s'", i, STR_ARG(cells.keys[0].values[i].id));
    arena_release(&arena);
}

static const struct {
    const char *escaped, *text;
} unescapes[] = {
    {"a%2Cb", "a,b"}, {"%3d%3D", "=="}, {"%", "%"},       {"%4", "%4"},           {"%4G", "%4G"},
    {"%%41", "%A"},   {"a%20", "a "},   {"100%", "100%"}, {"%C3%A9", "\xC3\xA9"}, {"", ""},
};

static void unescaping_leaves_alone_what_is_no_escape(void **state)
{
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(unescapes); i++) {
        buf_clear(&out);
        id_unescape(&out, str_of(unescapes[i].escaped));
        if (strcmp(buf_text(&out), unescapes[i].text) != 0)
            fail_msg("%s became %s", unescapes[i].escaped, buf_text(&out));
    }
    buf_release(&out);
}

static void every_byte_comes_back_from_an_id(void **state)
{
    struct buf escaped = {0}, back = {0};
    char all[256];

    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    id_escape(&escaped, (struct str){all, sizeof all});
    id_unescape(&back, buf_str(&escaped));
    assert_int_equal(back.len, sizeof all);
    assert_memory_equal(back.ptr, all, sizeof all);
    buf_release(&escaped);
    buf_release(&back);
}

/* ---- ids of jobs ---- */

static void a_thousand_jobs_of_one_id_are_too_many(void **state)
{
    (void)state;
    for (int count = 999; count <= 1000; count++) {
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct buf text = {0};
        struct str *ids = ARENA_ARRAY(&arena, struct str, (size_t)count);
        struct cells cells;

        buf_adds(&text, "v: [x");
        for (int i = 1; i < count; i++)
            buf_adds(&text, ",x");
        buf_addc(&text, ']');
        assert_true(expand_text(&diags, buf_str(&text), &cells));
        assert_int_equal(cells_job_ids(&arena, &cells, ids), count == 999);
        assert_true(str_is(ids[998], "x_999"));
        buf_release(&text);
        arena_release(&arena);
    }
}

static void a_job_without_a_name_has_none(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct cells cells = made(&diags, "v: [x]");
    struct buf out = {0};

    (void)state;
    cells_job_name(&out, &cells, 0, str_of(""));
    assert_string_equal(buf_text(&out), "");
    buf_release(&out);
    arena_release(&arena);
}

/* ---- size ---- */

/* Each cell meets another set of rules; what a cell has is checked by counting. */
static void many_rules_and_many_cells(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct buf text = {0}, json = {0};
    struct cells cells;

    (void)state;
    add_axis(&text, "a", 100);
    add_axis(&text, "b", 100);
    add_axis(&text, "c", 10);
    buf_adds(&text, "exclude:\n");
    for (int i = 0; i < 100; i++)
        buf_addf(&text, "- {a: %d, b: %d}\n", i, i);
    buf_adds(&text, "include:\n");
    for (int i = 0; i < 100; i++)
        buf_addf(&text, "- {a: %d, x: a%d}\n- {b: %d, y: b%d}\n", i, i, i, i);
    assert_true(expand_text(&diags, buf_str(&text), &cells));
    assert_int_equal(cells.count, 99000);
    assert_int_equal(cells.excluded, 1000);
    cells_json(&json, &cells, 98989); /* the last with b = 97 */
    assert_string_equal(buf_text(&json), "{\"a\":99,\"b\":97,\"c\":9,\"y\":\"b97\",\"x\":\"a99\"}");
    assert_int_equal(cells.keys[3].count, 100);
    buf_release(&text);
    buf_release(&json);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_matrix_of_the_file),
        cmocka_unit_test(refusals_say_where_and_why),
        cmocka_unit_test(a_number_of_more_digits_than_github_compares_is_warned_of),
        cmocka_unit_test(a_product_that_is_too_large_is_refused_unmade),
        cmocka_unit_test(a_table_that_is_too_large_is_refused_unmade),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(a_condition_is_as_long_as_an_expression_may_be),
        cmocka_unit_test(no_matrix_is_one_cell),
        cmocka_unit_test(values_know_what_they_are_alike),
        cmocka_unit_test(keys_are_axes_first),
        cmocka_unit_test(shapes_are_shared_and_say_what_names_a_cell),
        cmocka_unit_test(a_cell_in_order),
        cmocka_unit_test(values_stand_in_ids_escaped),
        cmocka_unit_test(unescaping_leaves_alone_what_is_no_escape),
        cmocka_unit_test(every_byte_comes_back_from_an_id),
        cmocka_unit_test(a_thousand_jobs_of_one_id_are_too_many),
        cmocka_unit_test(a_job_without_a_name_has_none),
        cmocka_unit_test(many_rules_and_many_cells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
