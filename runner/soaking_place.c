/* What an attempt came to, as a soak is told: its words, where that was, and the end of what it wrote. */
#include "runner/crash.h"
#include "runner/dumps.h"
#include "runner/outputs.h"
#include "runner/said_facts.h"
#include "runner/session.h"
#include "runner/soaking.h"

#include "runner/base/layout.h"
#include "runner/base/utf8.h"

#include <string.h>
#include <unistd.h>

#define TAIL_MOST ((size_t)16 << 10) /* of each stream */

/* ---- where ---- */

static bool said_place(struct slot *slot, struct buf *out)
{
    const struct said *said = said_by(slot);
    const struct said_line *line;

    if (!said || !(said->failures + said->errors))
        return false;
    line = said->failures ? &said->failure : &said->error;
    if (line->file.len)
        buf_addf(out, "%.*s:%u", STR_ARG(line->file), line->line);
    return line->file.len > 0;
}

/* The first test inside that did not pass: NULL where nothing of the like is told. */
static const struct result *first_failed(const struct slot *slot)
{
    const struct case_results *results = &slot->results;

    for (uint32_t i = 0; results->read && i < results->results.count; i++)
        if (verdict_counts(results->verdicts[i]) == COUNT_FAILED && !results->results.list[i].is_a_parent)
            return &results->results.list[i];
    return NULL;
}

static bool result_place(struct slot *slot, struct buf *out)
{
    const struct result *result = first_failed(slot);

    if (!result)
        return false;
    buf_addstr(out, result->id);
    if (result->file.len)
        buf_addf(out, " at %.*s:%u", STR_ARG(result->file), result->line);
    return true;
}

/* Whoever was ended by us stood where the dump says; whoever ended by himself has said it, or died there. */
static void add_place(struct slot *slot, struct buf *out)
{
    if (slot->ending.cause && dumps_place(slot, out))
        return;
    if (said_place(slot, out) || crash_place(slot, out))
        return;
    result_place(slot, out);
}

/* ---- the end of its output ---- */

/* What nobody may read may begin before it: so much more is looked at. */
static void add_tail(struct mask *mask, const struct capture_file *file, struct buf *out)
{
    uint64_t size = file->fd < 0 ? 0 : capture_size(file);
    size_t room = TAIL_MOST + 2 * mask_longest(mask), length = size < room ? (size_t)size : room;
    struct buf raw = {0};
    struct str tail;
    ssize_t got;

    if (!length)
        return;
    buf_reserve(&raw, length);
    got = pread(file->fd, raw.ptr, length, (off_t)(size - length));
    raw.len = got > 0 ? (size_t)got : 0;
    tail = buf_str(&raw);
    mask_text(mask, size > length ? mask_known(mask, tail) : tail, out);
    buf_addc(out, '\n');
    buf_release(&raw);
}

/* What suites say of a failure is better than what they print around it. */
static void add_output(struct mask *mask, const struct slot *slot, struct buf *out)
{
    const struct result *result = first_failed(slot);

    if (result) {
        buf_addstr(out, result->message);
        buf_addc(out, '\n');
        buf_addstr(out, utf8_cut(result->details, TAIL_MOST));
        return;
    }
    for (int i = 0; i < CAPTURE_FILES_MOST; i++)
        add_tail(mask, &slot->capture.files[i], out);
}

/* ---- all of it ---- */

static struct str hidden(struct session *s, struct slot *slot, struct buf *text)
{
    struct str shown = arena_str(&slot->arena, mask_in(s->mask, &slot->arena, buf_str(text)));

    buf_release(text);
    return shown;
}

bool soaking_has_evidence(const struct session *s, struct slot *slot)
{
    return slot->worth == SOAK_ALL &&
           faccessat(s->run.fd, arena_cstr(&slot->arena, slot->soaked.evidence), F_OK, 0) == 0;
}

void soaking_outcome(struct session *s, struct slot *slot, const struct journal_attempt *attempt)
{
    struct soak_outcome *outcome = &slot->soaked;
    struct buf place = {0}, output = {0};

    *outcome = (struct soak_outcome){
        .verdict = attempt->verdict, .attempt = attempt->attempt, .duration = attempt->duration};
    if (verdict_counts(attempt->verdict) != COUNT_FAILED)
        return;
    add_place(slot, &place);
    add_output(s->mask, slot, &output);
    outcome->reason = mask_in(s->mask, &slot->arena, attempt->reason);
    outcome->place = hidden(s, slot, &place);
    outcome->output = hidden(s, slot, &output);
    outcome->evidence = str_of(outputs_path(slot, LAYOUT_CASES, attempt->attempt, ""));
    outcome->evidence.len--; /* without the slash */
}
