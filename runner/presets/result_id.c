/* Ids of results as listings have them: so the same test is called the same, and can be run by what a report calls it. */
#include "runner/presets/internal.h"

#include "runner/base/json.h"

#include <string.h>

/* "tests/test_a.py" is "tests.test_a" there, with dots for all slashes. */
static bool is_module_of(struct str class, struct str module)
{
    if (class.len < module.len || (class.len > module.len && class.ptr[module.len] != '.'))
        return false;
    for (size_t i = 0; i < module.len; i++)
        if (class.ptr[i] != (module.ptr[i] == '/' ? '.' : module.ptr[i]))
            return false;
    return true;
}

static void add_classes(struct buf *out, struct str classes)
{
    buf_adds(out, "::");
    for (size_t i = 0; i < classes.len; i++)
        if (classes.ptr[i] == '.')
            buf_adds(out, "::");
        else
            buf_addc(out, classes.ptr[i]);
}

/*
 * "tests.test_a.TestX::test_y[1]" in the file "tests/test_a.py" is tests/test_a.py::TestX::test_y[1]. A test that its
 * class has from another file is said to be in that one: then it is not known where the names of classes begin.
 */
struct str pytest_result_id(struct arena *arena, struct str id, struct str file)
{
    struct str class, test, module = file;
    struct buf out = {0};
    struct str text = id;

    if (str_ends(module, ".py"))
        module.len -= strlen(".py");
    if (!file.len || !split_name(id, &class, &test) || !is_module_of(class, module))
        return id;
    buf_addstr(&out, file);
    if (class.len > module.len)
        add_classes(&out, str_slice(class, module.len + 1, class.len));
    buf_adds(&out, "::");
    buf_addstr(&out, test);
    text = arena_str(arena, buf_str(&out));
    buf_release(&out);
    return text;
}

/* What stands in the JSON between the package and the test; both are texts of JSON. */
struct str go_result_id(struct arena *arena, struct str id, struct str file)
{
    static const char between[] = "\",\"Test\":\"";
    struct json_reader json = {0};
    struct buf test = {0};
    struct str text = id;
    size_t at;

    (void)file;
    if (!str_find(id, between, &at))
        return id;
    buf_addf(&test, "\"%.*s\"", STR_ARG(str_slice(id, at + strlen(between), id.len)));
    json.input = buf_str(&test);
    if (json_next(&json) == JSON_STRING)
        text = str_of(arena_printf(arena, "%.*s::%.*s", STR_ARG(str_slice(id, 0, at)), STR_ARG(json.text)));
    json_reader_release(&json);
    buf_release(&test);
    return text;
}

/* Which folder bats leaves out of a path depends on its command. */
struct str bats_result_id(struct arena *arena, struct str id, struct str file)
{
    struct str path, test;

    (void)file;
    if (!split_name(id, &path, &test))
        return id;
    return str_of(arena_printf(arena, "%.*s::%.*s", STR_ARG(base_name(path)), STR_ARG(test)));
}

struct str preset_result_id(const struct preset *preset, struct arena *arena, struct str id, struct str file)
{
    return preset->result_id ? preset->result_id(arena, id, file) : id;
}
