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

/* ---- names without a listing ---- */

bool no_name(struct arena *arena, struct str id, struct str *name)
{
    (void)arena, (void)id, (void)name;
    return false;
}

/* One that stands for a class of another file has dots. */
bool pytest_name(struct arena *arena, struct str id, struct str *name)
{
    struct str file, test;

    (void)arena;
    *name = id;
    return split_name(id, &file, &test) && str_ends(file, ".py");
}

bool preset_name_of(const struct preset *preset, struct arena *arena, struct str id, struct str *name)
{
    *name = id;
    return !preset->cannot_choose && (!preset->name_of || preset->name_of(arena, id, name));
}

/* ---- the same test under two names ---- */

/* "TestX::TestIn" with dots. */
static void add_dotted(struct buf *out, struct str classes)
{
    struct str first, rest;

    while (split_name(classes, &first, &rest)) {
        buf_addstr(out, first);
        buf_addc(out, '.');
        classes = rest;
    }
    buf_addstr(out, classes);
}

/* tests/test_a.py::TestX::test_y[1] is tests.test_a.TestX::test_y[1] where the file is another one. */
bool is_of_pytest(struct str result, struct str listed)
{
    struct str class, test, file, rest;
    struct buf dotted = {0};
    bool same;

    if (!split_name(result, &class, &test) || !split_name(listed, &file, &rest) || !str_ends(file, ".py") ||
        rest.len < test.len + 2 || !str_eq(str_slice(rest, rest.len - test.len, rest.len), test))
        return false;
    file.len -= strlen(".py");
    if (!is_module_of(class, file) || class.len == file.len)
        return false;
    add_dotted(&dotted, str_slice(rest, 0, rest.len - test.len - 2));
    same = str_eq(buf_str(&dotted), str_slice(class, file.len + 1, class.len));
    buf_release(&dotted);
    return same;
}

/* Up to what bash puts in for a variable or a command; and alone, the second of two of one name is the only one. */
bool is_of_bats(struct str result, struct str listed)
{
    size_t same = 0, at = listed.len;

    while (at && listed.ptr[at - 1] >= '0' && listed.ptr[at - 1] <= '9')
        at--;
    if (at && at < listed.len && listed.ptr[at - 1] == '#' && str_eq(result, str_slice(listed, 0, at - 1)))
        return true;

    while (same < listed.len && listed.ptr[same] != '$' && listed.ptr[same] != '`')
        same++;
    return same < listed.len && result.len >= same && memcmp(result.ptr, listed.ptr, same) == 0;
}

bool preset_is_of(const struct preset *preset, struct str result, struct str listed)
{
    return str_eq(result, listed) || (preset->is_of && preset->is_of(result, listed));
}

struct str preset_result_id(const struct preset *preset, struct arena *arena, struct str id, struct str file)
{
    return preset->result_id ? preset->result_id(arena, id, file) : id;
}
