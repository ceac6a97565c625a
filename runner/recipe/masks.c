/* Whose values no report may show. */
#include "runner/recipe/internal.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

static struct str value_of(const char *entry)
{
    return str_of(strchr(entry, '=') + 1);
}

static bool is_masked(const struct kitchen *kitchen, struct str name)
{
    for (uint32_t i = 0; i < kitchen->masked_count; i++)
        if (str_is(name, kitchen->masked[i]))
            return true;
    return false;
}

static void note_name(struct kitchen *kitchen, const char *name)
{
    if (is_masked(kitchen, str_of(name)))
        return;
    GROW(kitchen->masked, kitchen->masked_count, kitchen->masked_cap);
    kitchen->masked[kitchen->masked_count++] = arena_cstr(kitchen->arena, str_of(name));
}

void mask_tokens(struct kitchen *kitchen)
{
    static const char *const names[] = {"GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN",
                                        "ACTIONS_ID_TOKEN_REQUEST_TOKEN"};
    const char *github = environment_of_caller(kitchen, "GITHUB_ACTIONS");

    if (!kitchen->mask || !github || !str_is(value_of(github), "true"))
        return;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *entry = environment_of_caller(kitchen, names[i]);

        if (!entry)
            continue;
        note_name(kitchen, names[i]);
        mask_add(kitchen->mask, value_of(entry));
    }
}

/* It is in no report then, but for all the places where it stands by chance. */
static void warn_of_short(struct cooking *k, struct str name, struct place at)
{
    if (k->kitchen->warned_of_mask)
        return;
    k->kitchen->warned_of_mask = true;
    diag_warning(k->diags, at,
                 "'%.*s' is not hidden: no line of its value has %d bytes, and what is shorter is everywhere",
                 STR_ARG(name), MASK_LEAST);
}

void kitchen_close(struct kitchen *kitchen)
{
    free(kitchen->masked);
    kitchen->masked = NULL;
}

const char *kitchen_masked(const struct kitchen *kitchen, struct arena *arena)
{
    struct buf names = {0};
    const char *text = NULL;

    for (uint32_t i = 0; i < kitchen->masked_count; i++)
        buf_addf(&names, "%s%s", i ? " " : "", kitchen->masked[i]);
    if (names.len)
        text = arena_cstr(arena, buf_str(&names));
    buf_release(&names);
    return text;
}

void kitchen_mask(struct kitchen *kitchen, struct str name, struct str value)
{
    if (kitchen->mask && is_masked(kitchen, name))
        mask_add(kitchen->mask, value);
}

bool cook_masks(struct cooking *k)
{
    struct setting_value value;

    if (!cook_get(k, SET_MASK, &value))
        return false;
    for (uint32_t i = 0; k->kitchen->mask && i < node_list_count(value.node); i++) {
        const struct node *item = node_list_item(value.node, i);
        const char *name = arena_cstr(k->arena, node_text(item, k->arena));
        const char *entry = environment_find(k->recipe->spec.envp, name);

        note_name(k->kitchen, name);
        if (entry && value_of(entry).len && !mask_add(k->kitchen->mask, value_of(entry)))
            warn_of_short(k, str_of(name), item->at);
    }
    return true;
}
