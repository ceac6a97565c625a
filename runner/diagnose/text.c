#include "runner/diagnose/telling.h"

static void write_notes(struct telling *t)
{
    const struct dump *dump = t->dump;

    if (dump->machine)
        say_line(t, "machine: %s", say_safe(t, dump->machine, TELL_TEXT_MOST));
    for (uint32_t i = 0; i < dump->note_count; i++)
        say_line(t, "note: %s", say_safe(t, dump->notes[i], TELL_TEXT_MOST));
}

static void write_tail(struct telling *t, const struct dump_tail *tail)
{
    struct str text = tail_text(t, tail);

    say_line(t, "%s", "");
    say_line(t, "output %s, %s%s%s%s", say_name(t, tail->name), say_bytes(t, tail->size),
             tail->path ? ", " : "", tail->path ? say_safe(t, tail->path, TELL_TEXT_MOST) : "",
             tail->size > text.len ? "; its end:"
             : tail->size          ? ":"
                                   : "");
    say_lines(t, "  | ", text);
}

/* What a process needs is forgotten after it: there may be a thousand. */
static void write_processes(struct telling *t)
{
    struct arena *whole = t->arena, own = {0};
    struct fold_stacks stacks;
    uint32_t first = 0;

    fold_stacks(&stacks, t->dump, whole);
    t->arena = &own;
    for (uint32_t i = 0; i < t->dump->process_count && !t->cut; i++) {
        text_process(t, i, &stacks, first);
        first += t->dump->processes[i].thread_count;
        arena_clear(&own);
    }
    t->arena = whole;
    arena_release(&own);
}

void dump_write_text(const struct dump *dump, struct mask *mask, struct buf *out)
{
    struct arena arena = {0};
    struct telling t = {
        .dump = dump, .mask = mask, .arena = &arena, .out = out, .from = out->len, .most = DUMP_TEXT_MOST};
    struct findings findings;

    findings_of(&t, &findings);
    summary_write(&t, &findings);
    say_line(&t, "%s", "");
    say_line(&t, DUMP_DETAIL_LINE);
    write_notes(&t);
    for (uint32_t i = 0; i < dump->tail_count; i++)
        write_tail(&t, &dump->tails[i]);
    write_processes(&t);
    arena_release(&arena);
}
