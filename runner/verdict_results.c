/* What a process said of its own tests, as facts of a verdict. */
#include "runner/verdict_words.h"

static uint64_t expected(const struct result_facts *r)
{
    return r->reported + r->not_run;
}

static const char *tests(uint64_t count)
{
    return count == 1 ? "test" : "tests";
}

/* ---- which hold ---- */

bool results_bailed_out(const struct facts *f)
{
    return f->results && f->results->bail_out;
}

bool results_failed(const struct facts *f)
{
    return f->results && f->results->failed;
}

/* It ended as if all were well. */
static bool ends_well(const struct facts *f)
{
    return f->executed && !f->lost && !f->abandoned && f->cause == WATCH_NO_CAUSE && !f->signal && !f->status;
}

bool results_incomplete(const struct facts *f)
{
    return f->results && f->results->not_run && !results_bailed_out(f) && ends_well(f);
}

/* A process that skips need not say so twice. */
bool results_missing(const struct facts *f)
{
    return f->results && f->results->missing && f->executed && f->status != EXIT_STATUS_SKIP;
}

const char *results_skipped(const struct facts *f)
{
    return f->results && f->status == 0 ? f->results->skip : NULL;
}

/* ---- in words ---- */

void say_bail_out(const struct facts *f, const char *words, struct buf *out)
{
    buf_adds(out, words);
    if (!*f->results->bail_out)
        return;
    buf_adds(out, ": ");
    words_line(out, str_of(f->results->bail_out));
}

void say_results_failed(const struct facts *f, const char *words, struct buf *out)
{
    const struct result_facts *r = f->results;

    (void)words;
    buf_addf(out, "%llu of %llu %s failed: ", (unsigned long long)r->failed, (unsigned long long)expected(r),
             tests(expected(r)));
    words_line(out, str_of(r->failed_names));
}

void say_results_incomplete(const struct facts *f, const char *words, struct buf *out)
{
    const struct result_facts *r = f->results;

    (void)words;
    buf_addf(out, "reported %llu of %llu %s", (unsigned long long)r->reported,
             (unsigned long long)expected(r), tests(expected(r)));
    if (r->open) {
        buf_adds(out, "; begun and not ended: '");
        words_line(out, str_of(r->open));
        buf_addc(out, '\'');
    }
}

void say_results_missing(const struct facts *f, const char *words, struct buf *out)
{
    (void)words;
    words_line(out, str_of(f->results->missing));
}

void words_reached(const struct facts *f, const char *before, struct buf *out)
{
    const struct result_facts *r = f->results;

    if (!r || !expected(r))
        return;
    buf_adds(out, before);
    if (r->open) {
        buf_adds(out, " in '");
        words_line(out, str_of(r->open));
        buf_addc(out, '\'');
    }
    buf_addf(out, "%s after ", r->open || !*before ? "," : "");
    if (r->not_run && !(r->open && r->not_run == 1))
        buf_addf(out, "%llu of %llu %s", (unsigned long long)r->reported, (unsigned long long)expected(r),
                 tests(expected(r)));
    else
        buf_addf(out, "%llu %s", (unsigned long long)r->reported, tests(r->reported));
}

void words_unexplained(const struct facts *f, struct buf *out)
{
    const struct result_facts *r = f->results;

    if (!r || !r->reported)
        return;
    if (r->not_run)
        buf_addf(out, ", after %llu of %llu %s", (unsigned long long)r->reported,
                 (unsigned long long)expected(r), tests(expected(r)));
    else if (r->reported == 1)
        buf_adds(out, ", though its one test did not fail");
    else
        buf_addf(out, ", though none of its %llu tests failed", (unsigned long long)r->reported);
}
