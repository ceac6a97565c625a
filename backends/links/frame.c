#include "backends/links/links.h"

#include <string.h>

#define KIND_AT    3
#define NUMBER_AT  4
#define LENGTH_AT  8
#define FIELD_SIZE 8

static void add_little(struct buf *out, uint64_t number, size_t size)
{
    unsigned char bytes[FIELD_SIZE];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    buf_add(out, bytes, size);
}

static uint64_t little(const char *at, size_t size)
{
    uint64_t number = 0;

    while (size--)
        number = number << 8 | (unsigned char)at[size];
    return number;
}

/* ---- frames ---- */

static const char start[KIND_AT] = {'M', 'X', FRAME_VERSION};

void frame_add(struct buf *out, unsigned kind, uint32_t number, const void *body, size_t len)
{
    buf_reserve(out, FRAME_HEAD + len);
    buf_add(out, start, sizeof start);
    buf_addc(out, (char)kind);
    add_little(out, number, LENGTH_AT - NUMBER_AT);
    add_little(out, len, FRAME_HEAD - LENGTH_AT);
    buf_add(out, body, len);
}

static enum frame_answer nonsense(struct frame *frame, unsigned version)
{
    *frame = (struct frame){.number = version};
    return FRAME_NONSENSE;
}

/* As far as it has come: a stranger is known by his first byte. */
static bool is_ours(struct str text, size_t most)
{
    return memcmp(text.ptr, start, text.len < most ? text.len : most) == 0;
}

enum frame_answer frame_take(struct str text, size_t most, struct frame *frame, size_t *used)
{
    size_t len;

    *used = 0;
    *frame = (struct frame){0};
    if (!text.len)
        return FRAME_MORE;
    if (!is_ours(text, sizeof start))
        return nonsense(frame,
                        is_ours(text, sizeof start - 1) ? (unsigned char)text.ptr[sizeof start - 1] : 0);
    if (text.len > KIND_AT && !text.ptr[KIND_AT])
        return nonsense(frame, 0);
    if (text.len < FRAME_HEAD)
        return FRAME_MORE;
    len = little(text.ptr + LENGTH_AT, FRAME_HEAD - LENGTH_AT);
    if (len > most)
        return nonsense(frame, 0);
    if (text.len - FRAME_HEAD < len)
        return FRAME_MORE;
    frame->kind = (unsigned char)text.ptr[KIND_AT];
    frame->number = (uint32_t)little(text.ptr + NUMBER_AT, LENGTH_AT - NUMBER_AT);
    frame->body = (struct str){text.ptr + FRAME_HEAD, len};
    *used = FRAME_HEAD + len;
    return FRAME_GOT;
}

/* ---- what bodies are made of ---- */

void field_add_number(struct buf *out, uint64_t number)
{
    add_little(out, number, FIELD_SIZE);
}

void field_add_text(struct buf *out, struct str text)
{
    field_add_number(out, text.len);
    buf_addstr(out, text);
}

bool field_number(struct str *rest, uint64_t *number)
{
    if (rest->len < FIELD_SIZE)
        return false;
    *number = little(rest->ptr, FIELD_SIZE);
    *rest = str_slice(*rest, FIELD_SIZE, rest->len);
    return true;
}

bool field_text(struct str *rest, struct str *text)
{
    struct str after = *rest;
    uint64_t len;

    if (!field_number(&after, &len) || len > after.len)
        return false;
    *text = str_slice(after, 0, len);
    *rest = str_slice(after, len, after.len);
    return true;
}
