#include "runner/said_facts.h"

#include "runner/session.h"

const struct said *said_by(struct slot *slot)
{
    struct said said;

    if (slot->said)
        return slot->said;
    if (!slot->recipe.is_c_test || !slot->tmp.path[0] || !said_read(slot->tmp.fd, &slot->arena, &said))
        return NULL;
    said_forget(slot->tmp.fd);
    slot->said = ARENA_NEW(&slot->arena, struct said);
    *slot->said = said;
    return slot->said;
}

/* ---- the record ---- */

static struct journal_said line_of(const struct said_line *said)
{
    return (struct journal_said){
        .kind = str_of(said_kind_words[said->kind]),
        .file = said->file,
        .words = said->words,
        .line = said->line,
        .pid = said->pid,
    };
}

_Static_assert(JOURNAL_SAID_MOST == SAID_KEPT_MOST, "the journal takes all that is kept");

/* How it died comes last, in the place of another one where there is no more room. */
static void take_lines(struct slot *slot, struct journal_attempt *a)
{
    const struct said *said = slot->said;
    struct journal_said *lines = ARENA_ARRAY(&slot->arena, struct journal_said, said->kept_count + 1);
    bool died = said->crash.words.len > 0;
    uint32_t most = died ? JOURNAL_SAID_MOST - 1 : JOURNAL_SAID_MOST;

    for (; a->said_count < said->kept_count && a->said_count < most; a->said_count++)
        lines[a->said_count] = line_of(&said->kept[a->said_count]);
    a->said_more = said->more + (said->kept_count - a->said_count);
    if (died)
        lines[a->said_count++] = line_of(&said->crash);
    a->said = lines;
}

/* From when a phase is said to have begun to what came next; 0: not known, or not to be believed. */
static nanos between(nanos from, nanos to, nanos most)
{
    return from > 0 && to > from && to - from <= most ? to - from : 0;
}

static nanos first(nanos a, nanos b)
{
    return a ? a : b;
}

void said_record(struct session *s, struct slot *slot, struct journal_attempt *a)
{
    const struct said *said = slot->said;
    nanos end, most;

    if (!said)
        return;
    take_lines(slot, a);
    /* The watch's clock stands still when the run does, a test's does not. */
    end = slot->ending.ended + clock_now() - watch_now(s->watch);
    most = end - (slot->ending.started + clock_now() - watch_now(s->watch)) + NS_PER_S;
    a->in_setup = between(said->began[SAID_SETUP],
                          first(said->began[SAID_CALL], first(said->began[SAID_TEARDOWN], end)), most);
    a->in_call = between(said->began[SAID_CALL], first(said->began[SAID_TEARDOWN], end), most);
    a->in_teardown = between(said->began[SAID_TEARDOWN], end, most);
}
