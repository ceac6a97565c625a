#include "runner/diagnose/telling.h"

#include <string.h>

/* ---- processes ---- */

struct str fold_role(const char *role)
{
    struct str text = str_of(role);
    size_t at = text.len;

    while (at > 0 && strchr("0123456789abcdef", text.ptr[at - 1]))
        at--;
    return at > 1 && text.len - at == 16 && text.ptr[at - 1] == '@' ? str_slice(text, 0, at - 1) : text;
}

/* A number in a name tells worker-1 from worker-2, which is what is to be folded. */
uint64_t fold_name(uint64_t hash, struct str name)
{
    bool number = false;

    for (size_t i = 0; i < name.len; i++) {
        bool digit = name.ptr[i] >= '0' && name.ptr[i] <= '9';

        if (!digit || !number)
            hash = hash_byte(hash, digit ? '#' : (unsigned char)name.ptr[i]);
        number = digit;
    }
    return hash_byte(hash, 0);
}

/* Servers write there whom they serve, and what they do: one argument, which is quoted for its blanks. */
struct str fold_title(const struct dump_process *p)
{
    struct str name = str_of(p->name ? p->name : ""), title = str_of(p->command ? p->command : "");

    if (title.len > 1 && title.ptr[0] == '\'' && title.ptr[title.len - 1] == '\'')
        title = (struct str){title.ptr + 1, title.len - 2};
    return name.len && str_starts(title, p->name) && title.len > name.len && title.ptr[name.len] == ':'
               ? title
               : name;
}

/* Its own part: what it is and what its threads do. */
static uint64_t key_of(const struct dump_process *p)
{
    uint64_t hash = hash_byte(HASH_START, (unsigned char)p->state), threads = 0;

    hash = fold_name(fold_name(hash, fold_title(p)), fold_role(p->role));
    if (does_by_command(p))
        hash = fold_name(hash, str_of(p->command));
    hash = hash_byte(hash, (unsigned char)(p->runaway | p->frozen << 1));
    if (p->thread_count)
        hash = does_key(hash, p, &p->threads[0]);
    /* In whatever order they are. */
    for (uint32_t i = 1; i < p->thread_count; i++)
        threads += does_key(HASH_START, p, &p->threads[i]);
    return hash ^ threads;
}

struct folding {
    const struct dump *dump;
    struct arena *arena;
    uint64_t *keys;         /* of a process and all below it */
    uint32_t *first, *next; /* its children: the first, and for each the one after it */
    struct fold_row *rows;
    uint32_t *rest; /* scratch of the members of rows: each process is in one */
    size_t row_count, used;
};

static void link_children(struct folding *f)
{
    uint32_t count = f->dump->process_count;

    for (uint32_t i = 0; i < count; i++)
        f->first[i] = f->next[i] = DUMP_NOBODY;
    /* From the last one on, so that siblings stand in their order; a parent stands before its children. */
    for (uint32_t i = count; i-- > 0;) {
        uint32_t parent = f->dump->processes[i].parent;
        uint64_t own = key_of(&f->dump->processes[i]);

        f->keys[i] = hash_byte(f->keys[i] ^ own, 1) * UINT64_C(0x9E3779B97F4A7C15);
        if (parent < i) {
            f->next[i] = f->first[parent];
            f->first[parent] = i;
            f->keys[parent] += f->keys[i];
        }
    }
}

static void add_rows(struct folding *f, uint32_t *list, uint32_t count, uint32_t depth);

static void add_children(struct folding *f, const struct fold_row *row)
{
    uint32_t count = 0, *children;

    for (uint32_t i = 0; i < row->count; i++)
        for (uint32_t c = f->first[row->members[i]]; c != DUMP_NOBODY; c = f->next[c])
            count++;
    if (!count)
        return;
    children = ARENA_ARRAY(f->arena, uint32_t, count);
    count = 0;
    for (uint32_t i = 0; i < row->count; i++)
        for (uint32_t c = f->first[row->members[i]]; c != DUMP_NOBODY; c = f->next[c])
            children[count++] = c;
    add_rows(f, children, count, row->depth + 1);
}

/* A list of siblings, or of the children of those that are alike; those alike become one row. */
static void add_rows(struct folding *f, uint32_t *list, uint32_t count, uint32_t depth)
{
    for (uint32_t i = 0; i < count; i++) {
        struct fold_row *row;
        uint32_t *members = f->rest + f->used;

        if (list[i] == DUMP_NOBODY)
            continue;
        row = &f->rows[f->row_count++];
        *row = (struct fold_row){.depth = depth, .members = members};
        for (uint32_t j = i, first = list[i]; j < count; j++) {
            if (list[j] == DUMP_NOBODY || f->keys[list[j]] != f->keys[first])
                continue;
            members[row->count++] = list[j];
            list[j] = DUMP_NOBODY;
        }
        f->used += row->count;
        add_children(f, row);
    }
}

size_t fold_tree(const struct dump *dump, struct arena *arena, struct fold_row **rows)
{
    uint32_t count = dump->process_count, root_count = 0;
    struct folding f = {
        .dump = dump,
        .arena = arena,
        .keys = ARENA_ARRAY(arena, uint64_t, count),
        .first = ARENA_ARRAY(arena, uint32_t, count),
        .next = ARENA_ARRAY(arena, uint32_t, count),
        .rows = ARENA_ARRAY(arena, struct fold_row, count),
        .rest = ARENA_ARRAY(arena, uint32_t, count),
    };
    uint32_t *roots = ARENA_ARRAY(arena, uint32_t, count);

    link_children(&f);
    for (uint32_t i = 0; i < count; i++)
        if (dump->processes[i].parent >= i) /* nobody, or out of order: then it is nobody's */
            roots[root_count++] = i;
    add_rows(&f, roots, root_count, 0);
    *rows = f.rows;
    return f.row_count;
}

/* ---- stacks ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* By place in its module: programs that were started apart lie elsewhere. */
static bool same_frame(const struct stack_frame *a, const struct stack_frame *b)
{
    return a->offset == b->offset && a->line == b->line && a->inlined == b->inlined &&
           a->interrupted == b->interrupted && same_text(a->module, b->module) &&
           same_text(a->function, b->function) && same_text(a->file, b->file) &&
           (a->module || a->pc == b->pc);
}

static bool same_stack(const struct stack_thread *a, const struct stack_thread *b)
{
    if (a->frame_count != b->frame_count || !same_text(a->cut, b->cut))
        return false;
    for (uint32_t i = 0; a->frames != b->frames && i < a->frame_count; i++)
        if (!same_frame(&a->frames[i], &b->frames[i]))
            return false;
    return true;
}

static uint64_t stack_hash(const struct stack_thread *stack)
{
    uint64_t hash = HASH_START;

    for (uint32_t i = 0; i < stack->frame_count; i++) {
        uint64_t at = stack->frames[i].module ? stack->frames[i].offset : stack->frames[i].pc;

        hash = hash_number(hash, at);
    }
    return hash;
}

/* Open addressing over the stacks that are known; a place of it is one more than a stack's number. */
struct stack_table {
    uint32_t *places;
    uint64_t *hashes; /* by stack */
    size_t size;      /* a power of two */
};

static uint32_t find_stack(struct fold_stacks *out, struct stack_table *table,
                           const struct stack_thread *stack)
{
    uint64_t hash = stack_hash(stack);

    for (size_t at = hash & (table->size - 1);; at = (at + 1) & (table->size - 1)) {
        uint32_t known = table->places[at];

        if (!known) {
            table->hashes[out->count] = hash;
            out->list[out->count].stack = stack;
            table->places[at] = ++out->count;
            return out->count - 1;
        }
        if (table->hashes[known - 1] == hash && same_stack(out->list[known - 1].stack, stack))
            return known - 1;
    }
}

static uint32_t count_threads(const struct dump *dump)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < dump->process_count; i++)
        count += dump->processes[i].thread_count;
    return count;
}

/* Which one each thread has, and how many each has. */
static void number_stacks(struct fold_stacks *out, const struct dump *dump, struct arena *arena,
                          uint32_t threads)
{
    struct stack_table table = {.size = 16};
    uint32_t number = 0;

    while (table.size < 2 * (size_t)threads)
        table.size *= 2;
    table.places = ARENA_ARRAY(arena, uint32_t, table.size);
    table.hashes = ARENA_ARRAY(arena, uint64_t, threads);
    for (uint32_t i = 0; i < dump->process_count; i++)
        for (uint32_t j = 0; j < dump->processes[i].thread_count; j++, number++) {
            const struct stack_thread *stack = dump->processes[i].threads[j].stack;

            out->of[number] = UINT32_MAX;
            if (!stack || !stack->frame_count)
                continue;
            out->of[number] = find_stack(out, &table, stack);
            out->list[out->of[number]].count++;
        }
}

void fold_stacks(struct fold_stacks *out, const struct dump *dump, struct arena *arena)
{
    uint32_t threads = count_threads(dump), number = 0;

    *out = (struct fold_stacks){
        .list = ARENA_ARRAY(arena, struct fold_stack, threads),
        .of = ARENA_ARRAY(arena, uint32_t, threads),
    };
    number_stacks(out, dump, arena, threads);
    for (uint32_t i = 0; i < out->count; i++) {
        out->list[i].threads = ARENA_ARRAY(arena, const struct dump_thread *, out->list[i].count);
        out->list[i].processes = ARENA_ARRAY(arena, uint32_t, out->list[i].count);
        out->list[i].count = 0;
    }
    for (uint32_t i = 0; i < dump->process_count; i++)
        for (uint32_t j = 0; j < dump->processes[i].thread_count; j++, number++) {
            struct fold_stack *stack = out->of[number] == UINT32_MAX ? NULL : &out->list[out->of[number]];

            if (!stack)
                continue;
            stack->threads[stack->count] = &dump->processes[i].threads[j];
            stack->processes[stack->count++] = i;
        }
}
