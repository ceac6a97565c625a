/* The cases of a soak as they stand in its file: what a report calls them, and what tells whether it is of the same ones. */
#include "runner/soak/internal.h"

#include <string.h>

static void write_number(struct buf *out, uint32_t number)
{
    buf_add(out, &number, sizeof number);
}

static void write_text(struct buf *out, struct str text)
{
    write_number(out, (uint32_t)text.len);
    buf_addstr(out, text);
}

void cases_write(const struct soak_case *cases, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        write_text(out, cases[i].id);
        write_text(out, cases[i].test);
        write_number(out, cases[i].value_count);
        for (uint32_t v = 0; v < cases[i].value_count; v++) {
            write_text(out, cases[i].values[v].axis);
            write_text(out, cases[i].values[v].value);
        }
    }
}

/* ---- back; the file may be anybody's ---- */

static bool read_number(struct str *text, uint32_t *number)
{
    if (text->len < sizeof *number)
        return false;
    memcpy(number, text->ptr, sizeof *number);
    *text = str_slice(*text, sizeof *number, text->len);
    return true;
}

static bool read_text(struct str *text, struct str *part)
{
    uint32_t len;

    if (!read_number(text, &len) || len > text->len)
        return false;
    *part = str_slice(*text, 0, len);
    *text = str_slice(*text, len, text->len);
    return true;
}

static bool read_case(struct str *text, struct arena *arena, struct soak_case *c)
{
    struct soak_value *values;

    if (!read_text(text, &c->id) || !read_text(text, &c->test) || !read_number(text, &c->value_count))
        return false;
    if (c->value_count > text->len / (2 * sizeof(uint32_t)))
        return false;
    values = ARENA_ARRAY(arena, struct soak_value, c->value_count);
    for (uint32_t v = 0; v < c->value_count; v++)
        if (!read_text(text, &values[v].axis) || !read_text(text, &values[v].value))
            return false;
    c->values = values;
    return true;
}

bool cases_read(struct str text, uint32_t count, struct arena *arena, struct soak_case **cases)
{
    *cases = ARENA_ARRAY(arena, struct soak_case, count);
    for (uint32_t i = 0; i < count; i++)
        if (!read_case(&text, arena, &(*cases)[i]))
            return false;
    return !text.len;
}
