/* `doctor`: what this machine allows, what a run does in consequence, and which command would allow more. */
#include "runner/base/json.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"
#include "runner/doctor.h"
#include "runner/front.h"
#include "runner/header.h"
#include "runner/recipe/recipe.h"
#include "runner/session.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define GITHUB_MOST (7500 * NS_PER_MS) /* what a step that is cancelled has there */

/* How long an ending takes at most, by the configuration that is found here. */
struct bound {
    const char *file; /* NULL: there is none */
    bool known;       /* the file is without errors */
    uint32_t cases;
    nanos ending;
    nanos most; /* 0: nobody says */
};

struct report {
    struct doctor doctor;
    struct bound bound;
    struct utsname kernel;
    enum containment choice;
    struct buf why_not; /* a stronger one */
    struct buf more[FINDING_COUNT];
};

/* ---- the bound ---- */

static bool longest_of(struct front *front, struct invocation *in, struct bound *bound)
{
    const struct plan *plan = &front->plan;
    struct kitchen kitchen = {
        .plan = plan,
        .settings = front->settings,
        .profile = front->profile,
        .capture = front->capture,
        .cap = session_cap(),
        .today = clock_wall() / NS_PER_S / (24 * 60 * 60),
        .environ = (const char *const *)environ,
    };
    struct arena scratch = {0};
    struct terms terms;
    nanos longest = 0;
    bool good = true;

    kitchen_open(&kitchen, in->arena);
    for (uint32_t i = 0; i < plan->count && good; i++) {
        arena_clear(&scratch);
        if (plan->cases[i].elsewhere)
            continue;
        good = recipe_check(&kitchen, &plan->cases[i], &terms, &scratch, in->diags);
        if (good && terms.ending > longest)
            longest = terms.ending;
        bound->cases++;
    }
    arena_release(&scratch);
    bound->ending = header_ending(longest);
    return good;
}

/* What is wrong with the file is not our subject: `list` tells. */
static void find_bound(struct invocation *in, struct bound *bound)
{
    struct diags unsaid = {.arena = in->arena};
    struct invocation quiet = *in;
    struct front front;

    quiet.diags = &unsaid;
    if (front_open(&front, &quiet) == EXIT_PASSED)
        bound->known = longest_of(&front, &quiet, bound);
    bound->file = front.file;
    bound->most = session_cap() ? GITHUB_MOST : 0;
    front_release(&front);
}

/* ---- all of it ---- */

static bool is_among(const struct report *r, struct buf *command, int before)
{
    for (int i = 0; i < before; i++)
        if (r->more[i].len && str_eq(buf_str(&r->more[i]), buf_str(command)))
            return true;
    return false;
}

static void examine(struct report *r, struct invocation *in)
{
    uname(&r->kernel);
    doctor_look(&r->doctor, front_find_store(in));
    r->choice = doctor_choice(&r->doctor, &r->why_not);
    for (int i = 0; i < FINDING_COUNT; i++)
        if (doctor_more(&r->doctor, i, &r->more[i]) && is_among(r, &r->more[i], i))
            buf_clear(&r->more[i]);
    find_bound(in, &r->bound);
}

static void release(struct report *r)
{
    doctor_release(&r->doctor);
    buf_release(&r->why_not);
    for (int i = 0; i < FINDING_COUNT; i++)
        buf_release(&r->more[i]);
}

/* ---- in words ---- */

static void add_line(struct buf *out, const char *name, const char *value, struct str words)
{
    buf_addf(out, "%-24s %-7s ", name, value);
    utf8_show(out, words);
    buf_addc(out, '\n');
}

static void add_bound(struct buf *out, const struct bound *bound)
{
    struct buf words = {0}, span = {0};

    if (!bound->file)
        buf_adds(&words, "no " FILE_NAME " here");
    else if (!bound->known)
        buf_addf(&words, "not known: 'run-matrix list' says what is wrong with '%s'", bound->file);
    else
        buf_addf(&words, "at most, by the ladders of %u case%s in '%s'", bound->cases, plural(bound->cases),
                 bound->file);
    if (bound->known && bound->most && bound->ending > bound->most)
        buf_adds(&words, "; longer than the 7.5s that a cancelled step has");
    if (bound->known)
        span_format(&span, bound->ending);
    add_line(out, "an ending takes", bound->known ? buf_text(&span) : "-", buf_str(&words));
    buf_release(&span);
    buf_release(&words);
}

static void add_more(struct buf *out, const struct report *r)
{
    for (int i = 0; i < FINDING_COUNT; i++)
        if (r->more[i].len) {
            buf_addf(out, "\nfor %s:\n  ", finding_name[i]);
            buf_addstr(out, buf_str(&r->more[i]));
            buf_addc(out, '\n');
        }
}

static void print_words(const struct report *r)
{
    struct buf out = {0};

    buf_addf(&out, "run-matrix " VERSION " on %s %s, %s, as %s\n\n", r->kernel.sysname, r->kernel.release,
             r->kernel.machine, geteuid() == 0 ? "root" : "an ordinary user");
    for (int i = 0; i < FINDING_COUNT; i++)
        add_line(&out, finding_name[i], r->doctor.findings[i].can ? "yes" : "no",
                 buf_str(&r->doctor.findings[i].words));
    buf_addc(&out, '\n');
    add_line(&out, "cases are contained by", contain_word[r->choice],
             r->why_not.len ? buf_str(&r->why_not) : str_of(contain_words[r->choice]));
    add_bound(&out, &r->bound);
    add_more(&out, r);
    fwrite(out.ptr, 1, out.len, stdout);
    buf_release(&out);
}

/* ---- as JSON ---- */

static void json_pair(struct json_writer *w, const char *key, const char *value)
{
    json_key_c(w, key);
    json_cstr(w, value);
}

static void json_findings(struct json_writer *w, const struct report *r)
{
    json_key_c(w, "allows");
    json_object(w);
    for (int i = 0; i < FINDING_COUNT; i++) {
        json_key_c(w, finding_key[i]);
        json_object(w);
        json_key_c(w, "can");
        json_bool(w, r->doctor.findings[i].can);
        json_pair(w, "words", buf_text(&r->doctor.findings[i].words));
        if (r->more[i].len)
            json_pair(w, "more", buf_text(&r->more[i]));
        json_object_end(w);
    }
    json_object_end(w);
}

static void json_bound(struct json_writer *w, const struct bound *bound)
{
    json_key_c(w, "ending");
    if (!bound->known) {
        json_null(w);
        return;
    }
    json_object(w);
    json_pair(w, "file", bound->file);
    json_key_c(w, "cases");
    json_int(w, bound->cases);
    json_key_c(w, "seconds");
    json_double(w, (double)bound->ending / (double)NS_PER_S);
    if (bound->most) {
        json_key_c(w, "most");
        json_double(w, (double)bound->most / (double)NS_PER_S);
    }
    json_object_end(w);
}

static void print_json(const struct report *r)
{
    struct buf out = {0};
    struct json_writer w = {.out = &out};

    json_object(&w);
    json_key_c(&w, "schema");
    json_int(&w, 1);
    json_pair(&w, "version", VERSION);
    json_pair(&w, "kernel", r->kernel.release);
    json_pair(&w, "machine", r->kernel.machine);
    json_key_c(&w, "user");
    json_int(&w, geteuid());
    json_findings(&w, r);
    json_key_c(&w, "containment");
    json_object(&w);
    json_pair(&w, "name", contain_word[r->choice]);
    if (r->why_not.len)
        json_pair(&w, "why", buf_text(&r->why_not));
    json_object_end(&w);
    json_bound(&w, &r->bound);
    json_object_end(&w);
    buf_addc(&out, '\n');
    fwrite(out.ptr, 1, out.len, stdout);
    buf_release(&out);
}

enum exit_code cmd_doctor(struct invocation *in)
{
    struct report report = {0};

    if (in->args.count) {
        diag_error(in->diags, (struct place){0}, "doctor takes no argument, and got '%s'",
                   in->args.values[0]);
        return EXIT_USAGE;
    }
    examine(&report, in);
    if (in->options->json)
        print_json(&report);
    else
        print_words(&report);
    release(&report);
    return EXIT_PASSED;
}
