/* Tests of bats: lines of its files, as grep finds them: path/x.bats:@test "name" { */
#include "runner/presets/internal.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

static struct str without_quotes(struct str name)
{
    if (name.len && (name.ptr[0] == '"' || name.ptr[0] == '\''))
        name = str_slice(name, 1, name.len);
    if (name.len && (name.ptr[name.len - 1] == '"' || name.ptr[name.len - 1] == '\''))
        name.len--;
    return name;
}

/* As bash reads it; what it puts in for a variable is not known. */
static void add_read(struct buf *out, struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '\\' && i + 1 < name.len && memchr("\"\\`$", name.ptr[i + 1], 4))
            i++;
        buf_addc(out, name.ptr[i]);
    }
}

static bool bats_line(struct str line, struct str *file, struct str *name)
{
    size_t at;

    if (!str_find(line, ".bats:", &at))
        return false;
    *file = str_slice(line, 0, at + strlen(".bats"));
    *name = str_trim(str_slice(line, at + strlen(".bats:"), line.len));
    if (!str_starts(*name, "@test ") && !str_starts(*name, "@test\t"))
        return false;
    *name = str_slice(*name, strlen("@test"), name->len);
    /* The last blank before a brace: as bats reads it. */
    for (at = name->len; at > 1; at--)
        if (name->ptr[at - 1] == '{' && (name->ptr[at - 2] == ' ' || name->ptr[at - 2] == '\t')) {
            *name = str_trim(str_slice(*name, 0, at - 1));
            return name->len > 0;
        }
    return false;
}

struct bats_test {
    struct str file, name;
    size_t number;
};

/* Files in their order, as bats runs them; what is in one stays as it is. */
static int compare(const void *a, const void *b)
{
    const struct bats_test *first = a, *second = b;
    int order = str_cmp(first->file, second->file);

    return order ? order : first->number < second->number ? -1 : 1;
}

static void add_bats(struct listing_reader *reader, const struct bats_test *test)
{
    struct str raw = without_quotes(test->name);
    struct buf id = {0}, name = {0};

    buf_addf(&id, "%.*s::", STR_ARG(base_name(test->file)));
    add_read(&id, raw);
    buf_addf(&name, "%.*s::", STR_ARG(test->file));
    buf_addstr(&name, raw);
    listing_add(reader, buf_str(&id), buf_str(&name));
    buf_release(&id);
    buf_release(&name);
}

void read_bats(struct listing_reader *reader, struct str output)
{
    struct bats_test *list = NULL, test = {0};
    size_t count = 0, cap = 0;
    struct str line;

    while (listing_line(&output, &line))
        if (bats_line(line, &test.file, &test.name)) {
            GROW(list, count, cap);
            test.number = count;
            list[count++] = test;
        }
    if (count)
        qsort(list, count, sizeof *list, compare);
    for (size_t i = 0; i < count; i++)
        add_bats(reader, &list[i]);
    free(list);
}
