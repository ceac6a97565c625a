/* Reports read whole or in pieces, and what came of it as text: for the tests of readers and for their fuzzers. */
#ifndef TESTS_RESULTS_READ_H
#define TESTS_RESULTS_READ_H

#include "runner/base/buf.h"
#include "runner/base/hash.h"
#include "runner/results/results.h"

#include <stdlib.h>

typedef struct results_reader *results_open(struct results *into);

static inline struct results_reader *open_tap(struct results *into)
{
    return results_tap(into, false);
}

/* `piece`: bytes at a time; each piece is memory of its own, so that a sanitizer sees who reads past it. */
static inline void read_in_pieces(struct results *results, results_open *open, struct str text, size_t piece)
{
    struct results_reader *reader;

    results_init(results, "report");
    reader = open(results);
    for (size_t at = 0; at < text.len; at += piece) {
        size_t len = text.len - at < piece ? text.len - at : piece;
        struct buf copy = {0};

        buf_add(&copy, text.ptr + at, len);
        results_feed(reader, buf_str(&copy));
        buf_release(&copy);
    }
    results_end(reader);
}

/* Texts are long: how long, and what they hash to. */
static inline void show_text(struct buf *out, const char *name, struct str text)
{
    if (text.len)
        buf_addf(out, " %s=%zu:%llx", name, text.len,
                 (unsigned long long)(hash_add(HASH_START, text) & 0xFFFFFFFF));
}

static inline void show_result(struct buf *out, const struct result *result)
{
    buf_addf(out, "%s: %.*s", result_verdict_word(result->verdict), STR_ARG(result->id));
    if (result->duration >= 0)
        buf_addf(out, " %lldus", (long long)(result->duration / 1000));
    if (result->file.len)
        buf_addf(out, " at %.*s:%u", STR_ARG(result->file), result->line);
    if (result->reruns)
        buf_addf(out, " after %u", result->reruns);
    if (result->is_a_parent)
        buf_adds(out, " parent");
    if (result->message.len)
        buf_addf(out, " (%.*s)", STR_ARG(result->message));
}

static inline void show_rest(struct buf *out, const struct results *results)
{
    if (results->announced >= 0 || results->missing || results->left_out)
        buf_addf(out, "announced %lld, missing %llu, left out %llu\n", (long long)results->announced,
                 (unsigned long long)results->missing, (unsigned long long)results->left_out);
    if (results->bailed_out)
        buf_addf(out, "bail out: %.*s\n", STR_ARG(results->bail_out));
    if (results->skip_all.len)
        buf_addf(out, "skip all: %.*s\n", STR_ARG(results->skip_all));
    for (size_t i = 0; i < results->problems.count; i++) {
        const struct diag *diag = &results->problems.list[i];

        buf_addf(out, "%u:%u: %s%s\n", diag->at.line, diag->at.col,
                 diag->severity == DIAG_WARNING ? "warning: " : "", diag->text);
    }
}

static inline void show_results(struct buf *out, const struct results *results, bool texts)
{
    for (uint32_t i = 0; i < results->count; i++) {
        const struct result *result = &results->list[i];

        show_result(out, result);
        if (texts) {
            show_text(out, "details", result->details);
            show_text(out, "out", result->out);
            show_text(out, "err", result->err);
        }
        buf_addc(out, '\n');
    }
    show_rest(out, results);
}

/* Reads it, and shows what came of it. */
static inline void read_and_show(struct buf *out, results_open *open, struct str text, size_t piece,
                                 bool texts)
{
    struct results results;

    read_in_pieces(&results, open, text, piece);
    show_results(out, &results, texts);
    results_release(&results);
}

/* What must hold whatever was read; false when it does not. */
static inline bool results_sound(const struct results *results)
{
    uint32_t sum = 0;

    for (int i = 0; i < RESULT_VERDICT_COUNT; i++)
        sum += results->verdicts[i];
    for (uint32_t i = 0; i < results->count; i++) {
        const struct result *result = &results->list[i];

        if (!result->id.ptr || result->duration < -1 || result->id.len > RESULT_ID_MOST + 16 ||
            result->message.len > RESULT_MESSAGE_MOST)
            return false;
    }
    return sum == results->count && results->announced >= -1;
}

#endif
