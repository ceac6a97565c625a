/* Signatures of whatever a test may have written: short, one text, and the same for the same; lines normalised twice stay so. */
#include "runner/soak/internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void sign(const struct soak_outcome *outcome, struct buf *out)
{
    soak_signature(outcome, out);
    if (!out->len || out->len > (size_t)4 * SIGNATURE_SIZE || memchr(out->ptr, '\x1b', out->len) ||
        memchr(out->ptr, '\0', out->len))
        abort();
}

/* Noise in front of it is none of it: an output that is longer than what is looked at has another beginning each time. */
static void check(struct soak_outcome outcome)
{
    struct buf once = {0}, again = {0}, line = {0};

    sign(&outcome, &once);
    sign(&outcome, &again);
    if (!str_eq(buf_str(&once), buf_str(&again)))
        abort();
    soak_telling_line(outcome.output, &line);
    if (line.len > outcome.output.len || (line.len && memchr(line.ptr, '\n', line.len)))
        abort();
    buf_release(&once);
    buf_release(&again);
    buf_release(&line);
}

/* The first byte is the verdict, up to the first line break reason, up to the second place; the rest is output. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str text = {(const char *)bytes, size}, parts[2] = {{NULL, 0}, {NULL, 0}};
    struct soak_outcome outcome = {.verdict = VERDICT_FAILED};

    if (text.len) {
        outcome.verdict = (enum verdict)(bytes[0] % VERDICT_COUNT);
        text = str_slice(text, 1, text.len);
    }
    for (size_t i = 0; i < 2; i++) {
        const char *end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;

        if (!end)
            break;
        parts[i] = str_slice(text, 0, (size_t)(end - text.ptr));
        text = str_slice(text, parts[i].len + 1, text.len);
    }
    outcome.reason = parts[0];
    outcome.place = parts[1];
    outcome.output = text;
    check(outcome);
    return 0;
}
