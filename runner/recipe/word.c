/* Scalars of a test with expressions in them: parsed once, evaluated for each case. */
#include "runner/recipe/internal.h"

#include <string.h>

static bool note_fixtures(void *user, struct expr_path path)
{
    if (str_eq_nocase(path.name, str_of("fixtures")))
        *(bool *)user = true;
    return true;
}

bool expr_speaks_of_fixtures(const struct expr *expr)
{
    bool found = false;

    expr_each_path(expr, note_fixtures, &found);
    return found;
}

struct word word_of(struct arena *arena, const struct node *scalar, struct diags *diags)
{
    struct word word = {.scalar = scalar};

    if (!scalar || scalar->kind == NODE_NULL)
        return (struct word){.text = STR("")};
    if (scalar->kind == NODE_STRING && template_has_expr(scalar->string)) {
        word.parsed = template_parse(arena, scalar, expr_contexts, diags);
        if (word.parsed)
            template_each_path(word.parsed, note_fixtures, &word.fixtures);
    }
    if (!word.parsed)
        word.text = arena_str(arena, node_text(scalar, arena));
    return word;
}

struct words parse_words(struct arena *arena, const struct node *list, struct diags *diags)
{
    struct words words = {.count = node_list_count(list)};

    words.list = ARENA_ARRAY(arena, struct word, words.count);
    for (uint32_t i = 0; i < words.count; i++)
        words.list[i] = word_of(arena, node_list_item(list, i), diags);
    return words;
}

bool words_speak_of_fixtures(const struct words *words)
{
    for (uint32_t i = 0; i < words->count; i++)
        if (words->list[i].fixtures)
            return true;
    return false;
}

static bool refuse(struct cooking *k, const struct word *word, const char *why)
{
    diag_error(k->diags, word->scalar->at, "%s: %s", k->recipe->id.ptr, why);
    return false;
}

bool word_text(struct cooking *k, const struct word *word, struct str *text)
{
    const struct node *value;

    *text = word->text;
    if (!word->parsed)
        return true;
    *text = str_of("");
    if (word->fixtures && k->rehearsal) {
        *text = str_of("-"); /* not known yet; not empty, which would be wrong for some */
        return true;
    }
    value = template_eval(word->parsed, &k->contexts, k->arena, k->diags);
    if (!value)
        return false;
    if (!node_is_scalar(value))
        return refuse(k, word, "this is a list or a mapping; join() and toJSON() make text of one");
    *text = arena_str(k->arena, value_text(value, k->arena));
    if (text->len && memchr(text->ptr, 0, text->len))
        return refuse(k, word, "this holds a NUL byte, which no program can be given");
    return true;
}
