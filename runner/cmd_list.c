/* `list`: cells and cases, for people and for programs. Nothing is started. */
#include "runner/base/json.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"
#include "runner/front.h"
#include "runner/header.h"
#include "runner/markers.h"
#include "runner/quarantines.h"
#include "runner/report/report.h"

#include <stdio.h>
#include <stdlib.h>

#define FLUSH_AT ((size_t)64 << 10)

/* A list can be longer than memory should hold twice: it leaves in pieces. */
static void flush(struct buf *out, size_t at_least)
{
    if (out->len && out->len >= at_least) {
        fwrite(out->ptr, 1, out->len, stdout);
        buf_clear(out);
    }
}

/* ---- settings that a list shows ---- */

struct shown {
    struct setting_value timeout, marks;
    bool quarantined; /* by what follows */
    struct journal_quarantine quarantine;
};

static bool look_up(struct front *front, struct invocation *in, const struct plan_case *c,
                    struct arena *scratch, struct shown *shown)
{
    arena_clear(scratch);
    shown->quarantined = quarantines_find(front, c, scratch, &shown->quarantine);
    return settings_get(front->settings, c, SET_TIMEOUT, scratch, &shown->timeout, in->diags) &&
           settings_get(front->settings, c, SET_MARKS, scratch, &shown->marks, in->diags);
}

/* When it is run, that is its error. */
static void warn_unlisted(const struct front *front, struct invocation *in, const struct plan_case *c)
{
    const struct test *test = case_test(&front->suites, c);
    const struct node *node = test->node, *key = node_get(node, test->is_module ? "module" : "discover");
    const char *problem = case_problem(&front->plan, c);
    const struct sub_test *sub = case_sub(&front->plan, c);

    if (sub && sub->wrong)
        diag_warning(in->diags, (struct place){.file = sub->file}, "%.*s: %s", STR_ARG(test->name),
                     sub->wrong);
    if (problem)
        diag_warning(in->diags, key ? key->at : node->at, "%.*s: %s", STR_ARG(test->name), problem);
}

/* What is wrong with the settings of any case is known before the first of them is printed. */
static bool check_settings(struct front *front, struct invocation *in)
{
    struct arena scratch = {0};
    struct shown shown;
    bool ok = true;

    for (uint32_t i = 0; i < front->plan.count; i++) {
        warn_unlisted(front, in, &front->plan.cases[i]);
        ok = look_up(front, in, &front->plan.cases[i], &scratch, &shown) && ok;
    }
    arena_release(&scratch);
    return ok;
}

/* `--quarantined` shows those alone that are in one. */
static bool is_left_out(const struct invocation *in, const struct shown *shown)
{
    return in->options->quarantined && !shown->quarantined;
}

static double seconds_of(const struct node *timeout, struct arena *scratch)
{
    nanos span = 0;

    span_parse(node_text(timeout, scratch), &span);
    return (double)span / (double)NS_PER_S;
}

/* ---- JSON ---- */

/* In a monorepo: which of its suites. */
static void json_suite(struct json_writer *w, const struct suite *suite)
{
    if (!suite->prefix.len)
        return;
    json_key_c(w, "suite");
    json_str(w, suite->prefix);
}

static void json_cell(struct json_writer *w, const struct suite *suite, uint32_t cell, struct buf *text)
{
    json_object(w);
    buf_clear(text);
    cells_name(text, &suite->cells, cell);
    json_key_c(w, "name");
    json_str(w, buf_str(text));
    buf_clear(text);
    cells_json(text, &suite->cells, cell);
    json_key_c(w, "values");
    json_raw(w, buf_str(text));
    if (suite->elsewhere[cell]) {
        json_key_c(w, "elsewhere");
        json_bool(w, true);
    }
    json_suite(w, suite);
    json_object_end(w);
}

static void json_cells(struct json_writer *w, const struct front *front, struct buf *text)
{
    json_key_c(w, "cells");
    json_array(w);
    for (uint32_t s = 0; s < front->suites.count; s++)
        for (uint32_t cell = 0; !front->suites.list[s]->left_out && cell < front->suites.list[s]->cells.count;
             cell++) {
            json_cell(w, front->suites.list[s], cell, text);
            flush(w->out, FLUSH_AT);
        }
    json_array_end(w);
}

static void json_marks(struct json_writer *w, const struct node *marks, struct arena *scratch)
{
    json_key_c(w, "marks");
    json_array(w);
    for (uint32_t i = 0; marks && i < marks->seq.count; i++)
        json_str(w, node_text(marks->seq.items[i], scratch));
    json_array_end(w);
}

/* It says in which one a case is, whether that still holds or not. */
static void json_quarantine(struct json_writer *w, const struct journal_quarantine *quarantine)
{
    json_key_c(w, "quarantine");
    json_object(w);
    json_key_c(w, "owner");
    json_str(w, quarantine->owner);
    json_key_c(w, "reason");
    json_str(w, quarantine->reason);
    json_key_c(w, "until");
    json_str(w, quarantine->until);
    json_object_end(w);
}

static void json_case(struct json_writer *w, const struct front *front, const struct plan_case *c,
                      const struct shown *shown, struct arena *scratch, struct buf *text)
{
    json_object(w);
    buf_clear(text);
    case_id(text, &front->plan, c);
    json_key_c(w, "id");
    json_str(w, buf_str(text));
    json_key_c(w, "test");
    json_str(w, case_test(&front->suites, c)->name);
    buf_clear(text);
    case_cell_json(text, &front->suites, c);
    json_key_c(w, "cell");
    json_raw(w, buf_str(text));
    json_marks(w, shown->marks.node, scratch);
    json_key_c(w, "timeout");
    json_double(w, seconds_of(shown->timeout.node, scratch));
    json_suite(w, case_suite(&front->suites, c));
    if (shown->quarantined)
        json_quarantine(w, &shown->quarantine);
    if (c->elsewhere) {
        json_key_c(w, "elsewhere");
        json_bool(w, true);
    }
    json_object_end(w);
}

static void json_cases(struct json_writer *w, struct front *front, struct invocation *in, struct buf *text)
{
    struct arena scratch = {0};
    struct shown shown;

    json_key_c(w, "cases");
    json_array(w);
    for (uint32_t i = 0; i < front->plan.count; i++) {
        const struct plan_case *c = &front->plan.cases[i];

        look_up(front, in, c, &scratch, &shown);
        if (is_left_out(in, &shown))
            continue;
        json_case(w, front, c, &shown, &scratch, text);
        flush(w->out, FLUSH_AT);
    }
    json_array_end(w);
    arena_release(&scratch);
}

static void print_json(struct front *front, struct invocation *in)
{
    struct buf out = {0}, text = {0};
    struct json_writer w = {.out = &out};

    json_object(&w);
    json_key_c(&w, "schema");
    json_int(&w, 1);
    json_cells(&w, front, &text);
    json_cases(&w, front, in, &text);
    json_object_end(&w);
    buf_addc(&out, '\n');
    flush(&out, 0);
    buf_release(&text);
    buf_release(&out);
}

/* ---- words ---- */

static void print_cells(const struct suite *suite, bool each, struct buf *out)
{
    struct buf name = {0};

    header_cells(out, suite);
    for (uint32_t cell = 0; each && cell < suite->cells.count; cell++) {
        buf_clear(&name);
        cells_name(&name, &suite->cells, cell);
        buf_adds(out, "  ");
        utf8_show(out, buf_str(&name));
        buf_adds(out, suite->elsewhere[cell] ? "  (elsewhere)\n" : "\n");
        flush(out, FLUSH_AT);
    }
    buf_release(&name);
}

static void add_details(struct buf *out, const struct shown *shown, struct arena *scratch)
{
    buf_addf(out, "  timeout %.*s", STR_ARG(node_text(shown->timeout.node, scratch)));
    for (uint32_t i = 0; shown->marks.node && i < shown->marks.node->seq.count; i++)
        buf_addf(out, "%s%.*s", i ? "," : "  marks ",
                 STR_ARG(node_text(shown->marks.node->seq.items[i], scratch)));
}

static void add_quarantine(struct buf *out, const struct journal_quarantine *quarantine)
{
    buf_adds(out, "  ");
    report_quarantine(out, quarantine, quarantines_today());
}

/* What is not known of a case yet. */
static const char *inside_words(const struct front *front, const struct plan_case *c)
{
    const struct test *test = case_test(&front->suites, c);

    if (test->inside != INSIDE_APART || c->sub)
        return "";
    return test->fixture_count ? "  (collected after fixture build)" : "  (its tests are not listed)";
}

static void add_inside(struct buf *out, const struct front *front, const struct plan_case *c)
{
    uint32_t chosen = case_choice(&front->plan, c).count;

    if (chosen && !case_problem(&front->plan, c))
        buf_addf(out, "  (%u of its tests)", chosen);
    buf_adds(out, inside_words(front, c));
}

static void print_cases(struct front *front, struct invocation *in, struct buf *out)
{
    const struct options *o = in->options;
    struct arena scratch = {0};
    struct shown shown = {0};

    for (uint32_t i = 0; i < front->plan.count; i++) {
        const struct plan_case *c = &front->plan.cases[i];

        if (o->verbose || o->quarantined)
            look_up(front, in, c, &scratch, &shown); /* check_settings has found nothing wrong */
        if (is_left_out(in, &shown))
            continue;
        buf_adds(out, o->quiet ? "" : "  ");
        case_id(out, &front->plan, c);
        if (o->verbose && !o->quiet)
            add_details(out, &shown, &scratch);
        if (o->quarantined && !o->quiet)
            add_quarantine(out, &shown.quarantine);
        if (!o->quiet && c->elsewhere)
            buf_adds(out, "  (elsewhere)");
        if (!o->quiet)
            add_inside(out, front, c);
        buf_addc(out, '\n');
        flush(out, FLUSH_AT);
    }
    arena_release(&scratch);
}

static void print_words(struct front *front, struct invocation *in)
{
    const char *what = in->options->quarantined ? ", of which in quarantine:" : "";
    const struct plan *plan = &front->plan;
    struct buf out = {0};

    if (!in->options->quiet)
        header_implied(&out, front);
    for (uint32_t s = 0; !in->options->quiet && s < front->suites.count; s++) {
        const struct suite *suite = front->suites.list[s];

        if (!suite->left_out && *suite->file &&
            (suite->test_count || suite->cells.axis_count || suite->cells.key_count))
            print_cells(suite, !suite->test_count || in->options->verbose, &out);
    }
    if (!in->options->quiet && front->profile)
        buf_addf(&out, "profile %s\n", front->profile);
    if (!in->options->quiet && plan->count == plan->collected)
        buf_addf(&out, "%u case%s%s\n", plan->count, plural(plan->count), what);
    else if (!in->options->quiet)
        buf_addf(&out, "%u of %u cases%s\n", plan->count, plan->collected, what);
    if (!in->options->quiet)
        header_recalled(&out, front);
    print_cases(front, in, &out);
    flush(&out, 0);
    buf_release(&out);
}

static bool has_tests(const struct suites *suites)
{
    for (uint32_t s = 0; s < suites->count; s++)
        if (suites->list[s]->test_count)
            return true;
    return false;
}

static enum exit_code list(struct front *front, struct invocation *in)
{
    if (!check_settings(front, in))
        return EXIT_USAGE;
    if (in->options->markers) {
        markers_print(front, in);
        return EXIT_PASSED;
    }
    header_warn(front, in->diags);
    quarantines_warn(front, quarantines_today(), in->diags);
    if (in->options->json)
        print_json(front, in);
    else
        print_words(front, in);
    if ((front->selection || front->recalled) && !front->plan.count && has_tests(&front->suites)) {
        diag_error(in->diags, (struct place){0}, "none of %u case%s is selected", front->plan.collected,
                   plural(front->plan.collected));
        return EXIT_NOTHING;
    }
    return EXIT_PASSED;
}

enum exit_code cmd_list(struct invocation *in)
{
    struct front front;
    enum exit_code code = front_open(&front, in);

    if (code == EXIT_PASSED)
        code = list(&front, in);
    front_release(&front);
    return code;
}
