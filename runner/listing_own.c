/*
 * What a C test says of itself (marks, deadline, skip, xfail ...) stands in the list of its module. Here it becomes
 * settings, as if run-matrix.yaml had them for this one test, with the place in the C source. What cannot be is the
 * error of that case, and no other.
 */
#include "runner/listing_internal.h"

#include "runner/base/id.h"
#include "runner/base/mem.h"
#include "runner/base/sig.h"

#include <string.h>

#define OWN_MOST 8 /* pairs of the mapping that is made */

struct own {
    struct arena *arena;
    const struct node *line;
    struct place at;
    struct diags diags; /* of this test alone */
    struct node *map;
};

/* ---- values ---- */

static struct node *text_node(struct own *own, struct str text)
{
    return node_string(own->arena, own->at, text);
}

/* What looks like an expression in C is none: it is written as one that gives it. */
static struct node *literal(struct own *own, struct str text)
{
    struct buf out = {0};
    struct node *node;
    size_t at;

    for (; str_find(text, "${{", &at); text = str_slice(text, at + 3, text.len)) {
        buf_addstr(&out, str_slice(text, 0, at));
        buf_adds(&out, "${{ '${{' }}");
    }
    buf_addstr(&out, text);
    node = text_node(own, arena_str(own->arena, buf_str(&out)));
    buf_release(&out);
    return node;
}

static void add(struct own *own, const char *key, const struct node *value)
{
    own->map->map.pairs[own->map->map.count++] = (struct pair){text_node(own, str_of(key)), value};
}

static bool holds_expression(struct own *own, const struct node *value)
{
    size_t at;

    for (uint32_t i = 0; i < node_list_count(value); i++) {
        const struct node *item = node_list_item(value, i);

        if (item->kind == NODE_STRING && str_find(item->string, "${{", &at)) {
            diag_error(&own->diags, own->at,
                       "'%.*s' is an expression of run-matrix.yaml; in C there are none",
                       STR_ARG(item->string));
            return true;
        }
    }
    return false;
}

/* Places of what json_to_node made are those in the list. */
static const struct node *placed(struct own *own, const struct node *value)
{
    struct node *copy = ARENA_NEW(own->arena, struct node);

    *copy = *value;
    copy->at = own->at;
    if (value->kind == NODE_SEQ) {
        copy = node_seq(own->arena, own->at, value->seq.count);
        for (uint32_t i = 0; i < value->seq.count; i++) {
            struct node *item = ARENA_NEW(own->arena, struct node);

            *item = *value->seq.items[i];
            item->at = own->at;
            copy->seq.items[i] = item;
        }
    }
    return copy;
}

/* ---- keys ---- */

static void take_as_it_is(struct own *own, const char *key, enum setting setting)
{
    const struct node *value = node_get(own->line, key);

    if (!value)
        return;
    value = placed(own, value);
    if (!holds_expression(own, value) && schema_check_setting(setting, value, &own->diags))
        add(own, setting_key(setting), value);
}

/* Empty where no reason was given: what is none is said to be wrong. */
static bool reason_of(struct own *own, const char *key, struct node **reason)
{
    const struct node *value = node_get(own->line, key);

    *reason = NULL;
    if (!value)
        return true;
    if (value->kind != NODE_STRING) {
        diag_error(&own->diags, own->at, "'%s' is a reason, a text; found %s", key,
                   node_kind_words(value->kind));
        return false;
    }
    *reason = literal(own, value->string);
    return true;
}

static struct node *list_of_one(struct own *own, const struct pair *pairs, uint32_t count)
{
    struct node *map = node_map(own->arena, own->at, count), *list = node_seq(own->arena, own->at, 1);

    for (uint32_t i = 0; i < count; i++)
        map->map.pairs[i] = pairs[i];
    list->seq.items[0] = map;
    return list;
}

static void take_skip(struct own *own)
{
    struct node *reason;

    if (reason_of(own, "skip", &reason) && reason)
        add(own, "skip", list_of_one(own, &(struct pair){text_node(own, str_of("reason")), reason}, 1));
}

/* In the list it is a number; for people it has a name. */
static const struct node *signal_node(struct own *own, const struct node *value)
{
    const char *name = value->kind == NODE_NUMBER && value->number >= 1 && value->number < 128
                           ? signal_name((int)value->number)
                           : NULL;

    return name && signal_find(str_of(name)) ? text_node(own, str_of(name)) : placed(own, value);
}

static void take_xfail(struct own *own)
{
    static const struct {
        const char *key, *as;
    } keys[] = {{"xfail_strict", "strict"}, {"xfail_signal", "signal"}, {"xfail_exit", "exit"}};
    struct pair pairs[1 + ARRAY_LEN(keys)];
    uint32_t count = 0;
    const struct node *value;
    struct node *reason, *list;

    if (!reason_of(own, "xfail", &reason))
        return;
    if (reason)
        pairs[count++] = (struct pair){text_node(own, str_of("reason")), reason};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        value = node_get(own->line, keys[i].key);
        if (!value)
            continue;
        value = strcmp(keys[i].as, "signal") == 0 ? signal_node(own, value) : placed(own, value);
        pairs[count++] = (struct pair){text_node(own, str_of(keys[i].as)), value};
    }
    if (!count)
        return;
    list = list_of_one(own, pairs, count);
    if (schema_check_setting(SET_XFAIL, list, &own->diags))
        add(own, "xfail", list);
}

/* Which of them its case has, the recipe knows. */
static void take_skip_on_backend(struct own *own)
{
    const struct node *value = node_get(own->line, "skip_on_backend");
    struct str unknown = {0};

    for (uint32_t i = 0; i < node_list_count(value); i++) {
        const struct node *item = node_list_item(value, i);

        if (item->kind != NODE_STRING || !backend_find(item->string))
            unknown = item->kind == NODE_STRING ? item->string : str_of(node_kind_words(item->kind));
    }
    if (unknown.len)
        diag_error(
            &own->diags, own->at,
            "there is no backend '%.*s' to be skipped on ('skip_on_backend'); expected some of exec, spawn, "
            "forkserver, main_thread_forkserver, subint, subint_forkserver, subint_fork, or their aliases",
            STR_ARG(unknown));
    else if (value)
        add(own, "skip_on_backend", placed(own, value));
}

/* ---- the whole ---- */

static const char *wrong_words(struct own *own)
{
    struct buf text = {0};
    const char *words;

    for (size_t i = 0; i < own->diags.count; i++)
        buf_addf(&text, "%s%s: %s", i ? "; " : "", place_text(own->arena, own->at), own->diags.list[i].text);
    words = arena_cstr(own->arena, buf_str(&text));
    buf_release(&text);
    return words;
}

static struct place place_of(struct arena *arena, const struct node *line, const char *module)
{
    const struct node *file = node_get(line, "file"), *number = node_get(line, "line");
    bool numbered = number && number->kind == NODE_NUMBER && number->number >= 1 && number->number < 1e9;

    if (!file || file->kind != NODE_STRING || !file->string.len)
        return (struct place){.file = module};
    return (struct place){.file = arena_cstr(arena, file->string),
                          .line = numbered ? (uint32_t)number->number : 0};
}

void listing_own(struct listing *listing, const struct preset_test *test, struct sub_test *sub)
{
    struct arena *arena = listing->kitchen.arena;
    struct own own = {.arena = arena, .diags = {.arena = arena}};

    own.line = json_to_node(arena, test->line, (struct place){0}, &own.diags);
    if (!own.line)
        return; /* preset_read_module has read it: it is JSON */
    own.at = place_of(arena, own.line, sub->file);
    own.map = node_map(arena, own.at, OWN_MOST);
    own.map->map.count = 0;
    take_as_it_is(&own, "marks", SET_MARKS);
    take_as_it_is(&own, "timeout", SET_TIMEOUT);
    take_as_it_is(&own, "slow", SET_SLOW);
    take_as_it_is(&own, "serial", SET_SERIAL);
    take_as_it_is(&own, "retries", SET_RETRIES);
    take_skip(&own);
    take_xfail(&own);
    take_skip_on_backend(&own);
    sub->own = own.map->map.count ? own.map : NULL;
    sub->wrong = own.diags.errors ? wrong_words(&own) : NULL;
}

const struct node *listing_marks(struct listing *listing, const struct preset_listing *found)
{
    struct arena *arena = listing->kitchen.arena;
    struct diags diags = {.arena = arena};
    const struct node *heading = json_to_node(arena, found->heading, (struct place){0}, &diags);
    const struct node *marks = heading ? node_get(heading, "marks") : NULL;

    return marks && marks->kind == NODE_MAP ? marks : NULL;
}

/* ---- ids ---- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* The library escapes what stands in values: what may stand in an id is taken as it is. */
static bool is_in_grammar(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        struct buf escaped = {0};
        bool plain;

        if (c == '=' || c == ',')
            continue;
        if (c == '%' && i + 2 < name.len && is_hex(name.ptr[i + 1]) && is_hex(name.ptr[i + 2])) {
            i += 2;
            continue;
        }
        id_escape(&escaped, (struct str){&c, 1});
        plain = escaped.len == 1;
        buf_release(&escaped);
        if (!plain)
            return false;
    }
    return true;
}

void listing_own_id(struct buf *out, struct str name)
{
    if (is_in_grammar(name))
        buf_addstr(out, name);
    else
        id_escape(out, name);
}
