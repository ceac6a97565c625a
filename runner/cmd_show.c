/* `show`: what a case printed and came to; with --config what holds for it, and which file and line says so. */
#include "runner/base/json.h"
#include "runner/base/mask.h"
#include "runner/base/utf8.h"
#include "runner/front.h"
#include "runner/show_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct showing {
    struct front *front;
    struct invocation *in;
    struct arena scratch;
    struct buf out;
    struct json_writer json;     /* with --json */
    struct mask *mask;           /* of what was shown so far */
    struct setting_value masked; /* names that `mask` has, of the case that is shown */
};

/* ---- what is not to be seen ---- */

static bool get(struct showing *s, const struct plan_case *c, int setting, struct setting_value *value)
{
    return settings_get(s->front->settings, c, (enum setting)setting, &s->scratch, value, s->in->diags);
}

/* As it is, and as it stands in JSON. */
static void hide(struct showing *s, struct str value)
{
    struct buf quoted = {0};

    mask_add(s->mask, value);
    json_quote(&quoted, value);
    mask_add(s->mask, str_slice(buf_str(&quoted), 1, quoted.len - 1));
    buf_release(&quoted);
}

static bool is_masked(const struct showing *s, struct str variable)
{
    for (uint32_t i = 0; i < node_list_count(s->masked.node); i++)
        if (str_eq(node_list_item(s->masked.node, i)->string, variable))
            return true;
    return false;
}

/* False: a setting cannot be read, and the diags say why. */
static bool hide_variables(struct showing *s, const struct plan_case *c)
{
    struct setting_value env;

    if (!get(s, c, SET_MASK, &s->masked) || !get(s, c, SET_ENV, &env))
        return false;
    for (uint32_t i = 0; i < node_list_count(s->masked.node); i++) {
        const char *name = arena_cstr(&s->scratch, node_list_item(s->masked.node, i)->string);

        hide(s, str_of(getenv(name)));
    }
    for (uint32_t i = 0; i < env.part_count; i++)
        if (is_masked(s, env.parts[i].key) && env.node->map.pairs[i].value->kind != NODE_NULL)
            hide(s, node_text(env.node->map.pairs[i].value, &s->scratch));
    return true;
}

static void hide_in(struct showing *s, struct buf *value)
{
    struct buf shown = {0};

    mask_text(s->mask, buf_str(value), &shown);
    buf_release(value);
    *value = shown;
}

/* ---- one row: key, value, where from ---- */

static void json_row(struct showing *s, struct str key, const struct node *node, struct setting_origin origin)
{
    struct json_writer *w = &s->json;
    struct buf value = {0};

    node_json(&value, node, 0);
    hide_in(s, &value);
    json_object(w);
    json_key_c(w, "key");
    json_str(w, key);
    json_key_c(w, "value");
    json_raw(w, buf_str(&value));
    json_key_c(w, "layer");
    json_cstr(w, origin.layer);
    if (origin.at.file) {
        json_key_c(w, "at");
        json_cstr(w, place_text(&s->scratch, origin.at));
    }
    json_object_end(w);
    buf_release(&value);
}

static void word_row(struct showing *s, struct str key, const struct node *node, struct setting_origin origin)
{
    const char *where = place_text(&s->scratch, origin.at);
    struct buf value = {0};

    if (node_is_scalar(node) && node->kind != NODE_NULL)
        utf8_show(&value, node_text(node, &s->scratch));
    else
        node_json(&value, node, 0);
    hide_in(s, &value);
    buf_addf(&s->out, "  %-20.*s %-32s %s%s%s\n", STR_ARG(key), buf_text(&value), origin.layer,
             *where ? "  " : "", where);
    buf_release(&value);
}

static void row(struct showing *s, struct str key, const struct node *node, struct setting_origin origin)
{
    if (s->in->options->json)
        json_row(s, key, node, origin);
    else
        word_row(s, key, node, origin);
}

/* ---- one case ---- */

/* What only the test itself can say: run, module, cwd, fixtures, … */
static void show_own_keys(struct showing *s, const struct test *test)
{
    enum setting setting;

    for (uint32_t i = 0; i < test->node->map.count; i++) {
        const struct pair *pair = &test->node->map.pairs[i];

        if (!setting_find(pair->key->string, &setting) && !str_is(pair->key->string, "name"))
            row(s, pair->key->string, pair->value, (struct setting_origin){"test", pair->key->at});
    }
}

static void show_parts(struct showing *s, const char *key, const struct setting_value *value)
{
    for (uint32_t i = 0; i < value->part_count; i++) {
        const struct setting_part *part = &value->parts[i];
        const char *name =
            part->key.len ? arena_printf(&s->scratch, "%s.%.*s", key, STR_ARG(part->key)) : key;
        const struct node *node = part->key.len ? value->node->map.pairs[i].value : value->node->seq.items[i];

        if (strcmp(key, "env") == 0 && is_masked(s, part->key) && node->kind != NODE_NULL)
            node = node_string(&s->scratch, node->at, str_of(MASK_SHOWN)); /* however short it is */
        row(s, str_of(name), node, part->origin);
    }
}

/* What is wrong with any setting is known before the first is printed. */
static bool check_settings(struct showing *s)
{
    const struct plan *plan = &s->front->plan;
    struct setting_value value;
    bool ok = true;

    for (uint32_t c = 0; c < plan->count; c++) {
        arena_clear(&s->scratch);
        for (int i = 0; i < SETTING_COUNT; i++)
            ok = get(s, &plan->cases[c], i, &value) && ok;
    }
    return ok;
}

static void show_settings(struct showing *s, const struct plan_case *c)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *key = setting_key((enum setting)i);
        struct setting_value value;

        if (!get(s, c, i, &value))
            continue;
        if (value.parts)
            show_parts(s, key, &value);
        else if (value.node)
            row(s, str_of(key), value.node, value.origin);
    }
}

static void show_case(struct showing *s, const struct plan_case *c)
{
    struct buf id = {0};

    arena_clear(&s->scratch);
    if (!hide_variables(s, c))
        return;
    case_id(&id, &s->front->plan, c);
    if (s->in->options->json) {
        json_object(&s->json);
        json_key_c(&s->json, "id");
        json_str(&s->json, buf_str(&id));
        json_key_c(&s->json, "config");
        json_array(&s->json);
    } else {
        buf_addf(&s->out, "%s\n", buf_text(&id));
    }
    show_own_keys(s, case_test(&s->front->suites, c));
    show_settings(s, c);
    if (s->in->options->json) {
        json_array_end(&s->json);
        json_object_end(&s->json);
    }
    buf_release(&id);
}

static void show_all(struct showing *s)
{
    const struct plan *plan = &s->front->plan;

    if (s->in->options->json) {
        json_object(&s->json);
        json_key_c(&s->json, "schema");
        json_int(&s->json, 1);
        json_key_c(&s->json, "cases");
        json_array(&s->json);
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        show_case(s, &plan->cases[i]);
        fwrite(s->out.ptr, 1, s->out.len, stdout);
        buf_clear(&s->out);
    }
    if (s->in->options->json) {
        json_array_end(&s->json);
        json_object_end(&s->json);
        buf_addc(&s->out, '\n');
        fwrite(s->out.ptr, 1, s->out.len, stdout);
    }
}

static enum exit_code show(struct front *front, struct invocation *in)
{
    struct showing s = {.front = front, .in = in, .mask = mask_new()};
    bool ok;

    if (!front->plan.count) {
        diag_error(in->diags, (struct place){.file = front->file}, "no case is selected");
        return EXIT_NOTHING;
    }
    s.json.out = &s.out;
    ok = check_settings(&s);
    if (ok)
        show_all(&s);
    arena_release(&s.scratch);
    buf_release(&s.out);
    mask_free(s.mask);
    return ok ? EXIT_PASSED : EXIT_USAGE;
}

enum exit_code cmd_show(struct invocation *in)
{
    struct front front;
    enum exit_code code;

    if (!in->options->config)
        return show_run(in);
    code = front_open(&front, in);
    if (code == EXIT_PASSED)
        code = show(&front, in);
    front_release(&front);
    return code;
}
