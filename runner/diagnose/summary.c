/* One screen: who there is, what each does, and what follows from it. */
#include "runner/base/utf8.h"
#include "runner/diagnose/telling.h"

#include <string.h>
#include <time.h>

#define SCREEN_LINES 40
#define ROW_MOST     ((size_t)160)
#define THREADS_MOST 3 /* rows of threads below a process */
#define NAMED_MOST   3 /* of those that do the same */

struct lines {
    const char **list;
    uint32_t count, cap;
};

static void add_line(struct telling *t, struct lines *lines, const char *line)
{
    if (lines->count == lines->cap) {
        uint32_t cap = lines->cap ? lines->cap * 2 : SCREEN_LINES;
        const char **list = ARENA_ARRAY(t->arena, const char *, cap);

        if (lines->count)
            memcpy(list, lines->list, lines->count * sizeof *list);
        lines->list = list;
        lines->cap = cap;
    }
    lines->list[lines->count++] = line;
}

/* ---- the tree ---- */

/* "kid (case) x 14" */
static const char *who(struct telling *t, const struct dump_process *p, uint32_t count)
{
    const char *name = p->name ? say_name(t, arena_cstr(t->arena, fold_title(p))) : say_name(t, NULL);
    const char *role = arena_cstr(t->arena, fold_role(p->role));

    if (p->role && (!p->name || strcmp(role, p->name) != 0))
        name = arena_printf(t->arena, "%s (%s)", name, say_name(t, role));
    return count > 1 ? arena_printf(t->arena, "%s x %u", name, count) : name;
}

static const char *row_line(struct telling *t, const char *line)
{
    struct str kept = utf8_cut(str_of(line), ROW_MOST);

    return kept.len == strlen(line) ? line : arena_printf(t->arena, "%.*s...", STR_ARG(kept));
}

static void add_process(struct telling *t, struct lines *lines, const struct fold_row *row)
{
    const struct dump_process *p = &t->dump->processes[row->members[0]];
    int indent = row->depth < 20 ? (int)row->depth * 2 : 40;

    add_line(t, lines,
             row_line(t, arena_printf(t->arena, "%8d %c %6s  %*s%s: %s", (int)p->id.pid,
                                      p->state ? p->state : '?', say_span(t, p->age), indent, "",
                                      who(t, p, row->count), does_process(t, p))));
}

/* Threads that do the same: the first of them, and how many they are. */
struct thread_group {
    uint32_t first, count;
};

static void add_thread(struct telling *t, struct lines *lines, const struct fold_row *row, const char *what)
{
    int indent = row->depth < 20 ? (int)row->depth * 2 : 40;

    add_line(t, lines, row_line(t, arena_printf(t->arena, "%18s  %*s  %s", "", indent, "", what)));
}

static void add_more_threads(struct telling *t, struct lines *lines, const struct fold_row *row,
                             uint32_t more)
{
    if (more)
        add_thread(t, lines, row,
                   arena_printf(t->arena, "and %u thread%s more that do%s something else", more,
                                more == 1 ? "" : "s", more == 1 ? "es" : ""));
}

static const char *thread_row(struct telling *t, const char *name, uint32_t count, const char *does)
{
    return count > 1 ? arena_printf(t->arena, "%u threads: %s", count, does)
                     : arena_printf(t->arena, "thread %s: %s", name, does);
}

static void count_in(struct thread_group *groups, uint32_t *count, const uint64_t *keys, uint32_t at)
{
    uint32_t i = 0;

    while (i < *count && keys[groups[i].first] != keys[at])
        i++;
    if (i == *count)
        groups[(*count)++] = (struct thread_group){.first = at};
    groups[i].count++;
}

/* Of the first of a row, those of its threads that do something else than the first, where anybody can say what. */
static void add_threads(struct telling *t, struct lines *lines, const struct fold_row *row)
{
    const struct dump_process *p = &t->dump->processes[row->members[0]];
    uint64_t *keys = ARENA_ARRAY(t->arena, uint64_t, p->thread_count);
    struct thread_group *groups = ARENA_ARRAY(t->arena, struct thread_group, p->thread_count);
    uint32_t count = 0, more = 0;

    for (uint32_t i = 0; i < p->thread_count; i++) {
        keys[i] = does_key(HASH_START, p, &p->threads[i]);
        if (p->runtime == RUNTIME_NONE && i > 0 && place_of(&p->threads[i]) && keys[i] != keys[0])
            count_in(groups, &count, keys, i);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct dump_thread *thread = &p->threads[groups[i].first];
        const char *name = arena_printf(t->arena, "%d %s", (int)thread->tid, say_name(t, thread->name));

        if (i < THREADS_MOST)
            add_thread(t, lines, row, thread_row(t, name, groups[i].count, does_thread(t, p, thread)));
        else
            more += groups[i].count;
    }
    add_more_threads(t, lines, row, more);
}

static uint64_t place_key(const struct runtime_place *place)
{
    uint64_t hash = hash_byte(hash_add(HASH_START, place->function), 0);

    return hash_number(hash_byte(hash_add(hash, place->file), 0), place->line);
}

#define SAID_MOST 256 /* of a thousand goroutines */

/* The same of those that only a runtime knows of. */
static void add_said_threads(struct telling *t, struct lines *lines, const struct fold_row *row)
{
    const struct dump_process *p = &t->dump->processes[row->members[0]];
    struct runtime_place first, *places = ARENA_ARRAY(t->arena, struct runtime_place, SAID_MOST);
    uint64_t *keys = ARENA_ARRAY(t->arena, uint64_t, SAID_MOST);
    struct thread_group *groups = ARENA_ARRAY(t->arena, struct thread_group, SAID_MOST);
    uint32_t count = 0, at = 0, more = 0;
    struct runtime_reader r;

    if (!p->runtime_says || !runtime_place(p, &first))
        return;
    runtime_begin(&r, p);
    while (at < SAID_MOST && runtime_next(&r, &places[at])) {
        keys[at] = place_key(&places[at]);
        if (places[at].main || keys[at] == place_key(&first))
            continue;
        count_in(groups, &count, keys, at++);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct runtime_place *place = &places[groups[i].first];

        if (i < THREADS_MOST)
            add_thread(t, lines, row,
                       thread_row(t, say_name(t, arena_cstr(t->arena, place->thread)), groups[i].count,
                                  does_said(t, place)));
        else
            more += groups[i].count;
    }
    add_more_threads(t, lines, row, more);
}

static struct lines tree_lines(struct telling *t, bool threads)
{
    struct lines lines = {0};
    struct fold_row *rows;
    size_t count = fold_tree(t->dump, t->arena, &rows);

    for (size_t i = 0; i < count; i++) {
        add_process(t, &lines, &rows[i]);
        if (!threads)
            continue;
        add_threads(t, &lines, &rows[i]);
        add_said_threads(t, &lines, &rows[i]);
    }
    return lines;
}

/* ---- what follows ---- */

static const char *member(struct telling *t, const struct finding *finding, uint32_t at)
{
    uint32_t process = finding->processes[at];
    const struct dump_process *p = &t->dump->processes[process];

    if (finding->tids[at] == p->id.pid)
        return say_process(t, process);
    return arena_printf(t->arena, "%s, thread %d", say_process(t, process), (int)finding->tids[at]);
}

static void add_finding(struct telling *t, struct lines *lines, const struct finding *finding)
{
    const char *names = member(t, finding, 0);

    for (uint32_t i = 1; i < finding->count && i < NAMED_MOST; i++)
        names = arena_printf(t->arena, "%s; %s", names, member(t, finding, i));
    if (finding->count > NAMED_MOST)
        names = arena_printf(t->arena, "%s; and %u more", names, finding->count - NAMED_MOST);
    if (finding->count > 1)
        names = arena_printf(t->arena, "%s (x %u)", names, finding->count);
    add_line(t, lines, arena_printf(t->arena, "- %s: %s", names, finding->words));
    for (uint32_t i = 0; i < finding->other_count; i++) {
        const struct finding_other *other = &finding->others[i];
        const char *more = i + 1 == finding->other_count && finding->others_more
                               ? arena_printf(t->arena, "; and %u more", finding->others_more)
                               : "";

        add_line(t, lines,
                 arena_printf(t->arena, "    %d %s %s%s", (int)other->pid,
                              other->name ? say_name(t, other->name) : "", other->words, more));
    }
}

static struct lines finding_lines(struct telling *t, const struct findings *findings)
{
    struct lines lines = {0};

    for (uint32_t i = 0; i < findings->count; i++)
        add_finding(t, &lines, &findings->list[i]);
    return lines;
}

/* ---- all of it ---- */

static const char *when(struct telling *t)
{
    time_t seconds = (time_t)(t->dump->at / NS_PER_S);
    struct tm tm;
    char text[32];

    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return "?";
    return arena_printf(t->arena, "%s", text);
}

static void write_head(struct telling *t)
{
    const struct dump *dump = t->dump;

    say_line(t, "%s", say_safe(t, dump->title, TELL_TEXT_MOST));
    if (dump->reason)
        say_line(t, "%s", say_safe(t, dump->reason, TELL_TEXT_MOST));
    if (dump->stood_still)
        say_line(t, "%s, in %s; who was stopped for it stood still for %s at most", when(t),
                 say_span(t, dump->took), say_span(t, dump->stood_still));
    else
        say_line(t, "%s, in %s", when(t), say_span(t, dump->took));
    if (dump->why_no_stacks)
        say_line(t, "no stacks: %s", say_safe(t, dump->why_no_stacks, TELL_TEXT_MOST));
}

static void write_lines(struct telling *t, const struct lines *lines, uint32_t most)
{
    uint32_t shown = lines->count <= most ? lines->count : most - 1;

    for (uint32_t i = 0; i < shown; i++)
        say_line(t, "%s", lines->list[i]);
    if (shown < lines->count)
        say_line(t, "... and %u lines more: all of it is told in detail", lines->count - shown);
}

static uint32_t count_unknown(const struct dump *dump)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < dump->process_count; i++)
        count += dump->processes[i].why_no_stacks != NULL && dump->processes[i].state != 'Z';
    return count;
}

void summary_write(struct telling *t, const struct findings *findings)
{
    const struct dump *dump = t->dump;
    struct lines found = finding_lines(t, findings), tree = tree_lines(t, true);
    uint32_t room = SCREEN_LINES - 10, rows;

    if (tree.count + found.count > room)
        tree = tree_lines(t, false);
    rows = found.count > room / 2 ? room / 2 : room - found.count;
    if (rows > tree.count)
        rows = tree.count;
    write_head(t);
    say_line(t, "%s", "");
    write_lines(t, &tree, rows ? rows : 1);
    if (dump->processes_more)
        say_line(t, "and %u processes more, which did not find room", dump->processes_more);
    if (count_unknown(dump) && !dump->why_no_stacks)
        say_line(t, "no stacks of %u of them: why is told in detail", count_unknown(dump));
    if (!found.count)
        return;
    say_line(t, "%s", "");
    say_line(t, "%s",
             findings->list[0].kind == FINDING_LEAF ? "nobody stands out; at the end of all waits:"
                                                    : "what stands out:");
    write_lines(t, &found, room - rows);
}

void dump_write_summary(const struct dump *dump, struct mask *mask, struct buf *out)
{
    struct arena arena = {0};
    struct telling t = {
        .dump = dump, .mask = mask, .arena = &arena, .out = out, .from = out->len, .most = DUMP_TEXT_MOST};
    struct findings findings;

    findings_of(&t, &findings);
    summary_write(&t, &findings);
    arena_release(&arena);
}
