#include "runner/diagnose/telling.h"

#include <time.h>

#define JSON_STACKS_MOST ((size_t)16 << 20) /* then frames are only counted */

static void write_when(struct telling *t, struct json_writer *w)
{
    time_t seconds = (time_t)(t->dump->at / NS_PER_S);
    struct tm tm;
    char text[32];

    json_key_c(w, "at");
    if (gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
        json_cstr(w, arena_printf(t->arena, "%s.%03lldZ", text, (long long)(t->dump->at / NS_PER_MS % 1000)));
    else
        json_null(w);
    json_key_c(w, "took_ms");
    json_int(w, t->dump->took / NS_PER_MS);
    json_key_c(w, "stood_still_ms");
    json_int(w, t->dump->stood_still / NS_PER_MS);
}

static void write_frame(struct telling *t, struct json_writer *w, const struct stack_frame *frame)
{
    json_object(w);
    json_field(t, w, "pc", arena_printf(t->arena, "0x%llx", (unsigned long long)frame->pc));
    json_field(t, w, "function", frame->function);
    json_field(t, w, "file", frame->file);
    if (frame->file) {
        json_key_c(w, "line");
        json_int(w, frame->line);
    }
    json_field(t, w, "module", frame->module);
    json_field(t, w, "offset", arena_printf(t->arena, "0x%llx", (unsigned long long)frame->offset));
    json_field(t, w, "build_id", frame->build_id);
    json_key_c(w, "inlined");
    json_bool(w, frame->inlined);
    json_key_c(w, "interrupted");
    json_bool(w, frame->interrupted);
    json_object_end(w);
}

static void write_stack(struct telling *t, struct json_writer *w, const struct fold_stack *stack)
{
    uint32_t told = 0;

    json_object(w);
    json_key_c(w, "count");
    json_int(w, stack->count);
    json_key_c(w, "frames");
    json_array(w);
    for (; told < stack->stack->frame_count && t->out->len - t->from < JSON_STACKS_MOST; told++)
        write_frame(t, w, &stack->stack->frames[told]);
    json_array_end(w);
    json_key_c(w, "frames_more");
    json_int(w, stack->stack->frame_count - told);
    json_field(t, w, "cut", stack->stack->cut);
    json_object_end(w);
}

static void write_stacks(struct telling *t, struct json_writer *w, const struct fold_stacks *stacks)
{
    struct arena *whole = t->arena, own = {0};

    t->arena = &own;
    json_key_c(w, "stacks");
    json_array(w);
    for (uint32_t i = 0; i < stacks->count; i++) {
        write_stack(t, w, &stacks->list[i]);
        arena_clear(&own);
    }
    json_array_end(w);
    t->arena = whole;
    arena_release(&own);
}

static void write_other(struct telling *t, struct json_writer *w, const struct finding_other *other)
{
    json_object(w);
    json_key_c(w, "process");
    if (other->process == DUMP_NOBODY)
        json_null(w);
    else
        json_int(w, other->process);
    json_key_c(w, "pid");
    json_int(w, other->pid);
    json_field(t, w, "name", other->name);
    json_key_c(w, "fd");
    if (other->fd < 0)
        json_null(w);
    else
        json_int(w, other->fd);
    json_key_c(w, "words");
    json_cstr(w, other->words);
    json_object_end(w);
}

static void write_finding(struct telling *t, struct json_writer *w, const struct finding *finding)
{
    json_object(w);
    json_key_c(w, "kind");
    json_cstr(w, finding_words[finding->kind]);
    json_key_c(w, "threads");
    json_array(w);
    for (uint32_t i = 0; i < finding->count; i++) {
        json_object(w);
        json_key_c(w, "process");
        json_int(w, finding->processes[i]);
        json_key_c(w, "pid");
        json_int(w, t->dump->processes[finding->processes[i]].id.pid);
        json_field(t, w, "name", t->dump->processes[finding->processes[i]].name);
        json_key_c(w, "tid");
        json_int(w, finding->tids[i]);
        json_object_end(w);
    }
    json_array_end(w);
    json_key_c(w, "words");
    json_cstr(w, finding->words);
    json_key_c(w, "others");
    json_array(w);
    for (uint32_t i = 0; i < finding->other_count; i++)
        write_other(t, w, &finding->others[i]);
    json_array_end(w);
    json_key_c(w, "others_more");
    json_int(w, finding->others_more);
    json_object_end(w);
}

static void write_findings(struct telling *t, struct json_writer *w)
{
    struct findings findings;

    findings_of(t, &findings);
    json_key_c(w, "findings");
    json_array(w);
    for (uint32_t i = 0; i < findings.count; i++)
        write_finding(t, w, &findings.list[i]);
    json_array_end(w);
}

static void write_notes(struct telling *t, struct json_writer *w)
{
    json_field(t, w, "why_no_stacks", t->dump->why_no_stacks);
    json_key_c(w, "notes");
    json_array(w);
    for (uint32_t i = 0; i < t->dump->note_count; i++)
        json_text(t, w, t->dump->notes[i]);
    json_array_end(w);
}

static void write_outputs(struct telling *t, struct json_writer *w)
{
    json_key_c(w, "outputs");
    json_array(w);
    for (uint32_t i = 0; i < t->dump->tail_count; i++) {
        const struct dump_tail *tail = &t->dump->tails[i];

        json_object(w);
        json_field(t, w, "name", tail->name);
        json_field(t, w, "path", tail->path);
        json_key_c(w, "size");
        json_int(w, (long long)tail->size);
        json_key_c(w, "tail");
        json_str(w, mask_in(t->mask, t->arena, tail_text(t, tail)));
        json_object_end(w);
    }
    json_array_end(w);
}

/* What a process needs is forgotten after it: there may be a thousand. */
static void write_processes(struct telling *t, struct json_writer *w, const struct fold_stacks *stacks)
{
    struct arena *whole = t->arena, own = {0};
    uint32_t first = 0;

    t->arena = &own;
    json_key_c(w, "processes");
    json_array(w);
    for (uint32_t i = 0; i < t->dump->process_count; i++) {
        json_process(t, w, i, stacks, first);
        first += t->dump->processes[i].thread_count;
        arena_clear(&own);
    }
    json_array_end(w);
    json_key_c(w, "processes_more");
    json_int(w, t->dump->processes_more);
    t->arena = whole;
    arena_release(&own);
}

void dump_write_json(const struct dump *dump, struct mask *mask, struct buf *out)
{
    struct arena arena = {0};
    struct telling t = {.dump = dump, .mask = mask, .arena = &arena, .out = out, .from = out->len};
    struct json_writer w = {.out = out};
    struct fold_stacks stacks;

    fold_stacks(&stacks, dump, &arena);
    json_object(&w);
    json_key_c(&w, "schema");
    json_int(&w, 1);
    json_field(&t, &w, "title", dump->title);
    json_field(&t, &w, "reason", dump->reason);
    json_field(&t, &w, "machine", dump->machine);
    write_when(&t, &w);
    write_notes(&t, &w);
    write_findings(&t, &w);
    write_processes(&t, &w, &stacks);
    write_stacks(&t, &w, &stacks);
    write_outputs(&t, &w);
    json_object_end(&w);
    buf_addc(out, '\n');
    arena_release(&arena);
}
