#include "runner/base/mask.h"

#include "runner/base/mask_words.h"
#include "runner/base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROOT     0u
#define NOBODY   UINT32_MAX
#define ELLIPSIS "\xE2\x80\xA6"

/* What was read last is the beginning of a word, as long as can be: `depth` bytes of it. */
struct state {
    uint32_t parent, fail; /* fail: the next shorter such beginning */
    uint32_t depth;
    uint32_t longest; /* word that ends here; 0: none does */
    char byte;        /* by which it is reached from its parent */
    bool word;
};

/* Most states have one way on, so all ways are in one table. */
struct way {
    uint64_t key; /* state and byte, and 1 so that it is never 0 */
    uint32_t to;
};

struct mask {
    pthread_mutex_t lock; /* of all below */
    struct state *states;
    size_t count, cap;
    struct way *ways; /* open addressing; a power of two, at most half of it taken */
    size_t way_cap;
    bool first[256];            /* bytes that words begin with, */
    uint64_t pairs[65536 / 64]; /* ... and with the second one, a bit for each */
    uint32_t longest;
    bool stale; /* words were added since it was built */
};

struct mask *mask_new(void)
{
    struct mask *mask = mem_zero(1, sizeof *mask);

    pthread_mutex_init(&mask->lock, NULL);
    GROW(mask->states, mask->count, mask->cap);
    mask->states[mask->count++] = (struct state){0};
    return mask;
}

void mask_free(struct mask *mask)
{
    if (!mask)
        return;
    pthread_mutex_destroy(&mask->lock);
    free(mask->states);
    free(mask->ways);
    free(mask);
}

static bool lock_filled(struct mask *mask)
{
    if (!mask)
        return false;
    pthread_mutex_lock(&mask->lock);
    if (mask->count > 1)
        return true;
    pthread_mutex_unlock(&mask->lock);
    return false;
}

static void unlock(struct mask *mask)
{
    pthread_mutex_unlock(&mask->lock);
}

bool mask_is_empty(struct mask *mask)
{
    bool filled = lock_filled(mask);

    if (filled)
        unlock(mask);
    return !filled;
}

size_t mask_longest(struct mask *mask)
{
    size_t longest = 0;

    if (lock_filled(mask)) {
        longest = mask->longest;
        unlock(mask);
    }
    return longest;
}

/* ---- ways ---- */

static uint64_t key_of(uint32_t state, char byte)
{
    return ((uint64_t)state << 8 | (unsigned char)byte) << 1 | 1;
}

static struct way *find_way(const struct mask *mask, uint64_t key)
{
    size_t at = (size_t)(key * 0x9E3779B97F4A7C15u >> 20) & (mask->way_cap - 1);

    while (mask->ways[at].key && mask->ways[at].key != key)
        at = (at + 1) & (mask->way_cap - 1);
    return &mask->ways[at];
}

static void grow_ways(struct mask *mask)
{
    struct way *old = mask->ways;
    size_t count = mask->way_cap;

    mask->way_cap = count ? 2 * count : 64;
    mask->ways = mem_zero(mask->way_cap, sizeof *mask->ways);
    for (size_t i = 0; i < count; i++)
        if (old[i].key)
            *find_way(mask, old[i].key) = old[i];
    free(old);
}

static uint32_t way_from(const struct mask *mask, uint32_t state, char byte)
{
    const struct way *way = find_way(mask, key_of(state, byte));

    return way->key ? way->to : NOBODY;
}

static uint32_t make_way(struct mask *mask, uint32_t state, char byte)
{
    struct way *way;

    if (2 * mask->count >= mask->way_cap)
        grow_ways(mask);
    way = find_way(mask, key_of(state, byte));
    if (way->key)
        return way->to;
    GROW(mask->states, mask->count, mask->cap);
    *way = (struct way){key_of(state, byte), (uint32_t)mask->count};
    mask->states[mask->count++] =
        (struct state){.parent = state, .depth = mask->states[state].depth + 1, .byte = byte};
    return way->to;
}

/* ---- words ---- */

static unsigned pair_of(const char *bytes)
{
    return (unsigned)(unsigned char)bytes[0] << 8 | (unsigned char)bytes[1];
}

static void add_word(void *user, struct str word)
{
    struct mask *mask = user;
    uint32_t state = ROOT;

    if (word.len < MASK_LEAST)
        return;
    for (size_t i = 0; i < word.len; i++)
        state = make_way(mask, state, word.ptr[i]);
    mask->first[(unsigned char)word.ptr[0]] = true;
    mask->pairs[pair_of(word.ptr) / 64] |= (uint64_t)1 << pair_of(word.ptr) % 64;
    mask->stale |= !mask->states[state].word;
    mask->states[state].word = true;
    if (word.len > mask->longest)
        mask->longest = (uint32_t)word.len;
}

bool mask_add(struct mask *mask, struct str value)
{
    bool any = false;

    pthread_mutex_lock(&mask->lock);
    while (value.len) {
        const char *newline = memchr(value.ptr, '\n', value.len);
        size_t end = newline ? (size_t)(newline - value.ptr) : value.len;
        struct str line = str_trim(str_slice(value, 0, end));

        value = str_slice(value, newline ? end + 1 : end, value.len);
        any |= line.len >= MASK_LEAST;
        mask_spellings(line, add_word, mask);
    }
    unlock(mask);
    return any;
}

/* ---- the automaton ---- */

/* From a state on by a byte: the longest beginning of a word that ends there. */
static uint32_t step(const struct mask *mask, uint32_t state, char byte)
{
    uint32_t to;

    while ((to = way_from(mask, state, byte)) == NOBODY && state != ROOT)
        state = mask->states[state].fail;
    return to == NOBODY ? ROOT : to;
}

/* Shorter beginnings come first, since a state is told of by those that are shorter. */
static uint32_t *by_depth(const struct mask *mask)
{
    uint32_t *starts = mem_zero(mask->longest + 2u, sizeof *starts);
    uint32_t *order = mem_zero(mask->count, sizeof *order);

    for (size_t i = 0; i < mask->count; i++)
        starts[mask->states[i].depth + 1]++;
    for (uint32_t i = 0; i < mask->longest; i++)
        starts[i + 1] += starts[i];
    for (size_t i = 0; i < mask->count; i++)
        order[starts[mask->states[i].depth]++] = (uint32_t)i;
    free(starts);
    return order;
}

static void build(struct mask *mask)
{
    uint32_t *order = by_depth(mask);

    for (size_t i = 1; i < mask->count; i++) {
        struct state *state = &mask->states[order[i]];
        uint32_t parent = state->parent;

        state->fail = parent == ROOT ? ROOT : step(mask, mask->states[parent].fail, state->byte);
        state->longest = state->word ? state->depth : mask->states[state->fail].longest;
    }
    free(order);
    mask->stale = false;
}

/* ---- pieces ---- */

/* What ends at `end` and has this length. Words that overlap are hidden as one; each byte is marked about once. */
static void hide(struct mask_stream *stream, size_t end, size_t length)
{
    size_t from = end - length;
    bool apart = from > stream->run_to || !stream->run_to;
    size_t begin = from > stream->run_to ? from : stream->run_to;

    if (apart)
        begin = from;
    else if (from < stream->run_from)
        memset(stream->hides.ptr + from, 1, stream->run_from - from);
    memset(stream->hides.ptr + begin, 1, end - begin);
    if (apart || from < stream->run_from)
        stream->run_from = from;
    stream->run_to = end;
    stream->found = true;
}

/* Lets out the first `count` bytes. */
static void let_out(struct mask_stream *stream, size_t count, struct buf *out)
{
    const char *bytes = stream->held.ptr, *hides = stream->hides.ptr;
    size_t left = stream->held.len - count;

    for (size_t at = 0, end; at < count; at = end) {
        const char *change = memchr(hides + at, !hides[at], count - at);

        end = change ? (size_t)(change - hides) : count;
        if (!hides[at])
            buf_add(out, bytes + at, end - at);
        else if (!stream->within)
            buf_adds(out, MASK_SHOWN);
        stream->within = hides[at];
    }
    memmove(stream->held.ptr, bytes + count, left);
    memmove(stream->hides.ptr, hides + count, left);
    stream->held.len = stream->hides.len = left;
    stream->run_from = stream->run_from > count ? stream->run_from - count : 0;
    stream->run_to = stream->run_to > count ? stream->run_to - count : 0;
}

/* No word begins here, as far as can be seen: that is true of almost all there is. */
static bool is_nothing(const struct mask *mask, const char *bytes, size_t left)
{
    return left > 1 ? !(mask->pairs[pair_of(bytes) / 64] >> pair_of(bytes) % 64 & 1)
                    : !mask->first[(unsigned char)bytes[0]];
}

static void read_on(const struct mask *mask, struct mask_stream *stream, size_t at)
{
    const char *bytes = stream->held.ptr;
    uint32_t state = stream->state;

    for (; at < stream->held.len; at++) {
        if (state == ROOT && is_nothing(mask, bytes + at, stream->held.len - at))
            continue;
        state = step(mask, state, bytes[at]);
        if (mask->states[state].longest)
            hide(stream, at + 1, mask->states[state].longest);
    }
    stream->state = state;
}

/* It has words, and is locked. */
static void feed(struct mask *mask, struct mask_stream *stream, struct str piece, struct buf *out)
{
    size_t before = stream->held.len;

    if (!piece.len)
        return;
    if (mask->stale)
        build(mask);
    buf_addstr(&stream->held, piece);
    buf_reserve(&stream->hides, piece.len);
    memset(stream->hides.ptr + before, 0, piece.len);
    stream->hides.len = stream->held.len;
    read_on(mask, stream, before);
    let_out(stream, stream->held.len - mask->states[stream->state].depth, out);
}

void mask_feed(struct mask *mask, struct mask_stream *stream, struct str piece, struct buf *out)
{
    if (lock_filled(mask)) {
        feed(mask, stream, piece, out);
        unlock(mask);
    } else {
        buf_addstr(out, piece);
    }
}

void mask_end(struct mask_stream *stream, struct buf *out)
{
    if (stream->held.len)
        let_out(stream, stream->held.len, out);
    buf_release(&stream->held);
    buf_release(&stream->hides);
    stream->state = ROOT;
}

/* ---- whole texts ---- */

/* Here somebody has cut: a beginning is hidden when it is as long as a word has to be. */
static void end_cut(const struct mask *mask, struct mask_stream *stream)
{
    size_t depth = mask->states[stream->state].depth;

    if (depth >= MASK_LEAST)
        hide(stream, stream->held.len, depth);
    stream->state = ROOT;
}

/* What is before an ellipsis; a quote that was closed, and a blank, may stand between. */
static size_t cut_end(struct str text, size_t ellipsis)
{
    if (ellipsis && text.ptr[ellipsis - 1] == ' ')
        ellipsis--;
    if (ellipsis && text.ptr[ellipsis - 1] == '\'')
        ellipsis--;
    return ellipsis;
}

static void whole(struct mask *mask, struct mask_stream *stream, struct str text, struct buf *out)
{
    size_t ellipsis;

    while (str_find(text, ELLIPSIS, &ellipsis)) {
        size_t end = cut_end(text, ellipsis);

        feed(mask, stream, str_slice(text, 0, end), out);
        end_cut(mask, stream);
        ellipsis += sizeof ELLIPSIS - 1;
        feed(mask, stream, str_slice(text, end, ellipsis), out);
        text = str_slice(text, ellipsis, text.len);
    }
    feed(mask, stream, text, out);
    mask_end(stream, out);
}

void mask_text(struct mask *mask, struct str text, struct buf *out)
{
    struct mask_stream stream = {0};

    if (lock_filled(mask)) {
        whole(mask, &stream, text, out);
        unlock(mask);
    } else {
        buf_addstr(out, text);
    }
}

struct str mask_in(struct mask *mask, struct arena *arena, struct str text)
{
    struct mask_stream stream = {0};
    struct buf out = {0};

    if (text.len < MASK_LEAST || !lock_filled(mask))
        return text;
    whole(mask, &stream, text, &out);
    unlock(mask);
    if (stream.found)
        text = arena_str(arena, buf_str(&out));
    buf_release(&out);
    return text;
}

struct str mask_known(struct mask *mask, struct str text)
{
    struct mask_stream stream = {0};
    struct buf told = {0};
    size_t longest = mask_longest(mask), at = 0;

    if (!longest || !text.len)
        return text;
    for (; at < text.len && (at < longest || stream.held.len); at++)
        mask_feed(mask, &stream, str_slice(text, at, at + 1), &told);
    mask_end(&stream, &told);
    buf_release(&told);
    return str_slice(text, at, text.len);
}
