/* What was found and done, counted and said. */
#include "runner/remains/internal.h"

#include "runner/base/mask.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <string.h>

static const char *const outcome_words[] = {
#define X(id, word) [id] = word,
    OUTCOMES(X)
#undef X
};

static void count(struct reaped *result, enum outcome outcome)
{
    result->found++;
    switch (outcome) {
    case OUTCOME_KILLED: result->killed++; /* fall through */
    case OUTCOME_ENDED: result->ended++; break;
    case OUTCOME_REMOVED: result->removed++; break;
    case OUTCOME_FOUND:
    case OUTCOME_LEFT: result->left++; break;
    case OUTCOME_UNSURE: result->unsure++; break;
    }
}

void tell(const struct telling *t, enum outcome outcome, const char *words, const char *why)
{
    struct buf line = {0}, shown = {0};

    count(t->result, outcome);
    if (!t->how->say || !words)
        return;
    buf_adds(&line, words);
    if (t->run.len)
        buf_addf(&line, ", of run %.*s", STR_ARG(t->run));
    buf_addf(&line, ": %s%s%s", outcome_words[outcome], why ? ": " : "", why ? why : "");
    utf8_show(&shown, buf_str(&line)); /* names of files are whatever a case has made of them */
    t->how->say(t->how->user, buf_text(&shown));
    buf_release(&shown);
    buf_release(&line);
}

static void add_age(struct buf *out, nanos age)
{
    span_format(out, age < NS_PER_S ? age : age / NS_PER_S * NS_PER_S);
}

static void mask_entry(struct mask *mask, struct str entry, struct str names)
{
    const char *equals = entry.len ? memchr(entry.ptr, '=', entry.len) : NULL;
    struct str name = str_slice(entry, 0, equals ? (size_t)(equals - entry.ptr) : 0);

    while (name.len && names.len) {
        const char *blank = memchr(names.ptr, ' ', names.len);
        size_t end = blank ? (size_t)(blank - names.ptr) : names.len;

        if (str_eq(str_slice(names, 0, end), name))
            mask_add(mask, str_slice(entry, name.len + 1, entry.len));
        names = str_slice(names, blank ? end + 1 : end, names.len);
    }
}

/* What the run was to hide is on no record; whom it has started has it with him. */
static const char *hide(pid_t pid, const char *masked, const char *words, struct arena *arena)
{
    struct mask *mask = mask_new();
    struct buf environment = {0};

    proc_environ(pid, &environment);
    for (struct str rest = buf_str(&environment); rest.len;) {
        size_t len = strnlen(rest.ptr, rest.len);

        mask_entry(mask, str_slice(rest, 0, len), str_of(masked));
        rest = str_slice(rest, len < rest.len ? len + 1 : len, rest.len);
    }
    words = mask_in(mask, arena, str_of(words)).ptr;
    buf_release(&environment);
    mask_free(mask);
    return words;
}

const char *tell_process(const struct proc_stat *stat, const char *masked, struct arena *arena)
{
    struct buf text = {0};
    const char *words;
    size_t before;

    buf_addf(&text, "process %ld (", (long)stat->pid);
    before = text.len;
    if (proc_cmdline(stat->pid, &text) < 0 || text.len == before)
        buf_adds(&text, stat->comm);
    buf_adds(&text, "), ");
    add_age(&text, proc_age(stat));
    buf_adds(&text, " old");
    words = arena_cstr(arena, buf_str(&text));
    buf_release(&text);
    return masked ? hide(stat->pid, masked, words, arena) : words;
}
