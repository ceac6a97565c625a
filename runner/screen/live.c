#include "runner/screen/internal.h"

#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <stdlib.h>

#define NAME_LEAST      10 /* columns of an id below which it says nothing */
#define SHARES          3  /* so many of the cases that run divide the room */
#define SEPARATOR_WIDTH 2
#define CUT             "..."
#define CUT_WIDTH       3

/* ---- columns ---- */

/*
 * Without tables, and without a locale that may be missing: what may be wide counts as wide. A line that comes out
 * shorter than it could be is better than one that wraps.
 */
static uint32_t width_of(struct str character)
{
    return utf8_decode(character) < 0x1100 ? 1 : 2;
}

static struct str first_character(struct str text, size_t at)
{
    struct str rest = str_slice(text, at, text.len);

    return str_slice(rest, 0, utf8_length(rest));
}

static uint32_t width_of_text(struct str text)
{
    uint32_t width = 0;

    for (size_t at = 0; at < text.len; at += first_character(text, at).len)
        width += width_of(first_character(text, at));
    return width;
}

/* As much of the beginning as fits. */
static struct str cut_to(struct str text, uint32_t columns)
{
    size_t at = 0;

    while (at < text.len && width_of(first_character(text, at)) <= columns) {
        columns -= width_of(first_character(text, at));
        at += first_character(text, at).len;
    }
    return str_slice(text, 0, at);
}

void live_fit(struct buf *out, struct str text, uint32_t columns)
{
    struct str most = utf8_cut(text, (size_t)columns * 4); /* a character has no more bytes */
    struct buf shown = {0};

    utf8_show(&shown, most);
    if (most.len == text.len && width_of_text(buf_str(&shown)) <= columns) {
        buf_addstr(out, buf_str(&shown));
    } else if (columns >= CUT_WIDTH) {
        buf_addstr(out, cut_to(buf_str(&shown), columns - CUT_WIDTH));
        buf_adds(out, CUT);
    }
    buf_release(&shown);
}

void live_masked(struct buf *out, struct mask *mask, struct str text, uint32_t columns)
{
    struct buf masked = {0};

    mask_text(mask, text, &masked);
    live_fit(out, buf_str(&masked), columns);
    buf_release(&masked);
}

/* ---- who runs ---- */

void live_release(struct live *live)
{
    for (uint32_t i = 0; i < live->slot_count; i++)
        buf_release(&live->slots[i].id);
    free(live->slots);
}

static struct running *slot_at(struct live *live, uint32_t slot)
{
    while (slot >= live->slot_count) {
        GROW(live->slots, live->slot_count, live->slot_cap);
        live->slots[live->slot_count++] = (struct running){0};
    }
    return &live->slots[slot];
}

void live_started(struct live *live, uint32_t slot, struct str id, nanos now)
{
    struct running *running = slot_at(live, slot);

    running->busy = true;
    running->since = now;
    buf_clear(&running->id);
    buf_addstr(&running->id, id);
}

/* A case that was never started may be told with the slot of another. */
void live_ended(struct live *live, uint32_t slot, struct str id)
{
    if (slot < live->slot_count && str_eq(buf_str(&live->slots[slot].id), id))
        live->slots[slot].busy = false;
}

/* Of those that run the next younger than `last`, the oldest at first; NULL at the end. */
static const struct running *next_younger(const struct live *live, const struct running *last)
{
    const struct running *found = NULL;

    for (uint32_t i = 0; i < live->slot_count; i++) {
        const struct running *one = &live->slots[i];
        bool younger = !last || one->since > last->since || (one->since == last->since && one > last);

        if (one->busy && younger && (!found || one->since < found->since))
            found = one;
    }
    return found;
}

static uint32_t count_busy(const struct live *live)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < live->slot_count; i++)
        count += live->slots[i].busy;
    return count;
}

/* ---- the line ---- */

void live_counts(const struct live *live, struct buf *out)
{
    static const struct {
        enum count count;
        const char *word;
    } rows[] = {{COUNT_FAILED, "failed"}, {COUNT_SKIPPED, "skipped"}, {COUNT_NOT_RUN, "not run"}};
    const char *separator = " ";

    buf_addf(out, "[%u/%u]", live->done, live->cases);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (live->counts[rows[i].count]) {
            buf_addf(out, "%s%u %s", separator, live->counts[rows[i].count], rows[i].word);
            separator = ", ";
        }
    if (live->resting)
        buf_addf(out, "%s%u wait%s to be run again", separator, live->resting, live->resting == 1 ? "s" : "");
}

void live_clock(struct buf *out, nanos span)
{
    long long seconds = span > 0 ? span / NS_PER_S : 0;

    if (seconds >= 3600)
        buf_addf(out, "%lld:", seconds / 3600);
    buf_addf(out, "%02lld:%02lld", seconds / 60 % 60, seconds % 60);
}

/* "12s", "3m05s", "1h02m" */
static void add_age(struct buf *out, nanos age)
{
    long long seconds = age > 0 ? age / NS_PER_S : 0;

    if (seconds < 60)
        buf_addf(out, "%llds", seconds);
    else if (seconds < 3600)
        buf_addf(out, "%lldm%02llds", seconds / 60, seconds % 60);
    else
        buf_addf(out, "%lldh%02lldm", seconds / 3600, seconds / 60 % 60);
}

/* ", proto@b... 12s" in at most `room` columns; how many it took, 0: there is not enough. */
static uint32_t add_name(const struct live *live, const struct running *one, nanos now, const char *separator,
                         uint32_t room, struct buf *out)
{
    struct buf age = {0};
    size_t before = out->len;
    uint32_t rest;

    buf_addc(&age, ' ');
    add_age(&age, now - one->since);
    rest = (uint32_t)age.len + SEPARATOR_WIDTH;
    if (room >= rest + NAME_LEAST) {
        buf_adds(out, separator);
        live_masked(out, live->mask, buf_str(&one->id), room - rest);
        buf_addstr(out, buf_str(&age));
    }
    buf_release(&age);
    return width_of_text(str_slice(buf_str(out), before, out->len));
}

/* The oldest first: that is where one looks for what hangs. They share what room there is. */
static void add_names(const struct live *live, nanos now, uint32_t room, struct buf *out)
{
    const struct running *one = NULL;
    const char *separator = "  ";
    uint32_t left = count_busy(live), taken = 1;

    for (; left > 0 && taken > 0; left--) {
        one = next_younger(live, one);
        taken = add_name(live, one, now, separator, room / (left < SHARES ? left : SHARES), out);
        room -= taken;
        separator = ", ";
    }
}

void live_line(const struct live *live, nanos now, nanos left, uint32_t width, struct buf *out)
{
    struct buf line = {0};
    uint32_t used;

    live_counts(live, &line);
    buf_adds(&line, "  ");
    live_clock(&line, now - live->began);
    if (left >= 0) {
        buf_adds(&line, " left ");
        live_clock(&line, left);
    }
    used = width_of_text(buf_str(&line));
    if (used < width)
        add_names(live, now, width - used, &line);
    buf_addstr(out, cut_to(buf_str(&line), width));
    buf_release(&line);
}
