#include "runner/base/diag.h"

#include "runner/base/buf.h"
#include "runner/base/inert.h"
#include "runner/base/utf8.h"

#include <stdlib.h>
#include <string.h>

static const char *const severity_words[] = {
#define X(id, word) [id] = word,
    DIAG_SEVERITIES(X)
#undef X
};

__attribute__((format(printf, 4, 0))) static void add(struct diags *diags, enum diag_severity severity,
                                                      struct place at, const char *format, va_list args)
{
    size_t *found = severity == DIAG_ERROR ? &diags->errors : &diags->warnings;
    struct buf text = {0};

    if ((*found)++ >= DIAG_MOST)
        return;
    if (diags->count == diags->cap) {
        size_t cap = diags->cap ? diags->cap * 2 : 8;
        struct diag *list = ARENA_ARRAY(diags->arena, struct diag, cap);

        if (diags->count)
            memcpy(list, diags->list, diags->count * sizeof *list);
        diags->list = list;
        diags->cap = cap;
    }
    buf_vaddf(&text, format, args);
    diags->list[diags->count] =
        (struct diag){severity, at, arena_cstr(diags->arena, buf_str(&text)), diags->count};
    diags->count++;
    buf_release(&text);
}

void diag_error(struct diags *diags, struct place at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(diags, DIAG_ERROR, at, format, args);
    va_end(args);
}

void diag_warning(struct diags *diags, struct place at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(diags, DIAG_WARNING, at, format, args);
    va_end(args);
}

const char *place_text(struct arena *arena, struct place at)
{
    if (!at.file)
        return "";
    if (!at.line)
        return at.file;
    if (!at.col)
        return arena_printf(arena, "%s:%u", at.file, at.line);
    return arena_printf(arena, "%s:%u:%u", at.file, at.line, at.col);
}

static const char *file_of(const struct diag *diag)
{
    return diag->at.file ? diag->at.file : "";
}

static int by_place(const void *left, const void *right)
{
    const struct diag *a = left, *b = right;
    int order = strcmp(file_of(a), file_of(b));

    if (order)
        return order;
    if (a->at.line != b->at.line)
        return a->at.line < b->at.line ? -1 : 1;
    if (a->at.col != b->at.col)
        return a->at.col < b->at.col ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

/* What is wrong in an aliased part of a file is found again at every use of it. */
static bool said_before(const struct diags *diags, size_t i)
{
    const struct diag *d = &diags->list[i], *before = d - 1;

    return i && d->at.line == before->at.line && d->at.col == before->at.col && d->at.line &&
           strcmp(file_of(d), file_of(before)) == 0 && strcmp(d->text, before->text) == 0;
}

void diags_print(struct diags *diags, FILE *out)
{
    struct buf line = {0};

    if (diags->count)
        qsort(diags->list, diags->count, sizeof *diags->list, by_place);
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *d = &diags->list[i];
        const char *where = place_text(diags->arena, d->at);

        if (said_before(diags, i))
            continue;
        buf_clear(&line);
        utf8_show(&line, str_of(*where ? where : "run-matrix"));
        buf_addf(&line, ": %s: ", severity_words[d->severity]);
        utf8_show(&line, str_of(d->text));
        buf_addc(&line, '\n');
        inert_print(buf_str(&line), diags->inert, out);
    }
    buf_release(&line);
    if (diags->errors + diags->warnings > diags->told + diags->count)
        fprintf(out, "run-matrix: %zu more not shown\n",
                diags->errors + diags->warnings - diags->told - diags->count);
    diags->told = diags->errors + diags->warnings;
    diags->count = 0;
}
