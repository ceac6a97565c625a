#include "runner/stacks/unwind.h"

#include "runner/base/hash.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What was told of a place: so many frames from `first` on. */
struct told {
    const void *where; /* NULL: empty */
    uint64_t pc;
    unsigned manner; /* in which it was named */
    uint32_t first, count;
};

/* ---- records ---- */

static void put(struct unwind *u, enum answer_kind kind, const struct buf *content)
{
    struct answer_record record = {kind, (uint32_t)content->len};

    buf_add(&u->out, &record, sizeof record);
    buf_add(&u->out, content->ptr, content->len);
}

/* After each thread: whoever kills us has what there was. */
static void flush(struct unwind *u)
{
    if (!u->broken && fd_write_all(STDOUT_FILENO, u->out.ptr, u->out.len) < 0)
        u->broken = true;
    buf_clear(&u->out);
}

void tell_begin(struct unwind *u)
{
    buf_add(&u->out, ANSWER_MAGIC, sizeof ANSWER_MAGIC);
    flush(u);
}

void tell_end(struct unwind *u)
{
    put(u, ANSWER_END, &(struct buf){0});
    flush(u);
}

/* ---- frames ---- */

static unsigned manner_of(const struct unwind *u, bool exact)
{
    return (unsigned)exact | (unsigned)u->plain << 1;
}

static size_t slot_of(const struct unwind *u, const void *where, uint64_t pc, unsigned manner)
{
    uint64_t numbers[] = {(uintptr_t)where, pc, manner};
    size_t at =
        (size_t)hash_add(HASH_START, (struct str){(const char *)numbers, sizeof numbers}) & (u->told_cap - 1);

    while (u->told[at].where &&
           (u->told[at].where != where || u->told[at].pc != pc || u->told[at].manner != manner))
        at = (at + 1) & (u->told_cap - 1);
    return at;
}

static void make_room(struct unwind *u)
{
    struct told *old = u->told;
    size_t count = u->told_cap;

    if (u->told_count * 2 < u->told_cap)
        return;
    u->told_cap = count ? count * 2 : 1024;
    u->told = mem_zero(u->told_cap, sizeof *u->told);
    for (size_t i = 0; i < count; i++)
        if (old[i].where)
            u->told[slot_of(u, old[i].where, old[i].pc, old[i].manner)] = old[i];
    free(old);
}

static void put_string(struct buf *out, const char *text)
{
    buf_add(out, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void put_frame(struct unwind *u, const struct place_of *place, uint64_t pc, const struct named *named,
                      bool inlined)
{
    struct answer_frame frame = {
        .pc = pc, .offset = place->offset, .line = named->file ? named->line : 0, .inlined = inlined};
    struct buf content = {0};

    buf_add(&content, &frame, sizeof frame);
    put_string(&content, named->function);
    put_string(&content, named->file);
    put_string(&content, place->path);
    put_string(&content, place->build_id);
    put(u, ANSWER_FRAME, &content);
    buf_release(&content);
    u->frames_told++;
}

/* A return address is behind the call, and so it may be in the next line, or in the next function. */
static const struct told *tell_place(const struct telling *t, const struct step *step)
{
    struct unwind *u = t->u;
    struct place_of place = t->place(u, t->user, step->pc);
    struct named names[NAMED_MOST] = {{0}};
    unsigned manner = manner_of(u, step->exact);
    uint32_t count = 1;
    struct told *told;

    make_room(u);
    told = &u->told[slot_of(u, place.where, step->pc, manner)];
    if (told->where)
        return told;
    *told = (struct told){place.where, step->pc, manner, u->frames_told, 0};
    u->told_count++;
    if (place.module)
        count = name_place(u, place.module, place.named_at - !step->exact, names);
    for (uint32_t i = 0; i < count; i++)
        put_frame(u, &place, step->pc, &names[i], i + 1 < count);
    told->count = count;
    return told;
}

/* ---- threads ---- */

void tell_thread(const struct telling *t, const struct walk *walk)
{
    struct answer_thread head = {t->number, t->pid, t->tid, 0};
    const char *cut = walk->cut;
    uint32_t numbers[STACK_FRAMES_MOST];
    struct buf content = {0};

    for (uint32_t i = 0; i < walk->count; i++) {
        const struct told *told = tell_place(t, &walk->steps[i]);
        uint32_t flag = i && walk->steps[i].exact ? ANSWER_INTERRUPTED : 0;

        for (uint32_t j = 0; j < told->count && head.frame_count < STACK_FRAMES_MOST; j++)
            numbers[head.frame_count++] = (told->first + j) | flag;
        if (head.frame_count == STACK_FRAMES_MOST && i + 1 < walk->count)
            cut = "there are more than are shown";
    }
    buf_add(&content, &head, sizeof head);
    buf_add(&content, numbers, head.frame_count * sizeof *numbers);
    if (cut)
        buf_adds(&content, cut);
    put(t->u, ANSWER_THREAD, &content);
    buf_release(&content);
    flush(t->u);
}
