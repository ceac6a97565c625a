/* `show`: what a case printed and came to; with --config what holds for it, and which file and line says so. */
#include "runner/base/json.h"
#include "runner/base/utf8.h"
#include "runner/front.h"
#include "runner/show_run.h"

#include <stdio.h>

struct showing {
    struct front *front;
    struct invocation *in;
    struct arena scratch;
    struct buf out;
    struct json_writer json; /* with --json */
};

/* ---- one row: key, value, where from ---- */

static void json_row(struct showing *s, struct str key, const struct node *node, struct setting_origin origin)
{
    struct json_writer *w = &s->json;
    struct buf value = {0};

    node_json(&value, node, 0);
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

        row(s, str_of(name), node, part->origin);
    }
}

static bool get(struct showing *s, const struct plan_case *c, int setting, struct setting_value *value)
{
    return settings_get(s->front->settings, c, (enum setting)setting, &s->scratch, value, s->in->diags);
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
    struct showing s = {.front = front, .in = in};
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
